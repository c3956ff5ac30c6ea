"""Word gives sections, PowerPoint slides; nothing is lost and nothing is read twice."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import check

from rag.errors import DocumentError
from rag.parsing.formats import parse_file


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


def test_a_slide_without_words_has_no_place_and_numbers_stay(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.util import Inches

    made = Presentation()
    made.slides.add_slide(made.slide_layouts[6])
    slide = made.slides.add_slide(made.slide_layouts[6])
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(2), Inches(1))
    box.text_frame.text = "only here\vand below"
    made.core_properties.title = "PowerPoint Presentation"
    made.save(str(tmp_path / "talk.pptx"))
    document = check(parse_file(tmp_path / "talk.pptx"))
    assert [(place.number, place.label) for place in document.places] == [(2, "slide 2")]
    assert document.text == "only here\nand below"
    assert document.title == "talk"


def test_the_title_of_a_chart_and_a_row_of_empty_cells(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    box = [Inches(n) for n in (1, 2, 4, 3)]
    data = CategoryChartData()
    data.categories = ["east"]
    data.add_series("sales", (3,))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *box, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Sales by region"
    table = slide.shapes.add_table(2, 2, *box).table
    table.cell(1, 0).text, table.cell(1, 1).text = "a", "b"
    made.save(str(tmp_path / "a.pptx"))
    assert parse_file(tmp_path / "a.pptx").text == "Chart: Sales by region\nsales: east: 3.0\na | b"


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
    import docx

    made = docx.Document()
    written = []
    for number, (level, words) in enumerate(paragraphs):
        mark = f"{words}#{number}"
        written.append(f"#{number}")
        made.add_heading(mark, level) if level else made.add_paragraph(mark)
    path = tmp_path_factory.mktemp("docx") / "a.docx"
    made.save(str(path))
    document = check(parse_file(path))
    places = [document.text.index(mark) for mark in written]
    assert places == sorted(places)
    assert all(document.text.count(mark) == 1 for mark in written)
    assert all(place.kind == "section" for place in document.places)
