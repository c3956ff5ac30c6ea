"""Reads the binary formats of Word and PowerPoint from before 2007.

No well-kept library does: those that exist call Word, LibreOffice or a Java program. Both formats keep their
text in plain pieces, described in [MS-DOC] and [MS-PPT]; olefile opens the container. Fonts, tables of styles
and pictures are passed over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder, title_or_name
from rag.parsing.rows import ParsedDocument

_OLD_WORD = (
    "The file comes from Word 95 or older, or is damaged; open it in a word processor and save it as .docx."
)
_PROTECTED = "The file is protected by a password; save a copy without it and add that."
# The parts of a Word document after its main text, in their order, with the field of the header of each.
_PARTS = (
    ("footnotes", 0x50), ("headers and footers", 0x54), ("macros", 0x58), ("comments", 0x5C),
    ("endnotes", 0x60), ("text boxes", 0x64), ("text boxes of headers", 0x68),
)  # fmt: skip
_ENCRYPTED = b"\xdf\xc4\xd1\xf3"  # what the stream "Current User" says of a presentation with a password
_FIELD = re.compile("\x13[^\x13\x14\x15]*(?:\x14|(?=\x15))")  # the instruction before the result
_ROW_END = re.compile("\x07\x07+")


def parse_doc(path: Path) -> ParsedDocument:
    """Return a Word document of before 2007: its text, then its notes, comments, headers and text boxes."""
    with _opened(path) as file:
        head = _stream(file, "WordDocument")
        if len(head) < 0x1AA or head[:2] != b"\xec\xa5" or _number(head, 2, "<H") < 0xC1:
            raise DocumentError(_OLD_WORD)
        flags = _number(head, 0x0A, "<H")
        if flags & 0x100:
            raise DocumentError(_PROTECTED)
        text = _word_text(head, _stream(file, "1Table" if flags & 0x200 else "0Table"))
        title = _title(file)
    account, builder = Account(), TextBuilder()
    end = _number(head, 0x4C)
    builder.add("section", None, "", _plain(text[:end]))
    for label, field in _PARTS:
        start, end = end, end + _number(head, field)
        words = _plain(text[start:end])
        if words.strip() and label != "macros":
            account.read("part", many="parts")
            builder.add("section", None, label, words)
    return ParsedDocument(
        title_or_name(title, path), "application/msword", builder.text, builder.places, account=account.lines
    )


def _word_text(head: bytes, table: bytes) -> str:
    """Return all text of a Word document, in the order of its pieces."""
    at, size = _number(head, 0x1A2), _number(head, 0x1A6)
    end = at + size
    while at < end and table[at : at + 1] == b"\x01":  # formatting of before the table of pieces
        at += 3 + _number(table, at + 1, "<H")
    if table[at : at + 1] != b"\x02":
        raise DocumentError(_OLD_WORD)
    length = _number(table, at + 1)
    pieces = table[at + 5 : at + 5 + length]
    count = (length - 4) // 12
    parts = []
    for index in range(count):
        letters = _number(pieces, 4 * index + 4) - _number(pieces, 4 * index)
        place = _number(pieces, 4 * (count + 1) + 8 * index + 2)
        if place & 0x40000000:  # a byte for each letter
            start = (place & 0x3FFFFFFF) // 2
            parts.append(head[start : start + letters].decode("cp1252", "replace"))
        else:
            parts.append(head[place : place + 2 * letters].decode("utf-16-le", "replace"))
    return "".join(parts)


def _plain(text: str) -> str:
    """Return text without fields' instructions, with `a | b` lines for the rows of tables."""
    before = None
    while before != text:  # fields are inside fields
        before, text = text, _FIELD.sub("", text)
    text = _ROW_END.sub("\n", text).replace("\x07", " | ")
    text = text.translate({0x0D: "\n", 0x0B: "\n", 0x0C: "\n\n", 0x1E: "-", 0x1F: "", 0x15: "", 0x14: ""})
    return re.sub(r"\n{3,}", "\n\n", re.sub("[\x00-\x08\x0e-\x1f]", "", text))


def parse_ppt(path: Path) -> ParsedDocument:
    """Return a presentation of before 2007 with a place for each slide and its notes."""
    with _opened(path) as file:
        user = _stream(file, "Current User") if file.exists("Current User") else b""
        if file.exists("EncryptedSummary") or user[12:16] == _ENCRYPTED:
            raise DocumentError(_PROTECTED)
        data = _stream(file, "PowerPoint Document")
        title = _title(file)
    records = list(_records(data, 0, len(data)))
    places = _persisted(data, records)
    outlines, notes = [], {}
    for kind, _, start, end in records:
        if kind != 0x03E8:  # Document
            continue
        for inner, instance, first, last in _records(data, start, end):
            if inner == 0x0FF0 and instance == 0:  # SlideListWithText: the slides
                outlines = list(_slides(data, first, last))
            elif inner == 0x0FF0 and instance == 2:
                notes = {
                    _slide_of_notes(data, places.get(p)): places.get(p)
                    for p, _, _ in _slides(data, first, last)
                }
    account, builder = Account(), TextBuilder()
    for number, (persist, slide_id, lines) in enumerate(outlines, 1):
        lines = [*lines, *_texts(data, places.get(persist))]
        said = [line for line in _texts(data, notes.get(slide_id)) if line.strip()]
        account.read("note", bool(said))
        lines += [f"Notes: {line}" for line in said]
        builder.add("slide", number, f"slide {number}", "\n".join(dict.fromkeys(lines)))
    return ParsedDocument(
        title_or_name(title, path), "application/vnd.ms-powerpoint", builder.text, builder.places,
        account=account.lines,
    )  # fmt: skip


def _records(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (type, instance, start, end) of the records in a stretch, whose headers have 8 bytes each."""
    while start + 8 <= end:
        version, kind, length = struct.unpack_from("<HHI", data, start)
        yield kind, version >> 4, start + 8, min(start + 8 + length, end)
        start += 8 + length


def _persisted(data: bytes, records: list[tuple[int, int, int, int]]) -> dict[int, int]:
    """Return number -> offset of what the document refers to; the last saving counts."""
    places: dict[int, int] = {}
    for kind, _, start, end in records:
        while kind == 0x1772 and start + 4 <= end:  # PersistDirectoryAtom
            head = _number(data, start)
            first, count = head & 0xFFFFF, head >> 20
            for index in range(min(count, (end - start - 4) // 4)):
                places[first + index] = _number(data, start + 4 + 4 * index)
            start += 4 + 4 * count
    return places


def _slides(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (number of its place, slide id, outline texts) of the slides in a list."""
    found: tuple[int, int, list[str]] | None = None
    for kind, _, first, last in _records(data, start, end):
        if kind == 0x03F3 and last - first >= 16:  # SlidePersistAtom
            if found:
                yield found
            found = _number(data, first), _number(data, first + 12), []
        elif found and (words := _words(data, kind, first, last)):
            found[2].append(words)
    if found:
        yield found


def _slide_of_notes(data: bytes, place: int | None) -> int:
    """Return the id of the slide that notes belong to, 0 where they do not say."""
    if place is None:
        return 0
    for _, _, start, end in _records(data, place, place + 8 + _number(data, place + 4)):
        for kind, _, first, _ in _records(data, start, end):
            if kind == 0x03F1:  # NotesAtom
                return _number(data, first)
    return 0


def _texts(data: bytes, place: int | None) -> Iterator[str]:
    """Yield the texts in the shapes of a slide or of notes."""
    if place is None or place + 8 > len(data):
        return
    stack = [(place, min(place + 8 + _number(data, place + 4), len(data)))]
    while stack:
        start, end = stack.pop()
        inner = []
        for kind, _, first, last in _records(data, start, end):
            if words := _words(data, kind, first, last):
                yield words
            elif data[first - 8] & 0x0F == 0x0F:  # a container
                inner.append((first, last))
        stack += reversed(inner)


def _words(data: bytes, kind: int, start: int, end: int) -> str:
    if kind == 0x0FA0:  # TextCharsAtom
        text = data[start:end].decode("utf-16-le", "replace")
    elif kind == 0x0FA8:  # TextBytesAtom
        text = data[start:end].decode("latin-1")
    else:
        return ""
    return text.replace("\r", "\n").replace("\x0b", "\n").strip()


def _opened(path: Path) -> Any:
    import olefile

    try:
        return olefile.OleFileIO(str(path))
    except (OSError, ValueError, IndexError, struct.error) as error:
        raise DocumentError("The file is damaged; open it in its own program and save it again.") from error


def _stream(file: Any, name: str) -> bytes:
    if not file.exists(name):
        raise DocumentError(
            _OLD_WORD if "Word" in name or "Table" in name else "The file contains no slides."
        )
    data: bytes = file.openstream(name).read()
    return data


def _title(file: Any) -> str:
    found = file.get_metadata()
    title = found.title or b""
    if isinstance(title, str):
        return title
    return title.decode(f"cp{found.codepage}" if found.codepage in (1250, 1251, 1252) else "utf-8", "replace")


def _number(data: bytes, at: int, form: str = "<I") -> int:
    return int(struct.unpack_from(form, data, at)[0])
