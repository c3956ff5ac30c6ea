"""Numbered steps that bring an older SQLite file up to this program. PRAGMA user_version counts them.

A new file starts with the tables as they are now, so a step must only ever change what an older file has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from rag.errors import RagError

# What SQLModel cannot say: full-text tables and partial indexes. Contentless FTS5 keeps no second copy of
# the text.
FULL_TEXT = """
CREATE VIRTUAL TABLE IF NOT EXISTS chunk_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE IF NOT EXISTS trace_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE INDEX IF NOT EXISTS trace_list ON trace (created_ms DESC, id);
CREATE INDEX IF NOT EXISTS trace_flagged ON trace (created_ms DESC) WHERE flag_count > 0;
CREATE INDEX IF NOT EXISTS trace_verdict ON trace (worst_verdict, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_collection ON trace (collection, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_model ON trace (model, created_ms DESC);
CREATE INDEX IF NOT EXISTS trace_status ON trace (status, created_ms DESC);
"""

Step = Callable[[sqlite3.Connection], None]
STEPS: tuple[Step, ...] = (lambda connection: None,)  # step 1: the first released schema


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
        connection.executescript(FULL_TEXT)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    connection.close()


def _copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
