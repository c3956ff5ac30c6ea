"""PowerPoint gives slides: what everybody sees in PowerPoint is in the text once, or in the account."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_files import chart, frame, package, pptx, shape
from sample_files import check

from rag.errors import DocumentError
from rag.parsing.formats import parse_file
from rag.parsing.office.slides import parse_pptx


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
        "sales: east: 3; west: 4.5",
        "spread: (1, 2.5)",
        "cell",
        "grouped",
    ):
        assert words in document.text


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
    assert parse_file(tmp_path / "a.pptx").text == "Chart: Sales by region\nsales: east: 3\na | b"


def text_of(path: Path) -> str:
    return check(parse_pptx(path)).text


def account_of(path: Path) -> list[str]:
    return [line.text for line in parse_pptx(path).account]


@pytest.mark.parametrize("kind", ["bar3DChart", "pie3DChart", "stockChart", "surfaceChart", "ofPieChart"])
def test_a_chart_of_any_kind_is_read_and_its_counts_are_not_believed(tmp_path: Path, kind: str) -> None:
    path = pptx(
        tmp_path / "a.pptx",
        shape("Figures") + frame("<c:chart r:id='c1'/>"),
        links={"c1": ("chart", "../charts/chart1.xml")},
        parts={"ppt/charts/chart1.xml": chart(kind)},
    )
    assert text_of(path) == "Figures\nUnits: North: 120; South: #N/A"
    assert account_of(path) == ["1 chart read"]


def test_a_chart_that_cannot_be_read_is_named_and_the_slides_stay(tmp_path: Path) -> None:
    references = "".join(f"<c:chart r:id='c{n}'/>" for n in range(3))
    path = pptx(
        tmp_path / "a.pptx",
        shape("First") + frame(references),
        shape("Second"),
        links={"c1": ("chart", "../charts/broken.xml"), "c2": ("chart", "../charts/empty.xml")},
        parts={"ppt/charts/broken.xml": b"<c:chart", "ppt/charts/empty.xml": "<c:chartSpace/>"},
    )
    assert text_of(path) == "First\n\nSecond"
    assert account_of(path) == [
        "1 chart not read (its data are not in the file): slide 1",
        "1 chart not read (it is damaged): slide 1",
        "1 chart not read (it holds no values): slide 1",
    ]


def test_smart_art_is_read_once_or_named(tmp_path: Path) -> None:
    point = "<dgm:pt type='{}'><dgm:t><a:p><a:r><a:t>{}</a:t></a:r></a:p></dgm:t></dgm:pt>"
    points = point.format("node", "Plan") + point.format("pres", "Plan") + point.format("asst", "Check")
    path = pptx(
        tmp_path / "a.pptx",
        frame("<dgm:relIds r:dm='d1'/>") + frame("<dgm:relIds r:dm='d2'/>"),
        links={"d1": ("diagramData", "../d/data1.xml"), "d2": ("diagramData", "../d/data2.xml")},
        parts={
            "ppt/d/data1.xml": f"<dgm:dataModel><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>",
            "ppt/d/data2.xml": "<dgm:dataModel/>",
        },
    )
    assert text_of(path) == "Plan\nCheck"
    assert account_of(path) == [
        "1 SmartArt graphic read",
        "1 SmartArt graphic not read (it has no text): slide 1",
    ]


def test_groups_and_alternate_content_are_read_once(tmp_path: Path) -> None:
    alternate = (
        "<mc:AlternateContent><mc:Choice>{}</mc:Choice><mc:Fallback>{}</mc:Fallback></mc:AlternateContent>"
    )
    slide = (
        f"<p:grpSp>{shape('In a group')}<p:grpSp>{shape('deeper')}</p:grpSp></p:grpSp>"
        + alternate.format(shape("New"), shape("New for old programs"))
        + alternate.format("<p:pic/>", shape("Only for old programs"))
        + shape("<a:p><a:r><a:t>x</a:t></a:r><a:br/><a:fld><a:t>7</a:t></a:fld></a:p>")
    )
    path = pptx(tmp_path / "a.pptx", slide)
    assert text_of(path) == "In a group\ndeeper\nNew\nOnly for old programs\nx\n7"


def test_an_embedded_object_for_new_and_old_programs_is_counted_once(tmp_path: Path) -> None:
    either = "<mc:AlternateContent><mc:Choice><p:oleObj progId='X'/></mc:Choice><mc:Fallback><p:oleObj progId='X'/></mc:Fallback></mc:AlternateContent>"
    path = pptx(tmp_path / "a.pptx", shape("Title") + frame(either))
    assert account_of(path) == [
        "1 embedded object not read (only its own program shows it in full): slide 1 X"
    ]


def test_automatic_numbers_of_paragraphs(tmp_path: Path) -> None:
    def item(words: str, kind: str = "", level: int = 0, start: str = "") -> str:
        number = f"<a:buAutoNum type='{kind}'{start}/>" if kind else ""
        return f"<a:p><a:pPr lvl='{level}'>{number}</a:pPr><a:r><a:t>{words}</a:t></a:r></a:p>"

    body = shape(
        *(
            item("Plan", "arabicPeriod"), item("draft", "alphaLcParenR", 1), item("check", "alphaLcParenR", 1),
            item("Build", "arabicPeriod"), item("test", "alphaLcParenR", 1), item("Pause"),
            item("Ship", "romanUcParenBoth", 0, " startAt='4'"),
        )
    )  # fmt: skip
    assert text_of(pptx(tmp_path / "a.pptx", body)).split("\n") == [
        "1. Plan", "a) draft", "b) check", "2. Build", "a) test", "Pause", "(IV) Ship",
    ]  # fmt: skip


def test_a_merged_cell_stands_once_in_each_row_that_it_covers(tmp_path: Path) -> None:
    def cell(words: str, merge: str = "") -> str:
        return f"<a:tc {merge}><a:txBody><a:p><a:r><a:t>{words}</a:t></a:r></a:p></a:txBody></a:tc>"

    rows = (
        cell("Plan", "gridSpan='3'") + cell("", "hMerge='1'") + cell("", "hMerge='1'"),
        cell("North", "rowSpan='2'") + cell("May") + cell("4"),
        cell("", "vMerge='1'") + cell("June", "gridSpan='2'") + cell("", "hMerge='1'"),
    )
    inner = "".join(f"<a:tr>{row}</a:tr>" for row in rows)
    path = pptx(tmp_path / "a.pptx", frame(f"<a:tbl><a:tblPr firstRow='1'/>{inner}</a:tbl>"))
    assert text_of(path) == "Plan\nNorth | May | 4\nNorth | June"


def test_a_long_table_names_its_columns_again(tmp_path: Path) -> None:
    from pptx import Presentation
    from pptx.util import Inches

    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    table = slide.shapes.add_table(30, 2, *[Inches(n) for n in (1, 2, 4, 3)]).table
    for row in range(30):
        table.cell(row, 0).text, table.cell(row, 1).text = f"part {row}", f"price {row}"
    made.save(str(tmp_path / "a.pptx"))
    assert "Columns: part 0 | price 0" in text_of(tmp_path / "a.pptx")


def test_hidden_slides_notes_and_comments_are_read_and_named(tmp_path: Path) -> None:
    notes = shape("Say hello.", holder="<p:ph type='body'/>") + shape("7", holder="<p:ph type='sldNum'/>")
    path = pptx(
        tmp_path / "a.pptx",
        shape("Secret"),
        show="0",
        links={"n": ("notesSlide", "../notes/n.xml"), "c": ("comments", "../comments/c.xml")},
        parts={
            "ppt/notes/n.xml": f"<p:notes><p:cSld><p:spTree>{notes}</p:spTree></p:cSld></p:notes>",
            "ppt/comments/c.xml": "<p:cmLst><p:cm authorId='3'><p:text>Too long</p:text></p:cm></p:cmLst>",
            "ppt/authors.xml": "<p:cmAuthorLst><p:cmAuthor id='3' name='Jo'/></p:cmAuthorLst>",
        },
    )
    document = parse_pptx(path)
    assert check(document).text == "Secret\nNotes: Say hello.\nComment by Jo: Too long"
    assert document.places[0].label == "slide 1 (hidden)"
    assert account_of(path) == ["1 hidden slide read", "1 page of notes read", "1 comment read"]


def test_comments_of_newer_versions_have_answers(tmp_path: Path) -> None:
    body = "<p:txBody><a:p><a:r><a:t>{}</a:t></a:r></a:p></p:txBody>"
    comments = f"<p:cmLst><p:cm>{body.format('Why?')}<p:replyLst><p:reply>{body.format('Because.')}</p:reply></p:replyLst></p:cm></p:cmLst>"
    path = pptx(
        tmp_path / "a.pptx",
        shape("Title"),
        links={"c": ("comments", "../c.xml")},
        parts={"ppt/c.xml": comments},
    )
    assert text_of(path) == "Title\nComment: Why?\nComment: Because."


def test_a_slide_of_pictures_alone_is_named_and_descriptions_are_read(tmp_path: Path) -> None:
    picture = "<p:pic><p:nvPicPr><p:cNvPr descr='{}'/></p:nvPicPr></p:pic>"
    path = pptx(
        tmp_path / "a.pptx",
        shape("Title") + picture.format(""),
        picture.format("") * 2,
        picture.format("A red boat") + picture.format("boat.png"),
        frame("<p:oleObj progId='Excel.Sheet.12'/>"),
    )
    assert text_of(path) == "Title\n\nPicture: A red boat"
    assert account_of(path) == [
        "1 description of a picture read",
        "2 pictures not read (nothing else is on their slide, and they have no description): slide 2",
        "1 embedded object not read (only its own program shows it in full): slide 4 Excel.Sheet.12",
    ]


def test_what_layouts_show_is_read_once(tmp_path: Path) -> None:
    layout = shape("Confidential") + shape("Click to edit", holder="<p:ph type='title'/>")
    path = pptx(
        tmp_path / "a.pptx",
        shape("First"),
        shape("Second"),
        links={"l": ("slideLayout", "../layouts/l.xml")},
        parts={
            "ppt/layouts/l.xml": f"<p:sldLayout><p:cSld><p:spTree>{layout}</p:spTree></p:cSld></p:sldLayout>"
        },
    )
    assert text_of(path) == "First\n\nSecond\n\nConfidential"
    assert account_of(path) == ["1 text of the slide layouts read"]


def test_a_damaged_slide_is_named_and_a_damaged_presentation_refused(tmp_path: Path) -> None:
    path = pptx(tmp_path / "a.pptx", shape("First"), shape("Second"))
    package(path, {"ppt/presentation.xml": b"<p:pres"})
    with pytest.raises(DocumentError, match="damaged or not really one: its main part cannot be read"):
        parse_pptx(path)
    path = pptx(
        tmp_path / "a.pptx", shape("First"), shape("Second"), parts={"ppt/slides/slide0.xml": b"<p:sld"}
    )
    assert text_of(path) == "Second"
    assert account_of(path) == ["1 slide not read (it is damaged): 1"]


def test_a_slide_that_is_listed_a_thousand_times_is_read_once(tmp_path: Path) -> None:
    ids = "<p:sldId r:id='s0'/>" * 1000
    path = pptx(
        tmp_path / "a.pptx",
        shape("Once"),
        parts={"ppt/presentation.xml": f"<p:presentation><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"},
    )
    assert text_of(path) == "Once"
    assert account_of(path)[0].startswith("999 slides not read (it repeats another one)")


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(st.text(alphabet="abcdefghij", min_size=3, max_size=8), min_size=7, max_size=7),
    seed=st.integers(0, 99),
)
def test_every_visible_word_is_in_the_text(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], seed: int
) -> None:
    words = [f"{word}{n}" for n, word in enumerate(words)]
    cell = f"<a:tc><a:txBody><a:p><a:r><a:t>{words[1]}</a:t></a:r></a:p></a:txBody></a:tc>"
    shapes = [
        shape(words[0]),
        frame(f"<a:tbl><a:tr>{cell}</a:tr></a:tbl>"),
        f"<p:grpSp>{shape(words[2])}</p:grpSp>",
        f"<mc:AlternateContent><mc:Choice>{shape(words[3])}</mc:Choice></mc:AlternateContent>",
        frame("<c:chart r:id='c'/>"),
    ]
    random.Random(seed).shuffle(shapes)
    path = pptx(
        tmp_path_factory.mktemp("slides") / "a.pptx",
        "".join(shapes),
        links={"c": ("chart", "../c.xml"), "n": ("notesSlide", "../n.xml"), "m": ("comments", "../m.xml")},
        parts={
            "ppt/c.xml": chart("radarChart").replace("Units", words[4]),
            "ppt/n.xml": f"<p:notes><p:cSld><p:spTree>{shape(words[5])}</p:spTree></p:cSld></p:notes>",
            "ppt/m.xml": f"<p:cmLst><p:cm><p:text>{words[6]}</p:text></p:cm></p:cmLst>",
        },
    )
    text = text_of(path)
    assert [word for word in words if text.count(word) != 1] == []
