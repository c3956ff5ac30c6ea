"""Step 9 of the schema: the account of each document, which says what was read and what was not.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# Documents of before have no account: "" says so, where "[]" says that there was nothing to tell.
_COLUMNS = """
ALTER TABLE document ADD COLUMN account VARCHAR NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
"""

ACTIONS: tuple[Action, ...] = (_COLUMNS,)
