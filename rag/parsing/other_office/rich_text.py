"""Reads RTF through striprtf, and puts back what it drops: notes, comments, headers and text boxes."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from rag.errors import DocumentError
from rag.parsing.account import Account
from rag.parsing.assemble import title_or_name
from rag.parsing.rows import ParsedDocument

_CODEPAGE = re.compile(rb"\\ansicpg(\d{3,5})")
_BRACE = re.compile(r"\\[\\{}]|[{}]")
_HEADER_MARGIN = re.compile(r"\\header[lrf]?\b|\\footer[lrf]?\b")


def parse_rtf(path: Path) -> ParsedDocument:
    """Return a rich text file. Raises DocumentError when it is damaged."""
    data = path.read_bytes()
    if not data.lstrip().startswith(b"{\\rtf"):
        raise DocumentError(
            "The file is not really an RTF file; open it in its own program and save it again."
        )
    account = Account()
    text, title = read_rtf(data, account)
    return ParsedDocument(title_or_name(title, path), "application/rtf", text, (), account=account.lines)


def read_rtf(data: bytes, account: Account) -> tuple[str, str]:
    """Return the text and the title of rich text, and count what of it stood beside the text."""
    from striprtf.striprtf import rtf_to_text

    found = _CODEPAGE.search(data[:2000])
    encoding = f"cp{found.group(1).decode()}" if found else "cp1252"
    try:
        codecs.lookup(encoding)
    except LookupError:
        encoding = "cp1252"
    source = data.decode(encoding, "replace")
    titles = _groups(source, r"\\title\b")
    title = (
        rtf_to_text("{\\rtf1 " + source[slice(*titles[0])].removeprefix("\\title") + "}") if titles else ""
    )
    for kind, word, before, after in (
        ("text box", r"\\shptxt\b", "\\par ", "\\par "),
        ("footnote", r"\\footnote\b", " (Footnote: ", ")"),
        ("comment", r"\\\*\\annotation\b", " (Comment: ", ")"),
    ):
        source = _unwrap(source, word, before, after, account, kind)
    source = _HEADER_MARGIN.sub(r"\\par ", source)
    account.leave_out("embedded object", "only its picture is shown", len(_groups(source, r"\\object\b")))
    lines = rtf_to_text(source, encoding, "replace").split("\n")
    return "\n".join(_row(line) for line in lines).strip(), title


def _unwrap(source: str, word: str, before: str, after: str, account: Account, kind: str) -> str:
    """Return a source in which the groups of a kind are plain text.

    A text box is inside a group of its shape that has other numbers too: that group gives way to it.
    """
    shapes = _groups(source, r"\\shp\b") if kind == "text box" else []
    for start, end in reversed(_groups(source, word)):
        inner = re.sub(word, "", source[start:end], count=1)
        start, end = next(((s, e) for s, e in shapes if s <= start and end <= e), (start, end))
        account.read(kind)
        source = f"{source[:start]}{before}{{{inner}}}{after}{source[end:]}"
    return source


def _groups(source: str, word: str) -> list[tuple[int, int]]:
    """Return the contents of the groups that begin with a control word, as offsets without the braces."""
    found = []
    for match in re.finditer(r"\{\s*(?=" + word + ")", source):
        depth = 1
        for brace in _BRACE.finditer(source, match.end()):
            depth += {"{": 1, "}": -1}.get(brace.group(), 0)
            if depth == 0:
                found.append((match.end(), brace.start()))
                break
    return found


def _row(line: str) -> str:
    """Return a line of a table with a gap around its bars; striprtf ends each cell with one."""
    if not line.endswith("|"):
        return line.rstrip()
    return " | ".join(" ".join(cell.split()) for cell in line[:-1].split("|"))
