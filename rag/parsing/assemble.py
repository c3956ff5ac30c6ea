"""Puts a document together from its parts and keeps track of where its places are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rag.parsing.rows import Place

# A chunk holds about this much of a table, so that most chunks contain a line with the column names.
_ROWS_PER_HEADING = 12
_CHARACTERS_PER_HEADING = 700
_LONGEST_COLUMN = 60
_LONGEST_HEADING = 300

# What programs write when nobody gave a title.
_NO_TITLES = {
    "",
    "anonymous",
    "untitled",
    "unknown",
    "title",
    "presentation",
    "powerpoint presentation",
    "powerpoint-präsentation",
    "word document",
    "document",
    "microsoft word",
}


def _say_nothing() -> None:
    pass


heartbeat: Callable[[], None] = _say_nothing
"""What is called for each finished part of a document; rag.parsing.worker puts its own here."""


def title_or_name(title: str | None, path: Path) -> str:
    """Return the title in a file's properties, or the file's name where that is not a real title."""
    title = (title or "").strip()
    return path.stem if title.strip("() ").lower() in _NO_TITLES else title


def table_lines(rows: Sequence[Sequence[str]], has_header: bool) -> list[str]:
    """Return a line `a | b | c` for each row, so that a row can be quoted as a person sees it.

    A long table repeats its header as a line `Columns: a | b | c` between the rows: a chunk from the middle
    still says what its numbers are. Rows without words are left out.

    Args:
        rows: The cells of each row. A merged area has its value in each of its rows and columns, except where
            it fills a whole row: that row is one cell.
        has_header: Whether the first row contains the names of the columns.
    """
    table = [line for row in rows if (line := _row_line(row))]
    if not (has_header and table):
        return table
    heading = _heading_line(next(row for row in rows if _row_line(row)))
    lines, row_count, length = table[:1], 0, 0
    for line in table[1:]:
        if row_count >= _ROWS_PER_HEADING or length >= _CHARACTERS_PER_HEADING:
            lines.append(heading)
            row_count = length = 0
        lines.append(line)
        row_count += 1
        length += len(line)
    return lines


def _row_line(row: Sequence[str]) -> str:
    cells = [" ".join(cell.split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return " | ".join(cells)


def _heading_line(row: Sequence[str]) -> str:
    """Return the names of the columns on one line; long ones are cut, or a hostile one would fill memory."""
    names = " | ".join(" ".join(cell.split())[:_LONGEST_COLUMN] for cell in row)
    return f"Columns: {names.rstrip(' |')[:_LONGEST_HEADING]}"


class TextBuilder:
    """A text under construction: each part that contains words becomes a place, parted by blank lines."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._places: list[Place] = []

    def add(self, kind: str, number: int | None, label: str, text: str) -> None:
        """Append a part. One without words is left out, and so is its place.

        Args:
            kind: What the place is, see Place.
            number: Its number from 1, None where it has none.
            label: What is shown as its name.
            text: Its text; line breaks around it are dropped.
        """
        heartbeat()
        if not text.strip():
            return
        text = text.strip("\n")
        if self._parts:
            self._parts.append("\n\n")
            self._length += 2
        self._places.append(Place(kind, number, label, self._length, self._length + len(text)))
        self._parts.append(text)
        self._length += len(text)

    @property
    def text(self) -> str:
        """All parts so far."""
        return "".join(self._parts)

    @property
    def places(self) -> tuple[Place, ...]:
        """The places of the parts, in order, with exact offsets into the text."""
        return tuple(self._places)


class HeadingPath:
    """A trail of the headings above a piece of text: `1 Scope > 1.2 Terms`."""

    def __init__(self) -> None:
        self._headings: list[tuple[int, str]] = []

    def enter(self, level: int, title: str) -> None:
        """Go on below a heading of this level; it ends every heading of the same or a deeper level."""
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, " ".join(title.split())[:120]))

    @property
    def label(self) -> str:
        """The headings from the outermost to the innermost, "" before the first."""
        return " > ".join(title for _, title in self._headings)
