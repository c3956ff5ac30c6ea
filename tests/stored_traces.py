"""Traces that tests store, or have as rows, without asking anything."""

import secrets
from dataclasses import fields
from typing import Any

from rag.asking.rows import TraceRow, TraceSource, TraceStatus
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

DAY = 86_400_000  # milliseconds


def add_traces(workspace: Workspace, count: int, begin_ms: int, step_ms: int = 60_000, **values: Any) -> None:
    """Store answered questions of a person, one a minute; a callable gives the value of the n-th."""
    with workspace.store.session() as session:
        for number in range(count):
            given = {name: value(number) if callable(value) else value for name, value in values.items()}
            trace = {
                "id": secrets.token_hex(16), "session_id": "s", "created_ms": begin_ms + number * step_ms,
                "status": "done", "question": "What is it?", "answer": "It is bread.", "collection": "A", "model": "m",
                "outcome": "answered", "claim_count": 1, "best_score": 0.5, "total_ms": 1000.0, "passage_count": 3,
                **given,
            }  # fmt: skip
            session.add(Trace(**trace))


def ask(**values: Any) -> TraceRow:
    """Return an answered question with no figures but those that are given."""
    empty: dict[str, Any] = {field.name: 0 if field.type == "int" else "" for field in fields(TraceRow)}
    nothing = {field.name: None for field in fields(TraceRow) if str(field.type).endswith("None")}
    given = {"status": TraceStatus.DONE, "source": TraceSource.PERSON, "silent_failures": (), **values}
    return TraceRow(**{**empty, **nothing, **given})
