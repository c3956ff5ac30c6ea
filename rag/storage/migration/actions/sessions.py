"""Step 14 of the schema: sessions with a row of their own, whose questions make a tree.

Frozen like every step: no import of living code. Sessions of before become one branch each, in the order in
which they were asked. The other answers of blind comparisons had sessions that no person began.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
ALTER TABLE trace ADD COLUMN parent_id VARCHAR NOT NULL DEFAULT '';
CREATE TABLE asksession (id VARCHAR NOT NULL, name VARCHAR NOT NULL, is_pinned BOOLEAN NOT NULL, created_ms
    INTEGER NOT NULL, asked_ms INTEGER NOT NULL, deleted_ms INTEGER, leaf VARCHAR NOT NULL, collection_id
    INTEGER, collection VARCHAR NOT NULL, version VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, model VARCHAR
    NOT NULL, prompt_name VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_asksession_asked_ms ON asksession (asked_ms);
CREATE INDEX ix_asksession_collection_id ON asksession (collection_id);
CREATE INDEX trace_session ON trace (session_id, created_ms);
"""

_ROWS = """
UPDATE trace SET parent_id = coalesce((SELECT before.id FROM trace before
    WHERE before.session_id = trace.session_id AND before.source = 'person'
    AND before.created_ms <= trace.created_ms
    AND (before.created_ms, before.rowid) < (trace.created_ms, trace.rowid)
    ORDER BY before.created_ms DESC, before.rowid DESC LIMIT 1), '')
    WHERE source = 'person' AND session_id != '';
INSERT INTO asksession (id, name, is_pinned, created_ms, asked_ms, deleted_ms, leaf, collection_id,
    collection, version, pipeline, model, prompt_name)
    SELECT first.session_id, '', 0, first.began_ms, last.created_ms, NULL, last.id, last.collection_id,
        last.collection, '', '', '', ''
    FROM (SELECT session_id, min(created_ms) AS began_ms FROM trace t
          WHERE source = 'person' AND session_id != '' AND NOT EXISTS (SELECT 1 FROM rolloutanswer r
              WHERE r.trace_id = t.id AND r.pair != '' AND r.arm = 'staging')
          GROUP BY session_id) first
    JOIN trace last ON last.id = (SELECT t.id FROM trace t WHERE t.session_id = first.session_id
        AND t.source = 'person' ORDER BY t.created_ms DESC, t.rowid DESC LIMIT 1);
"""

ACTIONS: tuple[Action, ...] = (_TABLES, _ROWS)
