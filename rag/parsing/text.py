"""Plain text in any common encoding, Markdown, source code, JSON, notebooks and mail."""

from __future__ import annotations

import email
import email.policy
import json
import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.events import ParsedDocument
from rag.parsing.assemble import HeadingPath, TextBuilder

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")
_ATX = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")


def decode(data: bytes) -> str:
    """Text of unknown encoding: byte order marks first, then UTF-8, then the likeliest other."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if data[:4096].count(b"\0") * 3 > len(data[:4096]):
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    east_asian = _east_asian(data)
    if east_asian:
        return data.decode(east_asian, "replace")
    from charset_normalizer import from_bytes

    best = from_bytes(data[:200_000]).best()
    return data.decode(best.encoding if best is not None else "cp1252", "replace")


# Lead bytes of the characters that each East Asian encoding put first because they are common.
_COMMON = {
    "cp932": ((0x81, 0x98),),
    "euc-kr": ((0xA1, 0xA3), (0xB0, 0xC8)),
    "gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)),
    "big5": ((0xA1, 0xC6),),
}


def _east_asian(data: bytes) -> str | None:
    """The East Asian encoding in which nearly all characters past ASCII are common ones, if there is one.

    Statistics over letters fail on short tables of names; which characters a standard counts as common does
    not.
    """
    best, best_share = None, 0.9
    for encoding, ranges in _COMMON.items():
        try:
            sample = data.decode(encoding)[:20_000]
        except UnicodeDecodeError:
            continue
        wide = [c.encode(encoding) for c in sample if ord(c) > 0x2FFF or "\uff61" <= c <= "\uff9f"]
        if len(wide) < 4 or len(wide) < 0.8 * sum(ord(c) > 127 for c in sample):
            continue
        common = sum(len(c) == 2 and any(low <= c[0] <= high for low, high in ranges) for c in wide)
        if common / len(wide) > best_share:
            best, best_share = encoding, common / len(wide)
    return best


def read_text(path: Path) -> str:
    data = path.read_bytes()
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")) and not _wide(data):
        raise DocumentError(
            f"The file holds binary data, not text, although it is called {path.suffix or path.name}."
        )
    return decode(data).replace("\r\n", "\n").replace("\r", "\n")


def looks_like_text(head: bytes) -> bool:
    """Whether a file's beginning is text: few control characters, and decodable."""
    if _wide(head) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    if control > len(head) * 0.02:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 or sum(byte > 127 for byte in head) < len(head) * 0.3
    return True


def _wide(data: bytes) -> bool:
    """UTF-16 without a mark: in Western text every other byte is zero."""
    head = data[:4096]
    half = len(head) // 2
    return (
        half > 4
        and max(head[0::2].count(0), head[1::2].count(0)) > 0.7 * half
        and min(head[0::2].count(0), head[1::2].count(0)) < 0.05 * half
    )


def parse_text(path: Path) -> ParsedDocument:
    text = read_text(path)
    return ParsedDocument(path.stem, "text/plain", text, ())


def parse_code(path: Path) -> ParsedDocument:
    return ParsedDocument(path.name, "text/x-source", read_text(path), (), markup="code")


def parse_markdown(path: Path) -> ParsedDocument:
    """Sections by heading; the text stays as it is written."""
    builder, headings = TextBuilder(), HeadingPath()
    lines: list[str] = []
    title, fence = "", ""
    for line in read_text(path).split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark.group(1)[:3]
        elif mark and line.strip().startswith(fence):
            fence = ""
        heading = None if fence or mark else _ATX.match(line)
        if heading:
            builder.add("section", None, headings.label, "\n".join(lines))
            lines = []
            headings.enter(len(heading.group(1)), heading.group(2))
            title = title or heading.group(2)
        lines.append(line)
    builder.add("section", None, headings.label, "\n".join(lines))
    return ParsedDocument(
        title or path.stem, "text/markdown", builder.text, builder.places, markup="markdown"
    )


def parse_json(path: Path) -> ParsedDocument:
    data = _load_json(read_text(path), "The file")
    builder = TextBuilder()
    if isinstance(data, list):
        for number, record in enumerate(data, 1):
            builder.add("record", number, f"record {number}", _flat(record))
    elif isinstance(data, dict):
        for key, value in data.items():
            builder.add("section", None, str(key)[:120], _flat({key: value}))
    else:
        builder.add("record", 1, "record 1", _flat(data))
    return ParsedDocument(path.stem, "application/json", builder.text, builder.places)


def parse_jsonl(path: Path) -> ParsedDocument:
    builder = TextBuilder()
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            builder.add("record", number, f"line {number}", _flat(_load_json(line, f"Line {number}")))
    return ParsedDocument(path.stem, "application/jsonl", builder.text, builder.places)


def parse_notebook(path: Path) -> ParsedDocument:
    data = _load_json(read_text(path), "The notebook")
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        raise DocumentError("The notebook has no cells; it is damaged or of a very old format.")
    builder = TextBuilder()
    for number, cell in enumerate(data["cells"], 1):
        source = cell.get("source", "")
        builder.add(
            "section", number, f"cell {number}", "".join(source) if isinstance(source, list) else str(source)
        )
    title = str(data.get("metadata", {}).get("title", "")) or path.stem
    return ParsedDocument(title, "application/x-ipynb+json", builder.text, builder.places, markup="markdown")


def _load_json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"{what} is not valid JSON (line {error.lineno}: {error.msg}).") from error


def _flat(value: Any, path: str = "") -> str:
    """`a.b: value` lines: what a record says, in words that can be searched."""
    lines: list[str] = []
    stack = [(path, value)]
    while stack:
        name, item = stack.pop()
        if isinstance(item, dict):
            stack.extend((f"{name}.{key}" if name else str(key), item[key]) for key in reversed(item))
        elif isinstance(item, list):
            if item and all(not isinstance(x, dict | list) for x in item):
                lines.append(f"{name}: " + ", ".join(map(str, item)) if name else ", ".join(map(str, item)))
            else:
                stack.extend(
                    (f"{name}.{n}" if name else str(n), x) for n, x in reversed(list(enumerate(item, 1)))
                )
        elif item is not None and str(item).strip():
            lines.append(f"{name}: {item}" if name else str(item))
    return "\n".join(lines)


def parse_mail(path: Path) -> ParsedDocument:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise DocumentError("The file has no mail header; it is not a mail.")
    head = [f"{name}: {message[name]}" for name in ("From", "To", "Cc", "Date", "Subject") if message[name]]
    builder = TextBuilder()
    builder.add("message", None, "message", "\n".join([*head, "", _mail_body(message)]))
    names = []
    for part in message.iter_attachments():
        name = part.get_filename() or part.get_content_type()
        names.append(name)
        if part.get_content_maintype() == "text":
            builder.add("message", None, f"attachment {name}", _part_text(part))
    if names:
        builder.add("message", None, "attachments", "Attachments: " + ", ".join(names))
    return ParsedDocument(
        str(message["Subject"] or path.stem), "message/rfc822", builder.text, builder.places
    )


def _mail_body(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    return "" if body is None else _part_text(body)


def _part_text(part: Any) -> str:
    try:
        text = str(part.get_content())
    except (LookupError, UnicodeDecodeError, ValueError):
        text = decode(part.get_payload(decode=True) or b"")
    if part.get_content_subtype() == "html":
        from selectolax.lexbor import LexborHTMLParser

        tree = LexborHTMLParser(text)
        text = tree.body.text(separator="\n") if tree.body is not None else text
    return text.strip()
