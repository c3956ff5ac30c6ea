"""Finds passages: lists of candidates by meaning, by words and by identifiers, fused, reranked and ordered.

Every candidate keeps its place in each list and what moved it, and one that is left out the reason: a
person must be able to see what the model never saw.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlmodel import Session

from rag.asking.query import Query, Spelling, TextName, understand
from rag.asking.reranking import rerank
from rag.index.rows import Hit, ListRank
from rag.knowledge.collections import find_collection, index_place
from rag.settings import RetrievalSettings
from rag.storage.store import chunk_pieces, chunk_rows, chunk_vectors, chunks_with_texts, document_chunks
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.storage.version_content import fts_tokens, ordered
from rag.text.languages import language_name, language_of
from rag.text.plurals import counted
from rag.text.search_terms import comparable, query_words
from rag.workspace import Workspace

Vector = npt.NDArray[np.float32]
_RESCORED = 150  # nearest chunks whose pieces are compared
_DIVERSE = 50  # hits that are compared with each other
_RARE = 5  # chunks that contain a rare identifier, at most
_WHOLE_FROM = 3  # words of a question that is looked for word for word
_MOST_READ = 400  # chunks whose text is compared with an identifier
_WORDS = re.compile(r"\w+")
_LEADER = re.compile(r"(?:(?:\. ?){4,}|…|_{4,}) *\d+$")
_SECTION = re.compile(r"\d+(?:\.\d+)+\.? +[^\W\d].{2,80} \d{1,4}$")  # 4.4.6 Tags 87
_INDEXED = re.compile(r"[^\W\d], ?\d{1,4}(?:, ?\d{1,4}|[–-]\d{1,4})*$")  # tides, 12, 31-33
_LINE_END = 40  # characters that are looked at
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
    """All candidates in their final order, best first, and how they were found.

    Attributes:
        hits: The candidates.
        stages: What was done, and how long it took.
        fallbacks: What was done besides or instead of the usual, in sentences.
        query: What was searched for.
    """

    hits: tuple[Hit, ...]
    stages: tuple[StageTime, ...]
    fallbacks: tuple[str, ...]
    query: Query


def retrieve(
    workspace: Workspace,
    collection: Collection,
    version: DatasetVersion,
    text: str,
    settings: RetrievalSettings,
    previous: str = "",
) -> Retrieval:
    """Search one version. No candidate is lost: one that is left out keeps the reason.

    Args:
        workspace: The open data folder.
        collection: The collection of the version.
        version: What is searched.
        text: The question.
        settings: How it is searched.
        previous: The question before, when this one is a follow-up.
    """
    search = _Search(workspace, collection, version, settings)
    with search.clock.stage("query", "CHAIN"):
        query = search.understand(text, previous)
    search.notes.extend(query.notes())
    search.note_language(query.question)
    texts = [searched for _, searched in query.texts]
    with search.clock.stage("embed", "EMBEDDING", search.embedder.name):
        if search.reranks:
            vectors, tokens = workspace.encode_with_tokens(texts, search.embedder)
        else:
            vectors, tokens = workspace.encode(texts, search.embedder), []
    lists = search.candidates(query, vectors)
    with search.clock.stage("fuse", "CHAIN", f"{counted(len(lists), 'list')}, RRF k={settings.rrf_k}"):
        hits = search.fuse(lists, vectors[0])
    if search.reranks and hits:
        with search.clock.stage("rerank", "RERANKER", settings.rerank):
            hits = rerank(workspace, search.embedder, hits, query.question, tokens, settings)
    with search.clock.stage("order", "CHAIN"):
        hits = search.order(hits, query)
    return Retrieval(tuple(hits), tuple(search.clock.stages), tuple(search.notes), query)


@dataclass(frozen=True)
class CandidateList:
    """A list of candidates, best first: (chunk id, score)."""

    name: str  # "dense", "BM25" or "identifier", and what was searched for besides the question
    found: list[tuple[int, float]]


class _Search:
    """One search of one version: its parts, its clock, and what was done in another way than usual."""

    def __init__(
        self,
        workspace: Workspace,
        collection: Collection,
        version: DatasetVersion,
        settings: RetrievalSettings,
    ) -> None:
        self.workspace, self.collection, self.version, self.settings = (
            workspace,
            collection,
            version,
            settings,
        )
        self.embedder = workspace.embedder_of(version.embedder, version.embedder_name, collection.name)
        self.content = workspace.content(version.id or 0, version.embedder)
        self.clock = _StageClock()
        self.notes: list[str] = []
        has_parts = self.embedder.has_parts
        self._by_pieces = settings.pieces and has_parts
        self.reranks = settings.rerank == "cross-encoder" or (settings.rerank != "none" and has_parts)
        if not has_parts and (settings.pieces or settings.rerank == "late interaction"):
            self.notes.append(
                f"{self.embedder.name} has no vectors of a chunk's parts: chunks are scored as a whole, and "
                "not ordered again by late interaction"
            )
        self._first: dict[int, str] = {}  # chunks that belong before all others, with the reason

    def understand(self, text: str, previous: str) -> Query:
        """Return what is searched for; spelling is held to this version's words and the embedder's."""
        if not self.settings.spelling:
            return understand(text, self.settings, previous)
        with self.workspace.store.session() as session:
            spelling = Spelling(self.content, session, self.embedder.tokenizer)
            return understand(text, self.settings, previous, spelling.correct)

    def note_language(self, question: str) -> None:
        """Say that a question is in a language that the embedder was not trained on."""
        language = language_of(question)
        if self.embedder.is_english_only and language not in ("", "en") and self.settings.search != "BM25":
            self.notes.append(
                f"the question looks {language_name(language)}, and {self.embedder.name} was trained on "
                "English: a trial with a multilingual embedder folder finds more"
            )

    def candidates(self, query: Query, vectors: Vector) -> list[CandidateList]:
        """Return the lists of dense search, BM25 and identifiers, those of the question itself first."""
        lists: list[CandidateList] = []
        if self.settings.search != "BM25":
            with self.clock.stage("dense", "RETRIEVER", "best piece" if self._by_pieces else ""):
                for (name, _), vector in zip(query.texts, vectors, strict=True):
                    lists.append(CandidateList(_list_name("dense", name), self._dense(vector)))
        if self.settings.search != "dense":
            with (
                self.clock.stage("lexical", "RETRIEVER", "BM25"),
                self.workspace.store.session() as session,
            ):
                for name, searched in query.texts:
                    found = self.content.search_words(
                        session, query_words(searched), self.settings.candidates, self.settings.stemming
                    )
                    lists.append(CandidateList(_list_name("BM25", name), found))
        if self.settings.identifiers:
            with (
                self.clock.stage("identifiers", "RETRIEVER", ", ".join(query.identifiers)),
                self.workspace.store.session() as session,
            ):
                found = self._exact(session, query)
                if found:
                    lists.append(CandidateList("identifier", found))
        return lists

    def fuse(self, lists: Sequence[CandidateList], vector: Vector) -> list[Hit]:
        """Return all candidates by fused score, with their place in every list."""
        order = fuse([[chunk_id for chunk_id, _ in one.found] for one in lists], self.settings.rrf_k)
        places: dict[int, list[ListRank]] = {}
        for one in lists:
            for rank, (chunk_id, score) in enumerate(one.found, 1):
                places.setdefault(chunk_id, []).append(ListRank(one.name, rank, round(score, 6)))
        ids = [chunk_id for chunk_id, _ in order]
        with self.workspace.store.session() as session:
            facts = chunk_rows(session, ids)
            stored = chunk_vectors(session, self.version.embedder, ids)
        known = [(chunk_id, score) for chunk_id, score in order if chunk_id in facts]
        return [
            _hit(
                facts[chunk_id],
                float(np.round(np.dot(stored[chunk_id], vector), 6)) if chunk_id in stored else None,
                tuple(places[chunk_id]),
                rank,
                score,
            )
            for rank, (chunk_id, score) in enumerate(known, 1)
        ]

    def order(self, hits: Sequence[Hit], query: Query) -> list[Hit]:
        """Return the hits in their final order: what is named exactly first, tables of contents last.

        A hit that cannot be what was asked for is dropped here with its reason.
        """
        tiers: dict[int, int] = {}
        moved: list[Hit] = []
        for hit in hits:
            if reason := self._first.get(hit.chunk_id):
                tiers[hit.chunk_id] = -1
                hit = replace(hit, moves=(*hit.moves, f"put first: {reason}"))
            elif self.settings.contents_last and is_contents(hit.text):
                tiers[hit.chunk_id] = 1
                hit = replace(hit, moves=(*hit.moves, "put last: a table of contents or an index"))
            moved.append(hit)
        if self.settings.diversity:
            moved = self._diverse(moved)
        moved.sort(key=lambda hit: tiers.get(hit.chunk_id, 0))
        if self.settings.search != "BM25":
            moved = drop_dissimilar(moved, query.question, self.settings.min_similarity)
            moved = self._note_weak(moved)
        return [replace(hit, rank=rank) for rank, hit in enumerate(moved, 1)]

    def _diverse(self, hits: list[Hit]) -> list[Hit]:
        """Return the first hits by maximal marginal relevance (Carbonell, Goldstein 1998), then the others.

        Relevance is 1/(k + rank), as in fusion, relative to that of the first; likeness is the cosine.
        """
        head, share, k = hits[:_DIVERSE], self.settings.diversity, self.settings.rrf_k
        with self.workspace.store.session() as session:
            stored = chunk_vectors(session, self.version.embedder, [hit.chunk_id for hit in head])
        left = [place for place, hit in enumerate(head) if hit.chunk_id in stored]
        chosen: list[int] = []
        while left:
            likeness = {
                place: max(
                    (float(stored[head[place].chunk_id] @ stored[head[c].chunk_id]) for c in chosen),
                    default=0.0,
                )
                for place in left
            }
            best = max(left, key=lambda p: ((1 - share) * (k + 1) / (k + p + 1) - share * likeness[p], -p))
            chosen.append(best)
            left.remove(best)
        ordered_head = [*chosen, *(p for p, hit in enumerate(head) if hit.chunk_id not in stored)]
        moved = []
        for after, place in enumerate(ordered_head):
            hit = head[place]
            if after > place:
                hit = replace(
                    hit, moves=(*hit.moves, f"others say the same: from {place + 1} to {after + 1}")
                )
            moved.append(hit)
        return [*moved, *hits[len(head) :]]

    def _note_weak(self, hits: list[Hit]) -> list[Hit]:
        """Say when the best match is weak; drop everything when, besides, no word is in common."""
        best = max((hit.dense_score for hit in hits if hit.dense_score is not None), default=None)
        if best is None or best >= self.settings.weak_below:
            return hits
        in_common = any(not one.list.startswith("dense") for hit in hits for one in hit.lists)
        if in_common or self.settings.search == "dense":
            self.notes.append(f"weak match: the best similarity is {best:.2f}")
            return hits
        why = f"no word in common and similarity below {self.settings.weak_below:.2f}"
        return [hit if hit.dropped else replace(hit, dropped=why) for hit in hits]

    def _dense(self, vector: Vector) -> list[tuple[int, float]]:
        """Return the best chunks by cosine similarity, of the chunk or of its best piece."""
        count = self.settings.candidates
        if not self._by_pieces:
            found, how = _dense(self.workspace, self.collection, self.version, vector, count)
        else:
            # Pieces are compared for the nearest chunks only: an answer's chunk is among them (measured: from
            # 100 on nothing changes), and all pieces of a large version would fill the memory.
            wide = max(_RESCORED, 2 * count)
            found, how = _dense(self.workspace, self.collection, self.version, vector, wide)
            found = self._by_best_piece(found, vector)[:count]
        if how and how not in self.notes:
            self.notes.append(how)
        return found

    def _by_best_piece(self, found: list[tuple[int, float]], vector: Vector) -> list[tuple[int, float]]:
        with self.workspace.store.session() as session:
            pieces = chunk_pieces(session, self.version.embedder, [chunk_id for chunk_id, _ in found])
        without = sum(chunk_id not in pieces for chunk_id, _ in found)
        if without:
            note = "some chunks are scored as a whole: `ragdeck retrieval upgrade` makes their pieces"
            if note not in self.notes:
                self.notes.append(note)
        if not pieces:
            return found
        ids = np.array([chunk_id for chunk_id, _ in found], dtype=np.int64)
        scores = np.array([float((pieces[i] @ vector).max()) if i in pieces else score for i, score in found])
        return ordered(ids, scores)

    def _exact(self, session: Session, query: Query) -> list[tuple[int, float]]:
        """Return chunks that contain an identifier, rare ones first, which then stand before all others.

        A chunk that contains the whole question word for word counts as one.
        """
        scores: dict[int, float] = {}
        for token in query.identifiers:
            ids = self._containing(session, token)
            for chunk_id in ids:
                scores[chunk_id] = scores.get(chunk_id, 0.0) + math.log1p(len(self.content.ids) / len(ids))
            if len(ids) <= _RARE:
                self._first.update((chunk_id, f"contains {token}") for chunk_id in ids)
        if len(_WORDS.findall(query.question)) >= _WHOLE_FROM:
            ids = self._containing(session, query.question.strip(" \t\n?!.\"'“”„»«"))
            for chunk_id in ids:
                scores[chunk_id] = scores.get(chunk_id, 0.0) + math.log1p(len(self.content.ids))
            self._first.update((chunk_id, "contains the question word for word") for chunk_id in ids[:_RARE])
        ids_ = np.fromiter(scores, dtype=np.int64, count=len(scores))
        return ordered(ids_, np.array([scores[i] for i in scores]))[: self.settings.candidates]

    def _containing(self, session: Session, text: str) -> list[int]:
        """Return the ids of the chunks that contain a text, by id: as a phrase, and then letter by letter."""
        tokens = fts_tokens([" ".join(_WORDS.findall(text))])
        if not tokens or len(self.content.ids) == 0:
            return []
        rows, _ = self.content.occurrences(session, tokens[0])
        ids = [int(self.content.ids[row]) for row in rows]
        if len(tokens[0]) == 1 and text.isalnum():
            return ids
        wanted = comparable(text)
        facts = chunk_rows(session, ids[:_MOST_READ])
        return [
            chunk_id
            for chunk_id in ids
            if chunk_id in facts and wanted in comparable(facts[chunk_id]["text"])
        ]


def document_reader(workspace: Workspace, version_id: int) -> Callable[[int], list[Hit]]:
    """Return a function that returns the chunks of a document in a version, in order; each is read once."""

    @cache
    def read(document_id: int) -> list[Hit]:
        with workspace.store.session() as session:
            return [Hit(**row) for row in document_chunks(session, version_id, document_id)]

    return read


def is_contents(text: str) -> bool:
    """Return whether a chunk is of a table of contents or an index, by the page numbers at its lines' ends.

    They follow dot leaders, or a section's number and title, or the commas of an index. Rows of an ordinary
    table end in numbers as well, so that numbers alone say nothing.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    ends = [line[-_LINE_END:] for line in lines]
    leaders = sum(bool(_LEADER.search(end)) for end in ends)
    listed = sum(
        bool(_INDEXED.search(end)) or bool(_SECTION.match(line))
        for line, end in zip(lines, ends, strict=False)
    )
    return (leaders >= 3 and leaders * 2 >= len(lines)) or (listed >= 4 and listed * 5 >= len(lines) * 4)


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
        lowered = comparable(hit.text) if below else ""
        if below and not (words and all(word in lowered for word in words)):
            hit = replace(hit, dropped=f"similarity {hit.dense_score:.2f} below {min_similarity:.2f}")
        kept.append(hit)
    return kept


def _dense(
    workspace: Workspace, collection: Collection, version: DatasetVersion, vector: Vector, count: int
) -> tuple[list[tuple[int, float]], str]:
    """Return the nearest chunks: from the index if it contains this version, else from stored vectors."""
    if collection.index_version_id == version.id:
        try:
            found = _from_index(workspace, collection, version, vector, count)
            if found is not None and _index_still_holds(workspace, collection, version):
                return found, ""
            why = "the index was damaged" if workspace.index.was_reset else "the index was being changed"
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
    if extra < 0 and _index_still_holds(workspace, collection, version):
        workspace.index.note_damage()  # no change is under way, so entries were lost
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


def _hit(
    facts: dict[str, Any], similarity: float | None, lists: tuple[ListRank, ...], rank: int, score: float
) -> Hit:
    """Return a candidate; its own dense and BM25 ranks are those for the first text that was searched for."""
    dense = next((one for one in lists if one.list.startswith("dense")), None)
    words = next((one for one in lists if one.list.startswith("BM25")), None)
    return Hit(
        **facts,
        dense_rank=dense.rank if dense else None,
        dense_score=similarity,
        bm25_rank=words.rank if words else None,
        bm25_score=words.score if words else None,
        fused_rank=rank,
        fused_score=score,
        rank=rank,
        lists=lists,
    )


def _list_name(kind: str, text: TextName) -> str:
    return kind if text is TextName.QUESTION else f"{kind} ({text})"


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
