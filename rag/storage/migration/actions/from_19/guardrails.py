"""The step of the schema that makes the tables of guardrail policies and of what they found.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

_TABLES = """
CREATE TABLE guardmask (trace_id VARCHAR NOT NULL, placeholder VARCHAR NOT NULL, original VARCHAR NOT NULL,
    PRIMARY KEY (trace_id, placeholder));
CREATE TABLE guardmeasurement (id INTEGER NOT NULL, version_id INTEGER NOT NULL, measured_ms INTEGER NOT
    NULL, collection VARCHAR NOT NULL, rule VARCHAR NOT NULL, check_name VARCHAR NOT NULL, texts VARCHAR NOT
    NULL, total INTEGER NOT NULL, alarms INTEGER NOT NULL, wrong INTEGER NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_guardmeasurement_version_id ON guardmeasurement (version_id);
CREATE TABLE guardpolicy (id INTEGER NOT NULL, name VARCHAR NOT NULL, description VARCHAR NOT NULL,
    created_ms INTEGER NOT NULL, last_number INTEGER NOT NULL, PRIMARY KEY (id), UNIQUE (name));
CREATE TABLE guardpolicybinding (policy_id INTEGER NOT NULL, collection_id INTEGER NOT NULL, bound_ms
    INTEGER NOT NULL, PRIMARY KEY (policy_id, collection_id));
CREATE TABLE guardpolicylabel (policy_id INTEGER NOT NULL, name VARCHAR NOT NULL, version_id INTEGER NOT
    NULL, moved_ms INTEGER NOT NULL, PRIMARY KEY (policy_id, name));
CREATE TABLE guardpolicylabelmove (id INTEGER NOT NULL, policy_id INTEGER NOT NULL, label VARCHAR NOT NULL,
    from_number INTEGER, to_number INTEGER, moved_ms INTEGER NOT NULL, author VARCHAR NOT NULL, note VARCHAR
    NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_guardpolicylabelmove_policy_id ON guardpolicylabelmove (policy_id);
CREATE TABLE guardpolicyversion (id INTEGER NOT NULL, policy_id INTEGER NOT NULL, number INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, message VARCHAR NOT NULL, author VARCHAR NOT NULL, content VARCHAR NOT
    NULL, fingerprint VARCHAR NOT NULL, PRIMARY KEY (id), UNIQUE (policy_id, number));
CREATE INDEX ix_guardpolicyversion_fingerprint ON guardpolicyversion (fingerprint);
CREATE INDEX ix_guardpolicyversion_policy_id ON guardpolicyversion (policy_id);
CREATE TABLE guardrailresult (id INTEGER NOT NULL, trace_id VARCHAR NOT NULL, document VARCHAR NOT NULL,
    collection VARCHAR NOT NULL, created_ms INTEGER NOT NULL, policy VARCHAR NOT
    NULL, number INTEGER NOT NULL, fingerprint VARCHAR NOT NULL, rule VARCHAR NOT NULL, check_name VARCHAR
    NOT NULL, place VARCHAR NOT NULL, action VARCHAR NOT NULL, kind VARCHAR NOT NULL, start INTEGER NOT
    NULL, "end" INTEGER NOT NULL, score FLOAT NOT NULL, reason VARCHAR NOT NULL, is_right BOOLEAN,
    review_note VARCHAR NOT NULL, reviewed_ms INTEGER, PRIMARY KEY (id));
CREATE INDEX ix_guardrailresult_created_ms ON guardrailresult (created_ms);
CREATE INDEX ix_guardrailresult_trace_id ON guardrailresult (trace_id);
"""
_COLUMN = "ALTER TABLE trace ADD COLUMN guard_action VARCHAR NOT NULL DEFAULT '';"

ACTIONS: tuple[Action, ...] = (_TABLES, _COLUMN)
