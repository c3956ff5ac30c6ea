"""Finds passages: dense and BM25 search, reciprocal rank fusion, and packing into a token budget.

Every candidate that is left out keeps the reason: a person must be able to see what the model never saw.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.index.rows import Hit
from rag.knowledge.collections import find_collection, index_place
from rag.settings import RetrievalSettings
from rag.storage.store import chunk_rows, chunk_vectors, chunks_with_texts
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.storage.version_content import ordered
from rag.text.search_terms import query_words
from rag.workspace import Workspace

Vector = npt.NDArray[np.float32]
_MOST_EXTRA = 2000  # entries of an index that its version does not have, before exact search is quicker


@dataclass(frozen=True)
class StageTime:
    """A stage of a search, in milliseconds since the search began."""

    name: str
    kind: str
    start_ms: float
    end_ms: float
    detail: str = ""


@dataclass(frozen=True)
class Retrieval:
    """All candidates by fused rank, best first, and how they were found."""

    hits: tuple[Hit, ...]
    stages: tuple[StageTime, ...]
    fallbacks: tuple[str, ...] = ()


def retrieve(
    workspace: Workspace,
    collection: Collection,
    version: DatasetVersion,
    text: str,
    settings: RetrievalSettings,
) -> Retrieval:
    """Search one version. No hit is lost: one below the threshold says so."""
    clock = _StageClock()
    fallbacks: list[str] = []
    embedder = workspace.embedder_of(version.embedder, version.embedder_name)
    with clock.stage("embed", "EMBEDDING", embedder.name):
        vector = workspace.encode([text], embedder)[0]
    dense: list[tuple[int, float]] = []
    lexical: list[tuple[int, float]] = []
    if settings.search != "BM25":
        with clock.stage("dense", "RETRIEVER"):
            dense, how = _dense(workspace, collection, version, vector, settings.candidates)
            if how:
                fallbacks.append(how)
    if settings.search != "dense":
        with clock.stage("lexical", "RETRIEVER", "BM25"), workspace.store.session() as session:
            content = workspace.content(version.id or 0, version.embedder)
            lexical = content.search_words(session, query_words(text), settings.candidates)
    with clock.stage("fuse", "CHAIN", f"RRF k={settings.rrf_k}"), workspace.store.session() as session:
        order = fuse([[i for i, _ in dense], [i for i, _ in lexical]], settings.rrf_k)
        facts = chunk_rows(session, [chunk_id for chunk_id, _ in order])
        similarity = dict(dense)
        unscored = [chunk_id for chunk_id, _ in order if chunk_id not in similarity]
        for chunk_id, stored in chunk_vectors(session, version.embedder, unscored).items():
            similarity[chunk_id] = float(np.dot(stored, vector))
        hits = _hits(order, facts, similarity, dense, lexical)
        hits = drop_dissimilar(hits, text, settings.min_similarity)
    return Retrieval(tuple(hits), tuple(clock.stages), tuple(fallbacks))


def fuse(rankings: Sequence[Sequence[int]], k: int) -> list[tuple[int, float]]:
    """Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009): score = sum of 1/(k + rank), rank from 1.

    Ties go to the item seen first, so the order is deterministic.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(dict.fromkeys(ranking), 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda pair: -pair[1])


def drop_dissimilar(hits: Sequence[Hit], text: str, min_similarity: float) -> list[Hit]:
    """Mark hits below the similarity threshold, except those that contain every word of the question."""
    words = query_words(text)
    kept = []
    for hit in hits:
        below = hit.dense_score is not None and hit.dense_score < min_similarity
        lowered = hit.text.lower() if below else ""
        if below and not (words and all(word in lowered for word in words)):
            hit = replace(hit, dropped=f"similarity {hit.dense_score:.2f} below {min_similarity:.2f}")
        kept.append(hit)
    return kept


def pack(
    hits: Sequence[Hit], settings: RetrievalSettings, count_tokens: Callable[[str], int], budget: int
) -> list[Hit]:
    """Number the passages that go into the prompt, best first, and give each other hit its reason.

    budget: tokens of the model for all passages together, headings included.
    """
    packed: list[Hit] = []
    used = 0
    result = []
    for hit in hits:
        if hit.dropped is None:
            reason = _overlap(hit, packed)
            if reason is None and len(packed) >= settings.max_passages:
                reason = f"beyond {settings.max_passages} passages"
            if reason is None:
                cost = count_tokens(f"[{len(packed) + 1}] {hit.document}, {hit.place}\n{hit.text}\n\n")
                if used + cost > budget:
                    reason = f"{cost} tokens do not fit into the {budget - used} left"
                else:
                    used += cost
                    hit = replace(hit, marker=len(packed) + 1)
                    packed.append(hit)
            if reason is not None:
                hit = replace(hit, dropped=reason)
        result.append(hit)
    return result


def _overlap(hit: Hit, packed: Sequence[Hit]) -> str | None:
    for other in packed:
        if other.text == hit.text:
            return f"same text as [{other.marker}]"
        if other.document_id == hit.document_id:
            shared = min(other.end, hit.end) - max(other.start, hit.start)
            if shared * 2 > hit.end - hit.start:
                return f"mostly inside [{other.marker}]"
    return None


def _dense(
    workspace: Workspace, collection: Collection, version: DatasetVersion, vector: Vector, count: int
) -> tuple[list[tuple[int, float]], str]:
    """Return the nearest chunks: from the index if it contains this version, else from stored vectors."""
    if collection.index_version_id == version.id:
        try:
            found = _from_index(workspace, collection, version, vector, count)
            if found is not None and _index_still_holds(workspace, collection, version):
                return found, ""
            why = "the index was being changed"
        except (
            Exception
        ) as error:  # Chroma raises many kinds; any of them means the index must not be trusted
            why = f"the index failed ({type(error).__name__})"
    elif collection.active_version_id == version.id:
        why = "the index is being brought in line"
    else:
        why = ""  # an older version has no index: exact search is the designed way, not a fallback
    with workspace.store.session() as session:
        content = workspace.content(version.id or 0, version.embedder)
        found = content.nearest(session, vector, count)
    return found, f"exact search: {why}" if why else ""


def _from_index(
    workspace: Workspace, collection: Collection, version: DatasetVersion, vector: Vector, count: int
) -> list[tuple[int, float]] | None:
    """Return the best chunks of the version among the index's nearest texts; None when it is not reliable.

    While a change is under way the index contains more than the version, so that many more texts are read.
    """
    place = index_place(collection)
    extra = workspace.index.count(place) - version.text_count
    if extra < 0 or extra > _MOST_EXTRA:
        return None
    texts = workspace.index.query(place, vector, count + extra)
    with workspace.store.session() as session:
        chunks = [chunk_id for chunk_id, _ in chunks_with_texts(session, version.id or 0, texts)]
        stored = chunk_vectors(session, version.embedder, chunks)
    if not chunks:
        return [] if version.chunk_count == 0 else None
    ids = np.fromiter(stored, dtype=np.int64, count=len(stored))
    return ordered(ids, np.stack([stored[i] for i in stored]) @ vector)[:count]


def _index_still_holds(workspace: Workspace, collection: Collection, version: DatasetVersion) -> bool:
    """Return whether the index is still that of this version.

    A change on the other lane may have begun to remove entries while it was searched.
    """
    with workspace.store.session() as session:
        return find_collection(session, collection.name).index_version_id == version.id


def _hits(
    order: Sequence[tuple[int, float]],
    facts: dict[int, dict[str, Any]],
    similarity: dict[int, float],
    dense: Sequence[tuple[int, float]],
    lexical: Sequence[tuple[int, float]],
) -> list[Hit]:
    dense_rank = {chunk_id: rank for rank, (chunk_id, _) in enumerate(dense, 1)}
    bm25_rank = {chunk_id: rank for rank, (chunk_id, _) in enumerate(lexical, 1)}
    bm25_score = dict(lexical)
    return [
        Hit(
            **facts[chunk_id],
            dense_rank=dense_rank.get(chunk_id),
            dense_score=similarity.get(chunk_id),
            bm25_rank=bm25_rank.get(chunk_id),
            bm25_score=bm25_score.get(chunk_id),
            fused_rank=rank,
            fused_score=score,
        )
        for rank, (chunk_id, score) in enumerate((pair for pair in order if pair[0] in facts), 1)
    ]


class _StageClock:
    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self.stages: list[StageTime] = []

    def stage(self, name: str, kind: str, detail: str = "") -> _Stage:
        return _Stage(self, name, kind, detail)

    def now_ms(self) -> float:
        return (time.perf_counter() - self._begin) * 1000


class _Stage:
    def __init__(self, clock: _StageClock, name: str, kind: str, detail: str) -> None:
        self._clock, self._name, self._kind, self._detail = clock, name, kind, detail
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = self._clock.now_ms()

    def __exit__(self, *_: object) -> None:
        self._clock.stages.append(
            StageTime(self._name, self._kind, self._start, self._clock.now_ms(), self._detail)
        )
