"""Removes for good: a document from everywhere, and what no version needs.

Deleting rows is not enough. SQLite keeps deleted text in free pages and in its write-ahead log, Chroma keeps
it in its files, a copy made before a migration keeps all of it. So an erasure ends with a search through
every file of the data folder for the sentences of the document.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from sqlmodel import Session, select

from rag.errors import NotFoundError, RagError
from rag.evaluation.sets import redact_cases
from rag.governance.rows import CompactReport, ErasureReport
from rag.knowledge.collections import delete_documents, index_place
from rag.knowledge.rows import VersionProgress
from rag.knowledge.trials import orphan_documents
from rag.knowledge.versions import document_facts, excluded_facts, fill_trial, sync_index
from rag.storage import audit_log
from rag.storage.fingerprints import content_fingerprint, texts_fingerprint
from rag.storage.store import version_texts
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.text.search_terms import indexed_text
from rag.workspace import Workspace

ERASED = "[erased]"
_MADE_FROM_IT = "[erased: this answer was made from a document that was erased]"
_BEGUN, _DONE = "erasure begun", "erasure done"
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+|(?<=[。！？])")
_SHORTEST = 24  # bytes of UTF-8: shorter ones ("Thank you.") say nothing about where they come from
_BLOCK = 1 << 22
_TABLE_BITS = 22
_COPIES = (
    "ragdeck.before-*.sqlite",
    "before-restore-*",
    "restore.new",
    "restore.done",
    "chroma-copies",
)
_TRACE_TEXTS = ("question", "answer", "prompt", "error")


def erase_document(
    workspace: Workspace, collection: str, document: str
) -> Generator[VersionProgress, None, ErasureReport]:
    """Erase a document, by name or path, with all its revisions from every version, index and trace.

    Documents with the same content go with it, in whatever collection they are. Versions lose the document:
    it is the one change that they allow, and it is in their message and in the audit log.
    """
    yield VersionProgress("finding", 0, 1)
    with workspace.store.session() as session:
        doomed = _find_revisions(session, collection, document)
        sentences = sorted({s for _, _, text in doomed for s in sentences_of(text)})
        ids = [row[0] for row in doomed]
        kept = _still_needed(session, ids, sentences)
    wanted = [s for s in sentences if s not in kept]
    yield VersionProgress("erasing", 0, 1)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
        audit_log.record(session, _BEGUN, f"{len(ids)} revisions")
        sources = _sources(session, ids)
        chunk_count, versions = _erase_rows(session, ids)
        traces = _redact_traces(session, ids, wanted)
        cases = _redact_cases(session, ids, sources, wanted)
        _redact_monitors(session, wanted)
        _redact_people(session, ids, wanted)
        audit_log.record(
            session,
            "document erased",
            f"{len(ids)} revisions",
            f"{versions} versions, {traces} traces, {cases} evaluation cases",
        )
    workspace.forget_contents()
    notes = yield from _clean_files(workspace)
    yield VersionProgress("searching", 0, 1)
    found, files, size = yield from search_files(workspace.folder, wanted)
    with workspace.store.session() as session:
        audit_log.record(session, _DONE, f"{len(ids)} revisions", f"{len(found)} sentences found afterwards")
    return ErasureReport(
        documents=tuple(dict.fromkeys(row[1] for row in doomed)),
        revisions=len(ids),
        chunks=chunk_count,
        versions=versions,
        traces=traces,
        files_searched=files,
        bytes_searched=size,
        sentences=len(wanted),
        shared=len(kept),
        found=tuple(found),
        notes=tuple(notes),
    )


def finish_erasure(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """After a kill in the middle of an erasure: remove what it left in the files; says so."""
    with workspace.store.session() as session:
        last = session.connection().exec_driver_sql(
            "SELECT action FROM auditevent WHERE action IN (?, ?) ORDER BY id DESC LIMIT 1", (_BEGUN, _DONE)
        )
        if last.scalar_one_or_none() != _BEGUN:
            return []
    yield from _clean_files(workspace)
    with workspace.store.session() as session:
        audit_log.record(session, _DONE, "finished at the next start")
    return [
        "An erasure was interrupted when the program ended. The document was gone already; what was left of it "
        "in the files has been removed now."
    ]


def compact(workspace: Workspace) -> Generator[VersionProgress, None, CompactReport]:
    """Remove what no version needs: documents of cancelled ingests, vectors without a text, old indexes."""
    before = _folder_bytes(workspace.folder)
    yield VersionProgress("compacting", 0, 3)
    with workspace.store.session() as session:
        orphans = orphan_documents(session)
        delete_documents(session, orphans)
        raw = session.connection()
        vectors = raw.exec_driver_sql(
            "DELETE FROM embedding WHERE NOT EXISTS (SELECT 1 FROM chunk c WHERE c.text_hash = embedding.text_hash)"
        ).rowcount
        keys = {row.index_key for row in session.exec(select(Collection)).all() if not row.index_server}
        keys |= {v.trial_key for v in session.exec(select(DatasetVersion)).all() if v.trial_key}
        audit_log.record(session, "compacted", "data folder", f"{len(orphans)} documents, {vectors} vectors")
    dropped = [key for key in workspace.index.collection_names() if key not in keys]
    yield VersionProgress("compacting", 1, 3)
    yield from _refill_index(workspace)
    yield VersionProgress("compacting", 2, 3)
    _vacuum(workspace)
    return CompactReport(len(orphans), vectors, len(dropped), before, _folder_bytes(workspace.folder))


def sentences_of(text: str) -> set[str]:
    """The sentences of a text that are long enough to be told from others, without surrounding space."""
    found = (part.strip() for part in _SENTENCE_END.split(text))
    return {part for part in found if len(part.encode("utf-8", "surrogatepass")) >= _SHORTEST}


def search_files(
    folder: Path, sentences: Sequence[str]
) -> Generator[VersionProgress, None, tuple[list[tuple[str, str]], int, int]]:
    """Look for sentences in the bytes of every file below a folder, as UTF-8 and as JSON escapes them.

    Returns what was found, the number of files and of bytes. SQLite cuts long texts at page ends: a sentence
    that stands across one is not seen, its neighbours are.
    """
    needles: dict[bytes, str] = {}
    for sentence in sentences:
        for form in {sentence, json.dumps(sentence)[1:-1], json.dumps(sentence, ensure_ascii=False)[1:-1]}:
            raw = form.encode("utf-8", "surrogatepass")
            needles[raw] = sentence
    finder = _Finder(list(needles))
    found: dict[tuple[str, str], None] = {}
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    size = 0
    for number, path in enumerate(files):
        yield VersionProgress("searching", number, len(files))
        name = path.relative_to(folder).as_posix()
        try:
            with path.open("rb") as file:
                for raw in finder.search(file):
                    found[name, needles[raw]] = None
            size += path.stat().st_size
        except OSError:
            continue  # it went meanwhile: a write-ahead log that was checkpointed
    return list(found), len(files), size


class _Finder:
    """Finds many byte strings at once: a table over hashed 8-byte beginnings, then a comparison."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._longest = max((len(n) for n in needles), default=0)
        self._by_head: dict[int, list[bytes]] = {}
        self._table = np.zeros(1 << _TABLE_BITS, dtype=bool)
        for needle in needles:
            head = int.from_bytes(needle[:8], "little")
            self._by_head.setdefault(head, []).append(needle)
        if self._by_head:
            self._table[_hashed(np.array(list(self._by_head), dtype=np.uint64))] = True

    def search(self, file: BinaryIO) -> Iterator[bytes]:
        """Every needle that the file holds, perhaps more than once."""
        tail = b""
        while self._by_head and (block := file.read(_BLOCK)):
            data = tail + block
            for offset in range(min(8, max(len(data) - 7, 0))):
                words = np.frombuffer(data, dtype="<u8", count=(len(data) - offset) // 8, offset=offset)
                for row in np.flatnonzero(self._table[_hashed(words)]):
                    for needle in self._by_head.get(int(words[row]), ()):
                        if data.startswith(needle, int(row) * 8 + offset):
                            yield needle
            tail = data[-self._longest :]


def _hashed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    return (words * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - _TABLE_BITS)


# --- rows -------------------------------------------------------------------------------------------------


def _find_revisions(session: Session, collection: str, document: str) -> list[tuple[int, str, str]]:
    """(id, name, text) of all revisions of a document, and of documents with the same content anywhere."""
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
        raise NotFoundError(f"“{collection}” has no document “{document}” in any of its versions.")
    if len(sources) > 1:
        raise RagError(
            f"“{document}” is the name of {len(sources)} documents; give the path of the one to erase: "
            + ", ".join(sorted(sources)[:5])
        )
    found = session.connection().exec_driver_sql(
        """SELECT id, name, text FROM document WHERE source IN (SELECT value FROM json_each(?))
           OR sha256 IN (SELECT value FROM json_each(?))""",
        (json.dumps(sorted(sources)), json.dumps(sorted({row[2] for row in rows}))),
    )
    return [(row[0], row[1], row[2]) for row in found]


def _still_needed(session: Session, doomed: Sequence[int], sentences: Sequence[str]) -> set[str]:
    """Sentences that documents which stay hold too: they are not this document's alone."""
    needles = {s.encode("utf-8", "surrogatepass"): s for s in sentences}
    finder = _Finder(list(needles))
    found: set[str] = set()
    rows = session.connection().exec_driver_sql(
        "SELECT text FROM document WHERE id NOT IN (SELECT value FROM json_each(?))",
        (json.dumps(list(doomed)),),
    )
    for row in rows:
        data = io.BytesIO(row[0].encode("utf-8", "surrogatepass"))
        found.update(needles[raw] for raw in finder.search(data))
    return found


def _erase_rows(session: Session, ids: Sequence[int]) -> tuple[int, int]:
    """Delete the documents and all that hangs on them; returns chunks and versions that lost something."""
    raw = session.connection()
    listed = json.dumps(list(ids))
    mine = "SELECT value FROM json_each(?)"
    affected = [
        row[0]
        for row in raw.exec_driver_sql(
            f"SELECT DISTINCT version_id FROM versiondocument WHERE document_id IN ({mine})", (listed,)
        )
    ]
    hashes = [
        row[0]
        for row in raw.exec_driver_sql(
            f"SELECT DISTINCT text_hash FROM chunk WHERE document_id IN ({mine})", (listed,)
        )
    ]
    chunks = raw.exec_driver_sql(f"SELECT count(*) FROM chunk WHERE document_id IN ({mine})", (listed,))
    chunk_count = int(chunks.scalar_one())
    raw.exec_driver_sql(
        f"DELETE FROM versionexclusion WHERE chunk_id IN (SELECT id FROM chunk WHERE document_id IN ({mine}))",
        (listed,),
    )
    raw.exec_driver_sql(f"DELETE FROM versiondocument WHERE document_id IN ({mine})", (listed,))
    delete_documents(session, list(ids))
    gone = [
        row[0]
        for row in raw.exec_driver_sql(
            "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM chunk c WHERE c.text_hash = value)",
            (json.dumps(hashes),),
        )
    ]
    raw.exec_driver_sql(f"DELETE FROM embedding WHERE text_hash IN ({mine})", (json.dumps(gone),))
    _forget_verification_queries(session)
    for version_id in affected:
        _recount(session, version_id)
    raw.exec_driver_sql("INSERT INTO chunk_fts (chunk_fts) VALUES ('optimize')")
    raw.exec_driver_sql("UPDATE collection SET index_version_id = NULL")
    return chunk_count, len(affected)


def _forget_verification_queries(session: Session) -> None:
    """Stored hits change when passages go, and an automatic query may be made of the erased words."""
    raw = session.connection()
    raw.exec_driver_sql("DELETE FROM verificationresult")
    raw.exec_driver_sql("DELETE FROM questionvector")  # of answers, too; made again when they are needed
    raw.exec_driver_sql("DELETE FROM verificationquery WHERE NOT by_person")


def _recount(session: Session, version_id: int) -> None:
    version = session.get(DatasetVersion, version_id)
    assert version is not None
    raw = session.connection()
    documents = {
        row[0]: row[1]
        for row in raw.exec_driver_sql(
            "SELECT document_id, attributes FROM versiondocument WHERE version_id = ?", (version_id,)
        )
    }
    excluded = {
        row[0]: row[1]
        for row in raw.exec_driver_sql(
            "SELECT chunk_id, reason FROM versionexclusion WHERE version_id = ?", (version_id,)
        )
    }
    texts = version_texts(session, version_id)
    hashes = {row[1] for row in texts}
    version.document_count = len(documents)
    version.chunk_count, version.token_count = len(texts), sum(row[2] for row in texts)
    version.text_count, version.excluded_count = len(hashes), len(excluded)
    version.index_fingerprint = texts_fingerprint(version.embedder, hashes)
    version.fingerprint = content_fingerprint(
        version.embedder, document_facts(session, documents), excluded_facts(session, excluded)
    )
    if "erased" not in version.message:
        version.message += " (a document was erased later)"
    session.add(version)


def _redact_traces(session: Session, ids: Sequence[int], sentences: Sequence[str]) -> int:
    """Take the document's passages and sentences out of stored traces; returns how many had any."""
    raw = session.connection()
    needles = {s.encode("utf-8", "surrogatepass"): s for s in sentences}
    finder = _Finder(list(needles))
    derived = {
        row[0]
        for row in raw.exec_driver_sql(
            """SELECT DISTINCT trace_id FROM tracehit
               WHERE marker IS NOT NULL AND document_id IN (SELECT value FROM json_each(?))""",
            (json.dumps(list(ids)),),
        )
    }
    columns = ", ".join(_TRACE_TEXTS)
    rows = raw.exec_driver_sql(f"SELECT id, rowid, {columns} FROM trace").fetchall()
    redacted = 0
    for row in rows:
        values = dict(zip(_TRACE_TEXTS, row[2:], strict=True))
        cleaned = {name: _without(text, needles, finder) for name, text in values.items()}
        if row[0] in derived:
            # What the model made of the document may say it in other words.
            cleaned.update(answer=_MADE_FROM_IT, prompt=ERASED)
            for table in ("claim", "consistencycheck", "flagopinion"):
                raw.exec_driver_sql(f"DELETE FROM {table} WHERE trace_id = ?", (row[0],))
            raw.exec_driver_sql(
                "UPDATE evaluationresult SET judge = '', checks = '[]', error = '' WHERE trace_id = ?",
                (row[0],),
            )
        changed = _redact_claims(session, row[0], needles, finder)
        changed += _redact_hits(session, row[0], ids, needles, finder)
        if cleaned == values and not changed:
            continue
        redacted += 1
        sets = ", ".join(f"{name} = ?" for name in cleaned)
        raw.exec_driver_sql(f"UPDATE trace SET {sets} WHERE id = ?", (*cleaned.values(), row[0]))
        before, after = (indexed_text(f"{t['question']}\n{t['answer']}") for t in (values, cleaned))
        raw.exec_driver_sql(
            "INSERT INTO trace_fts (trace_fts, rowid, text) VALUES ('delete', ?, ?)", (row[1], before)
        )
        raw.exec_driver_sql("INSERT INTO trace_fts (rowid, text) VALUES (?, ?)", (row[1], after))
    raw.exec_driver_sql("INSERT INTO trace_fts (trace_fts) VALUES ('optimize')")
    return redacted


def _sources(session: Session, ids: Sequence[int]) -> frozenset[str]:
    """The paths of documents, and those of their names that no document which stays has."""
    rows = session.connection().exec_driver_sql(
        "SELECT source, name, id IN (SELECT value FROM json_each(?)) FROM document", (json.dumps(list(ids)),)
    )
    found = rows.fetchall()
    staying = {name for row in found if not row[2] for name in row[:2]}
    return frozenset(name for row in found if row[2] for name in row[:2]) - staying


def _redact_cases(
    session: Session, ids: Sequence[int], sources: frozenset[str], sentences: Sequence[str]
) -> int:
    """Take the document out of evaluation sets; returns how many cases had any of it."""
    needles = {s.encode("utf-8", "surrogatepass"): s for s in sentences}
    finder = _Finder(list(needles))
    derived = session.connection().exec_driver_sql(
        """SELECT DISTINCT 'trace:' || trace_id FROM tracehit
           WHERE marker IS NOT NULL AND document_id IN (SELECT value FROM json_each(?))""",
        (json.dumps(list(ids)),),
    )
    origins = frozenset(row[0] for row in derived)
    return redact_cases(session, lambda text: _without(text, needles, finder), sources, origins, ERASED)


def _redact_monitors(session: Session, sentences: Sequence[str]) -> None:
    """Regression questions that quote the document go; what a person wrote about alerts loses the quotation.

    An answer made from the document is erased with its trace: a regression question takes the next answer as its
    reference then. What a rule says itself is figures.
    """
    needles = {s.encode("utf-8", "surrogatepass"): s for s in sentences}
    finder = _Finder(list(needles))
    raw = session.connection()
    for row in raw.exec_driver_sql("SELECT id, question FROM regressionquestion").fetchall():
        if _without(row[1], needles, finder) != row[1]:
            raw.exec_driver_sql("DELETE FROM regressionresult WHERE question_id = ?", (row[0],))
            raw.exec_driver_sql("DELETE FROM regressionquestion WHERE id = ?", (row[0],))
    for table, column in (("alertrule", "note"), ("alertrule", "acknowledged"), ("referenceperiod", "note")):
        for row in raw.exec_driver_sql(f"SELECT rowid, {column} FROM {table}").fetchall():
            clean = _without(row[1], needles, finder)
            if clean != row[1]:
                raw.exec_driver_sql(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (clean, row[0]))


def _redact_people(session: Session, ids: Sequence[int], sentences: Sequence[str]) -> None:
    """Take the document out of what people wrote about answers, and out of drafts of cases.

    Of an answer that was made from it all words of theirs go: a correction says what the document said. Verdicts stay.
    """
    needles = {s.encode("utf-8", "surrogatepass"): s for s in sentences}
    finder = _Finder(list(needles))
    raw = session.connection()
    listed = json.dumps(list(ids))
    raw.exec_driver_sql("DELETE FROM draft WHERE document_id IN (SELECT value FROM json_each(?))", (listed,))
    derived = """SELECT DISTINCT trace_id FROM tracehit
        WHERE marker IS NOT NULL AND document_id IN (SELECT value FROM json_each(?))"""
    raw.exec_driver_sql(
        f"UPDATE feedback SET note = '', correction = '', tags = '[]' WHERE trace_id IN ({derived})",
        (listed,),
    )
    items = f"SELECT id FROM reviewitem WHERE trace_id IN ({derived})"
    raw.exec_driver_sql(f"UPDATE review SET correction = '' WHERE item_id IN ({items})", (listed,))
    for table, columns in (
        ("feedback", ("note", "correction", "tags")),
        ("review", ("correction",)),
        ("draft", ("passage", "question", "answer")),
        ("rollout", ("note",)),
    ):
        for row in raw.exec_driver_sql(f"SELECT rowid, {', '.join(columns)} FROM {table}").fetchall():
            clean = [_without(text, needles, finder) for text in row[1:]]
            if clean != list(row[1:]):
                sets = ", ".join(f"{name} = ?" for name in columns)
                raw.exec_driver_sql(f"UPDATE {table} SET {sets} WHERE rowid = ?", (*clean, row[0]))


def _redact_hits(
    session: Session, trace_id: str, ids: Sequence[int], needles: dict[bytes, str], finder: _Finder
) -> int:
    """The passages of the document go whole; a sentence of it in another passage goes alone."""
    raw = session.connection()
    changed = raw.exec_driver_sql(
        f"""UPDATE tracehit SET text = '{ERASED}', document = '{ERASED}', path = ''
            WHERE trace_id = ? AND document_id IN (SELECT value FROM json_each(?)) AND text != '{ERASED}'""",
        (trace_id, json.dumps(list(ids))),
    ).rowcount
    for row in raw.exec_driver_sql(
        "SELECT id, text FROM tracehit WHERE trace_id = ?", (trace_id,)
    ).fetchall():
        clean = _without(row[1], needles, finder)
        if clean != row[1]:
            raw.exec_driver_sql("UPDATE tracehit SET text = ? WHERE id = ?", (clean, row[0]))
            changed += 1
    return changed


def _redact_claims(session: Session, trace_id: str, needles: dict[bytes, str], finder: _Finder) -> int:
    raw = session.connection()
    changed = 0
    for row in raw.exec_driver_sql(
        "SELECT id, text, reason, evidence_text FROM claim WHERE trace_id = ?", (trace_id,)
    ).fetchall():
        clean = [_without(text, needles, finder) for text in row[1:]]
        if clean != list(row[1:]):
            raw.exec_driver_sql(
                "UPDATE claim SET text = ?, reason = ?, evidence_text = ? WHERE id = ?", (*clean, row[0])
            )
            changed += 1
    return changed


def _without(text: str, needles: dict[bytes, str], finder: _Finder) -> str:
    if not text:
        return text
    data = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    for raw in sorted(set(finder.search(data)), key=len, reverse=True):
        text = text.replace(needles[raw], ERASED)
    return text


# --- files ------------------------------------------------------------------------------------------------


def _clean_files(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Rewrite what keeps deleted data: the index folder, the SQLite file, old copies, logs."""
    notes = []
    for pattern in _COPIES:
        for path in sorted(workspace.folder.glob(pattern)):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            notes.append(f"{path.name} was deleted: it held the document as well")
    for path in workspace.folder.glob("engine.log*"):
        path.write_text("")
    yield from _refill_index(workspace)
    yield VersionProgress("rewriting", 0, 1)
    _vacuum(workspace)
    notes.append("backups that were made before still hold the document; delete them where they are")
    return notes


def _refill_index(workspace: Workspace) -> Generator[VersionProgress, None, None]:
    """Make the index folder anew from the stored vectors. Questions are answered by exact search meanwhile."""
    with workspace.store.session() as session:
        collections = list(session.exec(select(Collection)).all())
        trials = session.exec(select(DatasetVersion).where(DatasetVersion.trial_key != "")).all()
        for found in collections:
            found.index_version_id = None
            session.add(found)
    workspace.index.erase_folder()
    for trial in trials:
        hashes = workspace.content(trial.id or 0, trial.embedder).hashes
        yield from fill_trial(workspace, trial.trial_key, hashes, trial.embedder)
    for found in collections:
        if found.active_version_id is None:
            continue
        if found.index_server:
            workspace.index.drop(index_place(found))
        yield from sync_index(workspace, found.name)


def _vacuum(workspace: Workspace) -> None:
    """Rewrite the SQLite file without its free pages and empty its write-ahead log."""
    workspace.database.close()
    with closing(sqlite3.connect(workspace.store.database, timeout=30, isolation_level=None)) as connection:
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as error:
            raise RagError(
                f"The database could not be rewritten ({error}); free some space and compact the data folder."
            ) from error


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
