"""The texts by which files are known: their paths, readable and reversible also where a name is no text.

On Linux a file name is bytes. A name from an old archive or a foreign network drive may not be UTF-8; Python
then puts surrogates in its place, which neither SQLite nor JSON takes. A key writes each such byte as `‹E9›`.
"""

from __future__ import annotations

import re
from pathlib import Path

# What keys write themselves, so that a name that has it by chance keeps a key of its own.
_ESCAPED = re.compile("‹([0-9A-F]{4}|[0-9A-F]{2})›")
_UNREADABLE = re.compile("[\ud800-\udfff]|‹(?=(?:[0-9A-F]{4}|[0-9A-F]{2})›)")


def key_of(path: Path | str) -> str:
    """Return the text that stands for a path; an ordinary path stands for itself."""
    return _UNREADABLE.sub(lambda found: _escape(found.group()), str(path))


def is_text(path: Path | str) -> bool:
    """Return whether a path is a text that can be encoded; some libraries open no other files."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def path_of(key: str) -> Path:
    """Return the path that a key stands for."""
    return Path(_ESCAPED.sub(lambda found: _unescape(found.group(1)), key))


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"‹{code - 0xDC00:02X}›" if 0xDC80 <= code <= 0xDCFF else f"‹{code:04X}›"


def _unescape(digits: str) -> str:
    code = int(digits, 16)
    return chr(code if len(digits) == 4 else 0xDC00 + code)
