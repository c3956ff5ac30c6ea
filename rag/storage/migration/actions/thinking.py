"""Step 11 of the schema: what a model thought before its answer, apart from the answer.

Frozen like every step: no import of living code. Answers of before keep their thinking in their text: nobody
can tell any more what was meant as a tag.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_COLUMNS = """
ALTER TABLE trace ADD COLUMN thinking VARCHAR NOT NULL DEFAULT '';
ALTER TABLE trace ADD COLUMN thinking_tokens INTEGER NOT NULL DEFAULT 0;
"""

ACTIONS: tuple[Action, ...] = (_COLUMNS,)
