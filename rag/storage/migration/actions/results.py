"""Step 12 of the schema: the judgements that a run did not find, and no silent failures without a model.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# Results of before did not record which judgements were found: "[]" like those of which all were.
_COLUMNS = """
ALTER TABLE evaluationresult ADD COLUMN stale VARCHAR NOT NULL DEFAULT '[]';
"""

# A search alone has no answer, and was counted as a model that answered nothing.
_NO_MODEL = """
UPDATE trace SET silent_failures = '[]' WHERE model = '' AND silent_failures != '[]';
"""

ACTIONS: tuple[Action, ...] = (_COLUMNS, _NO_MODEL)
