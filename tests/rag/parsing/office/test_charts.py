"""Charts give the values that they draw, of whatever kind they are."""

from xml.etree import ElementTree

import pytest
from office_files import chart, named

from rag.parsing.office.charts import chart_lines


def lines(xml: str) -> list[str]:
    return chart_lines(ElementTree.fromstring(named(xml)))


def points(*values: str) -> str:
    return "".join(f"<c:pt idx='{n}'><c:v>{value}</c:v></c:pt>" for n, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "code", "expected"),
    [
        (("120", "#N/A"), "General", "Units: North: 120; South: #N/A"),
        (("0.45", "0.5"), "0%", "Units: North: 45%; South: 50%"),
        (("3.0", ""), "General", "Units: North: 3; South: "),
        ((), "General", ""),
    ],
)
def test_values_are_written_as_the_chart_shows_them(
    values: tuple[str, ...], code: str, expected: str
) -> None:
    assert lines(chart(values=values, code=code)) == ([expected] if expected else [])


def test_titles_axes_and_labels_are_read_once() -> None:
    text = "<c:tx><c:rich><a:p><a:r><a:t>{}</a:t></a:r></a:p></c:rich></c:tx>"
    axis = f"<c:valAx><c:title>{text.format('Euros')}</c:title></c:valAx>"
    title = f"<c:title>{text.format('Sales')}</c:title>"
    xml = f"<c:chartSpace><c:chart>{title}<c:plotArea>{axis}{axis}</c:plotArea></c:chart></c:chartSpace>"
    assert lines(xml) == ["Chart: Sales", "Euros"]


def test_a_title_may_stand_in_a_cell() -> None:
    title = (
        f"<c:title><c:tx><c:strRef><c:strCache>{points('From A1')}</c:strCache></c:strRef></c:tx></c:title>"
    )
    assert lines(f"<c:chartSpace><c:chart>{title}</c:chart></c:chartSpace>") == ["Chart: From A1"]


def test_points_with_x_values_are_pairs() -> None:
    series = f"<c:ser><c:tx><c:v>spread</c:v></c:tx><c:xVal>{points('1', '2')}</c:xVal><c:yVal>{points('2.5', '3')}</c:yVal></c:ser>"
    bubble = series.replace("</c:ser>", f"<c:bubbleSize>{points('7', '8')}</c:bubbleSize></c:ser>")
    assert lines(f"<c:chartSpace>{series}{bubble}</c:chartSpace>") == [
        "spread: (1, 2.5), (2, 3)",
        "spread: (1, 2.5, 7), (2, 3, 8)",
    ]


def test_categories_on_two_levels_are_joined() -> None:
    levels = f"<c:lvl>{points('Q1', 'Q2', 'Q1')}</c:lvl><c:lvl><c:pt idx='0'><c:v>2023</c:v></c:pt><c:pt idx='2'><c:v>2024</c:v></c:pt></c:lvl>"
    series = f"<c:ser><c:cat><c:multiLvlStrRef><c:multiLvlStrCache>{levels}</c:multiLvlStrCache></c:multiLvlStrRef></c:cat><c:val>{points('1', '2', '3')}</c:val></c:ser>"
    assert lines(f"<c:chartSpace>{series}</c:chartSpace>") == ["2023 Q1: 1; 2023 Q2: 2; 2024 Q1: 3"]


def test_charts_of_the_newer_kinds_are_read() -> None:
    xml = (
        "<cx:chartSpace><cx:chartData><cx:data id='0'>"
        "<cx:strDim type='cat'><cx:lvl><cx:pt idx='0'>Start</cx:pt><cx:pt idx='1'>End</cx:pt></cx:lvl></cx:strDim>"
        "<cx:numDim type='val'><cx:lvl formatCode='0%'><cx:pt idx='0'>0.5</cx:pt><cx:pt idx='1'>1</cx:pt></cx:lvl></cx:numDim>"
        "</cx:data></cx:chartData><cx:chart><cx:title><cx:tx><cx:rich><a:p><a:r><a:t>Steps</a:t></a:r></a:p></cx:rich></cx:tx></cx:title>"
        "<cx:plotArea><cx:plotAreaRegion><cx:series><cx:tx><cx:txData><cx:v>Share</cx:v></cx:txData></cx:tx>"
        "<cx:dataId val='0'/></cx:series></cx:plotAreaRegion></cx:plotArea></cx:chart></cx:chartSpace>"
    )
    assert lines(xml) == ["Chart: Steps", "Share: Start: 50%; End: 100%"]
