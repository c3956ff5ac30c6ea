"""The map of a version's embeddings."""

from pathlib import Path

import numpy as np
import pytest
from fakes import drive
from hypothesis import given
from hypothesis import strategies as st
from versions_of_a import chunk_of, documents_of

from rag.errors import NotFoundError, RagError
from rag.knowledge.edits import exclude_chunks, remove_documents
from rag.knowledge.embedding_map import embedding_map, principal_components
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection, list_documents
from rag.workspace import Workspace


def test_the_map_has_a_point_for_every_chunk(workspace: Workspace, documents: Path) -> None:
    drive(ingest_files(workspace, "A", [documents]))
    plane = embedding_map(workspace, "A")
    x = np.frombuffer(plane.x, dtype=np.float32)
    assert len(x) == plane.total == 3
    assert set(plane.documents.values()) == {"tides.txt", "bread.md", "stars.txt"}
    assert 0 < plane.explained <= 1
    for path in documents.iterdir():
        path.unlink()
    with pytest.raises(RagError, match="no chunk"):
        drive_empty(workspace)


def drive_empty(workspace: Workspace) -> None:
    row = get_collection(workspace.database, "A")
    drive(
        remove_documents(
            workspace, "A", [d.id for d in list_documents(workspace.database, row.active_version_id or 0)]
        )
    )
    embedding_map(workspace, "A")


def test_principal_components_are_those_of_a_singular_value_decomposition() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32) * np.arange(1, 9)
    plane, explained = principal_components(vectors.astype(np.float32))
    _, singular, _ = np.linalg.svd(vectors - vectors.mean(axis=0))
    assert np.allclose(np.linalg.norm(plane, axis=0), singular[:2], rtol=1e-3)
    assert abs(explained - (singular[:2] ** 2).sum() / (singular**2).sum()) < 1e-3
    assert principal_components(np.ones((1, 4), dtype=np.float32))[0].shape == (1, 2)


def test_points_know_their_chunk_and_document(ingested: Workspace) -> None:
    plane = embedding_map(ingested, "A", 1)
    chunks = np.frombuffer(plane.chunk_ids, dtype=np.int64).tolist()
    documents = np.frombuffer(plane.document_ids, dtype=np.int64).tolist()
    assert (plane.number, len(plane.x), len(plane.y)) == (1, 12, 12)
    for name, row in documents_of(ingested).items():
        assert documents[chunks.index(chunk_of(ingested, name))] == row.id
        assert plane.documents[row.id] == name


def test_the_map_is_that_of_the_version_and_the_same_each_time(ingested: Workspace) -> None:
    drive(exclude_chunks(ingested, "A", [chunk_of(ingested, "stars.txt")], "why"))
    assert embedding_map(ingested, "A").total == 2
    assert embedding_map(ingested, "A", "1").total == 3
    assert embedding_map(ingested, "A", 1) == embedding_map(ingested, "A", 1)
    with pytest.raises(NotFoundError):
        embedding_map(ingested, "A", 7)


@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 2**16))
def test_axes_are_uncorrelated_and_explain_a_share(rows: int, dimension: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    plane, explained = principal_components(vectors)
    assert plane.shape == (rows, 2)
    assert np.allclose(plane.mean(axis=0), 0, atol=1e-4)
    assert abs(float(plane[:, 0] @ plane[:, 1])) < 1e-2 * rows
    assert plane[:, 0].var() >= plane[:, 1].var() - 1e-4
    assert 0 <= explained <= 1


def test_points_on_a_line_need_one_axis() -> None:
    line = np.outer(np.arange(5), [3.0, 4.0, 0.0]).astype(np.float32)
    plane, explained = principal_components(line)
    assert explained == pytest.approx(1)
    assert np.allclose(np.diff(plane[:, 0]), 5) or np.allclose(np.diff(plane[:, 0]), -5)
    assert np.allclose(plane[:, 1], 0, atol=1e-3)
