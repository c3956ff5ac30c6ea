"""Reads the mails that Outlook saves as .msg: as the mail that was sent, which the reader of mails reads.

The container is one of olefile; its parts are named by the numbers of their properties ([MS-OXMSG]).
"""

from __future__ import annotations

import datetime
import struct
import tempfile
from collections.abc import Callable
from dataclasses import replace
from email.header import Header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.encodings import decode
from rag.parsing.other_office.rich_text import read_rtf
from rag.parsing.rows import ParsedDocument

_DEEPEST = 5  # mails that are attached to mails
_SUBJECT, _BODY, _RTF, _HTML = "0037", "1000", "1009", "1013"
_SENDER, _ADDRESS, _SMTP = "0C1A", "0C1F", "5D01"
_DATES = (0x0039, 0x0E06)  # sent, delivered
_HEADS = {"To": "0E04", "Cc": "0E03"}
_FILE, _NAMES = "3701", ("3707", "3704", "3001")


def parse_msg(path: Path, read_mail: Callable[[Path], ParsedDocument]) -> ParsedDocument:
    """Return an Outlook mail: its header and body, and what is attached to it.

    Args:
        path: The file.
        read_mail: Reads the same mail in the form in which mails are sent.
    """
    import olefile

    if not olefile.isOleFile(str(path)):
        raise DocumentError("The file is not a mail that Outlook saved, although its name ends in .msg.")
    try:
        with olefile.OleFileIO(str(path)) as file:
            mail = _mail(file, [], 0)
    except (OSError, struct.error, IndexError) as error:
        raise DocumentError("The mail is damaged; save it again in Outlook, or as .eml.") from error
    with tempfile.TemporaryDirectory(prefix="ragdeck-") as folder:
        made = Path(folder) / f"{path.stem}.eml"
        made.write_bytes(mail.as_bytes())
        return replace(read_mail(made), media_type="application/vnd.ms-outlook")


def _mail(file: Any, place: list[str], depth: int) -> Message:
    """Return the mail in a storage of the file, with all that is attached to it."""
    mail = MIMEMultipart("mixed")
    sender = " ".join(filter(None, (_text(file, place, _SENDER), _address(file, place))))
    heads = {"From": sender, **{name: _people(_text(file, place, tag)) for name, tag in _HEADS.items()}}
    heads |= {"Date": _date(file, place), "Subject": _text(file, place, _SUBJECT)}
    for name, value in heads.items():
        if value := " ".join(value.split()):
            mail[name] = value if value.isascii() else Header(value, "utf-8").encode()
    mail.attach(_body(file, place))
    for storage in sorted(_storages(file, place)):
        inside = [*place, storage]
        name = next(filter(None, (_text(file, inside, tag) for tag in _NAMES)), "attachment")
        if file.exists([*inside, f"__substg1.0_{_FILE}000D"]) and depth < _DEEPEST:
            part: Message = MIMEMessage(_mail(file, [*inside, f"__substg1.0_{_FILE}000D"], depth + 1))
        else:
            part = MIMEApplication(_bytes(file, inside, _FILE))
        part.add_header("Content-Disposition", "attachment", filename=name)
        mail.attach(part)
    return mail


def _body(file: Any, place: list[str]) -> MIMEText:
    """Return the text of a mail: plain where there is some, else its HTML, else its rich text."""
    if plain := _text(file, place, _BODY).strip():
        return MIMEText(plain, "plain", "utf-8")
    if html := _bytes(file, place, _HTML) or _text(file, place, _HTML).encode():
        return MIMEText(decode(html), "html", "utf-8")
    packed = _bytes(file, place, _RTF)
    if not packed:
        return MIMEText("", "plain", "utf-8")
    from compressed_rtf import decompress

    return MIMEText(read_rtf(decompress(packed), Account())[0], "plain", "utf-8")


def _people(names: str) -> str:
    """Return a list of names as mails write it: Outlook parts them with semicolons."""
    parts = (name.strip().strip("'") for name in names.split(";"))
    return ", ".join(f'"{name}"' if "," in name else name for name in parts if name)


def _address(file: Any, place: list[str]) -> str:
    """Return the sender's address in angle brackets; inside one company it is no address of the internet."""
    found = _text(file, place, _SMTP) or _text(file, place, _ADDRESS)
    return f"<{found}>" if "@" in found else ""


def _storages(file: Any, place: list[str]) -> set[str]:
    """Return the names of the storages of a mail's attachments."""
    depth = len(place)
    return {
        entry[depth]
        for entry in file.listdir(streams=True, storages=True)
        if entry[:depth] == place and len(entry) > depth and entry[depth].startswith("__attach_version1.0_")
    }


def _text(file: Any, place: list[str], tag: str) -> str:
    """Return a property that is text, in one of the two ways to store it, "" where there is none."""
    wide = [*place, f"__substg1.0_{tag}001F"]
    if file.exists(wide):
        return str(file.openstream(wide).read().decode("utf-16-le", "replace")).rstrip("\0")
    narrow = [*place, f"__substg1.0_{tag}001E"]
    return decode(file.openstream(narrow).read()).rstrip("\0") if file.exists(narrow) else ""


def _bytes(file: Any, place: list[str], tag: str) -> bytes:
    name = [*place, f"__substg1.0_{tag}0102"]
    data: bytes = file.openstream(name).read() if file.exists(name) else b""
    return data


def _date(file: Any, place: list[str]) -> str:
    """Return when a mail was sent or came, from the table of its fixed properties."""
    name = [*place, "__properties_version1.0"]
    if not file.exists(name):
        return ""
    table = file.openstream(name).read()
    found = {}
    for at in range(24 if place else 32, len(table) - 15, 16):
        kind, tag, _, value = struct.unpack_from("<HHIQ", table, at)
        if kind == 0x40 and value:  # a time: tenths of a microsecond since 1601
            found[tag] = value
    for tag in _DATES:
        if tag in found:
            start = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)
            return format_datetime(start + datetime.timedelta(microseconds=found[tag] // 10))
    return ""
