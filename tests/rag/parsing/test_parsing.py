"""Every format gives text with places; every damaged file gives one sentence."""

import email.message
import io
import json
import sys
import time
import zipfile
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.parsing.formats import is_supported, parse_file
from rag.parsing.pdf import render_page
from rag.parsing.rows import ParsedDocument

ROOT = Path(__file__).resolve().parents[3]
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


@pytest.mark.parametrize(
    "box", [b"/Rotate 90 /MediaBox [0 0 595 842]", b"/MediaBox [0 0 595 842] /CropBox [30 60 560 830]"]
)
def test_the_marks_stand_on_the_ink_of_turned_and_cropped_pages(tmp_path: Path, box: bytes) -> None:
    import numpy

    path = write(tmp_path, "a.pdf", MANUAL.read_bytes().replace(b"/MediaBox [0 0 595 842]", box))
    page = render_page(path, 2, "A fully charged battery lasts 21 days", 2.0)
    dark = numpy.frombuffer(page.rgb, numpy.uint8).reshape(page.height, page.width, 3).min(axis=2) < 128
    assert page.rectangles
    for x, y, width, height in page.rectangles:
        assert dark[int(y) : int(y + height), int(x) : int(x + width)].mean() > 0.1


def test_a_quote_over_several_pages_marks_all_of_the_page_between() -> None:
    document = parse_file(MANUAL)
    second = document.places[1]
    lines = document.text[second.start : second.end].count("\n") + 1
    assert len(render_page(MANUAL, 2, document.text, 1.0).rectangles) == lines


def test_a_word_divided_at_a_line_end_is_found_whole_and_divided() -> None:
    page = render_page(MANUAL, 2, "fully charged bat-\ntery   lasts 21 DAYS", 1.0)
    assert 1 <= len(page.rectangles) <= 2


def test_a_page_of_a_huge_poster_is_drawn_smaller(tmp_path: Path) -> None:
    poster = MANUAL.read_bytes().replace(b"[0 0 595 842]", b"[0 0 14400 14400]")
    page = render_page(write(tmp_path, "a.pdf", poster), 1, "", 1.0)
    assert page.width * page.height < 41_000_000


def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    plain = MANUAL.read_bytes()
    lock = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"41" * 32, b"42" * 32)
    locked = plain.replace(b"trailer << ", b"trailer << /ID [<00> <00>] /Encrypt " + lock + b" ")
    with pytest.raises(DocumentError, match="password"):
        parse_file(write(tmp_path, "a.pdf", locked))


def with_pages(path: Path, kinds: str) -> Path:
    """The manual's first page for each t, a page with a picture alone for each p, an empty page for each other."""
    made, manual = pypdfium2.PdfDocument.new(), pypdfium2.PdfDocument(MANUAL)
    for kind in kinds:
        if kind == "t":
            made.import_pages(manual, [0])
            continue
        page = made.new_page(595, 842)
        if kind == "p":
            picture = pypdfium2.PdfImage.new(made)
            picture.set_bitmap(pypdfium2.PdfBitmap.new_native(20, 20, pypdfium2.raw.FPDFBitmap_BGR))
            picture.set_matrix(pypdfium2.PdfMatrix().scale(500, 700))
            page.insert_obj(picture)
            page.gen_content()
    made.save(path)
    return path


@pytest.mark.parametrize(
    ("pages", "warning"),
    [
        ("t", ""),
        ("t t", ""),
        ("tp", "1 of 2 pages are pictures and were not read (page 2)"),
        ("tpppt p", "4 of 7 pages are pictures and were not read (pages 2-4, 7)"),
        ("tptptptptptptptp", "(pages 2, 4, 6, 8, 10, 12 and others)"),
    ],
)
def test_scanned_pages_among_others_are_named(tmp_path: Path, pages: str, warning: str) -> None:
    document = check(parse_file(with_pages(tmp_path / "a.pdf", pages)))
    assert warning in document.warning
    assert bool(document.warning) == bool(warning)
    assert len(document.places) == pages.count("t")


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


def test_docx_keeps_controls_boxes_equations_and_inner_tables_once(tmp_path: Path) -> None:
    import docx
    from docx.oxml import parse_xml

    schemas = "http://schemas.openxmlformats.org"
    names = (
        f'xmlns:w="{schemas}/wordprocessingml/2006/main" xmlns:m="{schemas}/officeDocument/2006/math" '
        f'xmlns:mc="{schemas}/markup-compatibility/2006"'
    )
    box = "<w:txbxContent><w:p><w:r><w:t>Boxed</w:t></w:r></w:p></w:txbxContent>"
    made = docx.Document()
    for xml in (
        f"<w:sdt {names}><w:sdtContent><w:p><w:r><w:t>Controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        f"<w:p {names}><w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>",
        f"<w:p {names}><w:moveFrom><w:r><w:t>Moved</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>Moved</w:t></w:r>"
        "</w:moveTo><w:del><w:r><w:delText>Deleted</w:delText></w:r></w:del></w:p>",
        f"<w:p {names}><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></w:p>",
    ):
        made.element.body.insert(len(made.element.body) - 1, parse_xml(xml))
    made.add_table(1, 1).cell(0, 0).add_table(1, 2).cell(0, 1).text = "inner"
    made.sections[0].header.paragraphs[0].text = "Header"
    made.save(str(tmp_path / "a.docx"))
    text = check(parse_file(tmp_path / "a.docx")).text
    for words in ("Controlled", "Boxed", "Moved", "inner"):
        assert text.count(words) == 1
    assert "a/b" in text
    assert "Deleted" not in text
    assert "Header" not in text


def test_pptx_has_slides_with_tables_charts_and_notes(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData, XyChartData
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
    slide.shapes.add_group_shape().shapes.add_textbox(*box).text_frame.text = "grouped"
    points = XyChartData()
    points.add_series("spread").add_data_point(1, 2.5)
    slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *box, points)
    made.save(str(tmp_path / "a.pptx"))
    document = check(parse_file(tmp_path / "a.pptx"))
    assert [place.label for place in document.places] == ["slide 1", "slide 2"]
    for words in (
        "Second",
        "Notes: Say hello.",
        "sales: east: 3.0; west: 4.5",
        "spread: (1, 2.5)",
        "cell",
        "grouped",
    ):
        assert words in document.text


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


def xlsx(*cells: tuple[str, str | int]) -> bytes:
    """A workbook of one sheet, with inline texts and numbers, written by hand."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    rows: dict[str, str] = {}
    for place, value in cells:
        inner = f"<v>{value}</v>" if isinstance(value, int) else f"<is><t>{value}</t></is>"
        attribute = "" if isinstance(value, int) else ' t="inlineStr"'
        number = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        rows[number] = rows.get(number, "") + f'<c r="{place}"{attribute}>{inner}</c>'
    sheet = "".join(f'<row r="{number}">{inner}</row>' for number, inner in rows.items())
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="{kind}.sheet.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="Prices" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


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


@pytest.mark.parametrize("opening", ["<?", "<![CDATA[", "<!DOCTYPE[", "<!DOCTYPE a"])
def test_thousands_of_unclosed_declarations_are_read_in_one_pass(tmp_path: Path, opening: str) -> None:
    path = write(tmp_path, "a.xml", "<a>text " + opening * 60_000)
    started = time.perf_counter()
    assert "text" in parse_file(path).text
    assert time.perf_counter() - started < 5


def test_a_feed_has_a_section_for_each_item(tmp_path: Path) -> None:
    feed = "".join(
        f"<item><title>{name}</title><description><![CDATA[<p>About <b>{name}</b></p>]]></description></item>"
        for name in ("one", "two")
    )
    document = check(
        parse_file(write(tmp_path, "a.rss", f"<?xml version='1.0'?><rss><channel>{feed}</channel></rss>"))
    )
    assert [place.label for place in document.places] == ["one", "two"]
    assert "description: About two" in document.text


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


def test_markdown_is_kept_as_written_with_underlined_headings_and_front_matter(tmp_path: Path) -> None:
    text = "---\ntitle: x\n---\n# A #\n\n````\n```\n# no\n````\n\n\nB\n---\n- item\n---\nend\n"
    document = check(parse_file(write(tmp_path, "a.md", text)))
    assert document.text == text
    assert [place.label for place in document.places] == ["", "A", "A > B"]


def test_a_rule_below_a_paragraph_makes_no_heading(tmp_path: Path) -> None:
    document = check(parse_file(write(tmp_path, "receipt.md", "Shop\nItem 3.50\n---------\nTotal 3.50\n")))
    assert [place.label for place in document.places] == [""]


def test_a_title_that_a_program_made_up_gives_way_to_the_file_name(tmp_path: Path) -> None:
    made = MANUAL.read_bytes().replace(b"(Aurora 3 User Manual)", b"(untitled)")
    assert parse_file(write(tmp_path, "minutes.pdf", made)).title == "minutes"


def test_json_has_a_record_for_each_object_and_keeps_scalars_together(tmp_path: Path) -> None:
    data = {"shop": "x", "open": True, "items": [{"n": "a"}, {"n": "b"}], "tags": [1, 2]}
    document = check(parse_file(write(tmp_path, "a.json", json.dumps(data))))
    assert [place.label for place in document.places] == ["values", "items 1", "items 2", "tags"]
    assert {place.kind for place in document.places} == {"record"}
    assert parse_file(write(tmp_path, "b.json", "[1, 2, 3]")).text == "1, 2, 3"


def test_a_mail_in_html_has_no_style_sheet_and_whole_lines(tmp_path: Path) -> None:
    message = email.message.EmailMessage()
    message["Subject"] = "S"
    message.set_content("<style>p{}</style><p>A <b>bold</b> word.</p><script>x()</script>", subtype="html")
    document = check(parse_file(write(tmp_path, "a.eml", message.as_bytes())))
    assert document.text == "Subject: S\n\nA bold word."


def test_source_code_is_marked_as_code(tmp_path: Path) -> None:
    document = parse_file(write(tmp_path, "a.py", "def f():\n    return 1\n"))
    assert (document.markup, document.text) == ("code", "def f():\n    return 1\n")


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
        ("cp1252", "Müller"),
        ("cp1252", "name;city\nJosé;Málaga\nAna;León"),
        ("cp1250", "Zażółć gęślą jaźń, to jest polski tekst"),
        ("cp1251", "Москва"),
        ("koi8-r", "Привет мир, это простой текст на русском языке."),
        ("euc_jp", "これは日本語の文章です。東京に住んでいます。名前は佐藤です。"),
        ("iso2022_jp", "これは日本語の文章です。"),
        ("big5", "我們在台北的大學學習中文，這是一個很好的經驗。"),
        ("gb18030", "我们在北京的大学学习中文，这是一个很好的经验，大家都非常喜欢。"),
        ("euc-kr", "우리는 서울에서 한국어를 공부하고 있습니다. 아주 재미있습니다."),
    ],
)
def test_text_in_any_common_encoding_is_read(tmp_path: Path, encoding: str, text: str) -> None:
    assert parse_file(write(tmp_path, "a.txt", text.encode(encoding))).text == text


def test_an_encoding_that_a_page_names_is_used(tmp_path: Path) -> None:
    page = '<meta charset="iso-8859-2"><p>Příliš žluťoučký kůň</p>'
    assert parse_file(write(tmp_path, "a.html", page.encode("iso-8859-2"))).text == "Příliš žluťoučký kůň"


def test_line_ends_nulls_and_control_characters_are_cleaned_with_exact_places(tmp_path: Path) -> None:
    document = check(
        parse_file(
            write(tmp_path, "a.md", "# A\r\n\r\n" + "word " * 60 + "x\x07y\0\x0cnext\r\n# B\r\nz\x1b[31m")
        )
    )
    assert "xy\nnext" in document.text
    assert "\r" not in document.text
    assert document.text[document.places[1].start :].startswith("# B")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b"   \n ", "no text"),
        ("a.docx", b"PK\3\4broken", "damaged"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        ("a.docx", "EncryptedPackage".encode("utf-16-le").join((b"\xd0\xcf\x11\xe0", b"")), "password"),
        ("a.docx", MANUAL.read_bytes(), r"really a \.pdf file; rename"),
        ("a.pdf", (SAMPLES / "service-and-warranty.docx").read_bytes(), r"really a \.docx file; rename"),
        ("a.docx", (SAMPLES / "service-and-warranty.docx").read_bytes()[:9000], "damaged"),
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(50), r"really a \.png file"),
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


def test_old_office_files_are_skipped_with_advice(tmp_path: Path) -> None:
    for name, advice in (("a.doc", r"\.docx"), ("a.rtf", r"\.docx"), ("a.ppt", r"\.pptx")):
        with pytest.raises(UnsupportedDocumentError, match=f"save it as {advice}"):
            parse_file(write(tmp_path, name, b"{\\rtf1 text}"))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate((200 << 20) + (1 << 20))
    with pytest.raises(DocumentError, match="more than 200 MB"):
        parse_file(path)


def test_a_missing_package_and_an_unforeseen_error_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.parsing import formats as parsing

    def missing(_: Path) -> ParsedDocument:
        raise ModuleNotFoundError("No module named 'docx'", name="docx")

    def failing(_: Path) -> ParsedDocument:
        raise AssertionError("inside a library")

    path = write(tmp_path, "a.txt", "text")
    for parser, words in ((missing, "needs the package docx"), (failing, "AssertionError")):
        monkeypatch.setitem(parsing.SUPPORTED, "txt", parser)
        with pytest.raises(DocumentError, match=words):
            parse_file(path)


def test_an_office_file_without_text_is_refused(tmp_path: Path) -> None:
    import docx
    from pptx import Presentation

    docx.Document().save(str(tmp_path / "a.docx"))
    Presentation().save(str(tmp_path / "a.pptx"))
    for name in ("a.docx", "a.pptx"):
        with pytest.raises(DocumentError, match="contains no text"):
            parse_file(tmp_path / name)


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
        "a.xlsx": xlsx(("A1", "Part"), ("B1", "Price"), ("A2", "Vane"), ("B2", 31)),
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


def test_each_sample_question_is_answered_by_one_sentence_of_one_sample() -> None:
    samples = [path for path in sorted(SAMPLES.iterdir()) if path.suffix not in (".py", ".toml", ".jsonl")]
    texts = [" ".join(parse_file(path).text.split()) for path in samples]
    assert all(300 <= len(text.split()) <= 900 for text in texts)
    for answer in (
        "lasts 21 days without sunlight",
        "Repairs outside the warranty cost a flat fee of 85 euros",
        "assembled in Tromso, Norway",
    ):
        assert sum(answer in text for text in texts) == 1


@pytest.mark.skipif(not REAL.exists(), reason="the shared documents are not here")
@pytest.mark.parametrize("path", sorted(p for p in REAL.rglob("*") if p.is_file()), ids=lambda p: p.name)
def test_every_real_document_is_read_or_refused_with_a_sentence(path: Path) -> None:
    try:
        document = check(parse_file(path))
    except DocumentError as error:
        assert str(error).endswith(".")
    else:
        assert document.text.strip()
