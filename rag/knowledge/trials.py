"""Builds trials: versions with another embedder or other chunk settings, next to the current version.

A trial was never active and has an index of its own. It is built from the stored texts, so the files need not
exist any more. It becomes active like any other version, or is deleted.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from sqlmodel import Session, col, select

from rag.errors import RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import delete_documents, find_collection, find_version
from rag.knowledge.edits import replace_document
from rag.knowledge.guarding import policies_of
from rag.knowledge.index_sync import fill_index
from rag.knowledge.ingest import account_columns, chunk_rows_of
from rag.knowledge.rows import VersionKind, VersionMade, VersionProgress
from rag.knowledge.versions import draft_of, draft_texts, version_made, write_trial
from rag.models.embedding import Embedder
from rag.models.endpoints.rows import endpoint_named_by
from rag.parsing.chunking import Chunker, chunking_fingerprint, with_left_out
from rag.parsing.formats import PARSER
from rag.parsing.rows import AccountLine, ParsedDocument, Place
from rag.settings import ChunkingSettings
from rag.storage import audit_log
from rag.storage.store import add_chunks, add_embeddings, add_parts, missing_embeddings, now_ms
from rag.storage.tables.knowledge import DatasetVersion, Document, VersionTag
from rag.text.plurals import counted
from rag.workspace import Workspace

_ENCODE_BATCH = 32
_MARKDOWN = ("text/markdown", "application/x-ipynb+json")


def build_trial(
    workspace: Workspace,
    collection: str,
    embedder_folder: str = "",
    max_tokens: int | None = None,
    overlap_tokens: int | None = None,
    keep_encoded: bool | None = None,
    load_embedder: Callable[[Path], Embedder] = Embedder,
) -> Generator[VersionProgress, None, VersionMade]:
    """Chunk and embed the active version's documents again, with another embedder or other chunk settings.

    A cancelled build leaves nothing but vectors and documents that the next one uses again.

    Args:
        workspace: The open data folder.
        collection: The name of the collection.
        embedder_folder: A sentence-transformers folder or “endpoint:NAME”; empty: the embedder as it is.
        max_tokens: The longest chunk; None: as in the active version.
        overlap_tokens: Tokens that neighbouring chunks share; None: as in the active version.
        keep_encoded: Whether base64 and minified code are chunked too; None: as in the active version.
        load_embedder: Opens the folder.

    Raises:
        RagError: The settings are out of bounds or those of the active version, or the embedder cannot be
            used.
    """
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        active = find_version(session, found, None)
        draft = draft_of(session, found)
    embedder = _chosen_embedder(workspace, found.name, active, embedder_folder, load_embedder)
    settings = _chosen_settings(
        active, max_tokens=max_tokens, overlap_tokens=overlap_tokens, keep_encoded=keep_encoded
    )
    if embedder.fingerprint == active.embedder and settings == _settings_of(active):
        raise RagError(
            "The active version already has these settings. Choose another embedder or chunk size."
        )
    new_ids = yield from _rebuild_all(workspace, list(draft.documents), embedder, settings)
    lost = 0
    with workspace.store.session() as session:
        for old, new in new_ids.items():
            if old != new:
                lost += replace_document(session, draft, old, new)
        draft.embedder, draft.embedder_name = embedder.fingerprint, embedder.name
        draft.chunking = settings.model_dump_json()
        draft.kind = VersionKind.EMBEDDER if embedder.fingerprint != active.embedder else VersionKind.RECHUNK
        draft.message = _message(active, embedder, settings, lost)
        hashes = draft_texts(session, draft)
    key = f"t-{secrets.token_hex(8)}"
    try:
        yield from fill_index(workspace, IndexPlace(key), hashes, embedder.fingerprint)
        with workspace.store.session() as session:
            found = find_collection(session, collection)
            version = write_trial(session, found, draft, key)
            _log_trial(session, collection, version)
    except BaseException:
        workspace.index.drop(IndexPlace(key))
        raise
    return version_made(collection, version)


def _log_trial(session: Session, collection: str, version: DatasetVersion) -> None:
    what = f"version {version.number}: {version.message}"
    audit_log.record(session, audit_log.Action.TRIAL_BUILT, collection, what, after=version.fingerprint)


def discard_version(workspace: Workspace, collection: str, which: int | str) -> int:
    """Delete a version that is not active, and the documents that no other version contains; return how many.

    Raises RagError when the version is active or has a tag.
    """
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, which)
        if version.id == found.active_version_id:
            raise RagError(f"Version {version.number} is active. Activate another one before you delete it.")
        tags = session.exec(select(VersionTag.name).where(VersionTag.version_id == version.id)).all()
        if tags:
            raise RagError(
                f"Version {version.number} has the tag {', '.join(tags)}. "
                "Remove it before you delete the version."
            )
        raw = session.connection()
        for table in ("versiondocument", "versionexclusion", "verificationresult", "verification"):
            raw.exec_driver_sql(f"DELETE FROM {table} WHERE version_id = ?", (version.id,))
        raw.exec_driver_sql(
            "UPDATE datasetversion SET parent_id = ? WHERE parent_id = ?", (version.parent_id, version.id)
        )
        session.delete(version)
        session.flush()
        doomed = orphan_documents(session, found.id or 0)
        delete_documents(session, doomed)
        audit_log.record(
            session,
            audit_log.Action.VERSION_DELETED,
            collection,
            f"version {version.number}: {version.message}",
        )
    workspace.forget_contents()
    if version.trial_key:
        workspace.index.drop(IndexPlace(version.trial_key))
    return len(doomed)


def orphan_documents(session: Session, collection_id: int | None = None) -> list[int]:
    """Return the documents that no version contains, of one collection or of all."""
    rows = session.connection().exec_driver_sql(
        """SELECT id FROM document WHERE (?1 IS NULL OR collection_id = ?1)
           AND NOT EXISTS (SELECT 1 FROM versiondocument vd WHERE vd.document_id = document.id)""",
        (collection_id,),
    )
    return [row[0] for row in rows]


# --- building ---------------------------------------------------------------------------------------------


def _chosen_embedder(
    workspace: Workspace,
    collection: str,
    active: DatasetVersion,
    folder: str,
    load_embedder: Callable[[Path], Embedder],
) -> Embedder:
    if not folder:
        return workspace.embedder_of(active.embedder, active.embedder_name, collection)
    if name := endpoint_named_by(folder):
        return workspace.add_remote_embedder(name, collection)
    chosen = workspace.add_embedder(load_embedder(Path(folder).expanduser().absolute()))
    try:
        workspace.encode(["A sentence to see whether it works."], chosen)
    except RagError:
        raise
    except Exception as error:  # torch and transformers raise many kinds for a folder that does not fit
        raise RagError(f"The embedder in {folder} cannot be used: {error}") from error
    return chosen


def _settings_of(version: DatasetVersion) -> ChunkingSettings:
    return ChunkingSettings.model_validate_json(version.chunking)


def _chosen_settings(active: DatasetVersion, **chosen: int | bool | None) -> ChunkingSettings:
    values = {name: value for name, value in chosen.items() if value is not None}
    try:
        return ChunkingSettings.model_validate(json.loads(active.chunking) | values)
    except ValueError as error:
        raise RagError(
            "A chunk can have 32 to 2,048 tokens and an overlap of 0 to 512. Choose sizes in these ranges."
        ) from error


def _rebuild_all(
    workspace: Workspace, documents: list[int], embedder: Embedder, settings: ChunkingSettings
) -> Generator[VersionProgress, None, dict[int, int]]:
    """Return document id -> id of its revision with the new chunks."""
    chunking = chunking_fingerprint(settings, PARSER, embedder.fingerprint)
    chunker = Chunker(embedder.tokenizer, settings, embedder.longest_input)
    made: dict[int, int] = {}
    for done, document_id in enumerate(documents):
        progress = VersionProgress("chunking and embedding", done, len(documents))
        yield progress
        made[document_id] = yield from _rebuild(workspace, document_id, chunking, chunker, embedder, progress)
    return made


def _rebuild(
    workspace: Workspace,
    document_id: int,
    chunking: str,
    chunker: Chunker,
    embedder: Embedder,
    progress: VersionProgress,
) -> Generator[VersionProgress, None, int]:
    """Return the revision of a document with the new chunks, made and embedded unless it exists already."""
    with workspace.store.session() as session:
        old = session.get(Document, document_id)
        assert old is not None
        chunking += policies_of(old.chunking)  # its text is as policies left it
        known = session.exec(
            select(Document.id).where(
                Document.collection_id == old.collection_id,
                Document.source == old.source,
                Document.sha256 == old.sha256,
                Document.chunking == chunking,
                col(Document.complete),
            )
        ).first()
    if known is not None:
        return known
    places = tuple(Place(*place) for place in json.loads(old.places))
    markup = "markdown" if old.media_type in _MARKDOWN else "text"
    account = tuple(AccountLine(*line) for line in json.loads(old.account or "[]"))
    parsed = ParsedDocument(old.title, old.media_type, old.text, places, markup, account)
    chunks = chunker.split(parsed)
    texts = {chunk.text_hash: chunk.text for chunk in chunks}
    with workspace.store.session() as session:
        missing = sorted(
            missing_embeddings(session, embedder.fingerprint, texts, embedder.has_parts),
            key=lambda h: (-len(texts[h]), h),
        )
    for begin in range(0, len(missing), _ENCODE_BATCH):
        yield progress
        batch = missing[begin : begin + _ENCODE_BATCH]
        vectors, parts = workspace.encode_finely([texts[text_hash] for text_hash in batch], embedder)
        with workspace.store.session() as session:
            add_embeddings(session, embedder.fingerprint, batch, np.asarray(vectors))
            add_parts(session, embedder.fingerprint, batch, [(part.pieces, part.tokens) for part in parts])
    values = old.model_dump(exclude={"id"})
    values.update(
        chunking=chunking,
        **(account_columns(with_left_out(parsed, chunker.settings)) if old.account else {}),
        chunk_count=len(chunks),
        token_count=sum(chunk.token_count for chunk in chunks),
        created_ms=now_ms(),
        complete=True,
    )
    made = Document(**values)
    with workspace.store.session() as session:
        add_chunks(session, made, chunk_rows_of(chunks))
    assert made.id is not None
    return made.id


def _message(active: DatasetVersion, embedder: Embedder, settings: ChunkingSettings, lost: int) -> str:
    parts = []
    if embedder.fingerprint != active.embedder:
        parts.append(f"Embedder {embedder.name}")
    before = _settings_of(active)
    if (settings.max_tokens, settings.overlap_tokens) != (before.max_tokens, before.overlap_tokens):
        parts.append(f"chunks of {settings.max_tokens} tokens, {settings.overlap_tokens} shared")
    if settings.keep_encoded != before.keep_encoded:
        parts.append(f"{'with' if settings.keep_encoded else 'without'} encoded text")
    message = ", ".join(parts)
    if lost:
        message += f"; {counted(lost, 'excluded chunk')} no longer matched, so included again"
    return message[0].upper() + message[1:]
