"""Rows of cascades: which step gave an answer, which ones before it did not, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.storage.database import Database


class Signal(StrEnum):
    """A figure of an answer that is known without a reference; higher is better."""

    SUPPORT = "support"
    RETRIEVAL = "retrieval"
    CONFIDENCE = "confidence"

    @property
    def description(self) -> str:
        """What it is, for people."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    Signal.SUPPORT: "the probability that its least supported sentence is supported",
    Signal.RETRIEVAL: "the cosine of its best passage",
    Signal.CONFIDENCE: "the mean probability of its tokens",
}


class QuestionClass(StrEnum):
    """A kind of question, as far as it can be told from its words."""

    FOLLOW_UP = "follow-up"
    LIST = "list"
    IDENTIFIER = "identifier"
    PLAIN = "plain"

    @property
    def description(self) -> str:
        """What it is, for people."""
        return _CLASSES[self]


_CLASSES = {
    QuestionClass.FOLLOW_UP: "needs the question before it",
    QuestionClass.LIST: "asks for all or for a number of things",
    QuestionClass.IDENTIFIER: "names a number, a code or another identifier",
    QuestionClass.PLAIN: "is none of the others",
}


@dataclass(frozen=True)
class StepRejected:
    """An answer of a step that was not accepted, or a step that failed; the next one begins.

    Attributes:
        trace_id: Of the question; the next step's answer gets it.
        name: What the step is called.
        reason: Why its answer is not given, such as "1 sentence unsupported".
        next: What the next step is called.
    """

    trace_id: str
    name: str
    reason: str
    next: str

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        return f"The answer of {self.name} was not given: {self.reason}. Asking {self.next}."


@dataclass(frozen=True)
class CascadeStepRow:
    """A step that answered a question, or tried to. Its own trace has everything about it.

    Attributes:
        trace_id: Of the step.
        answer_id: The trace of the answer that was given.
        position: Of the step in the cascade, from 1.
        name: What it is called.
        reason: Why its answer was not given; empty for the one that was.
        model: The model that answered.
        answer: What it answered.
        total_ms: How long it took, from the question on.
    """

    trace_id: str
    answer_id: str
    position: int
    name: str
    reason: str
    model: str
    answer: str
    total_ms: float | None

    @property
    def is_given(self) -> bool:
        """Whether this is the answer that was given."""
        return self.trace_id == self.answer_id


def list_cascade_steps(database: Database, trace_id: str) -> list[CascadeStepRow]:
    """Return the steps of the question that a trace belongs to, in order; none when no cascade answered."""
    return database.rows(
        CascadeStepRow,
        """SELECT s.trace_id, s.answer_id, s.position, s.name, s.reason, t.model, t.answer, t.total_ms
           FROM cascadestep s JOIN trace t ON t.id = s.trace_id
           WHERE s.answer_id = coalesce((SELECT answer_id FROM cascadestep WHERE trace_id = ?), ?)
           ORDER BY s.position""",
        (trace_id, trace_id),
    )
