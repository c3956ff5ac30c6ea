"""Measures what takes how much space in a data folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from rag.storage.data_folder import DATABASE
from rag.storage.rows import SpaceUse
from rag.storage.tables.contents import subjects
from rag.text.plurals import counted

_OTHERS = "Other tables"
# The part of a subject's tables, and of those that are a part of their own.
_OF_SUBJECTS = {
    "knowledge": "Versions",
    "traces": "Traces",
    "evaluation": "Evaluation",
    "review": "Evaluation",
    "monitoring": "Monitors",
    "cache": "Traces",
    "guardrails": "Traces",
}
_OF_TABLES = {
    "document": "Documents' text",
    "chunk": "Chunks",
    "embedding": "Embeddings",
    "questionvector": "Embeddings",
    "feedback": "Traces",
    "collection": _OTHERS,
    "embedderfolder": _OTHERS,
    "watchedfolder": _OTHERS,
    "model": _OTHERS,
}
_ORDER = (
    "Documents' text",
    "Chunks",
    "Full-text index",
    "Embeddings",
    "Versions",
    "Traces",
    "Evaluation",
    "Monitors",
    _OTHERS,
)


def folder_usage(
    folder: Path, connection_class: type[sqlite3.Connection] = sqlite3.Connection
) -> list[SpaceUse]:
    """Return the parts of the SQLite file, then the other files. Nothing is locked or changed.

    Args:
        folder: The data folder; it need not contain anything yet.
        connection_class: What reads the SQLite file.
    """
    return [*_database_parts(folder / DATABASE, connection_class), *_other_parts(folder)]


def part_of(table: str) -> str:
    """Return the part that a table of the SQLite file counts to; of one that is not Ragdeck's, the last."""
    if table.startswith(("chunk_fts", "trace_fts")):
        return "Full-text index"
    return _OF_TABLES.get(table) or _OF_SUBJECTS.get(subjects().get(table, ""), _OTHERS)


def _database_parts(database: Path, connection_class: type[sqlite3.Connection]) -> list[SpaceUse]:
    if not database.exists():
        return []
    with closing(
        sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30, factory=connection_class)
    ) as connection:
        page = int(connection.execute("PRAGMA page_size").fetchone()[0])
        free = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
        try:
            sizes, about = _measured(connection), ""
        except sqlite3.OperationalError:  # this SQLite was built without dbstat
            sizes, about = _estimated(connection), "about: the sum of the values' lengths"
        counts = {
            name: _count(connection, name)
            for name in ("document", "chunk", "embedding", "trace", "datasetversion")
        }
    details = {
        "Documents' text": counted(counts["document"], "revision of a document", "revisions of documents"),
        "Chunks": counted(counts["chunk"], "chunk"),
        "Embeddings": counted(counts["embedding"], "vector"),
        "Versions": counted(counts["datasetversion"], "dataset version"),
        "Traces": counted(counts["trace"], "trace"),
        "Full-text index": "of chunks and traces",
        "Evaluation": "evaluation sets, runs and their results",
        "Monitors": "alert rules, reference periods and regression questions",
        _OTHERS: "prompts, models, folders and the log of changes",
    }
    parts = [SpaceUse(what, sizes.get(what, 0), _joined(details[what], about)) for what in _ORDER]
    parts.append(SpaceUse("Free pages", free * page, "in the SQLite file; reused by what is written next"))
    wal = database.with_name(database.name + "-wal")
    parts.append(SpaceUse("Write-ahead log", _size(wal), "of the SQLite file"))
    return parts


def _other_parts(folder: Path) -> Iterable[SpaceUse]:
    logs = [*folder.glob("engine.log*"), *folder.glob("window.log*")]
    before = sorted(folder.glob("before-restore-*"))
    copies = sorted(folder.glob("ragdeck.before-*.sqlite"))
    yield SpaceUse("Vector index", _size(folder / "index"), "rebuilt from the embeddings if it is lost")
    yield SpaceUse("Logs", sum(map(_size, logs)), "engine.log and window.log")
    if before:
        yield SpaceUse("Before restores", sum(map(_size, before)), _named(before))
    if (folder / "chroma-copies").exists():
        yield SpaceUse(
            "Copies of Chroma folders", _size(folder / "chroma-copies"), "made to read them safely"
        )
    if copies:
        yield SpaceUse("Before schema changes", sum(map(_size, copies)), _named(copies))


def _measured(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the bytes of each part in whole pages, indexes with their tables."""
    owners = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master"))
    sizes: dict[str, int] = {}
    for name, size in connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"):
        part = part_of(owners.get(name, name))
        sizes[part] = sizes.get(part, 0) + int(size)
    return sizes


def _estimated(connection: sqlite3.Connection) -> dict[str, int]:
    sizes: dict[str, int] = {}
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
    for (name,) in connection.execute(tables).fetchall():
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        lengths = " + ".join(f'coalesce(length(CAST("{column}" AS BLOB)), 0)' for column in columns)
        found = connection.execute(f'SELECT sum({lengths}) FROM "{name}"').fetchone()[0]
        part = part_of(name)
        sizes[part] = sizes.get(part, 0) + int(found or 0)
    return sizes


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _size(path: Path) -> int:
    """Return the bytes of a file, or of everything in a folder; files may go while they are counted."""
    total = 0
    for file in path.rglob("*") if path.is_dir() else (path,):
        try:
            total += file.stat().st_size if not file.is_dir() else 0
        except OSError:
            continue
    return total


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _named(paths: list[Path]) -> str:
    return f"{paths[-1].name}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
