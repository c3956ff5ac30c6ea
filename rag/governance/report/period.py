"""Periods as people write them: a year, a quarter, a month, a day, or from one day to another, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from rag.errors import RagError

_QUARTER = re.compile(r"(\d{4})-?[Qq]([1-4])")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_WEEK = re.compile(r"\d{4}-?W\d{2}")
_YEAR = re.compile(r"\d{4}")
_WRONG = (
    "“{text}” is not a period. Write a year (2026), a quarter (2026-Q4), a month (2026-11), a day "
    "(2026-11-28) or two days with two dots between them (2026-01-01..2026-03-31)."
)


@dataclass(frozen=True)
class Period:
    """A time from `since_ms` on and before `until_ms`, in Unix milliseconds; None: without an end there.

    It is in UTC, so that the same data give the same report on every computer.
    """

    text: str = "everything"
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """The beginning and the end as numbers that every stored time can be compared with."""
        return (
            self.since_ms if self.since_ms is not None else -(2**62),
            self.until_ms if self.until_ms is not None else 2**62,
        )

    def sentence(self) -> str:
        """Return the period in words, with its last day."""
        if self.since_ms is None and self.until_ms is None:
            return "everything that is stored"
        first = "the beginning" if self.since_ms is None else day(self.since_ms)
        last = "now" if self.until_ms is None else day(self.until_ms - 1)
        return first if first == last else f"{first} to {last} (UTC)"


def parse_period(text: str) -> Period:
    """Return a period; an empty text is everything. Raises RagError with the forms that can be read."""
    plain = text.strip()
    if plain in ("", "everything"):
        return Period()
    try:
        begin: date | None
        end: date | None
        first, dots, last = plain.partition("..")
        if not dots:
            begin, end = _days(plain)
        else:
            begin = _days(first.strip())[0] if first.strip() else None
            end = _days(last.strip())[1] if last.strip() else None
    except (ValueError, OverflowError) as error:
        raise RagError(_WRONG.format(text=text)) from error
    if begin is None and end is None:
        raise RagError(_WRONG.format(text=text))
    if begin is not None and end is not None and begin >= end:
        raise RagError(f"The period “{text}” ends before it begins. Write the earlier day first.")
    return Period(plain.upper() if "q" in plain.lower() else plain, _ms(begin), _ms(end))


def moment(milliseconds: int) -> str:
    """Return Unix milliseconds as a time in UTC, such as "2026-11-28 04:49"."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def day(milliseconds: int) -> str:
    """Return the day of Unix milliseconds in UTC, such as "2026-11-28"."""
    return moment(milliseconds)[:10]


def _days(text: str) -> tuple[date, date]:
    """Return the first day of a part of the calendar and the day after its last."""
    if found := _QUARTER.fullmatch(text):
        month = 3 * int(found[2]) - 2
        return date(int(found[1]), month, 1), _month_after(int(found[1]), month + 2)
    if found := _MONTH.fullmatch(text):
        return date(int(found[1]), int(found[2]), 1), _month_after(int(found[1]), int(found[2]))
    if _YEAR.fullmatch(text):
        return date(int(text), 1, 1), date(int(text) + 1, 1, 1)
    only = date.fromisoformat(text)  # of a week its Monday
    return only, only + timedelta(days=7 if _WEEK.fullmatch(text) else 1)


def _month_after(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1)


def _ms(first: date | None) -> int | None:
    if first is None:
        return None
    return int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
