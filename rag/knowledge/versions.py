"""Makes and activates dataset versions: numbered, never-changed sets of documents.

Every change goes the same way. A plan drafts the new state; the texts that it needs are added to the index,
which then contains the old state and the new one; one transaction writes the version and makes it active;
what is no longer needed leaves the index; the index is verified. Until that transaction the old version
answers from the index, after it the new one, and a kill at any moment leaves one or the other. Nothing is
embedded here.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

from sqlmodel import Session

from rag.errors import RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import (
    clear_pending,
    collection_by_id,
    content_of,
    find_collection,
    find_version,
    set_pending,
)
from rag.knowledge.index_sync import open_sync
from rag.knowledge.rows import ActivationReport, PendingKind, VersionKind, VersionMade, VersionProgress
from rag.storage import audit_log
from rag.storage.fingerprints import content_fingerprint, texts_fingerprint
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.knowledge import Collection, DatasetVersion, VersionDocument, VersionExclusion
from rag.workspace import Workspace

Steps = Generator[VersionProgress, None, VersionMade]


@dataclass
class VersionDraft:
    """A version before it is written.

    Attributes:
        documents: Document id -> attributes as JSON, or an empty text.
        exclusions: Chunk id -> why the version leaves it out.
        kind: What kind of change it is.
        message: The change in a few words.
        embedder: Fingerprint of the embedder of all vectors.
        embedder_name: Its name.
        chunking: JSON of the ChunkingSettings.
        added: Documents that the version has and its parent has not.
        replaced: Documents with a new revision.
        removed: Documents that the parent has and the version has not.
    """

    documents: dict[int, str]
    exclusions: dict[int, str]
    kind: VersionKind
    message: str
    embedder: str
    embedder_name: str
    chunking: str
    added: int = 0
    replaced: int = 0
    removed: int = 0


Plan = Callable[[Session, Collection], VersionDraft]


@dataclass
class _Texts:
    """What a draft contains: (chunk id, text hash, tokens) of the chunks that are not excluded."""

    chunks: list[tuple[int, str, int]]
    hashes: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.hashes = list(dict.fromkeys(row[1] for row in self.chunks))


def draft_of(session: Session, collection: Collection) -> VersionDraft:
    """Return a draft with the content of the active version; an empty one when there is none."""
    draft = VersionDraft(
        {}, {}, VersionKind.INGEST, "", collection.embedder, collection.embedder_name, collection.chunking
    )
    version_id = collection.active_version_id
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


def make_version(workspace: Workspace, collection: str, plan: Plan) -> Steps:
    """Write a version of the collection with this name: see make_version_of."""
    with workspace.store.session() as session:
        collection_id = find_collection(session, collection).id
    assert collection_id is not None
    return (yield from make_version_of(workspace, collection_id, plan))


def make_version_of(workspace: Workspace, collection_id: int, plan: Plan) -> Steps:
    """Write the version that a plan drafts, make it active, and verify its index.

    The plan runs in a transaction and may raise RagError to refuse. Closing the generator before the version
    is written leaves everything as it was.
    """
    with workspace.store.session() as session:
        found = collection_by_id(session, collection_id)
        draft = plan(session, found)
        texts = _texts(session, draft)
        before = found.active_version_id
        sync = open_sync(workspace, session, found, draft.embedder, texts.hashes)
        set_pending(session, found, PendingKind(draft.kind))
    try:
        yield from sync.fill()
        with workspace.store.session() as session:
            found = collection_by_id(session, collection_id)
            if found.active_version_id != before:
                raise RagError(f"“{found.name}” was changed in the meantime. Try again.")
            version = _write(session, found, draft, texts)
            _activate(session, found, version, sync.place)
            set_pending(session, found, PendingKind(draft.kind), version.id)
            audit_log.record(
                session,
                audit_log.Action.VERSION_MADE,
                found.name,
                f"version {version.number}: {version.message}",
                before=_fingerprint(session, before),
                after=version.fingerprint,
            )
    except BaseException:
        clear_pending(workspace, collection_id)
        raise
    yield from sync.settle(version)
    return version_made(found.name, version)


def _fingerprint(session: Session, version_id: int | None) -> str:
    """Return the fingerprint of a version, for the audit log; "" when there is none."""
    version = session.get(DatasetVersion, version_id) if version_id else None
    return version.fingerprint if version else ""


def activate_version(
    workspace: Workspace, collection: str, number: int | str
) -> Generator[VersionProgress, None, ActivationReport]:
    """Make an existing version, by number or tag, the active one.

    The old one answers until the index is complete. Afterwards the index is verified; a wrong one is filled
    again and verified once more.
    """
    began = time.perf_counter()
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, number)
        hashes = content_of(workspace, version).hashes
        place = IndexPlace(version.trial_key) if version.trial_key else None
        sync = open_sync(workspace, session, found, version.embedder, hashes, place)
        set_pending(session, found, PendingKind.ACTIVATE, version.id)
    try:
        added = yield from sync.fill()
        with workspace.store.session() as session:
            found = collection_by_id(session, sync.collection_id)
            before = _fingerprint(session, found.active_version_id)
            _activate(session, found, version, sync.place)
            audit_log.record(
                session,
                audit_log.Action.VERSION_ACTIVATED,
                found.name,
                f"version {version.number}",
                before=before,
                after=version.fingerprint,
            )
    except BaseException:
        clear_pending(workspace, sync.collection_id)
        raise
    report = yield from sync.settle(version)
    return ActivationReport(found.name, version.number, added, report, (time.perf_counter() - began) * 1000)


def undo(workspace: Workspace, collection: str) -> Generator[VersionProgress, None, ActivationReport]:
    """Activate the version that the active one was made from. Raises RagError when it was made from none."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        active = find_version(session, found, None)
        parent = session.get(DatasetVersion, active.parent_id) if active.parent_id else None
        if parent is None:
            raise RagError(f"Version {active.number} is the first one: there is nothing to go back to.")
        number = parent.number
    return (yield from activate_version(workspace, collection, number))


def write_trial(
    session: Session, collection: Collection, draft: VersionDraft, trial_key: str
) -> DatasetVersion:
    """Write a version that is not active and has an index of its own."""
    version = _write(session, collection, draft, _texts(session, draft))
    version.trial_key = trial_key
    session.add(version)
    return version


def draft_texts(session: Session, draft: VersionDraft) -> list[str]:
    """Return the hashes of the distinct texts of a draft."""
    return _texts(session, draft).hashes


def version_made(collection: str, version: DatasetVersion) -> VersionMade:
    """Return what a caller is told of a version that was written."""
    return VersionMade(
        collection,
        version.number,
        VersionKind(version.kind),
        version.message,
        version.document_count,
        version.chunk_count,
    )


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


def _texts(session: Session, draft: VersionDraft) -> _Texts:
    """Return the chunks of a draft, by document id and position."""
    chunks = _chunks_of(session, draft.documents)
    return _Texts([row for row in chunks if row[0] not in draft.exclusions])


def _chunks_of(session: Session, documents: Iterable[int]) -> list[tuple[int, str, int]]:
    """Return (chunk id, text hash, tokens) of all chunks of some documents."""
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
    """Return (name, sha256, chunking[, attributes]) of each document."""
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
    """Return (document's sha256, its chunking, position, reason) of each excluded chunk."""
    rows = session.connection().exec_driver_sql(
        """SELECT c.id, d.sha256, d.chunking, c.position FROM json_each(?) j
           CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id""",
        (json.dumps(list(exclusions)),),
    )
    return [(row[1], row[2], str(row[3]), exclusions[row[0]]) for row in rows]


def _changes(
    session: Session, parent_id: int | None, draft: VersionDraft
) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Return the texts that came and those that went against the parent: hash -> (how often, tokens)."""
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
