"""Step 7 of the schema: states are columns and not sentences, lists are JSON, and tables have the field's names.

One tuple of actions a subject, run in this order. Frozen like every step: no import of living code.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]


def _as_lists(connection: sqlite3.Connection, table: str, column: str) -> None:
    """Turn texts joined by a comma and a space into JSON lists; an empty text becomes an empty list."""
    found = connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
    for (text,) in found:
        listed = json.dumps([name for name in text.split(", ") if name])
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (listed, text))


def _list_silent_failures(connection: sqlite3.Connection) -> None:
    _as_lists(connection, "trace", "silent_failures")


def _list_changes(connection: sqlite3.Connection) -> None:
    _as_lists(connection, "regressionresult", "changes")


KNOWLEDGE: tuple[Action, ...] = ()
TRACES: tuple[Action, ...] = (
    "UPDATE trace SET source = 'regression' WHERE source = 'probe';",
    _list_silent_failures,
)
PROMPTS: tuple[Action, ...] = ()
EVALUATION: tuple[Action, ...] = ()
REVIEW: tuple[Action, ...] = ()
MONITORING: tuple[Action, ...] = (
    "ALTER TABLE frozenquestion RENAME TO regressionquestion;",
    "DROP INDEX ix_frozenrun_collection_id;",
    "ALTER TABLE frozenrun RENAME TO regressionrun;",
    "CREATE INDEX ix_regressionrun_collection_id ON regressionrun (collection_id);",
    "ALTER TABLE frozenresult RENAME TO regressionresult;",
    "ALTER TABLE regressionresult RENAME COLUMN change TO changes;",
    _list_changes,
)
GOVERNANCE: tuple[Action, ...] = ()

ACTIONS = (*KNOWLEDGE, *TRACES, *PROMPTS, *EVALUATION, *REVIEW, *MONITORING, *GOVERNANCE)
