"""Word gives sections: what everybody sees in Word is in the text once, or in the account."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_files import STRICT, chart, docx, named, package, paragraph, relations, table
from sample_files import check

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.office.word import parse_docx


def lines_of(path: Path, body: str, parts: dict[str, str | bytes] | None = None) -> list[str]:
    return check(parse_docx(docx(path / "a.docx", body, parts))).text.split("\n")


def account_of(path: Path) -> list[str]:
    return [line.text for line in parse_docx(path / "a.docx").account]


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
    made.sections[0].header.paragraphs[0].text = "Letterhead"
    made.save(str(tmp_path / "a.docx"))
    text = check(parse_file(tmp_path / "a.docx")).text
    for words in ("Controlled", "Boxed", "Moved", "inner", "Letterhead"):
        assert text.count(words) == 1
    assert "a/b" in text
    assert "Deleted" not in text


def test_an_office_file_without_text_is_refused(tmp_path: Path) -> None:
    import docx
    from pptx import Presentation

    docx.Document().save(str(tmp_path / "a.docx"))
    Presentation().save(str(tmp_path / "a.pptx"))
    for name in ("a.docx", "a.pptx"):
        with pytest.raises(DocumentError, match="contains no text"):
            parse_file(tmp_path / name)


def test_the_title_of_a_document_is_that_of_its_properties(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    made.core_properties.title = "House rules"
    made.add_paragraph("Quiet after ten.")
    made.save(str(tmp_path / "a.docx"))
    document = check(parse_file(tmp_path / "a.docx"))
    assert document.title == "House rules"
    assert document.media_type.endswith("wordprocessingml.document")
    assert [(place.kind, place.label) for place in document.places] == [("section", "")]


@pytest.mark.parametrize("style", ["Überschrift 2", "heading 2", "Titre 2"])
def test_headings_are_known_in_the_languages_of_word(tmp_path: Path, style: str) -> None:
    import docx
    from docx.enum.style import WD_STYLE_TYPE

    made = docx.Document()
    made.add_heading("Top", 1)
    named = made.styles.add_style(style + " x", WD_STYLE_TYPE.PARAGRAPH)
    named.name = style
    made.add_paragraph("Below", style=named)
    made.add_paragraph("Words.")
    made.save(str(tmp_path / "a.docx"))
    labels = [place.label for place in check(parse_file(tmp_path / "a.docx")).places]
    assert labels == ["Top", "Top > Below"]


def test_the_title_paragraph_is_above_all_headings(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    made.add_heading("Guide", 0)
    made.add_heading("Start", 1)
    made.add_paragraph("Words.")
    made.save(str(tmp_path / "a.docx"))
    document = check(parse_file(tmp_path / "a.docx"))
    assert document.places[-1].label == "Guide > Start"
    assert document.text.startswith("Guide")


def test_an_empty_heading_opens_no_section(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    made.add_heading("One", 1)
    made.add_paragraph("first")
    made.add_heading("  ", 1)
    made.add_paragraph("second")
    made.save(str(tmp_path / "a.docx"))
    document = check(parse_file(tmp_path / "a.docx"))
    assert [place.label for place in document.places] == ["One"]
    assert "second" in document.text


def test_tabs_and_line_breaks_of_a_paragraph_stay(tmp_path: Path) -> None:
    import docx

    made = docx.Document()
    run = made.add_paragraph("left").add_run()
    run.add_tab()
    run.add_text("right")
    run.add_break()
    run.add_text("below")
    made.save(str(tmp_path / "a.docx"))
    assert parse_file(tmp_path / "a.docx").text == "left\tright\nbelow"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.text(alphabet="ab ü.", min_size=1, max_size=12)),
        min_size=1,
        max_size=8,
    )
)
def test_every_paragraph_is_in_the_text_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, paragraphs: list[tuple[int, str]]
) -> None:
    body, written = "", []
    for number, (level, words) in enumerate(paragraphs):
        written.append(f"#{number}")
        style = f"<w:pStyle w:val='Heading{level}'/>" if level else ""
        body += paragraph(f"{words}#{number}", style)
    document = check(parse_file(docx(tmp_path_factory.mktemp("docx") / "a.docx", body)))
    places = [document.text.index(mark) for mark in written]
    assert places == sorted(places)
    assert all(document.text.count(mark) == 1 for mark in written)
    assert all(place.kind == "section" for place in document.places)


def test_notes_stand_below_the_paragraph_that_refers_to_them(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>Deliveries stop.</w:t><w:footnoteReference w:id='2'/></w:r>"
        "<w:r><w:t xml:space='preserve'> Payment is due.</w:t><w:endnoteReference w:id='7'/></w:r></w:p>"
        "<w:p><w:r><w:t>More.</w:t><w:footnoteReference w:id='3'/></w:r></w:p>"
    )
    footnotes = (
        "<w:footnotes><w:footnote w:type='separator' w:id='-1'><w:p/></w:footnote>"
        f"<w:footnote w:id='2'>{paragraph('In October.')}</w:footnote>"
        f"<w:footnote w:id='3'>{paragraph('See')}{paragraph('above.')}</w:footnote></w:footnotes>"
    )
    endnotes = f"<w:endnotes><w:endnote w:id='7'>{paragraph('Nine percent.')}</w:endnote></w:endnotes>"
    assert lines_of(tmp_path, body, {"footnotes": footnotes, "endnotes": endnotes}) == [
        "Deliveries stop. Payment is due.",
        "Footnote 1: In October.",
        "Endnote 1: Nine percent.",
        "More.",
        "Footnote 2: See above.",
    ]
    assert account_of(tmp_path) == ["2 footnotes read", "1 endnote read"]


def test_notes_in_a_table_stand_below_it_and_a_lost_note_is_named(tmp_path: Path) -> None:
    cell = "<w:tc><w:p><w:r><w:t>12</w:t><w:footnoteReference w:id='{}'/></w:r></w:p></w:tc>"
    body = f"<w:tbl><w:tr>{cell.format(1)}{cell.format(5)}</w:tr></w:tbl>"
    footnotes = f"<w:footnotes><w:footnote w:id='1'>{paragraph('Estimated.')}</w:footnote></w:footnotes>"
    assert lines_of(tmp_path, body, {"footnotes": footnotes}) == ["12 | 12", "Footnote 1: Estimated."]
    assert account_of(tmp_path) == ["1 footnote read", "1 footnote not read (its text is not in the file)"]


def test_comments_say_who_wrote_them(tmp_path: Path) -> None:
    body = "<w:p><w:r><w:t>The fee is 5.</w:t><w:commentReference w:id='0'/></w:r></w:p>"
    comments = (
        f"<w:comments><w:comment w:id='0' w:author='Jo'>{paragraph('Too low?')}</w:comment></w:comments>"
    )
    assert lines_of(tmp_path, body, {"comments": comments}) == ["The fee is 5.", "Comment by Jo: Too low?"]
    assert account_of(tmp_path) == ["1 comment read"]


def test_headers_and_footers_are_read_once_and_without_page_numbers(tmp_path: Path) -> None:
    section = "<w:sectPr><w:headerReference r:id='{}'/><w:footerReference r:id='footer1'/></w:sectPr>"
    body = (
        f"<w:p><w:pPr>{section.format('header1')}</w:pPr></w:p>"
        f"{paragraph('Body.')}{section.format('header2')}"
    )
    page = (
        "<w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText> PAGE </w:instrText></w:r>"
        "<w:r><w:fldChar w:fldCharType='separate'/></w:r><w:r><w:t>3</w:t></w:r>"
        "<w:r><w:fldChar w:fldCharType='end'/></w:r>"
    )
    header = f"<w:hdr>{paragraph('Contract KX-4471')}</w:hdr>"
    footer = f"<w:ftr><w:p>{page}<w:fldSimple w:instr='NUMPAGES'><w:r><w:t>9</w:t></w:r></w:fldSimple></w:p></w:ftr>"
    document = parse_docx(
        docx(tmp_path / "a.docx", body, {"header1": header, "header2": header, "footer1": footer})
    )
    assert check(document).text == "\nBody.\n\nHeader: Contract KX-4471".lstrip()
    assert [place.label for place in document.places] == ["", "Headers and footers"]
    assert account_of(tmp_path) == ["1 header read"]


def test_rows_and_cells_in_content_controls_are_read(tmp_path: Path) -> None:
    row = f"<w:tr><w:tc>{paragraph('a')}</w:tc><w:sdt><w:sdtContent><w:tc>{paragraph('b')}</w:tc></w:sdtContent></w:sdt></w:tr>"
    body = f"<w:tbl>{row}<w:sdt><w:sdtPr><w:tag w:val='x'/></w:sdtPr><w:sdtContent>{row}</w:sdtContent></w:sdt></w:tbl>"
    assert lines_of(tmp_path, body) == ["a | b", "a | b"]


def test_a_merged_cell_stands_once_in_each_row_that_it_covers(tmp_path: Path) -> None:
    def cell(words: str, properties: str) -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(words)}</w:tc>"

    body = (
        "<w:tbl><w:tr>"
        + cell("North", "<w:vMerge w:val='restart'/>")
        + cell("May", "")
        + cell("4", "")
        + "</w:tr>"
        "<w:tr>" + cell("", "<w:vMerge/>") + cell("June", "<w:gridSpan w:val='2'/>") + "</w:tr>"
        "<w:tr>" + cell("All of it", "<w:gridSpan w:val='3'/>") + "</w:tr></w:tbl>"
    )
    assert lines_of(tmp_path, body) == ["North | May | 4", "North | June", "All of it"]


def test_a_cell_over_200_million_columns_is_bounded(tmp_path: Path) -> None:
    wide = f"<w:tc><w:tcPr><w:gridSpan w:val='200000000'/></w:tcPr>{paragraph('wide')}</w:tc>"
    body = f"<w:tbl><w:tr><w:trPr><w:gridBefore w:val='200000000'/></w:trPr>{wide}{wide}</w:tr></w:tbl>"
    assert len(lines_of(tmp_path, body)[0]) < 1000


def test_cells_inside_wide_cells_do_not_multiply_without_end(tmp_path: Path) -> None:
    body = paragraph("word")
    for _ in range(6):
        wide = f"<w:tc><w:tcPr><w:gridSpan w:val='63'/></w:tcPr>{body}</w:tc>"
        body = f"<w:tbl><w:tr>{wide}<w:tc>{paragraph('x')}</w:tc></w:tr></w:tbl>"
    assert lines_of(tmp_path, body) == [" | ".join(["word", *"xxxxxx"])]


def test_a_long_table_names_its_columns_again(tmp_path: Path) -> None:
    rows = [["Part", "Price"], *([f"part {n}", str(n)] for n in range(30))]
    body = table(*rows, properties="<w:tblLook w:val='04A0'/>")
    assert "Columns: Part | Price" in lines_of(tmp_path, body)
    assert "Columns: Part | Price" not in lines_of(tmp_path, table(*rows))


def test_a_deleted_row_is_gone_and_a_table_in_a_cell_is_one_line(tmp_path: Path) -> None:
    inner = table(["Voltage", "400 V"], ["Power", "7 kW"])
    body = (
        f"<w:tbl><w:tr><w:tc>{paragraph('Motor')}</w:tc><w:tc>{inner}<w:p/></w:tc></w:tr>"
        f"<w:tr><w:trPr><w:del w:id='1'/></w:trPr><w:tc>{paragraph('Old')}</w:tc></w:tr></w:tbl>"
    )
    assert lines_of(tmp_path, body) == ["Motor | Voltage | 400 V; Power | 7 kW"]


NUMBERING = """<w:numbering>
<w:abstractNum w:abstractNumId="0">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:pStyle w:val="Clause"/><w:lvlText w:val="%1.%2"/></w:lvl>
</w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>"""
STYLES = """<w:styles>
<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
<w:style w:type="paragraph" w:styleId="Clause"><w:basedOn w:val="H1"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>
</w:styles>"""


def test_numbers_of_headings_and_clauses_stand_in_the_text(tmp_path: Path) -> None:
    heading, clause = "<w:pStyle w:val='H1'/>", "<w:pStyle w:val='Clause'/>"
    plain = clause + "<w:numPr><w:numId w:val='0'/></w:numPr>"
    body = "".join(
        paragraph(words, style)
        for words, style in (
            ("Rent", heading), ("Due monthly.", clause), ("Repairs", heading), ("The roof.", clause),
            ("Unless clause 2.1 applies.", plain), ("The windows.", clause),
        )
    )  # fmt: skip
    document = parse_docx(docx(tmp_path / "a.docx", body, {"numbering": NUMBERING, "styles": STYLES}))
    assert document.text == (
        "1. Rent\n1.1 Due monthly.\n\n2. Repairs\n2.1 The roof.\nUnless clause 2.1 applies.\n2.2 The windows."
    )
    assert [place.label for place in document.places] == ["1. Rent", "2. Repairs"]


def test_symbols_reading_aids_and_hidden_hyphens(tmp_path: Path) -> None:
    body = (
        "<w:p><w:r><w:t>5 </w:t><w:sym w:font='Symbol' w:char='F0B1'/><w:t> 3</w:t></w:r>"
        "<w:r><w:rPr><w:rFonts w:ascii='Wingdings'/></w:rPr><w:t>\uf0fc</w:t></w:r>"
        "<w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt>"
        "<w:rubyBase><w:r><w:t>東京</w:t></w:r></w:rubyBase></w:ruby></w:r>"
        "<w:r><w:t>soft</w:t><w:softHyphen/><w:t>ware</w:t><w:noBreakHyphen/><w:t>x</w:t></w:r>"
        "<w:r><w:sym w:font='Strange Signs' w:char='F041'/></w:r></w:p>"
    )
    assert lines_of(tmp_path, body) == ["5 ± 3✔東京(とうきょう)software-x"]
    assert account_of(tmp_path) == [
        "1 sign not read (its font does not say what it means): Strange Signs F041"
    ]


def test_form_fields_show_their_value(tmp_path: Path) -> None:
    choice = "<w:ddList><w:result w:val='1'/><w:listEntry w:val='red'/><w:listEntry w:val='blue'/></w:ddList>"
    box = "<w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox>"
    body = "".join(
        f"<w:p><w:r><w:fldChar w:fldCharType='begin'><w:ffData>{data}</w:ffData></w:fldChar></w:r>"
        "<w:r><w:fldChar w:fldCharType='end'/></w:r></w:p>"
        for data in (
            choice,
            box,
            "<w:checkBox/>",
            "<w:ddList><w:result w:val='9'/></w:ddList>",
            "<w:textInput/>",
        )
    )
    assert lines_of(tmp_path, body)[:3] == ["blue", "☒", "☐"]


def test_charts_pictures_and_word_art_are_read_below_their_paragraph(tmp_path: Path) -> None:
    drawing = "<w:drawing><wp:inline><wp:docPr descr='{}'/><a:graphic><a:graphicData>{}</a:graphicData></a:graphic></wp:inline></w:drawing>"
    reference = "<c:chart r:id='chart'/>"
    body = (
        f"<w:p><w:r>{drawing.format('', reference)}<w:t>See:</w:t></w:r></w:p>"
        f"<w:p><w:r>{drawing.format('A red boat', '<pic:pic/>')}{drawing.format('photo 1.jpg', '<pic:pic/>')}</w:r></w:p>"
        "<w:p><w:r><w:pict><v:shape><v:textpath string='DRAFT'/></v:shape></w:pict></w:r></w:p>"
        "<w:p><w:r><w:object><o:OLEObject ProgID='Excel.Sheet.12'/></w:object></w:r></w:p>"
        "<w:altChunk r:id='aFChunk'/>"
    )
    lines = lines_of(tmp_path, body, {"chart": chart(), "aFChunk": "<html/>"})
    assert [line for line in lines if line] == [
        "See:",
        "Units: North: 120; South: #N/A",
        "Picture: A red boat",
        "DRAFT",
    ]
    assert account_of(tmp_path) == [
        "1 chart read",
        "1 description of a picture read",
        "1 embedded object not read (only its own program shows it in full): Excel.Sheet.12",
        "1 inserted file not read (Word reads it only when it opens the document): aFChunk.xml",
    ]


def test_what_old_versions_show_is_read_where_the_new_has_no_words(tmp_path: Path) -> None:
    box = "<w:pict><w:txbxContent>{}</w:txbxContent></w:pict>"
    alternate = "<w:p><w:r><mc:AlternateContent><mc:Choice>{}</mc:Choice><mc:Fallback>{}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    boxed = box.format(table(["Seal", "SK-300"]))
    body = alternate.format(boxed, box.format(paragraph("Seal SK-300"))) + alternate.format(
        "<w:drawing/>", box.format(paragraph("Only here"))
    )
    assert [line for line in lines_of(tmp_path, body) if line] == ["Seal | SK-300", "Only here"]


def test_a_strict_document_is_read(tmp_path: Path) -> None:
    path = docx(tmp_path / "a.docx", "")
    body = "<w:p><w:pPr><w:pStyle w:val='Heading1'/></w:pPr><w:r><w:t>Scope</w:t><w:footnoteReference w:id='1'/></w:r></w:p>"
    notes = f"<w:footnotes><w:footnote w:id='1'>{paragraph('Strictly.')}</w:footnote></w:footnotes>"

    def strict(xml: str) -> str:
        return named(xml).replace(
            "http://schemas.openxmlformats.org/wordprocessingml/2006", f"{STRICT}/wordprocessingml"
        )

    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package(
        path,
        {
            name: content.replace(kind, f"{STRICT}/officeDocument/relationships").encode()
            for name, content in {
                "_rels/.rels": relations({"r1": ("officeDocument", "/word/document.xml")}),
                "word/_rels/document.xml.rels": relations({"r1": ("footnotes", "notes.xml")}),
                "word/document.xml": strict(f"<w:document><w:body>{body}</w:body></w:document>"),
                "word/notes.xml": strict(notes),
            }.items()
        },
    )
    document = check(parse_file(path))
    assert document.text == "Scope\nFootnote 1: Strictly."
    assert document.places[0].label == "Scope"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("footnotes", "1 list of footnotes not read (it is damaged)"),
        ("comments", "1 list of comments not read (it is damaged)"),
        ("numbering", "1 list of numberings not read (it is damaged)"),
        ("styles", "1 list of styles not read (it is damaged)"),
        ("header", "1 header not read (it is damaged)"),
        ("chart", "1 chart not read (it is damaged)"),
    ],
)
def test_a_damaged_part_costs_no_more_than_itself(tmp_path: Path, kind: str, line: str) -> None:
    body = (
        "<w:p><w:r><w:t>Body.</w:t><w:drawing><c:chart r:id='chart'/></w:drawing></w:r></w:p>"
        "<w:sectPr><w:headerReference r:id='header'/></w:sectPr>"
    )
    parts: dict[str, str | bytes] = {"chart": chart(), "header": "<w:hdr/>", kind: b"<w:broken"}
    assert lines_of(tmp_path, body, parts)[0] == "Body."
    assert line in account_of(tmp_path)


def test_only_a_document_without_a_readable_main_part_is_damaged(tmp_path: Path) -> None:
    whole = docx(tmp_path / "a.docx", paragraph("First.") + paragraph("Second."))
    package(
        whole,
        {"word/document.xml": named("<w:document><w:body>" + paragraph("First.") + "<w:p><w:r>").encode()},
    )
    assert parse_docx(whole).text == "First."
    assert account_of(tmp_path) == ["1 rest of the document not read (it is damaged)"]
    for content in ({"word/document.xml": b"<w:docu"}, {"word/other.xml": b""}):
        with pytest.raises(DocumentError, match=r"damaged or not really one: its main part cannot be read"):
            parse_docx(package(whole, content))


def test_a_note_that_refers_to_itself_ends(tmp_path: Path) -> None:
    reference = "<w:p><w:r><w:t>x</w:t><w:footnoteReference w:id='1'/></w:r></w:p>"
    footnotes = f"<w:footnotes><w:footnote w:id='1'>{reference}</w:footnote></w:footnotes>"
    assert lines_of(tmp_path, reference, {"footnotes": footnotes})[:2] == ["x", "Footnote 1: x"]


WORDS = st.text(alphabet="abcdefghij", min_size=3, max_size=8)


@settings(max_examples=40, deadline=None)
@given(words=st.lists(WORDS, min_size=8, max_size=8, unique=True), seed=st.integers(0, 1000))
def test_every_visible_word_is_in_the_text(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], seed: int
) -> None:
    words = [f"{word}{n}" for n, word in enumerate(words)]
    note, comment, header = words[5:]
    box = f"<w:p><w:r><w:pict><w:txbxContent>{paragraph(words[2])}</w:txbxContent></w:pict></w:r></w:p>"
    blocks = [
        paragraph(words[0]),
        table([words[1], "x"]),
        box,
        f"<w:sdt><w:sdtContent>{paragraph(words[3])}</w:sdtContent></w:sdt>",
        f"<w:p><w:hyperlink><w:r><w:t>{words[4]}</w:t><w:footnoteReference w:id='1'/><w:commentReference w:id='1'/></w:r></w:hyperlink></w:p>",
    ]
    random.Random(seed).shuffle(blocks)
    path = docx(
        tmp_path_factory.mktemp("word") / "a.docx",
        "".join(blocks) + "<w:sectPr><w:headerReference r:id='header'/></w:sectPr>",
        {
            "footnotes": f"<w:footnotes><w:footnote w:id='1'>{paragraph(note)}</w:footnote></w:footnotes>",
            "comments": f"<w:comments><w:comment w:id='1'>{paragraph(comment)}</w:comment></w:comments>",
            "header": f"<w:hdr>{paragraph(header)}</w:hdr>",
        },
    )
    text = check(parse_docx(path)).text
    assert [word for word in words if text.count(word) != 1] == []
