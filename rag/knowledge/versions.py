"""Makes, activates and proves dataset versions: numbered, never-changed sets of documents.

Every change goes the same way. The texts that the new state needs are added to the index, which then holds
the old state and the new one; one transaction writes the version and makes it active; what is no longer
needed leaves the index; the index is verified. Until that transaction the old version answers from the index,
after it the new one, and a kill at any moment leaves one or the other. Nothing is embedded here.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from sqlmodel import Session, select

from rag.errors import RagError
from rag.index.vector_index import IndexPlace, Vector, VectorsOf
from rag.knowledge.collections import find_collection, find_version, index_place
from rag.knowledge.rows import ActivationReport, PendingKind, VerificationReport, VersionMade, VersionProgress
from rag.storage import audit_log
from rag.storage.fingerprints import content_fingerprint, texts_fingerprint
from rag.storage.store import insert_rows, missing_embeddings, now_ms, text_vectors
from rag.storage.tables.knowledge import (
    Collection,
    DatasetVersion,
    Verification,
    VerificationQuery,
    VerificationResult,
    VersionDocument,
    VersionExclusion,
)
from rag.storage.version_content import VersionContent
from rag.text.search_terms import query_words
from rag.workspace import Workspace

AUTOMATIC_QUERIES = 6
_QUERY_HITS = 10
_QUERY_WORDS = 4
_FEWEST_WORDS = 3
_VECTOR_SAMPLE = 256

Steps = Generator[VersionProgress, None, VersionMade]


@dataclass
class VersionDraft:
    """A version before it is written. documents: id -> attributes JSON; exclusions: chunk id -> reason."""

    documents: dict[int, str]
    exclusions: dict[int, str]
    kind: str
    message: str
    embedder: str
    embedder_name: str
    chunking: str
    added: int = 0
    replaced: int = 0
    removed: int = 0


@dataclass
class _Texts:
    """What a draft holds: (chunk id, text hash, tokens) of the chunks that are not excluded."""

    chunks: list[tuple[int, str, int]]
    hashes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.hashes = list(dict.fromkeys(row[1] for row in self.chunks))


def draft_of(session: Session, collection: Collection, version: DatasetVersion | None = None) -> VersionDraft:
    """A draft with the content of a version, by default the active one; empty when there is none."""
    draft = VersionDraft(
        {}, {}, "ingest", "", collection.embedder, collection.embedder_name, collection.chunking
    )
    version_id = version.id if version else collection.active_version_id
    if version_id is None:
        return draft
    rows = session.connection().exec_driver_sql(
        "SELECT document_id, attributes FROM versiondocument WHERE version_id = ?", (version_id,)
    )
    draft.documents = {row[0]: row[1] for row in rows}
    rows = session.connection().exec_driver_sql(
        "SELECT chunk_id, reason FROM versionexclusion WHERE version_id = ?", (version_id,)
    )
    draft.exclusions = {row[0]: row[1] for row in rows}
    return draft


def make_version(
    workspace: Workspace, collection: str, plan: Callable[[Session, Collection], VersionDraft]
) -> Steps:
    """Write the version that plan drafts, make it active, and verify its index.

    plan runs in a transaction and may raise RagError to refuse. Closing the generator before the version is
    written leaves everything as it was.
    """
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        draft = plan(session, found)
        texts = _texts(session, draft)
        before = found.active_version_id
        place = _place_for(session, found, draft.embedder)
        held = _held(workspace, session, found, place)
        found.pending_kind, found.pending_version_id = PendingKind(draft.kind), None
        session.add(found)
    try:
        yield from _fill(workspace, place, texts.hashes, draft.embedder, held)
        with workspace.store.session() as session:
            found = find_collection(session, collection)
            if found.active_version_id != before:
                raise RagError(f"“{collection}” was changed by something else meanwhile; do it once more.")
            version = _write(session, found, draft, texts)
            old_place = index_place(found)
            _activate(session, found, version, place)
            found.pending_version_id = version.id
            audit_log.record(
                session, "version made", collection, f"version {version.number}: {version.message}"
            )
    except BaseException:
        _forget_pending(workspace, collection)
        raise
    yield from _settle(workspace, collection, version, texts.hashes, old_place, held)
    return version_made(collection, version)


def activate_version(
    workspace: Workspace, collection: str, number: int | str
) -> Generator[VersionProgress, None, ActivationReport]:
    """Make an existing version the active one. The old one answers until the index is complete.

    Afterwards the index is verified; a wrong one is filled again and verified once more.
    """
    began = time.perf_counter()
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, number)
        assert version.id is not None
        hashes = list(dict.fromkeys(_content(workspace, version).hashes))
        place = (
            IndexPlace(version.trial_key)
            if version.trial_key
            else _place_for(session, found, version.embedder)
        )
        old_place = index_place(found)
        held = _held(workspace, session, found, place)
        found.pending_kind, found.pending_version_id = PendingKind.ACTIVATE, version.id
        session.add(found)
    try:
        added = yield from _fill(workspace, place, hashes, version.embedder, held)
        with workspace.store.session() as session:
            found = find_collection(session, collection)
            _activate(session, found, version, place)
            audit_log.record(session, "version activated", collection, f"version {version.number}")
    except BaseException:
        _forget_pending(workspace, collection)
        raise
    report = yield from _settle(workspace, collection, version, hashes, old_place, held)
    return ActivationReport(collection, version.number, added, report, (time.perf_counter() - began) * 1000)


def undo(workspace: Workspace, collection: str) -> Generator[VersionProgress, None, ActivationReport]:
    """Activate the version that the active one was made from."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        active = find_version(session, found, None)
        parent = session.get(DatasetVersion, active.parent_id) if active.parent_id else None
        if parent is None:
            raise RagError(f"Version {active.number} is the first one: there is nothing to go back to.")
        number = parent.number
    return (yield from activate_version(workspace, collection, number))


def verify_index(
    workspace: Workspace, collection: str, every_vector: bool = False
) -> Generator[VersionProgress, None, VerificationReport]:
    """Verify the index of the active version now. A wrong one is filled again and verified once more."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
    hashes = list(dict.fromkeys(_content(workspace, version).hashes))
    return (yield from _verify_or_rebuild(workspace, collection, version, hashes, every_vector))


def repair_indexes(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Bring every index in line that a killed change or a loss left behind; returns what there is to say."""
    notices: list[str] = []
    with workspace.store.session() as session:
        collections = list(session.exec(select(Collection)).all())
    for found in collections:
        sentence = _interrupted(workspace, found)
        if sentence:
            notices.append(sentence)
        if found.active_version_id is None:
            _forget_pending(workspace, found.name)
            continue
        try:
            if found.pending_kind or not _index_is_whole(workspace, found):
                yield from sync_index(workspace, found.name)
        except RagError as error:
            notices.append(f"“{found.name}” is answered by exact search: {error}")
    return notices


def sync_index(workspace: Workspace, collection: str) -> Generator[VersionProgress, None, None]:
    """Bring the index in line with the active version, from stored vectors."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
        place = index_place(found)
    hashes = list(dict.fromkeys(_content(workspace, version).hashes))
    held = set(workspace.index.hashes(place))
    yield from _fill(workspace, place, hashes, version.embedder, held)
    with workspace.store.session() as session:
        current = find_collection(session, collection)
        if current.active_version_id == version.id:
            current.index_version_id = version.id
            session.add(current)
    yield from _settle(workspace, collection, version, hashes, place, held)


def serve_index(
    workspace: Workspace, collection: str, server: str
) -> Generator[VersionProgress, None, VerificationReport]:
    """Serve a collection's index from a Chroma server, or with an empty address from the folder again.

    The old place answers until the new one is complete; then it is emptied.
    """
    server = server.strip().rstrip("/")
    if server:
        workspace.index.check_server(server)
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
        old_place = index_place(found)
        place = IndexPlace(found.index_key, server)
    if place == old_place:
        raise RagError(f"“{collection}” is served from there already.")
    hashes = list(dict.fromkeys(_content(workspace, version).hashes))
    yield from _fill(workspace, place, hashes, version.embedder, set(workspace.index.hashes(place)))
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        found.index_server = server
        found.index_version_id = version.id
        session.add(found)
        audit_log.record(session, "index moved", collection, server or "the data folder")
    with suppress(RagError):  # a server that is gone keeps what it has: nothing reads it any more
        workspace.index.drop(old_place)
    return (yield from _verify_or_rebuild(workspace, collection, version, hashes))


def index_hashes(workspace: Workspace, collection: str) -> list[str]:
    """The text hashes that a collection's index holds."""
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    return workspace.index.hashes(place)


def needs_repair(workspace: Workspace) -> bool:
    """Whether a change was interrupted or an index is known to be behind; looks at the tables alone."""
    with workspace.store.session() as session:
        return any(
            found.pending_kind or found.index_version_id != found.active_version_id
            for found in session.exec(select(Collection)).all()
        )


def add_verification_query(workspace: Workspace, collection: str, text: str) -> None:
    """Store a person's query as a query; every version of the same embedder gets its hits."""
    text = text.strip()
    if not text:
        raise RagError("A verification query is a question or some words. Type one first.")
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        active = find_version(session, found, None)
    embedder = workspace.embedder_of(active.embedder, active.embedder_name)
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
            content = _content(workspace, version)
            dense = _exact_hits(session, content, vector)
            session.add(_query_result(version, query, dense, _word_hits(session, content, query)))
        # By its number: the log outlives an erasure.
        audit_log.record(session, "verification query added", collection, f"query {query.id}")


# --- the stages -------------------------------------------------------------------------------------------


def _held(workspace: Workspace, session: Session, collection: Collection, place: IndexPlace) -> set[str]:
    """The texts that an index is known to hold. Listing them all takes Chroma longer than all the rest."""
    version = (
        session.get(DatasetVersion, collection.index_version_id) if collection.index_version_id else None
    )
    if version is not None and place == index_place(collection):
        return set(_content(workspace, version).hashes)
    return set(workspace.index.hashes(place))


def _fill(
    workspace: Workspace, place: IndexPlace, hashes: Sequence[str], embedder: str, held: set[str]
) -> Generator[VersionProgress, None, int]:
    """Add what is missing in the index; returns how many entries that were."""
    new = [text_hash for text_hash in hashes if text_hash not in held]
    with workspace.store.session() as session:
        _refuse_missing(session, embedder, new)
    for done, total in workspace.index.add(place, new, stored_vectors(workspace, embedder)):
        yield VersionProgress("indexing", done, total)
    return len(new)


def _settle(
    workspace: Workspace,
    collection: str,
    version: DatasetVersion,
    hashes: Sequence[str],
    old_place: IndexPlace,
    held: set[str],
) -> Generator[VersionProgress, None, VerificationReport]:
    """After a version became active: what it does not need leaves the index, and the index is verified."""
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    for done, total in workspace.index.delete(place, sorted(held - set(hashes))):
        yield VersionProgress("cleaning", done, total)
    if old_place != place:
        with suppress(RagError):
            workspace.index.drop(old_place)
    report = yield from _verify_or_rebuild(workspace, collection, version, hashes)
    _forget_pending(workspace, collection)
    return report


def _verify_or_rebuild(
    workspace: Workspace,
    collection: str,
    version: DatasetVersion,
    hashes: Sequence[str],
    every_vector: bool = False,
) -> Generator[VersionProgress, None, VerificationReport]:
    yield VersionProgress("verifying", 0, 1)
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    report = _verify(workspace, collection, version, place, hashes, every_vector)
    if not report.fingerprint_same:  # a cancelled change leaves entries behind
        held = set(workspace.index.hashes(place))
        yield from _fill(workspace, place, hashes, version.embedder, held)
        for done, total in workspace.index.delete(place, sorted(held - set(hashes))):
            yield VersionProgress("cleaning", done, total)
        report = _verify(
            workspace, collection, version, place, hashes, every_vector, "The index was put right."
        )
    if not report.ok:
        workspace.index.drop(place)
        yield from _fill(workspace, place, hashes, version.embedder, set())
        report = _verify(
            workspace, collection, version, place, hashes, every_vector, "The index was filled anew."
        )
    if not report.ok:
        with workspace.store.session() as session:
            found = find_collection(session, collection)
            found.index_version_id = None  # answered by exact search from now on, and said so
            session.add(found)
    yield VersionProgress("verifying", 1, 1)
    return report


def _verify(
    workspace: Workspace,
    collection: str,
    version: DatasetVersion,
    place: IndexPlace,
    hashes: Sequence[str],
    every_vector: bool,
    detail: str = "",
) -> VerificationReport:
    """Compare the index with the version: all its texts, a sample of its vectors, and the queries' hits."""
    began = time.perf_counter()
    present = workspace.index.hashes(place)
    same = texts_fingerprint(version.embedder, present) == version.index_fingerprint
    sample = list(hashes)
    if not every_vector and len(sample) > _VECTOR_SAMPLE:
        sample = random.Random(version.index_fingerprint).sample(sample, _VECTOR_SAMPLE)
    vectors_same = _count_same_vectors(workspace, place, sample, version.embedder) if same else 0
    with workspace.store.session() as session:
        content = _content(workspace, version)
        queries = _queries_of(session, version, content)
        wrong = [
            p.text
            for p in queries
            if not _query_finds_the_same(workspace, session, version, content, place, p)
        ]
        details = [detail] if detail else []
        if not same:
            details.append(f"The index holds {len(present):,} texts and the version {version.text_count:,}.")
        details.extend(f"The verification query “{text}” found other passages." for text in wrong[:3])
        result = VerificationReport(
            ok=same and vectors_same == len(sample) and not wrong,
            fingerprint_same=same,
            vectors_checked=len(sample),
            vectors_same=vectors_same,
            query_count=len(queries),
            queries_same=len(queries) - len(wrong),
            milliseconds=(time.perf_counter() - began) * 1000,
            detail=" ".join(details),
        )
        session.add(
            Verification(
                collection_id=version.collection_id,
                version_id=version.id or 0,
                created_ms=now_ms(),
                **{name: getattr(result, name) for name in VerificationReport.__dataclass_fields__},
            )
        )
        words = "verified" if result.ok else "verification failed"
        audit_log.record(
            session, f"index {words}", collection, f"version {version.number}: {result.sentence()}"
        )
    return result


def _count_same_vectors(workspace: Workspace, place: IndexPlace, hashes: Sequence[str], embedder: str) -> int:
    stored = stored_vectors(workspace, embedder)(list(hashes))
    held = workspace.index.vectors(place, hashes)
    return sum(1 for h in hashes if h in held and h in stored and np.allclose(held[h], stored[h], atol=1e-5))


# --- queries -----------------------------------------------------------------------------------------------


def _queries_of(
    session: Session, version: DatasetVersion, content: VersionContent
) -> list[VerificationQuery]:
    """The queries of a version's collection and embedder; the first version brings automatic ones."""
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
    """(text hash, its first words) of some chunks, the same ones for the same content."""
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


def _query_finds_the_same(
    workspace: Workspace,
    session: Session,
    version: DatasetVersion,
    content: VersionContent,
    place: IndexPlace,
    query: VerificationQuery,
) -> bool:
    """Whether a query finds what it found when the version was first complete.

    The index searches approximately: where its passages are others than the stored ones, exact search decides.
    """
    vector = np.frombuffer(query.vector, dtype="<f4")
    dense = workspace.index.query(place, vector, _QUERY_HITS)
    words = _word_hits(session, content, query)
    stored = session.get(VerificationResult, (version.id, query.id))
    if stored is None:
        session.add(_query_result(version, query, dense, words))
        return True
    before = json.loads(stored.hits)
    if words != before["words"]:
        return False
    return dense == before["dense"] or _close(content, session, vector, dense, before["dense"])


def _query_result(
    version: DatasetVersion, query: VerificationQuery, dense: Sequence[str], words: Sequence[str]
) -> VerificationResult:
    hits = json.dumps({"dense": list(dense), "words": list(words)})
    return VerificationResult(version_id=version.id or 0, query_id=query.id or 0, hits=hits)


def _close(
    content: VersionContent, session: Session, vector: Vector, found: Sequence[str], before: Sequence[str]
) -> bool:
    """Whether the index's passages are as good as exact search's, ties aside, and nearly all as before."""
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


# --- writing ----------------------------------------------------------------------------------------------


def _write(session: Session, collection: Collection, draft: VersionDraft, texts: _Texts) -> DatasetVersion:
    assert collection.id is not None
    collection.last_number += 1
    session.add(collection)
    facts = document_facts(session, draft.documents)
    excluded = excluded_facts(session, draft.exclusions)
    came, went = _changes(session, collection.active_version_id, draft)
    version = DatasetVersion(
        collection_id=collection.id,
        number=collection.last_number,
        created_ms=now_ms(),
        message=draft.message,
        kind=draft.kind,
        parent_id=collection.active_version_id,
        embedder=draft.embedder,
        embedder_name=draft.embedder_name,
        chunking=draft.chunking,
        fingerprint=content_fingerprint(draft.embedder, facts, excluded),
        document_count=len(draft.documents),
        chunk_count=len(texts.chunks),
        token_count=sum(row[2] for row in texts.chunks),
        text_count=len(texts.hashes),
        index_fingerprint=texts_fingerprint(draft.embedder, texts.hashes),
        added_count=draft.added,
        replaced_count=draft.replaced,
        removed_count=draft.removed,
        chunks_added=sum(count for count, _ in came.values()),
        chunks_removed=sum(count for count, _ in went.values()),
        tokens_added=sum(count * tokens for count, tokens in came.values()),
        tokens_removed=sum(count * tokens for count, tokens in went.values()),
        excluded_count=len(draft.exclusions),
    )
    session.add(version)
    session.flush()
    insert_rows(
        session,
        VersionDocument,
        [{"version_id": version.id, "document_id": d, "attributes": a} for d, a in draft.documents.items()],
    )
    insert_rows(
        session,
        VersionExclusion,
        [{"version_id": version.id, "chunk_id": c, "reason": r} for c, r in draft.exclusions.items()],
    )
    return version


def version_made(collection: str, version: DatasetVersion) -> VersionMade:
    return VersionMade(
        collection,
        version.number,
        version.kind,
        version.message,
        version.document_count,
        version.chunk_count,
    )


def write_trial(
    session: Session, collection: Collection, draft: VersionDraft, trial_key: str
) -> DatasetVersion:
    """Write a version that is not active and has an index of its own."""
    version = _write(session, collection, draft, _texts(session, draft))
    version.trial_key = trial_key
    session.add(version)
    return version


def fill_trial(
    workspace: Workspace, key: str, hashes: Sequence[str], embedder: str
) -> Generator[VersionProgress, None, int]:
    return (yield from _fill(workspace, IndexPlace(key), hashes, embedder, set()))


def stored_vectors(workspace: Workspace, embedder: str) -> VectorsOf:
    def vectors_of(hashes: list[str]) -> dict[str, Vector]:
        with workspace.store.session() as session:
            return text_vectors(session, embedder, hashes)

    return vectors_of


def draft_texts(session: Session, draft: VersionDraft) -> list[str]:
    """The distinct text hashes of a draft."""
    return _texts(session, draft).hashes


def _activate(session: Session, collection: Collection, version: DatasetVersion, place: IndexPlace) -> None:
    collection.active_version_id = version.id
    collection.index_version_id = version.id
    collection.index_key = place.key
    collection.index_server = place.server
    collection.embedder = version.embedder
    collection.embedder_name = version.embedder_name
    collection.chunking = version.chunking
    session.add(collection)
    if version.trial_key:
        version.trial_key = ""
        session.add(version)


def _place_for(session: Session, collection: Collection, embedder: str) -> IndexPlace:
    """The index that can take vectors of this embedder: the present one, unless the embedder changes."""
    active = (
        session.get(DatasetVersion, collection.active_version_id) if collection.active_version_id else None
    )
    if active is None or active.embedder == embedder:
        return index_place(collection)
    return IndexPlace(f"{collection.key}-{embedder[-24:].replace(':', '-')}", collection.index_server)


def _forget_pending(workspace: Workspace, collection: str) -> None:
    with workspace.store.session() as session:
        found = session.exec(select(Collection).where(Collection.name == collection)).first()
        if found is not None and found.pending_kind:
            found.pending_kind, found.pending_version_id = "", None
            session.add(found)


def _interrupted(workspace: Workspace, collection: Collection) -> str:
    """What to say about a change that a kill interrupted; empty when there was none."""
    if not collection.pending_kind:
        return ""
    with workspace.store.session() as session:
        numbers = dict(
            session.exec(
                select(DatasetVersion.id, DatasetVersion.number).where(
                    DatasetVersion.collection_id == collection.id
                )
            ).all()
        )
    pending = PendingKind(collection.pending_kind).sentence(numbers.get(collection.pending_version_id))
    what = f"“{collection.name}”: {pending} was interrupted when the program ended"
    number = numbers.get(collection.active_version_id)
    if number is None:
        return f"{what}. There is no version yet. Add the files again to continue."
    if collection.pending_version_id == collection.active_version_id:
        return f"{what}, after version {number} was complete. Version {number} is active."
    return f"{what}. Version {number} is still active."


def _index_is_whole(workspace: Workspace, collection: Collection) -> bool:
    if collection.index_version_id != collection.active_version_id:
        return False
    with workspace.store.session() as session:
        version = session.get(DatasetVersion, collection.active_version_id)
    return version is not None and workspace.index.count(index_place(collection)) == version.text_count


def _refuse_missing(session: Session, embedder: str, hashes: Sequence[str]) -> None:
    missing = missing_embeddings(session, embedder, hashes)
    if missing:
        raise RagError(
            f"{len(missing):,} chunks have no vector of this embedder any more; add their documents again."
        )


def _content(workspace: Workspace, version: DatasetVersion) -> VersionContent:
    assert version.id is not None
    return workspace.content(version.id, version.embedder)


def _texts(session: Session, draft: VersionDraft) -> _Texts:
    """The chunks of a draft, by document id and position."""
    chunks = _chunks_of(session, draft.documents)
    return _Texts([row for row in chunks if row[0] not in draft.exclusions])


def _chunks_of(session: Session, documents: Iterable[int]) -> list[tuple[int, str, int]]:
    """(chunk id, text hash, tokens) of all chunks of some documents."""
    return [
        (row[0], row[1], row[2])
        for row in session.connection()
        .exec_driver_sql(
            """SELECT c.id, c.text_hash, c.token_count FROM json_each(?) j
               CROSS JOIN chunk c ON c.document_id = j.value""",
            (json.dumps(list(documents)),),
        )
        .fetchall()
    ]


def document_facts(session: Session, documents: dict[int, str]) -> list[tuple[str, ...]]:
    """(name, sha256, chunking[, attributes]) of each document."""
    rows = (
        session.connection()
        .exec_driver_sql(
            """SELECT d.id, d.name, d.sha256, d.chunking FROM json_each(?) j
           CROSS JOIN document d INDEXED BY document_facts ON d.id = j.value""",
            (json.dumps(list(documents)),),
        )
        .fetchall()
    )
    return [
        (row[1], row[2], row[3], documents[row[0]]) if documents[row[0]] else (row[1], row[2], row[3])
        for row in rows
    ]


def excluded_facts(session: Session, exclusions: dict[int, str]) -> list[tuple[str, ...]]:
    rows = session.connection().exec_driver_sql(
        """SELECT c.id, d.sha256, d.chunking, c.position FROM json_each(?) j
           CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id""",
        (json.dumps(list(exclusions)),),
    )
    return [(row[1], row[2], str(row[3]), exclusions[row[0]]) for row in rows]


def _changes(
    session: Session, parent_id: int | None, draft: VersionDraft
) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Texts that came and that went against the parent: hash -> (how often, tokens)."""
    old_documents: set[int] = set()
    old_excluded: set[int] = set()
    if parent_id is not None:
        raw = session.connection()
        rows = raw.exec_driver_sql(
            "SELECT document_id FROM versiondocument WHERE version_id = ?", (parent_id,)
        )
        old_documents = {row[0] for row in rows}
        rows = raw.exec_driver_sql("SELECT chunk_id FROM versionexclusion WHERE version_id = ?", (parent_id,))
        old_excluded = {row[0] for row in rows}
    toggled = old_excluded ^ set(draft.exclusions)
    touched = (set(draft.documents) ^ old_documents) | _documents_of(session, toggled)
    tokens: dict[str, int] = {}

    def count(documents: set[int], excluded: Iterable[int]) -> Counter[str]:
        left_out = set(excluded)
        found: Counter[str] = Counter()
        for chunk_id, text_hash, token_count in _chunks_of(session, documents & touched):
            if chunk_id not in left_out:
                found[text_hash] += 1
                tokens[text_hash] = token_count
        return found

    new, old = count(set(draft.documents), draft.exclusions), count(old_documents, old_excluded)
    return (
        {text_hash: (n, tokens[text_hash]) for text_hash, n in (new - old).items()},
        {text_hash: (n, tokens[text_hash]) for text_hash, n in (old - new).items()},
    )


def _documents_of(session: Session, chunk_ids: Iterable[int]) -> set[int]:
    rows = session.connection().exec_driver_sql(
        "SELECT DISTINCT c.document_id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
        (json.dumps(list(chunk_ids)),),
    )
    return {row[0] for row in rows}
