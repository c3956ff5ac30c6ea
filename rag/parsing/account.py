"""Keeps the account of a document: what was read beside its plain text, and what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rag.parsing.rows import AccountLine
from rag.text.plurals import counted

_MOST_NAMES = 8  # named in a line; the rest is counted


@dataclass
class _Entry:
    one: str
    many: str
    reason: str  # "" for what was read
    count: int = 0
    names: list[str] = field(default_factory=list)


class Account:
    """The account of one document under construction.

    `account.read("footnote", 2)` and `account.leave_out("attachment", "zip files are not supported",
    name="plans.zip")` become the lines "2 footnotes read" and "1 attachment not read (zip files are not
    supported): plans.zip". Equal kinds with an equal reason are one line.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._quoted: list[AccountLine] = []

    def read(self, one: str, count: int = 1, many: str = "") -> None:
        """Count things that are in the text though a reader might not expect them there.

        Args:
            one: The noun for one of them, such as "footnote".
            count: How many there are; 0 adds nothing.
            many: The noun for several, where that is not `one` with an s.
        """
        self._add(one, "", count, many, "")

    def leave_out(self, one: str, reason: str, count: int = 1, *, many: str = "", name: str = "") -> None:
        """Count things that are not in the text.

        Args:
            one: The noun for one of them, such as "attachment".
            reason: Why, as a clause without a full stop, such as "zip files are not supported".
            count: How many there are; 0 adds nothing.
            many: The noun for several, where that is not `one` with an s.
            name: What a person knows it by: a file name, a page, a line number.
        """
        self._add(one, reason, count, many, name)

    def include(self, other: Account, where: str = "") -> None:
        """Add what a part of the document says of itself.

        Args:
            other: The account of the part.
            where: What names the part, such as an attachment's file name; "" leaves the names as they are.
        """
        for entry in other._entries.values():
            own = self._entries.setdefault((entry.one, entry.reason), replace(entry, count=0, names=[]))
            own.count += entry.count
            own.names += [f"{where} {name}".strip() for name in entry.names or ([""] if where else [])]
        self._quoted += other._quoted

    def quote(self, lines: tuple[AccountLine, ...], where: str) -> None:
        """Add the finished account of a document within this one, such as an attachment, under its name."""
        self._quoted += [replace(line, text=f"{where}: {line.text}") for line in lines]

    def _add(self, one: str, reason: str, count: int, many: str, name: str) -> None:
        if not count:
            return
        entry = self._entries.setdefault((one, reason), _Entry(one, many, reason))
        entry.count += count
        if name:
            entry.names.append(" ".join(name.split())[:80])

    @property
    def lines(self) -> tuple[AccountLine, ...]:
        """What was read, then what was left out, each in the order of its first mention."""
        entries = sorted(self._entries.values(), key=lambda entry: bool(entry.reason))
        return (*(_line(entry) for entry in entries), *self._quoted)


def _line(entry: _Entry) -> AccountLine:
    things = counted(entry.count, entry.one, entry.many)
    if not entry.reason:
        return AccountLine(f"{things} read")
    names = ", ".join(entry.names[:_MOST_NAMES])
    if len(entry.names) > _MOST_NAMES:
        names += f" and {len(entry.names) - _MOST_NAMES:,} more"
    return AccountLine(f"{things} not read ({entry.reason}){': ' if names else ''}{names}", entry.count)
