r"""Reads PDF through pdfium: text by page, and pages as images with the rectangles of a quote.

pypdfium2 is not thread-safe (it crashes the process): one lock around every call. Hyphens at line ends
arrive as \x02 or \ufffe, without the line break.
"""

from __future__ import annotations

import ctypes
import re
import threading
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.errors import DocumentError, NotFoundError
from rag.parsing import assemble
from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder, title_or_name
from rag.parsing.pdf.extras import PageExtras, has_guessed_letters
from rag.parsing.rows import ParsedDocument, RenderedPage
from rag.text.file_keys import is_text

LARGEST_PICTURE = 40_000_000  # pixels: a poster of 5 m at full scale would take gigabytes
_LOCK = threading.Lock()
_FINE = 16
_SHORTEST_OVERLAP = 4  # letters; fewer at the edge of a page are chance
_LINE_HYPHEN = re.compile("[\x02\ufffe]\\s*")
_HYPHENATED = re.compile(r"(?<![^\W_])[^\W_]{1,40}-[^\W_]{1,40}")
_WORD = re.compile(r"[^\W_]+")
_WORD_END = re.compile(r"[^\W_]*\Z")
_NUMBER_BREAK = re.compile(r"(?<=\d[-–])\n(?=\d)")
# English compounds that keep their hyphen, and are so frequent that one may stand at a line's end alone.
_COMPOUNDS = frozenset(
    "long-term short-term medium-term full-time part-time real-time first-time high-level low-level high- "
    "speed high-quality high-risk low-cost well-known well-being well-defined self-service self-closing "
    "self-contained self-employed third-party first-party follow-up built-in check-in log-in sign-in "
    "start-up set-up back-up so-called up-to state-of end-to on-site off-site on-line non-profit cost- "
    "effective user-friendly case-by day-to year-end year-old decision-making open-source pre-existing "
    "re-entry co-operation anti-virus cross-border large-scale small-scale two-thirds one-third three- "
    "quarters double-check".split()
)


def parse_pdf(path: Path) -> ParsedDocument:
    """Return a PDF with a place for each page that has text, form values or comments.

    The document's account names pages that could not be read. Raises DocumentError when the PDF is damaged,
    has a password or contains nothing to read.
    """
    account = Account()
    unread: dict[str, list[int]] = {}  # why a page has no text -> its numbers
    pages: list[tuple[str, list[str]]] = []
    with _LOCK:
        document = _open(path)
        try:
            title = document.get_metadata_dict().get("Title", "")
            extras = PageExtras(document, account)
            for number in range(len(document)):
                assemble.heartbeat()
                text, more, reason = _read_page(document, number, extras)
                pages.append((text, more))
                if reason:
                    unread.setdefault(reason, []).append(number + 1)
            embedded = extras.files()
        finally:
            document.close()
    builder = TextBuilder()
    hyphens = _Hyphens(text for text, _ in pages)
    for number, (text, more) in enumerate(pages, 1):
        parts = [hyphens.settle(text), "\n".join(more)]
        builder.add("page", number, f"page {number}", "\n\n".join(part for part in parts if part.strip()))
    if not builder.text.strip() and not embedded:
        raise DocumentError(_nothing_to_read(unread, extras.has_form))
    for reason, numbers in unread.items():
        account.leave_out("page", f"{_page_ranges(numbers)} of {len(pages)}: {reason}", len(numbers))
    return ParsedDocument(
        title_or_name(title, path), "application/pdf", builder.text, builder.places,
        account=account.lines, embedded=embedded,
    )  # fmt: skip


_PICTURE = "an image without text; run OCR on the PDF and add it again"
_DRAWN = "its words are drawn as shapes; run OCR on the PDF and add it again"
_NAMELESS = "its fonts do not say which letters they show; run OCR on the PDF and add it again"


def _nothing_to_read(unread: dict[str, list[int]], has_form: bool) -> str:
    """Return why a PDF gives no text at all, and what can be done."""
    if _PICTURE in unread:
        return "The PDF has no text layer: its pages are images. Run OCR on it first."
    if _NAMELESS in unread:
        return "The fonts of the PDF do not say which letters they show. Run OCR on it first."
    if _DRAWN in unread:
        return "The words of the PDF are drawn as shapes, not written. Run OCR on it first."
    if has_form:
        return "The PDF contains nothing but a form in which nothing is filled in."
    return "The pages of the PDF are blank."


def render_page(path: Path, number: int, quote: str, scale: float) -> RenderedPage:
    """Draw a page and find a quote on it.

    Args:
        path: The PDF.
        number: The page, from 1; a number out of range is moved to the first or last page.
        quote: What to mark, "" for nothing. A quote over several pages is marked as far as it is on this one.
        scale: Pixels a point, within 0.2 and 6; less for a huge page.

    Raises NotFoundError when the
    file is gone, DocumentError when the page is damaged.
    """
    import pypdfium2

    if not path.exists():
        raise NotFoundError(
            f"{path} is no longer there. Its text is shown as it was when the document was added."
        )

    with _LOCK:
        document = _open(path)
        try:
            return _render(document, min(max(number, 1), len(document)), quote, scale)
        except pypdfium2.PdfiumError as error:
            raise DocumentError(f"Page {number} of the PDF is damaged and cannot be shown.") from error
        finally:
            document.close()


def _render(document: Any, number: int, quote: str, scale: float) -> RenderedPage:
    page = document[number - 1]
    try:
        largest = (LARGEST_PICTURE / (page.get_width() * page.get_height())) ** 0.5
        scale = min(max(scale, 0.2), 6.0, largest)
        bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
        picture = bitmap.to_numpy()
        rgb = picture[:, :, :3].tobytes() if picture.ndim == 3 else picture.repeat(3).tobytes()
        size = bitmap.width, bitmap.height
        rectangles = _quote_rectangles(page, quote, size) if quote else ()
        return RenderedPage(*size, rgb, rectangles, len(document), number)
    finally:
        page.close()


def _open(path: Path) -> Any:
    import pypdfium2

    try:
        # pdfium opens files by names in UTF-8 alone.
        document = pypdfium2.PdfDocument(path if is_text(path) else path.read_bytes())
    except FileNotFoundError as error:
        raise DocumentError("The PDF is no longer where it was.") from error
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


def _read_page(document: Any, number: int, extras: PageExtras) -> tuple[str, list[str], str]:
    """Return a page's text, its form values and comments, and why it has no text, if there is a reason."""
    page = document[number]
    text_page = page.get_textpage()
    try:
        text = _separated(text_page.get_text_bounded(), text_page.get_text_range()).replace("\r\n", "\n")
        more = list(extras.lines(page))
        if text.strip() and not has_guessed_letters(text_page, text):
            return text, more, ""
        return "", more, _NAMELESS if text.strip() else _why_blank(page)
    finally:
        text_page.close()
        page.close()


def _separated(bounded: str, ranged: str) -> str:
    """Return a page's text with a gap between all of its lines.

    Of pdfium's two ways to read a page, one joins lines that are written sideways; the other is worse at
    raised figures. Where both have the same words, the first is right.
    """
    if bounded.split() == ranged.replace("\ufffe", "\x02").split():
        return bounded
    return (
        ranged if "".join(bounded.split()) == "".join(ranged.replace("\ufffe", "\x02").split()) else bounded
    )


_MANY_SHAPES = 100  # more than the lines and frames of a page


def _why_blank(page: Any) -> str:
    """Return why a page gives no text: it is an image, or its words are shapes; "" when it is blank."""
    from pypdfium2 import raw

    shapes = 0
    for item in page.get_objects():
        if item.type == raw.FPDF_PAGEOBJ_IMAGE:
            return _PICTURE
        shapes += item.type == raw.FPDF_PAGEOBJ_PATH
    return _DRAWN if shapes > _MANY_SHAPES else ""


class _Hyphens:
    """Decides which hyphens at line ends belong to their word, by the other words of the document."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._words: set[str] = set()
        self._hyphenated: set[str] = set()
        for text in map(str.lower, texts):
            self._words.update(_WORD.findall(text))
            self._hyphenated.update(_HYPHENATED.findall(text))

    def settle(self, text: str) -> str:
        """Return a text in which every word that a line's end divided is whole."""
        return _NUMBER_BREAK.sub("", _LINE_HYPHEN.sub(self._join, text))

    def _join(self, found: re.Match[str]) -> str:
        near = found.string[max(found.start() - 40, 0) : found.start()]
        before = near[_WORD_END.search(near).start() :]  # type: ignore[union-attr]
        word = _WORD.match(found.string, found.end(), found.end() + 40)
        after = word.group() if word else ""
        hyphenated = f"{before}-{after}".lower()
        if hyphenated in self._hyphenated:
            return "-"
        if (before + after).lower() in self._words:
            return ""
        beside = before[-1:] + after[:1]
        # A letter alone is no syllable: e-mail, X-ray.
        stays = len(before) < 2 or len(after) < 2 or any(sign.isdigit() or sign.isupper() for sign in beside)
        return "-" if stays or hyphenated in _COMPOUNDS else ""


def _page_ranges(numbers: list[int], most: int = 6) -> str:
    """Return page numbers as text, such as "page 2" or "pages 2, 4-9 and others"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    text = ", ".join("-".join(map(str, run)) for run in runs[:most])
    return ("page " if len(numbers) == 1 else "pages ") + text + (" and others" if len(runs) > most else "")


def _quote_rectangles(
    page: Any, quote: str, size: tuple[int, int]
) -> tuple[tuple[float, float, float, float], ...]:
    text_page = page.get_textpage()
    try:
        letters, positions = _page_letters(text_page)
        span = _longest_match(letters, _letters([quote])[0])
        if span is None:
            return ()
        first, last = positions[span[0]], positions[span[1] - 1]
        count = text_page.count_rects(first, last - first + 1)
        boxes = [text_page.get_rect(index) for index in range(count)]
        return tuple(_to_pixels(page, line, size) for line in _merge_lines(boxes))
    finally:
        text_page.close()


def _page_letters(text_page: Any) -> tuple[str, list[int]]:
    """Return a page's letters and the number that pdfium gives each, which is not its offset in the text."""
    from pypdfium2 import raw

    codes = (raw.FPDFText_GetUnicode(text_page, index) for index in range(text_page.count_chars()))
    return _letters(chr(code) if 0 < code < 0x110000 else " " for code in codes)


def _letters(pieces: Iterable[str]) -> tuple[str, list[int]]:
    """Return the letters and digits alone, lower-cased and decomposed, and the piece that each came from.

    White space, hyphens, ligatures and accents differ between the text of a document and that of its page.
    """
    letters: list[str] = []
    positions: list[int] = []
    for index, piece in enumerate(pieces):
        kept = [c for c in unicodedata.normalize("NFKD", piece).lower() if c.isalnum()]
        letters += kept
        positions += [index] * len(kept)
    return "".join(letters), positions


def _to_pixels(
    page: Any, box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Return a box on the page, in points, as (x, y, width, height) in pixels of the picture.

    pdfium computes it, because pages may be rotated and cropped. It returns whole numbers: hence _FINE.
    """
    from pypdfium2 import raw

    left, bottom, right, top = box
    x, y = ctypes.c_int(), ctypes.c_int()
    corners = []
    for across, up in ((left, bottom), (right, top)):
        raw.FPDF_PageToDevice(page, 0, 0, size[0] * _FINE, size[1] * _FINE, 0, across, up, x, y)
        corners.append((x.value / _FINE, y.value / _FINE))
    (x1, y1), (x2, y2) = corners
    return min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)


def _merge_lines(
    boxes: list[tuple[float, float, float, float]],
) -> list[tuple[float, float, float, float]]:
    """Join boxes (left, bottom, right, top) of one line: pdfium returns one for each change of font."""
    lines: list[tuple[float, float, float, float]] = []
    for box in boxes:
        if lines:
            last = lines[-1]
            shared = min(box[3], last[3]) - max(box[1], last[1])
            if shared > 0.5 * min(box[3] - box[1], last[3] - last[1]):
                lines[-1] = (
                    min(box[0], last[0]),
                    min(box[1], last[1]),
                    max(box[2], last[2]),
                    max(box[3], last[3]),
                )
                continue
        lines.append(box)
    return lines


def _longest_match(letters: str, wanted: str) -> tuple[int, int] | None:
    """Return where the wanted letters are on a page: all, a part of them, or a similar stretch."""
    if not wanted or not letters:
        return None
    at = letters.find(wanted)
    if at >= 0:
        return at, at + len(wanted)
    if letters in wanted:
        return 0, len(letters)
    at_end = _overlap(letters, wanted)
    at_begin = _overlap(wanted, letters)
    if max(at_end, at_begin) >= _SHORTEST_OVERLAP:
        return (len(letters) - at_end, len(letters)) if at_end > at_begin else (0, at_begin)
    return _similar(letters, wanted)


def _overlap(one: str, other: str) -> int:
    """Return the length of the longest end of one text that is the beginning of the other."""
    sizes = range(min(len(one), len(other)), 0, -1)
    return next((size for size in sizes if one.endswith(other[:size])), 0)


def _similar(letters: str, wanted: str) -> tuple[int, int] | None:
    """Return where a similar text is: from the quote's beginning or end on, forgiving single letters."""
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
        at = wanted.find(letters[:size])  # the quote covers the whole page, but for a line or so
        if len(letters) >= size and at >= 0:
            return 0, _shared(wanted[at:], letters)
    return None


def _shared(one: str, other: str) -> int:
    """Return the length of the common beginning, forgiving single differences."""
    end = misses = 0
    for index, (a, b) in enumerate(zip(one, other, strict=False), 1):
        if a == b:
            misses, end = 0, index
        else:
            misses += 1
            if misses > 3:
                break
    return end
