"""Counts the automatic numbers of a Word document: "2.1", "(a)", "Article IV".

Word stores only which list and level a paragraph belongs to. The numbers that everybody sees, and that other
sentences refer to, have to be counted from the beginning of the document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from rag.parsing.office.markup import WORD, whole
from rag.parsing.office.styles import property_value

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_CHINESE_DIGITS = "零一二三四五六七八九"
_MOST_ROMAN = 3999
_MOST_LETTERS = 26 * 20  # Word writes 27 as "aa" and 53 as "aaa"; a start of a million would be a long word
_PLACEHOLDER = re.compile(r"%([1-9])")


@dataclass(frozen=True)
class _Level:
    start: int
    format: str
    text: str  # "%1.%2" or "Article %1"
    restarts_after: int | None  # the level, from 1, above which nothing restarts it; None: any level above
    is_legal: bool  # all numbers in it are decimal
    is_close: bool  # no space follows
    style: str  # the paragraph style that is tied to it


@dataclass
class _List:
    """A definition of a list (abstractNum), with its counters."""

    levels: dict[int, _Level]
    link: str = ""  # a numbering style whose definition is used instead
    counts: dict[int, int] = field(default_factory=dict)


@dataclass
class _Use:
    """A use of a list (num), which may start some levels anew."""

    list: _List
    levels: dict[int, _Level]
    starts: dict[int, int]


class Numbering:
    """The lists of a document. `label` counts on, so it is asked once a paragraph and in their order."""

    def __init__(self, root: Element | None) -> None:
        """Read the definitions from the numbering part; without one, nothing is numbered."""
        self._uses: dict[str, _Use] = {}
        if root is None:
            return
        lists: dict[str, _List] = {}
        by_style: dict[str, _List] = {}
        for element in root.iterfind(f"{WORD}abstractNum"):
            made = _List(_levels(element), property_value(element, "numStyleLink"))
            lists[element.get(f"{WORD}abstractNumId", "")] = made
            by_style[property_value(element, "styleLink")] = made
        for element in root.iterfind(f"{WORD}num"):
            used = lists.get(property_value(element, "abstractNumId"))
            if used is not None and used.link:
                used = by_style.get(used.link, used)
            if used is not None:
                levels, starts = _overrides(element, used.levels)
                self._uses[element.get(f"{WORD}numId", "")] = _Use(used, levels, starts)

    def level_of_styles(self, number_id: str, styles: Sequence[str]) -> int:
        """Return the level of a list that is tied to the first of some paragraph styles, 0 where none is."""
        use = self._uses.get(number_id)
        tied = {definition.style: level for level, definition in use.levels.items()} if use else {}
        return next((tied[style] for style in styles if style in tied), 0)

    def label(self, number_id: str, level: int) -> str:
        """Return the number of the next paragraph of a list, with the space after it; "" for bullets."""
        use = self._uses.get(number_id)
        definition = use.levels.get(level) if use else None
        if use is None or definition is None:
            return ""
        counts = use.list.counts
        if level in use.starts:  # only the first paragraph of this use starts anew
            counts[level] = use.starts.pop(level)
        else:
            counts[level] = counts[level] + 1 if level in counts else definition.start
        for deeper, below in use.levels.items():
            limit = below.restarts_after
            if deeper > level and (limit is None or level < limit):
                counts.pop(deeper, None)
        if definition.format == "bullet":
            return ""
        label = _PLACEHOLDER.sub(lambda found: _part(use, definition, int(found[1]) - 1), definition.text)
        return label + ("" if definition.is_close or not label.strip() else " ")


def _part(use: _Use, definition: _Level, level: int) -> str:
    """Return the number of one level within a label, such as the 2 of "2.1"."""
    other = use.levels.get(level)
    if other is None:
        return ""
    number = use.list.counts.get(level, other.start)
    return written(number, "decimal" if definition.is_legal else other.format)


def _levels(element: Element) -> dict[int, _Level]:
    return {whole(level.get(f"{WORD}ilvl")): _level(level) for level in element.iterfind(f"{WORD}lvl")}


def _level(element: Element) -> _Level:
    restart = element.find(f"{WORD}lvlRestart")
    return _Level(
        start=whole(property_value(element, "start"), 1),
        format=property_value(element, "numFmt") or "decimal",
        text=property_value(element, "lvlText"),
        restarts_after=None if restart is None else whole(restart.get(f"{WORD}val")),
        is_legal=element.find(f"{WORD}isLgl") is not None,
        is_close=property_value(element, "suff") == "nothing",
        style=property_value(element, "pStyle"),
    )


def _overrides(element: Element, levels: dict[int, _Level]) -> tuple[dict[int, _Level], dict[int, int]]:
    """Return the levels of a list as one use of it has them, and the numbers with which it starts some."""
    levels, starts = dict(levels), {}
    for override in element.iterfind(f"{WORD}lvlOverride"):
        number = whole(override.get(f"{WORD}ilvl"))
        level = override.find(f"{WORD}lvl")
        if level is not None:
            levels[number] = _level(level)
        start = property_value(override, "startOverride")
        if start and number in levels:
            starts[number] = whole(start, 1)
            levels[number] = replace(levels[number], start=starts[number])
    return levels, starts


def written(number: int, style: str) -> str:
    """Return a number as a list writes it: "iv", "d", "04", "四".

    Args:
        number: The number.
        style: Word's name for the format; one that is not known is written in decimal.
    """
    if style == "none":
        return ""
    if style == "decimalZero":
        return f"{number:02}"
    if style in ("lowerRoman", "upperRoman") and 0 < number <= _MOST_ROMAN:
        return _roman(number) if style == "lowerRoman" else _roman(number).upper()
    if style in ("lowerLetter", "upperLetter") and 0 < number <= _MOST_LETTERS:
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if style == "lowerLetter" else letters.upper()
    if style == "ordinal":
        return f"{number}{_ending(number)}"
    if style.startswith(("chineseCounting", "japaneseCounting", "taiwaneseCounting")) and 0 < number < 10_000:
        return _chinese(number)
    return str(number)


def _roman(number: int) -> str:
    parts = []
    for value, letters in _ROMAN:
        parts.append(letters * (number // value))
        number %= value
    return "".join(parts)


def _ending(number: int) -> str:
    if 10 <= number % 100 <= 20:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _chinese(number: int) -> str:
    parts = ""
    for value, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, value)
        if digit:
            parts += _CHINESE_DIGITS[digit] + unit
        elif parts and number and not parts.endswith("零"):
            parts += "零"
    return parts.removeprefix("一") if parts.startswith("一十") else parts
