"""Reads mail whole: every text of a message, what it forwards, and its attachments by their own parsers."""

from __future__ import annotations

import binascii
import email
import mimetypes
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.policy import Compat32
from itertools import chain
from pathlib import Path
from typing import TypeGuard

from rag.errors import DocumentError, UnsupportedDocumentError
from rag.parsing import encodings
from rag.parsing.account import Account
from rag.parsing.assemble import TextBuilder
from rag.parsing.rows import ParsedDocument
from rag.parsing.web import page_text

Reader = Callable[[Path], ParsedDocument]  # reads an attachment that was written to a file

_HEADERS = ("From", "To", "Cc", "Bcc", "Date", "Subject")
_LONGEST_HEADER = 8_000  # characters; the time that a list of recipients costs grows with the square
_DEEPEST = 10  # messages in messages
_DEEPEST_PART = 50  # parts in parts of one message
_MOST_ATTACHMENTS = 500  # of one file
_LARGEST_ATTACHMENTS = 200 << 20  # bytes, of one file together
_SAME = 0.9  # share of a text's words that another form of it contains
_MOST_FORMS = 10  # of one text that are compared with each other
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_WHOLE_MESSAGES = ("message/rfc822", "message/global", "message/news")
_ENCODED_WORD = re.compile(rb"=\?([^?*\s]{1,40})(?:\*[^?]*)?\?([bBqQ])\?([^?]*)\?=")
_SEPARATOR = re.compile(  # between the messages of a mailbox; `From here on` in a text is none
    rb"^From (?:[^\n]*\d:\d\d[^\n]*|-?[ \t]*)\r?\n(?=>?[!-9;-~]+(?:[ \t]*:|[ \t]))", re.MULTILINE
)
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)


def parse_mail(path: Path, read: Reader) -> ParsedDocument:
    """Return a mail: its header and texts, each forwarded message and each attachment that can be read.

    Args:
        path: The file; several messages in it are read as a mailbox.
        read: Reads an attachment; it is not asked for mail, whose depth is bounded here.
    """
    data = path.read_bytes().removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    messages = list(_messages(data))
    reading = _Reading(read)
    if len(messages) > 1 or path.suffix.lower() in (".mbox", ".mbx"):
        for number, message in enumerate(messages, 1):
            reading.add(message, f"message {number}", number)
        return reading.document(path.stem, "application/mbox")
    message = messages[0]
    if not message.keys():
        raise DocumentError("The file has no mail header, so it is not a mail.")
    reading.add(message, "message", None)
    return reading.document(_header(message, "Subject") or path.stem, "message/rfc822")


class _Bounded(Compat32):
    """A policy that keeps headers as they are written and cuts hostile ones before anything splits them."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_HEADER]


def _messages(data: bytes) -> Iterator[Message]:
    """Yield each message of a mailbox, or the only one."""
    starts = [(found.start(), found.end()) for found in _SEPARATOR.finditer(data)]
    if not starts or starts[0][0] > 0:
        yield _parse(data)
        return
    for (_, start), (end, _) in zip(starts, [*starts[1:], (len(data), 0)], strict=True):
        yield _parse(_QUOTED_FROM.sub(rb"\1", data[start:end]))


def _parse(data: bytes) -> Message:
    return email.message_from_bytes(data, policy=_Bounded())


@dataclass
class _Form:
    """One form of a message's text, with the account of what it leaves out."""

    text: str
    account: Account = field(default_factory=Account)


class _Reading:
    """A document under construction from the messages of one file."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._builder, self._account = TextBuilder(), Account()
        self._attachment_count = self._attachment_bytes = 0

    def document(self, title: str, media_type: str) -> ParsedDocument:
        """Return what was read so far."""
        return ParsedDocument(
            title, media_type, self._builder.text, self._builder.places, account=self._account.lines
        )

    def add(self, message: Message, label: str, number: int | None, depth: int = 0) -> None:
        """Add a message, then what is attached to it.

        Args:
            message: The message.
            label: What names it: "message", "message 3", "forwarded message".
            number: Its number in a mailbox.
            depth: How many messages contain it.
        """
        head = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name, self._account))]
        attachments: list[Message] = []
        bodies = self._forms(message, attachments, 0)
        for body in bodies:
            self._account.include(body.account)
        subject = _header(message, "Subject")
        named = f"{label}: {subject}"[:120] if subject and label != "message" else label
        text = "\n\n".join(body.text for body in bodies)
        self._builder.add("message", number, named, "\n".join([*head, "", text]))
        within = "" if label == "message" else f"{named}, "
        names = [self._attach(part, within, number, depth) for part in attachments]
        if names:
            self._builder.add("message", number, f"{within}attachments", "Attachments: " + ", ".join(names))

    def _forms(self, part: Message, attachments: list[Message], level: int) -> list[_Form]:
        """Return the texts of a part in order, and append what is attached to the list."""
        kind = part.get_content_type()
        is_multipart = part.get_content_maintype() == "multipart"
        children = part.get_payload() if is_multipart else ""
        if isinstance(children, list):
            if level >= _DEEPEST_PART:
                self._account.leave_out("part", "nested too deeply", len(children))
                return []
            found = [self._forms(child, attachments, level + 1) for child in children if _is_message(child)]
            return _different(found) if kind == "multipart/alternative" else list(chain(*found))
        if kind in _SIGNATURES:
            return []
        is_body = is_multipart or kind in ("text/plain", "text/html")  # a multipart without parts is text
        if not is_body or part.get_filename() or part.get_content_disposition() == "attachment":
            attachments.append(part)
            return []
        form = _Form("")
        found_text = encodings.read(_content(part), str(part.get_content_charset() or ""))
        found_text.tell(form.account, "body")
        text = found_text.text.replace("\r\n", "\n")
        form.text = page_text(text, form.account) if kind == "text/html" else text.strip()
        return [form] if form.text.strip() else []

    def _attach(self, part: Message, within: str, number: int | None, depth: int) -> str:
        """Add an attachment with places of its own and return its name."""
        kind = part.get_content_type()
        name = _raw(part.get_filename() or "") or kind
        suffix = Path(name).suffix.lower()
        if kind.startswith("message/") or suffix == ".eml":
            self._forward(part, within, number, depth, name)
            return name
        data = _content(part)
        self._attachment_count += 1
        self._attachment_bytes += len(data)
        if self._attachment_count > _MOST_ATTACHMENTS or self._attachment_bytes > _LARGEST_ATTACHMENTS:
            reason = f"beyond {_MOST_ATTACHMENTS} attachments or {_LARGEST_ATTACHMENTS >> 20} MB in a file"
            self._account.leave_out("attachment", reason, name=name)
            return name
        try:
            document = self._parse_attachment(data, suffix, mimetypes.guess_extension(kind) or "")
        except DocumentError as error:
            self._account.leave_out("attachment", _reason(error), name=name)
            return name
        label = f"{within}attachment {name}"
        for place, text in _parts(document):
            self._builder.add("message", number, f"{label}, {place}" if place else label, text)
        self._account.read("attachment")
        self._account.quote(document.account, name)
        return name

    def _parse_attachment(self, data: bytes, *suffixes: str) -> ParsedDocument:
        """Return an attachment read by its name's suffix or by that of its type, whichever is supported."""
        usable = [s for s in dict.fromkeys(suffixes) if re.fullmatch(r"\.[a-z0-9]{1,10}", s)] or [""]
        with tempfile.TemporaryDirectory() as folder:
            for suffix in usable:
                path = Path(folder) / f"attachment{suffix}"
                path.write_bytes(data)
                try:
                    return self._read(path)
                except UnsupportedDocumentError:
                    if suffix == usable[-1]:
                        raise
        raise AssertionError("unreachable: the last suffix returns or raises")

    def _forward(self, part: Message, within: str, number: int | None, depth: int, name: str) -> None:
        """Add a message that is attached to another, or the report of a mail server."""
        kind = part.get_content_type()
        content = part.get_payload()
        if kind == "message/external-body":
            self._account.leave_out("attachment", "not a part of this file", name=name)
        elif kind.startswith("message/") and kind not in _WHOLE_MESSAGES:
            self._builder.add("message", number, f"{within}{kind}", _report(part))
        elif depth >= _DEEPEST:
            self._account.leave_out("message", "nested too deeply", name=name)
        else:
            inner = content[0] if isinstance(content, list) and content else _parse(_content(part))
            if isinstance(inner, Message):
                if not inner.keys():  # encoded, which the standard forbids and some programs do
                    inner = _parse(_base64(str(inner.get_payload()).encode("ascii", "ignore")))
                self._account.read("forwarded message")
                self.add(inner, f"{within}forwarded message", number, depth + 1)


def _different(found: list[list[_Form]]) -> list[_Form]:
    """Return the forms of an alternative without those whose words another one contains.

    Mail programs show one form. They should say the same, but a plain one may be empty or only say that the
    message is HTML.
    """
    kept: list[tuple[list[_Form], set[str]]] = []
    for forms in found:
        words = {word for form in forms for word in re.findall(r"\w+", form.text.lower())}
        compared, rest = kept[:_MOST_FORMS], kept[_MOST_FORMS:]
        if any(_contained(words, other) for _, other in compared):
            continue
        kept = [(other, w) for other, w in compared if not _contained(w, words)] + rest
        kept.append((forms, words))
    return [form for forms, _ in kept for form in forms]


def _contained(words: set[str], other: set[str]) -> bool:
    return len(words & other) >= _SAME * len(words)


def _report(part: Message) -> str:
    """Return what a mail server reports of a message: groups of headers, and text if there is any."""
    content = part.get_payload()
    if not isinstance(content, list):
        return encodings.decode(_content(part))
    groups = [
        "\n".join(f"{key}: {_raw(value)}" for key, value in p.raw_items()) for p in content if _is_message(p)
    ]
    texts = [encodings.decode(_content(p)) for p in content if _is_message(p)]
    return "\n\n".join(text for pair in zip(groups, texts, strict=True) for text in pair if text.strip())


def _is_message(part: object) -> TypeGuard[Message]:
    return isinstance(part, Message)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data + b"==")
    except binascii.Error:
        return b""


def _parts(document: ParsedDocument) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each place of a document, or the whole of one without places."""
    for place in document.places:
        yield place.label, document.text[place.start : place.end]
    if not document.places:
        yield "", document.text


def _reason(error: DocumentError) -> str:
    """Return the sentence of a refused attachment as a clause, without the advice for files."""
    clause = str(error).split(";")[0].rstrip(".")
    return clause[:1].lower() + clause[1:] if clause[1:2].islower() else clause


def _header(message: Message, name: str, account: Account | None = None) -> str:
    """Return a header as people read it, on one line."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            if account is not None and len(value) >= _LONGEST_HEADER:
                account.leave_out("end of a header", "too long", many="ends of headers", name=name)
            return _raw(value)
    return ""


def _raw(value: object) -> str:
    """Return a header's value or a file name, which may hold bytes past ASCII as surrogates."""
    return _words(str(value).encode("utf-8", "surrogateescape"))


def _words(raw: bytes) -> str:
    """Return a raw header with its encoded words (`=?utf-8?Q?f=C3=BCnf?=`) decoded.

    Neighbours are joined before they are decoded: programs cut them inside a character. Bytes past ASCII,
    which no header may contain, are read as any text.
    """
    parts: list[tuple[str, bytes]] = []
    position = 0
    for found in _ENCODED_WORD.finditer(raw):
        charset = found.group(1).decode("ascii", "replace")
        content = found.group(3)
        if found.group(2) in b"bB":
            data = _base64(content)
        else:
            data = binascii.a2b_qp(content.replace(b"_", b" "), header=True)
        between = raw[position : found.start()]
        if between.strip() or not parts:
            parts.append(("", between))
        if parts[-1][0] == charset:
            parts[-1] = (charset, parts[-1][1] + data)
        else:
            parts.append((charset, data))
        position = found.end()
    parts.append(("", raw[position:]))
    return " ".join("".join(encodings.decode(data, charset) for charset, data in parts).split())
