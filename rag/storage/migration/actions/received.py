"""Step 15 of the schema: traces of other applications.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
ALTER TABLE trace ADD COLUMN application VARCHAR NOT NULL DEFAULT '';
CREATE INDEX ix_trace_application ON trace (application);
CREATE TABLE receivedspan (trace_id VARCHAR NOT NULL, span_id VARCHAR NOT NULL, received_ms INTEGER NOT NULL,
    body VARCHAR NOT NULL, PRIMARY KEY (trace_id, span_id));
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
