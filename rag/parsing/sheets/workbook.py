"""Reads workbooks: a place for each sheet, a line for each row, cells with their headings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument
from rag.parsing.sheets.apart import read_apart
from rag.parsing.sheets.delimited import parse_csv
from rag.parsing.sheets.lines import Sheet, joined
from rag.parsing.sheets.ods import read_ods
from rag.parsing.sheets.xlsx import read_xlsx
from rag.parsing.text import looks_like_text
from rag.parsing.web import parse_html, parse_xml

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
    if kind == "xls" and (parser := _text_parser(path)) is not None:
        return parser(path)
    account, builder, used = Account(), TextBuilder(), 0
    for number, sheet in enumerate(_READERS.get(kind, read_xlsx)(path, account), 1):
        label = f"sheet {sheet.name}"
        if sheet.is_hidden:
            account.read("hidden sheet")
            label += " (hidden)"
        text = joined(sheet.lines(), account, used)
        used += len(text)
        builder.add("sheet", number, label, text)
    media_type = MEDIA_TYPES.get(kind, MEDIA_TYPES["xlsx"])
    return ParsedDocument(path.stem, media_type, builder.text, builder.places, account=account.lines)


def _text_parser(path: Path) -> Callable[[Path], ParsedDocument] | None:
    """Return what reads a text that is called .xls, as exports often are; Excel opens them."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not looks_like_text(head):
        return None
    beginning = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith(b"<?xml") and b"schemas-microsoft-com:office:spreadsheet" in beginning:
        return parse_xml
    return parse_html if beginning.startswith(b"<") else parse_csv
