"""Reads the values that charts hold: of every kind, also those that came after Office 2013.

A chart keeps a copy of the values that it draws. They are read as they stand there; the counts beside them
(`ptCount`) are not believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from rag.parsing.office.markup import CHART, DRAWING, NEW_CHART, whole
from rag.parsing.office.number_formats import shown

Points = Mapping[int, str]  # from the place of a point in its series


def chart_lines(root: Element) -> list[str]:
    """Return a line for the title and each other text of a chart, and one for each series.

    `sales: east: 3; west: 4.5`, or `spread: (1, 2.5), (2, 3)` where a series has x values.
    """
    title = root.find(f"{CHART}chart/{CHART}title")
    if title is None:
        title = root.find(f"{NEW_CHART}chart/{NEW_CHART}title")
    heading = _title(title) if title is not None else ""
    others = [text for text in _texts(root) if text not in heading]
    return [*([f"Chart: {heading}"] if heading else []), *dict.fromkeys(others), *series_lines(root)]


def series_lines(root: Element) -> list[str]:
    """Return a line for each series of a chart that holds values."""
    return [line for line in (*_series(root), *_new_series(root)) if line]


def _title(element: Element) -> str:
    """Return the title that somebody wrote, or that stands in the cell which it names."""
    return " ".join(_texts(element)) or " ".join(_points(element).values())


def _texts(element: Element) -> list[str]:
    """Return the paragraphs below an element that contain words: titles, labels, axes."""
    paragraphs = (
        "".join(text.text or "" for text in paragraph.iter(f"{DRAWING}t"))
        for paragraph in element.iter(f"{DRAWING}p")
    )
    return [" ".join(words.split()) for words in paragraphs if words.strip()]


def _series(root: Element) -> Iterator[str]:
    for series in root.iter(f"{CHART}ser"):
        text = series.find(f"{CHART}tx")
        name = (
            " ".join((*_points(text).values(), text.findtext(f"{CHART}v") or "")) if text is not None else ""
        )
        values = _points(series.find(f"{CHART}val"))
        if values:
            yield _line(name, _points(series.find(f"{CHART}cat")), values)
            continue
        across, up = _points(series.find(f"{CHART}xVal")), _points(series.find(f"{CHART}yVal"))
        sizes = _points(series.find(f"{CHART}bubbleSize"))
        columns = [points for points in (across, up, sizes) if points]
        points = (", ".join(column.get(n, "") for column in columns) for n in sorted(up))
        yield _named(name, ", ".join(f"({point})" for point in points))


def _points(element: Element | None) -> dict[int, str]:
    """Return the points below an element; where they are named on several levels, the outer ones first."""
    if element is None:
        return {}
    levels = [_level(level) for level in element.iter(f"{CHART}lvl")]
    if not levels:
        return _level(element)
    joined: dict[int, str] = {}
    above = [""] * len(levels)
    for place in sorted({place for level in levels for place in level}):
        above = [level.get(place, last) for level, last in zip(levels, above, strict=True)]
        if place in levels[0]:
            joined[place] = " ".join(filter(None, reversed(above)))
    return joined


def _level(element: Element) -> dict[int, str]:
    code = element.find(f".//{CHART}formatCode")
    format_ = "General" if code is None else code.text or "General"
    return {
        whole(point.get("idx")): _value(point.findtext(f"{CHART}v"), point.get("formatCode") or format_)
        for point in element.iter(f"{CHART}pt")
    }


def _value(text: str | None, code: str) -> str:
    text = " ".join((text or "").split())
    try:
        return shown(float(text), code) if text.isascii() else text
    except ValueError:  # a word, or #N/A
        return text


def _line(name: str, categories: Points, values: Points) -> str:
    """Return a series as `name: category: value; ...`."""
    parts = (f"{categories[n]}: {values[n]}" if categories.get(n) else values[n] for n in sorted(values))
    return _named(name, "; ".join(parts))


def _named(name: str, values: str) -> str:
    name = " ".join(name.split())
    return f"{name}: {values}" if name and values else values


def _new_series(root: Element) -> Iterator[str]:
    """Yield the series of a chart of the newer kinds: waterfall, treemap, histogram, funnel."""
    data = {element.get("id", ""): element for element in root.iter(f"{NEW_CHART}data")}
    for series in root.iter(f"{NEW_CHART}series"):
        name = series.findtext(f"{NEW_CHART}tx/{NEW_CHART}txData/{NEW_CHART}v") or ""
        reference = series.find(f"{NEW_CHART}dataId")
        found = data.get("" if reference is None else reference.get("val", ""))
        if found is not None:
            yield _line(name, _dimension(found, "strDim"), _dimension(found, "numDim"))


def _dimension(data: Element, kind: str) -> dict[int, str]:
    """Return the points of a dimension; of a hierarchy's levels the innermost comes first and is the name."""
    level = data.find(f"{NEW_CHART}{kind}/{NEW_CHART}lvl")
    if level is None:
        return {}
    code = level.get("formatCode") or "General"
    return {whole(point.get("idx")): _value(point.text, code) for point in level.iter(f"{NEW_CHART}pt")}
