"""The search of each collection: its own settings, and what they need that an older program did not make."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any

from sqlmodel import Session, select

from rag.errors import RagError
from rag.knowledge.collections import find_collection, open_version
from rag.knowledge.rows import VersionProgress
from rag.settings import RetrievalSettings, Settings, own_retrieval, preset, preset_of
from rag.storage import audit_log
from rag.storage.store import add_parts, missing_embeddings
from rag.storage.tables.knowledge import Chunk, Collection, VersionDocument
from rag.workspace import Workspace

_BATCH = 64  # texts between two signs of progress


def retrieval_of(workspace: Workspace, collection: Collection) -> RetrievalSettings:
    """Return how a collection is searched: its own settings, or those of the data folder."""
    return own_retrieval(collection.retrieval, workspace.settings)


def settings_for(workspace: Workspace, collection: str) -> Settings:
    """Return the settings with which questions to a collection are answered; it need not exist."""
    with workspace.store.session() as session:
        found = session.exec(select(Collection).where(Collection.name == collection)).first()
    if found is None:
        return workspace.settings
    return workspace.settings.model_copy(update={"retrieval": retrieval_of(workspace, found)})


def set_retrieval(
    workspace: Workspace,
    collection: str,
    preset_name: str = "",
    changes: Mapping[str, Any] | None = None,
) -> RetrievalSettings:
    """Give a collection a search of its own, and return it.

    Args:
        workspace: The open data folder.
        collection: The name of the collection.
        preset_name: The preset to begin with; empty: the search that the collection has.
        changes: Values of single settings, by key.

    Raises:
        RagError: There is no such preset or setting, or a value is not allowed.
    """
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        start = preset(preset_name) if preset_name else retrieval_of(workspace, found)
        changed = Settings(retrieval=start)
        for key, value in (changes or {}).items():
            changed = changed.changed("retrieval", key, value)
        _write(session, found, changed.retrieval)
    return changed.retrieval


def follow_settings(workspace: Workspace, collection: str) -> RetrievalSettings:
    """Let a collection be searched as the data folder's settings say, and return that."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        if found.retrieval:
            found.retrieval = ""
            session.add(found)
            audit_log.record(session, audit_log.Action.SEARCH_CHANGED, collection, "as the settings say")
    return workspace.settings.retrieval


def make_parts(workspace: Workspace, collection: str) -> Generator[VersionProgress, None, int]:
    """Make the vectors of the parts of chunks that have none yet, in the active version; return how many.

    The chunks and their own vectors stay as they are, so that no new version is made. Raises RagError
    when the collection is empty or its embedder has no parts.
    """
    _, version = open_version(workspace, collection, None)
    embedder = workspace.embedder_of(version.embedder, version.embedder_name, collection)
    if not embedder.has_parts:
        raise RagError(
            f"The embedder {embedder.name} does not pool by the mean, so that vectors of parts cannot be "
            "compared with a question's. Choose a search without pieces and late interaction."
        )
    with workspace.store.session() as session:
        rows = session.exec(
            select(Chunk.text_hash, Chunk.text)
            .join(VersionDocument, VersionDocument.document_id == Chunk.document_id)  # type: ignore[arg-type]
            .where(VersionDocument.version_id == version.id)
        ).all()
        texts = dict(rows)
        missing = sorted(
            missing_embeddings(session, embedder.fingerprint, texts, with_parts=True),
            key=lambda text_hash: (-len(texts[text_hash]), text_hash),
        )
    for begin in range(0, len(missing), _BATCH):
        yield VersionProgress("reading chunks again", begin, len(missing))
        batch = missing[begin : begin + _BATCH]
        _, parts = workspace.encode_finely([texts[text_hash] for text_hash in batch], embedder)
        with workspace.store.session() as session:
            add_parts(session, embedder.fingerprint, batch, [(part.pieces, part.tokens) for part in parts])
    return len(missing)


def _write(session: Session, collection: Collection, retrieval: RetrievalSettings) -> None:
    collection.retrieval = json.dumps(retrieval.model_dump(mode="json"))
    session.add(collection)
    audit_log.record(session, audit_log.Action.SEARCH_CHANGED, collection.name, preset_of(retrieval))
