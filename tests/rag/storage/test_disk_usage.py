"""What takes how much space: the parts add up, and nothing is locked."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from data_folders import (
    make_folder,
)
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.knowledge.ingest import ingest_files
from rag.storage.data_folder import DATABASE
from rag.storage.disk_usage import folder_usage, part_of
from rag.workspace import Workspace


def test_the_parts_of_a_folder_add_up_to_what_the_disk_says(folder: Path, documents: Path) -> None:
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "Notes", [documents]))
    (folder / "engine.log").write_text("x" * 100)
    (folder / "before-restore-1").mkdir()
    (folder / "before-restore-1" / "a").write_text("x" * 50)
    (folder / "ragdeck.before-2.sqlite").write_text("x" * 70)
    parts = {part.what: part.bytes for part in folder_usage(folder)}
    outside = ("Vector index", "Logs", "Before restores", "Before schema changes", "Write-ahead log")
    assert (
        sum(size for what, size in parts.items() if what not in outside) == (folder / DATABASE).stat().st_size
    )
    assert (parts["Logs"], parts["Before restores"], parts["Before schema changes"]) == (100, 50, 70)
    assert parts["Embeddings"] > 0
    assert parts["Vector index"] > 0


class WithoutDbstat(sqlite3.Connection):
    """SQLite as it is where it was built without dbstat."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if "dbstat" in sql:
            raise sqlite3.OperationalError("no such table: dbstat")
        return super().execute(sql, *values)


def test_without_dbstat_the_sizes_are_estimates(folder: Path) -> None:
    make_folder(folder, "old", 1)
    parts = {part.what: part for part in folder_usage(folder, WithoutDbstat)}
    assert "about" in parts["Traces"].detail
    assert parts["Traces"].bytes > 40 * 600
    assert "about" not in next(part for part in folder_usage(folder) if part.what == "Traces").detail


def test_a_folder_without_a_database_has_only_its_files(folder: Path) -> None:
    (folder / "window.log").write_text("x" * 10)
    parts = {part.what: part.bytes for part in folder_usage(folder)}
    assert parts == {"Vector index": 0, "Logs": 10}


def test_every_table_belongs_to_a_part(folder: Path) -> None:
    """Only models, folders, the log of changes and SQLite's own tables are "Other tables"."""
    make_folder(folder, "old", 1)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    others = {name for name in names if part_of(name) == "Other tables"}
    assert others >= {"collection", "model", "auditevent", "erasure", "prompt"}
    assert not others & {"document", "chunk", "embedding", "trace", "pipelineversion", "evaluationsetcase"}


def test_a_table_counts_to_the_part_it_belongs_to() -> None:
    assert part_of("chunk") == "Chunks"
    assert part_of("chunk_fts_data") == "Full-text index"
    assert part_of("versiondocument") == part_of("verificationquery") == "Versions"
    assert part_of("document") == "Documents' text"
    assert part_of("regressionrun") == "Monitors"
    assert part_of("draft") == "Evaluation"
    assert part_of("tracehit") == part_of("claim") == "Traces"
