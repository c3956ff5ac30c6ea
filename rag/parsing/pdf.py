"""PDF through pdfium: text by page, and pages as images with the rectangles of a quote.

pypdfium2 is not thread-safe (it crashes the process): one lock around every call. Hyphens at line ends
arrive as \\x02.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.events import ParsedDocument
from rag.parsing.assemble import TextBuilder

_LOCK = threading.Lock()
_HYPHEN_BREAK = re.compile("[\x02\ufffe]\\s*")


@dataclass(frozen=True)
class RenderedPage:
    """A page as packed RGB888 (stride = width * 3) and rectangles (x, y, width, height), all in pixels."""

    width: int
    height: int
    rgb: bytes
    rectangles: tuple[tuple[float, float, float, float], ...]
    page_count: int
    page_number: int


def parse_pdf(path: Path) -> ParsedDocument:
    builder = TextBuilder()
    with _LOCK:
        document = _open(path)
        try:
            title = document.get_metadata_dict().get("Title", "")
            for number in range(len(document)):
                builder.add("page", number + 1, f"page {number + 1}", _page_text(document, number))
        finally:
            document.close()
    if not builder.text.strip():
        raise DocumentError("The PDF has no text layer: its pages are pictures; run OCR on it first.")
    return ParsedDocument(title.strip() or path.stem, "application/pdf", builder.text, builder.places)


def render_page(path: Path, number: int, quote: str, scale: float) -> RenderedPage:
    """Draw page `number` (from 1) at `scale` pixels a point, and find the quote on it.

    A quote that runs over several pages is marked as far as it stands on this one.
    """
    with _LOCK:
        document = _open(path)
        try:
            count = len(document)
            number = min(max(number, 1), count)
            page = document[number - 1]
            bitmap = page.render(scale=min(max(scale, 0.2), 6.0), rev_byteorder=True, prefer_bgrx=False)
            picture = bitmap.to_numpy()
            rgb = picture[:, :, :3].tobytes() if picture.ndim == 3 else picture.repeat(3).tobytes()
            rectangles = _quote_rectangles(page, quote, bitmap.width / page.get_width()) if quote else ()
            return RenderedPage(bitmap.width, bitmap.height, rgb, rectangles, count, number)
        finally:
            document.close()


def _open(path: Path) -> Any:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise DocumentError(
                "The PDF is protected by a password; save a copy without it and add that."
            ) from error
        raise DocumentError(
            "The PDF is damaged or not a PDF; open it in a viewer and save it again."
        ) from error
    if len(document) == 0:
        document.close()
        raise DocumentError("The PDF has no pages.")
    return document


def _page_text(document: Any, number: int) -> str:
    page = document[number]
    text_page = page.get_textpage()
    try:
        return _HYPHEN_BREAK.sub("", text_page.get_text_bounded().replace("\r\n", "\n"))
    finally:
        text_page.close()
        page.close()


def _quote_rectangles(page: Any, quote: str, scale: float) -> tuple[tuple[float, float, float, float], ...]:
    text_page = page.get_textpage()
    raw = text_page.get_text_range()
    letters, positions = _letters(raw)
    wanted, _ = _letters(quote)
    span = _longest_match(letters, wanted)
    if span is None:
        return ()
    first, last = positions[span[0]], positions[span[1] - 1]
    height = page.get_height()
    count = text_page.count_rects(first, last - first + 1)
    boxes = [text_page.get_rect(index) for index in range(count)]
    return tuple(
        (left * scale, (height - top) * scale, (right - left) * scale, (top - bottom) * scale)
        for left, bottom, right, top in boxes
    )


def _letters(text: str) -> tuple[str, list[int]]:
    """Letters and digits alone, lower-cased, with their places: white space and hyphens differ by renderer."""
    kept = [(character.lower(), index) for index, character in enumerate(text) if character.isalnum()]
    return "".join(c[0] for c, _ in kept), [index for _, index in kept]


def _longest_match(letters: str, wanted: str) -> tuple[int, int] | None:
    """Where the wanted letters stand, whole or, at a page's edge, their longest beginning or end."""
    if not wanted or not letters:
        return None
    at = letters.find(wanted)
    if at >= 0:
        return at, at + len(wanted)
    for size in (120, 60, 30, 15):
        if len(wanted) < size:
            continue
        at = letters.find(wanted[:size])
        if at >= 0:
            length = _shared(letters[at:], wanted)
            return at, at + length
        at = letters.rfind(wanted[-size:])
        if at >= 0:
            end = at + size
            length = _shared(letters[:end][::-1], wanted[::-1])
            return end - length, end
    return None


def _shared(one: str, other: str) -> int:
    """Length of the common beginning, forgiving single differences."""
    end = misses = 0
    for index, (a, b) in enumerate(zip(one, other, strict=False), 1):
        if a == b:
            misses, end = 0, index
        else:
            misses += 1
            if misses > 3:
                break
    return end
