"""What a person changes in a collection by hand. Each change is a version of its own and can be undone."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence

from sqlmodel import Session

from rag.errors import RagError
from rag.knowledge.rows import VersionMade, VersionProgress
from rag.knowledge.versions import VersionDraft, draft_of, make_version
from rag.storage.tables.knowledge import Collection
from rag.text.plurals import counted
from rag.workspace import Workspace

Steps = Generator[VersionProgress, None, VersionMade]

_MOST_ATTRIBUTES = 50
_LONGEST_VALUE = 2000


def remove_documents(workspace: Workspace, collection: str, document_ids: Sequence[int]) -> Steps:
    """Make a version without these documents. Older versions keep them."""

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        gone = set(draft.documents) & set(document_ids)
        if not gone:
            raise RagError("None of these documents is in the active version; nothing was removed.")
        drop_documents(session, draft, gone)
        draft.kind, draft.removed = "remove", len(gone)
        draft.message = f"Removed {_names(session, sorted(gone))}"
        return draft

    return make_version(workspace, collection, plan)


def edit_document(
    workspace: Workspace, collection: str, document_id: int, attributes: dict[str, str]
) -> Steps:
    """Make a version in which a document carries these attributes, in place of those it had."""
    clean = _checked(attributes)

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        if document_id not in draft.documents:
            raise RagError("This document is not in the active version; choose one that is.")
        if draft.documents[document_id] == clean:
            raise RagError("The metadata are the same as before; nothing was changed.")
        draft.documents[document_id] = clean
        draft.kind, draft.message = "metadata", f"Edited metadata of {_names(session, [document_id])}"
        return draft

    return make_version(workspace, collection, plan)


def exclude_chunks(workspace: Workspace, collection: str, chunk_ids: Sequence[int], reason: str) -> Steps:
    """Make a version that leaves these chunks out of search and answers."""
    reason = " ".join(reason.split())
    if not reason:
        raise RagError("Say why the chunk is left out; the reason stays in the version.")

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        new = _chunks_in(session, draft, chunk_ids) - set(draft.exclusions)
        if not new:
            raise RagError("These chunks are left out already, or not in the active version.")
        draft.exclusions.update(dict.fromkeys(sorted(new), reason))
        draft.kind, draft.message = "exclude", f"Excluded {counted(len(new), 'chunk')}: {reason}"
        return draft

    return make_version(workspace, collection, plan)


def include_chunks(workspace: Workspace, collection: str, chunk_ids: Sequence[int]) -> Steps:
    """Make a version that takes excluded chunks in again."""

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        back = set(draft.exclusions) & set(chunk_ids)
        if not back:
            raise RagError("None of these chunks is left out of the active version.")
        for chunk_id in back:
            del draft.exclusions[chunk_id]
        draft.kind, draft.message = "exclude", f"Included {counted(len(back), 'chunk')} again"
        return draft

    return make_version(workspace, collection, plan)


def drop_documents(session: Session, draft: VersionDraft, document_ids: set[int]) -> None:
    """Take documents and the exclusions of their chunks out of a draft."""
    for document_id in document_ids:
        del draft.documents[document_id]
    gone = {
        row[0]
        for row in session.connection().exec_driver_sql(
            "SELECT c.id FROM json_each(?) j CROSS JOIN chunk c ON c.document_id = j.value",
            (json.dumps(sorted(document_ids)),),
        )
    }
    for chunk_id in set(draft.exclusions) & gone:
        del draft.exclusions[chunk_id]


def replace_document(session: Session, draft: VersionDraft, old: int, new: int) -> int:
    """Put a new revision in the place of an old one; returns how many exclusions found no such text in it.

    Attributes stay, and so does the exclusion of every chunk whose text is in the new revision.
    """
    draft.documents[new] = draft.documents.pop(old)
    raw = session.connection()
    excluded = {
        row[0]: row[1]
        for row in raw.exec_driver_sql("SELECT id, text_hash FROM chunk WHERE document_id = ?", (old,))
        if row[0] in draft.exclusions
    }
    if not excluded:
        return 0
    reasons = {text_hash: draft.exclusions.pop(chunk_id) for chunk_id, text_hash in excluded.items()}
    kept = set()
    for chunk_id, text_hash in raw.exec_driver_sql(
        "SELECT id, text_hash FROM chunk WHERE document_id = ?", (new,)
    ):
        if text_hash in reasons:
            draft.exclusions[chunk_id] = reasons[text_hash]
            kept.add(text_hash)
    return len(set(reasons) - kept)


def _checked(attributes: dict[str, str]) -> str:
    """The attributes as they are stored. Raises RagError."""
    clean = {str(key).strip(): str(value).strip() for key, value in attributes.items()}
    clean = {key: value for key, value in sorted(clean.items()) if key and value}
    if len(clean) > _MOST_ATTRIBUTES:
        raise RagError(f"A document has at most {_MOST_ATTRIBUTES} metadata fields.")
    if any(len(key) > 100 or len(value) > _LONGEST_VALUE for key, value in clean.items()):
        raise RagError(
            f"A metadata name has at most 100 characters and a value at most {_LONGEST_VALUE:,}; shorten it."
        )
    return json.dumps(clean, ensure_ascii=False) if clean else ""


def _chunks_in(session: Session, draft: VersionDraft, chunk_ids: Sequence[int]) -> set[int]:
    rows = session.connection().exec_driver_sql(
        "SELECT c.id, c.document_id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
        (json.dumps(list(chunk_ids)),),
    )
    return {row[0] for row in rows if row[1] in draft.documents}


def _names(session: Session, document_ids: Sequence[int]) -> str:
    if len(document_ids) > 3:
        return f"{len(document_ids):,} documents"
    rows = session.connection().exec_driver_sql(
        "SELECT d.name FROM json_each(?) j JOIN document d ON d.id = j.value", (json.dumps(document_ids),)
    )
    return ", ".join(f"“{row[0]}”" for row in rows)
