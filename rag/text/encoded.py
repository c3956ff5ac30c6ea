"""Finds stretches of a text that nobody reads: base64, hexadecimal dumps, and minified code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

_LETTER = "[A-Za-z0-9+/_-]"
# One long word, or lines of one word each, as mails and keys wrap them. A match begins where a word does:
# otherwise every letter of a long word would be tried as a beginning.
_ENCODED = re.compile(
    rf"(?<!{_LETTER})(?:(?:{_LETTER}{{40,}}={{0,2}}[ \t]*\n[ \t>]*){{4,}}"
    rf"(?:{_LETTER}{{1,400}}={{0,2}}(?=\s*\n|\s*$))?"
    rf"|{_LETTER}{{200,}}={{0,2}})"
)
_LONG_LINE = re.compile(r"[^\n]{1000,}")
_MARKS, _BRACKETS, _QUOTES, _BLANKS = ";{}()=&|?!", "{}()", "\"'`", " \t"
# Measured: of neighbouring letters of base64 62 % are of different kinds (small, capital, digit), of
# hexadecimal 47 %, of words joined by hyphens or slashes under 30 %.
_MIXED = 0.38


class EncodedKind(StrEnum):
    """A kind of text that is made by programs for programs."""

    ENCODED = "encoded"  # base64 or hexadecimal
    MINIFIED = "minified"


class Stretch(NamedTuple):
    """A part of a text, as character offsets, end exclusive."""

    start: int
    end: int
    kind: EncodedKind


def encoded_stretches(text: str) -> list[Stretch]:
    """Return the stretches of encoded and minified text, in order and apart."""
    found = sorted([*_encoded(text), *_minified(text)])
    kept: list[Stretch] = []
    for stretch in found:
        if kept and stretch.start < kept[-1].end:
            kept[-1] = kept[-1]._replace(end=max(kept[-1].end, stretch.end))
        else:
            kept.append(stretch)
    return kept


def _encoded(text: str) -> Iterator[Stretch]:
    for match in _ENCODED.finditer(text):
        sample = "".join(match.group()[:4000].split())
        kinds = [0 if c.islower() else 1 if c.isupper() else 2 if c.isdigit() else 3 for c in sample]
        changes = sum(one != other for one, other in pairwise(kinds))
        if changes >= _MIXED * len(sample) and {0, 1} & set(kinds) and 2 in kinds:
            end = match.start() + len(match.group().rstrip(" \t\n>"))
            yield Stretch(match.start(), end, EncodedKind.ENCODED)


def _minified(text: str) -> Iterator[Stretch]:
    """Yield long lines with the marks of code and hardly a blank; JSON has quotes, tables no brackets."""
    for match in _LONG_LINE.finditer(text):
        line = match.group()[:20_000]
        marks, brackets, quotes, blanks = (
            sum(map(line.count, signs)) / len(line) for signs in (_MARKS, _BRACKETS, _QUOTES, _BLANKS)
        )
        if marks > 0.09 and brackets > 0.04 and quotes < marks / 2 and blanks < 0.08:
            yield Stretch(match.start(), match.end(), EncodedKind.MINIFIED)
