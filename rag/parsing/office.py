"""Reads DOCX by section and PPTX by slide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.parsing.assemble import HeadingPath, TextBuilder, title_or_name
from rag.parsing.rows import ParsedDocument

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT = {f"{_WORD}t", f"{_MATH}t"}
_SIGNS = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}
# Properties contain no text (a tab stop is not a tab); deleted and moved text is elsewhere or nowhere; the
# fallback repeats a text box for old versions of Word.
_SKIPPED = {f"{_WORD}pPr", f"{_WORD}rPr", f"{_WORD}del", f"{_WORD}moveFrom", _FALLBACK}
_MATH_SIGNS = {f"{_MATH}den": "/", f"{_MATH}sup": "^", f"{_MATH}sub": "_"}
_WRAPPERS = {f"{_WORD}sdt", f"{_WORD}sdtContent", f"{_WORD}customXml", f"{_WORD}ins", f"{_WORD}moveTo"}
_HEADING = re.compile(r"(?:heading|titre|überschrift)\s*(\d)", re.IGNORECASE)


def parse_docx(path: Path) -> ParsedDocument:
    """Return a Word document with a place for each section; table rows become `a | b` lines."""
    import docx

    document = docx.Document(str(path))
    builder, headings = TextBuilder(), HeadingPath()
    lines: list[str] = []

    def close_section() -> None:
        builder.add("section", None, headings.label, "\n".join(lines))
        lines.clear()

    for block in _blocks(document.element.body, document._body):
        if hasattr(block, "rows"):
            lines.extend(_table_lines(block))
            continue
        words = _words(block._p).rstrip()
        level = _heading_level(block)
        if level is not None and words.strip():
            close_section()
            headings.enter(level, words)
        lines.append(words)
    close_section()
    try:  # a file without a properties part gets a default one from python-docx, a damaged one raises
        title = document.core_properties.title or ""
    except (KeyError, ValueError):
        title = ""
    return ParsedDocument(title_or_name(title, path), DOCX, builder.text, builder.places)


def _blocks(element: Any, parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables in order, also those in content controls, which python-docx leaves out."""
    from docx.table import Table
    from docx.text.paragraph import Paragraph

    for child in element:
        if child.tag == f"{_WORD}p":
            yield Paragraph(child, parent)
        elif child.tag == f"{_WORD}tbl":
            yield Table(child, parent)
        elif child.tag in _WRAPPERS:
            yield from _blocks(child, parent)


def _words(element: Any) -> str:
    """Return the text of runs, links, text boxes and equations; python-docx leaves out the last two."""
    parts = []
    for child in element:
        if child.tag in _TEXT:
            parts.append(child.text or "")
        elif child.tag in _SIGNS:
            parts.append(_SIGNS[child.tag])
        elif child.tag not in _SKIPPED:
            words = _words(child)
            if words and child.tag in _MATH_SIGNS:
                words = _MATH_SIGNS[child.tag] + words
            parts.append(f"\n{words}" if child.tag == f"{_WORD}p" else words)
    return "".join(parts)


def _heading_level(paragraph: Any) -> int | None:
    try:
        name = paragraph.style.name or ""
    except (AttributeError, KeyError):
        return None  # a document without a styles part
    if name == "Title":
        return 0
    found = _HEADING.match(name)
    return int(found.group(1)) if found else None


def _table_lines(table: Any) -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        seen: set[int] = set()
        for cell in row.cells:
            if id(cell._tc) in seen:  # a merged cell is returned once per column
                continue
            seen.add(id(cell._tc))
            cells.append(_cell_text(cell))
        if any(cells):
            yield " | ".join(cells)


def _cell_text(cell: Any) -> str:
    words: list[str] = []
    for block in _blocks(cell._tc, cell):
        words.extend(_table_lines(block) if hasattr(block, "rows") else [_words(block._p)])
    return " ".join(" ".join(words).split())


def parse_pptx(path: Path) -> ParsedDocument:
    """Return a presentation with a place for each slide: its shapes, tables, charts and notes."""
    from pptx import Presentation

    presentation = Presentation(str(path))
    builder = TextBuilder()
    for number, slide in enumerate(presentation.slides, 1):
        lines = [line for shape in slide.shapes for line in _shape_lines(shape)]
        if slide.has_notes_slide:
            frame = slide.notes_slide.notes_text_frame
            notes = frame.text.strip() if frame is not None else ""
            if notes:
                lines.append(f"Notes: {notes}")
        builder.add("slide", number, f"slide {number}", "\n".join(lines))
    title = presentation.core_properties.title or ""
    return ParsedDocument(title_or_name(title, path), PPTX, builder.text, builder.places)


def _shape_lines(shape: Any) -> Iterator[str]:
    if hasattr(shape, "shapes"):
        for inner in shape.shapes:
            yield from _shape_lines(inner)
    elif getattr(shape, "has_table", False) and shape.has_table:
        for row in shape.table.rows:
            cells = [" ".join(cell.text.split()) for cell in row.cells]
            if any(cells):
                yield " | ".join(cells)
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        yield from _chart_lines(shape.chart)
    elif getattr(shape, "has_text_frame", False) and shape.text_frame.text.strip():
        yield shape.text_frame.text.replace("\v", "\n").strip()


def _chart_lines(chart: Any) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield f"Chart: {chart.chart_title.text_frame.text}"
    for plot in chart.plots:
        categories = [str(category) for category in plot.categories]
        if not categories:
            yield from _point_lines(plot)
        for series in plot.series:
            values = [f"{name}: {value}" for name, value in zip(categories, series.values, strict=False)]
            if values:
                yield f"{series.name}: " + "; ".join(values)


def _point_lines(plot: Any) -> Iterator[str]:
    """Yield a line for each series of a scatter or bubble chart, which has x values instead of categories."""
    for series in plot.series:
        axis = series._element.xpath("c:xVal//c:pt/c:v")
        points = [f"({x.text}, {y})" for x, y in zip(axis, series.values, strict=False)]
        if points:
            yield f"{series.name}: " + ", ".join(points)
