"""Step 23 of the schema: the audit log becomes a chain of hashes.

Frozen like every step: no import of living code. Rows of before are chained as they are found; nobody can
tell any more whether they had been changed, or who did what they tell of.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_COLUMNS = "".join(
    f"ALTER TABLE auditevent ADD COLUMN {name} VARCHAR NOT NULL DEFAULT '';\n"
    for name in ("who", "before", "after", "salt", "words", "previous", "hash")
)


def _chain(connection: sqlite3.Connection) -> None:
    """Give every row the fingerprint of its words and its hash, from the first to the last."""
    previous = ""
    rows = connection.execute("SELECT id, created_ms, action, subject, detail FROM auditevent ORDER BY id")
    for row_id, created_ms, action, subject, detail in rows.fetchall():
        words = _sha256(["", subject, detail])
        facts = {
            "action": action,
            "after": "",
            "before": "",
            "created_ms": created_ms,
            "id": row_id,
            "previous": previous,
            "who": "",
            "words": words,
        }
        found = _sha256(facts)
        connection.execute(
            "UPDATE auditevent SET words = ?, previous = ?, hash = ? WHERE id = ?",
            (words, previous, found, row_id),
        )
        previous = found


def _sha256(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=repr)
    return hashlib.sha256(canonical.encode()).hexdigest()


ACTIONS: tuple[Action, ...] = (_COLUMNS, _chain)
