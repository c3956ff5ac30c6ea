"""What takes how much space in a data folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from rag.storage.data_folder import DATABASE
from rag.storage.rows import SpaceUse
from rag.text.plurals import counted

# What a table belongs to, by the beginning of its name, the longest first; the rest is "Other tables".
_GROUPS = (
    ("chunk_fts", "Full-text index"),
    ("trace_fts", "Full-text index"),
    ("versiondocument", "Versions"),
    ("versionexclusion", "Versions"),
    ("versiontag", "Versions"),
    ("datasetversion", "Versions"),
    ("verificationresult", "Versions"),
    ("tracehit", "Traces"),
    ("document", "Documents' text"),
    ("resultverdict", "Evaluation"),
    ("questionvector", "Embeddings"),
    ("referenceperiod", "Monitors"),
    ("alertrule", "Monitors"),
    ("regression", "Monitors"),
    ("production", "Evaluation"),
    ("evaluation", "Evaluation"),
    ("embedding", "Embeddings"),
    ("feedback", "Traces"),
    ("rollout", "Evaluation"),
    ("review", "Evaluation"),
    ("chunk", "Chunks"),
    ("draft", "Evaluation"),
    ("trace", "Traces"),
    ("claim", "Traces"),
    ("verificationquery", "Versions"),
    ("verification", "Versions"),
    ("span", "Traces"),
)
_ORDER = (
    "Documents' text",
    "Chunks",
    "Full-text index",
    "Embeddings",
    "Versions",
    "Traces",
    "Evaluation",
    "Monitors",
    "Other tables",
)


def folder_usage(folder: Path) -> list[SpaceUse]:
    """The parts of the SQLite file, then the other files. Reads alone; nothing is locked."""
    return [*_database_parts(folder / DATABASE), *_other_parts(folder)]


def _database_parts(database: Path) -> list[SpaceUse]:
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
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
        "Other tables": "models, folders and the log of changes",
    }
    parts = [SpaceUse(what, sizes.get(what, 0), _joined(details[what], about)) for what in _ORDER]
    parts.append(SpaceUse("Free pages", free * page, "in the SQLite file; used again by what comes next"))
    wal = database.with_name(database.name + "-wal")
    parts.append(SpaceUse("Write-ahead log", _size(wal), "of the SQLite file"))
    return parts


def _other_parts(folder: Path) -> Iterable[SpaceUse]:
    logs = [*folder.glob("engine.log*"), *folder.glob("window.log*")]
    before = sorted(folder.glob("before-restore-*"))
    copies = sorted(folder.glob("ragdeck.before-*.sqlite"))
    yield SpaceUse("Vector index", _size(folder / "index"), "rebuilt from the embeddings when it is lost")
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
    """Bytes of whole pages, indexes with their tables."""
    owners = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master"))
    sizes: dict[str, int] = {}
    for name, size in connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"):
        group = _group(owners.get(name, name))
        sizes[group] = sizes.get(group, 0) + int(size)
    return sizes


def _estimated(connection: sqlite3.Connection) -> dict[str, int]:
    sizes: dict[str, int] = {}
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
    for (name,) in connection.execute(tables).fetchall():
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        lengths = " + ".join(f'coalesce(length(CAST("{column}" AS BLOB)), 0)' for column in columns)
        found = connection.execute(f'SELECT sum({lengths}) FROM "{name}"').fetchone()[0]
        group = _group(name)
        sizes[group] = sizes.get(group, 0) + int(found or 0)
    return sizes


def _group(table: str) -> str:
    return next((group for start, group in _GROUPS if table.startswith(start)), "Other tables")


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _size(path: Path) -> int:
    """Bytes of a file or of everything in a folder; files may go while they are counted."""
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
