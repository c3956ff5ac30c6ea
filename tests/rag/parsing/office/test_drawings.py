"""Drawings give their words once, and an account of what has none."""

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from office_files import chart, named, package, relations

from rag.parsing.account import Account
from rag.parsing.office.drawings import Drawings
from rag.parsing.office.package import Package


def element(xml: str) -> Element:
    return ElementTree.fromstring(named(xml))


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def drawings(tmp_path: Path, account: Account) -> Drawings:
    text = "<p:sp><a:p><a:r><a:t>On top</a:t></a:r></a:p></p:sp>"
    made = package(
        tmp_path / "a.zip",
        {
            "ppt/_rels/slide.xml.rels": relations({"c": ("chart", "chart.xml"), "x": ("chart", "lost.xml")}),
            "ppt/chart.xml": chart(),
            "ppt/_rels/chart.xml.rels": relations({"u": ("chartUserShapes", "shapes.xml")}),
            "ppt/shapes.xml": text,
        },
    )
    return Drawings(Package(made), account)


def test_words_keep_line_breaks_equations_and_signs(drawings: Drawings, account: Account) -> None:
    xml = (
        "<a:p><a:pPr/><a:r><a:rPr><a:sym typeface='Symbol'/></a:rPr><a:t>5 \uf0b1 3</a:t></a:r><a:br/>"
        "<a:r><a:rPr><a:latin typeface='Odd'/></a:rPr><a:t>x\uf041</a:t></a:r>"
        "<m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></a:p>"
    )
    assert drawings.words(element(xml)) == "5 ± 3\nxa/b"
    assert [line.text for line in account.lines] == [
        "1 sign not read (its font does not say what it means): Odd F041"
    ]


def test_paragraphs_without_words_are_left_out(drawings: Drawings) -> None:
    xml = "<p:sp><a:p/><a:p><a:r><a:t> one </a:t></a:r></a:p><a:p><a:r><a:t> </a:t></a:r></a:p></p:sp>"
    assert drawings.paragraphs(element(xml)) == ["one"]


def test_a_chart_is_read_once_with_the_texts_on_top_of_it(drawings: Drawings, account: Account) -> None:
    reference = element("<c:chart r:id='c'/>")
    assert drawings.graphic(reference, "ppt/slide.xml", "slide 1") == [
        "Units: North: 120; South: #N/A",
        "On top",
    ]
    assert drawings.graphic(reference, "ppt/slide.xml", "slide 1") == []
    assert drawings.graphic(element("<c:chart r:id='x'/>"), "ppt/slide.xml", "slide 2") == []
    assert [line.text for line in account.lines] == [
        "1 chart read",
        "1 chart not read (it is missing): slide 2",
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A red  boat", ["Picture: A red boat"]),
        ("", []),
        ("IMG_2041.JPG", []),
        ("my boat.jpeg", []),
        ("C:\\Users\\Jo\\my boat", []),
        ("Logo", []),
    ],
)
def test_a_description_of_a_picture_is_no_file_name(drawings: Drawings, text: str, lines: list[str]) -> None:
    assert drawings.description(Element("x", descr=text)) == lines
    assert drawings.description(None) == []
