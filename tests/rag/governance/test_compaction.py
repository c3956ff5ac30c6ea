"""Compacting: what no version needs goes, what is in use stays."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.errors import RagError
from rag.governance.compaction import compact, vacuum
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import look_up_version
from rag.knowledge.trials import build_trial
from rag.workspace import Workspace


def test_compacting_removes_what_no_version_needs(workspace: Workspace, files: Path, tmp_path: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    extra = tmp_path / "extra"
    extra.mkdir()
    for number in range(3):
        (extra / f"{number}.txt").write_text(f"Cancelled document {number} is about nothing at all.", "utf-8")
    events = ingest_files(workspace, "A", [extra])
    for event in events:
        if event.stage == "saving" and event.files_done == 2:
            break
    events.close()
    assert workspace.database.query("SELECT count(*) FROM document")[0][0] > 3
    report = drive(compact(workspace))
    assert report.documents >= 2
    assert report.embeddings >= 2
    assert report.bytes_after <= report.bytes_before
    assert workspace.database.query("SELECT count(*) FROM document")[0][0] == 3
    assert look_up_version(workspace.database, "A", "active").verification_ok
    result = drive(answer_question(workspace, Question("When does the canteen open on weekdays?", "A")))
    assert result.notices == ()


def test_ids_of_deleted_chunks_are_not_given_again_while_a_trace_speaks_of_them(
    workspace: Workspace, files: Path, tmp_path: Path
) -> None:
    drive(ingest_files(workspace, "A", [files]))
    drive(answer_question(workspace, Question("When does the canteen open on weekdays?", "A")))
    spoken = {row[0] for row in workspace.database.query("SELECT chunk_id FROM tracehit")}
    delete_collection(workspace, "A")
    (tmp_path / "b.txt").write_text("Another text in another collection.", "utf-8")
    drive(ingest_files(workspace, "B", [tmp_path / "b.txt"]))
    assert not spoken & {row[0] for row in workspace.database.query("SELECT id FROM chunk")}


def test_compacting_keeps_trials_and_what_they_find(workspace: Workspace, files: Path) -> None:
    drive(ingest_files(workspace, "A", [files]))
    drive(build_trial(workspace, "A", max_tokens=32, overlap_tokens=0))
    (key,) = {row[0] for row in workspace.database.query("SELECT trial_key FROM datasetversion")} - {""}
    assert key in workspace.index.collection_names()
    report = drive(compact(workspace))
    assert (report.documents, report.embeddings) == (0, 0)
    assert key in workspace.index.collection_names()


def test_index_collections_that_belong_to_nothing_are_dropped_and_counted(
    workspace: Workspace, files: Path
) -> None:
    drive(ingest_files(workspace, "A", [files]))
    list(workspace.index.add(IndexPlace("left-behind"), [], lambda hashes: {}))
    report = drive(compact(workspace))
    assert report.index_collections == 1
    assert "left-behind" not in workspace.index.collection_names()


def test_deleted_rows_leave_the_bytes_of_the_file(workspace: Workspace) -> None:
    word = "quartz" * 20
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO erasure (collection, document_ids, state, begun_ms) VALUES (?, '', '', 1)", (word,)
        )
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM erasure")
    vacuum(workspace)
    files = list(workspace.folder.glob("ragdeck.sqlite*"))
    assert not any(word.encode() in path.read_bytes() for path in files)


def test_a_file_that_is_being_written_is_not_rewritten(workspace: Workspace) -> None:
    with closing(sqlite3.connect(workspace.store.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RagError, match="could not be rewritten"):
            vacuum(workspace, patience_s=0.05)
