"""Splits an answer into sentences and decides which of them make a claim that sources could support."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st no nr vs etc eg ie e.g i.e cf al fig figs eq sec ch vol ed eds rev gen col lt sgt capt "
    "inc ltd co corp dept est approx max min avg u.s u.k u.n e.u a.m p.m jan feb mar apr jun jul aug sep sept oct nov "
    "dec ca resp incl".split()
)
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+[」』”）]*")
_TRAILING_MARKERS = re.compile(r"(?:[ \t]*\[\d{1,3}\])+[.!?]?")
_ITEM = re.compile(r"[ \t]*(?:[-*•‣–]|\d{1,3}[.)]|[a-zA-Z][.)])[ \t]+")
_MARKER = re.compile(r"\s*\[\d{1,3}\]")
_REFUSAL = re.compile(
    r"\b(?:passages?|sources?|context|documents?|text|information)\b[^.]{0,60}\b(?:do|does|did)(?: not|n['’]t)\b"
    r"|\b(?:not|n['’]t) (?:answer|contain|mention|provide|specify|state|include)\b[^.]{0,80}"
    r"\b(?:passages?|sources?|context|documents?|question|information)\b"
    r"|\b(?:i|we) (?:cannot|can['’]t|can not|am unable|do not know|don['’]t know|don['’]t have|do not have)\b"
    r"|\bunable to answer\b|\bno (?:relevant )?information\b|\bnot (?:enough|sufficient) information\b|^i['’]m sorry\b",
    re.IGNORECASE,
)
_META = re.compile(
    r"^(?:sure|certainly|of course|okay|ok|yes|no|thanks|thank you|hello|hi|you['’]re welcome)\b[^.]{0,30}[.!:,]*$"
    r"|^(?:here (?:is|are)|below (?:is|are)|the following|in summary|to summari[sz]e|in conclusion)\b[^.]*:$"
    r"|\b(?:let me know|hope (?:this|that) helps|feel free to|if you have any)\b"
    r"|^(?:according to|based on)[^.,]*[:,]?$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Sentence:
    """A sentence and its character offsets in the answer, end exclusive."""

    text: str
    start: int
    end: int
    code: bool = False


def split_sentences(text: str) -> list[Sentence]:
    """Sentences, list items and table rows in order; what is between fences is one piece of code.

    A citation marker behind a full stop belongs to the sentence before it.
    """
    sentences: list[Sentence] = []
    fence_start: int | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        start, end = position, position + len(line)
        position = end
        if line.lstrip().startswith(("```", "~~~")):
            if fence_start is None:
                fence_start = start
            else:
                _append(sentences, text, fence_start, end, code=True)
                fence_start = None
        elif fence_start is None:
            _split_line(sentences, text, start, end)
    if fence_start is not None:
        _append(sentences, text, fence_start, len(text), code=True)
    return _join_wrapped(sentences, text)


def is_checkable(sentence: Sentence) -> bool:
    """Whether the sentence claims something: not a question, greeting, refusal, meta remark, heading or code."""
    plain = plain_text(sentence.text)
    if sentence.code or len(_WORD.findall(plain)) < 2:
        return False
    if plain.endswith(("?", "？")) or plain.startswith("#"):
        return False
    if plain.endswith(":") and len(plain.split()) < 14:
        return False
    return not (_META.search(plain) or _REFUSAL.search(plain))


def is_refusal(answer: str) -> bool:
    """Whether the answer as a whole declines: it refuses, and no sentence of it claims anything else."""
    if not _REFUSAL.search(answer):
        return False
    return not any(is_checkable(sentence) for sentence in split_sentences(answer))


def plain_text(sentence: str) -> str:
    """The sentence without citation markers, list bullets and emphasis."""
    text = _MARKER.sub("", sentence)
    text = _ITEM.sub("", text, count=1) if _ITEM.match(text) else text
    return text.replace("**", "").replace("__", "").strip()


def _split_line(sentences: list[Sentence], text: str, start: int, end: int) -> None:
    begin = start
    item = _ITEM.match(text, start, end)
    cursor = item.end() if item else start
    for stop in _END.finditer(text, cursor, end):
        if stop.start() < begin or _is_abbreviation(text, begin, stop.start(), stop.group()):
            continue
        after = stop.end()
        markers = _TRAILING_MARKERS.match(text, after, end)
        if markers and not text[after : after + 1].isalnum():
            after = markers.end()
        _append(sentences, text, begin, after)
        begin = after
    _append(sentences, text, begin, end)


def _is_abbreviation(text: str, begin: int, stop: int, mark: str) -> bool:
    if not mark.startswith(".") or mark.startswith(".."):
        return False
    words = text[max(begin, stop - 12) : stop].split()
    last = words[-1].lower().lstrip("([\"'“‘") if words else ""
    following = text[stop + len(mark) :].lstrip()[:1]
    if last in _ABBREVIATIONS:
        return not following.isupper() or last not in ("etc", "inc", "ltd", "co", "corp", "a.m", "p.m", "u.s", "u.k")
    if len(last) == 1 and last.isalpha() and last != "i":  # an initial
        return True
    return following.islower() and not following == ""


def _append(sentences: list[Sentence], text: str, start: int, end: int, code: bool = False) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + piece.index(stripped[0])
        sentences.append(Sentence(stripped, begin, begin + len(stripped), code))


def _join_wrapped(sentences: list[Sentence], text: str) -> list[Sentence]:
    """A single line break inside a sentence does not end it: some models wrap their lines."""
    joined: list[Sentence] = []
    for sentence in sentences:
        previous = joined[-1] if joined else None
        if previous is not None and _goes_on(previous, sentence, text):
            whole = text[previous.start : sentence.end]
            joined[-1] = Sentence(whole, previous.start, sentence.end)
        else:
            joined.append(sentence)
    return joined


def _goes_on(previous: Sentence, sentence: Sentence, text: str) -> bool:
    if previous.code or sentence.code or text[previous.end : sentence.start].count("\n") != 1:
        return False
    if _ITEM.match(sentence.text) or "|" in previous.text or previous.text.startswith("#"):
        return False
    return previous.text[-1] not in ".!?…:;。！？]\"”)" and (sentence.text[0].islower() or len(previous.text) > 60)
