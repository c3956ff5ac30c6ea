"""Rows of the answer cache: answers that were given again, what that saved, and how often it was wrong."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum

from rag.storage.database import Database
from rag.text.plurals import counted


class HitKind(StrEnum):
    """How a question found its answer in the cache."""

    EXACT = "exact"  # the same question
    SIMILAR = "similar"  # a question that says the same in other words
    NEAR = "near"  # such a question too, but the answer was not given again: a model was asked


@dataclass(frozen=True)
class AnswerRecalled:
    """An answer of before is given again: an event of answering."""

    trace_id: str
    source_trace: str
    kind: HitKind
    answered_ms: int  # Unix, when the first answer was given
    similarity: float | None  # None for the same question


@dataclass(frozen=True)
class CacheHitRow:
    """A question that was answered from the cache, or could have been.

    similarity is the cosine of the two questions, None for an exact hit. What is None of a comparison is not
    known: it was not made, or could not be.
    """

    trace_id: str
    source_trace: str
    kind: HitKind
    similarity: float | None
    created_ms: int
    answered_ms: int
    question: str
    first_question: str
    prompt_tokens: int
    completion_tokens: int
    saved_ms: float
    checked_ms: int | None
    fresh_trace: str
    same_citations: bool | None
    same_meaning: bool | None
    space: str = ""  # everything besides the question that the answer rests on, hashed

    @property
    def is_false(self) -> bool | None:
        """Whether a fresh answer meant or cited something else; None: nobody knows."""
        if self.same_meaning is None or self.same_citations is None:
            return None
        return not (self.same_meaning and self.same_citations)

    def sentence(self) -> str:
        """Say what the answer is: "Answered before, 12 minutes ago, same documents"."""
        like = "" if self.similarity is None else f", to a similar question ({self.similarity:.2f})"
        return f"Answered before{like}, {ago(self.created_ms - self.answered_ms)}, same documents"


@dataclass(frozen=True)
class FalseHits:
    """How many compared hits were false, with a 95 % interval of their share; None without any."""

    kind: HitKind
    compared: int
    false: int
    other_meaning: int
    other_citations: int
    low: float | None
    high: float | None

    @property
    def rate(self) -> float | None:
        """The share of false hits among those that were compared."""
        return self.false / self.compared if self.compared else None

    def sentence(self) -> str:
        """Return the rate as people read it."""
        if self.rate is None or self.low is None or self.high is None:
            return "none was compared with a fresh answer yet"
        return (
            f"{self.false} of {self.compared:,} were false: {100 * self.rate:.1f} % "
            f"({100 * self.low:.1f} to {100 * self.high:.1f} %); {self.other_meaning} meant something else, "
            f"{self.other_citations} cited something else"
        )


@dataclass(frozen=True)
class ThresholdChoice:
    """What a threshold would have done with the similar questions that were compared."""

    threshold: float
    given: int  # that would have been answered from the cache
    false: int
    high: float  # upper bound of the share of false ones, 95 %, one-sided


@dataclass(frozen=True)
class CacheState:
    """What the cache has, what it saved, and how often it was wrong.

    Attributes:
        answers: Answers that may be given again now.
        questions: Questions of people in the period.
        exact: Of them, answered from the cache as the same question.
        similar: Of them, answered as a similar one.
        prompt_tokens: Tokens that no model read again.
        completion_tokens: Tokens that no model wrote again.
        seconds: Time that people did not wait.
        amounts: Cost that was saved, by currency.
        unknown_cost: Hits whose first answer has no known cost.
        false_hits: For each kind of hit.
        waiting: Hits that can still be compared with a fresh answer.
        choices: Thresholds, the lowest first.
        threshold: The one in use.
    """

    answers: int
    questions: int
    exact: int
    similar: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    amounts: dict[str, float] = field(default_factory=dict)
    unknown_cost: int = 0
    false_hits: tuple[FalseHits, ...] = ()
    waiting: int = 0
    choices: tuple[ThresholdChoice, ...] = ()
    threshold: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """The share of questions that were answered from the cache; None without a question."""
        return (self.exact + self.similar) / self.questions if self.questions else None

    def how_many(self) -> str:
        """Return how many questions it answered: "Answered from the cache: 3 of 12 questions (25.0 %)"."""
        rate = f" ({100 * self.hit_rate:.1f} %)" if self.hit_rate is not None else ""
        asked = counted(self.questions, "question")
        return f"Answered from the cache: {self.exact + self.similar:,} of {asked}{rate}"


@dataclass(frozen=True)
class CacheCheckProgress:
    """How many hits of all that are compared were answered afresh."""

    done: int
    total: int


@dataclass(frozen=True)
class CacheCheckReport:
    """What comparing hits with fresh answers found; changed ones cannot be compared any more."""

    compared: int
    false: int
    changed: int
    removed: int  # answers that are not given again: a fresh one to the same question was another

    def sentence(self) -> str:
        """Return the report in words."""
        parts = [f"{counted(self.compared, 'hit')} compared with a fresh answer, {self.false:,} false"]
        if self.changed:
            parts.append(
                f"{counted(self.changed, 'hit')} cannot be compared: documents or settings have changed"
            )
        if self.removed:
            parts.append(f"{counted(self.removed, 'answer')} removed from the cache")
        return "; ".join(parts) + "."


_COLUMNS = """SELECT h.*, t.question, coalesce(s.question, '') AS first_question,
    coalesce(s.created_ms, h.created_ms) AS answered_ms
    FROM cachehit h JOIN trace t ON t.id = h.trace_id LEFT JOIN trace s ON s.id = h.source_trace"""


def hit_of(database: Database, trace_id: str) -> CacheHitRow | None:
    """Return how the answer of a trace came from the cache; None when a model gave it."""
    found = database.rows(
        CacheHitRow, f"{_COLUMNS} WHERE h.trace_id = ? AND h.kind != ?", (trace_id, HitKind.NEAR)
    )
    return found[0] if found else None


def list_hits(
    database: Database, since_ms: int = 0, limit: int = 100_000, collection: str = ""
) -> list[CacheHitRow]:
    """Return the hits since a moment, those that were not given included, newest first."""
    return database.rows(
        CacheHitRow,
        f"""{_COLUMNS} WHERE h.created_ms >= ? AND (? = '' OR t.collection = ?)
            ORDER BY h.created_ms DESC, h.trace_id LIMIT ?""",
        (since_ms, collection, collection, limit),
    )


def waiting_hits(database: Database, share: float = 1.0) -> list[CacheHitRow]:
    """Return the hits that were not compared with a fresh answer yet, or a share of them, by chance.

    Whether a hit is in a share is decided by its id: it is the same every time.
    """
    found = database.rows(
        CacheHitRow, f"{_COLUMNS} WHERE h.checked_ms IS NULL ORDER BY h.created_ms, h.trace_id"
    )
    return [hit for hit in found if int(hit.trace_id[:8], 16) / 2**32 < share]


def threshold_for(choices: tuple[ThresholdChoice, ...], target: float) -> ThresholdChoice | None:
    """Return the lowest threshold whose false hits are surely at most a share; None when none is."""
    return next((one for one in choices if one.high <= target), None)


def count_answers(database: Database, since_ms: int = 0) -> int:
    """Return how many answers the cache has that were given since a moment."""
    found = database.cells("SELECT count(*) FROM cachedanswer WHERE created_ms >= ?", (since_ms,))
    return int(found[0][0]) if found else 0


def ago(milliseconds: int) -> str:
    """Return an age as people say it: "12 minutes ago"."""
    seconds = max(milliseconds, 0) / 1000
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{counted(int(seconds // size), unit)} ago"
    return "a moment ago"


def oldest_ms(max_age_days: int) -> int:
    """Return since when answers may be given again, in Unix milliseconds."""
    return round((time.time() - max_age_days * 86_400) * 1000)
