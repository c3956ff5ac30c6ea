"""OpenDocument spreadsheets are read as they are shown."""

import io
import zipfile
from pathlib import Path

import pytest
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.formats import parse_file
from rag.parsing.sheets.ods import read_ods
from rag.parsing.sheets.workbook import parse_workbook


def ods(rows: str) -> bytes:
    names = {"office": "office", "table": "table", "text": "text"}
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"' for n, v in names.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Parts">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return buffer.getvalue()


def test_ods_is_read_by_sheet(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>'
    row = "<table:table-row>" + cell * 2 + "</table:table-row>"
    content = ods(row % ("Part", "Note") + row % ("Vane", "steel"))
    document = check(parse_file(write(tmp_path, "a.ods", content)))
    assert document.text == "Part | Note\nPart: Vane; Note: steel"
    assert document.places[0].label == "sheet Parts"


def cell(shown: str, attributes: str = "", inner: str = "") -> str:
    return f"<table:table-cell {attributes}>{inner}<text:p>{shown}</text:p></table:table-cell>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def test_values_stand_as_the_sheet_shows_them_in_all_their_merged_cells(tmp_path: Path) -> None:
    content = ods(
        row(cell("Store"), cell("Share"), cell("Length"))
        + row(
            cell("Harbour", 'table:number-rows-spanned="2"'),
            cell("19 %", 'office:value="0.19"'),
            cell("01:30"),
        )
        + row("<table:covered-table-cell/>", cell("7<text:s/>%"), "<table:table-cell office:value='3'/>")
    )
    document = check(parse_workbook(write(tmp_path, "a.ods", content)))
    assert document.text.split("\n")[1:] == [
        "Store: Harbour; Share: 19 %; Length: 01:30",
        "Store: Harbour; Share: 7 %; Length: 3",
    ]


def test_comments_and_formulas_without_a_value_are_named(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>Ask Jo</text:p></office:annotation>"
    formula = "<table:table-cell table:formula='of:=[.A1]*2'/>"
    document = parse_workbook(write(tmp_path, "a.ods", ods(row(cell("5", inner=note), formula))))
    assert document.text == "5 | =[.A1]*2\nComment on A1: Ask Jo"
    assert [line.text for line in document.account] == [
        "1 comment read",
        "1 value of a formula not read (the file stores only the formula): B1 =[.A1]*2",
    ]


def test_repeats_by_the_million_cost_nothing(tmp_path: Path) -> None:
    content = ods(
        row("<table:table-cell table:number-columns-repeated='16383'/>", cell("far"))
        + row("<table:table-cell/>", attributes="table:number-rows-repeated='1048000'")
        + row(
            cell("x", "table:number-columns-repeated='16384'"), attributes="table:number-rows-repeated='500'"
        )
    )
    account = Account()
    (sheet,) = read_ods(write(tmp_path, "a.ods", content), account)
    assert sheet.rows[1] == {16384: "far"}
    assert len(sheet.rows) == 501
    assert [line.text for line in account.lines] == [
        "15,384 cells not read (it is repeated more than 1,000 times): A1048002"
    ]


def test_a_spreadsheet_that_breaks_off_is_read_so_far(tmp_path: Path) -> None:
    def broken(content: bytes, name: str) -> Path:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, content)
        return write(tmp_path, "a.ods", buffer.getvalue())

    whole = zipfile.ZipFile(io.BytesIO(ods(row(cell("first")) + row(cell("second"))))).read("content.xml")
    path = broken(whole[: whole.index(b"second")], "content.xml")
    document = parse_workbook(path)
    assert document.text == "first"
    assert [line.text for line in document.account] == ["1 rest of the workbook not read (it is damaged)"]
    with pytest.raises(DocumentError, match="workbook is damaged"):
        parse_workbook(broken(b"<office", "content.xml"))
    with pytest.raises(DocumentError, match="password"):
        parse_workbook(broken(b"<m xmlns='x'><encryption-data/></m>", "META-INF/manifest.xml"))
