"""Step 20 of the schema: the steps of received traces, and what they add up to.

The steps of traces that were received before are made when a data folder is opened: they need the code that
reads spans. Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
ALTER TABLE trace ADD COLUMN step_count INTEGER;
ALTER TABLE trace ADD COLUMN tool_calls INTEGER;
ALTER TABLE trace ADD COLUMN tool_errors INTEGER;
ALTER TABLE trace ADD COLUMN loop_count INTEGER;
CREATE TABLE receivedstep (trace_id VARCHAR NOT NULL, span_id VARCHAR NOT NULL, parent_id VARCHAR NOT NULL,
    position INTEGER NOT NULL, depth INTEGER NOT NULL, name VARCHAR NOT NULL, kind VARCHAR NOT NULL,
    start_ms FLOAT NOT NULL, end_ms FLOAT NOT NULL, error VARCHAR NOT NULL, clock VARCHAR NOT NULL,
    is_orphan BOOLEAN NOT NULL, agent VARCHAR NOT NULL, called_from VARCHAR NOT NULL, tool VARCHAR NOT NULL,
    call VARCHAR NOT NULL, model VARCHAR NOT NULL, prompt_tokens INTEGER, completion_tokens INTEGER,
    total_tokens INTEGER, cost_usd FLOAT, is_counted BOOLEAN NOT NULL, input VARCHAR NOT NULL,
    output VARCHAR NOT NULL, PRIMARY KEY (trace_id, span_id));
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
