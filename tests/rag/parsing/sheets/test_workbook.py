"""Workbooks give a place for each sheet and a line for each row, whatever is wrong with one of them."""

import zipfile
from pathlib import Path

import pytest
from office_files import xlsx as by_hand
from sample_files import check, write, xlsx

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.sheets.workbook import parse_workbook


def test_a_heading_below_a_title_names_columns_and_may_hold_years(tmp_path: Path) -> None:
    book = xlsx(("A1", "Price list"), ("A3", "Item"), ("B3", 2023), ("C3", 2024), ("A4", "Bolt"), ("C4", 7))
    document = check(parse_file(write(tmp_path, "a.xlsx", book)))
    assert document.text == "Price list\nItem | 2023 | 2024\nItem: Bolt; 2024: 7"
    assert (document.places[0].kind, document.places[0].label) == ("sheet", "sheet Prices")


def test_a_stray_cell_at_the_end_of_a_sheet_does_not_fill_the_memory(tmp_path: Path) -> None:
    book = xlsx(("A1", "first"), ("XFD1048576", "last"))
    assert check(parse_file(write(tmp_path, "a.xlsx", book))).text == "first\nlast"


def test_a_broken_workbook_is_one_sentence(tmp_path: Path) -> None:
    parts = {"xl/workbook.xml": "<workbook", "[Content_Types].xml": "<Types/>"}
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(DocumentError, match="workbook is damaged"):
        parse_file(path)


def test_a_large_sheet_without_stray_cells_is_read(tmp_path: Path) -> None:
    cells = [(f"{letter}{row}", row) for row in range(1, 300) for letter in "ABCD"]
    assert parse_file(write(tmp_path, "a.xlsx", xlsx(*cells))).text.count("\n") == 298


@pytest.mark.parametrize(
    "cell", ["<s:c\tr='XFD1048576'>", '<s:c\n r="XFD1048576" >', "<s:c s='0' r = 'XFD1048576'>"]
)
@pytest.mark.parametrize("part", ["worksheets/sheet1.xml", "elsewhere/data.bin"])
def test_a_far_cell_is_read_however_it_is_written(tmp_path: Path, cell: str, part: str) -> None:
    sheet = f"<s:sheetData><s:row><s:c><s:v>1</s:v></s:c></s:row><s:row>{cell}<s:v>2</s:v></s:c></s:row></s:sheetData>"
    assert parse_workbook(by_hand(tmp_path / "a.xlsx", sheet, part=part)).text == "1\n2"


def test_a_hidden_sheet_is_read_and_named(tmp_path: Path) -> None:
    sheet = "<s:sheetData><s:row><s:c><s:v>1</s:v></s:c></s:row></s:sheetData>"
    document = check(parse_workbook(by_hand(tmp_path / "a.xlsx", sheet, state="hidden")))
    assert [place.label for place in document.places] == ["sheet Data (hidden)"]
    assert [line.text for line in document.account] == ["1 hidden sheet read"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<html><table><tr><td>Vane</td><td>31</td></tr></table></html>", "Vane | 31"),
        ("Part\tPrice\nVane\t31\n", "Part | Price\nPart: Vane; Price: 31"),
        (
            '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Cell>'
            "<Data>Vane</Data></Cell></Workbook>",
            "Data: Vane",
        ),
    ],
)
def test_a_text_that_is_called_xls_is_read_as_excel_opens_it(tmp_path: Path, content: str, text: str) -> None:
    assert parse_file(write(tmp_path, "a.xls", content)).text.strip().endswith(text)
