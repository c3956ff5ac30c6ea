"""Printing: pages of A4 with footers, headings that stay with their text, and nothing loaded from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest
from PySide6.QtCore import QRectF
from pytestqt.qtbot import QtBot

from app.printing import _document, _keep_together, print_pdf
from rag.errors import RagError

PAGE = QRectF(0, 0, 680, 990)
A4 = (595, 842)  # points


def texts(path: Path) -> list[str]:
    """The text of each page, without white space: how letters are joined is for each reader to guess."""
    with pypdfium2.PdfDocument(path) as pdf:
        return ["".join(page.get_textpage().get_text_range().split()) for page in pdf]


@pytest.mark.usefixtures("qtbot")
def test_pages_are_a4_and_say_what_they_belong_to(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    html = "<h1>A report</h1>" + "".join(f"<p>Sentence {n}.</p>" for n in range(120))
    count = print_pdf(html, "Evidence report: answers", str(path))
    found = texts(path)
    assert count == len(found) > 1
    for number, text in enumerate(found, 1):
        assert text.endswith(f"Evidencereport:answers{number}/{count}")
    numbers = re.findall(
        r"Sentence(\d+)\.", " ".join(found)
    )  # one at the edge is on both pages, and cut off on one
    assert list(dict.fromkeys(numbers)) == [str(n) for n in range(120)]
    with pypdfium2.PdfDocument(path) as pdf:
        assert tuple(round(side) for side in pdf[0].get_size()) == A4
        assert pdf.get_metadata_dict()["Title"] == "Evidence report: answers"


@pytest.mark.usefixtures("qtbot")
@pytest.mark.parametrize("lines", range(44, 60, 3))
def test_a_heading_is_not_the_last_line_of_a_page(tmp_path: Path, lines: int) -> None:
    html = "".join(f"<p>line {n}</p>" for n in range(lines)) + "<h2>Heading</h2><h6>below</h6><p>its text</p>"
    print_pdf(html, "x", str(tmp_path / "a.pdf"))
    for text in texts(tmp_path / "a.pdf"):
        assert ("Heading" in text) == ("below" in text) == ("itstext" in text)


@pytest.mark.usefixtures("qtbot")
def test_a_box_is_not_torn() -> None:
    html = "<p>line</p>" * 35 + "<table bgcolor='#fff7e6'><tr><td>" + "<p>gap</p>" * 6 + "</td></tr></table>"
    document = _document(html, PAGE)
    table = document.rootFrame().childFrames()[0]
    height, layout = document.pageSize().height(), document.documentLayout()
    before = layout.frameBoundingRect(table)
    assert before.top() < height < before.bottom()
    _keep_together(document)
    after = layout.frameBoundingRect(table)
    assert (
        after.bottom() > height
        and layout.blockBoundingRect(table.firstCursorPosition().block()).top() >= height
    )


@pytest.mark.usefixtures("qtbot")
def test_nothing_is_loaded_whatever_the_text_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret.html"
    secret.write_text("secret")
    document = _document(f'<p>a<img src="file://{secret}"><img src="http://127.0.0.1:1/x"></p>', PAGE)
    assert document.loadResource(2, f"file://{secret}") == ""


def test_a_file_that_cannot_be_written_is_a_sentence(qtbot: QtBot, tmp_path: Path) -> None:
    with pytest.raises(RagError, match="cannot be written to"):
        print_pdf("<p>x</p>", "x", str(tmp_path / "missing" / "a.pdf"))
    (tmp_path / "folder.pdf").mkdir()
    with pytest.raises(RagError, match="cannot be written to"):
        print_pdf("<p>x</p>", "x", str(tmp_path / "folder.pdf"))
    assert list(tmp_path.glob("*.part")) == []


def test_the_command_line_prints_without_a_display(tmp_path: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    code = f"import main; print(main._print_pdf('<h1>Hello</h1>', 'x', {str(tmp_path / 'a.pdf')!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "1", done.stderr
    assert "Hello" in texts(tmp_path / "a.pdf")[0]


@pytest.mark.usefixtures("qtbot")
@pytest.mark.parametrize(
    ("html", "pages"),
    [
        ("", 1),
        ("<p>one</p>", 1),
        ("plain & <text", 1),
        ('<p style="page-break-after: always">one</p><p>two</p>', 2),
    ],
)
def test_there_is_a_page_for_whatever_there_is(tmp_path: Path, html: str, pages: int) -> None:
    path = tmp_path / "a.pdf"
    assert print_pdf(html, "t", str(path)) == pages
    assert [text[-4:] for text in texts(path)] == [f"t{n}/{pages}" for n in range(1, pages + 1)]


@pytest.mark.usefixtures("qtbot")
@pytest.mark.parametrize("title", ["", "<b>bold</b>", "a & b", "50 % of %1"])
def test_a_title_is_printed_as_it_is(tmp_path: Path, title: str) -> None:
    path = tmp_path / "a.pdf"
    print_pdf("<p>x</p>", title, str(path))
    assert "".join(title.split()) in texts(path)[0]
    with pypdfium2.PdfDocument(path) as pdf:
        assert pdf.get_metadata_dict()["Title"] == title
        assert pdf.get_metadata_dict()["Creator"] == "Ragdeck"


@pytest.mark.usefixtures("qtbot")
def test_a_file_that_is_there_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"old")
    print_pdf("<p>new</p>", "x", str(path))
    assert texts(path)[0].startswith("new")
    assert [one.name for one in tmp_path.iterdir()] == ["a.pdf"]


@pytest.mark.usefixtures("qtbot")
@pytest.mark.parametrize("name", ["file:///etc/passwd", "http://127.0.0.1:1/x.png", "x.css", ""])
@pytest.mark.parametrize("kind", [1, 2, 3])
def test_no_name_loads_anything(name: str, kind: int) -> None:
    assert _document("<p>x</p>", PAGE).loadResource(kind, name) == ""


@pytest.mark.usefixtures("qtbot")
@pytest.mark.parametrize("rows", [0, 3])
def test_what_fits_on_a_page_stays_where_it_is(rows: int) -> None:
    document = _document("<h2>Heading</h2><p>its text</p>" + "<p>line</p>" * rows, PAGE)
    before = document.size()
    _keep_together(document)
    assert document.size() == before and document.pageCount() == 1
