"""Erases a document for good, from everywhere in the data folder.

Deleting rows is not enough. SQLite keeps deleted text in free pages and in its write-ahead log, Chroma keeps
it in its files, a copy made before a migration keeps all of it. So an erasure rewrites these, and ends with a
search through every file of the data folder for the sentences of the document.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Sequence
from dataclasses import replace

from sqlmodel import Session, select

from rag.errors import NotFoundError, RagError
from rag.governance.certificate import write_certificate
from rag.governance.compaction import vacuum
from rag.governance.erased_rows import ErasedRows, erase_rows, places_with
from rag.governance.rows import ErasureReport, ErasureState
from rag.governance.sentence_search import Sentences, search_files, sentences_of
from rag.knowledge.index_sync import refill_indexes
from rag.knowledge.rows import VersionProgress
from rag.storage import audit_log
from rag.storage.data_folder import DATABASE
from rag.storage.store import now_ms
from rag.storage.tables.governance import Erasure
from rag.text.plurals import counted
from rag.workspace import Workspace

# Copies of the data that the program itself leaves in the data folder.
_COPIES = (
    "ragdeck.before-*.sqlite",
    "before-restore-*",
    "restore.new",
    "restore.done",
    "chroma-copies",
)


def erase_document(
    workspace: Workspace, collection: str, document: str
) -> Generator[VersionProgress, None, ErasureReport]:
    """Erase a document, by name or path, with all its revisions, from every version, index and trace.

    Documents with the same content go with it, whatever collection they are in. Versions lose the document:
    it is the one change that they allow; they say so from then on, and so does the audit log.

    Raises:
        NotFoundError: No version of the collection has such a document.
        RagError: Several documents have this name, or the disk is full.
    """
    yield VersionProgress("finding", 0, 1)
    with workspace.store.session() as session:
        doomed = _find_revisions(session, collection, document)
        sentences = sorted({s for row in doomed for s in sentences_of(row[2])})
        ids = [row[0] for row in doomed]
        shared = _still_needed(session, ids, sentences)
    wanted = [s for s in sentences if s not in shared]
    yield VersionProgress("erasing", 0, 1)
    with workspace.store.session() as session:
        erased = _erase(session, collection, ids, wanted)
    workspace.forget_contents()
    notes = yield from _clean_files(workspace)
    yield VersionProgress("searching", 0, 1)
    found, files, size = yield from search_files(workspace.folder, wanted)
    with workspace.store.session() as session:
        found = _with_columns(session, found)
        _finish(session, len(found))
    report = ErasureReport(
        documents=tuple(dict.fromkeys(row[1] for row in doomed)),
        revisions=len(ids),
        chunks=erased.chunks,
        versions=len(erased.versions),
        traces=len(erased.traces),
        files_searched=files,
        bytes_searched=size,
        sentences=len(wanted),
        shared=len(shared),
        found=tuple(found),
        notes=tuple(notes),
    )
    path, digest = write_certificate(workspace, report, [row[3] for row in doomed])
    with workspace.store.session() as session:
        left = f"{counted(len(found), 'sentence')} found afterwards"
        done = counted(len(ids), "revision")
        audit_log.record(session, audit_log.Action.ERASURE_DONE, done, left, after=digest)
    return replace(report, certificate=path)


def is_erasing(workspace: Workspace) -> bool:
    """Return whether an erasure has not been finished."""
    with workspace.store.session() as session:
        return session.exec(select(Erasure).where(Erasure.state == ErasureState.CLEANING)).first() is not None


def finish_erasure(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Finish an erasure that a kill or a cancel interrupted; return what there is to say about it."""
    if not is_erasing(workspace):
        return []
    yield from _clean_files(workspace)
    with workspace.store.session() as session:
        _finish(session, None)
        audit_log.record(session, audit_log.Action.ERASURE_DONE, "finished at the next start")
    return [
        "An erasure was interrupted. The document was already gone; what was left of it in the files has now "
        "been removed."
    ]


def _erase(session: Session, collection: str, ids: Sequence[int], sentences: Sequence[str]) -> ErasedRows:
    """Take the documents out of the tables and note that the files are still to be cleaned, in one go."""
    session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
    erased = erase_rows(session, ids, sentences)
    begun = Erasure(
        collection=collection,
        document_ids=json.dumps(list(ids)),
        state=ErasureState.CLEANING,
        begun_ms=now_ms(),
    )
    session.add(begun)
    audit_log.record(
        session,
        audit_log.Action.DOCUMENT_ERASED,
        counted(len(ids), "revision"),
        f"{counted(len(erased.versions), 'version')}, {counted(len(erased.traces), 'trace')}, "
        f"{counted(erased.cases, 'evaluation case')}",
    )
    return erased


def _finish(session: Session, found_count: int | None) -> None:
    """Note that the files are clean, which holds for every erasure before."""
    for row in session.exec(select(Erasure).where(Erasure.state == ErasureState.CLEANING)).all():
        row.state, row.done_ms, row.found_count = ErasureState.DONE, now_ms(), found_count
        session.add(row)


def _find_revisions(session: Session, collection: str, document: str) -> list[tuple[int, str, str, str]]:
    """Return (id, name, text, sha256 of its file) of all revisions and of documents with the same content."""
    rows = (
        session.connection()
        .exec_driver_sql(
            """SELECT d.id, d.source, d.sha256 FROM document d JOIN collection c ON c.id = d.collection_id
               WHERE c.name = ? AND (d.name = ? OR d.source = ?)""",
            (collection, document, document),
        )
        .fetchall()
    )
    sources = {row[1] for row in rows}
    if not rows:
        raise NotFoundError(f"No version of “{collection}” contains a document “{document}”.")
    if len(sources) > 1:
        raise RagError(
            f"{len(sources)} documents are called “{document}”; give the path of the one to erase: "
            + ", ".join(sorted(sources)[:5])
        )
    found = session.connection().exec_driver_sql(
        """SELECT id, name, text, sha256 FROM document WHERE source IN (SELECT value FROM json_each(?))
           OR sha256 IN (SELECT value FROM json_each(?))""",
        (json.dumps(sorted(sources)), json.dumps(sorted({row[2] for row in rows}))),
    )
    return [(row[0], row[1], row[2], row[3]) for row in found]


def _still_needed(session: Session, doomed: Sequence[int], sentences: Sequence[str]) -> set[str]:
    """Return the sentences that documents which stay contain as well: they are not this document's alone."""
    wanted = Sentences(sentences)
    rows = session.connection().exec_driver_sql(
        "SELECT text FROM document WHERE id NOT IN (SELECT value FROM json_each(?))",
        (json.dumps(list(doomed)),),
    )
    return {sentence for row in rows for sentence in wanted.found_in(row[0])}


def _clean_files(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Rewrite what keeps deleted data: the index folder, the SQLite file, old copies, logs."""
    notes = []
    for pattern in _COPIES:
        for path in sorted(workspace.folder.glob(pattern)):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            notes.append(f"{path.name} was deleted because it contained the document as well")
    for path in workspace.folder.glob("engine.log*"):
        path.write_text("")
    yield from refill_indexes(workspace)
    yield VersionProgress("rewriting", 0, 1)
    vacuum(workspace)
    notes.append("backups that were made earlier still contain the document; delete them where they are")
    return notes


def _with_columns(session: Session, found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name the columns of what was found in the SQLite file, so that a person can change them."""
    columns = places_with(session, [sentence for name, sentence in found if name.startswith(DATABASE)])
    return [
        (
            f"{name}: {', '.join(columns[sentence])}" if sentence in columns and name == DATABASE else name,
            sentence,
        )
        for name, sentence in found
    ]
