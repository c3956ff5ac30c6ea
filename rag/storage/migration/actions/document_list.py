"""Step 13 of the schema: lists of documents read what was left out of each from their index.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_INDEX = """
DROP INDEX IF EXISTS document_facts;
CREATE INDEX document_facts ON document (id, collection_id, name, source, title, media_type, sha256,
    size_bytes, chunking, chunk_count, token_count, created_ms, account, left_out);
"""

ACTIONS: tuple[Action, ...] = (_INDEX,)
