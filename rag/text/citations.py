"""Finds the markers by which an answer cites its passages: [3], and lists of them such as [1, 2].

The prompt numbers its passages from 1, and answers cite them by these numbers. Models also write lists and
ranges, which no prompt asks for, so each caller says by its choice of function what it takes for a citation.
"""

from __future__ import annotations

import re

MARKER = re.compile(r"\[(\d{1,3})\]")
"""One marker; its only group is the number."""

MARKER_GROUP = r"\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]"
"""A pattern for a marker, a list or a range of markers, without groups: [3], [1, 2], [1–4]."""

_SPACED_MARKER = re.compile(r"\s*" + MARKER.pattern)
_LIST = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")


def markers_of(text: str) -> set[int]:
    """Return the numbers of all plain markers of a text: {1, 3} of "A [1]. B [3][1]. C [4, 5]."."""
    return {int(number) for number in MARKER.findall(text)}


def unknown_markers(text: str, count: int) -> str:
    """Return the plain markers of a text that none of `count` passages has, as "[0], [7]"; "" without any."""
    return ", ".join(f"[{number}]" for number in sorted(markers_of(text) - set(range(1, count + 1))))


def listed_markers_of(text: str) -> set[int]:
    """Return the numbers of all markers of a text, those in lists such as [1, 2] or [1; 2] included."""
    return {int(number) for found in _LIST.findall(text) for number in re.findall(r"\d+", found)}


def without_markers(text: str) -> str:
    """Return a text without its plain markers; the space before a marker stays."""
    return MARKER.sub("", text)


def without_listed_markers(text: str) -> str:
    """Return a text without its markers and lists of markers; the space before them stays."""
    return _LIST.sub("", text)


def without_citations(text: str) -> str:
    """Return a text as a person would write it: without plain markers and the space before each of them."""
    return _SPACED_MARKER.sub("", text).strip()
