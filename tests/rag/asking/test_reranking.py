"""The first candidates in a new order: by late interaction, or by a cross-encoder in a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_detector import tiny_model

from rag.asking.reranking import late_interaction, rerank
from rag.asking.retrieval import retrieve
from rag.errors import ModelError
from rag.index.rows import Hit
from rag.knowledge.collections import open_version
from rag.settings import RetrievalSettings
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


@pytest.fixture
def hits(filled: Workspace) -> list[Hit]:
    """All candidates of a question, in the order of fusion."""
    collection, version = open_version(filled, "A", None)
    return list(retrieve(filled, collection, version, QUESTION, RetrievalSettings(rerank="none")).hits)


@pytest.fixture
def cross_encoder(tmp_path: Path) -> Path:
    """A cross-encoder of a few random weights."""
    return tiny_model(tmp_path / "cross", "pairs", {0: "relevance"}, 0)


def tokens(workspace: Workspace, *texts: str) -> list[np.ndarray]:
    return workspace.encode_with_tokens(texts, workspace.embedder)[1]


def test_late_interaction_is_high_for_the_text_itself_and_takes_the_best_text(
    filled: Workspace, hits: list[Hit]
) -> None:
    text = hits[0].text
    (own,) = late_interaction(filled, filled.embedder, tokens(filled, text), hits[:1])
    assert own > 0.8  # not 1: stop words are not stored
    (other,) = late_interaction(filled, filled.embedder, tokens(filled, "quantum lattice"), hits[:1])
    (both,) = late_interaction(filled, filled.embedder, tokens(filled, "quantum lattice", text), hits[:1])
    assert other < own
    assert both == pytest.approx(own)


def test_token_vectors_that_are_not_stored_are_made(filled: Workspace, hits: list[Hit]) -> None:
    asked = tokens(filled, QUESTION)
    stored = late_interaction(filled, filled.embedder, asked, hits)
    with filled.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM partembedding")
    made = late_interaction(filled, filled.embedder, asked, hits)
    assert np.argmax(made) == np.argmax(stored)
    assert made == pytest.approx(stored, abs=0.1)  # besides, these include stop words


def test_only_the_first_are_moved_and_say_so(filled: Workspace, hits: list[Hit]) -> None:
    settings = RetrievalSettings(rerank_count=2)
    backwards = [hits[1], hits[0], *hits[2:]]
    found = rerank(filled, filled.embedder, backwards, QUESTION, tokens(filled, QUESTION), settings)
    assert {hit.chunk_id for hit in found[:2]} == {hits[0].chunk_id, hits[1].chunk_id}
    assert [hit.chunk_id for hit in found[2:]] == [hit.chunk_id for hit in hits[2:]]
    assert all(hit.rerank_score is not None for hit in found[:2])
    assert all(hit.rerank_score is None and hit.moves == () for hit in found[2:])


def test_a_cross_encoder_orders_by_its_scores(
    filled: Workspace, hits: list[Hit], cross_encoder: Path
) -> None:
    settings = RetrievalSettings(rerank="cross-encoder", cross_encoder=str(cross_encoder))
    found = rerank(filled, filled.embedder, hits, QUESTION, [], settings)
    assert {hit.chunk_id for hit in found} == {hit.chunk_id for hit in hits}
    scores = filled.cross_encoder(str(cross_encoder)).scores(QUESTION, [hit.text for hit in found])
    assert [hit.rerank_score for hit in found] == pytest.approx(scores, abs=1e-5)


def test_a_cross_encoder_that_is_not_there_is_refused(
    filled: Workspace, hits: list[Hit], tmp_path: Path
) -> None:
    for folder, why in (("", "No cross-encoder is chosen"), (str(tmp_path), "no config.json")):
        settings = RetrievalSettings(rerank="cross-encoder", cross_encoder=folder)
        with pytest.raises(ModelError, match=why):
            rerank(filled, filled.embedder, hits, QUESTION, [], settings)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="safetensors"):
        filled.cross_encoder(str(tmp_path))
