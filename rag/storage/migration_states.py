"""Step 7 of the schema: states are columns and not sentences, lists are JSON, and tables have the field's names.

One tuple of actions a subject, run in this order. Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# --- governance: an erasure's state is a row, and what a version lost is a column --------------------------

_ERASURES = """
CREATE TABLE erasure (id INTEGER NOT NULL, collection VARCHAR NOT NULL, document_ids VARCHAR NOT NULL, state
    VARCHAR NOT NULL, begun_ms INTEGER NOT NULL, done_ms INTEGER, found_count INTEGER, PRIMARY KEY (id));
ALTER TABLE datasetversion ADD COLUMN was_erased BOOLEAN NOT NULL DEFAULT 0;
UPDATE datasetversion SET was_erased = 1,
    message = substr(message, 1, length(message) - length(' (a document was erased later)'))
    WHERE message LIKE '% (a document was erased later)';
"""


def _add_erasures(connection: sqlite3.Connection) -> None:
    """Note the erasure that was interrupted, of which only the audit log knew."""
    last = connection.execute(
        """SELECT action, created_ms FROM auditevent WHERE action IN ('erasure begun', 'erasure done')
           ORDER BY id DESC LIMIT 1"""
    ).fetchone()
    if last is not None and last[0] == "erasure begun":
        connection.execute(
            """INSERT INTO erasure (collection, document_ids, state, begun_ms)
               VALUES ('', '[]', 'cleaning', ?)""",
            (last[1],),
        )


# --- the subjects, in the order in which they run -----------------------------------------------------------

KNOWLEDGE: tuple[Action, ...] = ()
TRACES: tuple[Action, ...] = ()
PROMPTS: tuple[Action, ...] = ()
EVALUATION: tuple[Action, ...] = ()
REVIEW: tuple[Action, ...] = ()
MONITORING: tuple[Action, ...] = ()
GOVERNANCE: tuple[Action, ...] = (
    _ERASURES,
    _add_erasures,
)

ACTIONS = (*KNOWLEDGE, *TRACES, *PROMPTS, *EVALUATION, *REVIEW, *MONITORING, *GOVERNANCE)
