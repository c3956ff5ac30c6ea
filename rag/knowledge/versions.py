"""Makes, activates and proves dataset versions: numbered, never-changed sets of documents.

Every change goes the same way. The texts that the new state needs are added to the index, which then holds
the old state and the new one; one transaction writes the version and makes it active; what is no longer
needed leaves the index; the index is proved. Until that transaction the old version answers from the index,
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
from rag.knowledge.rows import ActivationReport, ProofResult, VersionMade, VersionProgress
from rag.storage import audit_log
from rag.storage.fingerprints import content_fingerprint, texts_fingerprint
from rag.storage.store import insert_rows, missing_embeddings, now_ms, text_vectors
from rag.storage.tables.knowledge import (
    Collection,
    DatasetVersion,
    Probe,
    ProbeResult,
    Proof,
    VersionDocument,
    VersionExclusion,
)
from rag.storage.version_content import VersionContent
from rag.text.search_terms import query_words
from rag.workspace import Workspace

AUTOMATIC_PROBES = 6
_PROBE_HITS = 10
_PROBE_WORDS = 4
_FEWEST_WORDS = 3
_VECTOR_SAMPLE = 256

Steps = Generator[VersionProgress, None, VersionMade]


@dataclass
class Draft:
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


def draft_of(session: Session, collection: Collection, version: DatasetVersion | None = None) -> Draft:
    """A draft with the content of a version, by default the active one; empty when there is none."""
    draft = Draft({}, {}, "ingest", "", collection.embedder, collection.embedder_name, collection.chunking)
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
    workspace: Workspace, collection: str, plan: Callable[[Session, Collection], Draft]
) -> Steps:
    """Write the version that plan drafts, make it active, and prove its index.

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
        found.pending = draft.message
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

    Afterwards the index is proved; a wrong one is filled anew and proved again.
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
        found.pending = f"Activating version {version.number}"
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
    proof = yield from _settle(workspace, collection, version, hashes, old_place, held)
    return ActivationReport(collection, version.number, added, proof, (time.perf_counter() - began) * 1000)


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
) -> Generator[VersionProgress, None, ProofResult]:
    """Prove the index of the active version now. A wrong one is filled anew and proved again."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
    hashes = list(dict.fromkeys(_content(workspace, version).hashes))
    return (yield from _prove_or_rebuild(workspace, collection, version, hashes, every_vector))


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
            if found.pending or not _index_is_whole(workspace, found):
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
) -> Generator[VersionProgress, None, ProofResult]:
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
    return (yield from _prove_or_rebuild(workspace, collection, version, hashes))


def index_hashes(workspace: Workspace, collection: str) -> list[str]:
    """The text hashes that a collection's index holds."""
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    return workspace.index.hashes(place)


def needs_repair(workspace: Workspace) -> bool:
    """Whether a change was interrupted or an index is known to be behind; looks at the tables alone."""
    with workspace.store.session() as session:
        return any(
            found.pending or found.index_version_id != found.active_version_id
            for found in session.exec(select(Collection)).all()
        )


def add_probe(workspace: Workspace, collection: str, text: str) -> None:
    """Store a person's query as a probe; every version of the same embedder gets its hits."""
    text = text.strip()
    if not text:
        raise RagError("A probe is a question or some words; type them first.")
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        active = find_version(session, found, None)
    embedder = workspace.embedder_of(active.embedder, active.embedder_name)
    vector = workspace.encode([text], embedder)[0]
    with workspace.store.session() as session:
        probe = _new_probe(found.id or 0, active.embedder, text, vector, by_person=True)
        session.add(probe)
        session.flush()
        versions = session.exec(
            select(DatasetVersion).where(
                DatasetVersion.collection_id == found.id, DatasetVersion.embedder == active.embedder
            )
        ).all()
        for version in versions:
            content = _content(workspace, version)
            dense = _exact_hits(session, content, vector)
            session.add(_probe_result(version, probe, dense, _word_hits(session, content, probe)))
        audit_log.record(session, "probe added", collection, text)


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
) -> Generator[VersionProgress, None, ProofResult]:
    """After a version became active: what it does not need leaves the index, and the index is proved."""
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    for done, total in workspace.index.delete(place, sorted(held - set(hashes))):
        yield VersionProgress("cleaning", done, total)
    if old_place != place:
        with suppress(RagError):
            workspace.index.drop(old_place)
    proof = yield from _prove_or_rebuild(workspace, collection, version, hashes)
    _forget_pending(workspace, collection)
    return proof


def _prove_or_rebuild(
    workspace: Workspace,
    collection: str,
    version: DatasetVersion,
    hashes: Sequence[str],
    every_vector: bool = False,
) -> Generator[VersionProgress, None, ProofResult]:
    yield VersionProgress("proving", 0, 1)
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    proof = _prove(workspace, collection, version, place, hashes, every_vector)
    if not proof.fingerprint_same:  # a cancelled change leaves entries behind
        held = set(workspace.index.hashes(place))
        yield from _fill(workspace, place, hashes, version.embedder, held)
        for done, total in workspace.index.delete(place, sorted(held - set(hashes))):
            yield VersionProgress("cleaning", done, total)
        proof = _prove(
            workspace, collection, version, place, hashes, every_vector, "The index was put right."
        )
    if not proof.ok:
        workspace.index.drop(place)
        yield from _fill(workspace, place, hashes, version.embedder, set())
        proof = _prove(
            workspace, collection, version, place, hashes, every_vector, "The index was filled anew."
        )
    if not proof.ok:
        with workspace.store.session() as session:
            found = find_collection(session, collection)
            found.index_version_id = None  # answered by exact search from now on, and said so
            session.add(found)
    yield VersionProgress("proving", 1, 1)
    return proof


def _prove(
    workspace: Workspace,
    collection: str,
    version: DatasetVersion,
    place: IndexPlace,
    hashes: Sequence[str],
    every_vector: bool,
    detail: str = "",
) -> ProofResult:
    """Compare the index with the version: all its texts, a sample of its vectors, and the probes' hits."""
    began = time.perf_counter()
    present = workspace.index.hashes(place)
    same = texts_fingerprint(version.embedder, present) == version.index_fingerprint
    sample = list(hashes)
    if not every_vector and len(sample) > _VECTOR_SAMPLE:
        sample = random.Random(version.index_fingerprint).sample(sample, _VECTOR_SAMPLE)
    vectors_same = _count_same_vectors(workspace, place, sample, version.embedder) if same else 0
    with workspace.store.session() as session:
        content = _content(workspace, version)
        probes = _probes(session, version, content)
        wrong = [p.text for p in probes if not _probe_holds(workspace, session, version, content, place, p)]
        details = [detail] if detail else []
        if not same:
            details.append(f"The index holds {len(present):,} texts and the version {version.text_count:,}.")
        details.extend(f"The probe “{text}” found other passages." for text in wrong[:3])
        result = ProofResult(
            ok=same and vectors_same == len(sample) and not wrong,
            fingerprint_same=same,
            vectors_checked=len(sample),
            vectors_same=vectors_same,
            probe_count=len(probes),
            probes_same=len(probes) - len(wrong),
            embedded_count=0,
            milliseconds=(time.perf_counter() - began) * 1000,
            detail=" ".join(details),
        )
        session.add(
            Proof(
                collection_id=version.collection_id,
                version_id=version.id or 0,
                created_ms=now_ms(),
                **{name: getattr(result, name) for name in ProofResult.__dataclass_fields__},
            )
        )
        words = "proved" if result.ok else "NOT proved"
        audit_log.record(
            session, f"index {words}", collection, f"version {version.number}: {result.sentence()}"
        )
    return result


def _count_same_vectors(workspace: Workspace, place: IndexPlace, hashes: Sequence[str], embedder: str) -> int:
    stored = stored_vectors(workspace, embedder)(list(hashes))
    held = workspace.index.vectors(place, hashes)
    return sum(1 for h in hashes if h in held and h in stored and np.allclose(held[h], stored[h], atol=1e-5))


# --- probes -----------------------------------------------------------------------------------------------


def _probes(session: Session, version: DatasetVersion, content: VersionContent) -> list[Probe]:
    """The probes of a version's collection and embedder; the first version brings automatic ones."""
    known = session.exec(
        select(Probe).where(Probe.collection_id == version.collection_id, Probe.embedder == version.embedder)
    ).all()
    if known or not content.hashes:
        return list(known)
    made = []
    for text_hash, words in _probe_words(session, content):
        vector = text_vectors(session, version.embedder, [text_hash])[text_hash]
        probe = _new_probe(version.collection_id, version.embedder, words, vector)
        session.add(probe)
        made.append(probe)
    session.flush()
    return made


def _probe_words(session: Session, content: VersionContent) -> list[tuple[str, str]]:
    """(text hash, its first words) of some chunks, the same ones for the same content."""
    texts = sorted(set(content.hashes))
    step = max(len(texts) // AUTOMATIC_PROBES, 1)
    order = [texts[n] for offset in range(step) for n in range(offset, len(texts), step)]
    found: list[tuple[str, str]] = []
    for text_hash in order[: 10 * AUTOMATIC_PROBES]:
        row = session.connection().exec_driver_sql(
            "SELECT text FROM chunk WHERE text_hash = ? LIMIT 1", (text_hash,)
        )
        words = query_words(str(row.scalar_one()))[:_PROBE_WORDS]
        if len(words) >= _FEWEST_WORDS:
            found.append((text_hash, " ".join(words)))
    return found[:AUTOMATIC_PROBES]


def _new_probe(
    collection_id: int, embedder: str, text: str, vector: Vector, by_person: bool = False
) -> Probe:
    return Probe(
        collection_id=collection_id,
        embedder=embedder,
        text=text,
        vector=np.ascontiguousarray(vector, dtype="<f4").tobytes(),
        by_person=by_person,
        created_ms=now_ms(),
    )


def _probe_holds(
    workspace: Workspace,
    session: Session,
    version: DatasetVersion,
    content: VersionContent,
    place: IndexPlace,
    probe: Probe,
) -> bool:
    """Whether a probe finds what it found when the version was first complete.

    The index searches approximately: where its passages are others than the stored ones, exact search decides.
    """
    vector = np.frombuffer(probe.vector, dtype="<f4")
    dense = workspace.index.query(place, vector, _PROBE_HITS)
    words = _word_hits(session, content, probe)
    stored = session.get(ProbeResult, (version.id, probe.id))
    if stored is None:
        session.add(_probe_result(version, probe, dense, words))
        return True
    before = json.loads(stored.hits)
    if words != before["words"]:
        return False
    return dense == before["dense"] or _close(content, session, vector, dense, before["dense"])


def _probe_result(
    version: DatasetVersion, probe: Probe, dense: Sequence[str], words: Sequence[str]
) -> ProbeResult:
    hits = json.dumps({"dense": list(dense), "words": list(words)})
    return ProbeResult(version_id=version.id or 0, probe_id=probe.id or 0, hits=hits)


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
        float(vectors[rows[text_hash]] @ vector)
        for text_hash in _exact_hits(session, content, probe_vector=vector)
    ]
    close = sum(abs(a - b) < 1e-5 for a, b in zip(ours, best, strict=False))
    return close >= 0.8 * len(best) and len(set(found) & set(before)) >= 0.8 * len(before)


def _exact_hits(session: Session, content: VersionContent, probe_vector: Vector) -> list[str]:
    hashes = dict(zip(content.ids.tolist(), content.hashes, strict=True))
    nearest = content.nearest(session, probe_vector, 4 * _PROBE_HITS)
    return list(dict.fromkeys(hashes[chunk_id] for chunk_id, _ in nearest))[:_PROBE_HITS]


def _word_hits(session: Session, content: VersionContent, probe: Probe) -> list[str]:
    found = content.search_words(session, query_words(probe.text), _PROBE_HITS)
    return [content.hashes[int(np.searchsorted(content.ids, chunk_id))] for chunk_id, _ in found]


# --- writing ----------------------------------------------------------------------------------------------


def _write(session: Session, collection: Collection, draft: Draft, texts: _Texts) -> DatasetVersion:
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


def write_trial(session: Session, collection: Collection, draft: Draft, trial_key: str) -> DatasetVersion:
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


def draft_texts(session: Session, draft: Draft) -> list[str]:
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
        if found is not None and found.pending:
            found.pending = ""
            session.add(found)


def _interrupted(workspace: Workspace, collection: Collection) -> str:
    """What to say about a change that a kill interrupted; empty when there was none."""
    if not collection.pending:
        return ""
    with workspace.store.session() as session:
        version = (
            session.get(DatasetVersion, collection.active_version_id)
            if collection.active_version_id
            else None
        )
    what = f"“{collection.name}”: “{collection.pending}” was interrupted when the program ended"
    if version is None:
        return f"{what}; there is no version yet. Adding the files again goes on from there."
    if version.message == collection.pending or collection.pending == f"Activating version {version.number}":
        return f"{what}, after version {version.number} was complete: it is active."
    return f"{what}; version {version.number} is active, as before."


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


def _texts(session: Session, draft: Draft) -> _Texts:
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
    session: Session, parent_id: int | None, draft: Draft
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
