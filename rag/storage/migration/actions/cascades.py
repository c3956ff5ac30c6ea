"""Step 18 of the schema: the steps of cascades.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLE = """
CREATE TABLE cascadestep (trace_id VARCHAR NOT NULL, answer_id VARCHAR NOT NULL, position INTEGER NOT NULL,
    name VARCHAR NOT NULL, reason VARCHAR NOT NULL, PRIMARY KEY (trace_id));
CREATE INDEX ix_cascadestep_answer_id ON cascadestep (answer_id);
"""

ACTIONS: tuple[Action, ...] = (_TABLE,)
