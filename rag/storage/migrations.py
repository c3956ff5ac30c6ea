"""Numbered steps that bring an older SQLite file up to this program. PRAGMA user_version counts them.

A new file starts with the tables as they are now, so a step must only ever change what an older file has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from rag.errors import RagError
from rag.grounding.silent_failures import silent_failures
from rag.monitoring.rows import DEFAULT_RULES
from rag.storage.fingerprints import texts_fingerprint

# What SQLModel cannot say: full-text tables and partial indexes. Contentless FTS5 keeps no second copy of
# the text. document_facts holds what lists show: in the table itself it stands behind the text of the document.
FULL_TEXT = """
CREATE VIRTUAL TABLE IF NOT EXISTS chunk_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE IF NOT EXISTS trace_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE VIRTUAL TABLE IF NOT EXISTS chunk_terms USING fts5vocab(chunk_fts, instance);
CREATE INDEX IF NOT EXISTS document_facts ON document (id, collection_id, name, source, title, media_type, sha256,
    size_bytes, chunking, chunk_count, token_count, created_ms);
CREATE INDEX IF NOT EXISTS trace_list ON trace (created_ms DESC, id);
CREATE INDEX IF NOT EXISTS trace_flagged ON trace (created_ms DESC) WHERE flag_count > 0;
CREATE INDEX IF NOT EXISTS trace_verdict ON trace (worst_verdict, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_collection ON trace (collection, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_model ON trace (model, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_source ON trace (source, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_status ON trace (status, created_ms DESC);
"""

# What an older file's tables lack for dataset versions that can be compared, proved and rolled back.
_VERSION_COLUMNS = """
ALTER TABLE collection ADD COLUMN index_key TEXT NOT NULL DEFAULT '';
ALTER TABLE collection ADD COLUMN index_server TEXT NOT NULL DEFAULT '';
ALTER TABLE collection ADD COLUMN last_number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collection ADD COLUMN pending TEXT NOT NULL DEFAULT '';
ALTER TABLE datasetversion ADD COLUMN kind TEXT NOT NULL DEFAULT 'ingest';
ALTER TABLE datasetversion ADD COLUMN parent_id INTEGER;
ALTER TABLE datasetversion ADD COLUMN chunks_added INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasetversion ADD COLUMN chunks_removed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasetversion ADD COLUMN tokens_added INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasetversion ADD COLUMN tokens_removed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasetversion ADD COLUMN excluded_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasetversion ADD COLUMN text_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE datasetversion ADD COLUMN index_fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE datasetversion ADD COLUMN trial_key TEXT NOT NULL DEFAULT '';
ALTER TABLE versiondocument ADD COLUMN attributes TEXT NOT NULL DEFAULT '';
CREATE INDEX IF NOT EXISTS ix_tracehit_chunk_id ON tracehit (chunk_id);
CREATE INDEX IF NOT EXISTS ix_tracehit_document_id ON tracehit (document_id);
UPDATE collection SET index_key = key, index_version_id = NULL,
    last_number = coalesce((SELECT max(number) FROM datasetversion v WHERE v.collection_id = collection.id), 0);
UPDATE datasetversion SET kind = 'remove' WHERE removed_count > 0 AND added_count + replaced_count = 0;
UPDATE datasetversion SET parent_id = (SELECT p.id FROM datasetversion p
    WHERE p.collection_id = datasetversion.collection_id AND p.number = datasetversion.number - 1);
"""


_FLAG_COLUMNS = """
ALTER TABLE trace ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
ALTER TABLE trace ADD COLUMN support_rate FLOAT;
ALTER TABLE trace ADD COLUMN contradicted_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trace ADD COLUMN check_error TEXT NOT NULL DEFAULT '';
ALTER TABLE claim ADD COLUMN raw_score FLOAT;
ALTER TABLE claim ADD COLUMN doubtful TEXT NOT NULL DEFAULT '';
UPDATE claim SET raw_score = score;
UPDATE trace SET contradicted_count =
    (SELECT count(*) FROM claim WHERE trace_id = trace.id AND verdict = 'contradicted');
UPDATE trace SET support_rate = (SELECT avg(verdict = 'supported') FROM claim
    WHERE trace_id = trace.id AND verdict != 'not checkable') WHERE status = 'done';
UPDATE trace SET outcome = CASE WHEN trim(answer) = '' THEN 'empty' WHEN support_rate IS NOT NULL THEN 'answered'
    WHEN fallbacks LIKE '%declined to answer%' THEN 'refused' ELSE 'not checkable' END WHERE status = 'done';
"""


def _flag_columns(connection: sqlite3.Connection) -> None:
    """Step 3: what became of an answer, and what a calibration changes."""
    connection.executescript(_FLAG_COLUMNS)


def _version_columns(connection: sqlite3.Connection) -> None:
    """Step 2. The index is filled anew: its entries are named by their text's hash from now on."""
    connection.executescript(_VERSION_COLUMNS)
    for version_id, embedder in connection.execute("SELECT id, embedder FROM datasetversion").fetchall():
        rows = connection.execute(
            """SELECT DISTINCT c.text_hash FROM versiondocument vd JOIN chunk c ON c.document_id = vd.document_id
               WHERE vd.version_id = ?""",
            (version_id,),
        )
        hashes = [row[0] for row in rows]
        connection.execute(
            "UPDATE datasetversion SET text_count = ?, index_fingerprint = ? WHERE id = ?",
            (len(hashes), texts_fingerprint(embedder, hashes), version_id),
        )


# Traces say which version of a prompt made them. The tables of prompts and evaluation are made by create_tables.
_EVALUATION = """
ALTER TABLE trace ADD COLUMN prompt_version_id INTEGER;
ALTER TABLE trace ADD COLUMN prompt_version INTEGER;
CREATE INDEX IF NOT EXISTS ix_trace_prompt_version_id ON trace (prompt_version_id);
"""


def _evaluation(connection: sqlite3.Connection) -> None:
    connection.executescript(_EVALUATION)


# What monitors read of a trace; their own tables are made with all others.
_MONITORING = """
ALTER TABLE trace ADD COLUMN best_score FLOAT;
ALTER TABLE trace ADD COLUMN silent_failures TEXT NOT NULL DEFAULT '';
UPDATE trace SET best_score = (SELECT max(h.dense_score) FROM tracehit h WHERE h.trace_id = trace.id);
"""

_ADD_RULE = """INSERT INTO alertrule (name, measure, comparison, threshold, window, minimum, note, collection, model,
    prompt, enabled, state, since_ms, checked_ms, count, sentence, acknowledged)
    VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', 1, 'not enough data', 0, 0, 0, '', '')"""


def _monitoring(connection: sqlite3.Connection) -> None:
    """Stored answers are looked through for silent failures once."""
    connection.executescript(_MONITORING)
    rows = connection.execute(
        "SELECT id, question, answer, finish_reason, passage_count FROM trace WHERE status = 'done'"
    ).fetchall()
    found = [(", ".join(silent_failures(*row[1:])), row[0]) for row in rows]
    connection.executemany("UPDATE trace SET silent_failures = ? WHERE id = ?", found)


Step = Callable[[sqlite3.Connection], None]
STEPS: tuple[Step, ...] = (
    lambda connection: None,  # step 1: the first released schema
    _version_columns,
    _flag_columns,
    _evaluation,
    _monitoring,
)


def migrate(database: Path, create_tables: Callable[[], None]) -> None:
    """Create or upgrade the file. An older file is copied to ragdeck.before-N.sqlite first."""
    with sqlite3.connect(database) as connection:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        has_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    connection.close()
    if version > len(STEPS):
        raise RagError(
            f"{database} was written by a newer Ragdeck (schema {version}, this program knows {len(STEPS)}); "
            "use the newer program."
        )
    if has_tables and 0 < version < len(STEPS):
        _copy(database, database.with_name(f"ragdeck.before-{version + 1}.sqlite"))
        with sqlite3.connect(database) as connection:
            for step in STEPS[version:]:
                step(connection)
        connection.close()
    create_tables()
    with sqlite3.connect(database) as connection:
        if version < STEPS.index(_monitoring) + 1:  # once: a rule that a person removed must not come back
            connection.executemany(_ADD_RULE, DEFAULT_RULES)
        connection.executescript(FULL_TEXT)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    connection.close()


def _copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
