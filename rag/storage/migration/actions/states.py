"""Step 7 of the schema: states are columns, not sentences; lists are JSON; tables have the field's names.

One tuple of actions a subject, run in this order. Frozen like every step: no import of living code.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# --- knowledge: the field's names, and what a kill interrupted ---------------------------------------------

_VERIFICATION_TABLES = """
DROP INDEX IF EXISTS ix_probe_collection_id;
DROP INDEX IF EXISTS ix_proof_collection_id;
DROP INDEX IF EXISTS ix_proof_version_id;
ALTER TABLE probe RENAME TO verificationquery;
ALTER TABLE proberesult RENAME TO verificationresult;
ALTER TABLE verificationresult RENAME COLUMN probe_id TO query_id;
ALTER TABLE proof RENAME TO verification;
ALTER TABLE verification RENAME COLUMN probe_count TO query_count;
ALTER TABLE verification RENAME COLUMN probes_same TO queries_same;
ALTER TABLE verification DROP COLUMN embedded_count;
CREATE INDEX ix_verificationquery_collection_id ON verificationquery (collection_id);
CREATE INDEX ix_verification_collection_id ON verification (collection_id);
CREATE INDEX ix_verification_version_id ON verification (version_id);
"""

# `pending` was a sentence: the message of the version that was being made, "Adding 3 files", or "Activating
# version 3". A version that was complete when the program was killed has the sentence as its message.
_PENDING_COLUMNS = """
ALTER TABLE collection ADD COLUMN pending_kind VARCHAR NOT NULL DEFAULT '';
ALTER TABLE collection ADD COLUMN pending_version_id INTEGER;
UPDATE collection SET pending_kind = 'activate', pending_version_id =
    (SELECT v.id FROM datasetversion v WHERE v.collection_id = collection.id
        AND collection.pending = 'Activating version ' || v.number)
    WHERE pending LIKE 'Activating version %';
UPDATE collection SET pending_version_id = active_version_id
    WHERE pending != '' AND pending_kind = '' AND pending =
        (SELECT v.message FROM datasetversion v WHERE v.id = collection.active_version_id);
UPDATE collection SET pending_kind = CASE
        WHEN pending LIKE 'Removed “%' OR pending LIKE 'Removed % documents' THEN 'remove'
        WHEN pending LIKE 'Adding %' OR pending GLOB 'Added [0-9]*' OR pending GLOB 'Replaced [0-9]*'
            OR pending GLOB 'Moved [0-9]*' OR pending GLOB 'Removed [0-9]*' THEN 'ingest'
        WHEN pending LIKE 'Edited metadata of %' THEN 'metadata'
        WHEN pending LIKE 'Excluded %' OR pending LIKE 'Included %' THEN 'exclude'
        WHEN pending LIKE 'Imported %' THEN 'import'
        ELSE 'other' END
    WHERE pending != '' AND pending_kind = '';
ALTER TABLE collection DROP COLUMN pending;
"""

# --- traces and monitoring: lists are JSON ----------------------------------------------------------------


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


_REGRESSION_TABLES = """
ALTER TABLE frozenquestion RENAME TO regressionquestion;
DROP INDEX IF EXISTS ix_frozenrun_collection_id;
ALTER TABLE frozenrun RENAME TO regressionrun;
CREATE INDEX ix_regressionrun_collection_id ON regressionrun (collection_id);
ALTER TABLE frozenresult RENAME TO regressionresult;
ALTER TABLE regressionresult RENAME COLUMN change TO changes;
"""

# --- review: how an item was chosen, and the field's names ------------------------------------------------

# `why` was "flagged", "thumbs-down", "random" or "low score 0.21".
_REVIEW_SOURCE = """
ALTER TABLE reviewitem ADD COLUMN source VARCHAR NOT NULL DEFAULT '';
ALTER TABLE reviewitem ADD COLUMN score FLOAT;
UPDATE reviewitem SET source = 'low score', score = CAST(substr(why, 11) AS REAL)
    WHERE why LIKE 'low score %';
UPDATE reviewitem SET source = why WHERE source = '';
ALTER TABLE reviewitem DROP COLUMN why;
"""
_ROLLOUT_ANSWERS = """
DROP INDEX IF EXISTS ix_rolloutask_rollout_id;
ALTER TABLE rolloutask RENAME TO rolloutanswer;
CREATE INDEX ix_rolloutanswer_rollout_id ON rolloutanswer (rollout_id);
"""

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

KNOWLEDGE: tuple[Action, ...] = (_VERIFICATION_TABLES, _PENDING_COLUMNS)
TRACES: tuple[Action, ...] = (
    "UPDATE trace SET source = 'regression' WHERE source = 'probe';",
    _list_silent_failures,
)
PROMPTS: tuple[Action, ...] = ()
EVALUATION: tuple[Action, ...] = ()
REVIEW: tuple[Action, ...] = (_REVIEW_SOURCE, _ROLLOUT_ANSWERS)
MONITORING: tuple[Action, ...] = (_REGRESSION_TABLES, _list_changes)
GOVERNANCE: tuple[Action, ...] = (_ERASURES, _add_erasures)

ACTIONS = (*KNOWLEDGE, *TRACES, *PROMPTS, *EVALUATION, *REVIEW, *MONITORING, *GOVERNANCE)
