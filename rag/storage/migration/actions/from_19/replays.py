"""Step 21 of the schema: what a replay repeats, and what was changed in it.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLE = """
CREATE TABLE replay (trace_id VARCHAR NOT NULL, parent_id VARCHAR NOT NULL, group_id VARCHAR NOT NULL,
    changes VARCHAR NOT NULL, fates VARCHAR NOT NULL, PRIMARY KEY (trace_id));
CREATE INDEX ix_replay_parent_id ON replay (parent_id);
"""

ACTIONS: tuple[Action, ...] = (_TABLE,)
