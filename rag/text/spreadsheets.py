"""Cells of a CSV for people who open it in a spreadsheet, which runs what looks like a formula.

A cell whose text begins with a sign that starts a formula gets an apostrophe before it; reading takes it away
again, so a text comes back as it was. See OWASP, "CSV Injection".
"""

from __future__ import annotations

import re

BYTE_ORDER_MARK = "\ufeff"  # begins a file: without it, Excel takes UTF-8 for the old code page

# The full-width forms count as well: some spreadsheets fold them.
_RUNS = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_GUARDED = re.compile("'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def guarded(text: str) -> str:
    """Return a cell that a spreadsheet shows as text; one that begins with an apostrophe stays apart."""
    return f"'{text}" if _RUNS.match(text) else text


def unguarded(text: str) -> str:
    """Return the text of a cell that `guarded` made; any other cell is returned as it is."""
    return text[1:] if _GUARDED.match(text) else text


def is_number(text: str) -> bool:
    """Return whether a cell is a plain number, which no spreadsheet runs."""
    return _NUMBER.fullmatch(text) is not None
