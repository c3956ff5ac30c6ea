"""The index follows the active version, and what a kill or a loss left behind is repaired."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeEmbedder, ScriptedModel, drive
from versions_of_a import (
    documents_of,
    found,
    index_holds_the_active_version,
    log,
    pending,
    version,
)

from rag.errors import NotFoundError, RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import content_of, find_collection, index_place, named_version
from rag.knowledge.edits import remove_documents
from rag.knowledge.index_sync import (
    fill_index,
    index_hashes,
    needs_repair,
    open_sync,
    repair_indexes,
    serve_index,
    sync_index,
    verify_index,
)
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import PendingKind
from rag.knowledge.versions import activate_version
from rag.start_up import start_up
from rag.workspace import Workspace


def test_a_damaged_index_fails_verification_and_is_filled_anew(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    key = workspace.database.query("SELECT index_key FROM collection")[0][0]
    collection = workspace.index._collection(IndexPlace(key))
    ids = collection.get(include=[])["ids"]
    wrong = np.zeros((1, 1024), dtype=np.float32)
    wrong[0, 5] = 1
    collection.update(ids=ids[:1], embeddings=wrong)
    collection.delete(ids=ids[1:2])
    result = drive(verify_index(workspace, "A"))
    assert result.ok
    assert "filled again" in result.detail
    reports = workspace.database.query(
        "SELECT ok, fingerprint_same FROM verification ORDER BY id DESC LIMIT 3"
    )
    assert [tuple(row) for row in reports] == [(1, 1), (0, 1), (0, 0)]
    assert index_holds_the_active_version(workspace)


# --- the way of an index to a version ---------------------------------------------------------------------


def place_of(workspace: Workspace) -> IndexPlace:
    with workspace.store.session() as session:
        return index_place(find_collection(session, "A"))


def test_a_sync_knows_what_the_index_contains_without_listing_it(ingested: Workspace) -> None:
    hashes = content_of(ingested, named_version(ingested, "A", None)).hashes
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        sync = open_sync(ingested, session, row, "fake-embedder", [*hashes, hashes[0], "new"])
    assert sync.hashes == [*dict.fromkeys(hashes), "new"]
    assert sync.present == set(hashes)
    assert sync.place == sync.old_place == place_of(ingested)


def test_an_index_that_must_not_be_used_is_listed(ingested: Workspace) -> None:
    hashes = content_of(ingested, named_version(ingested, "A", None)).hashes
    drive(ingested.index.delete(place_of(ingested), hashes[:1]))
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        row.index_version_id = None
        sync = open_sync(ingested, session, row, "fake-embedder", hashes)
    assert sync.present == set(hashes[1:])


def test_another_embedder_gets_an_index_of_its_own(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        sync = open_sync(ingested, session, row, "sha256:other", [])
    assert sync.place == IndexPlace(f"{row.key}-sha256-other", "")
    assert sync.old_place == IndexPlace(row.key, "")
    assert sync.present == set()


def test_filling_adds_what_is_missing_and_settling_removes_what_is_not_needed(ingested: Workspace) -> None:
    active = named_version(ingested, "A", None)
    hashes = content_of(ingested, active).hashes
    place = place_of(ingested)
    drive(ingested.index.delete(place, hashes[:1]))
    drive(ingested.index.add(place, ["stray"], lambda batch: {h: np.ones(1024, np.float32) for h in batch}))
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        row.index_version_id = None
        sync = open_sync(ingested, session, row, active.embedder, hashes)
    assert drive(sync.fill()) == 1
    assert set(ingested.index.hashes(place)) == {*hashes, "stray"}
    report = drive(sync.settle(active))
    assert set(ingested.index.hashes(place)) == set(hashes)
    assert (report.ok, report.detail) == (True, "")


def test_a_text_without_a_vector_is_refused_before_anything_is_written(ingested: Workspace) -> None:
    with pytest.raises(RagError, match="vectors of 2 chunks are gone"):
        drive(fill_index(ingested, IndexPlace("other"), ["gone", "gone too"], "fake-embedder"))
    assert "other" not in ingested.index.collection_names()


# --- verifying and correcting -----------------------------------------------------------------------------


def test_verifying_a_good_index_changes_nothing(ingested: Workspace) -> None:
    report = drive(verify_index(ingested, "A", every_vector=True))
    assert (report.ok, report.detail, report.vectors_checked) == (True, "", 3)
    assert len(ingested.database.query("SELECT id FROM verification")) == 2  # when it was made, and now


def test_entries_that_a_cancelled_change_left_are_removed(ingested: Workspace) -> None:
    drive(
        ingested.index.add(place_of(ingested), ["stray"], lambda b: {h: np.ones(1024, np.float32) for h in b})
    )
    report = drive(verify_index(ingested, "A"))
    assert (report.ok, report.detail) == (True, "The index was corrected.")
    assert "stray" not in index_hashes(ingested, "A")


def test_an_index_that_stays_wrong_is_not_searched(ingested: Workspace) -> None:
    """A stored fingerprint that nothing can match: filling again does not help."""
    with ingested.store.session() as session:
        session.connection().exec_driver_sql("UPDATE datasetversion SET index_fingerprint = 'wrong'")
    report = drive(verify_index(ingested, "A"))
    assert not report.ok
    assert "The index was filled again." in report.detail
    assert ingested.database.cells("SELECT index_version_id FROM collection") == [(None,)]
    assert needs_repair(ingested)
    assert found(ingested, "tide at Bremen")  # by exact search
    assert log(ingested)[-1][0] == "index verification failed"


def test_a_collection_without_a_version_has_nothing_to_verify(ingested: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no collection"):
        drive(verify_index(ingested, "Z"))


def test_syncing_fills_an_index_that_is_gone(ingested: Workspace) -> None:
    ingested.index.drop(place_of(ingested))
    drive(sync_index(ingested, 1))
    assert index_holds_the_active_version(ingested)
    assert ingested.database.cells("SELECT index_version_id FROM collection") == [(1,)]


# --- after a kill -----------------------------------------------------------------------------------------

STAGES = ("embedding", "indexing", "cleaning", "verifying")


def kill_at(events: Iterator[Any], stage: str) -> None:
    """Leave a change as a kill at a stage does: the generator is kept, so that not even its `finally` runs."""
    for event in events:
        if event.stage == stage:
            return
    raise AssertionError(f"there was no stage {stage}")


def reopened(data: Path) -> Workspace:
    return Workspace(data, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load)


@pytest.mark.parametrize("stage", STAGES)
def test_an_ingest_that_was_killed_is_told_and_the_index_repaired(
    data: Path, tmp_path: Path, stage: str
) -> None:
    (tmp_path / "new").mkdir()
    tides = tmp_path / "new" / "tides.txt"
    tides.write_text("The tide at Emden rises 3 metres.", "utf-8")
    with reopened(data) as workspace:
        drive(ingest_files(workspace, "A", [tides]))
        tides.write_text("The tide at Husum rises 4 metres.", "utf-8")
        (tmp_path / "new" / "rain.txt").write_text("Rain falls in April and in May.", "utf-8")
        events = ingest_files(workspace, "A", [tmp_path / "new"])
        kill_at(events, stage)
        written = stage in ("cleaning", "verifying")
        assert pending(workspace) == ("ingest", 3 if written else None)
        assert needs_repair(workspace)
    with reopened(data) as workspace:
        (notice,) = drive(start_up(workspace))
        assert "“A”: adding files was interrupted when the program ended" in notice
        after = "after version 3 was complete. Version 3 is active."
        assert (after if written else "Version 2 is still active.") in notice
        assert version(workspace).number == (3 if written else 2)
        assert index_holds_the_active_version(workspace)
        assert pending(workspace) == ("", None)
        assert drive(start_up(workspace)) == []
    del events


@pytest.mark.parametrize("stage", ["indexing", "cleaning", "verifying"])
def test_an_activation_that_was_killed_is_told_with_its_version(
    data: Path, tmp_path: Path, stage: str
) -> None:
    (tmp_path / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    with reopened(data) as workspace:
        drive(ingest_files(workspace, "A", [tmp_path / "tides.txt"]))
        drive(remove_documents(workspace, "A", [documents_of(workspace)["bread.md"].id]))
        drive(activate_version(workspace, "A", 2))
        drive(remove_documents(workspace, "A", [row.id for row in documents_of(workspace).values()]))
        events = activate_version(workspace, "A", 1)
        if stage == "cleaning":  # only an index that contains too much is cleaned
            place = place_of(workspace)
            drive(workspace.index.add(place, ["s"], lambda b: {h: np.ones(1024, np.float32) for h in b}))
            with workspace.store.session() as session:
                find_collection(session, "A").index_version_id = None
        kill_at(events, stage)
        number = version(workspace).number
        assert number == (4 if stage == "indexing" else 1)
        assert pending(workspace) == ("activate", 1)
    with reopened(data) as workspace:
        (notice,) = drive(start_up(workspace))
        assert "activating version 1 was interrupted" in notice
        assert (f"Version {number} is still active" in notice) == (stage == "indexing")
        assert ("Version 1 is active." in notice) == (stage != "indexing")
        assert version(workspace).number == number
        assert index_holds_the_active_version(workspace)
    del events


def test_a_first_ingest_that_was_killed_leaves_no_version_and_says_so(folder: Path, documents: Path) -> None:
    with reopened(folder) as workspace:
        events = ingest_files(workspace, "A", [documents])
        kill_at(events, "embedding")
    with reopened(folder) as workspace:
        (notice,) = drive(start_up(workspace))
        assert notice.endswith("There is no version yet. Add the files again to continue.")
        assert pending(workspace) == ("", None)
        assert drive(ingest_files(workspace, "A", [documents])).version_number == 1
    del events


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (PendingKind.INGEST, "adding files was"),
        (PendingKind.REMOVE, "removing documents was"),
        (PendingKind.METADATA, "editing metadata was"),
        (PendingKind.EXCLUDE, "excluding or including chunks was"),
        (PendingKind.IMPORT, "importing from Chroma was"),
        (PendingKind.ACTIVATE, "activating another version was"),  # it was deleted
        (PendingKind.OTHER, "a change was"),
    ],
)
def test_each_kind_of_change_is_named_when_it_was_interrupted(
    ingested: Workspace, kind: PendingKind, words: str
) -> None:
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        row.pending_kind, row.pending_version_id = kind, None
        session.add(row)
    (notice,) = drive(repair_indexes(ingested))
    assert notice == f"“A”: {words} interrupted when the program ended. Version 1 is still active."


def test_a_document_named_like_a_sentence_does_not_fool_the_recovery(
    ingested: Workspace, tmp_path: Path
) -> None:
    """The old recovery compared the message of the version with a sentence."""
    (tmp_path / "Activating version 1").mkdir()
    file = tmp_path / "Activating version 1" / "x.txt"
    file.write_text("Rain falls in April.", "utf-8")
    drive(ingest_files(ingested, "A", [file]))
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        session.connection().exec_driver_sql(
            "UPDATE datasetversion SET message = 'Activating version 2' WHERE number = 2"
        )
        row.pending_kind, row.pending_version_id = PendingKind.ACTIVATE, 1
        session.add(row)
    (notice,) = drive(repair_indexes(ingested))
    assert notice.endswith(
        "activating version 1 was interrupted when the program ended. Version 2 is still active."
    )


def test_nothing_is_repaired_where_nothing_is_wrong(ingested: Workspace) -> None:
    assert not needs_repair(ingested)
    assert drive(repair_indexes(ingested)) == []


def test_an_index_with_too_few_entries_is_filled_at_the_start(ingested: Workspace) -> None:
    hashes = index_hashes(ingested, "A")
    drive(ingested.index.delete(place_of(ingested), hashes[:1]))
    assert not needs_repair(ingested)  # the tables do not know
    assert drive(repair_indexes(ingested)) == []
    assert index_holds_the_active_version(ingested)


def test_an_index_that_cannot_be_repaired_is_said_and_the_others_are(
    ingested: Workspace, files: Path
) -> None:
    drive(ingest_files(ingested, "B", [files / "bread.md"]))
    with ingested.store.session() as session:
        session.connection().exec_driver_sql("UPDATE collection SET index_version_id = NULL")
        session.connection().exec_driver_sql(
            "UPDATE collection SET index_server = 'http://127.0.0.1:9' WHERE name = 'A'"
        )
    (notice,) = drive(repair_indexes(ingested))
    assert notice.startswith("“A” is answered by exact search: ")
    assert ingested.database.cells("SELECT name, index_version_id FROM collection ORDER BY name") == [
        ("A", None), ("B", 2),
    ]  # fmt: skip


# --- where the index is -----------------------------------------------------------------------------------


def test_an_index_is_not_moved_to_where_it_is(ingested: Workspace) -> None:
    with pytest.raises(RagError, match="already served from there"):
        drive(serve_index(ingested, "A", "  "))


def test_an_index_is_not_moved_to_a_server_that_does_not_answer(ingested: Workspace) -> None:
    with pytest.raises(RagError, match=r"127\.0\.0\.1:9"):
        drive(serve_index(ingested, "A", "http://127.0.0.1:9/"))
    assert place_of(ingested).server == ""
    assert index_holds_the_active_version(ingested)
