"""Each collection is searched in its own way, and one that an older program made as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.retrieval import retrieve
from rag.errors import NotFoundError, RagError
from rag.knowledge.collections import find_collection, open_version
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection
from rag.knowledge.search_settings import (
    follow_settings,
    make_parts,
    retrieval_of,
    set_retrieval,
    settings_for,
)
from rag.settings import RetrievalSettings, preset, preset_of
from rag.storage.store import missing_embeddings
from rag.workspace import Workspace


@pytest.fixture
def shelf(workspace: Workspace, documents: Path) -> Workspace:
    """A collection “A”."""
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


def test_a_new_collection_follows_the_settings_of_the_data_folder(shelf: Workspace) -> None:
    shelf.change_settings({"retrieval": {"max_passages": 3}})
    assert settings_for(shelf, "A").retrieval.max_passages == 3
    assert settings_for(shelf, "not made yet") == shelf.settings
    assert get_collection(shelf.database, "A").retrieval == ""


def test_a_search_of_its_own_stays_when_the_settings_change(shelf: Workspace) -> None:
    own = set_retrieval(shelf, "A", "Thorough", {"max_passages": 4})
    assert own == preset("Thorough").model_copy(update={"max_passages": 4})
    shelf.change_settings({"retrieval": {"rrf_k": 77}})
    with shelf.store.session() as session:
        assert retrieval_of(shelf, find_collection(session, "A")) == own
    assert set_retrieval(shelf, "A", changes={"rrf_k": 9}) == own.model_copy(update={"rrf_k": 9})
    assert follow_settings(shelf, "A").rrf_k == 77
    assert settings_for(shelf, "A").retrieval == shelf.settings.retrieval
    assert follow_settings(shelf, "A").rrf_k == 77, "twice does no harm"


def test_what_is_refused_changes_nothing(shelf: Workspace) -> None:
    for arguments, why in (
        (("A", "Slow", None), "no preset “Slow”"),
        (("A", "", {"rrf_k": 0}), r"retrieval\.rrf_k"),
        (("A", "", {"nonsense": 1}), "no setting"),
    ):
        with pytest.raises(RagError, match=why):
            set_retrieval(shelf, *arguments)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        set_retrieval(shelf, "B", "Fast")
    with pytest.raises(NotFoundError):
        follow_settings(shelf, "B")
    assert get_collection(shelf.database, "A").retrieval == ""


def without_parts(workspace: Workspace) -> int:
    with workspace.store.session() as session:
        hashes = [
            row[0] for row in session.connection().exec_driver_sql("SELECT DISTINCT text_hash FROM chunk")
        ]
        return len(missing_embeddings(session, workspace.embedder.fingerprint, hashes, with_parts=True))


def test_parts_that_are_missing_are_made_without_a_new_version(shelf: Workspace) -> None:
    assert without_parts(shelf) == 0
    with shelf.store.session() as session:
        before = session.connection().exec_driver_sql("SELECT * FROM embedding ORDER BY text_hash").fetchall()
        parts = (
            session.connection().exec_driver_sql("SELECT * FROM partembedding ORDER BY text_hash").fetchall()
        )
        session.connection().exec_driver_sql("DELETE FROM partembedding")
    version = get_collection(shelf.database, "A").version_number
    assert drive(make_parts(shelf, "A")) == len(parts)
    assert without_parts(shelf) == 0
    with shelf.store.session() as session:
        raw = session.connection()
        assert raw.exec_driver_sql("SELECT * FROM embedding ORDER BY text_hash").fetchall() == before
        assert raw.exec_driver_sql("SELECT * FROM partembedding ORDER BY text_hash").fetchall() == parts
    assert get_collection(shelf.database, "A").version_number == version
    assert drive(make_parts(shelf, "A")) == 0


def test_parts_go_with_the_vector_of_their_text(shelf: Workspace) -> None:
    with shelf.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM embedding")
    with shelf.store.session() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM partembedding").scalar_one() == 0


def test_an_embedder_without_parts_is_refused(folder: Path, documents: Path) -> None:
    class Plain(FakeEmbedder):
        has_parts = False  # type: ignore[assignment]

    with Workspace(folder, embedder=Plain(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        with pytest.raises(RagError, match="does not pool by the mean"):
            drive(make_parts(workspace, "A"))
        collection, version = open_version(workspace, "A", None)
        found = retrieve(workspace, collection, version, "What does rye bread need?", RetrievalSettings())
        assert "sourdough" in found.hits[0].text
        assert any("has no vectors of a chunk's parts" in note for note in found.fallbacks)
        assert all(hit.rerank_score is None for hit in found.hits)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", preset("Classic")),
        (
            "[retrieval]\nsearch = 'BM25'\ncandidates = 40\nrrf_k = 20\nmax_passages = 6\ncontext_tokens = 1400\n"
            "min_similarity = 0.3\n",
            preset("Classic").model_copy(update={"search": "BM25", "rrf_k": 20}),
        ),
    ],
)
def test_a_collection_of_an_older_program_is_searched_as_it_was(
    folder: Path, documents: Path, written: str, expected: RetrievalSettings
) -> None:
    def open_again() -> Workspace:
        return Workspace(folder, embedder=FakeEmbedder(), load_model=ScriptedModel().load)

    with open_again() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    with closing(sqlite3.connect(folder / "ragdeck.sqlite")) as connection, connection:
        connection.execute(
            "UPDATE collection SET retrieval = 'classic'"
        )  # what the step of the schema leaves
    if written:
        (folder / "settings.toml").write_text(written, "utf-8")
    with open_again() as workspace:
        assert settings_for(workspace, "A").retrieval == expected
        # A new collection is searched as the new program does, but for what the person had chosen.
        chosen = {"search": "BM25", "rrf_k": 20} if written else {}
        assert workspace.settings.retrieval == RetrievalSettings().model_copy(update=chosen)
        workspace.change_settings({"retrieval": {"candidates": 50}})
    with open_again() as workspace:
        assert settings_for(workspace, "A").retrieval == expected
        assert preset_of(expected) == ("Custom" if written else "Classic")
