"""Step 16 of the schema: endpoints, and whether the texts of a collection may leave this computer.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
CREATE TABLE endpoint (name VARCHAR NOT NULL, url VARCHAR NOT NULL, model VARCHAR NOT NULL,
    key_place VARCHAR NOT NULL, key_name VARCHAR NOT NULL, context INTEGER NOT NULL, at_once INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, checked_ms INTEGER, served_model VARCHAR NOT NULL,
    system_fingerprint VARCHAR NOT NULL, checks VARCHAR NOT NULL, PRIMARY KEY (name));
CREATE TABLE endpointchange (id INTEGER NOT NULL, endpoint VARCHAR NOT NULL, created_ms INTEGER NOT NULL,
    trace_id VARCHAR NOT NULL, model_before VARCHAR NOT NULL, model_after VARCHAR NOT NULL,
    fingerprint_before VARCHAR NOT NULL, fingerprint_after VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_endpointchange_endpoint ON endpointchange (endpoint);
CREATE TABLE remoteembedder (fingerprint VARCHAR NOT NULL, name VARCHAR NOT NULL, endpoint VARCHAR NOT NULL,
    url VARCHAR NOT NULL, model VARCHAR NOT NULL, dimension INTEGER NOT NULL, sample BLOB NOT NULL,
    added_ms INTEGER NOT NULL, PRIMARY KEY (fingerprint));
ALTER TABLE collection ADD COLUMN may_leave VARCHAR NOT NULL DEFAULT 'never';
ALTER TABLE trace ADD COLUMN sent_to VARCHAR NOT NULL DEFAULT '';
ALTER TABLE trace ADD COLUMN served_model VARCHAR NOT NULL DEFAULT '';
ALTER TABLE trace ADD COLUMN system_fingerprint VARCHAR NOT NULL DEFAULT '';
ALTER TABLE trace ADD COLUMN usage VARCHAR NOT NULL DEFAULT '';
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
