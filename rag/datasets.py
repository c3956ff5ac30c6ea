"""Collections and their versions: numbered, never-changed sets of documents.

A new version is written in one transaction and becomes the active one in the same transaction. The index
follows; until it has, Collection.index_version_id is None and questions are answered from stored vectors.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlmodel import Session, col, select

from rag import audit
from rag.errors import NotFoundError, RagError
from rag.store import chunk_vectors, insert_rows, now_ms, version_chunk_ids
from rag.tables import Collection, DatasetVersion, Document, VersionDocument
from rag.workspace import Workspace


@dataclass(frozen=True)
class IndexProgress:
    """How many of the index's entries were brought in line."""

    done: int
    total: int


def find_collection(session: Session, name: str) -> Collection:
    found = session.exec(select(Collection).where(Collection.name == name)).first()
    if found is None:
        raise NotFoundError(
            f"There is no collection named “{name}”; `ragdeck collections` lists those there are."
        )
    return found


def ensure_collection(workspace: Workspace, name: str) -> Collection:
    """The collection of that name, made if it does not exist. A name may be any text in any script."""
    name = name.strip()
    if not name:
        raise RagError("A collection needs a name; give one with -c NAME.")
    with workspace.store.session() as session:
        found = session.exec(select(Collection).where(Collection.name == name)).first()
        if found is not None:
            _check_embedder(workspace, found)
            return found
        made = Collection(
            key=f"c-{secrets.token_hex(8)}",
            name=name,
            created_ms=now_ms(),
            embedder=workspace.embedder.fingerprint,
            embedder_name=workspace.embedder.name,
            chunking=workspace.settings.chunking.model_dump_json(),
        )
        session.add(made)
        audit.record(session, "collection made", name)
        return made


def find_version(session: Session, collection: Collection, number: int | None) -> DatasetVersion:
    """The numbered version, or the active one."""
    if number is None:
        if collection.active_version_id is None:
            raise NotFoundError(f"The collection “{collection.name}” is empty; add documents to it first.")
        found = session.get(DatasetVersion, collection.active_version_id)
    else:
        found = session.exec(
            select(DatasetVersion).where(
                DatasetVersion.collection_id == collection.id, DatasetVersion.number == number
            )
        ).first()
    if found is None:
        raise NotFoundError(
            f"The collection “{collection.name}” has no version {number}; `ragdeck versions -c` lists them."
        )
    return found


def active_documents(session: Session, collection: Collection) -> list[tuple[int, str, str, str]]:
    """(id, source, sha256, chunking fingerprint) of each document of the active version."""
    if collection.active_version_id is None:
        return []
    statement = (
        select(Document.id, Document.source, Document.sha256, Document.chunking)
        .join(VersionDocument, col(VersionDocument.document_id) == col(Document.id))
        .where(VersionDocument.version_id == collection.active_version_id)
    )
    return [(int(row[0] or 0), row[1], row[2], row[3]) for row in session.exec(statement)]


def add_version(
    session: Session,
    collection: Collection,
    document_ids: Sequence[int],
    message: str,
    *,
    added: int = 0,
    replaced: int = 0,
    removed: int = 0,
) -> DatasetVersion:
    """Write a new version, make it active and mark the index as behind. Part of the caller's transaction."""
    rows = _document_facts(session, collection.id, document_ids)
    number = session.connection().exec_driver_sql(
        "SELECT coalesce(max(number), 0) + 1 FROM datasetversion WHERE collection_id = ?", (collection.id,)
    )
    assert collection.id is not None
    version = DatasetVersion(
        collection_id=collection.id,
        number=int(number.scalar_one()),
        created_ms=now_ms(),
        message=message,
        embedder=collection.embedder,
        embedder_name=collection.embedder_name,
        chunking=collection.chunking,
        fingerprint=content_fingerprint(collection.embedder, [row[:3] for row in rows]),
        document_count=len(rows),
        chunk_count=sum(row[3] for row in rows),
        token_count=sum(row[4] for row in rows),
        added_count=added,
        replaced_count=replaced,
        removed_count=removed,
    )
    session.add(version)
    session.flush()
    assert version.id is not None
    insert_rows(
        session, VersionDocument, [{"version_id": version.id, "document_id": d} for d in document_ids]
    )
    _activate(session, collection, version)
    audit.record(session, "version made", collection.name, f"version {version.number}: {message}")
    return version


def content_fingerprint(embedder: str, documents: Sequence[tuple[str, str, str]]) -> str:
    """sha256 over the embedder and the sorted (name, file sha256, chunking fingerprint) of all documents."""
    digest = hashlib.sha256(embedder.encode())
    for parts in sorted(documents):
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def remove_documents(
    workspace: Workspace, collection: str, document_ids: Sequence[int]
) -> Iterator[IndexProgress]:
    """Make a version without these documents. Older versions keep them, so it can be undone."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        present = {row[0] for row in active_documents(session, found)}
        gone = present & set(document_ids)
        if not gone:
            raise RagError("None of these documents is in the active version; nothing was removed.")
        kept = sorted(present - gone)
        noun = "document" if len(gone) == 1 else "documents"
        add_version(session, found, kept, f"Removed {len(gone)} {noun}", removed=len(gone))
    yield from sync_index(workspace, collection)


def activate_version(workspace: Workspace, collection: str, number: int) -> Iterator[IndexProgress]:
    """Make an existing version the active one and bring the index in line. Nothing is embedded again."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, number)
        session.add(found)
        _activate(session, found, version)
        audit.record(session, "version activated", collection, f"version {number}")
    yield from sync_index(workspace, collection)


def rename_collection(workspace: Workspace, name: str, new_name: str) -> None:
    with workspace.store.session() as session:
        found = find_collection(session, name)
        if not new_name.strip():
            raise RagError("A collection needs a name.")
        if session.exec(select(Collection).where(Collection.name == new_name.strip())).first() is not None:
            raise RagError(f"There is already a collection named “{new_name.strip()}”; choose another name.")
        found.name = new_name.strip()
        session.add(found)
        audit.record(session, "collection renamed", name, f"to {found.name}")


def delete_collection(workspace: Workspace, name: str) -> None:
    """Remove a collection with its versions and documents. Its traces stay: they hold what they showed."""
    with workspace.store.session() as session:
        found = find_collection(session, name)
        raw = session.connection()
        from rag.matching import indexed_text

        doomed = raw.exec_driver_sql(
            "SELECT c.id, c.text FROM chunk c JOIN document d ON d.id = c.document_id WHERE d.collection_id = ?",
            (found.id,),
        ).fetchall()
        if doomed:  # a contentless FTS5 table must be told the text to forget
            raw.exec_driver_sql(
                "INSERT INTO chunk_fts (chunk_fts, rowid, text) VALUES ('delete', ?, ?)",
                [(row[0], indexed_text(row[1])) for row in doomed],
            )
        for statement in (
            "DELETE FROM chunk WHERE document_id IN (SELECT id FROM document WHERE collection_id = ?)",
            "DELETE FROM versiondocument WHERE version_id IN (SELECT id FROM datasetversion WHERE collection_id = ?)",
            "DELETE FROM document WHERE collection_id = ?",
            "DELETE FROM datasetversion WHERE collection_id = ?",
            "DELETE FROM collection WHERE id = ?",
        ):
            raw.exec_driver_sql(statement, (found.id,))
        audit.record(session, "collection deleted", name)
    workspace.index.drop(found.key)


def sync_index(workspace: Workspace, collection: str) -> Iterator[IndexProgress]:
    """Bring the index in line with the active version, from stored vectors."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version_id = found.active_version_id
        wanted = version_chunk_ids(session, version_id) if version_id is not None else []

    def vectors_of(ids: list[int]) -> dict[int, npt.NDArray[np.float32]]:
        with workspace.store.session() as session:
            return chunk_vectors(session, found.embedder, ids)

    for done, total in workspace.index.sync(found.key, wanted, vectors_of):
        yield IndexProgress(done, total)
    with workspace.store.session() as session:
        current = find_collection(session, collection)
        if current.active_version_id == version_id:
            current.index_version_id = version_id
            session.add(current)


def collections_to_sync(workspace: Workspace) -> list[str]:
    """Collections whose index was left behind by a cancelled or killed change, or was lost."""
    behind = []
    with workspace.store.session() as session:
        for found in session.exec(select(Collection)).all():
            if found.active_version_id is None:
                continue
            version = session.get(DatasetVersion, found.active_version_id)
            whole = version is not None and found.index_version_id == version.id
            if not whole or workspace.index.count(found.key) != (version.chunk_count if version else 0):
                found.index_version_id = None
                session.add(found)
                behind.append(found.name)
    return behind


def repair_indexes(workspace: Workspace) -> Iterator[IndexProgress]:
    """Bring every index in line that is not."""
    for name in collections_to_sync(workspace):
        yield from sync_index(workspace, name)


def _activate(session: Session, collection: Collection, version: DatasetVersion) -> None:
    collection.active_version_id = version.id
    if collection.index_version_id != version.id:
        collection.index_version_id = None
    session.add(collection)


def _document_facts(
    session: Session, collection_id: int | None, document_ids: Sequence[int]
) -> list[tuple[str, str, str, int, int]]:
    """(name, sha256, chunking, chunks, tokens) of each document."""
    wanted = set(document_ids)
    rows = session.connection().exec_driver_sql(
        "SELECT id, name, sha256, chunking, chunk_count, token_count FROM document WHERE collection_id = ?",
        (collection_id,),
    )
    return [(row[1], row[2], row[3], row[4], row[5]) for row in rows if row[0] in wanted]


def _check_embedder(workspace: Workspace, collection: Collection) -> None:
    if collection.embedder != workspace.embedder.fingerprint:
        raise RagError(
            f"The collection “{collection.name}” was made with the embedder {collection.embedder_name} and "
            f"{workspace.embedder.name} is installed: their vectors cannot be compared."
        )
