"""Periods: the forms that people write, their bounds, and what is refused."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RagError
from rag.governance.report.period import Period, day, moment, parse_period

DAY_MS = 86_400_000


def ms(year: int, month: int, day_of_month: int) -> int:
    return int(datetime(year, month, day_of_month, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026", (2026, 1, 1), (2027, 1, 1)),
        ("2026-Q1", (2026, 1, 1), (2026, 4, 1)),
        ("2026-q4", (2026, 10, 1), (2027, 1, 1)),
        ("2026Q2", (2026, 4, 1), (2026, 7, 1)),
        ("2026-02", (2026, 2, 1), (2026, 3, 1)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("2024-02-29", (2024, 2, 29), (2024, 3, 1)),
        ("2023-02", (2023, 2, 1), (2023, 3, 1)),
        ("2024-02", (2024, 2, 1), (2024, 3, 1)),
        ("2026-12-31", (2026, 12, 31), (2027, 1, 1)),
        ("20261128", (2026, 11, 28), (2026, 11, 29)),
        ("2026-W48", (2026, 11, 23), (2026, 11, 30)),
        ("2026W01", (2025, 12, 29), (2026, 1, 5)),
        ("2026-W48-6", (2026, 11, 28), (2026, 11, 29)),
        ("2026-W48..2026-W49", (2026, 11, 23), (2026, 12, 7)),
        ("2025..2026-Q1", (2025, 1, 1), (2026, 4, 1)),
        ("2026-11-28..2026-11-28", (2026, 11, 28), (2026, 11, 29)),
        ("2026-01-01..2026-03-31", (2026, 1, 1), (2026, 4, 1)),
        (" 2026-Q1 .. 2026-Q2 ", (2026, 1, 1), (2026, 7, 1)),
    ],
)
def test_a_period_begins_with_its_first_day_and_ends_after_its_last(
    text: str, since: tuple[int, int, int], until: tuple[int, int, int]
) -> None:
    period = parse_period(text)
    assert (period.since_ms, period.until_ms) == (ms(*since), ms(*until))


@pytest.mark.parametrize("text", ["", "  ", "everything"])
def test_no_period_is_everything(text: str) -> None:
    assert parse_period(text) == Period()
    assert parse_period(text).sentence() == "everything that is stored"


def test_an_end_may_be_open() -> None:
    assert parse_period("2026-11..").until_ms is None
    assert parse_period("..2026-11").since_ms is None
    assert parse_period("2026-11..").sentence() == "2026-11-01 to now (UTC)"
    assert parse_period("..2026-11").sentence() == "the beginning to 2026-11-30 (UTC)"


@pytest.mark.parametrize(
    "text",
    [
        "2026-13",
        "2026-Q5",
        "last week",
        "2026-02-30",
        "..",
        "0000",
        "9999-12-31",
        "99999",
        "2026-1",
        "2026..x",
        "x..2026",
        "2026...2027",
        "2026..2027..2028",
        "2026-Q0",
        "Q4-2026",
        "2026-00",
        "2026-02-29",
        "2026-W54",
        "-2026",
        "2026-11-28T10:00",
        "28.11.2026",
        "\x00",
    ],
)
def test_what_is_no_period_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(RagError, match=r"is not a period.*2026-Q4"):
        parse_period(text)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(RagError, match="ends before it begins"):
        parse_period("2026-03..2026-01")


def test_bounds_compare_with_every_stored_time() -> None:
    low, high = Period().bounds
    assert low < 0 < ms(2999, 1, 1) < high
    assert parse_period("2026").bounds == (ms(2026, 1, 1), ms(2027, 1, 1))


def test_one_day_is_said_once() -> None:
    assert parse_period("2026-11-28").sentence() == "2026-11-28"


@given(st.dates(min_value=datetime(1970, 1, 2).date(), max_value=datetime(2200, 1, 1).date()))
def test_every_day_is_24_hours_of_utc(given_day: object) -> None:
    period = parse_period(str(given_day))
    assert period.since_ms is not None and period.until_ms == period.since_ms + DAY_MS
    assert day(period.since_ms) == day(period.until_ms - 1) == str(given_day)
    assert moment(period.since_ms) == f"{given_day} 00:00"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026", "2026-01-01 to 2026-12-31 (UTC)"),
        ("2026-q4", "2026-10-01 to 2026-12-31 (UTC)"),
        ("2026-02", "2026-02-01 to 2026-02-28 (UTC)"),
        ("2026-W48", "2026-11-23 to 2026-11-29 (UTC)"),
        ("2026-11-28..2026-11-28", "2026-11-28"),
        ("2026-Q1..", "2026-01-01 to now (UTC)"),
        ("..2026-Q1", "the beginning to 2026-03-31 (UTC)"),
    ],
)
def test_a_period_in_words_names_its_last_day_and_not_the_one_after(text: str, sentence: str) -> None:
    assert parse_period(text).sentence() == sentence


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-q4", "2026-Q4"),
        (" 2026 ", "2026"),
        ("2026-q1..2026-q2", "2026-Q1..2026-Q2"),
        ("2026-11-28", "2026-11-28"),
        ("", "everything"),
    ],
)
def test_a_period_is_kept_as_it_was_written_in_one_spelling(text: str, kept: str) -> None:
    assert parse_period(text).text == kept
    assert parse_period(kept) == parse_period(text)  # so two reports on one period know each other


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "1970-01-01 00:00"),
        (59_999, "1970-01-01 00:00"),
        (60_000, "1970-01-01 00:01"),
        (-1, "1969-12-31 23:59"),
        (DAY_MS - 1, "1970-01-01 23:59"),
    ],
)
def test_a_moment_is_cut_to_the_minute_in_utc(milliseconds: int, shown: str) -> None:
    assert moment(milliseconds) == shown
    assert day(milliseconds) == shown[:10]


@given(st.integers(1971, 2200))
def test_the_parts_of_a_year_meet_without_a_hole(year: int) -> None:
    whole = parse_period(str(year))
    for parts in (
        [parse_period(f"{year}-Q{number}") for number in range(1, 5)],
        [parse_period(f"{year}-{number:02}") for number in range(1, 13)],
    ):
        assert (parts[0].since_ms, parts[-1].until_ms) == (whole.since_ms, whole.until_ms)
        assert all(one.until_ms == other.since_ms for one, other in pairwise(parts))


@given(st.dates(date(1971, 1, 1), date(2200, 1, 1)), st.dates(date(1971, 1, 1), date(2200, 1, 1)))
def test_from_one_day_to_another_has_both_and_the_other_way_round_is_refused(one: date, other: date) -> None:
    first, last = sorted((one, other))
    period = parse_period(f"{first}..{last}")
    assert period.since_ms == parse_period(str(first)).since_ms
    assert period.until_ms == parse_period(str(last)).until_ms
    if first < last:
        with pytest.raises(RagError, match="Write the earlier day first"):
            parse_period(f"{last}..{first}")
