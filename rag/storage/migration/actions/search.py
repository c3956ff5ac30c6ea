"""Step 8 of the schema: pieces of chunks, the search of each collection, and folded full text.

Frozen like every step: no import of living code.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Callable

Action = str | Callable[[sqlite3.Connection], None]

# A collection, a pipeline and a roll-out keep the search that they had: "classic" says so until the next
# start has read settings.toml and written down what that was.
_COLUMNS = """
CREATE TABLE partembedding (text_hash VARCHAR NOT NULL, embedder VARCHAR NOT NULL, pieces BLOB NOT NULL,
tokens
    BLOB NOT NULL, PRIMARY KEY (text_hash, embedder), FOREIGN KEY(text_hash, embedder) REFERENCES embedding
    (text_hash, embedder) ON DELETE CASCADE);
ALTER TABLE collection ADD COLUMN retrieval VARCHAR NOT NULL DEFAULT '';
UPDATE collection SET retrieval = 'classic';
ALTER TABLE tracehit ADD COLUMN rerank_score FLOAT;
ALTER TABLE tracehit ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tracehit ADD COLUMN lists VARCHAR NOT NULL DEFAULT '[]';
ALTER TABLE tracehit ADD COLUMN moves VARCHAR NOT NULL DEFAULT '[]';
UPDATE tracehit SET rank = fused_rank;
CREATE VIRTUAL TABLE IF NOT EXISTS chunk_words USING fts5vocab(chunk_fts, row);
"""

_CJK = re.compile(
    "([\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])"
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0]"
)


def _fold_full_text(connection: sqlite3.Connection) -> None:
    """Index again what contains characters that are now folded; most texts contain none."""
    texts = {
        "chunk_fts": "SELECT id, text FROM chunk",
        "trace_fts": "SELECT rowid, question || char(10) || answer FROM trace WHERE status != 'running'",
    }
    for table, statement in texts.items():
        for row, text in connection.execute(statement).fetchall():
            before = _CJK.sub(r" \1 ", text)
            after = _CJK.sub(r" \1 ", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))
            if before != after:
                # A contentless full-text table forgets a row only when it is told the text that it was given.
                connection.execute(
                    f"INSERT INTO {table} ({table}, rowid, text) VALUES ('delete', ?, ?)", (row, before)
                )
                connection.execute(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", (row, after))


ACTIONS: tuple[Action, ...] = (_COLUMNS, _fold_full_text)
