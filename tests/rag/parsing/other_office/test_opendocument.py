"""Texts and presentations of LibreOffice are read with what stands beside their text."""

import io
import zipfile
from pathlib import Path

import pytest
from sample_files import check, write

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.rows import ParsedDocument

SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in {
        "office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style",
        "presentation": "presentation", "chart": "chart", "manifest": "manifest",
    }.items()
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip


def packed(body: str, kind: str = "text", **parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        if body:
            inner = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
            archive.writestr(
                "content.xml", f"<office:document-content {SPACES}>{inner}</office:document-content>"
            )
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", f"<office:x {SPACES}>{content}</office:x>")
    return buffer.getvalue()


def read(tmp_path: Path, body: str, kind: str = "text", **parts: str) -> ParsedDocument:
    name = "a.odt" if kind == "text" else "a.odp"
    return check(parse_file(write(tmp_path, name, packed(body, kind, **parts))))


def test_sections_lists_and_signs_of_a_text(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        '<text:p>Preface</text:p><text:h text:outline-level="1">Tides</text:h>'
        '<text:p>At<text:s text:c="2"/>noon<text:tab/>3 m<text:line-break/>and <text:span>more</text:span>.</text:p>'
        '<text:h text:outline-level="2">Boats</text:h><text:list><text:list-item><text:p>One</text:p><text:list>'
        "<text:list-item><text:p>Two</text:p></text:list-item></text:list></text:list-item></text:list>",
        meta="<office:meta><dc:title>Harbour rules</dc:title></office:meta>",
    )  # fmt: skip
    assert [(place.label, document.text[place.start : place.end]) for place in document.places] == [
        ("", "Preface"),
        ("Tides", "Tides\nAt  noon\t3 m\nand more."),
        ("Tides > Boats", "Boats\n- One\n- Two"),
    ]
    assert document.title == "Harbour rules"


def test_notes_comments_boxes_and_margins_are_read_and_deleted_text_is_not(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:p>Pay<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation>'
        "<text:note-body><text:p>In 30 days.</text:p></text:note-body></text:note> now"
        "<office:annotation><dc:creator>Ann</dc:creator><dc:date>2026</dc:date><text:p>Ask Bob</text:p>"
        "</office:annotation>.<draw:frame><draw:text-box><text:p>Only in May.</text:p></draw:text-box></draw:frame></text:p>"
        "<text:p><text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とうきょう</text:ruby-text></text:ruby></text:p>",
        styles="<style:header><text:p>Page head</text:p></style:header><style:footer><text:p>Page head</text:p></style:footer>",
    )  # fmt: skip
    assert document.text == (
        "Pay (Footnote: In 30 days.) now (Comment by Ann: Ask Bob).\nOnly in May.\n東京 (とうきょう)\n\nPage head"
    )
    assert [line.text for line in document.account] == [
        "1 footnote read",
        "1 comment read",
        "1 header or footer read",
    ]


def test_a_table_gives_every_row_its_values(tmp_path: Path) -> None:
    cell = "<table:table-cell{}><text:p>{}</text:p></table:table-cell>".format
    covered = "<table:covered-table-cell{}/>".format
    document = read(
        tmp_path,
        "<table:table><table:table-header-rows><table:table-row>" + cell("", "Port") + cell("", "Boats")
        + "</table:table-row></table:table-header-rows><table:table-row>"
        + cell(' table:number-rows-spanned="2"', "Emden") + cell("", "12") + "</table:table-row><table:table-row>"
        + covered("") + cell("", "13") + '<table:table-cell table:number-columns-repeated="1000000"/></table:table-row>'
        "</table:table>",
    )  # fmt: skip
    assert document.text == "Port | Boats\nEmden | 12\nEmden | 13"


def test_slides_have_their_shapes_tables_charts_and_notes(tmp_path: Path) -> None:
    chart = (
        "<chart:chart><chart:title><text:p>Boats</text:p></chart:title><table:table><table:table-row>"
        "<table:table-cell><text:p>Emden</text:p></table:table-cell><table:table-cell><text:p>12</text:p>"
        "</table:table-cell></table:table-row></table:table></chart:chart>"
    )
    document = read(
        tmp_path,
        '<draw:page draw:name="p1"><draw:frame><draw:text-box><text:p>Tides</text:p></draw:text-box></draw:frame>'
        "<draw:g><draw:custom-shape><text:p>Closed</text:p></draw:custom-shape></draw:g>"
        '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>'
        '<draw:frame><draw:object xlink:href="./Object 2"/></draw:frame>'
        "<presentation:notes><draw:frame><draw:text-box><text:p>Slowly.</text:p></draw:text-box></draw:frame>"
        "</presentation:notes></draw:page><draw:page/>"
        "<draw:page><draw:frame><draw:text-box><text:p>End</text:p></draw:text-box></draw:frame></draw:page>",
        "presentation",
        **{"Object 1__content": chart},
    )  # fmt: skip
    assert [(place.label, document.text[place.start : place.end]) for place in document.places] == [
        ("slide 1", "Tides\nClosed\nChart: Boats\nEmden | 12\nNotes: Slowly."),
        ("slide 3", "End"),
    ]
    assert [line.text for line in document.account] == [
        "1 chart read",
        "1 note read",
        "1 embedded object not read (its format is unknown): Object 2",
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (packed("<text:p>x</text:p>", **{"META-INF__manifest": "<manifest:encryption-data/>"}), "password"),
        (packed(""), "no content"),
        (packed("<text:p>x</text:x>"), "content.xml is no XML"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        parse_file(write(tmp_path, "a.odt", data))
