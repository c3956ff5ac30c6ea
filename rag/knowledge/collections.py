"""Makes, finds, renames and deletes collections, and finds and tags their versions."""

from __future__ import annotations

import secrets

from sqlmodel import Session, select

from rag.errors import NotFoundError, RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.rows import PendingKind
from rag.models.embedding import Embedder
from rag.settings import ChunkingSettings
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection, DatasetVersion, VersionTag
from rag.storage.version_content import VersionContent
from rag.text.search_terms import indexed_text
from rag.workspace import Workspace


def find_collection(session: Session, name: str) -> Collection:
    """Return the collection with this name. Raises NotFoundError."""
    found = session.exec(select(Collection).where(Collection.name == name)).first()
    if found is None:
        raise NotFoundError(
            f"There is no collection named “{name}”. Run `ragdeck collections` to see all collections."
        )
    return found


def ensure_collection(workspace: Workspace, name: str) -> Collection:
    """Return the collection with this name, made if it does not exist.

    A name may be any text in any script. Raises RagError when it is empty or the embedder is not available.
    """
    name = name.strip()
    if not name:
        raise RagError("A collection needs a name. Give one with -c NAME.")
    with workspace.store.session() as session:
        found = session.exec(select(Collection).where(Collection.name == name)).first()
        if found is None:
            found = new_collection(
                name,
                workspace.embedder.fingerprint,
                workspace.embedder.name,
                workspace.settings.chunking.model_dump_json(),
            )
            session.add(found)
            audit_log.record(session, audit_log.Action.COLLECTION_MADE, name)
    workspace.embedder_of(found.embedder, found.embedder_name)  # refuses when it is not available
    return found


def make_collection(
    workspace: Workspace,
    name: str,
    chunking: ChunkingSettings | None = None,
    embedder: Embedder | None = None,
) -> str:
    """Make an empty collection and return its name, stripped.

    Args:
        workspace: The open data folder.
        name: Any text that no other collection has as its name.
        chunking: Its chunk settings; None: those of the data folder.
        embedder: Its embedder; None: that of new collections.

    Raises:
        RagError: The name is empty or taken.
    """
    name = name.strip()
    if not name:
        raise RagError("A collection needs a name. Type one.")
    chosen = workspace.add_embedder(embedder) if embedder is not None else workspace.embedder
    settings = chunking or workspace.settings.chunking
    with workspace.store.session() as session:
        if session.exec(select(Collection).where(Collection.name == name)).first() is not None:
            raise RagError(
                f"There is already a collection named “{name}”. Choose another name, or add to that one."
            )
        session.add(new_collection(name, chosen.fingerprint, chosen.name, settings.model_dump_json()))
        audit_log.record(session, audit_log.Action.COLLECTION_MADE, name)
    return name


def new_collection(name: str, embedder: str, embedder_name: str, chunking: str) -> Collection:
    """Return a row for an empty collection, with a key that no other has.

    Args:
        name: Any text.
        embedder: Fingerprint of its embedder.
        embedder_name: Name of its embedder.
        chunking: JSON of its ChunkingSettings.
    """
    key = f"c-{secrets.token_hex(8)}"
    return Collection(
        key=key,
        name=name,
        created_ms=now_ms(),
        embedder=embedder,
        embedder_name=embedder_name,
        chunking=chunking,
        index_key=key,
    )


def collection_by_id(session: Session, collection_id: int) -> Collection:
    """Return a collection that was found before. Raises NotFoundError when it was deleted in the meantime."""
    found = session.get(Collection, collection_id)
    if found is None:
        raise NotFoundError("The collection was deleted in the meantime.")
    return found


def find_version(session: Session, collection: Collection, which: int | str | None) -> DatasetVersion:
    """Return a version by its number or one of its tags; None means the active one. Raises NotFoundError."""
    found: DatasetVersion | None = None
    if which is None:
        if collection.active_version_id is None:
            raise NotFoundError(f"The collection “{collection.name}” is empty. Add documents to it first.")
        return session.exec(
            select(DatasetVersion).where(DatasetVersion.id == collection.active_version_id)
        ).one()
    if isinstance(which, str) and not which.isdigit():
        tag = session.exec(
            select(VersionTag).where(VersionTag.collection_id == collection.id, VersionTag.name == which)
        ).first()
        found = session.get(DatasetVersion, tag.version_id) if tag else None
    else:
        found = session.exec(
            select(DatasetVersion).where(
                DatasetVersion.collection_id == collection.id, DatasetVersion.number == int(which)
            )
        ).first()
    if found is None:
        raise NotFoundError(
            f"The collection “{collection.name}” has no version {which}. "
            "Run `ragdeck versions -c NAME` to see all versions."
        )
    return found


def named_version(workspace: Workspace, collection: str, which: int | str | None) -> DatasetVersion:
    """Return a version of the collection with this name; None means the active one. Raises NotFoundError."""
    with workspace.store.session() as session:
        return find_version(session, find_collection(session, collection), which)


def index_place(collection: Collection) -> IndexPlace:
    """Return where the index of a collection is."""
    return IndexPlace(collection.index_key, collection.index_server)


def content_of(workspace: Workspace, version: DatasetVersion) -> VersionContent:
    """Return what a stored version contains, as arrays."""
    assert version.id is not None
    return workspace.content(version.id, version.embedder)


def set_pending(
    session: Session, collection: Collection, kind: PendingKind, version_id: int | None = None
) -> None:
    """Note what is being changed and which version will be active: a start that finds it was interrupted."""
    collection.pending_kind, collection.pending_version_id = kind, version_id
    session.add(collection)


def clear_pending(workspace: Workspace, collection_id: int) -> None:
    """Note that the change of a collection has ended, well or not."""
    with workspace.store.session() as session:
        found = session.get(Collection, collection_id)
        if found is not None and found.pending_kind:
            found.pending_kind, found.pending_version_id = "", None
            session.add(found)


def active_documents(session: Session, collection: Collection) -> list[tuple[int, str, str, str]]:
    """Return (id, source, sha256, chunking fingerprint) of each document of the active version."""
    if collection.active_version_id is None:
        return []
    rows = session.connection().exec_driver_sql(
        """SELECT d.id, d.source, d.sha256, d.chunking FROM versiondocument vd
           CROSS JOIN document d INDEXED BY document_facts ON d.id = vd.document_id
           WHERE vd.version_id = ?""",
        (collection.active_version_id,),
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows.fetchall()]


def tag_version(workspace: Workspace, collection: str, version: int | str | None, tag: str) -> None:
    """Give a version a tag. One that another version of the collection has moves here.

    Raises RagError when the tag is empty, a number, or longer than 60 characters.
    """
    tag = tag.strip()
    if not tag or tag.isdigit() or len(tag) > 60:
        raise RagError("A tag is a word of at most 60 characters that is not a number, such as “baseline”.")
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        target = find_version(session, found, version)
        assert found.id is not None and target.id is not None
        known = session.exec(
            select(VersionTag).where(VersionTag.collection_id == found.id, VersionTag.name == tag)
        ).first()
        known = known or VersionTag(collection_id=found.id, version_id=target.id, name=tag, created_ms=0)
        known.version_id, known.created_ms = target.id, now_ms()
        session.add(known)
        audit_log.record(
            session, audit_log.Action.VERSION_TAGGED, collection, f"version {target.number}: {tag}"
        )


def untag_version(workspace: Workspace, collection: str, tag: str) -> None:
    """Remove a tag. Raises NotFoundError when no version has it."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        known = session.exec(
            select(VersionTag).where(VersionTag.collection_id == found.id, VersionTag.name == tag)
        ).first()
        if known is None:
            raise NotFoundError(f"No version of “{collection}” has the tag “{tag}”.")
        session.delete(known)
        audit_log.record(session, audit_log.Action.TAG_REMOVED, collection, tag)


def rename_collection(workspace: Workspace, name: str, new_name: str) -> None:
    """Give a collection another name. Raises RagError when it is empty or taken."""
    with workspace.store.session() as session:
        found = find_collection(session, name)
        if not new_name.strip():
            raise RagError("A collection needs a name.")
        if session.exec(select(Collection).where(Collection.name == new_name.strip())).first() is not None:
            raise RagError(f"There is already a collection named “{new_name.strip()}”. Choose another name.")
        found.name = new_name.strip()
        session.add(found)
        audit_log.record(session, audit_log.Action.COLLECTION_RENAMED, name, f"to {found.name}")


def delete_collection(workspace: Workspace, name: str) -> None:
    """Delete a collection with its versions and documents. Its traces stay: they contain what they showed."""
    with workspace.store.session() as session:
        found = find_collection(session, name)
        raw = session.connection()
        versions = session.exec(select(DatasetVersion).where(DatasetVersion.collection_id == found.id)).all()
        places = {index_place(found)} | {IndexPlace(v.trial_key) for v in versions if v.trial_key}
        ids = raw.exec_driver_sql("SELECT id FROM document WHERE collection_id = ?", (found.id,))
        delete_documents(session, [row[0] for row in ids])
        in_versions = "version_id IN (SELECT id FROM datasetversion WHERE collection_id = ?)"
        for statement in (
            "DELETE FROM regressionresult WHERE run_id IN "
            "(SELECT id FROM regressionrun WHERE collection_id = ?)",
            *(
                f"DELETE FROM {table} WHERE {in_versions}"
                for table in ("versiondocument", "versionexclusion", "verificationresult")
            ),
            *(
                f"DELETE FROM {table} WHERE collection_id = ?"
                for table in (
                    "versiontag",
                    "verificationquery",
                    "verification",
                    "watchedfolder",
                    "regressionquestion",
                    "regressionrun",
                    "datasetversion",
                )
            ),
            "DELETE FROM rolloutanswer WHERE rollout_id IN (SELECT id FROM rollout WHERE collection_id = ?)",
            *(
                f"DELETE FROM {table} WHERE collection_id = ?"
                for table in (
                    "rollout",
                    "productionpipeline",
                    "draft",
                    "flaglimits",
                    "cachedanswer",
                    "guardpolicybinding",
                )
            ),
            "UPDATE asksession SET collection = (SELECT name FROM collection c WHERE c.id = collection_id), "
            "collection_id = NULL WHERE collection_id = ?",
            "DELETE FROM collection WHERE id = ?",
        ):
            raw.exec_driver_sql(statement, (found.id,))
        audit_log.record(session, audit_log.Action.COLLECTION_DELETED, name)
    workspace.forget_contents()
    for place in places:
        workspace.index.drop(place)


def delete_documents(session: Session, document_ids: list[int]) -> None:
    """Delete documents, their chunks and full-text rows. Embeddings stay until nothing needs them."""
    raw = session.connection()
    for document_id in document_ids:
        doomed = raw.exec_driver_sql(
            "SELECT id, text FROM chunk WHERE document_id = ?", (document_id,)
        ).fetchall()
        if doomed:  # a contentless FTS5 table must be told the text to forget
            raw.exec_driver_sql(
                "INSERT INTO chunk_fts (chunk_fts, rowid, text) VALUES ('delete', ?, ?)",
                [(row[0], indexed_text(row[1])) for row in doomed],
            )
        raw.exec_driver_sql("DELETE FROM chunk WHERE document_id = ?", (document_id,))
        raw.exec_driver_sql("DELETE FROM document WHERE id = ?", (document_id,))


def open_version(
    workspace: Workspace, collection: str, which: int | str | None
) -> tuple[Collection, DatasetVersion]:
    """Return the collection and the version (number, tag, or None for the active one) to search.

    Raises RagError when the embedder that made its vectors is not available.
    """
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, which)
    workspace.embedder_of(version.embedder, version.embedder_name)
    return found, version
