"""Verifies that an index contains its version: the texts, the vectors, and what stored queries find.

A verification query is a question or some words. Its hits are stored with every version of the same embedder
when the version is first complete; from then on the index must find the same passages whenever the version is
activated.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence

import numpy as np
from sqlmodel import Session, select

from rag.errors import RagError
from rag.index.vector_index import IndexPlace, Vector
from rag.knowledge.collections import content_of, find_collection, find_version
from rag.knowledge.rows import VerificationReport
from rag.storage import audit_log
from rag.storage.fingerprints import texts_fingerprint
from rag.storage.store import now_ms, text_vectors
from rag.storage.tables.knowledge import (
    Collection,
    DatasetVersion,
    Verification,
    VerificationQuery,
    VerificationResult,
)
from rag.storage.version_content import VersionContent
from rag.text.plurals import counted
from rag.text.search_terms import query_words
from rag.workspace import Workspace

AUTOMATIC_QUERIES = 6
_QUERY_HITS = 10
_QUERY_WORDS = 4
_FEWEST_WORDS = 3
_VECTOR_SAMPLE = 256


def verify(
    workspace: Workspace,
    version: DatasetVersion,
    place: IndexPlace,
    every_vector: bool = False,
    detail: str = "",
) -> VerificationReport:
    """Compare an index with a version, store what was found, and return it.

    Compared are all texts, the vectors of a sample, and the hits of the verification queries.

    Args:
        workspace: The open data folder.
        version: What the index must contain.
        place: The index.
        every_vector: Compare all vectors instead of a sample of 256.
        detail: What was done before, to be reported with the result.
    """
    began = time.perf_counter()
    content = content_of(workspace, version)
    present = workspace.index.hashes(place)
    same = texts_fingerprint(version.embedder, present) == version.index_fingerprint
    sample = list(dict.fromkeys(content.hashes))
    if not every_vector and len(sample) > _VECTOR_SAMPLE:
        sample = random.Random(version.index_fingerprint).sample(sample, _VECTOR_SAMPLE)
    vectors_same = _count_same_vectors(workspace, place, sample, version.embedder) if same else 0
    with workspace.store.session() as session:
        queries = _queries_of(session, version, content)
        wrong = [q for q in queries if not _finds_the_same(workspace, session, version, content, place, q)]
        details = [detail] if detail else []
        if not same:
            details.append(
                f"The index contains {counted(len(present), 'text')} and the version {version.text_count:,}."
            )
        # By their numbers: reports and the audit log outlive an erasure, and a query may quote what is
        # erased.
        details.extend(f"Verification query {query.id} found other passages." for query in wrong[:3])
        report = VerificationReport(
            ok=same and vectors_same == len(sample) and not wrong,
            fingerprint_same=same,
            vectors_checked=len(sample),
            vectors_same=vectors_same,
            query_count=len(queries),
            queries_same=len(queries) - len(wrong),
            milliseconds=(time.perf_counter() - began) * 1000,
            detail=" ".join(details),
        )
        _record(session, version, report)
    return report


def add_verification_query(workspace: Workspace, collection: str, text: str) -> None:
    """Store a person's query, and its hits in every version of the active one's embedder.

    Raises RagError when the text is empty or there is no version yet.
    """
    text = text.strip()
    if not text:
        raise RagError("A verification query is a question or some words. Type one first.")
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        active = find_version(session, found, None)
    embedder = workspace.embedder_of(active.embedder, active.embedder_name, collection)
    vector = workspace.encode([text], embedder)[0]
    with workspace.store.session() as session:
        query = _new_query(found.id or 0, active.embedder, text, vector, by_person=True)
        session.add(query)
        session.flush()
        versions = session.exec(
            select(DatasetVersion).where(
                DatasetVersion.collection_id == found.id, DatasetVersion.embedder == active.embedder
            )
        ).all()
        for version in versions:
            content = content_of(workspace, version)
            dense = _exact_hits(session, content, vector)
            session.add(_result(version, query, dense, _word_hits(session, content, query)))
        # By its number: the log outlives an erasure.
        audit_log.record(session, audit_log.Action.VERIFICATION_QUERY_ADDED, collection, f"query {query.id}")


# --- the index --------------------------------------------------------------------------------------------


def _count_same_vectors(workspace: Workspace, place: IndexPlace, hashes: Sequence[str], embedder: str) -> int:
    with workspace.store.session() as session:
        stored = text_vectors(session, embedder, hashes)
    found = workspace.index.vectors(place, hashes)
    return sum(
        1 for h in hashes if h in found and h in stored and np.allclose(found[h], stored[h], atol=1e-5)
    )


def _record(session: Session, version: DatasetVersion, report: VerificationReport) -> None:
    session.add(
        Verification(
            collection_id=version.collection_id,
            version_id=version.id or 0,
            created_ms=now_ms(),
            **{name: getattr(report, name) for name in VerificationReport.__dataclass_fields__},
        )
    )
    collection = session.get_one(Collection, version.collection_id)
    audit_log.record(
        session,
        audit_log.Action.INDEX_VERIFIED if report.ok else audit_log.Action.INDEX_VERIFICATION_FAILED,
        collection.name,
        f"version {version.number}: {report.sentence()}",
    )


# --- the queries ------------------------------------------------------------------------------------------


def _queries_of(
    session: Session, version: DatasetVersion, content: VersionContent
) -> list[VerificationQuery]:
    """Return the queries of a version's collection and embedder. The first version brings automatic ones."""
    known = session.exec(
        select(VerificationQuery).where(
            VerificationQuery.collection_id == version.collection_id,
            VerificationQuery.embedder == version.embedder,
        )
    ).all()
    if known or not content.hashes:
        return list(known)
    made = []
    for text_hash, words in _words_of_texts(session, content):
        vector = text_vectors(session, version.embedder, [text_hash])[text_hash]
        query = _new_query(version.collection_id, version.embedder, words, vector)
        session.add(query)
        made.append(query)
    session.flush()
    return made


def _words_of_texts(session: Session, content: VersionContent) -> list[tuple[str, str]]:
    """Return (text hash, its first words) of some chunks, the same ones for the same content."""
    texts = sorted(set(content.hashes))
    step = max(len(texts) // AUTOMATIC_QUERIES, 1)
    order = [texts[n] for offset in range(step) for n in range(offset, len(texts), step)]
    found: list[tuple[str, str]] = []
    for text_hash in order[: 10 * AUTOMATIC_QUERIES]:
        row = session.connection().exec_driver_sql(
            "SELECT text FROM chunk WHERE text_hash = ? LIMIT 1", (text_hash,)
        )
        words = query_words(str(row.scalar_one()))[:_QUERY_WORDS]
        if len(words) >= _FEWEST_WORDS:
            found.append((text_hash, " ".join(words)))
    return found[:AUTOMATIC_QUERIES]


def _new_query(
    collection_id: int, embedder: str, text: str, vector: Vector, by_person: bool = False
) -> VerificationQuery:
    return VerificationQuery(
        collection_id=collection_id,
        embedder=embedder,
        text=text,
        vector=np.ascontiguousarray(vector, dtype="<f4").tobytes(),
        by_person=by_person,
        created_ms=now_ms(),
    )


def _finds_the_same(
    workspace: Workspace,
    session: Session,
    version: DatasetVersion,
    content: VersionContent,
    place: IndexPlace,
    query: VerificationQuery,
) -> bool:
    """Return whether a query finds what it found when the version was first complete.

    The index searches approximately: where its passages differ from the stored ones, exact search decides.
    """
    vector = np.frombuffer(query.vector, dtype="<f4")
    dense = workspace.index.query(place, vector, _QUERY_HITS)
    words = _word_hits(session, content, query)
    stored = session.get(VerificationResult, (version.id, query.id))
    if stored is None:
        session.add(_result(version, query, dense, words))
        return True
    before = json.loads(stored.hits)
    if words != before["words"]:
        return False
    return dense == before["dense"] or _close(content, session, vector, dense, before["dense"])


def _result(
    version: DatasetVersion, query: VerificationQuery, dense: Sequence[str], words: Sequence[str]
) -> VerificationResult:
    hits = json.dumps({"dense": list(dense), "words": list(words)})
    return VerificationResult(version_id=version.id or 0, query_id=query.id or 0, hits=hits)


def _close(
    content: VersionContent, session: Session, vector: Vector, found: Sequence[str], before: Sequence[str]
) -> bool:
    """Return whether passages are as good as exact search's, ties aside, and nearly all as before."""
    rows = {text_hash: row for row, text_hash in enumerate(content.hashes)}
    if any(text_hash not in rows for text_hash in found):
        return False
    vectors = content.vectors(session)
    ours = [float(vectors[rows[text_hash]] @ vector) for text_hash in found]
    best = [
        float(vectors[rows[text_hash]] @ vector) for text_hash in _exact_hits(session, content, vector=vector)
    ]
    close = sum(abs(a - b) < 1e-5 for a, b in zip(ours, best, strict=False))
    return close >= 0.8 * len(best) and len(set(found) & set(before)) >= 0.8 * len(before)


def _exact_hits(session: Session, content: VersionContent, vector: Vector) -> list[str]:
    hashes = dict(zip(content.ids.tolist(), content.hashes, strict=True))
    nearest = content.nearest(session, vector, 4 * _QUERY_HITS)
    return list(dict.fromkeys(hashes[chunk_id] for chunk_id, _ in nearest))[:_QUERY_HITS]


def _word_hits(session: Session, content: VersionContent, query: VerificationQuery) -> list[str]:
    found = content.search_words(session, query_words(query.text), _QUERY_HITS)
    return [content.hashes[int(np.searchsorted(content.ids, chunk_id))] for chunk_id, _ in found]
