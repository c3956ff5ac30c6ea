"""Verification compares texts, vectors and the hits of stored queries, and says what differs."""

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import drive
from versions_of_a import chunk_of, log, version

from rag.errors import NotFoundError, RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import ensure_collection, find_collection, index_place, named_version
from rag.knowledge.edits import exclude_chunks
from rag.knowledge.index_sync import verify_index
from rag.knowledge.ingest import ingest_files
from rag.knowledge.verification import AUTOMATIC_QUERIES, add_verification_query, verify
from rag.knowledge.versions import activate_version
from rag.workspace import Workspace


def test_a_persons_verification_query_is_kept_for_every_version(
    workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(workspace, "A", [documents / "tides.txt"]))
    drive(ingest_files(workspace, "A", [documents]))
    add_verification_query(workspace, "A", "How high is the tide at Bremen?")
    results = workspace.database.query(
        "SELECT count(*) FROM verificationresult r JOIN verificationquery p ON p.id = r.query_id WHERE p.by_person"
    )
    assert results[0][0] == 2
    report = drive(activate_version(workspace, "A", 1))
    assert report.verification.ok
    assert report.verification.query_count == report.verification.queries_same


def place_of(workspace: Workspace) -> IndexPlace:
    with workspace.store.session() as session:
        return index_place(find_collection(session, "A"))


def queries(workspace: Workspace) -> list[tuple[int, str, int]]:
    return workspace.database.cells("SELECT id, text, by_person FROM verificationquery ORDER BY id")


def test_the_first_version_brings_a_query_for_each_of_some_texts(ingested: Workspace) -> None:
    texts = [text for _, text, _ in queries(ingested)]
    assert len(texts) == 3 <= AUTOMATIC_QUERIES
    assert all(len(text.split()) <= 4 and text for text in texts)
    assert all(by_person == 0 for *_, by_person in queries(ingested))
    results = ingested.database.cells("SELECT version_id, query_id, hits FROM verificationresult")
    assert {row[:2] for row in results} == {(1, number) for number, *_ in queries(ingested)}
    for *_, hits in results:
        stored = json.loads(hits)
        assert set(stored) == {"dense", "words"}
        assert len(stored["dense"]) == 3


def test_a_version_with_many_texts_brings_six_queries(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.txt").write_text(
            f"Item{number} lies on shelf{number} of hall{number}.", "utf-8"
        )
    drive(ingest_files(workspace, "A", [tmp_path]))
    assert len(queries(workspace)) == AUTOMATIC_QUERIES


def test_texts_with_too_few_words_bring_no_query(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("Hello you", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path / "short.txt"]))
    assert queries(workspace) == []
    assert version(workspace).verification_ok


def test_a_wrong_vector_is_counted(ingested: Workspace) -> None:
    place = place_of(ingested)
    wrong = ingested.index.hashes(place)[:1]
    drive(
        ingested.index.add(place, wrong, lambda batch: {h: np.eye(1024, dtype=np.float32)[7] for h in batch})
    )
    report = verify(ingested, named_version(ingested, "A", None), place, every_vector=True)
    assert not report.ok
    assert (report.fingerprint_same, report.vectors_same, report.vectors_checked) == (True, 2, 3)


def test_missing_texts_are_counted_and_vectors_then_are_not_compared(ingested: Workspace) -> None:
    place = place_of(ingested)
    drive(ingested.index.delete(place, ingested.index.hashes(place)[:2]))
    report = verify(ingested, named_version(ingested, "A", None), place, detail="Before.")
    assert (report.ok, report.fingerprint_same, report.vectors_same) == (False, False, 0)
    assert report.detail.startswith("Before. The index contains 1 text and the version 3.")


def test_a_query_that_finds_other_passages_is_named_by_its_number(ingested: Workspace) -> None:
    """Reports outlive an erasure, and a query may quote what is erased."""
    add_verification_query(ingested, "A", "How high is the tide at Bremen?")
    number = queries(ingested)[-1][0]
    with ingested.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE verificationresult SET hits = ? WHERE query_id = ?",
            (json.dumps({"dense": [], "words": ["other"]}), number),
        )
    report = verify(ingested, named_version(ingested, "A", None), place_of(ingested))
    assert (report.ok, report.query_count - report.queries_same) == (False, 1)
    assert report.detail == f"Verification query {number} found other passages."
    stored = ingested.database.cells("SELECT detail FROM verification")
    assert not any("tide" in detail for (detail,) in stored)
    assert not any("tide" in detail for *_, detail in log(ingested))


def test_only_three_queries_are_named(ingested: Workspace) -> None:
    for text in ("tide Bremen", "rye bread"):
        add_verification_query(ingested, "A", text)
    with ingested.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE verificationresult SET hits = ?", (json.dumps({"dense": [], "words": ["other"]}),)
        )
    report = verify(ingested, named_version(ingested, "A", None), place_of(ingested))
    assert (report.query_count, report.queries_same) == (5, 0)
    assert report.detail.count("Verification query") == 3


def test_hits_that_differ_by_the_order_of_ties_are_the_same(workspace: Workspace, tmp_path: Path) -> None:
    """The index searches approximately: exact search decides where the passages differ."""
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text(f"tide tide shelf{number}", "utf-8")
    drive(ingest_files(workspace, "A", [tmp_path]))
    add_verification_query(workspace, "A", "tide")
    number = queries(workspace)[-1][0]
    ((hits,),) = workspace.database.cells("SELECT hits FROM verificationresult WHERE query_id = ?", (number,))
    stored = json.loads(hits)
    stored["dense"] = stored["dense"][::-1]
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE verificationresult SET hits = ? WHERE query_id = ?", (json.dumps(stored), number)
        )
    assert drive(verify_index(workspace, "A")).ok


def test_hits_are_stored_again_where_there_are_none(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM verificationresult")
    report = drive(verify_index(ingested, "A"))
    assert (report.ok, report.queries_same) == (True, report.query_count)
    assert len(ingested.database.query("SELECT hits FROM verificationresult")) == 3


def test_every_verification_is_stored_and_logged(ingested: Workspace) -> None:
    report = drive(verify_index(ingested, "A"))
    row = ingested.database.query("SELECT * FROM verification ORDER BY id DESC LIMIT 1")[0]
    for name in ("ok", "fingerprint_same", "vectors_checked", "vectors_same", "query_count", "queries_same"):
        assert row[name] == getattr(report, name), name
    assert (row["collection_id"], row["version_id"], row["detail"]) == (1, 1, "")
    assert log(ingested)[-1] == ("index verified", "A", f"version 1: {report.sentence()}")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_query_needs_words(ingested: Workspace, text: str) -> None:
    with pytest.raises(RagError, match="Type one first"):
        add_verification_query(ingested, "A", text)
    assert len(queries(ingested)) == 3


def test_a_query_needs_a_version(workspace: Workspace) -> None:
    ensure_collection(workspace, "A")
    with pytest.raises(NotFoundError, match="is empty"):
        add_verification_query(workspace, "A", "tide")


def test_a_persons_query_is_logged_by_its_number(ingested: Workspace) -> None:
    add_verification_query(ingested, "A", "  How high is the tide?  ")
    number, text, by_person = queries(ingested)[-1]
    assert (text, by_person) == ("How high is the tide?", 1)
    assert log(ingested)[-1] == ("verification query added", "A", f"query {number}")


def test_hits_of_a_query_leave_out_excluded_chunks(ingested: Workspace) -> None:
    drive(exclude_chunks(ingested, "A", [chunk_of(ingested, "tides.txt")], "why"))
    add_verification_query(ingested, "A", "tide Bremen")
    number = queries(ingested)[-1][0]
    found = dict(
        ingested.database.cells(
            "SELECT version_id, hits FROM verificationresult WHERE query_id = ?", (number,)
        )
    )
    assert len(json.loads(found[1])["words"]) == 1
    assert json.loads(found[2])["words"] == []
