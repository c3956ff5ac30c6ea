"""Rows of forms: rules as values with their YAML, the metrics to choose from, and questions for a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rag.storage.database import Database
from rag.text.plurals import counted

# How the types of checks are called in a form, with what their value is.
CHECK_TYPES = {
    "contains": "contains",
    "not-contains": "does not contain",
    "equals": "equals",
    "regex": "matches the pattern",
    "not-regex": "does not match the pattern",
    "is-json": "is JSON",
    "length": "has a length in characters of",
    "language": "is written in the language",
}


@dataclass(frozen=True)
class RuleText:
    """Rules as YAML and as the values of a form, which say the same.

    Attributes:
        text: The YAML.
        values: Plain values: a list of checks, or a gate as a dictionary of its parts.
        problem: What is wrong with what was given, in one sentence; then text and values are as given.
    """

    text: str
    values: Any
    problem: str = ""


@dataclass(frozen=True)
class MetricChoice:
    """A metric that a rule may be about. direction: "higher", "lower" or "none" is better."""

    name: str
    label: str
    definition: str
    direction: str
    unit: str


@dataclass(frozen=True)
class TracesAdded:
    """What became of questions that were made into cases."""

    set_name: str
    added: int
    repeated: int  # asked more than once, word for word: one case each
    without_reference: int  # cases whose right answer a person must write

    def sentence(self) -> str:
        """Return the counts for people."""
        said = f"{counted(self.added, 'question is', 'questions are')} in “{self.set_name}” now"
        said += f"; {counted(self.repeated, 'repetition')} left out" if self.repeated else ""
        if self.without_reference:
            what = counted(self.without_reference, "case has", "cases have")
            said += f". {what} no right answer yet, because the answer was flagged or missing"
        return f"{said}."


@dataclass(frozen=True)
class AskedSession:
    """Questions that a person asked one after the other; `question` is the first of them."""

    session_id: str
    question: str
    collection: str
    started_ms: int
    count: int


def list_asked_sessions(database: Database, limit: int = 200) -> list[AskedSession]:
    """Return the sessions in which people asked, the newest first."""
    return database.rows(
        AskedSession,
        """SELECT session_id, question, collection, min(created_ms) AS started_ms, count(*) AS count
           FROM trace WHERE source = 'person' GROUP BY session_id ORDER BY started_ms DESC LIMIT ?""",
        (limit,),
    )
