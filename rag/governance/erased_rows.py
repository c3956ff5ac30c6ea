"""Takes a document out of every table, by what rag.storage.tables.contents says that a column contains.

Rows of the document go. What a model made of it goes whole, because it may say the same in other words. From
everything else its sentences are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table
from sqlmodel import Session, SQLModel

from rag.evaluation.sets import redact_cases
from rag.governance.sentence_search import Sentences
from rag.knowledge.collections import delete_documents
from rag.knowledge.versions import document_facts, excluded_facts
from rag.storage import audit_log
from rag.storage.fingerprints import content_fingerprint, texts_fingerprint
from rag.storage.store import version_texts
from rag.storage.tables.contents import Content, blank_of, marked_columns
from rag.storage.tables.evaluation import EvaluationResult
from rag.storage.tables.governance import AuditEvent
from rag.storage.tables.knowledge import DatasetVersion, VerificationQuery, VerificationResult
from rag.storage.tables.monitoring import RegressionQuestion, RegressionResult
from rag.storage.tables.review import ReviewItem
from rag.storage.tables.traces import Claim, ConsistencyCheck, FlagOpinion, Trace, TraceHit
from rag.text.search_terms import indexed_text

ERASED = "[erased]"
MADE_FROM_IT = "[erased: this answer was made from a document that was erased]"
_PAGE = 1_000  # rows that are read at a time: prompts are long
_LISTED = "(SELECT value FROM json_each(?))"
# Rows that say something about single sentences of an answer, and go with it.
_PARTS_OF_ANSWERS: tuple[type[SQLModel], ...] = (Claim, ConsistencyCheck, FlagOpinion)
# Columns by which rows belong to an answer through another table.
_THROUGH: Mapping[str, type[SQLModel]] = {"item_id": ReviewItem, "result_id": EvaluationResult}
# Rows that go with a question: (their table, its column).
_RESULTS: Mapping[type[SQLModel], tuple[type[SQLModel], str]] = {
    RegressionQuestion: (RegressionResult, "question_id"),
    VerificationQuery: (VerificationResult, "query_id"),
}


@dataclass
class ErasedRows:
    """What was taken out of the tables: chunks, and ids of what lost something."""

    chunks: int = 0
    versions: set[int] = field(default_factory=set)
    traces: set[str] = field(default_factory=set)
    cases: int = 0


def erase_rows(session: Session, ids: Sequence[int], sentences: Sequence[str]) -> ErasedRows:
    """Take documents out of all tables, in the caller's transaction.

    Args:
        session: An open transaction.
        ids: Of the document's revisions.
        sentences: Those that no document which stays contains.
    """
    wanted, done = Sentences(sentences), ErasedRows()
    derived = _traces_made_from(session, ids)
    done.cases = _redact_cases(session, ids, derived, wanted)
    _delete_document_rows(session, ids, done)
    _blank_answers(session, derived, done)
    _blank_hits(session, ids, done)
    _delete_questions(session, wanted)
    _cut_sentences(session, wanted, done)
    _erase_audit_words(session, wanted)
    _forget_cached_answers(session, done)
    _forget_hits_of_queries(session)
    for version_id in sorted(done.versions):
        _recount(session, version_id, lost_document=True)
    raw = session.connection()
    for index in ("chunk_fts", "trace_fts"):
        raw.exec_driver_sql(f"INSERT INTO {index} ({index}) VALUES ('optimize')")
    raw.exec_driver_sql("UPDATE collection SET index_version_id = NULL")
    return done


def places_with(session: Session, sentences: Sequence[str]) -> dict[str, list[str]]:
    """Return for each sentence the columns that contain it, as "table.column", names and states included."""
    wanted = Sentences(sentences)
    found: dict[str, list[str]] = {}
    for table, columns in marked_columns(*Content):
        for row in _rows(session, table, columns):
            for column, text in zip(columns, row[1:], strict=True):
                for sentence in wanted.found_in(text or ""):
                    if (place := f"{table.name}.{column}") not in found.setdefault(sentence, []):
                        found[sentence].append(place)
    return found


def _traces_made_from(session: Session, ids: Sequence[int]) -> list[str]:
    """Return the ids of the traces that had one of the documents in their prompt."""
    rows = session.connection().exec_driver_sql(
        f"SELECT DISTINCT trace_id FROM tracehit WHERE marker IS NOT NULL AND document_id IN {_LISTED}",
        (json.dumps(list(ids)),),
    )
    return [row[0] for row in rows]


def _redact_cases(session: Session, ids: Sequence[int], derived: Sequence[str], wanted: Sentences) -> int:
    """Take the documents out of evaluation sets; return how many cases had any of them."""
    rows = session.connection().exec_driver_sql(
        f"SELECT source, name, id IN {_LISTED} FROM document", (json.dumps(list(ids)),)
    )
    found = rows.fetchall()
    staying = {name for row in found if not row[2] for name in row[:2]}
    # A name that a document which stays has as well says nothing.
    names = frozenset(name for row in found if row[2] for name in row[:2]) - staying
    origins = frozenset(f"trace:{trace_id}" for trace_id in derived)
    return redact_cases(session, lambda text: wanted.cut_from(text, ERASED), names, origins, ERASED)


def _delete_document_rows(session: Session, ids: Sequence[int], done: ErasedRows) -> None:
    """Delete the documents with their chunks, vectors and drafts, and note the versions that had them."""
    raw, listed = session.connection(), (json.dumps(list(ids)),)
    versions = raw.exec_driver_sql(
        f"SELECT DISTINCT version_id FROM versiondocument WHERE document_id IN {_LISTED}", listed
    )
    done.versions = {row[0] for row in versions}
    chunks = f"SELECT id FROM chunk WHERE document_id IN {_LISTED}"
    hashes = raw.exec_driver_sql(
        f"SELECT text_hash FROM chunk WHERE document_id IN {_LISTED}", listed
    ).fetchall()
    done.chunks = len(hashes)
    raw.exec_driver_sql(f"DELETE FROM versionexclusion WHERE chunk_id IN ({chunks})", listed)
    for table in ("versiondocument", "draft"):
        raw.exec_driver_sql(f"DELETE FROM {table} WHERE document_id IN {_LISTED}", listed)
    delete_documents(session, list(ids))
    raw.exec_driver_sql(
        f"""DELETE FROM embedding WHERE text_hash IN {_LISTED}
            AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.text_hash = embedding.text_hash)""",
        (json.dumps([row[0] for row in hashes]),),
    )


def _blank_answers(session: Session, derived: Sequence[str], done: ErasedRows) -> None:
    """Take away what was made of the documents, and what people wrote about it. Verdicts stay."""
    raw, listed = session.connection(), (json.dumps(list(derived)),)
    for row in raw.exec_driver_sql(
        f"SELECT rowid, question, answer FROM trace WHERE id IN {_LISTED}", listed
    ).fetchall():
        _index_trace_again(session, row[0], (row[1], row[2]), (row[1], MADE_FROM_IT))
    raw.exec_driver_sql(
        f"UPDATE trace SET answer = '{MADE_FROM_IT}', prompt = '{ERASED}' WHERE id IN {_LISTED}", listed
    )
    done.traces.update(derived)
    for model in _PARTS_OF_ANSWERS:
        raw.exec_driver_sql(f"DELETE FROM {model.__tablename__} WHERE trace_id IN {_LISTED}", listed)
    for table, columns in marked_columns(Content.DERIVED, Content.WRITTEN):
        belongs = of_traces(table)
        if belongs and table.name not in (Trace.__tablename__, TraceHit.__tablename__):
            blanks = ", ".join(f'"{name}" = ?' for name in columns)
            values = [blank_of(table.columns[name]) for name in columns]
            raw.exec_driver_sql(f'UPDATE "{table.name}" SET {blanks} WHERE {belongs}', (*values, *listed))


def of_traces(table: Table) -> str:
    """Return the SQL condition for rows about the traces of a JSON list; "" for tables of other things."""
    if "trace_id" in table.columns:
        return f"trace_id IN {_LISTED}"
    for column, through in _THROUGH.items():
        if column in table.columns:
            return f"{column} IN (SELECT id FROM {through.__tablename__} WHERE trace_id IN {_LISTED})"
    return ""


def _blank_hits(session: Session, ids: Sequence[int], done: ErasedRows) -> None:
    """Take the passages of the documents out of all traces, those that were not in a prompt included."""
    raw, listed = session.connection(), (json.dumps(list(ids)),)
    rows = raw.exec_driver_sql(f"SELECT trace_id FROM tracehit WHERE document_id IN {_LISTED}", listed)
    done.traces.update(row[0] for row in rows.fetchall())
    raw.exec_driver_sql(
        f"""UPDATE tracehit SET text = '{ERASED}', document = '{ERASED}', path = '', place = ''
            WHERE document_id IN {_LISTED}""",
        listed,
    )


def _delete_questions(session: Session, wanted: Sentences) -> None:
    """Delete stored questions and queries that quote the documents, with their results.

    An automatic verification query is made of words of a passage, so all of them go; they are made again.
    """
    raw = session.connection()
    raw.exec_driver_sql(f"DELETE FROM {VerificationQuery.__tablename__} WHERE NOT by_person")
    results = {str(model.__tablename__): results for model, results in _RESULTS.items()}
    for table, columns in marked_columns(Content.QUESTION):
        for row in _rows(session, table, columns):
            if any(wanted.found_in(text) for text in row[1:]):
                of_it, column = results[table.name]
                raw.exec_driver_sql(f"DELETE FROM {of_it.__tablename__} WHERE {column} = ?", (row[0],))
                raw.exec_driver_sql(f'DELETE FROM "{table.name}" WHERE rowid = ?', (row[0],))


def _cut_sentences(session: Session, wanted: Sentences, done: ErasedRows) -> None:
    """Cut the sentences from all columns that may quote the documents."""
    raw = session.connection()
    for table, columns in marked_columns(Content.COPY, Content.DERIVED, Content.WRITTEN):
        if table.name == AuditEvent.__tablename__:
            continue  # a word less there would look like tampering
        for row in _rows(session, table, columns):
            texts = dict(zip(columns, row[1:], strict=True))
            if not wanted.found_in("\n\n".join(text for text in texts.values() if text)):
                continue
            clean = {name: wanted.cut_from(text, ERASED) for name, text in texts.items() if text}
            changed = {name: text for name, text in clean.items() if text != texts[name]}
            if not changed:
                continue
            sets = ", ".join(f'"{name}" = ?' for name in changed)
            raw.exec_driver_sql(
                f'UPDATE "{table.name}" SET {sets} WHERE rowid = ?', (*changed.values(), row[0])
            )
            if table.name == Trace.__tablename__:
                old = (texts["question"], texts["answer"])
                _index_trace_again(session, row[0], old, (clean.get("question", ""), clean.get("answer", "")))
            _note(session, table, row[0], done)


def _erase_audit_words(session: Session, wanted: Sentences) -> None:
    """Take the words of the audit log's rows that quote the documents: the chain holds without them."""
    rows = session.connection().exec_driver_sql("SELECT id, subject, detail FROM auditevent")
    audit_log.erase_words(
        session, [row[0] for row in rows.fetchall() if wanted.found_in("\n\n".join(row[1:]))]
    )


def _note(session: Session, table: Table, rowid: int, done: ErasedRows) -> None:
    """Note the trace that a changed row belongs to, and bring its version up to date."""
    key = "id" if table.name == Trace.__tablename__ else "trace_id"
    if key in table.columns and (trace_id := _value(session, table, key, rowid)):
        done.traces.add(trace_id)
    if table.name in ("versiondocument", "versionexclusion"):  # these are in the version's fingerprint
        _recount(session, _value(session, table, "version_id", rowid))


def _value(session: Session, table: Table, column: str, rowid: int) -> Any:
    found = session.connection().exec_driver_sql(
        f'SELECT "{column}" FROM "{table.name}" WHERE rowid = ?', (rowid,)
    )
    return found.scalar_one()


def _rows(session: Session, table: Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield (rowid, texts in the order of columns) of every row of a table; the caller may change the row."""
    listed, last = ", ".join(f'"{name}"' for name in columns), -1
    query = f'SELECT rowid, {listed} FROM "{table.name}" WHERE rowid > ? ORDER BY rowid LIMIT {_PAGE}'
    while page := session.connection().exec_driver_sql(query, (last,)).fetchall():
        yield from (tuple(row) for row in page)
        last = page[-1][0]


def _index_trace_again(session: Session, rowid: int, old: tuple[str, str], new: tuple[str, str]) -> None:
    """Change the full-text row of a trace: a contentless FTS5 table must be told the text to forget."""
    raw = session.connection()
    if raw.exec_driver_sql("SELECT 1 FROM trace_fts WHERE rowid = ?", (rowid,)).first() is None:
        return  # a question that is being answered: its trace is indexed at its end
    before, after = (indexed_text("\n".join(texts)) for texts in (old, new))
    raw.exec_driver_sql(
        "INSERT INTO trace_fts (trace_fts, rowid, text) VALUES ('delete', ?, ?)", (rowid, before)
    )
    raw.exec_driver_sql("INSERT INTO trace_fts (rowid, text) VALUES (?, ?)", (rowid, after))


def _forget_cached_answers(session: Session, done: ErasedRows) -> None:
    """Forget answers that might be given again: those made of the documents, and those of their versions."""
    session.connection().exec_driver_sql(
        f"DELETE FROM cachedanswer WHERE trace_id IN {_LISTED} OR version_id IN {_LISTED}",
        (json.dumps(sorted(done.traces)), json.dumps(sorted(done.versions))),
    )


def _forget_hits_of_queries(session: Session) -> None:
    """Delete what queries found, which changes when passages go, and vectors of questions and answers.

    Both are made again when they are needed. A failed verification quotes its queries: its detail goes too.
    """
    raw = session.connection()
    for table in (VerificationResult.__tablename__, "questionvector"):
        raw.exec_driver_sql(f"DELETE FROM {table}")
    raw.exec_driver_sql("UPDATE verification SET detail = '' WHERE queries_same < query_count")


def _recount(session: Session, version_id: int, lost_document: bool = False) -> None:
    """Bring the counts and fingerprints of a version up to date with its rows."""
    session.flush()
    version = session.get(DatasetVersion, version_id)
    assert version is not None
    session.refresh(version)
    raw = session.connection()
    documents = raw.exec_driver_sql(
        "SELECT document_id, attributes FROM versiondocument WHERE version_id = ?", (version_id,)
    )
    excluded = raw.exec_driver_sql(
        "SELECT chunk_id, reason FROM versionexclusion WHERE version_id = ?", (version_id,)
    )
    attributes = {row[0]: row[1] for row in documents}
    reasons = {row[0]: row[1] for row in excluded}
    texts = version_texts(session, version_id)
    hashes = {row[1] for row in texts}
    version.document_count, version.excluded_count = len(attributes), len(reasons)
    version.chunk_count, version.token_count = len(texts), sum(row[2] for row in texts)
    version.text_count = len(hashes)
    version.index_fingerprint = texts_fingerprint(version.embedder, hashes)
    version.fingerprint = content_fingerprint(
        version.embedder, document_facts(session, attributes), excluded_facts(session, reasons)
    )
    version.was_erased = version.was_erased or lost_document
    session.add(version)
    session.flush()
