"""Styles tell headings and numbered paragraphs, along the styles that they are based on."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from office_files import named

from rag.parsing.office.styles import Styles, property_value


def styles(*given: tuple[str, str, str, str]) -> Styles:
    """Make styles from (id, name, based on, properties)."""
    inner = "".join(
        f"<w:style w:type='paragraph' w:styleId='{key}' w:default='{int(key == 'Normal')}'><w:name w:val='{name}'/>"
        f"<w:basedOn w:val='{based_on}'/><w:pPr>{properties}</w:pPr></w:style>"
        for key, name, based_on, properties in given
    )
    return Styles(ElementTree.fromstring(named(f"<w:styles>{inner}</w:styles>")))


def paragraph(properties: str) -> Element:
    return ElementTree.fromstring(named(f"<w:p><w:pPr>{properties}</w:pPr></w:p>"))


GIVEN = (
    ("Normal", "Normal", "", ""),
    ("H2", "heading 2", "Normal", "<w:numPr><w:ilvl w:val='1'/><w:numId w:val='4'/></w:numPr>"),
    ("Own", "My heading", "H2", ""),
    ("Toc", "TOC Heading", "H2", "<w:outlineLvl w:val='9'/>"),
    ("Outline", "Anything", "Normal", "<w:outlineLvl w:val='2'/>"),
    ("Title", "Title", "Normal", ""),
    ("Round", "Round", "Circle", ""),
    ("Circle", "Circle", "Round", ""),
)


@pytest.mark.parametrize(
    ("properties", "level"),
    [
        ("<w:pStyle w:val='H2'/>", 2),
        ("<w:pStyle w:val='Own'/>", 2),
        ("<w:pStyle w:val='Toc'/>", None),
        ("<w:pStyle w:val='Outline'/>", 3),
        ("<w:pStyle w:val='Title'/>", 0),
        ("<w:pStyle w:val='Round'/>", None),
        ("<w:pStyle w:val='Heading1'/>", 1),
        ("<w:outlineLvl w:val='0'/>", 1),
        ("<w:pStyle w:val='H2'/><w:outlineLvl w:val='9'/>", None),
        ("", None),
    ],
)
def test_the_level_of_a_heading(properties: str, level: int | None) -> None:
    assert styles(*GIVEN).level(paragraph(properties)) == level


def test_without_styles_the_ids_are_names() -> None:
    assert Styles(None).level(paragraph("<w:pStyle w:val='Heading3'/>")) == 3


@pytest.mark.parametrize(
    ("properties", "numbering"),
    [
        ("<w:pStyle w:val='Own'/>", ("4", 1, ["Own", "H2"])),
        ("<w:pStyle w:val='Own'/><w:numPr><w:ilvl w:val='3'/></w:numPr>", ("4", 3, ["Own", "H2"])),
        ("<w:pStyle w:val='Own'/><w:numPr><w:numId w:val='0'/></w:numPr>", None),
        ("<w:numPr><w:numId w:val='8'/></w:numPr>", ("8", None, [])),
        ("<w:pStyle w:val='Round'/>", None),
    ],
)
def test_the_list_of_a_paragraph(
    properties: str, numbering: tuple[str, int | None, list[str]] | None
) -> None:
    assert styles(*GIVEN).numbering(paragraph(properties)) == numbering


def test_the_usual_style_counts_for_paragraphs_without_one() -> None:
    numbered = ("Normal", "Normal", "", "<w:numPr><w:numId w:val='2'/></w:numPr>")
    assert styles(numbered).numbering(paragraph("")) == ("2", None, ["Normal"])


def test_the_value_of_a_property() -> None:
    element = paragraph("<w:jc w:val='left'/><w:b/>").find("*")
    assert property_value(element, "jc") == "left"
    assert property_value(element, "b") == property_value(element, "x") == property_value(None, "x") == ""
