"""Every format gives text with places; every damaged file gives one sentence."""

import email.message
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.events import ParsedDocument
from rag.parsing import is_supported, parse_file, render_page

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "resources" / "samples"
REAL = ROOT.parent / "shared" / "data" / "documents"
MANUAL = SAMPLES / "aurora-3-manual.pdf"

sys.path.insert(0, str(SAMPLES))
from make_samples import pdf as make_pdf  # noqa: E402


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def check(document: ParsedDocument) -> ParsedDocument:
    """Places are in order, apart, inside the text, and nothing but white space is between them."""
    position = 0
    for place in document.places:
        assert position <= place.start < place.end <= len(document.text)
        assert document.text[position : place.start].strip() == ""
        assert document.text[place.start : place.end].strip()
        position = place.end
    if document.places:
        assert document.text[position:].strip() == ""
    return document


def test_pdf_has_a_place_for_each_page() -> None:
    document = check(parse_file(MANUAL))
    assert [place.label for place in document.places] == ["page 1", "page 2", "page 3"]
    assert "21 days" in document.text[document.places[1].start : document.places[1].end]
    assert document.title == "Aurora 3 User Manual"


def test_a_quote_is_found_on_its_page_and_marked() -> None:
    document = parse_file(MANUAL)
    place = document.places[1]
    page = render_page(MANUAL, 2, document.text[place.start + 20 : place.end - 30], 1.5)
    assert (page.width, page.height, page.page_count) == (893, 1263, 3)
    assert len(page.rgb) == page.width * page.height * 3
    assert len(page.rectangles) > 3
    for x, y, width, height in page.rectangles:
        assert 0 <= x < x + width <= page.width
        assert 0 <= y < y + height <= page.height
    assert render_page(MANUAL, 1, "words that are nowhere on it", 1.0).rectangles == ()
    assert render_page(MANUAL, 99, "", 1.0).page_number == 3


def test_a_quote_that_begins_on_the_page_before_is_marked_as_far_as_it_is_here() -> None:
    document = parse_file(MANUAL)
    first, second = document.places[0], document.places[1]
    quote = document.text[first.end - 60 : second.start + 200]
    assert render_page(MANUAL, 2, quote, 1.0).rectangles


def test_a_pdf_without_text_is_reported_as_no_text_layer(tmp_path: Path) -> None:
    scan = make_pdf([("", "")]).replace(b"(1) Tj", b" () Tj")
    with pytest.raises(DocumentError, match="no text layer"):
        parse_file(write(tmp_path, "scan.pdf", scan))


def test_docx_has_sections_tables_and_merged_cells_once(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    made.add_heading("Scope", 1)
    made.add_paragraph("What this is about.")
    made.add_heading("Terms", 2)
    table = made.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "Wide"
    table.cell(1, 0).text, table.cell(1, 1).text = "left", "right"
    made.save(str(tmp_path / "a.docx"))
    document = check(parse_file(tmp_path / "a.docx"))
    assert [place.label for place in document.places] == ["Scope", "Scope > Terms"]
    assert "Wide\nleft | right" in document.text


def test_pptx_has_slides_with_tables_charts_and_notes(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    made = Presentation()
    for title in ("First", "Second"):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = title
    slide.notes_slide.notes_text_frame.text = "Say hello."
    data = CategoryChartData()
    data.categories = ["east", "west"]
    data.add_series("sales", (3, 4.5))
    box = [Inches(n) for n in (1, 2, 4, 3)]
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *box, data)
    slide.shapes.add_table(1, 2, *box).table.cell(0, 1).text = "cell"
    made.save(str(tmp_path / "a.pptx"))
    document = check(parse_file(tmp_path / "a.pptx"))
    assert [place.label for place in document.places] == ["slide 1", "slide 2"]
    for words in ("Second", "Notes: Say hello.", "sales: east: 3.0; west: 4.5", "cell"):
        assert words in document.text


def test_rows_name_their_columns(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "a.csv", "Part;Price\nFunnel;18,50\nVane;31\n")))
    assert "Part: Funnel; Price: 18,50" in document.text
    assert document.places[0].kind == "sheet"


def test_html_drops_scripts_and_keeps_headings_tables_and_entities(tmp_path: Path) -> None:
    page = (
        "<title>T &amp; U</title><script>evil()</script><nav>menu</nav><h1>One</h1><p>a&nbsp;b<br>c</p>"
        "<h2>Two</h2><table><tr><td>x</td><td>y</td></tr></table><ul><li>item</li></ul><pre>k  = 1\n  v</pre>"
    )
    document = check(parse_file(write(tmp_path, "a.html", page)))
    assert document.title == "T & U"
    assert [place.label for place in document.places] == ["One", "One > Two"]
    assert "evil" not in document.text
    assert "menu" not in document.text
    assert "x | y" in document.text
    assert "- item" in document.text


def test_deeply_nested_html_is_read(tmp_path: Path) -> None:
    document = parse_file(write(tmp_path, "a.html", "<div>" * 30_000 + "deep" + "</div>" * 30_000))
    assert "deep" in document.text


def test_an_entity_bomb_stays_small(tmp_path: Path) -> None:
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;">]><b>&b; text</b>'
    )
    assert len(parse_file(write(tmp_path, "a.xml", bomb)).text) < 100


def test_epub_is_read_in_the_order_of_its_spine(tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="o/p.opf"/></rootfiles></container>',
        )
        archive.writestr(
            "o/p.opf",
            '<package><manifest><item id="b" href="b.xhtml"/><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
        )
        archive.writestr("o/a.xhtml", "<html><body><p>First words.</p></body></html>")
        archive.writestr("o/b.xhtml", "<html><body><h1>Next</h1><p>Second words.</p></body></html>")
    document = check(parse_file(path))
    assert [place.label for place in document.places] == ["chapter 1", "Next"]
    assert document.text.index("First") < document.text.index("Second")


def test_markdown_sections_ignore_hashes_in_code(tmp_path: Path) -> None:
    document = check(
        parse_file(write(tmp_path, "a.md", "# A\n\ntext\n\n```\n# not a heading\n```\n\n## B\n\nmore\n"))
    )
    assert [place.label for place in document.places] == ["A", "A > B"]
    assert document.markup == "markdown"


def test_json_lines_and_notebooks_are_read(tmp_path: Path) -> None:
    lines = write(tmp_path, "a.jsonl", '{"q": "one", "n": {"m": [1, 2]}}\n\n{"q": "two"}\n')
    document = check(parse_file(lines))
    assert [place.label for place in document.places] == ["line 1", "line 3"]
    assert "n.m: 1, 2" in document.text
    cells = {"cells": [{"cell_type": "code", "source": ["x = 1\n", "y = 2"]}], "metadata": {}}
    assert "y = 2" in parse_file(write(tmp_path, "a.ipynb", json.dumps(cells))).text
    with pytest.raises(DocumentError, match=r"Line 2 is not valid JSON"):
        parse_file(write(tmp_path, "b.jsonl", '{"a": 1}\n{broken\n'))


def test_mail_has_its_head_body_and_attachments(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"], message["From"] = "Höhe", "a@example.org"
    message.set_content("The body.")
    message.add_attachment("inside text", filename="note.txt")
    message.add_attachment(b"\0\1", maintype="application", subtype="zip", filename="data.zip")
    document = check(parse_file(write(tmp_path, "a.eml", message.as_bytes())))
    for words in ("Subject: Höhe", "The body.", "inside text", "data.zip"):
        assert words in document.text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Grüße aus Köln, 東京 🙂"),
        ("utf-8-sig", "Grüße aus Köln"),
        ("utf-16", "Grüße aus Köln"),
        ("utf-16-le", "Plain text without a mark, long enough to be seen as such."),
        ("cp1252", "Das Gerät „Aurora“ misst Größen in Köln – über Straße und Brücke, für 20 €."),
        ("latin-1", "Le café était fermé, à cause de la fête où l'été s'achève près de la forêt."),
        ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪"),
        ("gb18030", "我们在北京的大学学习中文，这是一个很好的经验，大家都非常喜欢。"),
        ("euc-kr", "우리는 서울에서 한국어를 공부하고 있습니다. 아주 재미있습니다."),
    ],
)
def test_text_in_any_common_encoding_is_read(tmp_path: Path, encoding: str, text: str) -> None:
    assert parse_file(write(tmp_path, "a.txt", text.encode(encoding))).text == text


def test_line_ends_nulls_and_control_characters_are_cleaned_with_exact_places(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "a.md", "# A\r\n\r\nx\x07y\r\n# B\r\nz\x1b[31m")))
    assert "xy" in document.text
    assert "\r" not in document.text
    assert document.text[document.places[1].start :].startswith("# B")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b"   \n ", "no text"),
        ("a.docx", b"PK\3\4broken", "damaged"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        ("a.pdf", b"%PDF-1.7\nnothing", "damaged"),
        ("a.xlsx", b"not a workbook", "damaged"),
        ("a.epub", b"PK\5\6" + bytes(18), "damaged|table of its contents"),
        ("a.txt", bytes(range(256)) * 20, "binary"),
        ("a.json", b'{"a": ', "not valid JSON"),
        ("a.eml", b"\n\n", "mail|no text"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as caught:
        parse_file(write(tmp_path, name, content))
    assert "Traceback" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\3\4" + bytes(50), bytes(100)])
def test_kinds_that_are_not_read_are_skipped_not_failed(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnsupportedDocumentError):
        parse_file(write(tmp_path, "a.xyz", content))
    assert not is_supported(tmp_path / "a.xyz")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w") as member,
    ):
        for _ in range(501):
            member.write(bytes(1 << 20))
    with pytest.raises(DocumentError, match="unpacks to"):
        parse_file(path)


def originals() -> dict[str, bytes]:
    import docx

    buffer = io.BytesIO()
    made = docx.Document()
    made.add_heading("H", 1)
    made.add_paragraph("Some words.")
    made.save(buffer)
    return {
        "a.docx": buffer.getvalue(),
        "a.pdf": MANUAL.read_bytes(),
        "a.html": (SAMPLES / "faq.html").read_bytes(),
    }


ORIGINALS = originals()


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(ORIGINALS)), st.data())
def test_a_mutated_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    content = bytearray(ORIGINALS[name])
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    path = write(tmp_path_factory.mktemp("m"), name, bytes(content[:cut]))
    try:
        check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".")


@pytest.mark.skipif(not REAL.exists(), reason="the shared documents are not here")
@pytest.mark.parametrize("path", sorted(p for p in REAL.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_every_real_document_is_read_or_refused_with_a_sentence(path: Path) -> None:
    try:
        document = check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".")
    else:
        assert document.text.strip()
