"""Collections are made, found, renamed and deleted; versions are found and tagged."""

from pathlib import Path

import pytest
from fakes import FakeEmbedder, drive
from hypothesis import given
from hypothesis import strategies as st
from versions_of_a import chunk_of, documents_of, found, log, pending, version

from rag.errors import NotFoundError, RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import (
    active_documents,
    clear_pending,
    collection_by_id,
    content_of,
    delete_collection,
    ensure_collection,
    find_collection,
    find_version,
    index_place,
    named_version,
    new_collection,
    open_version,
    rename_collection,
    set_pending,
    tag_version,
    untag_version,
)
from rag.knowledge.edits import exclude_chunks, remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import PendingKind, list_chunks, list_collections, list_documents
from rag.knowledge.trials import build_trial, discard_version
from rag.knowledge.versions import activate_version
from rag.settings import ChunkingSettings
from rag.workspace import Workspace


def test_tags_name_versions_and_move(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents / "tides.txt"]))
    drive(ingest_files(workspace, "A", [documents]))
    tag_version(workspace, "A", 1, "baseline")
    tag_version(workspace, "A", None, "released")
    assert version(workspace, "baseline").number == 1
    assert found(workspace, "tide", "baseline") == found(workspace, "tide", 1)
    tag_version(workspace, "A", 2, "baseline")
    assert version(workspace, "2").tags == ("baseline", "released")
    drive(activate_version(workspace, "A", 1))
    with pytest.raises(RagError, match="has the tag"):
        discard_version(workspace, "A", 2)
    untag_version(workspace, "A", "baseline")
    with pytest.raises(NotFoundError):
        untag_version(workspace, "A", "baseline")
    for wrong in ("", "7", "x" * 61):
        with pytest.raises(RagError, match="A tag is"):
            tag_version(workspace, "A", 1, wrong)


def test_deleting_a_collection_takes_all_of_it(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    tag_version(workspace, "A", 1, "baseline")
    row = list_documents(workspace.database, version(workspace).id)[0]
    drive(exclude_chunks(workspace, "A", [list_chunks(workspace.database, row.id)[0].id], "no"))
    delete_collection(workspace, "A")
    for table in ("collection", "document", "chunk", "datasetversion", "versiondocument", "versionexclusion",
                  "versiontag", "verificationquery", "verificationresult", "verification"):  # fmt: skip
        assert workspace.database.query(f"SELECT count(*) FROM {table}")[0][0] == 0, table
    assert workspace.index.collection_names() == []


# --- making and finding -----------------------------------------------------------------------------------


def test_a_collection_is_made_once_with_the_settings_of_its_day(workspace: Workspace) -> None:
    made = ensure_collection(workspace, "  Harbour  ")
    assert (made.name, made.embedder, made.embedder_name) == ("Harbour", "fake-embedder", "fake")
    assert ChunkingSettings.model_validate_json(made.chunking) == workspace.settings.chunking
    assert ensure_collection(workspace, "Harbour").id == made.id
    assert [entry for entry in log(workspace) if entry[1] == "Harbour"] == [
        ("collection made", "Harbour", "")
    ]
    assert made.active_version_id is None


@pytest.mark.parametrize("name", ["", "   ", "\n"])
def test_a_collection_needs_a_name(workspace: Workspace, name: str) -> None:
    with pytest.raises(RagError, match="needs a name"):
        ensure_collection(workspace, name)
    assert list_collections(workspace.database) == []


def test_a_collection_of_an_embedder_that_is_gone_is_refused(workspace: Workspace) -> None:
    with workspace.store.session() as session:
        session.add(new_collection("Old", "sha256:gone", "gone", "{}"))
    with pytest.raises(RagError, match="not installed"):
        ensure_collection(workspace, "Old")


@given(st.text(min_size=1, max_size=40))
def test_keys_name_chroma_collections_whatever_the_name_is(name: str) -> None:
    first, second = (new_collection(name, "e", "e", "{}") for _ in range(2))
    assert first.key != second.key
    assert first.key == first.index_key
    assert first.key.isascii() and 3 <= len(first.key) <= 63


def test_a_collection_is_found_by_its_name_and_its_id(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        assert collection_by_id(session, row.id or 0).name == "A"
        assert index_place(row) == IndexPlace(row.key, "")
        with pytest.raises(NotFoundError, match="Run `ragdeck collections`"):
            find_collection(session, "a")
        with pytest.raises(NotFoundError, match="deleted in the meantime"):
            collection_by_id(session, 99)


def test_a_version_is_found_by_number_tag_and_as_the_active_one(ingested: Workspace) -> None:
    tag_version(ingested, "A", 1, "baseline")
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        assert [find_version(session, row, which).number for which in (None, 1, "1", "2", "baseline")] == [
            2, 1, 1, 2, 1,
        ]  # fmt: skip
        for which in (0, 3, "released", "-1", "1.0"):
            with pytest.raises(NotFoundError, match=f"has no version {which}"):
                find_version(session, row, which)
    assert named_version(ingested, "A", "baseline").number == 1


def test_a_collection_without_a_version_has_no_active_one(workspace: Workspace) -> None:
    ensure_collection(workspace, "A")
    with pytest.raises(NotFoundError, match="is empty"):
        named_version(workspace, "A", None)
    with workspace.store.session() as session:
        assert active_documents(session, find_collection(session, "A")) == []


def test_active_documents_are_those_of_the_active_version(ingested: Workspace, files: Path) -> None:
    drive(remove_documents(ingested, "A", [documents_of(ingested)["bread.md"].id]))
    with ingested.store.session() as session:
        rows = active_documents(session, find_collection(session, "A"))
    assert {row[1] for row in rows} == {str(files / "tides.txt"), str(files / "stars.txt")}
    assert all(len(row[2]) == 64 and row[3] for row in rows)


def test_the_content_of_a_version_is_its_chunks(ingested: Workspace) -> None:
    content = content_of(ingested, named_version(ingested, "A", None))
    chunks = [chunk_of(ingested, name) for name in documents_of(ingested)]
    assert content.ids.tolist() == sorted(chunks)


def test_a_version_is_opened_only_when_its_embedder_is_there(ingested: Workspace) -> None:
    collection, opened = open_version(ingested, "A", None)
    assert (collection.name, opened.number) == ("A", 1)
    with ingested.store.session() as session:
        row = find_version(session, find_collection(session, "A"), 1)
        row.embedder = "sha256:gone"
        session.add(row)
    with pytest.raises(RagError, match="not installed"):
        open_version(ingested, "A", None)


# --- what is pending --------------------------------------------------------------------------------------


def test_a_pending_change_is_noted_and_cleared(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        row = find_collection(session, "A")
        set_pending(session, row, PendingKind.ACTIVATE, 1)
    assert pending(ingested) == ("activate", 1)
    clear_pending(ingested, row.id or 0)
    assert pending(ingested) == ("", None)
    clear_pending(ingested, 99)  # deleted in the meantime: there is nothing to clear


# --- tags -------------------------------------------------------------------------------------------------


def test_a_tag_may_have_spaces_and_commas(ingested: Workspace) -> None:
    tag_version(ingested, "A", None, " before, and after ")
    assert version(ingested).tags == ("before, and after",)
    assert version(ingested, "before, and after").number == 1
    assert ("version tagged", "A", "version 1: before, and after") in log(ingested)
    with pytest.raises(NotFoundError):
        version(ingested, "before")
    untag_version(ingested, "A", "before, and after")
    assert version(ingested).tags == ()


def test_collections_do_not_share_their_tags(ingested: Workspace, files: Path) -> None:
    drive(ingest_files(ingested, "B", [files / "bread.md"]))
    tag_version(ingested, "A", 1, "baseline")
    tag_version(ingested, "B", 1, "baseline")
    assert version(ingested).tags == version(ingested, name="B").tags == ("baseline",)
    untag_version(ingested, "B", "baseline")
    assert version(ingested).tags == ("baseline",)


# --- renaming and deleting --------------------------------------------------------------------------------


def test_a_renamed_collection_is_the_same_one(ingested: Workspace) -> None:
    before = list_collections(ingested.database)[0]
    rename_collection(ingested, "A", "  Harbour ")
    after = list_collections(ingested.database)[0]
    assert (after.name, after.id, after.key) == ("Harbour", before.id, before.key)
    assert ("collection renamed", "A", "to Harbour") in log(ingested)
    for wrong in ("", "  "):
        with pytest.raises(RagError, match="needs a name"):
            rename_collection(ingested, "Harbour", wrong)
    with pytest.raises(NotFoundError):
        rename_collection(ingested, "A", "B")


def test_an_ingest_goes_on_when_its_collection_is_renamed(ingested: Workspace, tmp_path: Path) -> None:
    (tmp_path / "new.txt").write_text("Rain falls in April.", "utf-8")
    events = ingest_files(ingested, "A", [tmp_path / "new.txt"])
    while next(events).stage != "embedding":
        pass
    rename_collection(ingested, "A", "Harbour")
    assert drive(events).collection == "Harbour"
    assert [row.name for row in list_collections(ingested.database)] == ["Harbour"]
    assert version(ingested, name="Harbour").document_count == 4


def test_deleting_a_collection_leaves_the_other_one(ingested: Workspace, files: Path) -> None:
    drive(ingest_files(ingested, "B", [files / "bread.md"]))
    trial = drive(build_trial(ingested, "A", max_tokens=64, overlap_tokens=0))
    assert len(ingested.index.collection_names()) == 3
    delete_collection(ingested, "A")
    assert trial.number == 2
    assert [row.name for row in list_collections(ingested.database)] == ["B"]
    assert len(ingested.index.collection_names()) == 1
    assert list_chunks(ingested.database, documents_in_b(ingested)[0].id)[0].text.startswith("# Bread")
    with pytest.raises(NotFoundError):
        delete_collection(ingested, "A")


def documents_in_b(workspace: Workspace) -> list[object]:
    return list_documents(workspace.database, version(workspace, name="B").id)


def test_a_collection_made_again_embeds_nothing_anew(ingested: Workspace, files: Path) -> None:
    delete_collection(ingested, "A")
    drive(ingest_files(ingested, "A", [files]))
    assert isinstance(ingested.embedder, FakeEmbedder)
    assert ingested.embedder.embedded_count == 0
    assert version(ingested).number == 1
