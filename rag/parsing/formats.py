"""Recognises the format of a file and hands it to its parser. There is one module per family of formats.

parse_file raises nothing but DocumentError: a damaged file becomes a sentence, not a traceback.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.parsing import epub, mail, pdf, pictures, text, web
from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.office import slides, word
from rag.parsing.other_office import binary, opendocument, outlook, rich_text
from rag.parsing.rows import AccountLine, EmbeddedFile, ParsedDocument, Place
from rag.parsing.sheets import delimited, workbook
from rag.text.file_keys import is_text, key_of

PARSER = "ragdeck-parser/5"  # part of every chunking fingerprint: change it when texts would change
LARGEST_FILE = 200 << 20
LARGEST_UNPACKED = 500 << 20
DEEPEST_FILE = 3  # a file in a file in a file is read
MOST_EMBEDDED = 200  # files inside one file

Parser = Callable[[Path], ParsedDocument]

CODE = (
    "py js jsx ts tsx java kt kts c h cc cpp cxx hpp cs go rs rb php swift scala sh bash zsh ps1 bat "
    "sql r jl lua pl pm hs ml ex exs erl clj dart vue svelte css scss less yaml yml toml ini cfg conf "
    "properties env tf cmake mk gradle proto graphql tex diff patch"
).split()


def _parse_mail(path: Path) -> ParsedDocument:
    return mail.parse_mail(path, parse_file)


SUPPORTED: dict[str, Parser] = {
    "pdf": pdf.parse_pdf,
    "docx": word.parse_docx,
    "docm": word.parse_docx,
    "pptx": slides.parse_pptx,
    "pptm": slides.parse_pptx,
    "xlsx": workbook.parse_workbook,
    "xlsm": workbook.parse_workbook,
    "xlsb": workbook.parse_workbook,
    "xls": workbook.parse_workbook,
    "ods": workbook.parse_workbook,
    "csv": delimited.parse_csv,
    "tsv": delimited.parse_csv,
    "html": web.parse_html,
    "htm": web.parse_html,
    "xhtml": web.parse_html,
    "xml": web.parse_xml,
    "rss": web.parse_xml,
    "epub": epub.parse_epub,
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
    **dict.fromkeys(("eml", "mbox", "mbx", "mht", "mhtml"), _parse_mail),
    "msg": lambda path: outlook.parse_msg(path, _parse_mail),
    "rtf": rich_text.parse_rtf,
    "doc": binary.parse_doc,
    "dot": binary.parse_doc,
    "ppt": binary.parse_ppt,
    "pps": binary.parse_ppt,
    "odt": opendocument.parse_opendocument,
    "ott": opendocument.parse_opendocument,
    "odp": opendocument.parse_opendocument,
    "otp": opendocument.parse_opendocument,
    **dict.fromkeys(pictures.SUFFIXES, pictures.parse_picture),
    **dict.fromkeys(CODE, text.parse_code),
}
# What a file is, whatever its name says: by its first bytes, and for archives by a part that they contain.
_MAGIC = {
    b"%PDF-": "pdf",
    b"{\\rtf": "rtf",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF8": "gif",
}
# Office files from before 2007, and newer ones with a password.
_COMPOUND = b"\xd0\xcf\x11\xe0"
_PARTS = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsx",
    "META-INF/container.xml": "epub",
}
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.presentation": "odp",
}
_SAME_CONTENT = {
    "jpeg": "jpg",
    "dot": "doc",
    "pps": "ppt",
    "ott": "odt",
    "otp": "odp",
    "docm": "docx",
    "pptm": "pptx",
    "xlsm": "xlsx",
    "xlsb": "xlsx",
}
# Names that people and programs give to files of several kinds: what they contain decides.
_ANY_OF = {"doc": ("doc", "docx", "rtf"), "rtf": ("rtf", "doc", "docx"), "ppt": ("ppt", "pptx")}
_BETTER = {"pages": "pdf", "key": "pdf"}
_PACKED = {"docx", "docm", "pptx", "pptm", "xlsx", "xlsm", "xlsb", "ods", "epub", "odt", "ott", "odp", "otp"}
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
    """Return whether a file found in a folder is worth trying, by its name."""
    return not why_unsupported(path)


def why_unsupported(path: Path) -> str:
    """Return why a file found in a folder is not worth trying, by its name; "" if it is."""
    suffix = _suffix(path)
    if suffix in pictures.SUFFIXES and (lacking := pictures.missing()):
        return f"Pictures are read when {lacking} is installed."
    if suffix in SUPPORTED or (not path.suffix and path.name.lower() in _BARE_NAMES):
        return ""
    return f"{path.suffix or 'this kind of file'} is not supported"


def parse_file(path: Path, parsers: Mapping[str, Parser] = SUPPORTED, depth: int = 0) -> ParsedDocument:
    """Return the text of a file and where its pages, slides, sheets or sections are.

    Args:
        path: The file.
        parsers: The functions that read a file, by its suffix.
        depth: How many files this one is inside of, such as a mail that is attached to a mail.

    Raises DocumentError with one sentence when the file is damaged, protected, empty or too large, and
    UnsupportedDocumentError when its kind is not read.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise DocumentError("The file is empty.")
        if size > LARGEST_FILE:
            raise DocumentError(
                f"The file has {size >> 20} MB, more than {LARGEST_FILE >> 20} MB; "
                "split it, or extract its text first."
            )
        if not is_text(path):
            return _parse_by_readable_name(path, parsers, depth)
        parser = _choose(path, parsers)
        if _suffix(path) in _PACKED:
            _check_archive(path)
        document = _clean(_with_embedded(parser(path), parsers, depth))
    except DocumentError:
        raise
    except ImportError as error:
        raise DocumentError(
            f"Reading this kind of file needs the package {error.name}: run `python main.py setup`, "
            "or install it with pip."
        ) from error
    except (MemoryError, RecursionError) as error:
        raise DocumentError(
            "The file is nested too deeply or is too large for the memory; simplify it."
        ) from error
    except OSError as error:
        raise DocumentError(f"The file cannot be read: {error.strerror or error}.") from error
    except Exception as error:
        # Third-party parsers raise whatever they meet; its kind helps whoever repairs the file.
        raise DocumentError(
            f"The file is damaged or not really a {_suffix(path) or 'text'} file ({type(error).__name__}); "
            "open it in its own program and save it again."
        ) from error
    if not document.text.strip():
        unread = "; ".join(line.text for line in document.account if line.left_out)
        raise DocumentError(f"The file contains no text{': ' if unread else ''}{unread}.")
    return document


def _parse_by_readable_name(path: Path, parsers: Mapping[str, Parser], depth: int) -> ParsedDocument:
    """Return what a file says whose name is no UTF-8: several libraries cannot open it by that name."""
    with tempfile.TemporaryDirectory(prefix="ragdeck-") as folder:
        link = Path(folder) / (key_of(path.stem)[:60] + key_of(path.suffix)[:20])
        link.symlink_to(path.absolute())
        return parse_file(link, parsers, depth)


def _with_embedded(document: ParsedDocument, parsers: Mapping[str, Parser], depth: int) -> ParsedDocument:
    """Return a document with the texts of the files inside it after its own, and what became of each file."""
    if not document.embedded:
        return document
    account = Account()
    builder = TextBuilder()
    for place in document.places or (Place("section", None, "", 0, len(document.text)),):
        builder.add(place.kind, place.number, place.label, document.text[place.start : place.end])
    lines: list[AccountLine] = []
    for number, file in enumerate(document.embedded):
        try:
            if depth >= DEEPEST_FILE or number >= MOST_EMBEDDED:
                raise DocumentError("There are too many files inside files.")
            found = _parse_embedded(file, parsers, depth + 1)
        except DocumentError as error:
            account.leave_out("attached file", str(error).rstrip("."), name=file.name)
            continue
        account.read("attached file")
        lines += [replace(line, text=f"{file.name}: {line.text}") for line in found.account]
        # A place inside is no page or slide of this file, so it has no number.
        for place in found.places or (Place("section", None, "", 0, len(found.text)),):
            label = ", ".join(filter(None, (file.name, place.label)))
            builder.add("section", None, label, found.text[place.start : place.end])
    return replace(
        document, text=builder.text, places=builder.places, embedded=(),
        account=(*document.account, *account.lines, *lines),
    )  # fmt: skip


def _parse_embedded(file: EmbeddedFile, parsers: Mapping[str, Parser], depth: int) -> ParsedDocument:
    """Return what a file inside a file says; parsers read from a path, so it is written to one."""
    with tempfile.TemporaryDirectory(prefix="ragdeck-") as folder:
        path = Path(folder) / (re.sub(r"[^\w. -]", "_", file.name)[-100:].strip(". ") or "file")
        path.write_bytes(file.data)
        return parse_file(path, parsers, depth)


def _choose(path: Path, parsers: Mapping[str, Parser]) -> Parser:
    with path.open("rb") as file:
        head = file.read(4096)
    suffix = _suffix(path)
    kind = _kind_by_content(head, path)
    if kind in _ANY_OF.get(suffix, ()) and kind in parsers:
        return parsers[kind]
    parser = parsers.get(suffix)
    if parser is not None:
        if kind not in (None, _SAME_CONTENT.get(suffix, suffix)):
            advice = _advice(str(kind))
            raise DocumentError(f"The file is called .{suffix} but is really a .{kind} file; {advice}.")
        if kind is None and suffix in _PACKED and head.startswith(_COMPOUND):
            raise DocumentError(
                "The file is protected by a password or comes from an old Office version; save a copy "
                "without one in the current format."
            )
        return parser
    if kind == "pdf" and not suffix:
        return pdf.parse_pdf
    if suffix in _BETTER:
        raise UnsupportedDocumentError(
            f".{suffix} files are not supported; save it as .{_BETTER[suffix]} and add that."
        )
    if kind is not None or not text.looks_like_text(head):
        raise UnsupportedDocumentError(
            f"{path.suffix} files are not supported."
            if suffix
            else "The file is binary, and its format is unknown."
        )
    return text.parse_text


def _advice(kind: str) -> str:
    if kind in SUPPORTED:
        return f"rename it to .{kind}"
    return f"save it as .{_BETTER[kind]}" if kind in _BETTER else "that format is not supported"


def _kind_by_content(head: bytes, path: Path) -> str | None:
    """Return the suffix that a file's content calls for, None where its first bytes do not tell."""
    for mark, kind in _MAGIC.items():
        if head.startswith(mark):
            return kind
    if head.startswith(b"PK\3\4"):
        return _archive_kind(path)
    if head.startswith(_COMPOUND):
        return _compound_kind(path.read_bytes())
    return None


def _archive_kind(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:200].strip() if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return None  # damaged: the parser says so
    for part, kind in _PARTS.items():
        if part in names:
            return kind
    return _MIMETYPES.get(mimetype)


def _compound_kind(data: bytes) -> str | None:
    """Return the kind of an old Office file by the names of its streams.

    Raises DocumentError for the envelope of a newer file with a password.
    """
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise DocumentError("The file is protected by a password; save a copy without it and add that.")
    for stream, kind in (
        ("__nameid_version1.0", "msg"),
        ("WordDocument", "doc"),
        ("PowerPoint Document", "ppt"),
        ("Workbook", "xls"),
    ):
        if stream.encode("utf-16-le") in data:
            return kind
    return None


def _check_archive(path: Path) -> None:
    """Refuse an Office file or EPUB, which are archives, that would unpack to more than the memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DocumentError(
            f"The file is damaged or not really a {_suffix(path)} file; copy it again or save it again."
        ) from error
    if unpacked > LARGEST_UNPACKED:
        raise DocumentError(
            f"The file unpacks to {unpacked >> 20} MB, more than {LARGEST_UNPACKED >> 20} MB."
        )


_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c]")  # old text files have a form feed between pages


def _clean(document: ParsedDocument) -> ParsedDocument:
    """Remove what no text should contain, place by place, so that every offset stays exact."""
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
    value = _CONTROL.sub("", _LINE_END.sub("\n", value)).encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", value)


def _suffix(path: Path) -> str:
    return path.suffix.lower().lstrip(".")
