"""Reads CSV: finds the delimiter under which the rows agree; a stray quote does not glue rows together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument
from rag.parsing.sheets.lines import joined, row_lines
from rag.parsing.text import read_text

_DELIMITERS = "\t;|,"  # where two fit equally well, the first: a comma may be a decimal comma
_SAMPLE = 500  # rows
_DECLARED = re.compile(r'\ufeff?"?sep=([^"\w\s]|\t)"?\r?\n', re.IGNORECASE)


def parse_csv(path: Path) -> ParsedDocument:
    """Return a CSV or TSV file as one sheet."""
    account, builder = Account(), TextBuilder()
    text = read_text(path, account)
    declared = _DECLARED.match(text)
    if declared:  # how Excel is told
        text, delimiter = text[declared.end() :], declared[1]
    else:
        delimiter = guessed_delimiter(text, "\t" if path.suffix.lower() == ".tsv" else ",")
    builder.add("sheet", 1, "table", joined(row_lines(list(table_rows(text, delimiter))), account))
    return ParsedDocument(path.stem, "text/csv", builder.text, builder.places, account=account.lines)


def guessed_delimiter(text: str, usual: str) -> str:
    """Return the delimiter under which most rows have the same number of cells, and more than one.

    Args:
        text: The table.
        usual: The one to take where no delimiter fits.
    """
    best, best_share = usual, 0.0
    for delimiter in sorted(_DELIMITERS, key=lambda sign: sign != usual or sign == ","):
        counts = Counter(len(row) for row in islice(table_rows(text, delimiter), _SAMPLE) if any(row))
        single = counts.pop(1, 0)
        agreeing = max(counts.values(), default=0)
        share = agreeing / max(1, counts.total() + single)
        if agreeing > single and share > best_share:
            best, best_share = delimiter, share
    return best


def table_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the cells of each row.

    A quoted cell may hold delimiters, line breaks and doubled quotes. It ends at a quote before a delimiter
    or a line's end; where there is none, or the row has another length than the first, the quote at its
    beginning is a sign like any other (`Tap,"unfinished quote,A3`).
    """
    sign = re.escape(delimiter)
    cell = re.compile(rf'"((?:[^"]++|"")*+)"[ \t]*(?=[\r\n]|{sign}|\Z)|([^\r\n{sign}]*+)')
    end = re.compile(r"\r\n?|\n|\Z")
    position, width = 0, 0
    while position < len(text):
        cells, after = _row(text, position, cell, delimiter)
        line_end = end.search(text, position)
        if line_end is not None and after > line_end.start() and width and len(cells) != width:
            line = text[position : line_end.start()].split(delimiter)
            if len(line) == width:
                cells, after = line, line_end.start()
        width = width or len(cells)
        yield cells
        found = end.match(text, after)
        position = found.end() if found is not None else after


def _row(text: str, position: int, cell: re.Pattern[str], delimiter: str) -> tuple[list[str], int]:
    """Return the cells of the row at a position, and where it ends."""
    cells: list[str] = []
    while found := cell.match(text, position):
        quoted = found[1]
        cells.append(found[2] if quoted is None else quoted.replace('""', '"'))
        position = found.end()
        if not text.startswith(delimiter, position):
            break
        position += 1
    return cells, position
