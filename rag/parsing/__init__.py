"""Turns a file into text with places. One module per family of formats; nothing else knows any format.

parse_file never raises anything but DocumentError: a damaged file is a sentence, not a traceback.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.events import ParsedDocument, Place
from rag.parsing import office, pdf, sheets, text, web
from rag.parsing.pdf import RenderedPage, render_page

__all__ = ["PARSER", "RenderedPage", "is_supported", "parse_file", "render_page"]

PARSER = "ragdeck-parser/1"  # part of every chunking fingerprint: change it when texts would change
LARGEST_FILE = 200 << 20
LARGEST_UNPACKED = 500 << 20

Parser = Callable[[Path], ParsedDocument]

CODE = (
    "py js jsx ts tsx java kt kts c h cc cpp cxx hpp cs go rs rb php swift scala sh bash zsh ps1 bat sql r jl lua pl "
    "pm hs ml ex exs erl clj dart vue svelte css scss less yaml yml toml ini cfg conf properties env tf cmake mk "
    "gradle proto graphql tex diff patch"
).split()

SUPPORTED: dict[str, Parser] = {
    "pdf": pdf.parse_pdf,
    "docx": office.parse_docx,
    "docm": office.parse_docx,
    "pptx": office.parse_pptx,
    "pptm": office.parse_pptx,
    "xlsx": sheets.parse_workbook,
    "xlsm": sheets.parse_workbook,
    "xlsb": sheets.parse_workbook,
    "xls": sheets.parse_workbook,
    "ods": sheets.parse_workbook,
    "csv": sheets.parse_csv,
    "tsv": sheets.parse_csv,
    "html": web.parse_html,
    "htm": web.parse_html,
    "xhtml": web.parse_html,
    "xml": web.parse_xml,
    "rss": web.parse_xml,
    "epub": web.parse_epub,
    "md": text.parse_markdown,
    "markdown": text.parse_markdown,
    "txt": text.parse_text,
    "text": text.parse_text,
    "rst": text.parse_text,
    "log": text.parse_text,
    "adoc": text.parse_text,
    "org": text.parse_text,
    "srt": text.parse_text,
    "vtt": text.parse_text,
    "json": text.parse_json,
    "jsonl": text.parse_jsonl,
    "ndjson": text.parse_jsonl,
    "ipynb": text.parse_notebook,
    "eml": text.parse_mail,
    **dict.fromkeys(CODE, text.parse_code),
}
_PACKED = {"docx", "docm", "pptx", "pptm", "xlsx", "xlsm", "xlsb", "ods", "epub"}
_BARE_NAMES = {
    "readme",
    "license",
    "licence",
    "copying",
    "changelog",
    "makefile",
    "dockerfile",
    "authors",
    "news",
}


def is_supported(path: Path) -> bool:
    """Whether a file found in a folder is worth trying."""
    return _suffix(path) in SUPPORTED or (not path.suffix and path.name.lower() in _BARE_NAMES)


def parse_file(path: Path) -> ParsedDocument:
    """The text of a file and where its pages, slides, sheets or sections are.

    Raises DocumentError with one sentence when the file is damaged, protected, empty or too large, and
    UnsupportedDocumentError when its kind is not read.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise DocumentError("The file is empty.")
        if size > LARGEST_FILE:
            raise DocumentError(
                f"The file has {size >> 20} MB, more than {LARGEST_FILE >> 20} MB; split it or extract its text first."
            )
        parser = _choose(path)
        if _suffix(path) in _PACKED:
            _check_archive(path)
        document = _clean(parser(path))
    except (DocumentError, ImportError):
        raise
    except (MemoryError, RecursionError) as error:
        raise DocumentError(
            "The file is nested too deeply or too large for the memory; simplify it."
        ) from error
    except OSError as error:
        raise DocumentError(f"The file cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        # Parsers of third parties raise whatever they meet; the kind of it helps whoever repairs the file.
        raise DocumentError(
            f"The file is damaged or not really a {_suffix(path) or 'text'} file ({type(error).__name__}); "
            "open it in its own program and save it again."
        ) from error
    if not document.text.strip():
        raise DocumentError("The file contains no text.")
    return document


def _choose(path: Path) -> Parser:
    with path.open("rb") as file:
        head = file.read(4096)
    suffix = _suffix(path)
    if head.startswith(b"\xd0\xcf\x11\xe0") and suffix in _PACKED:
        raise DocumentError("The file is protected by a password; save a copy without it and add that.")
    parser = SUPPORTED.get(suffix)
    if parser is not None:
        return parser
    if head.startswith(b"%PDF-"):
        return pdf.parse_pdf
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnsupportedDocumentError(f"Files of the kind {path.suffix or path.name} are not read.")
    if suffix and not text.looks_like_text(head):
        raise UnsupportedDocumentError(f"Files of the kind {path.suffix} are not read.")
    if not text.looks_like_text(head):
        raise UnsupportedDocumentError("The file is binary, and its kind is not known.")
    return text.parse_text


def _check_archive(path: Path) -> None:
    """Office files and EPUBs are archives: refuse one that would unpack to more than the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DocumentError(
            f"The file is damaged or not really a {_suffix(path)} file; copy it again or save it anew."
        ) from error
    if unpacked > LARGEST_UNPACKED:
        raise DocumentError(
            f"The file unpacks to {unpacked >> 20} MB, more than {LARGEST_UNPACKED >> 20} MB."
        )


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _clean(document: ParsedDocument) -> ParsedDocument:
    """Remove what no text should hold, place by place, so that every offset stays exact."""
    parts: list[str] = []
    places: list[Place] = []
    position = done = 0
    for place in document.places:
        gap, inside = (
            _clean_text(document.text[done : place.start]),
            _clean_text(document.text[place.start : place.end]),
        )
        start = position + len(gap)
        parts += [gap, inside]
        position = start + len(inside)
        done = place.end
        if inside.strip():
            places.append(replace(place, start=start, end=position))
    parts.append(_clean_text(document.text[done:]))
    title = " ".join(_clean_text(document.title).split())[:300]
    return replace(document, text="".join(parts), places=tuple(places), title=title)


def _clean_text(value: str) -> str:
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    value = _CONTROL.sub("", value).encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", value)


def _suffix(path: Path) -> str:
    return path.suffix.lower().lstrip(".")
