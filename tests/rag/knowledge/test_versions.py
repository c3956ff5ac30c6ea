"""Versions: never changed, verified when activated, and answering as they did when they were active."""

import random
from pathlib import Path

import pytest
from fakes import FakeEmbedder, drive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from versions_of_a import (
    chunk_of,
    documents_of,
    found,
    index_holds_the_active_version,
    log,
    pending,
    snapshot,
    version,
)

from rag.asking.retrieval import retrieve
from rag.errors import NotFoundError, RagError
from rag.knowledge.collections import ensure_collection, find_collection, open_version
from rag.knowledge.edits import edit_document, exclude_chunks, include_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import (
    list_chunks,
    list_documents,
    list_versions,
)
from rag.knowledge.versions import (
    VersionDraft,
    activate_version,
    document_facts,
    draft_of,
    draft_texts,
    excluded_facts,
    make_version,
    make_version_of,
    undo,
)
from rag.settings import RetrievalSettings
from rag.start_up import start_up
from rag.storage.tables.knowledge import Collection
from rag.workspace import Workspace


def test_every_change_is_a_version_that_says_what_came_and_went(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    first = version(workspace)
    assert (first.kind, first.parent_number, first.chunks_added, first.chunks_removed) == (
        "ingest",
        None,
        3,
        0,
    )
    assert first.tokens_added == first.token_count > 0
    assert first.verification_ok
    rows = {d.name: d for d in list_documents(workspace.database, first.id)}
    drive(remove_documents(workspace, "A", [rows["stars.txt"].id]))
    removed = version(workspace)
    assert (removed.kind, removed.parent_number, removed.chunks_removed) == ("remove", 1, 1)
    assert removed.message == "Removed “stars.txt”"
    drive(edit_document(workspace, "A", rows["tides.txt"].id, {"author": "Harbour office", "empty": " "}))
    edited = version(workspace)
    assert (edited.kind, edited.chunks_added, edited.chunks_removed) == ("metadata", 0, 0)
    assert edited.fingerprint != removed.fingerprint
    chunk = list_chunks(workspace.database, rows["bread.md"].id)[0]
    drive(exclude_chunks(workspace, "A", [chunk.id], "outdated"))
    excluded = version(workspace)
    assert (excluded.kind, excluded.excluded_count, excluded.chunk_count) == ("exclude", 1, 1)
    assert chunk.id not in [chunk_id for chunk_id, _ in found(workspace, "rye bread sourdough")]
    drive(include_chunks(workspace, "A", [chunk.id]))
    assert version(workspace).chunk_count == 2
    assert found(workspace, "rye bread sourdough")[0] == (chunk.id, "")
    assert [v.number for v in list_versions(workspace.database, 1)] == [5, 4, 3, 2, 1]


def test_a_removal_is_undone(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    ids = [d.id for d in list_documents(workspace.database, version(workspace).id)]
    drive(remove_documents(workspace, "A", ids[:2]))
    report = drive(undo(workspace, "A"))
    assert report.number == 1
    assert report.verification.ok
    assert index_holds_the_active_version(workspace)
    with pytest.raises(RagError, match="first one"):
        drive(undo(workspace, "A"))


def test_rollback_embeds_nothing_and_is_verified_and_logged(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    before = snapshot(workspace, "1")
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    assert isinstance(workspace.embedder, FakeEmbedder)
    embedded = workspace.embedder.embedded_count
    report = drive(activate_version(workspace, "A", 1))
    assert workspace.embedder.embedded_count == embedded
    verification = report.verification
    assert (
        verification.ok
        and verification.fingerprint_same
        and verification.vectors_same == verification.vectors_checked == 3
    )
    assert verification.queries_same == verification.query_count >= 3
    assert snapshot(workspace, "1") == before
    assert version(workspace, "1").verification_ok
    assert ("index verified", "A", f"version 1: {verification.sentence()}") in log(workspace)


def test_the_old_version_answers_until_the_new_one_is_complete(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    before = found(workspace, "tide Bremen")
    events = ingest_files(workspace, "A", [documents])
    seen = set()
    for event in events:
        seen.add(event.stage)
        if event.stage == "indexing":
            assert version(workspace).number == 1
            assert found(workspace, "tide Bremen") == before
            collection, opened = open_version(workspace, "A", None)
            assert retrieve(workspace, collection, opened, "tide", RetrievalSettings()).fallbacks == ()
    assert {"indexing", "cleaning", "verifying"} <= seen
    assert version(workspace).number == 2


@pytest.mark.parametrize("stage", ["indexing", "cleaning", "verifying"])
def test_a_cancelled_activation_leaves_a_whole_version(
    workspace: Workspace, documents: Path, stage: str
) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    (documents / "tides.txt").write_text("The tide at Emden rises 3 metres.", "utf-8")
    drive(ingest_files(workspace, "A", [documents]))
    events = activate_version(workspace, "A", 1)
    for event in events:
        if event.stage == stage:
            events.close()
            break
    active = version(workspace).number
    assert active == (2 if stage == "indexing" else 1)
    drive(start_up(workspace))
    assert version(workspace).number == active
    assert index_holds_the_active_version(workspace)


steps = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove", "exclude", "metadata", "rollback", "undo"]), st.integers(0, 99)),
    min_size=1,
    max_size=7,
)  # fmt: skip


@given(steps)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_of_changes_keeps_what_versions_promise(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int]]
) -> None:
    """Content immutable, index equal to the active version, and version n answers as when it was active."""
    root = tmp_path_factory.mktemp("sequence")
    (root / "data").mkdir()
    files = root / "files"
    files.mkdir()
    (files / "first.txt").write_text("The tide at Bremen. Fact seven. 日本 の 山.", "utf-8")
    from fakes import ScriptedModel

    with Workspace(
        root / "data", "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load
    ) as workspace:
        drive(ingest_files(workspace, "A", [files]))
        promised = {1: snapshot(workspace, "active")}
        for action, number in actions:
            try:
                perform(workspace, files, action, number)
            except RagError:
                continue
            active = version(workspace).number
            promised.setdefault(active, snapshot(workspace, "active"))
            assert index_holds_the_active_version(workspace)
        for which, expected in promised.items():
            assert snapshot(workspace, str(which)) == expected
            assert version(workspace, str(which)).verification_ok in (True, None)


def perform(workspace: Workspace, files: Path, action: str, number: int) -> None:
    active = version(workspace)
    documents = list_documents(workspace.database, active.id)
    present = sorted(files.iterdir())
    if action in ("add", "change"):
        name = f"{number}.txt" if action == "add" or not present else present[number % len(present)].name
        words = ["tide", "star", "bread", "fact", "山", f"n{number}"]
        text = ". ".join(
            f"{random.Random(number + n).choice(words)} {n % 3}" for n in range(number * 7 % 120 + 3)
        )
        (files / name).write_text(text, "utf-8")
        drive(ingest_files(workspace, "A", [files]))
    elif action == "remove":
        drive(remove_documents(workspace, "A", [documents[number % len(documents)].id] if documents else []))
    elif action == "metadata":
        document = documents[number % len(documents)].id if documents else 0
        drive(edit_document(workspace, "A", document, {"note": str(number)}))
    elif action == "exclude":
        chunks = list_chunks(workspace.database, documents[number % len(documents)].id) if documents else []
        drive(exclude_chunks(workspace, "A", [chunks[number % len(chunks)].id] if chunks else [], "why"))
    elif action == "rollback":
        drive(activate_version(workspace, "A", number % len(list_versions(workspace.database, 1)) + 1))
    else:
        drive(undo(workspace, "A"))


# --- plans and drafts -------------------------------------------------------------------------------------


def test_a_draft_is_the_active_version_and_an_empty_one_before_there_is_any(ingested: Workspace) -> None:
    drive(exclude_chunks(ingested, "A", [chunk_of(ingested, "stars.txt")], "old"))
    made = ensure_collection(ingested, "New")
    with ingested.store.session() as session:
        draft = draft_of(session, find_collection(session, "A"))
        assert set(draft.documents) == {row.id for row in documents_of(ingested).values()}
        assert draft.exclusions == {chunk_of(ingested, "stars.txt"): "old"}
        assert len(draft_texts(session, draft)) == 2
        empty = draft_of(session, made)
        assert (empty.documents, empty.exclusions, empty.embedder) == ({}, {}, "fake-embedder")
        assert draft_texts(session, empty) == []


def rename_nothing(session: Session, collection: Collection) -> VersionDraft:
    draft = draft_of(session, collection)
    draft.message = "Nothing"
    return draft


def test_a_version_with_the_content_of_its_parent_has_its_fingerprint(ingested: Workspace) -> None:
    made = drive(make_version(ingested, "A", rename_nothing))
    first, second = version(ingested, "1"), version(ingested, str(made.number))
    assert (second.message, second.fingerprint) == ("Nothing", first.fingerprint)
    assert (second.chunks_added, second.chunks_removed, second.parent_number) == (0, 0, 1)


def test_a_change_that_another_one_overtook_is_refused(ingested: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rain.txt").write_text("Rain falls in April.", "utf-8")
    events = ingest_files(ingested, "A", [tmp_path / "rain.txt"])
    while next(events).stage != "indexing":
        pass
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    with pytest.raises(RagError, match="was changed in the meantime"):
        drive(events)
    assert version(ingested).number == 2
    assert pending(ingested) == ("", None)
    drive(start_up(ingested))
    assert drive(ingest_files(ingested, "A", [tmp_path / "rain.txt"])).version_number == 3
    assert index_holds_the_active_version(ingested)


def test_a_plan_that_refuses_leaves_nothing(ingested: Workspace) -> None:
    def refuse(_session: Session, _collection: Collection) -> VersionDraft:
        raise RagError("No.")

    before = log(ingested)
    with pytest.raises(RagError, match="No"):
        drive(make_version(ingested, "A", refuse))
    assert (pending(ingested), version(ingested).number, log(ingested)) == (("", None), 1, before)
    with pytest.raises(NotFoundError, match="deleted in the meantime"):
        drive(make_version_of(ingested, 99, refuse))


def test_while_a_version_is_made_it_is_pending_and_not_active(ingested: Workspace, tmp_path: Path) -> None:
    (tmp_path / "rain.txt").write_text("Rain falls in April.", "utf-8")
    seen = {}
    for event in (events := ingest_files(ingested, "A", [tmp_path / "rain.txt"])):
        seen[event.stage] = (pending(ingested), version(ingested).number)
    assert seen["parsing"] == seen["indexing"] == (("ingest", None), 1)
    assert seen["verifying"][0][0] in ("ingest", "")
    assert seen["verifying"][1] == 2
    assert pending(ingested) == ("", None)
    del events


def test_activating_the_active_version_verifies_it_and_adds_nothing(ingested: Workspace) -> None:
    report = drive(activate_version(ingested, "A", 1))
    assert (report.collection, report.number, report.added, report.verification.ok) == ("A", 1, 0, True)
    assert report.milliseconds > 0
    assert ("version activated", "A", "version 1") in log(ingested)


def test_activating_adds_the_texts_that_left_the_index(ingested: Workspace) -> None:
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    assert drive(activate_version(ingested, "A", "1")).added == 1


def test_a_version_that_does_not_exist_is_not_activated(ingested: Workspace) -> None:
    with pytest.raises(NotFoundError, match="has no version 9"):
        drive(activate_version(ingested, "A", 9))
    assert pending(ingested) == ("", None)


def test_a_version_whose_vectors_are_gone_is_not_activated(ingested: Workspace) -> None:
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    with ingested.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM embedding")
    with pytest.raises(RagError, match="vectors of 1 chunk are gone"):
        drive(activate_version(ingested, "A", 1))
    assert (version(ingested).number, pending(ingested)) == (2, ("", None))


def test_facts_of_a_fingerprint_name_documents_and_exclusions(ingested: Workspace) -> None:
    bread = documents_of(ingested)["bread.md"].id
    with ingested.store.session() as session:
        ((name, sha256, chunking),) = document_facts(session, {bread: ""})
        assert name == "bread.md" and len(sha256) == 64
        assert document_facts(session, {bread: "{}"}) == [(name, sha256, chunking, "{}")]
        assert excluded_facts(session, {chunk_of(ingested, "bread.md"): "old"}) == [
            (sha256, chunking, "0", "old")
        ]
        assert document_facts(session, {}) == excluded_facts(session, {}) == []
