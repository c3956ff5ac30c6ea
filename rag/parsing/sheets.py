"""Reads workbooks and CSV: a place for each sheet, a line for each row, cells with their headings."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from rag.errors import DocumentError
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument
from rag.parsing.text import read_text

MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}

LARGEST_SHEET = 20_000_000
READ_APART_S = 120
READ_APART_BYTES = 4 << 30
_READ_APART = ("xls", "xlsb")
_TITLE_ROWS = 6
_FILLED_CELL = re.compile(rb'<(?:\w{1,8}:)?c [^>]{0,80}?\br="([A-Z]{1,3})(\d{1,7})"[^>/]{0,80}>')


def parse_workbook(path: Path) -> ParsedDocument:
    """Return a workbook (xlsx, xlsm, xlsb, xls, ods) with a place for each sheet that contains something."""
    kind = path.suffix.lower().lstrip(".")
    if kind in _READ_APART:
        sheets = _read_apart(path)
    else:
        if zipfile.is_zipfile(path):
            _check_extent(path)
        sheets = _read_sheets(path)
    builder = TextBuilder()
    for number, (name, text) in enumerate(sheets, 1):
        builder.add("sheet", number, f"sheet {name}", text)
    return ParsedDocument(path.stem, MEDIA_TYPES.get(kind, MEDIA_TYPES["xlsx"]), builder.text, builder.places)


def _read_sheets(path: Path) -> list[tuple[str, str]]:
    """Return (name, text) of each sheet."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        tables = [
            (name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=True))
            for name in workbook.sheet_names
        ]
    except CalamineError as error:
        if "password" in str(error).lower():
            raise DocumentError("The workbook is protected by a password; save a copy without it.") from error
        raise DocumentError(
            "The workbook is damaged or not a workbook; open it in its own program and save it again."
        ) from error
    except BaseException as error:
        if (
            type(error).__name__ != "PanicException"
        ):  # from Rust; not an Exception, so nothing else catches it
            raise
        raise DocumentError(
            "The workbook is damaged; open it in its own program and save it again."
        ) from error
    return [(name, "\n".join(row_lines(rows))) for name, rows in tables]


def _read_apart(path: Path) -> list[tuple[str, str]]:
    """Return the sheets, read by a process of their own.

    One wrong byte in an old workbook makes calamine ask for 260 GB, which ends the process that it runs in.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from rag.parsing.sheets import answer; answer()", str(path.absolute())],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            timeout=READ_APART_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DocumentError(
            f"The workbook took longer than {READ_APART_S} seconds to read; save it as .xlsx and add that."
        ) from error
    if done.returncode:
        raise DocumentError(
            "The workbook is damaged or too large for the memory; save it as .xlsx and add that."
        )
    reply = json.loads(done.stdout)
    if "refused" in reply:
        raise DocumentError(reply["refused"])
    return [(name, text) for name, text in reply["sheets"]]


def answer() -> None:
    """Read the workbook named on the command line and write JSON: the other side of _read_apart."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (READ_APART_BYTES, READ_APART_BYTES))
    try:
        reply: dict[str, Any] = {"sheets": _read_sheets(Path(sys.argv[1]))}
    except DocumentError as error:
        reply = {"refused": str(error)}
    sys.stdout.write(json.dumps(reply))


def parse_csv(path: Path) -> ParsedDocument:
    """Return a CSV or TSV file as one sheet; its delimiter is guessed from its beginning."""
    text = read_text(path)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel_tab if path.suffix.lower() == ".tsv" else csv.excel
    csv.field_size_limit(1 << 24)
    rows = list(csv.reader(io.StringIO(text), dialect))
    builder = TextBuilder()
    builder.add("sheet", 1, "table", "\n".join(row_lines(rows)))
    return ParsedDocument(path.stem, "text/csv", builder.text, builder.places)


def _check_extent(path: Path) -> None:
    """Refuse a sheet with a stray cell at its far end.

    calamine makes a full rectangle of the used cells: A1 and XFD1048576 alone would be 17,000,000,000 cells,
    which ends the process. Reading the parts through also finds those that lie about their size.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith(("xl/worksheets/", "xl/sharedStrings")) and name.endswith(".xml"):
                with archive.open(name) as sheet:
                    cell_count = _extent(sheet)
                if cell_count > LARGEST_SHEET:
                    raise DocumentError(
                        f"A sheet spans {cell_count:,} cells, more than {LARGEST_SHEET:,}; "
                        "delete the stray cells at its end and save it again."
                    )


def _extent(sheet: IO[bytes]) -> int:
    """Return the number of cells in the rectangle around all filled cells of a sheet's XML."""
    rows, columns, rest = set[int](), set[bytes](), b""
    while block := sheet.read(1 << 20):
        rest = rest[-120:] + block
        for column, row in _FILLED_CELL.findall(rest):
            rows.add(int(row))
            columns.add(column)
    numbers = [_column_number(column) for column in columns]
    return (max(rows) - min(rows) + 1) * (max(numbers) - min(numbers) + 1) if rows else 0


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def row_lines(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return a line a row: `Heading: value; Heading: value` below a heading row, else `a | b | c`.

    Lines with one cell above the heading are a title. A chunk in the middle of a long table then still says
    what its numbers are.
    """
    table = [[_cell(value) for value in row] for row in rows]
    table = [row for row in table if any(row)]
    first = next((n for n, row in enumerate(table[:_TITLE_ROWS]) if sum(map(bool, row)) > 1), 0)
    if len(table) < first + 2 or not _is_heading(table[first]):
        return [" | ".join(filter(None, row)) for row in table]
    head = table[first]
    lines = [" | ".join(filter(None, row)) for row in table[: first + 1]]
    for row in table[first + 1 :]:
        cells = [
            f"{head[column]}: {cell}" if column < len(head) and head[column] else cell
            for column, cell in enumerate(row)
            if cell
        ]
        lines.append("; ".join(cells))
    return lines


def _is_heading(row: Sequence[str]) -> bool:
    """Return whether a row is a heading: distinct words, perhaps with years (`Item | 2023 | 2024`)."""
    named = [cell for cell in row if cell]
    numbers = [cell for cell in named if _number(cell)]
    years = all(len(cell) == 4 and "1900" <= cell <= "2100" for cell in numbers)
    return len(named) > 1 and len(set(named)) == len(named) and years and not _number(named[0])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(str(value).split())


def _number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
