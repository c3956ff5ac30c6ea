"""Traces that tests store without asking anything."""

import secrets
from typing import Any

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
