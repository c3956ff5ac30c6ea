"""Tables of knowledge: what may be there once, and what a new row begins with."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.knowledge import (
    Chunk,
    Collection,
    DatasetVersion,
    Document,
    EmbedderFolder,
    Embedding,
    Model,
    VerificationQuery,
    VerificationResult,
    VersionDocument,
    VersionExclusion,
    VersionTag,
    WatchedFolder,
)


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (Collection, {"name": "a", "key": "k"}, {"name": "b", "key": "l"}),
        (Embedding, {"text_hash": "h", "embedder": "e"}, {"embedder": "f"}),
        (DatasetVersion, {"collection_id": 1, "number": 1}, {"collection_id": 2}),
        (VersionDocument, {"version_id": 1, "document_id": 1}, {"document_id": 2}),
        (VersionExclusion, {"version_id": 1, "chunk_id": 1}, {"chunk_id": 2}),
        (VersionTag, {"collection_id": 1, "name": "final"}, {"collection_id": 2}),
        (VerificationResult, {"version_id": 1, "query_id": 1}, {"query_id": 2}),
        (WatchedFolder, {"collection_id": 1, "path": "/a"}, {"path": "/b"}),
        (EmbedderFolder, {"fingerprint": "f"}, {"fingerprint": "g"}),
        (Model, {"path": "/a.gguf"}, {"path": "/b.gguf"}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_two_collections_share_neither_a_name_nor_a_key() -> None:
    first = {"name": "a", "key": "k"}
    assert not saves(row(Collection, **first), row(Collection, name="a", key="l"))
    assert not saves(row(Collection, **first), row(Collection, name="b", key="k"))


def test_a_new_collection_has_no_version_and_nothing_interrupted() -> None:
    found = stored(row(Collection, name="a", key="k"))
    assert (found["active_version_id"], found["index_version_id"], found["pending_kind"]) == (None, None, "")


def test_a_document_may_have_revisions_and_is_not_complete_at_first() -> None:
    same = {"collection_id": 1, "source": "/a", "sha256": "s"}
    assert saves(row(Document, **same), row(Document, **same))
    assert stored(row(Document, **same))["complete"] is False


def test_a_new_version_has_lost_nothing_and_is_no_trial() -> None:
    found = stored(row(DatasetVersion, collection_id=1, number=1))
    assert (found["was_erased"], found["trial_key"], found["kind"]) == (False, "", "ingest")


def test_a_vector_is_stored_byte_for_byte() -> None:
    vector = bytes(range(256))
    assert stored(row(Embedding, text_hash="h", embedder="e", vector=vector))["vector"] == vector
    assert stored(row(VerificationQuery, vector=vector))["by_person"] is False


def test_a_text_is_stored_as_it_is() -> None:
    text = "Zeile 1\r\n\x00 ☃ 港 \U0001f600"
    assert stored(row(Chunk, text=text))["text"] == text
