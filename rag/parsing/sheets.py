"""Workbooks and CSV: a place for each sheet, a line for each row, cells named by their column's heading."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.events import ParsedDocument
from rag.parsing.assemble import TextBuilder
from rag.parsing.text import read_text

MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def parse_workbook(path: Path) -> ParsedDocument:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names
    except CalamineError as error:
        if "password" in str(error).lower():
            raise DocumentError("The workbook is protected by a password; save a copy without it.") from error
        raise DocumentError(
            "The workbook is damaged or not a workbook; save it anew in its own program."
        ) from error
    builder = TextBuilder()
    for number, name in enumerate(names, 1):
        rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=True)
        builder.add("sheet", number, f"sheet {name}", "\n".join(row_lines(rows)))
    kind = MEDIA_TYPES.get(path.suffix.lower().lstrip("."), MEDIA_TYPES["xlsx"])
    return ParsedDocument(path.stem, kind, builder.text, builder.places)


def parse_csv(path: Path) -> ParsedDocument:
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


def row_lines(rows: Sequence[Sequence[Any]]) -> list[str]:
    """`Heading: value; Heading: value` for each row when the first row is a heading, else `a | b | c`.

    A chunk in the middle of a long table then still says what its numbers are.
    """
    table = [[_cell(value) for value in row] for row in rows]
    table = [row for row in table if any(row)]
    if not table:
        return []
    head = table[0]
    named = [cell for cell in head if cell]
    is_heading = (
        len(table) > 1 and len(named) > 1 and len(set(named)) == len(named) and not any(map(_number, named))
    )
    if not is_heading:
        return [" | ".join(cell for cell in row if cell) for row in table]
    lines = [" | ".join(named)]
    for row in table[1:]:
        cells = [
            f"{head[column]}: {cell}" if column < len(head) and head[column] else cell
            for column, cell in enumerate(row)
            if cell
        ]
        lines.append("; ".join(cells))
    return lines


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
