"""Reads OpenDocument spreadsheets row by row; they contain the text of each cell as it is shown."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.office.markup import local, whole
from rag.parsing.office.package import Package, PartError
from rag.parsing.sheets.cells import MOST_CHARACTERS, column_letters
from rag.parsing.sheets.lines import Area, Sheet

_NAMES = "{{urn:oasis:names:tc:opendocument:xmlns:{}:1.0}}"
_TABLE, _OFFICE, _TEXT = (_NAMES.format(name) for name in ("table", "office", "text"))
_AROUND_ROWS = ("table", "table-row-group", "table-header-rows", "table-rows")
_PARENTS = frozenset({"spreadsheet", "shapes", "automatic-styles", *_AROUND_ROWS})
_VALUES = tuple(
    f"{_OFFICE}{name}" for name in ("value", "date-value", "time-value", "boolean-value", "string-value")
)
_MOST_REPEATS = 1000  # of a cell or a row with content; the format repeats empty ones by the million


def read_ods(path: Path, account: Account) -> list[Sheet]:
    """Return the sheets of a spreadsheet. Raises DocumentError when it cannot be read at all."""
    reader = _Reader(account)
    with Package(path) as package:
        if _is_encrypted(package):
            raise DocumentError("The workbook is protected by a password; save a copy without it.")
        try:
            for piece in package.pieces("content.xml", _PARENTS):
                reader.take(piece)
        except PartError as error:
            reader.end_sheet("the last sheet")
            if not any(sheet.rows for sheet in reader.sheets):
                raise error.refusal("workbook") from error
            account.leave_out("rest of the workbook", str(error))
    return reader.sheets


def _is_encrypted(package: Package) -> bool:
    try:
        return package.xml("META-INF/manifest.xml").find(".//{*}encryption-data") is not None
    except PartError:
        return False


class _Reader:
    """A reading of one spreadsheet: rows come first, and the table that they belong to after them."""

    def __init__(self, account: Account) -> None:
        self.sheets: list[Sheet] = []
        self._account = account
        self._sheet = Sheet("")
        self._row = 0
        self._hidden: set[str] = set()  # styles of hidden sheets
        self._left = MOST_CHARACTERS

    def take(self, piece: Element) -> None:
        """Take a row, a table whose rows were taken, a shape or a style."""
        name = local(piece)
        if name == "table-row":
            self._add_row(piece)
        elif name == "table":
            self._sheet.is_hidden = piece.get(f"{_TABLE}style-name", "") in self._hidden
            self.end_sheet(piece.get(f"{_TABLE}name", ""))
        elif name == "style":
            properties = piece.find("{*}table-properties")
            if properties is not None and properties.get(f"{_TABLE}display") == "false":
                self._hidden.add(next((v for k, v in piece.attrib.items() if k.endswith("}name")), ""))
        elif name not in _AROUND_ROWS:
            self._add_shape(piece)

    def end_sheet(self, name: str) -> None:
        """Close the sheet that is being read."""
        self._sheet.name = name
        self.sheets.append(self._sheet)
        self._sheet, self._row = Sheet(""), 0

    def _add_row(self, element: Element) -> None:
        first = self._row + 1
        repeats = max(1, whole(element.get(f"{_TABLE}number-rows-repeated"), 1))
        self._row += repeats
        cells: dict[int, str] = {}
        column = 0
        for cell in element:
            count = max(1, whole(cell.get(f"{_TABLE}number-columns-repeated"), 1))
            text = self._cell(cell, first, column + 1) if local(cell) == "table-cell" else ""
            if text:
                self._bound("cell", count, f"{column_letters(column + 1)}{first}")
                cells |= dict.fromkeys(range(column + 1, column + 1 + min(count, _MOST_REPEATS)), text)
            column += count
        if not cells:
            return
        self._bound("row", repeats, str(first))
        for number in range(first, first + min(repeats, _MOST_REPEATS)):
            self._left -= sum(map(len, cells.values()))
            if self._left < 0:
                self._account.leave_out("row", f"the workbook has more than {MOST_CHARACTERS:,} characters")
                continue
            self._sheet.rows[number] = dict(cells)

    def _bound(self, noun: str, count: int, name: str) -> None:
        reason = f"it is repeated more than {_MOST_REPEATS:,} times"
        self._account.leave_out(noun, reason, max(0, count - _MOST_REPEATS), name=name)

    def _cell(self, cell: Element, row: int, column: int) -> str:
        """Return the text of a cell, and note its merged area and its comment."""
        height = whole(cell.get(f"{_TABLE}number-rows-spanned"), 1)
        width = whole(cell.get(f"{_TABLE}number-columns-spanned"), 1)
        if height > 1 or width > 1:
            self._sheet.areas.append(Area(row, column, row + max(0, height - 1), column + max(0, width - 1)))
        texts = []
        for child in cell:
            if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                texts.append(_words(child))
            elif child.tag == f"{_OFFICE}annotation":
                self._add_comment(child, f"{column_letters(column)}{row}", row)
            else:
                self._add_shape(child)
        text = " ".join(" ".join(texts).split())
        text = text or next((value for name in _VALUES if (value := cell.get(name, ""))), "")
        formula = cell.get(f"{_TABLE}formula", "").partition("=")[2]
        if formula and not text and cell.get(f"{_OFFICE}value-type") is None:
            text = f"={formula}"
            name = f"{column_letters(column)}{row} {text}"
            reason = "the file stores only the formula"
            self._account.leave_out("value of a formula", reason, many="values of formulas", name=name)
        return text

    def _add_comment(self, element: Element, place: str, row: int) -> None:
        words = " ".join(" ".join(_words(p) for p in element.iter(f"{_TEXT}p")).split())
        author = element.findtext("{*}creator") or ""
        if words:
            line = f"Comment on {place}{' by ' if author else ''}{author}: {words}"
            self._sheet.remarks.setdefault(row, []).append(line)
            self._account.read("comment")

    def _add_shape(self, element: Element) -> None:
        words = " ".join(" ".join(_words(p) for p in element.iter(f"{_TEXT}p")).split())
        self._sheet.texts += [f"Text box: {words}"] if words else []


def _words(paragraph: Element) -> str:
    """Return the words of a paragraph; runs of spaces, tabs and line breaks are elements of their own."""
    parts = [paragraph.text or ""]
    for child in paragraph:
        parts += [" " if local(child) in ("s", "tab", "line-break") else _words(child), child.tail or ""]
    return "".join(parts)
