"""Rows of CSV files, read one by one: a row that cannot be read is a problem, and the next one is read."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rag.errors import RagError
from rag.evaluation.formats.entries import Options, Problem, read_text
from rag.text.spreadsheets import unguarded

# The later one wins where rows agree on both: a comma stands in texts more often than a tab.
DELIMITERS = {",": "comma", "|": "bar", ";": "semicolon", "\t": "tab"}
_LINES_TO_GUESS = 50

Row = tuple[str, list[str] | Problem]


def csv_headers(path: Path, delimiter: str = "") -> list[str]:
    """Return the headers of a CSV, for a mapping by hand. Raises RagError when it cannot be read."""
    _, headers = next(read_rows(path, delimiter), ("", []))
    if isinstance(headers, Problem):
        raise RagError(f"{path.name}, {headers.sentence()}")
    return headers


def read_rows(path: Path, delimiter: str = "") -> Iterator[Row]:
    """Yield the place and the cells of each row that is not blank, or what is wrong with it.

    A row whose quotes are wrong ends at its line: what follows is read as if it began a row.
    """
    lines = [f"{line}\n" for line in read_text(path).split("\n")]  # not splitlines: U+2028 may be in a cell
    used = delimiter or guess_delimiter(lines)
    begin = 0
    while begin < len(lines):
        # strict: a quote in the wrong place would swallow cells and lines without a word.
        reader = csv.reader(iter(lines[begin:]), delimiter=used, strict=True)
        done = 0
        try:
            for row in reader:
                place = f"line {begin + done + 1}"
                done = reader.line_num
                if any(cell.strip() for cell in row):
                    yield place, [unguarded(cell.strip(" ")) for cell in row]
            return
        except csv.Error as error:
            place = f"line {begin + done + 1}"
            yield place, Problem(place, f"this is not a row of a CSV ({error})")
            begin += done + 1


def read_table(path: Path, options: Options) -> Iterator[tuple[str, dict[str, str] | Problem]]:
    """Yield the place and the cells of each row by their header, or what is wrong with the row."""
    rows = read_rows(path, options.delimiter)
    headers = csv_headers(path, options.delimiter)
    next(rows, None)
    for place, row in rows:
        if isinstance(row, Problem):
            yield place, row
        elif len(row) > len(headers):
            message = f"{len(row)} cells under {len(headers)} headers; quote the delimiter"
            yield place, Problem(place, message)
        else:
            yield place, {header: row[n] for n, header in enumerate(headers) if n < len(row)}


def guess_delimiter(lines: list[str]) -> str:
    """Return the delimiter with which most of the first rows have as many cells as the first one."""
    best, most = ",", (0, 0, -1)
    for candidate in DELIMITERS:
        sizes: list[int] = []
        reader = csv.reader(io.StringIO("".join(lines[:_LINES_TO_GUESS]), newline=""), delimiter=candidate)
        try:
            sizes.extend(len(row) for row in reader if row)
        except csv.Error:
            continue
        if not sizes or sizes[0] < 2:
            continue
        alike = Counter(sizes)[sizes[0]]
        found = (alike, sizes[0], list(DELIMITERS).index(candidate))
        if found > most:
            best, most = candidate, found
    return best
