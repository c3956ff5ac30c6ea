"""Looks into any Chroma, imports a collection from one, and exports a version to one.

Each function opens what it needs and closes it again. The copy of a Chroma folder stays in the data folder
until the original changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlmodel import Session, select

from rag.errors import RagError
from rag.index.browser import Batch, ChromaBrowser, export_batches
from rag.index.rows import ChromaCollection, ChromaPage
from rag.index.where import parse_where
from rag.knowledge.collections import (
    active_documents,
    content_of,
    find_collection,
    find_version,
    new_collection,
)
from rag.knowledge.edits import replace_document
from rag.knowledge.rows import ChromaImport, VersionKind, VersionProgress
from rag.knowledge.versions import VersionDraft, draft_of, make_version_of
from rag.models.embedding import Embedder
from rag.storage import audit_log
from rag.storage.store import add_chunks, add_embeddings, now_ms, text_vectors
from rag.storage.tables.knowledge import Chunk, Collection, Document
from rag.workspace import Workspace

COPIES = "chroma-copies"
_SOURCE_KEYS = ("source", "file", "filename", "file_name", "document", "path", "file_path", "url", "title")
_ORDER_KEYS = ("page", "page_number", "chunk", "chunk_index", "position", "index", "start", "start_index")
_SAMPLE = 16
_SAME = 0.98  # mean cosine from which an embedder is taken for the one that made the vectors
_EXPORT_BATCH = 500


class _Record(NamedTuple):
    """A record with a text, and its place among those of its document."""

    order: tuple[float, int]
    id: str
    text: str
    vector: np.ndarray


@dataclass
class _Reading:
    """What was read of a collection in Chroma.

    Attributes:
        source: Its folder or address.
        collection: Its name there.
        info: What Chroma says of it.
        groups: The records of each document, by what their metadata calls it.
        without_text: How many records have no text.
        likeness: Mean cosine of a sample's vectors with the embedder's; None: they cannot be compared.
    """

    source: str
    collection: str
    info: ChromaCollection
    groups: dict[str, list[_Record]] = field(default_factory=dict)
    without_text: int = 0
    likeness: float | None = None

    def add(self, record_id: str, text: str, metadata: dict[str, Any], vector: np.ndarray) -> None:
        if not text.strip():
            self.without_text += 1
            return
        group = self.groups.setdefault(_source_of(metadata, self.collection), [])
        group.append(_Record(_order_of(metadata, len(group)), record_id, text, vector))


@dataclass
class _Saved:
    """The documents that were written: address -> id; and how many texts are in one more than once."""

    documents: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0


def list_collections(workspace: Workspace, source: str) -> list[ChromaCollection]:
    """Return the collections of a Chroma folder or server."""
    with _browser(workspace, source) as browser:
        return browser.collections()


def list_records(
    workspace: Workspace,
    source: str,
    collection: str,
    where: str = "",
    contains: str = "",
    limit: int = 100,
    offset: int = 0,
) -> ChromaPage:
    """Return records in Chroma's order.

    Args:
        workspace: The open data folder.
        source: A Chroma folder, or the address of a server.
        collection: The name of the collection there.
        where: A filter on metadata, as in `page > 3 and source = "a.pdf"`.
        contains: A part of the text.
        limit: The most records to return.
        offset: How many to skip.
    """
    condition = parse_where(where)
    with _browser(workspace, source) as browser:
        return browser.page(collection, limit, offset, condition, contains.strip())


def search_text(
    workspace: Workspace,
    source: str,
    collection: str,
    text: str,
    where: str = "",
    embedder_folder: str = "",
    count: int = 50,
) -> ChromaPage:
    """Return the records nearest to a text.

    Raises RagError unless the embedder, the starter by default, gives the vectors of a sample of the records.

    Args:
        workspace: The open data folder.
        source: A Chroma folder, or the address of a server.
        collection: The name of the collection there.
        text: What to search for.
        where: A filter on metadata.
        embedder_folder: The sentence-transformers folder that made the vectors.
        count: The most records to return.
    """
    if not text.strip():
        raise RagError("There is nothing to search for. Type some words.")
    condition = parse_where(where)
    embedder = _embedder(workspace, embedder_folder)
    with _browser(workspace, source) as browser:
        sample = next(browser.batches(collection), None)
        likeness = _likeness(workspace, embedder, sample) if sample is not None else None
        if likeness is not None and likeness < _SAME:
            raise RagError(
                f"The vectors of “{collection}” were not made by {embedder.name} (mean cosine {likeness:.2f} "
                f"for {_SAMPLE} records). Name the embedder that made them, or search by a record's vector."
            )
        vector = workspace.encode([text], embedder)[0]
        return browser.search(collection, vector.tolist(), count, condition)


def search_like(
    workspace: Workspace, source: str, collection: str, record_id: str, where: str = "", count: int = 50
) -> ChromaPage:
    """Return the records nearest to a record's vector; no embedder is needed."""
    condition = parse_where(where)
    with _browser(workspace, source) as browser:
        return browser.search(collection, browser.vector_of(collection, record_id).tolist(), count, condition)


def import_collection(
    workspace: Workspace, source: str, collection: str, name: str, embedder_folder: str = ""
) -> Generator[VersionProgress, None, ChromaImport]:
    """Import a Chroma collection as a version of one of ours, with its own vectors.

    Records become chunks, grouped into documents by what their metadata says of their source. When an
    available embedder gives the same vectors for a sample, it is taken for the one that made them; otherwise
    they belong to an unknown one, and questions by text are refused.

    Args:
        workspace: The open data folder.
        source: A Chroma folder, or the address of a server.
        collection: The name of the collection there.
        name: The name of ours; empty: the same.
        embedder_folder: A sentence-transformers folder that is said to have made the vectors.

    Raises:
        RagError: There is no text, the named embedder did not make the vectors, or our collection has vectors
            of
            another one.
    """
    name = name.strip() or collection
    embedder = _embedder(workspace, embedder_folder)
    reading = yield from _read_records(workspace, source, collection, embedder)
    known = reading.likeness is not None and reading.likeness >= _SAME
    if embedder_folder and not known:
        raise RagError(
            f"The embedder in {embedder_folder} did not make the vectors of “{collection}”. Name another."
        )
    dimension = reading.info.dimension
    label = embedder.name if known else f"unknown (imported from Chroma, {dimension} dimensions)"
    fingerprint = embedder.fingerprint if known else _unknown_fingerprint(source, collection)
    target = _target(workspace, name, fingerprint, label)
    saved = yield from _save_documents(workspace, target, reading)
    assert target.id is not None
    made = yield from make_version_of(workspace, target.id, lambda s, c: _plan(s, c, reading, saved))
    return ChromaImport(
        collection=name,
        number=made.number,
        documents=len(reading.groups),
        chunks=sum(len(records) for records in reading.groups.values()),
        without_text=reading.without_text,
        duplicates=saved.duplicates,
        embedder=label,
        known=known,
    )


def export_version(
    workspace: Workspace, collection: str, target: str, name: str = "", version: int | str | None = None
) -> Generator[VersionProgress, None, int]:
    """Write a version's chunks with vectors and metadata to a new Chroma folder, or to a server.

    Return the number of records. The distance is cosine; the ids are those of the chunks.

    Args:
        workspace: The open data folder.
        collection: The name of our collection.
        target: A folder that does not exist yet, or the address of a server.
        name: The name of the collection there; by default ragdeck-v and the version's number.
        version: A number or a tag; by default the active version.
    """
    with workspace.store.session() as session:
        chosen = find_version(session, find_collection(session, collection), version)
    content = content_of(workspace, chosen)
    if len(content.ids) == 0:
        raise RagError(
            f"Version {chosen.number} of “{collection}” contains no chunks: there is nothing to export."
        )
    metadata = {
        "ragdeck_collection": collection,
        "ragdeck_version": chosen.number,
        "ragdeck_fingerprint": chosen.fingerprint,
        "ragdeck_embedder": chosen.embedder_name,
    }
    total = len(content.ids)
    batches = _version_batches(workspace, content.ids.tolist(), chosen.embedder)
    title = name.strip() or f"ragdeck-v{chosen.number}"
    done = 0
    for done in export_batches(target, title, batches, metadata):
        yield VersionProgress("exporting", done, total)
    with workspace.store.session() as session:
        audit_log.record(
            session, audit_log.Action.VERSION_EXPORTED, collection, f"version {chosen.number} to {target}"
        )
    return done


def _browser(workspace: Workspace, source: str) -> ChromaBrowser:
    return ChromaBrowser(source, workspace.folder / COPIES)


def _embedder(workspace: Workspace, folder: str) -> Embedder:
    if not folder.strip():
        return workspace.embedder
    return workspace.add_embedder(Embedder(Path(folder).expanduser().absolute()))


def _likeness(workspace: Workspace, embedder: Embedder, batch: Batch) -> float | None:
    """Return the mean cosine between some records' vectors and what an embedder makes of their texts."""
    _, texts, _, vectors = batch
    rows = [row for row, text in enumerate(texts) if text.strip()][:_SAMPLE]
    if not rows:
        return None
    if vectors.shape[1] != embedder.dimension:
        return 0.0
    ours = workspace.encode([texts[row] for row in rows], embedder)
    return float(np.mean(np.sum(ours * _normalised(vectors[rows]), axis=1)))


def _normalised(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(
        vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12), dtype=np.float32
    )


def _unknown_fingerprint(source: str, collection: str) -> str:
    return f"chroma-{hashlib.sha256(f'{source}|{collection}'.encode()).hexdigest()[:16]}"


def _target(workspace: Workspace, name: str, fingerprint: str, label: str) -> Collection:
    """Return the collection to import into: a new one, or one with vectors of the same embedder."""
    with workspace.store.session() as session:
        found = session.exec(select(Collection).where(Collection.name == name)).first()
        if found is None:
            found = new_collection(name, fingerprint, label, workspace.settings.chunking.model_dump_json())
            session.add(found)
            audit_log.record(session, audit_log.Action.COLLECTION_MADE, name)
        elif found.embedder != fingerprint:
            raise RagError(
                f"“{name}” contains vectors of {found.embedder_name}, and these are of {label}: they cannot "
                "be compared. Import into a new collection."
            )
        return found


def _read_records(
    workspace: Workspace, source: str, collection: str, embedder: Embedder
) -> Generator[VersionProgress, None, _Reading]:
    """Read all records that have a text. Raises RagError when none has."""
    with _browser(workspace, source) as browser:
        reading = _Reading(source, collection, browser.describe(collection))
        done = 0
        for batch in browser.batches(collection):
            if done == 0 and batch[3].shape[1] == embedder.dimension:
                reading.likeness = _likeness(workspace, embedder, batch)
            for record_id, text, metadata, vector in zip(*batch, strict=True):
                reading.add(record_id, text, metadata, vector)
            done += len(batch[0])
            yield VersionProgress("reading", done, reading.info.count)
    if not reading.groups:
        raise RagError(
            f"“{collection}” contains no text ({reading.info.count:,} records). There is nothing to import."
        )
    return reading


def _save_documents(
    workspace: Workspace, target: Collection, reading: _Reading
) -> Generator[VersionProgress, None, _Saved]:
    """Write each group of records as a document, in a transaction of its own."""
    saved = _Saved()
    for number, (key, records) in enumerate(sorted(reading.groups.items())):
        yield VersionProgress("saving", number, len(reading.groups))
        records.sort(key=lambda record: record.order)
        address = f"chroma:{reading.source}/{reading.collection}/{key}"
        saved.documents[address], again = _save(workspace, target, address, key, records)
        saved.duplicates += again
    return saved


def _plan(session: Session, target: Collection, reading: _Reading, saved: _Saved) -> VersionDraft:
    """Draft the active version with the imported documents, those of an earlier import replaced."""
    draft = draft_of(session, target)
    present = {source: document for document, source, _, _ in active_documents(session, target)}
    replaced = 0
    for address, document in saved.documents.items():
        if address in present and present[address] != document:
            replace_document(session, draft, present[address], document)
            replaced += 1
        else:
            draft.documents.setdefault(document, "")
    draft.added, draft.replaced = len(saved.documents) - replaced, replaced
    draft.kind = VersionKind.IMPORT
    draft.message = f"Imported “{reading.collection}” from Chroma"
    if reading.info.space != "cosine":
        draft.message += f"; its distance was {reading.info.space}, here it is cosine"
    return draft


def _source_of(metadata: dict[str, Any], collection: str) -> str:
    for key in _SOURCE_KEYS:
        if metadata.get(key):
            return str(metadata[key])
    return collection


def _order_of(metadata: dict[str, Any], listed: int) -> tuple[float, int]:
    for key in _ORDER_KEYS:
        value = metadata.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value), listed
    return 0.0, listed


def _save(
    workspace: Workspace, target: Collection, address: str, key: str, records: Sequence[_Record]
) -> tuple[int, int]:
    """Write one document with its chunks and vectors; return its id and the number of repeated texts."""
    tokenizer = workspace.embedder.tokenizer
    encoded = tokenizer.encode_batch([record.text for record in records], add_special_tokens=False)
    counts = [len(tokens.ids) for tokens in encoded]
    chunks, position = [], 0
    for number, (record, tokens) in enumerate(zip(records, counts, strict=True)):
        chunks.append(
            Chunk(
                document_id=0, position=number, start=position, end=position + len(record.text),
                text=record.text, text_hash=_text_hash(record.text), token_count=tokens, place=record.id[:80],
                place_kind="record",
            )
        )  # fmt: skip
        position += len(record.text) + 2
    whole = "\n\n".join(record.text for record in records)
    document = Document(
        collection_id=target.id or 0, source=address, name=Path(key).name or key, title=key,
        media_type="text/plain", sha256=_text_hash(whole), size_bytes=len(whole.encode("utf-8", "replace")),
        text=whole, places="[]", account="[]", chunking="imported", chunk_count=len(chunks),
        token_count=sum(counts), created_ms=now_ms(), complete=True,
    )  # fmt: skip
    hashes = [chunk.text_hash for chunk in chunks]
    vectors = _normalised(np.stack([record.vector for record in records]))
    with workspace.store.session() as session:
        known = session.exec(
            select(Document.id).where(
                Document.collection_id == target.id,
                Document.source == document.source,
                Document.sha256 == document.sha256,
            )
        ).first()
        if known is not None:
            return known, 0
        add_embeddings(session, target.embedder, hashes, vectors)
        add_chunks(session, document, chunks)
    assert document.id is not None
    return document.id, len(hashes) - len(set(hashes))


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _version_batches(workspace: Workspace, chunk_ids: list[int], embedder: str) -> Iterator[Batch]:
    for begin in range(0, len(chunk_ids), _EXPORT_BATCH):
        part = chunk_ids[begin : begin + _EXPORT_BATCH]
        with workspace.store.session() as session:
            rows = (
                session.connection()
                .exec_driver_sql(
                    """SELECT c.id, c.text, c.text_hash, c.position, c.place, c.start, c."end",
                          d.name, d.source
                   FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value
                   JOIN document d ON d.id = c.document_id""",
                    (json.dumps(part),),
                )
                .fetchall()
            )
            vectors = text_vectors(session, embedder, [row[2] for row in rows])
        metadata = [
            {"document": r[7], "source": r[8], "position": r[3], "place": r[4], "start": r[5], "end": r[6]}
            for r in rows
        ]
        yield (
            [str(r[0]) for r in rows],
            [r[1] for r in rows],
            metadata,
            np.stack([vectors[r[2]] for r in rows]),
        )
