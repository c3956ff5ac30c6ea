"""Step 17 of the schema: the answer cache, budgets, and which pipeline answered.

Frozen like every step: no import of living code. Answers of before are in no cache: nobody can tell any more
which file of a model gave them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
ALTER TABLE trace ADD COLUMN pipeline VARCHAR NOT NULL DEFAULT '';
CREATE TABLE cachedanswer (id INTEGER NOT NULL, question_key VARCHAR NOT NULL, space VARCHAR NOT NULL,
    collection_id INTEGER NOT NULL, version_id INTEGER NOT NULL, trace_id VARCHAR NOT NULL,
    detector VARCHAR NOT NULL, embedder VARCHAR NOT NULL, vector BLOB, created_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (question_key));
CREATE INDEX ix_cachedanswer_space ON cachedanswer (space);
CREATE INDEX ix_cachedanswer_trace_id ON cachedanswer (trace_id);
CREATE INDEX ix_cachedanswer_created_ms ON cachedanswer (created_ms);
CREATE TABLE cachehit (trace_id VARCHAR NOT NULL, source_trace VARCHAR NOT NULL, kind VARCHAR NOT NULL,
    space VARCHAR NOT NULL, similarity FLOAT, created_ms INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL, saved_ms FLOAT NOT NULL, checked_ms INTEGER,
    fresh_trace VARCHAR NOT NULL, same_citations BOOLEAN, same_meaning BOOLEAN, PRIMARY KEY (trace_id));
CREATE INDEX ix_cachehit_source_trace ON cachehit (source_trace);
CREATE INDEX ix_cachehit_created_ms ON cachehit (created_ms);
CREATE TABLE budget (name VARCHAR NOT NULL, amount FLOAT NOT NULL, currency VARCHAR NOT NULL,
    period VARCHAR NOT NULL, scope VARCHAR NOT NULL, target VARCHAR NOT NULL, action VARCHAR NOT NULL,
    unknown VARCHAR NOT NULL, warn_from FLOAT NOT NULL, state VARCHAR NOT NULL, since_ms INTEGER,
    created_ms INTEGER NOT NULL, PRIMARY KEY (name));
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
