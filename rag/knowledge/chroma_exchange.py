"""The Chroma console's operations: look into any Chroma, take a collection over, hand a version out.

Each opens what it needs and closes it again. The copy of a folder is kept in the data folder until the folder
changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlmodel import Session, select

from rag.errors import RagError
from rag.index.browser import Batch, ChromaBrowser, export_batches
from rag.index.rows import ChromaCollection, ChromaPage
from rag.index.where import parse_where
from rag.knowledge.collections import active_documents, find_collection, find_version, new_collection
from rag.knowledge.edits import replace_document
from rag.knowledge.rows import ChromaImport, VersionKind, VersionProgress
from rag.knowledge.versions import VersionDraft, draft_of, make_version
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


def list_collections(workspace: Workspace, source: str) -> list[ChromaCollection]:
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
    """Records in Chroma's order; where is a filter as in `page > 3 and source = "a.pdf"`."""
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
    """The records nearest to a text, by the named embedder or the starter.

    Refused unless re-embedding some records' texts gives their vectors.
    """
    if not text.strip():
        raise RagError("There is nothing to search for; type some words.")
    condition = parse_where(where)
    embedder = _embedder(workspace, embedder_folder)
    with _browser(workspace, source) as browser:
        sample = next(browser.batches(collection), None)
        likeness = _likeness(workspace, embedder, sample) if sample is not None else None
        if likeness is not None and likeness < _SAME:
            raise RagError(
                f"The vectors of “{collection}” are not those of {embedder.name} (mean cosine {likeness:.2f} of "
                f"{_SAMPLE} records): name the embedder that made them, or search by a record's vector."
            )
        vector = workspace.encode([text], embedder)[0]
        return browser.search(collection, vector.tolist(), count, condition)


def search_like(
    workspace: Workspace, source: str, collection: str, record_id: str, where: str = "", count: int = 50
) -> ChromaPage:
    """The records nearest to a record's vector; no embedder is needed."""
    condition = parse_where(where)
    with _browser(workspace, source) as browser:
        return browser.search(collection, browser.vector_of(collection, record_id).tolist(), count, condition)


def import_collection(
    workspace: Workspace, source: str, collection: str, name: str, embedder_folder: str = ""
) -> Generator[VersionProgress, None, ChromaImport]:
    """Take a Chroma collection over as a version of one of ours, with its own vectors.

    Records become chunks, grouped into documents by what their metadata say of their source. When an embedder
    at hand gives the same vectors for a sample, the vectors are known to be its; else they are of an unknown
    one, and questions by text are refused.
    """
    name = name.strip() or collection
    embedder = _embedder(workspace, embedder_folder)
    with _browser(workspace, source) as browser:
        info = browser.describe(collection)
        groups: dict[str, list[tuple[Any, str, str, np.ndarray]]] = {}
        without_text = done = 0
        likeness: float | None = None
        for batch in browser.batches(collection):
            if done == 0 and batch[3].shape[1] == embedder.dimension:
                likeness = _likeness(workspace, embedder, batch)
            for record_id, text, metadata, vector in zip(*batch, strict=True):
                if text.strip():
                    group = groups.setdefault(_source_of(metadata, collection), [])
                    group.append((_order_of(metadata, len(group)), record_id, text, vector))
                else:
                    without_text += 1
            done += len(batch[0])
            yield VersionProgress("reading", done, info.count)
    if not groups:
        raise RagError(
            f"“{collection}” holds no text ({info.count:,} records): there is nothing to answer from."
        )
    if embedder_folder and (likeness is None or likeness < _SAME):
        raise RagError(
            f"The embedder in {embedder_folder} does not give the vectors of “{collection}”; name another."
        )
    known = likeness is not None and likeness >= _SAME
    print_ = embedder.fingerprint if known else _unknown_fingerprint(source, collection)
    label = embedder.name if known else f"unknown (imported from Chroma, {info.dimension} dimensions)"
    found = _target(workspace, name, print_, label)
    duplicates = 0
    new_ids: dict[str, int] = {}
    for number, (key, records) in enumerate(sorted(groups.items())):
        yield VersionProgress("saving", number, len(groups))
        records.sort(key=lambda record: record[0])
        new_ids[_address(source, collection, key)], again = _save(
            workspace, found, source, collection, key, records, print_
        )
        duplicates += again

    def plan(session: Session, target: Collection) -> VersionDraft:
        draft = draft_of(session, target)
        present = {s: document for document, s, _, _ in active_documents(session, target)}
        replaced = 0
        for address, document in new_ids.items():
            if address in present and present[address] != document:
                replace_document(session, draft, present[address], document)
                replaced += 1
            else:
                draft.documents.setdefault(document, "")
        draft.added, draft.replaced, draft.kind = len(new_ids) - replaced, replaced, VersionKind.IMPORT
        draft.message = f"Imported “{collection}” from Chroma"
        if info.space != "cosine":
            draft.message += f"; its distance was {info.space}, here it is cosine"
        return draft

    made = yield from make_version(workspace, name, plan)
    return ChromaImport(
        name,
        made.number,
        len(groups),
        sum(len(records) for records in groups.values()),
        without_text,
        duplicates,
        label,
        known,
    )


def export_version(
    workspace: Workspace, collection: str, target: str, name: str = "", version: int | str | None = None
) -> Generator[VersionProgress, None, int]:
    """Write a version's chunks with vectors and metadata to a fresh Chroma folder, or to a server.

    Returns the number of records. Distance: cosine. Ids are those of the chunks.
    """
    with workspace.store.session() as session:
        chosen = find_version(session, find_collection(session, collection), version)
    content = workspace.content(chosen.id or 0, chosen.embedder)
    if len(content.ids) == 0:
        raise RagError(
            f"Version {chosen.number} of “{collection}” holds no chunk: there is nothing to export."
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
        audit_log.record(session, "version exported", collection, f"version {chosen.number} to {target}")
    return done


def _browser(workspace: Workspace, source: str) -> ChromaBrowser:
    return ChromaBrowser(source, workspace.folder / COPIES)


def _embedder(workspace: Workspace, folder: str) -> Embedder:
    if not folder.strip():
        return workspace.embedder
    return workspace.add_embedder(Embedder(Path(folder).expanduser().absolute()))


def _likeness(workspace: Workspace, embedder: Embedder, batch: Batch) -> float | None:
    """Mean cosine between the vectors of some records and what an embedder makes of their texts."""
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
    """The collection to import into: a new one, or one with vectors of the same embedder."""
    with workspace.store.session() as session:
        found = session.exec(select(Collection).where(Collection.name == name)).first()
        if found is None:
            found = new_collection(name, fingerprint, label, workspace.settings.chunking.model_dump_json())
            session.add(found)
            audit_log.record(session, "collection made", name)
        elif found.embedder != fingerprint:
            raise RagError(
                f"“{name}” holds vectors of {found.embedder_name}, and these are of {label}: they cannot be "
                "compared. Import into a new collection."
            )
        return found


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


def _address(source: str, collection: str, key: str) -> str:
    return f"chroma:{source}/{collection}/{key}"


def _save(
    workspace: Workspace,
    target: Collection,
    source: str,
    collection: str,
    key: str,
    records: list[tuple[Any, str, str, np.ndarray]],
    fingerprint: str,
) -> tuple[int, int]:
    """Write one document with its chunks and vectors; returns its id and how many texts stood there twice."""
    tokenizer = workspace.embedder.tokenizer
    counts = [len(e.ids) for e in tokenizer.encode_batch([r[2] for r in records], add_special_tokens=False)]
    chunks, texts, position = [], [], 0
    for number, ((_, record_id, text, _), tokens) in enumerate(zip(records, counts, strict=True)):
        chunks.append(
            Chunk(
                document_id=0, position=number, start=position, end=position + len(text), text=text,
                text_hash=_text_hash(text), token_count=tokens, place=record_id[:80], place_kind="record",
            )
        )  # fmt: skip
        texts.append(text)
        position += len(text) + 2
    whole = "\n\n".join(texts)
    document = Document(
        collection_id=target.id or 0, source=_address(source, collection, key), name=Path(key).name or key,
        title=key, media_type="text/plain", sha256=_text_hash(whole), size_bytes=len(whole.encode("utf-8", "replace")),
        text=whole, places="[]", chunking="imported", chunk_count=len(chunks), token_count=sum(counts),
        created_ms=now_ms(), complete=True,
    )  # fmt: skip
    hashes = [chunk.text_hash for chunk in chunks]
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
        add_embeddings(session, fingerprint, hashes, _normalised(np.stack([r[3] for r in records])))
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
                    """SELECT c.id, c.text, c.text_hash, c.position, c.place, c.start, c."end", d.name, d.source
                   FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value JOIN document d ON d.id = c.document_id""",
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
