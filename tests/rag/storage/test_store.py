"""The SQLite file for writing: transactions, what a busy or damaged file says, and the statements for many rows."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, select

from rag.errors import RagError
from rag.storage.store import (
    Store,
    add_chunks,
    add_embeddings,
    add_parts,
    add_trace_text,
    chunk_pieces,
    chunk_rows,
    chunk_tokens,
    chunk_vectors,
    chunks_with_texts,
    document_chunks,
    insert_rows,
    missing_embeddings,
    text_vectors,
    version_texts,
)
from rag.storage.tables.governance import AuditEvent
from rag.storage.tables.knowledge import Chunk, Document, VersionDocument, VersionExclusion
from rag.storage.tables.traces import Trace, TraceHit


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new file that does not wait long for others."""
    made = Store(tmp_path / "ragdeck.sqlite", patience_s=0.05)
    yield made
    made.close()


def event(action: str) -> AuditEvent:
    return AuditEvent(created_ms=1, action=action, subject="")


def document(name: str = "a.txt") -> Document:
    return Document(
        collection_id=1, source=f"/{name}", name=name, title="", media_type="text/plain", sha256=name, size_bytes=1,
        text="", places="[]", chunking="c", chunk_count=0, token_count=0, created_ms=1,
    )  # fmt: skip


def chunk(text: str) -> Chunk:
    return Chunk(
        document_id=0, position=0, start=0, end=len(text), text=text, text_hash=f"hash of {text}",
        token_count=len(text.split()), place="page 1", place_kind="page", place_number=1,
    )  # fmt: skip


def add_document(session: Session, name: str, *texts: str, version: int = 1) -> list[int]:
    """Add a document to a version; return the ids of its chunks."""
    made = document(name)
    add_chunks(session, made, [chunk(text) for text in texts])
    assert made.id is not None
    session.add(VersionDocument(version_id=version, document_id=made.id))
    session.flush()
    return list(session.exec(select(Chunk.id).where(Chunk.document_id == made.id)).all())  # type: ignore[arg-type]


# --- transactions -----------------------------------------------------------------------------------------


def test_a_transaction_is_saved_whole_or_not_at_all(store: Store) -> None:
    with store.session() as session:
        session.add(event("saved"))
    with pytest.raises(KeyError), store.session() as session:
        session.add(event("lost"))
        session.flush()
        raise KeyError
    with store.session() as session:
        assert [row.action for row in session.exec(select(AuditEvent)).all()] == ["saved"]


@pytest.mark.parametrize(
    "statement", ["INSERT INTO erasure VALUES (1, 'a', 'b', 'c', 1, 1, 1)", "DELETE FROM trace"]
)
def test_a_file_that_another_program_writes_to_is_a_sentence(store: Store, statement: str) -> None:
    with closing(sqlite3.connect(store.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(RagError, match=r"The data folder is busy: .* try again\."),
            store.session() as session,
        ):
            session.connection().exec_driver_sql(statement)
        other.execute("ROLLBACK")
    with store.session() as session:  # and afterwards it works
        session.connection().exec_driver_sql(statement)


def test_a_full_disk_is_a_sentence(store: Store) -> None:
    with (
        pytest.raises(RagError, match=r"cannot be written to .*Free some space"),
        store.session() as session,
    ):
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for number in range(200):
            session.add(event("x" * 1000 + str(number)))
        session.flush()


def test_a_wrong_statement_stays_a_bug(store: Store) -> None:
    with pytest.raises(OperationalError, match="no such table"), store.session() as session:
        session.connection().exec_driver_sql("SELECT * FROM missing")


def test_a_write_does_not_keep_others_from_reading(store: Store) -> None:
    with store.session() as session:
        session.add(event("written"))
        session.flush()
        with closing(sqlite3.connect(store.database)) as other:
            assert other.execute("SELECT count(*) FROM auditevent").fetchone()[0] == 0


def test_threads_have_transactions_of_their_own(tmp_path: Path) -> None:
    store = Store(tmp_path / "ragdeck.sqlite")

    def write() -> None:
        for _ in range(10):
            with store.session() as session:
                session.add(event("by a thread"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.session() as session:
        assert len(session.exec(select(AuditEvent)).all()) == 40
    store.close()


# --- many rows --------------------------------------------------------------------------------------------


def test_chunks_get_ids_and_are_found_by_their_words(store: Store) -> None:
    with store.session() as session:
        first = add_document(session, "a.txt", "rye bread", "wheat bread")
        second = add_document(session, "b.txt", "tide")
        assert len({*first, *second}) == 3
        found = session.connection().exec_driver_sql(
            "SELECT rowid FROM chunk_fts WHERE chunk_fts MATCH 'bread' ORDER BY rowid"
        )
        assert [row[0] for row in found] == first
        add_document(session, "empty.txt")


def test_ids_that_a_trace_mentions_are_not_given_again(store: Store) -> None:
    with store.session() as session:
        session.add(
            TraceHit(
                trace_id="t", chunk_id=70, document_id=80, document="", path="", place="", place_kind="", start=0,
                end=0, text="", token_count=0, fused_rank=1, fused_score=0.0,
            )
        )  # fmt: skip
        session.flush()
        assert add_document(session, "a.txt", "rye bread") == [71]
        assert session.exec(select(Document.id)).one() == 81


def test_vectors_are_stored_once_by_text_and_embedder(store: Store) -> None:
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)
    with store.session() as session:
        assert missing_embeddings(session, "e", ["a", "b", "a"]) == {"a", "b"}
        add_embeddings(session, "e", ["a", "b"], vectors)
        add_embeddings(session, "e", ["a"], vectors[1:])  # the stored one stays
        add_embeddings(session, "e", [], vectors[:0])
        assert missing_embeddings(session, "e", ["a", "b", "c"]) == {"c"}
        assert missing_embeddings(session, "another", ["a"]) == {"a"}
        found = text_vectors(session, "e", ["a", "b", "c"])
    assert {name: vector.tolist() for name, vector in found.items()} == {"a": [1, 0], "b": [0, 1]}


def test_thousands_of_texts_are_asked_for_in_parts(store: Store) -> None:
    hashes = [f"h{number}" for number in range(2_500)]
    with store.session() as session:
        add_embeddings(session, "e", hashes, np.ones((2_500, 1), dtype=np.float32))
        assert missing_embeddings(session, "e", [*hashes, "new"]) == {"new"}
        assert len(text_vectors(session, "e", hashes)) == 2_500


def test_a_version_has_the_chunks_of_its_documents_but_the_excluded_ones(store: Store) -> None:
    with store.session() as session:
        bread, rye = add_document(session, "a.txt", "bread", "rye flour")
        add_document(session, "b.txt", "bread", version=2)
        session.add(VersionExclusion(version_id=1, chunk_id=bread, reason=""))
        session.flush()
        assert version_texts(session, 1) == [(rye, "hash of rye flour", 2)]
        assert [row[1] for row in version_texts(session, 2)] == ["hash of bread"]
        assert version_texts(session, 3) == []
        assert chunks_with_texts(session, 1, ["hash of bread", "hash of rye flour"]) == [
            (rye, "hash of rye flour")
        ]


def test_chunks_are_read_with_their_vectors_and_documents(store: Store) -> None:
    with store.session() as session:
        bread, rye = add_document(session, "a.txt", "bread", "rye")
        add_embeddings(session, "e", ["hash of rye"], np.array([[1, 0]], dtype=np.float32))
        assert [*chunk_vectors(session, "e", [bread, rye])] == [rye]
        found = chunk_rows(session, [bread, 4711])
    assert found.keys() == {bread}
    assert (found[bread]["document"], found[bread]["path"], found[bread]["text"]) == (
        "a.txt",
        "/a.txt",
        "bread",
    )
    assert (found[bread]["place_kind"], found[bread]["place_number"]) == ("page", 1)


def test_a_trace_is_found_by_its_text(store: Store) -> None:
    with store.session() as session:
        session.add(Trace(id="t", session_id="", created_ms=1, status="done", question="q"))
        session.flush()
        add_trace_text(session, "t", "Where is the 港?")
        add_trace_text(session, "nothing", "where")
        query = "SELECT count(*) FROM trace_fts WHERE trace_fts MATCH ?"
        for word, count in (("where", 1), ("港", 1), ("boat", 0)):
            assert session.connection().exec_driver_sql(query, (word,)).scalar_one() == count


def test_many_rows_are_inserted_in_one_statement(store: Store) -> None:
    rows = [{"created_ms": n, "action": "many", "subject": str(n), "detail": ""} for n in range(3)]
    with store.session() as session:
        insert_rows(session, AuditEvent, rows)
        insert_rows(session, AuditEvent, [])
        assert [row.subject for row in session.exec(select(AuditEvent)).all()] == ["0", "1", "2"]


# --- opening ----------------------------------------------------------------------------------------------


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RagError, match="newer Ragdeck"):
        Store(path)


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(RagError, match="damaged"):
        Store(path)


def test_parts_are_stored_once_and_read_by_chunk(store: Store) -> None:
    pieces = np.eye(2, 384, dtype=np.float16)
    tokens = np.full((3, 64), 127, dtype=np.int8)
    with store.session() as session:
        chunks = [Chunk(document_id=0, position=n, start=0, end=1, text=t, text_hash=t, token_count=1, place="", place_kind="") for n, t in enumerate("ab")]  # fmt: skip
        document = Document(
            collection_id=1, source="/a", name="a", title="", media_type="", sha256="", size_bytes=0, text="ab",
            places="[]", chunking="", chunk_count=2, token_count=2, created_ms=0, complete=True,
        )  # fmt: skip
        add_chunks(session, document, chunks)
        add_embeddings(session, "e", ["a", "b"], np.eye(2, 384, dtype=np.float32))
        assert missing_embeddings(session, "e", ["a", "b"], with_parts=True) == {"a", "b"}
        add_parts(session, "e", ["a"], [(pieces, tokens)])
        add_parts(session, "e", ["a"], [(pieces * 0, tokens)])
        add_parts(session, "e", ["b"], [])  # an embedder that has none
        assert missing_embeddings(session, "e", ["a", "b"], with_parts=True) == {"b"}
        assert missing_embeddings(session, "e", ["a", "b"]) == set()
        ids = [row[0] for row in session.connection().exec_driver_sql("SELECT id FROM chunk ORDER BY id")]
        found = chunk_pieces(session, "e", ids)
        assert list(found) == ids[:1] and np.array_equal(found[ids[0]], pieces.astype(np.float32))
        read = chunk_tokens(session, "e", ids)[ids[0]]
        assert read.shape == (3, 64) and np.allclose(np.linalg.norm(read, axis=1), 1)
        assert chunk_pieces(session, "other", ids) == {}
        session.add(VersionDocument(version_id=5, document_id=document.id))
        session.flush()
        listed = document_chunks(session, 5, document.id or 0)
        assert [(row["chunk_id"], row["text"], row["document"]) for row in listed] == [
            (ids[0], "a", "a"), (ids[1], "b", "a"),
        ]  # fmt: skip
        session.add(VersionExclusion(version_id=5, chunk_id=ids[0], reason="odd"))
        session.flush()
        assert [row["chunk_id"] for row in document_chunks(session, 5, document.id or 0)] == ids[1:]


@pytest.mark.skipif(os.name == "nt", reason="a file that is open cannot be deleted there")
def test_what_is_written_into_a_file_that_was_deleted_is_no_success(store: Store) -> None:
    store.database.rename(store.database.with_name("elsewhere.sqlite"))
    with (
        pytest.raises(RagError, match=r"was deleted or replaced .* is not stored"),
        store.session() as session,
    ):
        session.connection().exec_driver_sql("DELETE FROM alertrule")


def test_a_page_that_is_damaged_is_a_sentence_and_a_broken_rule_stays_a_bug(store: Store) -> None:
    with pytest.raises(IntegrityError), store.session() as session:  # its text has "full" in it
        raw = session.connection()
        raw.exec_driver_sql("CREATE TABLE one (fullname TEXT UNIQUE)")
        raw.exec_driver_sql("INSERT INTO one VALUES ('a'), ('a')")
    store.close()
    content = store.database.read_bytes()
    store.database.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    with pytest.raises(RagError, match=r"is damaged .*`ragdeck restore FILE`"), store.session() as session:
        session.connection().exec_driver_sql("SELECT count(*) FROM trace").fetchone()
