"""Workbooks are read as Excel shows them, with their comments, charts and text boxes."""

from pathlib import Path

import pytest
from office_files import chart, package, relations, xlsx
from sample_files import check

from rag.errors import DocumentError
from rag.parsing.sheets.workbook import parse_workbook

ROW = "<s:sheetData><s:row r='1'><s:c r='A1'><s:v>1</s:v></s:c></s:row></s:sheetData>"


def account_of(path: Path) -> list[str]:
    return [line.text for line in parse_workbook(path).account]


def test_comments_stand_below_their_row(tmp_path: Path) -> None:
    comment = "<s:comment ref='{}' authorId='{}'><s:text><s:r><s:t>{}</s:t></s:r></s:text></s:comment>"
    inner = (
        comment.format("A1", 0, "QA:Check this")
        + comment.format("B9", 7, "no cell")
        + comment.format("A1", 0, "[Threaded comment] old")
    )
    path = xlsx(
        tmp_path / "a.xlsx",
        ROW,
        {
            "xl/comments1.xml": f"<s:comments><s:authors><s:author>QA</s:author></s:authors><s:commentList>{inner}</s:commentList></s:comments>",
            "xl/threads.xml": "<s:t><s:threadedComment ref='A1' personId='p'><s:text>Really?</s:text></s:threadedComment></s:t>",
            "xl/persons/person.xml": "<s:p><s:person id='p' displayName='Jo'/></s:p>",
        },
        links={"c": ("comments", "../comments1.xml"), "t": ("threadedComment", "../threads.xml")},
    )
    assert check(parse_workbook(path)).text.split("\n") == [
        "1",
        "Comment on A1 by Jo: Really?",
        "Comment on A1 by QA: Check this",
        "Comment on B9: no cell",
    ]
    assert account_of(path) == ["3 comments read"]


def test_text_boxes_and_charts_stand_below_the_rows(tmp_path: Path) -> None:
    box = "<xdr:sp><xdr:txBody><a:p><a:r><a:t>Boxed</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
    path = xlsx(
        tmp_path / "a.xlsx",
        ROW,
        {
            "xl/drawings/d.xml": f"<xdr:wsDr>{box}<c:chart r:id='c'/></xdr:wsDr>",
            "xl/drawings/_rels/d.xml.rels": relations({"c": ("chart", "../charts/c.xml")}),
            "xl/charts/c.xml": chart("stockChart"),
        },
        links={"d": ("drawing", "../drawings/d.xml")},
    )
    assert parse_workbook(path).text == "1\nText box: Boxed\nUnits: North: 120; South: #N/A"
    assert account_of(path) == ["1 chart read"]


def test_what_is_damaged_costs_no_more_than_itself(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "a.xlsx",
        "<s:sheetData><s:row><s:c t='s'><s:v>0</s:v></s:c><s:c s='1'><s:v>7</s:v></s:c></s:row></s:sheetData>",
        {"xl/styles.xml": b"<s", "xl/sharedStrings.xml": b"<s", "xl/comments.xml": b"<s", "xl/d.xml": b"<s"},
        links={"c": ("comments", "../comments.xml"), "d": ("drawing", "../d.xml")},
    )
    assert parse_workbook(path).text == "7"
    assert account_of(path) == [
        "1 rest of the shared texts not read (it is damaged)",
        "1 list of number formats not read (it is damaged)",
        "1 list of comments not read (it is damaged): Data",
        "1 drawing not read (it is damaged): Data",
    ]


def test_a_sheet_that_breaks_off_or_is_missing_is_named(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", ROW)
    sheet = b"<s:worksheet xmlns:s='x'><s:sheetData><s:row><s:c><s:v>1</s:v></s:c></s:row><s:row>"
    assert parse_workbook(package(path, _parts(path) | {"xl/worksheets/sheet1.xml": sheet})).text == "1"
    assert account_of(path) == ["1 rest of a sheet not read (it is damaged): Data"]
    path = xlsx(tmp_path / "b.xlsx", ROW, {"xl/_rels/workbook.xml.rels": relations({})})
    assert account_of(path) == ["1 sheet not read (it is missing): Data"]


def _parts(path: Path) -> dict[str, str | bytes]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_only_a_workbook_without_a_readable_main_part_is_damaged(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", ROW, {"xl/workbook.xml": b"<s:workbook"})
    with pytest.raises(
        DocumentError, match="workbook is damaged or not really one: its main part cannot be read"
    ):
        parse_workbook(path)


def test_a_strict_workbook_is_read(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", ROW)
    parts = {
        name: content.replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006",
            b"http://purl.oclc.org/ooxml/officeDocument",
        ).replace(
            b"http://schemas.openxmlformats.org/spreadsheetml/2006",
            b"http://purl.oclc.org/ooxml/spreadsheetml",
        )
        for name, content in _parts(path).items()
        if isinstance(content, bytes)
    }
    assert parse_workbook(package(path, dict(parts))).text == "1"
