"""Step 19 of the schema: costs summed up by day, and which version of a pipeline answered.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# All days are to be summed up: that needs the time of this computer, and is done when somebody looks.
_TABLES = """
ALTER TABLE trace ADD COLUMN pipeline_version INTEGER;
CREATE TABLE costday (day VARCHAR NOT NULL, source VARCHAR NOT NULL, collection VARCHAR NOT NULL,
    model VARCHAR NOT NULL, prompt_name VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, layer VARCHAR NOT NULL,
    currency VARCHAR NOT NULL, basis VARCHAR NOT NULL, answers INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    seconds FLOAT NOT NULL, amount FLOAT,
    PRIMARY KEY (day, source, collection, model, prompt_name, pipeline, layer, currency, basis));
CREATE TABLE staleday (day VARCHAR NOT NULL, PRIMARY KEY (day));
INSERT INTO staleday SELECT DISTINCT date(created_ms / 1000, 'unixepoch', 'localtime') FROM cost;
CREATE TRIGGER cost_added AFTER INSERT ON cost BEGIN
    INSERT OR IGNORE INTO staleday VALUES (date(new.created_ms / 1000, 'unixepoch', 'localtime'));
END;
CREATE TRIGGER cost_removed AFTER DELETE ON cost BEGIN
    INSERT OR IGNORE INTO staleday VALUES (date(old.created_ms / 1000, 'unixepoch', 'localtime'));
END;
"""

ACTIONS: tuple[Action, ...] = (_TABLES,)
