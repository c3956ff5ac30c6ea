"""Brings the index of a collection in line with a version, and repairs what a kill or a loss left behind.

The texts that the new state needs are added first, so that the index contains the old state and the new one;
what is no longer needed leaves after the new version became active. Vectors come from the tables: nothing is
embedded here.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlmodel import Session, select

from rag.errors import IndexDamagedError, RagError
from rag.index.vector_index import IndexPlace, Vector, VectorsOf
from rag.knowledge.collections import (
    clear_pending,
    collection_by_id,
    content_of,
    find_collection,
    find_version,
    index_place,
)
from rag.knowledge.rows import PendingKind, VerificationReport, VersionProgress
from rag.knowledge.verification import verify
from rag.storage import audit_log
from rag.storage.store import missing_embeddings, text_vectors
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.text.plurals import counted
from rag.workspace import Workspace


@dataclass
class Sync:
    """One index on its way to the texts of one version: what every stage of a change needs.

    Attributes:
        workspace: The open data folder.
        collection_id: Whose index it is.
        embedder: Fingerprint of the embedder that made the vectors.
        hashes: The distinct texts that the index must contain at the end.
        place: Where the version will be searched.
        old_place: Where the collection is searched until then; often the same place.
        present: The texts that the index at `place` contained at the beginning.
    """

    workspace: Workspace
    collection_id: int
    embedder: str
    hashes: list[str]
    place: IndexPlace
    old_place: IndexPlace
    present: set[str] = field(repr=False)

    def fill(self) -> Generator[VersionProgress, None, int]:
        """Add the texts that the index lacks; return how many. Raises RagError when a vector is missing."""
        new = [text_hash for text_hash in self.hashes if text_hash not in self.present]
        return (yield from fill_index(self.workspace, self.place, new, self.embedder))

    def settle(self, version: DatasetVersion) -> Generator[VersionProgress, None, VerificationReport]:
        """Remove what the active version does not need, verify the index, and end the pending change."""
        yield from self._clean(self.present)
        if self.old_place != self.place:
            with suppress(RagError):  # a server that is gone keeps what it has: nothing reads it any more
                self.workspace.index.drop(self.old_place)
        report = yield from self.verify_or_rebuild(version)
        clear_pending(self.workspace, self.collection_id)
        return report

    def verify_or_rebuild(
        self, version: DatasetVersion, every_vector: bool = False
    ) -> Generator[VersionProgress, None, VerificationReport]:
        """Verify the index. Correct or refill a wrong one; one that stays wrong is not searched any more."""
        yield VersionProgress("verifying", 0, 1)
        report = verify(self.workspace, version, self.place, every_vector)
        if not report.fingerprint_same:  # a cancelled change leaves entries behind
            self.present = set(self.workspace.index.hashes(self.place))
            yield from self.fill()
            yield from self._clean(self.present)
            report = verify(self.workspace, version, self.place, every_vector, "The index was corrected.")
        if not report.ok:
            self.workspace.index.drop(self.place)
            self.present = set()
            yield from self.fill()
            report = verify(self.workspace, version, self.place, every_vector, "The index was filled again.")
        if not report.ok:
            with self.workspace.store.session() as session:
                found = collection_by_id(session, self.collection_id)
                found.index_version_id = None  # exact search answers from now on, and says so
                session.add(found)
        yield VersionProgress("verifying", 1, 1)
        return report

    def _clean(self, present: set[str]) -> Generator[VersionProgress, None, None]:
        unneeded = sorted(present - set(self.hashes))
        for done, total in self.workspace.index.delete(self.place, unneeded):
            yield VersionProgress("cleaning", done, total)


def open_sync(
    workspace: Workspace,
    session: Session,
    collection: Collection,
    embedder: str,
    hashes: Sequence[str],
    place: IndexPlace | None = None,
) -> Sync:
    """Return how the index of a collection gets to some texts.

    Args:
        workspace: The open data folder.
        session: Reads the tables.
        collection: As it is now.
        embedder: Fingerprint of the embedder of the texts' vectors.
        hashes: The texts.
        place: Where they will be searched; by default the present index, or a new one for another embedder.
    """
    place = place or _place_for(session, collection, embedder)
    version = (
        session.get(DatasetVersion, collection.index_version_id) if collection.index_version_id else None
    )
    if version is not None and place == index_place(collection):
        # Listing all entries takes Chroma longer than all the rest.
        present = set(content_of(workspace, version).hashes)
    else:
        present = set(workspace.index.hashes(place))
    assert collection.id is not None
    texts = list(dict.fromkeys(hashes))
    return Sync(workspace, collection.id, embedder, texts, place, index_place(collection), present)


def fill_index(
    workspace: Workspace, place: IndexPlace, hashes: Sequence[str], embedder: str
) -> Generator[VersionProgress, None, int]:
    """Add texts to an index with their stored vectors; return how many. Raises RagError without a vector."""
    with workspace.store.session() as session:
        missing = missing_embeddings(session, embedder, hashes)
    if missing:
        raise RagError(f"The vectors of {counted(len(missing), 'chunk')} are gone. Add the documents again.")
    for done, total in workspace.index.add(place, hashes, _stored_vectors(workspace, embedder)):
        yield VersionProgress("indexing", done, total)
    return len(hashes)


def verify_index(
    workspace: Workspace, collection: str, every_vector: bool = False
) -> Generator[VersionProgress, None, VerificationReport]:
    """Verify the index of the active version now. A wrong one is filled again and verified once more."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
        hashes = content_of(workspace, version).hashes
        sync = open_sync(workspace, session, found, version.embedder, hashes, index_place(found))
    return (yield from sync.verify_or_rebuild(version, every_vector))


def sync_index(workspace: Workspace, collection_id: int) -> Generator[VersionProgress, None, None]:
    """Bring the index in line with the active version, whatever the index contains."""
    with workspace.store.session() as session:
        found = collection_by_id(session, collection_id)
        version = find_version(session, found, None)
        place = index_place(found)
    hashes = list(dict.fromkeys(content_of(workspace, version).hashes))
    present = set(workspace.index.hashes(place))
    sync = Sync(workspace, collection_id, version.embedder, hashes, place, place, present)
    yield from sync.fill()
    with workspace.store.session() as session:
        found = collection_by_id(session, collection_id)
        if found.active_version_id == version.id:
            found.index_version_id = version.id
            session.add(found)
    yield from sync.settle(version)


def serve_index(
    workspace: Workspace, collection: str, server: str
) -> Generator[VersionProgress, None, VerificationReport]:
    """Serve a collection's index from a Chroma server, or with an empty address from the data folder again.

    The old place answers until the new one is complete; then it is emptied. Raises RagError when the server
    does not answer, or serves the index already.
    """
    server = server.strip().rstrip("/")
    if server:
        workspace.index.check_server(server)
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
        place = IndexPlace(found.index_key, server)
        if place == index_place(found):
            raise RagError(f"“{collection}” is already served from there.")
        hashes = content_of(workspace, version).hashes
        sync = open_sync(workspace, session, found, version.embedder, hashes, place)
    yield from sync.fill()
    with workspace.store.session() as session:
        found = collection_by_id(session, sync.collection_id)
        found.index_server = server
        found.index_version_id = version.id
        session.add(found)
        audit_log.record(session, audit_log.Action.INDEX_MOVED, found.name, server or "the data folder")
    return (yield from sync.settle(version))


def index_hashes(workspace: Workspace, collection: str) -> list[str]:
    """Return the hashes of the texts that a collection's index contains."""
    with workspace.store.session() as session:
        place = index_place(find_collection(session, collection))
    return workspace.index.hashes(place)


# --- repair -----------------------------------------------------------------------------------------------


def needs_repair(workspace: Workspace) -> bool:
    """Return whether a change was interrupted, an index is behind by the tables, or its folder damaged."""
    with workspace.store.session() as session:
        return workspace.index.was_reset or any(
            found.pending_kind or found.index_version_id != found.active_version_id
            for found in session.exec(select(Collection)).all()
        )


def repair_indexes(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Bring every index in line that a killed change or a loss left behind; return what there is to say."""
    notices: list[str] = []
    with workspace.store.session() as session:
        collections = list(session.exec(select(Collection)).all())
    for found in collections:
        assert found.id is not None
        if found.pending_kind:
            notices.append(_interrupted(workspace, found))
        if found.active_version_id is None:
            clear_pending(workspace, found.id)
            continue
        if workspace.index.was_reset and not found.index_server:
            continue  # made again below, with the others of the folder
        try:
            if found.pending_kind or not _index_is_whole(workspace, found):
                yield from sync_index(workspace, found.id)
        except IndexDamagedError:
            continue
        except RagError as error:
            notices.append(f"“{found.name}” is answered by exact search: {error}")
    if workspace.index.was_reset:
        yield from refill_indexes(workspace, servers=False)
        notices.append(
            "The index folder was damaged. The index was made again from the stored vectors; nothing is lost."
        )
    return notices


def refill_indexes(workspace: Workspace, servers: bool = True) -> Generator[VersionProgress, None, None]:
    """Make the index folder again from the stored vectors. In the meantime, questions use an exact search.

    Args:
        workspace: The open data folder.
        servers: Whether the indexes on Chroma servers are made again, too.
    """
    with workspace.store.session() as session:
        collections = list(session.exec(select(Collection)).all())
        collections = [found for found in collections if servers or not found.index_server]
        trials = session.exec(select(DatasetVersion).where(DatasetVersion.trial_key != "")).all()
        for found in collections:
            found.index_version_id = None
            session.add(found)
    workspace.index.erase_folder()
    for trial in trials:
        # Two chunks may have the same text, which has one vector.
        hashes = list(dict.fromkeys(workspace.content(trial.id or 0, trial.embedder).hashes))
        yield from fill_index(workspace, IndexPlace(trial.trial_key), hashes, trial.embedder)
    for found in collections:
        if found.active_version_id is None:
            continue
        if found.index_server:
            workspace.index.drop(index_place(found))
        yield from sync_index(workspace, found.id or 0)
    workspace.index.note_repair()


def _interrupted(workspace: Workspace, collection: Collection) -> str:
    """Return what to say about a change that a kill interrupted."""
    with workspace.store.session() as session:
        pending, active = (
            session.get(DatasetVersion, version_id) if version_id else None
            for version_id in (collection.pending_version_id, collection.active_version_id)
        )
    doing = PendingKind(collection.pending_kind).sentence(pending.number if pending else None)
    what = f"“{collection.name}”: {doing} was interrupted when the program ended"
    if active is None:
        return f"{what}. There is no version yet. Add the files again to continue."
    if collection.pending_version_id == active.id:
        return f"{what}, after version {active.number} was complete. Version {active.number} is active."
    return f"{what}. Version {active.number} is still active."


def _index_is_whole(workspace: Workspace, collection: Collection) -> bool:
    if collection.index_version_id != collection.active_version_id:
        return False
    with workspace.store.session() as session:
        version = session.get(DatasetVersion, collection.active_version_id)
    return version is not None and workspace.index.count(index_place(collection)) == version.text_count


# --- helpers ----------------------------------------------------------------------------------------------


def _place_for(session: Session, collection: Collection, embedder: str) -> IndexPlace:
    """Return the index that can contain vectors of this embedder: the present one, or one of its own."""
    active = (
        session.get(DatasetVersion, collection.active_version_id) if collection.active_version_id else None
    )
    if active is None or active.embedder == embedder:
        return index_place(collection)
    return IndexPlace(f"{collection.key}-{embedder[-24:].replace(':', '-')}", collection.index_server)


def _stored_vectors(workspace: Workspace, embedder: str) -> VectorsOf:
    def vectors_of(hashes: list[str]) -> dict[str, Vector]:
        with workspace.store.session() as session:
            return text_vectors(session, embedder, hashes)

    return vectors_of
