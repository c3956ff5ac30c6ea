"""Step 24 of the schema: which traces are sent to another tool.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
CREATE TABLE traceexport (trace_id VARCHAR NOT NULL, state VARCHAR NOT NULL, queued_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, sent_ms INTEGER, error VARCHAR NOT NULL,
    PRIMARY KEY (trace_id));
CREATE INDEX ix_traceexport_state ON traceexport (state);
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
