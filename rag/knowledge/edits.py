"""Changes that a person makes to a collection by hand. Each is a version of its own and can be undone."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlmodel import Session

from rag.errors import RagError
from rag.knowledge.rows import VersionKind
from rag.knowledge.versions import Steps, VersionDraft, draft_of, make_version
from rag.storage.tables.knowledge import Collection
from rag.text.plurals import counted
from rag.workspace import Workspace

_MOST_ATTRIBUTES = 50
_LONGEST_VALUE = 2000


def remove_documents(workspace: Workspace, collection: str, document_ids: Sequence[int]) -> Steps:
    """Make a version without these documents. Older versions still contain them."""

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        gone = set(draft.documents) & set(document_ids)
        if not gone:
            raise RagError("None of these documents is in the active version. Nothing was removed.")
        drop_documents(session, draft, gone)
        draft.kind, draft.removed = VersionKind.REMOVE, len(gone)
        draft.message = f"Removed {_names(session, sorted(gone))}"
        return draft

    return make_version(workspace, collection, plan)


def edit_document(
    workspace: Workspace, collection: str, document_id: int, attributes: dict[str, str]
) -> Steps:
    """Make a version in which a document has these attributes, which replace those that it had.

    Raises RagError when there are more than 50 or one is too long.
    """
    clean = _checked(attributes)

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        if document_id not in draft.documents:
            raise RagError("This document is not in the active version. Choose one that is.")
        if draft.documents[document_id] == clean:
            raise RagError("The metadata is the same as before. Nothing was changed.")
        draft.documents[document_id] = clean
        draft.kind = VersionKind.METADATA
        draft.message = f"Edited metadata of {_names(session, [document_id])}"
        return draft

    return make_version(workspace, collection, plan)


def exclude_chunks(workspace: Workspace, collection: str, chunk_ids: Sequence[int], reason: str) -> Steps:
    """Make a version that leaves these chunks out of search and answers.

    Raises RagError at once when there is no reason, which is stored in the version.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise RagError("Say why the chunk is excluded. The reason is stored with the version.")

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        new = _chunks_in(session, draft, chunk_ids) - set(draft.exclusions)
        if not new:
            raise RagError("These chunks are already excluded, or not in the active version.")
        draft.exclusions.update(dict.fromkeys(sorted(new), reason))
        draft.kind, draft.message = VersionKind.EXCLUDE, f"Excluded {counted(len(new), 'chunk')}: {reason}"
        return draft

    return make_version(workspace, collection, plan)


def include_chunks(workspace: Workspace, collection: str, chunk_ids: Sequence[int]) -> Steps:
    """Make a version that includes excluded chunks again."""

    def plan(session: Session, found: Collection) -> VersionDraft:
        draft = draft_of(session, found)
        back = set(draft.exclusions) & set(chunk_ids)
        if not back:
            raise RagError("None of these chunks is excluded from the active version.")
        for chunk_id in back:
            del draft.exclusions[chunk_id]
        draft.kind, draft.message = VersionKind.EXCLUDE, f"Included {counted(len(back), 'chunk')} again"
        return draft

    return make_version(workspace, collection, plan)


def drop_documents(session: Session, draft: VersionDraft, document_ids: set[int]) -> None:
    """Remove documents, and the exclusions of their chunks, from a draft."""
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
    """Replace an old revision by a new one; return how many excluded texts the new one no longer contains.

    Attributes stay, and so does the exclusion of every chunk whose text is in the new revision.

    Args:
        session: Reads the chunks of both revisions.
        draft: The draft that is changed.
        old: Document id of a revision in the draft.
        new: Document id of its successor.
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
    """Return the attributes as they are stored. Raises RagError for too many, or one that is too long."""
    clean = {str(key).strip(): str(value).strip() for key, value in attributes.items()}
    clean = {key: value for key, value in sorted(clean.items()) if key and value}
    if len(clean) > _MOST_ATTRIBUTES:
        raise RagError(f"A document can have at most {_MOST_ATTRIBUTES} metadata fields.")
    if any(len(key) > 100 or len(value) > _LONGEST_VALUE for key, value in clean.items()):
        raise RagError(
            f"A metadata name can have at most 100 characters and a value at most {_LONGEST_VALUE:,}. "
            "Shorten it."
        )
    return json.dumps(clean, ensure_ascii=False) if clean else ""


def _chunks_in(session: Session, draft: VersionDraft, chunk_ids: Sequence[int]) -> set[int]:
    """Return those of some chunks whose documents are in a draft."""
    rows = session.connection().exec_driver_sql(
        "SELECT c.id, c.document_id FROM json_each(?) j CROSS JOIN chunk c ON c.id = j.value",
        (json.dumps(list(chunk_ids)),),
    )
    return {row[0] for row in rows if row[1] in draft.documents}


def _names(session: Session, document_ids: Sequence[int]) -> str:
    """Return the names of up to three documents, or their number."""
    if len(document_ids) > 3:
        return f"{len(document_ids):,} documents"
    rows = session.connection().exec_driver_sql(
        "SELECT d.name FROM json_each(?) j JOIN document d ON d.id = j.value", (json.dumps(document_ids),)
    )
    return ", ".join(f"“{row[0]}”" for row in rows)
