"""Step 10 of the schema: costs of every layer of an answer, and where a model runs.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# Costs of answers of before are worked out from their spans when somebody looks.
_TABLES = """
ALTER TABLE trace ADD COLUMN endpoint VARCHAR NOT NULL DEFAULT '';
CREATE TABLE cost (trace_id VARCHAR NOT NULL, layer VARCHAR NOT NULL, created_ms INTEGER NOT NULL,
    model VARCHAR NOT NULL, input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, seconds FLOAT NOT NULL, amount FLOAT, currency VARCHAR NOT NULL,
    basis VARCHAR NOT NULL, price VARCHAR NOT NULL, PRIMARY KEY (trace_id, layer));
CREATE INDEX ix_cost_created_ms ON cost (created_ms);
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
