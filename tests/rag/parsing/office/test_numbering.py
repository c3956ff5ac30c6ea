"""Automatic numbers are counted as Word counts them."""

from xml.etree import ElementTree

import pytest
from office_files import named

from rag.parsing.office.numbering import Numbering, written


def level(number: int, text: str, style: str = "decimal", more: str = "") -> str:
    return (
        f"<w:lvl w:ilvl='{number}'><w:numFmt w:val='{style}'/><w:lvlText w:val='{text}'/>"
        f"<w:start w:val='1'/>{more}</w:lvl>"
    )


def numbering(levels: str, *uses: str, more: str = "") -> Numbering:
    nums = "".join(
        f"<w:num w:numId='{n}'><w:abstractNumId w:val='0'/>{use}</w:num>"
        for n, use in enumerate(uses or ("",), 1)
    )
    xml = (
        f"<w:numbering><w:abstractNum w:abstractNumId='0'>{levels}</w:abstractNum>{more}{nums}</w:numbering>"
    )
    return Numbering(ElementTree.fromstring(named(xml)))


def labels(numbers: Numbering, *items: tuple[str, int]) -> list[str]:
    return [numbers.label(number, depth).rstrip() for number, depth in items]


TWO = level(0, "%1.") + level(1, "%1.%2") + level(2, "(%3)", "lowerLetter")


def test_deeper_levels_start_anew_below_each_upper_one() -> None:
    items = [("1", depth) for depth in (0, 1, 1, 2, 2, 1, 2, 0, 1)]
    assert labels(numbering(TWO), *items) == ["1.", "1.1", "1.2", "(a)", "(b)", "1.3", "(a)", "2.", "2.1"]


def test_a_level_without_one_above_counts_from_its_start() -> None:
    assert labels(numbering(TWO), ("1", 1), ("1", 1)) == ["1.1", "1.2"]


def test_two_uses_of_a_list_count_on_unless_one_starts_anew() -> None:
    start = "<w:lvlOverride w:ilvl='0'><w:startOverride w:val='5'/></w:lvlOverride>"
    numbers = numbering(TWO, "", "", start)
    items = [("1", 0), ("2", 0), ("3", 0), ("3", 0), ("1", 0)]
    assert labels(numbers, *items) == ["1.", "2.", "5.", "6.", "7."]


def test_a_use_may_define_a_level_of_its_own() -> None:
    own = f"<w:lvlOverride w:ilvl='0'>{level(0, 'Article %1', 'upperRoman')}</w:lvlOverride>"
    assert labels(numbering(TWO, "", own), ("2", 0), ("2", 0), ("2", 1)) == [
        "Article I",
        "Article II",
        "2.1".replace("2.1", "II.1"),
    ]


def test_legal_numbers_are_decimal_and_some_levels_never_start_anew() -> None:
    levels = level(0, "%1", "upperRoman") + level(1, "%1.%2", more="<w:isLgl/><w:lvlRestart w:val='0'/>")
    items = [("1", depth) for depth in (0, 1, 0, 1)]
    assert labels(numbering(levels), *items) == ["I", "1.1", "II", "2.2"]


def test_bullets_and_unknown_lists_have_no_number() -> None:
    numbers = numbering(level(0, "\uf0b7", "bullet") + level(1, "%1.%2"))
    assert labels(numbers, ("1", 0), ("9", 0), ("1", 7)) == ["", "", ""]
    assert Numbering(None).label("1", 0) == ""


def test_a_space_follows_unless_the_list_says_otherwise() -> None:
    numbers = numbering(level(0, "第%1条", "chineseCounting", "<w:suff w:val='nothing'/>") + level(1, "%2)"))
    assert numbers.label("1", 0) == "第一条"
    assert numbers.label("1", 1) == "1) "


def test_a_list_may_be_that_of_a_numbering_style() -> None:
    link = "<w:abstractNum w:abstractNumId='7'><w:styleLink w:val='Legal'/>" + TWO + "</w:abstractNum>"
    numbers = numbering("<w:numStyleLink w:val='Legal'/>", more=link)
    assert labels(numbers, ("1", 0), ("1", 1)) == ["1.", "1.1"]


def test_the_level_of_a_style_is_the_one_tied_to_it() -> None:
    numbers = numbering(level(0, "%1") + level(1, "%2", more="<w:pStyle w:val='Clause'/>"))
    assert numbers.level_of_styles("1", ["Other", "Clause"]) == 1
    assert numbers.level_of_styles("1", ["Other"]) == 0
    assert numbers.level_of_styles("9", ["Clause"]) == 0


@pytest.mark.parametrize(
    ("number", "style", "text"),
    [
        (4, "lowerRoman", "iv"),
        (1994, "upperRoman", "MCMXCIV"),
        (4000, "upperRoman", "4000"),
        (0, "lowerRoman", "0"),
        (3, "lowerLetter", "c"),
        (28, "upperLetter", "BB"),
        (10**9, "lowerLetter", "1000000000"),
        (4, "decimalZero", "04"),
        (21, "ordinal", "21st"),
        (12, "ordinal", "12th"),
        (3, "none", ""),
        (10, "chineseCounting", "十"),
        (25, "japaneseCounting", "二十五"),
        (305, "chineseCountingThousand", "三百零五"),
        (110, "chineseCounting", "一百一十"),
        (7, "something new", "7"),
    ],
)
def test_numbers_are_written_as_their_format_says(number: int, style: str, text: str) -> None:
    assert written(number, style) == text
