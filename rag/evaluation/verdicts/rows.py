"""Rows of verdicts on runs and answers, and the query of what was in the prompts of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.storage.database import Database


class RunChange(StrEnum):
    """How a run differs from its baseline."""

    BETTER = "better"
    WORSE = "worse"
    MIXED = "better and worse"
    SAME = "no difference"  # no metric of quality differs in any case
    UNCERTAIN = "cannot tell"


class AnswerMark(StrEnum):
    """What is known of an answer. One that nobody and nothing has judged is "ran", not "right"."""

    RIGHT = "right"
    WRONG = "wrong"
    CHECKS_PASSED = "checks passed"
    CHECK_FAILED = "check failed"
    DECLINED = "declined"
    RAN = "ran"
    ERROR = "error"
    TIMEOUT = "timed out"


_OUTCOME_WORDS = {"ok": "ran", "assertion failed": "failed a check"}


def outcome_word(outcome: str) -> str:
    """Return a CaseOutcome for people: that a case ended "ok" does not say that its answer is right."""
    return _OUTCOME_WORDS.get(outcome, outcome)


@dataclass(frozen=True)
class RunVerdict:
    """What a comparison says of a run, in one sentence that names the reason."""

    run_id: int
    change: RunChange
    sentence: str


@dataclass(frozen=True)
class ShownPassage:
    """A passage that was in the prompt of a trace."""

    trace_id: str
    marker: int
    document: str
    path: str
    place: str
    start: int
    end: int
    text: str

    @property
    def name(self) -> str:
        """The document and the place, for people."""
        return f"{self.document}, {self.place}" if self.place else self.document


def list_shown_passages(database: Database, trace_ids: Sequence[str]) -> dict[str, list[ShownPassage]]:
    """Return what was in the prompt of each trace, in the order of the prompt."""
    found = database.rows(
        ShownPassage,
        """SELECT trace_id, marker, document, path, place, start, end, text FROM tracehit
           WHERE trace_id IN (SELECT value FROM json_each(?)) AND marker IS NOT NULL
           ORDER BY trace_id, marker""",
        (json.dumps(list(trace_ids)),),
    )
    passages: dict[str, list[ShownPassage]] = {}
    for passage in found:
        passages.setdefault(passage.trace_id, []).append(passage)
    return passages


def read_flag_counts(database: Database, trace_ids: Sequence[str]) -> dict[str, int]:
    """Return how many sentences of each trace's answer are flagged."""
    found = database.query(
        "SELECT id, flag_count FROM trace WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(trace_ids)),),
    )
    return {row[0]: int(row[1]) for row in found}
