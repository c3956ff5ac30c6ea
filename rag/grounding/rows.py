"""Verdicts on the sentences of an answer, in the words that the window, the command line and files share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.index.rows import Hit
from rag.text.search_terms import STOP_WORDS


@dataclass(frozen=True)
class ClaimResult:
    """One sentence of an answer and what the passages say about it.

    start and end are character offsets into the answer; score is the probability in [0, 1] that the sentence
    is not supported, None when it was not scored; raw_score the same before a calibration to a person's data.
    Evidence offsets are into the passage's text. doubtful is JSON, [[start, end], ...] in the sentence: the words
    of a flagged sentence that no passage holds.
    """

    text: str
    start: int
    end: int
    verdict: str  # "supported" | "check" | "unsupported" | "contradicted" | "no evidence" | "not checkable"
    score: float | None
    reason: str = ""
    evidence_marker: int | None = None  # 1-based passage number, as in the prompt
    evidence_start: int | None = None
    evidence_end: int | None = None
    evidence_text: str = ""
    raw_score: float | None = None
    doubtful: str = ""


FLAGS = {"check": 1, "unsupported": 2, "contradicted": 3}  # verdicts that ask for a look, by weight


NOT_CLAIMS = frozenset({"not checkable"})


_IN_SUMMARY = {
    "supported": "",
    "check": "to check",
    "unsupported": "unsupported",
    "no evidence": "without evidence",
}


OUTCOMES = ("answered", "refused", "empty", "not checkable", "check failed")


def outcome(answer: str, claims: Sequence[ClaimResult], *, refused: bool, error: str = "") -> str:
    """What became of an answer, one of OUTCOMES; a refusal that also claims something is an answer."""
    if error:
        return "check failed"
    if not answer.strip():
        return "empty"
    checked = [claim for claim in claims if claim.verdict not in NOT_CLAIMS]
    if refused and not any(claim.verdict == "supported" for claim in checked):
        return "refused"
    return "answered" if checked else "not checkable"


def support_rate(claims: Sequence[ClaimResult]) -> float | None:
    """Share of the claims that the passages support, None without a claim."""
    checked = [claim for claim in claims if claim.verdict not in NOT_CLAIMS]
    return sum(claim.verdict == "supported" for claim in checked) / len(checked) if checked else None


def summary(claims: Sequence[ClaimResult], places: dict[int, str] | None = None) -> str:
    """One line over an answer's sentences: "5 of 7 sentences have support; 1 to check; 1 contradicts page 4".

    places: what to call the passage with a marker; without one it is called by its marker.
    """
    counts = {verdict: sum(claim.verdict == verdict for claim in claims) for verdict in _IN_SUMMARY}
    checked = sum(claim.verdict not in NOT_CLAIMS for claim in claims)
    if not checked:
        return "No sentence of this answer can be checked"
    parts = [f"{counts['supported']} of {checked} sentence{' has' if checked == 1 else 's have'} support"]
    parts += [
        f"{counts[verdict]} {word}" for verdict, word in _IN_SUMMARY.items() if word and counts[verdict]
    ]
    against: dict[str, int] = {}
    for claim in claims:
        if claim.verdict == "contradicted":
            marker = claim.evidence_marker or 0
            place = (places or {}).get(marker) or f"[{marker}]"
            against[place] = against.get(place, 0) + 1
    parts += [f"{count} contradict{'s' if count == 1 else ''} {place}" for place, count in against.items()]
    return "; ".join(parts)


_FREQUENCIES = (
    (0.015, "about 1 in 100 sentences like this is unsupported"),
    (0.035, "about 1 in 40 sentences like this is unsupported"),
    (0.075, "about 1 in 20 sentences like this is unsupported"),
    (0.14, "about 1 in 10 sentences like this is unsupported"),
    (0.22, "about 1 in 6 sentences like this is unsupported"),
    (0.29, "about 1 in 4 sentences like this is unsupported"),
    (0.41, "about 1 in 3 sentences like this is unsupported"),
    (0.59, "about half of sentences like this are unsupported"),
    (0.71, "about 2 in 3 sentences like this are unsupported"),
    (0.85, "about 3 in 4 sentences like this are unsupported"),
    (0.95, "about 9 in 10 sentences like this are unsupported"),
)


def frequency(score: float | None) -> str:
    """A score (probability in [0, 1] of being unsupported) as a frequency, which people read more rightly
    (Gigerenzer and Hoffrage 1995); "" without a score."""
    if score is None:
        return ""
    if score < 0.005:
        return "fewer than 1 in 200 sentences like this are unsupported"
    return next(
        (text for limit, text in _FREQUENCIES if score < limit),
        "nearly all sentences like this are unsupported",
    )


_WORD = re.compile(r"[^\W_]+")


_LEAST = 3  # letters; shorter words are shared by any two sentences


def shared_words(one: str, other: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where (start, end) the words stand that two texts share, for marking them: the same word or the same stem."""
    places = [
        [(match.start(), match.end(), _root(match.group())) for match in _WORD.finditer(text)]
        for text in (one, other)
    ]
    common = {root for _, _, root in places[0]} & {root for _, _, root in places[1]} - {""}
    spans = [[(start, end) for start, end, root in found if root in common] for found in places]
    return spans[0], spans[1]


def _root(word: str) -> str:
    """What two forms of a word have in common, roughly; "" for words that say nothing."""
    word = word.casefold()
    if word.isdigit():
        return word
    if len(word) < _LEAST or word in STOP_WORDS:
        return ""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            return word[: -len(ending)]
    return word


def places(hits: Iterable[Hit]) -> dict[int, str]:
    """What to call the passage behind each marker: its page or section, else its document."""
    return {hit.marker: hit.place or hit.document for hit in hits if hit.marker is not None}


EMPTY = "empty answer"


REPEATED = "repeated text"


OTHER_LANGUAGE = "other language"


CUT_OFF = "cut off"


CITES_NOTHING = "cites nothing"


SILENT_FAILURES = {  # what each means
    EMPTY: "nothing but white space, punctuation or markers",
    REPEATED: "the same words over and over",
    OTHER_LANGUAGE: "the answer is in another language than the question",
    CUT_OFF: "the answer ends at the token limit",
    CITES_NOTHING: "a marker stands for no passage of the prompt",
}
