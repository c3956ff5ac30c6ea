"""Compares two texts word by word."""

from __future__ import annotations

import difflib
import re

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def word_diff(old: str, new: str) -> tuple[tuple[str, str, str], ...]:
    """Return what became of each run of words; joining either side gives its text back.

    Returns:
        (operation, old words, new words) in order; an operation is "equal", "insert", "delete" or "replace".
    """
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    return tuple(
        (operation, "".join(a[a0:a1]), "".join(b[b0:b1]))
        for operation, a0, a1, b0, b1 in matcher.get_opcodes()
    )
