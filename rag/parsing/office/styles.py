"""Knows the paragraph styles of a Word document: which are headings, and which number their paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from rag.parsing.office.markup import WORD, whole

_HEADING = re.compile(r"(?:heading|titre|überschrift)\s*(\d)", re.IGNORECASE)
_BODY_TEXT = 9  # the outline level of what is no heading


@dataclass(frozen=True)
class _Style:
    name: str
    based_on: str
    properties: Element | None


class Styles:
    """The paragraph styles of a document, by their ids."""

    def __init__(self, root: Element | None) -> None:
        """Read the styles part; without one, ids such as "Heading1" are taken for names."""
        self._styles: dict[str, _Style] = {}
        self._usual = ""
        for element in root.iterfind(f"{WORD}style") if root is not None else ():
            key = element.get(f"{WORD}styleId", "")
            self._styles[key] = _Style(
                property_value(element, "name"),
                property_value(element, "basedOn"),
                element.find(f"{WORD}pPr"),
            )
            if element.get(f"{WORD}type") == "paragraph" and element.get(f"{WORD}default") in (
                "1",
                "true",
                "on",
            ):
                self._usual = key

    def level(self, paragraph: Element) -> int | None:
        """Return the heading level of a paragraph from 1, 0 for a document's title, None for other text."""
        properties = paragraph.find(f"{WORD}pPr")
        outline = property_value(properties, "outlineLvl")
        if outline:
            return _level(outline)
        for key, style in self._chain(properties):
            name = style.name or key
            if name == "Title":
                return 0
            found = _HEADING.match(name)
            if found:
                return int(found[1])
            outline = property_value(style.properties, "outlineLvl")
            if outline:
                return _level(outline)
        return None

    def numbering(self, paragraph: Element) -> tuple[str, int | None, list[str]] | None:
        """Return the list that numbers a paragraph, its level if one is set, and the styles up to its own."""
        properties = paragraph.find(f"{WORD}pPr")
        level = ""
        sources = [("", properties), *((key, style.properties) for key, style in self._chain(properties))]
        for n, (_, source) in enumerate(sources):
            numbered = source.find(f"{WORD}numPr") if source is not None else None
            if numbered is None:
                continue
            level = level or property_value(numbered, "ilvl")
            number_id = property_value(numbered, "numId")
            if number_id:
                keys = [key for key, _ in sources[1 : n + 1]]
                return (number_id, whole(level) if level else None, keys) if number_id != "0" else None
        return None

    def _chain(self, properties: Element | None) -> Iterator[tuple[str, _Style]]:
        """Yield the style of a paragraph and those that it is based on; some files go round in a circle."""
        key = property_value(properties, "pStyle") or self._usual
        seen: set[str] = set()
        while key and key not in seen:
            seen.add(key)
            style = self._styles.get(key)
            yield key, style or _Style("", "", None)
            key = style.based_on if style else ""


def property_value(element: Element | None, name: str) -> str:
    """Return the value of a property below an element, "" where it is not set."""
    child = element.find(f"{WORD}{name}") if element is not None else None
    return "" if child is None else child.get(f"{WORD}val", "")


def _level(outline: str) -> int | None:
    level = whole(outline, _BODY_TEXT)
    return level + 1 if 0 <= level < _BODY_TEXT else None
