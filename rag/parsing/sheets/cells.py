"""Reads the cells of a workbook from its XML, row by row.

Only filled cells are kept, so that a cell at the far end of a sheet, or a sheet that claims to have a billion
cells, costs no memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from rag.parsing.account import Account
from rag.parsing.office.markup import local
from rag.parsing.office.number_formats import shown
from rag.parsing.office.package import Package, PartError
from rag.parsing.sheets.lines import Area, Sheet

PLACE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
MOST_CHARACTERS = 50_000_000  # of the texts that cells share, and of all cells
_SHEET_PARTS = frozenset({"sheetData", "mergeCells", "headerFooter"})
_WHOLE = re.compile(r"-?\d+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MARGIN_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-F+-]{6}|\d+|[A-Z])', re.IGNORECASE)
_LONGEST_CELL = 32_767  # Excel's own limit


@dataclass
class Book:
    """What the cells of all sheets refer to, and how many characters may still be read."""

    texts: list[str]
    formats: list[str]
    from_1904: bool
    account: Account
    left: int = field(default=MOST_CHARACTERS)

    def format(self, style: str) -> str:
        """Return the format code of a cell's style."""
        number = int(style) if style.isdecimal() else 0
        return self.formats[number] if number < len(self.formats) else "General"


def read_texts(package: Package, part: str, texts: list[str]) -> None:
    """Add the texts that cells share to a list. Raises PartError; those before the fault are kept."""
    total = 0
    for item in package.pieces(part, frozenset({"sst"})):
        texts.append(_text(item))
        total += len(texts[-1])
        if total > MOST_CHARACTERS:
            raise PartError(f"it has more than {MOST_CHARACTERS:,} characters")


def read_cells(package: Package, part: str, sheet: Sheet, book: Book) -> None:
    """Add the cells and merged areas of a sheet to it. Raises PartError; what was read before is kept."""
    row = 0
    shared: dict[str, str] = {}  # where the formulas stand that other cells refer to
    for piece in package.pieces(part, _SHEET_PARTS):
        name = local(piece)
        if name == "row":
            number = piece.get("r", "")
            row = int(number) if number.isdecimal() else row + 1
            _add_row(piece, row, sheet, book, shared)
        elif name == "mergeCell":
            _add_area(piece.get("ref", ""), sheet)
        elif name.endswith(("Header", "Footer")):
            _add_margin(name[-6:], piece.text or "", sheet, book)


def _add_row(element: Element, row: int, sheet: Sheet, book: Book, shared: dict[str, str]) -> None:
    cells: dict[int, str] = {}
    column = 0
    for cell in element:
        found = PLACE.fullmatch(cell.get("r", ""))
        column = column_number(found[1]) if found else column + 1
        text = _shown(cell, book)
        if not text:
            text = _formula(cell, f"{column_letters(column)}{row}", sheet, book, shared)
        if not text:
            continue
        book.left -= len(text) + 1
        if book.left < 0:
            book.account.leave_out("cell", f"the workbook has more than {MOST_CHARACTERS:,} characters")
            continue
        cells[column] = text
    if cells:
        sheet.rows.setdefault(row, {}).update(cells)


def _shown(cell: Element, book: Book) -> str:
    """Return a cell as Excel shows it, on one line."""
    kind, value = cell.get("t", "n"), ""
    for child in cell:
        if child.tag.endswith("}v"):
            value = child.text or ""
        elif child.tag.endswith("}is"):
            return _text(child)
    if kind == "s":
        number = int(value) if value.isdecimal() else -1
        return book.texts[number] if 0 <= number < len(book.texts) else ""
    if kind == "b" and value:
        return "TRUE" if value.strip() in ("1", "true") else "FALSE"
    code = book.format(cell.get("s", ""))
    # A whole number keeps all its digits: it may be the number of an account.
    if not value or kind != "n" or (code in ("General", "@", "0") and _WHOLE.fullmatch(value)):
        return _one_line(value)
    try:
        return shown(float(value), code, from_1904=book.from_1904)
    except ValueError:
        return _one_line(value)


def _formula(cell: Element, place: str, sheet: Sheet, book: Book, shared: dict[str, str]) -> str:
    """Return the formula of a cell for which the file stores no value, "" where it has none."""
    formula = cell.find("{*}f")
    is_empty_text = cell.get("t") == "str" and cell.find("{*}v") is not None
    if formula is None or is_empty_text or cell.findtext("{*}v"):
        return ""
    key, text = formula.get("si", ""), f"={_one_line(formula.text or '')}"
    if len(text) > 1:
        shared.setdefault(key, place)
    else:
        text = f"(formula as in {shared.get(key, 'another cell')})"
    name = f"{sheet.name} {place} {text}"
    reason = "the file stores only the formula"
    book.account.leave_out("value of a formula", reason, many="values of formulas", name=name)
    return text


def _text(element: Element) -> str:
    """Return the text of a cell whose pieces may be set in different ways, without the aids to reading it."""
    parts = [child.text or "" for child in element.iterfind("{*}t")]
    parts += [child.text or "" for child in element.iterfind("{*}r/{*}t")]
    return _one_line("".join(parts))


def _one_line(text: str) -> str:
    if "_x" in text:  # characters that XML does not allow
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return " ".join(text[:_LONGEST_CELL].split())


def _add_area(reference: str, sheet: Sheet) -> None:
    first, _, last = reference.partition(":")
    top_left, bottom_right = PLACE.fullmatch(first), PLACE.fullmatch(last)
    if top_left and bottom_right:
        rows = sorted((int(top_left[2]), int(bottom_right[2])))
        columns = sorted((column_number(top_left[1]), column_number(bottom_right[1])))
        sheet.areas.append(Area(rows[0], columns[0], rows[1], columns[1]))


def _add_margin(kind: str, text: str, sheet: Sheet, book: Book) -> None:
    """Add a header or footer of the printed sheet, unless it only counts pages."""
    words = " ".join(_MARGIN_CODE.sub(" ", text).split())
    line = f"{kind}: {words}"
    if any(map(str.isalpha, words)) and line not in sheet.texts:
        sheet.texts.append(line)
        book.account.read(kind.lower())


def column_number(letters: str) -> int:
    """Return the number of a column from 1: A, B, ..., Z, AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return the name of a column."""
    letters = ""
    while number > 0:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters
