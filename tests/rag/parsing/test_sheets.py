"""Workbooks and CSV give a line a row whose cells are named by their columns."""

import csv
import datetime
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import ROOT, check, write, xlsx

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.sheets import parse_workbook, row_lines


def test_rows_name_their_columns(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "a.csv", "Part;Price\nFunnel;18,50\nVane;31\n")))
    assert "Part: Funnel; Price: 18,50" in document.text
    assert document.places[0].kind == "sheet"


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


def test_a_heading_below_a_title_names_columns_and_may_hold_years(tmp_path: Path) -> None:
    book = xlsx(("A1", "Price list"), ("A3", "Item"), ("B3", 2023), ("C3", 2024), ("A4", "Bolt"), ("C4", 7))
    document = check(parse_file(write(tmp_path, "a.xlsx", book)))
    assert document.text == "Price list\nItem | 2023 | 2024\nItem: Bolt; 2024: 7"
    assert (document.places[0].kind, document.places[0].label) == ("sheet", "sheet Prices")


def test_a_stray_cell_at_the_end_of_a_sheet_does_not_fill_the_memory(tmp_path: Path) -> None:
    book = xlsx(("A1", "first"), ("XFD1048576", "last"))
    with pytest.raises(DocumentError, match="stray cells"):
        parse_file(write(tmp_path, "a.xlsx", book))


def test_an_old_workbook_that_ends_its_reader_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.parsing import sheets

    class Aborted:
        returncode, stdout = -6, b""

    monkeypatch.setattr(sheets.subprocess, "run", lambda *_, **__: Aborted())
    with pytest.raises(DocumentError, match="damaged or too large"):
        parse_file(write(tmp_path, "a.xls", b"\xd0\xcf\x11\xe0" + bytes(600)))


def test_an_old_workbook_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="workbook is damaged"):
        parse_file(write(tmp_path, "a.xls", b"\xd0\xcf\x11\xe0" + bytes(600)))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Part", "Price"], ["Vane", 31.0], ["Bolt", 0.5]], ["Part | Price", "Part: Vane; Price: 31", "Part: Bolt; Price: 0.5"]),
        ([["Part", "Price"], ["Vane", None]], ["Part | Price", "Part: Vane"]),
        ([["Part", ""], ["Vane", "extra"]], ["Part", "Vane | extra"]),
        ([["Part", "Price"], ["Vane", 1, "more"]], ["Part | Price", "Part: Vane; Price: 1; more"]),
        ([["a", "a"], ["1", "2"]], ["a | a", "1 | 2"]),
        ([[1, 2], [3, 4]], ["1 | 2", "3 | 4"]),
        ([["Item", 2023, 2024], ["Bolt", 7, 8]], ["Item | 2023 | 2024", "Item: Bolt; 2023: 7; 2024: 8"]),
        ([["Item", 12, 13], ["Bolt", 7, 8]], ["Item | 12 | 13", "Bolt | 7 | 8"]),
        ([["Only", "one row"]], ["Only | one row"]),
        ([["Title"], ["", ""], ["A", "B"], ["1", "2"]], ["Title", "A | B", "A: 1; B: 2"]),
        ([], []),
        ([[None, ""], [" "]], []),
    ],
)  # fmt: skip
def test_cells_are_named_where_the_first_row_names_them(rows: list[list[Any]], expected: list[str]) -> None:
    assert row_lines(rows) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (-2.5, "-2.5"),
        (1e20, "1e+20"),
        (True, "True"),
        (datetime.datetime(2024, 5, 1), "2024-05-01"),
        (datetime.datetime(2024, 5, 1, 9, 30), "2024-05-01T09:30:00"),
        (datetime.date(2024, 5, 1), "2024-05-01"),
        (datetime.time(9, 30), "09:30:00"),
        (" two\n lines ", "two lines"),
    ],
)
def test_a_cell_is_written_as_people_write_it(value: Any, text: str) -> None:
    assert row_lines([[value, "x"]]) == [f"{text} | x"]


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.text(max_size=5), st.integers(), st.floats()), max_size=5),
        max_size=6,
    )
)
def test_no_filled_cell_is_lost_and_no_line_breaks(rows: list[list[Any]]) -> None:
    lines = row_lines(rows)
    assert all("\n" not in line and line for line in lines)
    joined = " ".join(lines)
    for row in rows:
        for value in row:
            if isinstance(value, int):
                assert str(value) in joined


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_table_is_guessed(tmp_path: Path, delimiter: str) -> None:
    lines = [["Part", "Price", "Note"], ["Vane", "31", "steel"], ["Bolt", "2", "brass"]]
    content = "\n".join(delimiter.join(line) for line in lines)
    document = check(parse_file(write(tmp_path, "parts.csv", content)))
    assert document.text.split("\n")[1] == "Part: Vane; Price: 31; Note: steel"
    assert (document.title, document.media_type) == ("parts", "text/csv")


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_table_too_small_to_guess_from_has_the_delimiter_of_its_suffix(
    tmp_path: Path, name: str, delimiter: str
) -> None:
    assert parse_file(write(tmp_path, name, f"left{delimiter}right")).text == "left | right"


def test_a_quoted_cell_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    content = 'Part,Note\nVane,"long, and\nin two lines"\n'
    assert "Note: long, and in two lines" in parse_file(write(tmp_path, "a.csv", content)).text


def test_a_broken_workbook_is_one_sentence(tmp_path: Path) -> None:
    parts = {"xl/workbook.xml": "<workbook", "[Content_Types].xml": "<Types/>"}
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(DocumentError, match="workbook is damaged"):
        parse_file(path)


def test_a_binary_workbook_is_read_by_a_process_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="damaged"):
        parse_workbook(write(tmp_path, "a.xlsb", xlsx(("A1", "not binary"))))


def test_the_process_of_its_own_answers_in_json(tmp_path: Path) -> None:
    path = write(tmp_path, "a.xlsx", xlsx(("A1", "Part"), ("B1", "Price"), ("A2", "Vane"), ("B2", 31)))
    code = "from rag.parsing.sheets import answer; answer()"
    for given_path, key in ((path, "sheets"), (write(tmp_path, "b.xlsx", "not a workbook"), "refused")):
        done = subprocess.run(
            [sys.executable, "-c", code, str(given_path)], capture_output=True, check=True, cwd=ROOT
        )
        reply = json.loads(done.stdout)
        assert list(reply) == [key]
    assert "damaged" in reply["refused"]


def test_a_large_sheet_without_stray_cells_is_read(tmp_path: Path) -> None:
    cells = [(f"{letter}{row}", row) for row in range(1, 300) for letter in "ABCD"]
    assert parse_file(write(tmp_path, "a.xlsx", xlsx(*cells))).text.count("\n") == 298


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.text(alphabet="abcdefgh12 ,;\"'\n", min_size=1, max_size=8), min_size=3, max_size=3),
        min_size=2,
        max_size=8,
    )
)
def test_every_word_of_a_table_is_in_its_text(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("table") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["first", "second", "third"], *rows])
    text = parse_file(path).text
    for word in " ".join(" ".join(row) for row in rows).replace('"', " ").split():
        if word.isalnum():
            assert word in text
