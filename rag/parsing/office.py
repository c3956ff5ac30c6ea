"""DOCX by section and PPTX by slide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.events import ParsedDocument
from rag.parsing.assemble import HeadingPath, TextBuilder

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|titre|überschrift)\s*(\d)", re.IGNORECASE)


def parse_docx(path: Path) -> ParsedDocument:
    import docx

    document = docx.Document(str(path))
    builder, headings = TextBuilder(), HeadingPath()
    lines: list[str] = []

    def close_section() -> None:
        builder.add("section", None, headings.label, "\n".join(lines))
        lines.clear()

    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            lines.extend(_table_lines(block))
            continue
        words = _paragraph_text(block)
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
    return ParsedDocument(title.strip() or path.stem, DOCX, builder.text, builder.places)


def _paragraph_text(paragraph: Any) -> str:
    """Text of runs, links and equations in order (python-docx leaves equations out)."""
    parts = []
    for node in paragraph._p.iter():
        if node.tag in (f"{_WORD}t", _MATH_TEXT):
            parts.append(node.text or "")
        elif node.tag == f"{_WORD}tab":
            parts.append("\t")
        elif node.tag in (f"{_WORD}br", f"{_WORD}cr"):
            parts.append("\n")
    return "".join(parts).rstrip()


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
            cells.append(" ".join(cell.text.split()))
        if any(cells):
            yield " | ".join(cells)


def parse_pptx(path: Path) -> ParsedDocument:
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
    return ParsedDocument(title.strip() or path.stem, PPTX, builder.text, builder.places)


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
        for series in plot.series:
            values = [f"{name}: {value}" for name, value in zip(categories, series.values, strict=False)]
            if values:
                yield f"{series.name}: " + "; ".join(values)
