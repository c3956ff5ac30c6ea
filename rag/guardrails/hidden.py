"""Finds text that people do not see and a model reads: invisible characters, hidden markup, encoded text."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from rag.guardrails.rows import Check, Finding, Injection

# Letters of an invisible alphabet: each stands for an ASCII character.
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
# Between letters of ours they have no purpose; in Persian, Indic scripts and emoji they have.
_ZERO_WIDTH = re.compile("[\u200b\u200c\u200d\u2060\u2061-\u2064\ufeff\u00ad\u180e]")
_ZERO_WIDTH_RUN = re.compile("[\u200b\u200c\u200d\u2060-\u2064\ufeff]{6,}")
_INSIDE_WORD = re.compile("[A-Za-z][\u200b\u200c\u200d\u2060\ufeff][A-Za-z]")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEAST_INSIDE = 3

_COMMENT = re.compile(
    r"<!--(.{1,4000}?)-->|/\*(.{1,2000}?)\*/|^\[//\]:\s*#\s*\(?(.{1,2000}?)\)?$", re.DOTALL | re.MULTILINE
)
_HIDING = (
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*(?:0|[01](?:\.\d+)?)(?:px"
    r"|pt|em|rem|%)?\s*(?:;|[\"'])|opacity\s*:\s*0(?:\.0\d*)?\s*(?:;|[\"'])"
    r"|(?:left|top|text-indent|margin-left)\s*:\s*-\d{3,}|(?:max-)?(?:height"
    r"|width)\s*:\s*0(?:px)?\s*(?:;|[\"'])"
    r"|(?<!-)color\s*:\s*(?:white|\#fff(?:fff)?|rgba?\(255,\s*255,\s*255[^)]*\)|transparent)"
)
_HIDDEN_ELEMENT = re.compile(
    (
        rf"<(\w{{1,12}})\b[^<>]{{0,300}}(?:style\s*=\s*[\"'][^<>]{{0,200}}?(?:{_HIDING})"
        rf"|\bhidden\b)[^<>]{{0,200}}>(.{{1,4000}}?)</\1\s*>"
    ),
    re.IGNORECASE | re.DOTALL,
)
_ALT = re.compile(
    r"!\[([^\]\n]{12,2000})\]|\b(?:alt|title|aria-label|data-\w+)\s*=\s*[\"']([^\"'<>]{12,2000})[\"']",
    re.IGNORECASE,
)

_BASE64 = re.compile(r"(?<![\w+/=-])(?:[A-Za-z0-9+/_-]{24,8000}={0,2})(?![\w+/=-])")
_HEX = re.compile(
    r"(?<!\w)(?:[0-9a-fA-F]{2}[ :]?){16,4000}(?!\w)|(?:\\x[0-9a-fA-F]{2}){8,2000}"
    r"|(?:&#x?[0-9a-fA-F]{2,5};){8,2000}"
)
_PERCENT = re.compile(r"(?:[\w.-]{0,40}%[0-9A-Fa-f]{2}){6,800}[\w.-]{0,40}")
_WORDS = re.compile(r"[A-Za-z]{2,}(?:[ '’,.:;!?-]+[A-Za-z]{1,}){2,}")

Asks = Callable[[str], bool]


def find(text: str, asks: Asks) -> Iterator[Finding]:
    """Yield what is hidden in a text.

    Args:
        text: The text as a parser handed it over; Markdown and HTML may be in it.
        asks: Tells whether a text speaks to the model: comments and descriptions of pictures are no fault
            otherwise.
    """
    yield from _characters(text)
    if "<" in text or "[" in text or "/*" in text:
        yield from _markup(text, asks)
    yield from _encoded(text, asks)


def visible(text: str) -> str:
    """Return a text without invisible characters; letters of the invisible alphabet become visible ones."""
    shown = _TAGS.sub(lambda match: "".join(chr(ord(c) - 0xE0000) for c in match[0]), text)
    return _BIDI.sub("", _ZERO_WIDTH.sub("", shown))


def _characters(text: str) -> Iterator[Finding]:
    if text.isascii():
        return
    for match in _TAGS.finditer(text):
        # A flag of a region is an emoji with at most six tags behind it.
        if not (match.start() and text[match.start() - 1] == "\U0001f3f4" and len(match[0]) <= 6):
            yield _hidden(*match.span(), 1.0, "letters of an invisible alphabet")
    for match in _ZERO_WIDTH_RUN.finditer(text):
        yield _hidden(*match.span(), 0.9, "a run of characters without width")
    inside = list(_INSIDE_WORD.finditer(text))
    # A soft break in a long name is ordinary; many in a text take words apart so that no filter reads them.
    if len(inside) >= _LEAST_INSIDE and len(inside) * 60 > len(text):
        yield _hidden(inside[0].start(), inside[-1].end(), 0.85, "words with invisible characters in them")
    overrides = [match for match in _BIDI.finditer(text) if match[0] in "\u202d\u202e"]
    if overrides and not _RIGHT_TO_LEFT.search(text):
        yield _hidden(
            overrides[0].start(), overrides[-1].end(), 0.8, "marks that show letters in another order"
        )


def _markup(text: str, asks: Asks) -> Iterator[Finding]:
    for match in _HIDDEN_ELEMENT.finditer(text):
        sure = asks(match[2])
        yield _hidden(*match.span(), 1.0 if sure else 0.6, "text that the page does not show")
    for match in _COMMENT.finditer(text):
        if asks(match[1] or match[2] or match[3]):
            yield _hidden(*match.span(), 0.95, "a comment that speaks to the model")
    for match in _ALT.finditer(text):
        if asks(match[1] or match[2]):
            yield _hidden(*match.span(), 0.9, "a description of a picture that speaks to the model")


def _encoded(text: str, asks: Asks) -> Iterator[Finding]:
    for pattern, decode, name in (
        (_BASE64, _from_base64, "base64"),
        (_HEX, _from_hex, "numbers"),
        (_PERCENT, unquote, "a link's code"),
    ):
        for match in pattern.finditer(text):
            decoded = decode(match[0])
            if decoded and _WORDS.search(decoded):
                score = 0.98 if asks(decoded) else 0.5
                reason = f"words written in {name}" + (" that speak to the model" if score > 0.9 else "")
                yield Finding(Check.INJECTION, Injection.ENCODED, *match.span(), score, reason)


def _from_base64(value: str) -> str:
    """Return what base64 stands for, "" when it is no text."""
    if not (re.search(r"[A-Z]", value) and re.search(r"[a-z]", value)):
        return ""
    try:
        data = base64.b64decode(
            value.translate(str.maketrans("-_", "+/")) + "=" * (-len(value) % 4), validate=True
        )
    except (binascii.Error, ValueError):
        return ""
    return _printable(data)


def _from_hex(value: str) -> str:
    if value.startswith("&#"):
        codes = [
            int(code[1:], 16) if code[0] in "xX" else int(code)
            for code in re.findall(r"&#(x?[0-9a-fA-F]+);", value, re.IGNORECASE)
            if code[0] in "xX" or code.isdigit()
        ]
        return "".join(map(chr, filter(lambda code: code < 0x110000, codes)))
    digits = re.sub(r"\\x|[ :]", "", value)
    return _printable(bytes.fromhex(digits)) if len(digits) % 2 == 0 else ""


def _printable(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if sum(c.isprintable() or c.isspace() for c in text) == len(text) else ""


def _hidden(start: int, end: int, score: float, reason: str) -> Finding:
    return Finding(Check.INJECTION, Injection.HIDDEN_TEXT, start, end, score, reason)
