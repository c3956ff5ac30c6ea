"""Judgements find their chunks in any version of a collection."""

from pathlib import Path

import pytest
from fakes import drive

from rag.evaluation.cases import Judgement
from rag.evaluation.relevance import JudgedVersion, find_quote
from rag.knowledge.collections import find_collection
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


def judged(workspace: Workspace) -> JudgedVersion:
    with workspace.store.session() as session:
        version_id = find_collection(session, "A").active_version_id
    assert version_id is not None
    return JudgedVersion(workspace.store, version_id)


def chunk_of(workspace: Workspace, chunk_id: int) -> tuple[str, str]:
    with workspace.store.session() as session:
        row = session.connection().exec_driver_sql(
            "SELECT d.name, c.text FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.id = ?",
            (chunk_id,),
        )
        name, text = row.one()
        return name, text


def test_a_judgement_is_found_by_name_by_path_and_by_its_quote(filled: Workspace, documents: Path) -> None:
    version = judged(filled)
    for judgement in (
        Judgement(document="bread.md"),
        Judgement(document=str(documents / "bread.md"), start=9, end=30),
        Judgement(quote="Rye  bread\nneeds sourdough"),
        Judgement(document="A title of another tool", quote="needs sourdough and 12 hours", grade=2),
    ):
        found = version.relevance([judgement])
        assert found.stale == ()
        (chunk_id,) = found.grades
        assert chunk_of(filled, chunk_id)[0] == "bread.md"
        assert found.grades[chunk_id] == judgement.grade
        assert found.judgements[0].document == str(documents / "bread.md")


def test_what_is_in_no_document_is_stale_and_not_missed(filled: Workspace) -> None:
    wrong = [
        Judgement(document="gone.txt"),
        Judgement(quote="never written"),
        Judgement(document="bread.md", start=5000, end=6000),
    ]
    found = judged(filled).relevance(wrong)
    assert found.grades == {}
    assert found.stale == tuple(wrong)


def test_a_passage_is_found_again_where_the_document_was_changed(filled: Workspace, documents: Path) -> None:
    path = documents / "tides.txt"
    text = path.read_text("utf-8")
    start = text.index("Boats")
    judgement = Judgement(document=str(path), start=start, end=len(text), quote=text[start:])
    path.write_text("A new first sentence stands here now. " * 3 + text, "utf-8")
    drive(ingest_files(filled, "A", [path]))
    found = judged(filled).relevance([judgement])
    assert found.judgements[0].start == start + 3 * 38
    (chunk_id,) = found.grades
    assert "Boats leave" in chunk_of(filled, chunk_id)[1]


def test_quotes_are_found_whatever_the_white_space() -> None:
    assert find_quote("a  b\nc d", "b c") == (3, 6)
    assert find_quote("a.b", "a b") is None
    assert find_quote("x", "  ") is None
    assert find_quote("(a+)+", "(a+)+") == (0, 5)
