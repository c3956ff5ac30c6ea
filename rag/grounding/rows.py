"""What the check of an answer found, in the words that the window, the command line and files share.

A verdict is about one sentence, an outcome about a whole answer. A silent failure is an answer that came
without an error and is of no use. An answer without a claim has no support rate: it is None, never 0 or 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.index.rows import Hit
from rag.text.search_terms import STOP_WORDS


class Verdict(StrEnum):
    """A verdict on one sentence of an answer; in this order where verdicts are listed."""

    CHECK = "check"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    NO_EVIDENCE = "no evidence"
    SUPPORTED = "supported"
    NOT_CHECKABLE = "not checkable"

    @property
    def is_flag(self) -> bool:
        """Whether the sentence is flagged: a passage is near it and does not say the same."""
        return self in (Verdict.CHECK, Verdict.UNSUPPORTED, Verdict.CONTRADICTED)

    @property
    def is_claim(self) -> bool:
        """Whether the sentence claims something, so that it counts in rates."""
        return self is not Verdict.NOT_CHECKABLE

    @property
    def is_doubt(self) -> bool:
        """Whether the sentence is a claim without support: a flag, or nothing in the passages is near it."""
        return self.is_claim and self is not Verdict.SUPPORTED

    @property
    def words(self) -> str:
        """What people read: what was measured, which is not whether the sentence is right."""
        return _VERDICT_WORDS.get(self, self.value)

    @property
    def meaning(self) -> str:
        """What was measured, in a sentence."""
        return _VERDICT_MEANINGS[self]


_VERDICT_WORDS = {Verdict.SUPPORTED: "words in source"}
_VERDICT_MEANINGS = {
    Verdict.CHECK: "Some of its words are not in the source that is nearest to it: read both.",
    Verdict.UNSUPPORTED: "The source that is nearest to it says something else, or less.",
    Verdict.CONTRADICTED: "The source that is nearest to it says the opposite, or names other figures.",
    Verdict.NO_EVIDENCE: "No passage of the prompt is near to it.",
    Verdict.SUPPORTED: "Its words are in the source. Whether it is right is not measured: read both.",
    Verdict.NOT_CHECKABLE: "It claims nothing that a source could say.",
}


class Outcome(StrEnum):
    """What became of an answer as a whole."""

    ANSWERED = "answered"
    REFUSED = "refused"
    EMPTY = "empty"
    NOT_CHECKABLE = "not checkable"
    CHECK_FAILED = "check failed"


class SilentFailure(StrEnum):
    """A way in which an answer that was reported as done is of no use."""

    EMPTY = "empty answer"
    REPEATED = "repeated text"
    OTHER_LANGUAGE = "other language"
    CUT_OFF = "cut off"
    CITES_NOTHING = "cites nothing"
    LOOP = "tool loop"
    HIDDEN_ERROR = "hidden tool error"

    @property
    def description(self) -> str:
        """What it means, as the end of a sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    SilentFailure.EMPTY: "nothing but white space, punctuation or markers",
    SilentFailure.REPEATED: "the same words over and over",
    SilentFailure.OTHER_LANGUAGE: "the answer is in another language than the question",
    SilentFailure.CUT_OFF: "the answer ends at the token limit",
    SilentFailure.CITES_NOTHING: "a marker refers to no passage of the prompt",
    SilentFailure.LOOP: "a tool was called three times or more with the same arguments",
    SilentFailure.HIDDEN_ERROR: "the call of a tool failed, and the answer does not say so",
}


@dataclass(frozen=True)
class ClaimResult:
    """One sentence of an answer and what the passages say about it.

    start and end are character offsets into the answer. score is the probability in [0, 1] that the sentence
    is not supported, None when it was not scored; raw_score is the same before it was calibrated to a
    person's data. evidence_marker is the number of the passage in the prompt, from 1; evidence_start and
    evidence_end are offsets into its text. doubtful is JSON, [[start, end], ...] in the sentence: the words
    of a flagged sentence that no passage contains.
    """

    text: str
    start: int
    end: int
    verdict: Verdict
    score: float | None
    reason: str = ""
    evidence_marker: int | None = None
    evidence_start: int | None = None
    evidence_end: int | None = None
    evidence_text: str = ""
    raw_score: float | None = None
    doubtful: str = ""

    def __post_init__(self) -> None:
        """Make a verdict that was read from the database as text a Verdict."""
        object.__setattr__(self, "verdict", Verdict(self.verdict))


def outcome(answer: str, claims: Sequence[ClaimResult], *, refused: bool, error: str = "") -> Outcome:
    """Return what became of an answer; a refusal that also makes a supported claim counts as an answer.

    Args:
        answer: The whole text.
        claims: The verdicts on its sentences.
        refused: Whether the answer declines to answer.
        error: Why the check failed, "" when it did not.
    """
    if error:
        return Outcome.CHECK_FAILED
    if not answer.strip():
        return Outcome.EMPTY
    checked = [claim for claim in claims if claim.verdict.is_claim]
    if refused and not any(claim.verdict is Verdict.SUPPORTED for claim in checked):
        return Outcome.REFUSED
    return Outcome.ANSWERED if checked else Outcome.NOT_CHECKABLE


def support_rate(claims: Sequence[ClaimResult]) -> float | None:
    """Return the share of the claims that the passages support, None without a claim."""
    checked = [claim for claim in claims if claim.verdict.is_claim]
    return sum(claim.verdict is Verdict.SUPPORTED for claim in checked) / len(checked) if checked else None


# A contradiction weighs most; a sentence without evidence says more than a supported one.
_BY_WEIGHT = (
    Verdict.CONTRADICTED,
    Verdict.UNSUPPORTED,
    Verdict.CHECK,
    Verdict.NO_EVIDENCE,
    Verdict.SUPPORTED,
    Verdict.NOT_CHECKABLE,
)


def worst_verdict(claims: Sequence[ClaimResult]) -> Verdict | None:
    """Return the verdict that says most about an answer, None without a sentence."""
    found = {claim.verdict for claim in claims}
    return next((verdict for verdict in _BY_WEIGHT if verdict in found), None)


_IN_SUMMARY = {
    Verdict.CHECK: "to check",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.NO_EVIDENCE: "without evidence",
}


def summary(claims: Sequence[ClaimResult], places: dict[int, str] | None = None) -> str:
    """Return a line on an answer: "5 of 7 sentences have their words in the sources; 1 to check".

    Args:
        claims: The verdicts on its sentences.
        places: What to call the passage behind a marker; a passage that is missing here is called by its
        marker.
    """
    counts = Counter(claim.verdict for claim in claims)
    checked = sum(claim.verdict.is_claim for claim in claims)
    if not checked:
        return "No sentence of this answer can be checked"
    supported = counts[Verdict.SUPPORTED]
    own = "sentence has its" if checked == 1 else "sentences have their"
    parts = [f"{supported} of {checked} {own} words in the sources"]
    parts += [f"{counts[verdict]} {word}" for verdict, word in _IN_SUMMARY.items() if counts[verdict]]
    against: dict[str, int] = {}
    for claim in claims:
        if claim.verdict is Verdict.CONTRADICTED:
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
    """Return a score (the probability in [0, 1] of being unsupported) as a frequency; "" without a score.

    People judge frequencies more accurately than probabilities (Gigerenzer and Hoffrage 1995).
    """
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
    """Return the spans (start, end) in each text of the words that both share, by word or by stem."""
    places = [
        [(match.start(), match.end(), _root(match.group())) for match in _WORD.finditer(text)]
        for text in (one, other)
    ]
    common = {root for _, _, root in places[0]} & {root for _, _, root in places[1]} - {""}
    spans = [[(start, end) for start, end, root in found if root in common] for found in places]
    return spans[0], spans[1]


def _root(word: str) -> str:
    """Return roughly what two forms of a word have in common; "" for words without meaning of their own."""
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
    """Return what to call the passage behind each marker: its page or section, else its document."""
    return {hit.marker: hit.place or hit.document for hit in hits if hit.marker is not None}
