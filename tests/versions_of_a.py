"""What tests ask about the collection “A” and its versions."""

from typing import Any

from rag.asking.retrieval import retrieve
from rag.index.vector_index import IndexPlace
from rag.knowledge.collections import open_version
from rag.knowledge.rows import (
    DocumentRow,
    get_collection,
    list_chunks,
    list_documents,
    list_version_documents,
    look_up_version,
    read_exclusions,
)
from rag.settings import RetrievalSettings
from rag.workspace import Workspace

QUESTIONS = ("tide at Bremen", "brightest star", "rye bread", "fact seven", "日本 の 山")


def version(workspace: Workspace, which: str = "active", name: str = "A") -> Any:
    return look_up_version(workspace.database, name, which)


def found(workspace: Workspace, question: str, which: int | str | None = None) -> list[tuple[int, str]]:
    collection, opened = open_version(workspace, "A", which)
    hits = retrieve(workspace, collection, opened, question, RetrievalSettings()).hits
    return [(hit.chunk_id, hit.dropped or "") for hit in hits]


def index_holds_the_active_version(workspace: Workspace) -> bool:
    row = get_collection(workspace.database, "A")
    with workspace.store.session() as session:
        key = session.connection().exec_driver_sql("SELECT index_key FROM collection WHERE id = ?", (row.id,))
        place = IndexPlace(str(key.scalar_one()))
    active = version(workspace)
    content = workspace.content(active.id, active.embedder)
    return sorted(workspace.index.hashes(place)) == sorted(set(content.hashes))


def snapshot(workspace: Workspace, which: str) -> tuple[Any, ...]:
    """Everything about a version that must never change."""
    row = version(workspace, which)
    documents = list_version_documents(workspace.database, row.id)
    return (
        row.number, row.message, row.fingerprint, row.document_count, row.chunk_count, row.token_count,
        sorted((d.source, d.sha256, d.attributes) for d in documents), read_exclusions(workspace.database, row.id),
        [found(workspace, question, row.number) for question in QUESTIONS],
    )  # fmt: skip


def documents_of(workspace: Workspace, which: str = "active") -> dict[str, DocumentRow]:
    """Return the documents of a version by name."""
    return {row.name: row for row in list_documents(workspace.database, version(workspace, which).id)}


def chunk_of(workspace: Workspace, name: str, position: int = 0) -> int:
    """Return the id of a chunk of a document of the active version."""
    return list_chunks(workspace.database, documents_of(workspace)[name].id)[position].id


def pending(workspace: Workspace) -> tuple[str, int | None]:
    """Return what the collection is in the middle of."""
    (row,) = workspace.database.cells(
        "SELECT pending_kind, pending_version_id FROM collection WHERE name = 'A'"
    )
    return row


def log(workspace: Workspace) -> list[tuple[str, str, str]]:
    """Return action, subject and detail of the audit log, the oldest first."""
    return workspace.database.cells("SELECT action, subject, detail FROM auditevent ORDER BY id")
