"""Splits an answer into sentences and decides which of them claim something that sources could support.

Line by line first (fences, headings, tables and list items end a sentence), then by the marks inside a line,
then lines that only wrap are joined again. Offsets are exact: `text[s.start : s.end] == s.text`, in order,
and every character that is not white space is in exactly one sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rag.text.citations import MARKER_GROUP

_MARKER = re.compile(r"\s*" + MARKER_GROUP)
_ONLY_MARKERS = re.compile(rf"(?:\s*{MARKER_GROUP})+[.!?]?")
_TRAILING_MARKERS = re.compile(rf"(?:[ \t]*{MARKER_GROUP})+(?:[.!?](?=\s|$))?")
_END = re.compile(r"[.!?…]+[\"'”’)\]*_]*(?=\s|$|\[\d)|[。！？｡]+[」』”’）]*")
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_HEADING = re.compile(r"[ \t]*(?:#{1,6}[ \t]|(?:\*\*|__)[^*_]+(?:\*\*|__)[ \t]*:?[ \t]*$)")
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*$")
_ROW_RULE = re.compile(r"[ \t]*\|?[ \t:|-]*-{2,}[ \t:|-]*$")
_ITEM = re.compile(r"[ \t]*(?:>[ \t]*)*(?:[-*•‣▪–+]|\(?\d{1,3}[.)]|\(?[a-z][.)])[ \t]+")
_WORD = re.compile(r"[^\W\d_]{2,}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_TITLES = frozenset(
    "mr mrs ms mx dr prof rev hon gen col lt sgt capt st messrs e.g i.e eg ie vs cf al viz approx ca".split()
)
_NUMBERED = frozenset("no nos nr fig figs eq eqs sec ch vol art p pp tab ref min max avg ed".split())
_MAYBE_LAST = frozenset(
    "etc inc ltd co corp dept est jr sr ph.d m.d u.s u.k u.n e.u u.s.a d.c a.m p.m b.c a.d "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_BEFORE_INITIAL = frozenset("by of and from with to for".split())

_SOURCES = (
    r"(?:passages?|sources?|contexts?|documents?|documentation|texts?|excerpts?|materials?|information)"
)
_SAY = (
    r"(?:answer|contain|mention|provide|specify|state|include|say|give|address|discuss|cover|describe|explain|"
    r"have|indicate|offer|list|tell|define|reveal|clarify|directly|explicitly|specifically)"
)
_SAID = (
    r"(?:answered|contained|mentioned|provided|specified|stated|included|given|addressed|discussed|covered|"
    r"described|explained|found|listed|available|clear)"
)
_NOT = r"(?:not|n['’]t)"
_REFUSALS = re.compile(
    rf"\b{_SOURCES}\b[^.!?]{{0,50}}\b(?:do|does|did)\s?{_NOT} {_SAY}\b"
    rf"|\b(?:is|are|was|were)\s?{_NOT} (?:\w+ly )?{_SAID}\b[^.!?]{{0,30}}\b{_SOURCES}\b"
    rf"|\b(?:i|we)(?: am|['’]m| are|['’]re)? (?:cannot|can['’]t|can not|could{_NOT}|could not|not able to|"
    rf"unable to|do not|don['’]t) "
    rf"(?:\w+ly )?(?:answer|find|provide|help|assist|determine|tell|know|have|see|say)\b"
    r"|\b(?:unable|impossible|not possible) to (?:answer|determine|say|tell)\b"
    rf"|\b(?:no|not enough|insufficient|not sufficient)(?: \w+)? (?:information|mention|answer)\b"
    rf"[^.!?]{{0,60}}\b(?:{_SOURCES}|about|on|regarding|to answer)\b"
    r"|\b(?:there is|is|there['’]s) (?:no|not enough|insufficient) (?:\w+ )?(?:information|mention)\b"
    r"|^(?:i['’]m |i am |we are )?(?:sorry|afraid)\b",
    re.IGNORECASE,
)
_META = re.compile(
    r"^(?:sure|certainly|of course|absolutely|great question|good question|okay|ok|yes|no|thanks|thank you|"
    r"hello|hi|hey|welcome|you['’]re welcome|good (?:morning|afternoon|evening))\b[\w ,'’]{0,30}[.!:,]*$"
    r"|^(?:here (?:is|are)|here['’]s|below (?:is|are)|the following (?:is|are)|in summary|to summari[sz]e|"
    r"in conclusion|summary|answer|sources?|references?|note)\b[^.!?]*:$"
    rf"|^here (?:is|are|['’]s) (?:a|an|the|some|your|my)(?: \w+){{0,2}} "
    rf"(?:summary|answer|overview|list|explanation|response|breakdown)\b[^.!?]*[.!:]?$"
    r"|\b(?:let me know|hope (?:this|that|it) helps|feel free to|"
    r"if you have any (?:other|more|further)? ?questions)\b"
    rf"|^(?:according to|based on)\b[^.,;]*\b{_SOURCES}\b[^.,;]*[:,.]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sentence:
    """A sentence and its character offsets in the text, end exclusive.

    kind: "prose", "item" (of a list), "row" (of a table), "heading" (or a table's first row) or "code".
    """

    text: str
    start: int
    end: int
    kind: str = "prose"


def split_sentences(text: str) -> list[Sentence]:
    """Return sentences, list items, headings and table rows in order; fenced code is one piece.

    A citation marker after a full stop belongs to the sentence before it.
    """
    pieces: list[Sentence] = []
    fence: tuple[str, int] | None = None  # its mark and where it opened
    position = 0
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        mark = _FENCE.match(line)
        if fence is None and mark:
            fence = (mark.group(1), start)
        elif fence is not None:
            if mark and mark.group(1) == fence[0]:
                _append(pieces, text, fence[1], position, "code")
                fence = None
        else:
            _split_line(pieces, text, start, position)
    if fence is not None:  # never closed: a cut-off answer
        _append(pieces, text, fence[1], len(text), "code")
    return _join_wrapped(pieces, text)


def is_checkable(sentence: Sentence) -> bool:
    """Return whether the sentence claims something.

    Questions, greetings, refusals, remarks on the answer itself, headings and code do not.
    """
    if sentence.kind in ("code", "heading"):
        return False
    plain = plain_text(sentence.text)
    if len(_WORD.findall(plain)) < 2 and not (_WORD.search(plain) and any(c.isdigit() for c in plain)):
        return False
    if plain.endswith(("?", "？")) or (plain.endswith((":", "：")) and len(plain.split()) < 14):
        return False
    return not (_META.search(plain) or _REFUSALS.search(plain))


def is_refusal(answer: str) -> bool:
    """Return whether the answer as a whole declines: it says so, and no sentence of it claims anything."""
    sentences = split_sentences(answer)
    declines = any(_REFUSALS.search(plain_text(s.text)) for s in sentences if s.kind != "code")
    return declines and not any(is_checkable(s) for s in sentences)


def plain_text(sentence: str) -> str:
    """Return the sentence without citation markers, list bullets and emphasis."""
    text = _MARKER.sub("", sentence)
    item = _ITEM.match(text)
    text = text[item.end() :] if item else text
    return text.replace("**", "").replace("__", "").replace("`", "").strip()


def _split_line(pieces: list[Sentence], text: str, start: int, end: int) -> None:
    """Add the sentences of one line."""
    line = text[start:end]
    if _ROW_RULE.match(line) and pieces and pieces[-1].kind == "row":
        pieces[-1] = replace(pieces[-1], kind="heading")
        _append(pieces, text, start, end, "heading")
    elif _ROW.match(line):
        _append(pieces, text, start, end, "row")
    elif _HEADING.match(line):
        _append(pieces, text, start, end, "heading")
    else:
        _split_prose(pieces, text, start, end)


def _split_prose(pieces: list[Sentence], text: str, start: int, end: int) -> None:
    item = _ITEM.match(text, start, end)
    kind = "item" if item else "prose"
    begin = start
    for stop in _END.finditer(text, item.end() if item else start, end):
        if stop.start() < begin or _goes_on_after(text, begin, stop.start(), stop.group(), end):
            continue
        markers = _TRAILING_MARKERS.match(text, stop.end(), end)
        after = markers.end() if markers else stop.end()
        _append(pieces, text, begin, after, kind)
        begin, kind = after, "prose"
    _append(pieces, text, begin, end, kind)


def _goes_on_after(text: str, begin: int, stop: int, mark: str, end: int) -> bool:
    """Return whether the full stop belongs to an abbreviation or an initial, or small letters follow it."""
    if mark[0] != ".":
        return mark[0] == "…" and text[stop + len(mark) : end].lstrip()[:1].islower()
    following = text[stop + len(mark) : min(stop + len(mark) + 40, end)].lstrip().lstrip("\"'“‘([")[:1]
    if not following:
        return False
    words = text[max(begin, stop - 40) : stop].split()
    last = words[-1].lstrip("([\"'“‘") if words else ""
    low = last.lower()
    if following.islower() or low in _TITLES:
        return True
    if low in _NUMBERED:
        return following.isdigit()
    if low in _MAYBE_LAST:
        return not following.isupper()
    if len(last) == 1 and last.isupper():
        before = words[-2] if len(words) > 1 else ""
        return not before or before[0].isupper() or before in _BEFORE_INITIAL
    return False


def _append(pieces: list[Sentence], text: str, start: int, end: int, kind: str) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + len(piece) - len(piece.lstrip())
        pieces.append(Sentence(stripped, begin, begin + len(stripped), kind))


def _join_wrapped(pieces: list[Sentence], text: str) -> list[Sentence]:
    """Join lines that only wrap, and markers on lines of their own, with the sentence before them."""
    spans: list[tuple[int, int, str]] = []
    previous: Sentence | None = None
    for piece in pieces:
        if previous is not None and _continues(previous, piece, text):
            start, _, kind = spans[-1]
            spans[-1] = (start, piece.end, kind)
        else:
            spans.append((piece.start, piece.end, piece.kind))
        previous = replace(piece, kind=spans[-1][2])
    return [Sentence(text[start:end], start, end, kind) for start, end, kind in spans]


def _continues(previous: Sentence, piece: Sentence, text: str) -> bool:
    if piece.kind != "prose" or previous.kind not in ("prose", "item"):
        return False
    breaks = text[previous.end : piece.start].count("\n")
    if breaks <= 1 and _ONLY_MARKERS.fullmatch(piece.text):
        return True
    if breaks != 1 or previous.text[-1] in '.!?…:;。！？｡]"”)':
        return False
    return piece.text[0].islower() or len(previous.text) > 60
