"""Writes the rows of a sheet as lines, so that each says what its cells are."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.parsing.account import Account
from rag.parsing.office.number_formats import general

_TITLE_ROWS = 6
_LONGEST_NAME = 120  # of a column: each of its cells repeats it
_MOST_COPIED = 20_000_000  # characters of merged cells
_MOST_CHARACTERS = 100_000_000  # of all lines of a file

Row = Mapping[int, str]  # the filled cells by the number of their column
Value = Any  # what a library reads from a cell: a number, a text, a date


@dataclass(frozen=True)
class Area:
    """A merged area of a sheet: its first and last row and column."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass
class Sheet:
    """The filled cells of a sheet, by row and column, and what else stands in it."""

    name: str
    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    areas: list[Area] = field(default_factory=list)
    remarks: dict[int, list[str]] = field(default_factory=dict)  # comments, below the row that they belong to
    texts: list[str] = field(default_factory=list)  # text boxes and charts, below the rows
    is_hidden: bool = False

    def lines(self) -> Iterator[str]:
        """Yield the lines of the sheet."""
        copies = self._fill_areas()
        for numbers in self._tables():
            written = _table_lines(
                [self.rows.get(number, {}) for number in numbers],
                [copies.get(number, set()) for number in numbers],
            )
            for number, line in zip(numbers, written, strict=True):
                if line:
                    yield line
                yield from self.remarks.get(number, ())
        yield from self.texts

    def _tables(self) -> list[list[int]]:
        """Return the numbers of the rows of each table: a heading below an empty row begins another one."""
        tables: list[list[int]] = []
        blocks: list[list[int]] = []
        for number in sorted({*(number for number, row in self.rows.items() if row), *self.remarks}):
            if blocks and number == blocks[-1][-1] + 1:
                blocks[-1].append(number)
            else:
                blocks.append([number])
        for block in blocks:
            if not tables or _begins_table(
                [self.rows.get(number, {}) for number in block[: _TITLE_ROWS + 1]]
            ):
                tables.append([])
            tables[-1] += block
        return tables

    def _fill_areas(self) -> dict[int, set[int]]:
        """Give each cell of merged areas its value; return, by row, the columns that repeat one to the left.

        Only rows and columns that hold something are filled: an area may cover the whole sheet. An area that
        is alone in its row, such as a title above a table, keeps its value in its first cell.
        """
        columns = sorted({column for row in self.rows.values() for column in row})
        copies: dict[int, set[int]] = {}
        budget = _MOST_COPIED
        for area in self.areas:
            value = self.rows.get(area.top, {}).get(area.left, "")
            inside = [column for column in columns if area.left <= column <= area.right]
            for number in self._rows_of(area) if value else ():
                row = self.rows[number]
                budget -= len(inside) * len(value)
                if budget < 0:
                    return copies
                if any(not area.left <= column <= area.right for column in row):
                    row.update((column, value) for column in inside if column not in row)
                    copies.setdefault(number, set()).update(inside[1:])
        return copies

    def _rows_of(self, area: Area) -> list[int]:
        if area.bottom - area.top < len(self.rows):
            return [number for number in range(area.top, area.bottom + 1) if number in self.rows]
        return [number for number in self.rows if area.top <= number <= area.bottom]


def row_lines(rows: Sequence[Sequence[Value]]) -> Iterator[str]:
    """Yield a line a row: `Heading: value; Heading: value` below a heading row, else `a | b | c`.

    Lines with one cell above the heading are a title. A chunk in the middle of a long table then still says
    what its numbers are. Rows without words are left out.
    """
    table = [{n: text for n, value in enumerate(row) if (text := cell_text(value))} for row in rows]
    table = [row for row in table if row]
    return _table_lines(table, [set()] * len(table))


def cell_text(value: Value) -> str:
    """Return a value that a library read as a person would write it, on one line."""
    if value is None:
        return ""
    if isinstance(value, float):
        return general(value)
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(str(value).split())


def joined(lines: Iterable[str], account: Account, used: int = 0) -> str:
    """Return lines as one text, up to a length that fits in the memory; the account counts the rest.

    Args:
        lines: The lines of a sheet.
        account: That of the file.
        used: How many characters the sheets before this one have.
    """
    kept: list[str] = []
    for line in lines:
        used += len(line) + 1
        if used <= _MOST_CHARACTERS:
            kept.append(line)
        else:
            account.leave_out("line", f"the file has more than {_MOST_CHARACTERS:,} characters")
    return "\n".join(kept)


def _table_lines(rows: Sequence[Row], copies: Sequence[set[int]]) -> Iterator[str]:
    """Yield a line for each row, "" for an empty one.

    Args:
        rows: The rows from the first to the last.
        copies: For each row, the columns that only repeat a merged cell to their left.
    """
    heading, first = _heading(rows, copies)
    names = {column: name[:_LONGEST_NAME] for column, name in heading.items() if name}
    for n, row in enumerate(rows):
        filled = ((column, text) for column, text in sorted(row.items()) if text)
        if names and n >= first:
            yield "; ".join(
                f"{names[column]}: {text}" if column in names else text for column, text in filled
            )
        else:
            yield " | ".join(text for column, text in filled if column not in copies[n])


def _heading(rows: Sequence[Row], copies: Sequence[set[int]]) -> tuple[Row, int]:
    """Return the names of the columns and where the rows below them begin; no names where nothing tells."""
    filled = [n for n, row in enumerate(rows) if any(row.values())][: _TITLE_ROWS + 3]
    # A row with one cell is a title.
    start = next((i for i, n in enumerate(filled[:_TITLE_ROWS]) if len(rows[n].keys() - copies[n]) > 1), 0)
    if len(filled) < start + 2:
        return {}, 0
    top, below = filled[start], filled[start + 1]
    data = [rows[n] for n in filled[start + 2 :]]
    if data and _is_double(rows[top], rows[below], copies[top], data):
        return _joined(rows[top], rows[below]), below + 1
    if _is_heading([text for column, text in rows[top].items() if column not in copies[top]]):
        return rows[top], top + 1
    return {}, 0


def _begins_table(rows: Sequence[Row]) -> bool:
    """Return whether rows begin with a heading that has numbers below its words, perhaps below a title."""
    start = next((n for n, row in enumerate(rows) if len(row) > 1), len(rows))
    if start + 1 >= len(rows) or not _is_heading(list(rows[start].values())):
        return False
    names, cells = rows[start], rows[start + 1]
    return any(_is_number(cells[column]) for column in cells if not _is_number(names.get(column, "0")))


def _is_heading(cells: Sequence[str]) -> bool:
    """Return whether cells name columns: distinct words, perhaps with years (`Item | 2023 | 2024`)."""
    named = [cell for cell in cells if cell]
    return len(named) > 1 and len(set(named)) == len(named) and _are_words(named) and not _is_number(named[0])


def _are_words(cells: Sequence[str]) -> bool:
    """Return whether cells hold words or years, and neither other numbers nor formulas."""
    if any(cell.startswith("=") for cell in cells):
        return False
    return all(len(cell) == 4 and "1900" <= cell <= "2100" for cell in cells if _is_number(cell))


def _is_double(top: Row, below: Row, copied: set[int], data: Sequence[Row]) -> bool:
    """Return whether two rows are one heading, such as `2023 | 2024` above `Plan | Actual | Plan | Actual`.

    One name of the upper row must stand above several of the lower one, and the rows below must differ from
    the lower one: either it repeats its names, or there are numbers below its words.
    """
    lower = [text for text in below.values() if text]
    if not _are_words([text for text in (*top.values(), *lower) if text]) or len(lower) < 2:
        return False
    spread = _spread(top, below)
    groups = [spread.get(column, "") for column in sorted(below) if below[column]]
    if len(set(groups)) == len(groups) or not (copied or len(set(lower)) < len(lower)):
        return False
    joined = list(_joined(top, below).values())
    has_numbers = any(
        _is_number(text) and below.get(column) and not _is_number(below[column])
        for row in data
        for column, text in row.items()
    )
    return len(set(joined)) == len(joined) and has_numbers


def _spread(top: Row, below: Row) -> dict[int, str]:
    """Return the upper row of a heading with each name above all the columns up to the next name."""
    spread: dict[int, str] = {}
    name = ""
    for column in sorted({*top, *below}):
        name = top.get(column) or name
        spread[column] = name
    return spread


def _joined(top: Row, below: Row) -> dict[int, str]:
    """Return two rows of a heading as one: `2023 Plan`."""
    return {
        column: name if below.get(column, name) in ("", name) else f"{name} {below[column]}".strip()
        for column, name in _spread(top, below).items()
    }


def _is_number(text: str) -> bool:
    """Return whether a cell holds a number, a date, a percentage or an amount: digits and no letters."""
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))
