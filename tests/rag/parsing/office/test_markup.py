"""Small readers of markup."""

from xml.etree import ElementTree

import pytest
from office_files import named

from rag.parsing.office.markup import equation, local, whole


def test_a_name_without_its_namespace() -> None:
    assert local(ElementTree.fromstring(named("<w:p/>"))) == "p"
    assert local(ElementTree.fromstring("<p/>")) == "p"
    assert local(ElementTree.Comment("x")) == ""


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("-1", -1), ("", 5), (None, 5), ("1.5", 5), ("x", 5)]
)
def test_a_whole_number_or_another(text: str | None, number: int) -> None:
    assert whole(text, 5) == number


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<m:den/>", "/x"),
        ("<m:sup/>", "^x"),
        ("<m:sub/>", "_x"),
        ("<m:rad/>", "√x"),
        ("<m:d/>", "(x)"),
        ("<m:d><m:dPr><m:begChr m:val='['/><m:endChr m:val=''/></m:dPr></m:d>", "[x"),
        ("<m:nary/>", "∫x"),
        ("<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr></m:nary>", "∑x"),
        ("<m:r/>", "x"),
        ("<w:sup/>", "x"),
    ],
)
def test_equations_stand_on_one_line(xml: str, text: str) -> None:
    element = ElementTree.fromstring(named(xml))
    assert equation(element, "x") == text
    assert equation(element, "") == ""
