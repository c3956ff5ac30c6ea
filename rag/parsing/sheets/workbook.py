"""Reads workbooks: a place for each sheet, a line for each row, cells with their headings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument
from rag.parsing.sheets.apart import read_apart
from rag.parsing.sheets.lines import Sheet
from rag.parsing.sheets.ods import read_ods
from rag.parsing.sheets.xlsx import read_xlsx

MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_READERS: dict[str, Callable[[Path, Account], Iterable[Sheet]]] = {
    "xls": read_apart,
    "xlsb": read_apart,
    "ods": read_ods,
}


def parse_workbook(path: Path) -> ParsedDocument:
    """Return a workbook (xlsx, xlsm, xlsb, xls, ods) with a place for each sheet that contains something."""
    kind = path.suffix.lower().lstrip(".")
    account, builder = Account(), TextBuilder()
    for number, sheet in enumerate(_READERS.get(kind, read_xlsx)(path, account), 1):
        label = f"sheet {sheet.name}"
        if sheet.is_hidden:
            account.read("hidden sheet")
            label += " (hidden)"
        builder.add("sheet", number, label, "\n".join(sheet.lines()))
    media_type = MEDIA_TYPES.get(kind, MEDIA_TYPES["xlsx"])
    return ParsedDocument(path.stem, media_type, builder.text, builder.places, account=account.lines)
