"""Opens the SQLite file for writing, and contains the statements that write or read many rows at once.

WAL lets the window read while the engine writes. A transaction is short and never spans a yield.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import event
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Session, SQLModel, create_engine

from rag.errors import RagError, of_sqlite, sqlite_code
from rag.storage import tables  # noqa: F401 - registers every table with SQLModel
from rag.storage.migration.migrate import migrate, statements
from rag.storage.tables.knowledge import Chunk, Document
from rag.storage.tables.monitoring import DEFAULT_RULES
from rag.text.search_terms import indexed_text

Vectors = npt.NDArray[np.float32]
TOKEN_DIMENSIONS = 64  # of the vector of a token in PartEmbedding
_VARIABLES = 900  # below the smallest limit on `?` in one statement that SQLite was ever built with


def now_ms() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


# What SQLModel cannot say: full-text tables, partial indexes. Contentless FTS5 keeps no second copy
# of the text. document_facts holds what lists show: in the table itself it stands behind the document's text.
FULL_TEXT = """
CREATE VIRTUAL TABLE chunk_fts
    USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE trace_fts
    USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3');
CREATE VIRTUAL TABLE chunk_terms USING fts5vocab(chunk_fts, instance);
CREATE VIRTUAL TABLE chunk_words USING fts5vocab(chunk_fts, row);
CREATE INDEX document_facts ON document (id, collection_id, name, source, title, media_type, sha256,
    size_bytes, chunking, chunk_count, token_count, created_ms, account, left_out);
CREATE INDEX trace_list ON trace (created_ms DESC, id);
CREATE INDEX trace_flagged ON trace (created_ms DESC) WHERE flag_count > 0;
CREATE INDEX trace_verdict ON trace (worst_verdict, created_ms DESC);
CREATE INDEX trace_collection ON trace (collection, created_ms DESC);
CREATE INDEX trace_model ON trace (model, created_ms DESC);
CREATE INDEX trace_source ON trace (source, created_ms DESC);
CREATE INDEX trace_status ON trace (status, created_ms DESC);
CREATE INDEX trace_session ON trace (session_id, created_ms);
"""
# A day whose costs change is noted: rag.costs sums it up again.
TRIGGERS = """
CREATE TRIGGER cost_added AFTER INSERT ON cost BEGIN
    INSERT OR IGNORE INTO staleday VALUES (date(new.created_ms / 1000, 'unixepoch', 'localtime'));
END;
CREATE TRIGGER cost_removed AFTER DELETE ON cost BEGIN
    INSERT OR IGNORE INTO staleday VALUES (date(old.created_ms / 1000, 'unixepoch', 'localtime'));
END;
"""

_ADD_RULE = """INSERT INTO alertrule (name, measure, comparison, threshold, window, minimum, note, collection,
    model, prompt, enabled, state, since_ms, checked_ms, count, sentence, acknowledged)
    VALUES (?, ?, ?, ?, ?, ?, ?, '', '', '', 1, 'not enough data', 0, 0, 0, '', '')"""


def fill_new_file(connection: sqlite3.Connection) -> None:
    """Make all tables as they are now and the alert rules to begin with, in the caller's transaction."""
    for table in SQLModel.metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect.dialect())))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=dialect.dialect())))
    for statement in statements(FULL_TEXT + TRIGGERS):
        connection.execute(statement)
    connection.executemany(_ADD_RULE, DEFAULT_RULES)


def foreign_object(connection: sqlite3.Connection) -> str:
    """Return "trigger “NAME”" or "view “NAME”" of the first that is not the program's own; "" for none."""
    own = {statement.removesuffix(";") for statement in statements(TRIGGERS)}
    found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')")
    return next((f"{kind} “{name}”" for kind, name, sql in found if sql not in own), "")


class Store:
    """A file that was made or upgraded, and its sessions."""

    def __init__(self, database: Path, patience_s: float = 30) -> None:
        """Open the file.

        Args:
            database: The file; it need not exist.
            patience_s: How long a write waits for another program that is writing, in seconds.

        Raises:
            RagError: The file is newer, damaged, locked, not Ragdeck's or not writable.
        """
        self.database = database
        self._engine = create_engine(f"sqlite:///{database}", connect_args={"timeout": patience_s})
        event.listen(self._engine, "connect", _set_pragmas)
        migrate(database, fill_new_file)
        self._identity = _identity(database)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a transaction: committed at the end, rolled back on any error.

        Raises:
            RagError: The disk is full or cannot be written to, the file is damaged or was deleted, or another
                program is writing all the time.
        """
        with Session(self._engine, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except DatabaseError as error:
                session.rollback()
                self._check_place()
                if refusal := _in_words(error, self.database):
                    raise refusal from error
                raise
        self._check_place()

    def _check_place(self) -> None:
        """Raise RagError when the file that was written is no longer the data folder's.

        Unix goes on writing into a file that was deleted, and into one whose folder was replaced: what was
        saved is then lost without any error.
        """
        if os.name != "nt" and _identity(self.database) != self._identity:
            raise RagError(
                f"{self.database} was deleted or replaced while the program ran, so what was done since then "
                "is not stored. Put the data folder back or restore a backup, and start again."
            )

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _identity(database: Path) -> tuple[int, int] | None:
    """Return which file a path names now; None: there is none, or it cannot be asked."""
    try:
        found = database.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _in_words(error: DatabaseError, database: Path) -> RagError | None:
    """Return what an error of SQLite means for the person, None for a bug."""
    if error.orig is None:
        return None
    code = sqlite_code(error.orig)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RagError(
            "The data folder is busy: another program is writing to its database. Nothing of this step was "
            "saved. Close that program, or wait for it, and try again."
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY):
        return RagError(
            f"The data folder cannot be written to ({error.orig}). Free some space on its disk and try "
            "again. What was reported as done is saved."
        )
    return of_sqlite(error.orig, str(database))


# FROM and WHERE of "the chunks of version ?"; the chunk is c.
VERSION_CHUNKS = """FROM versiondocument vd CROSS JOIN chunk c ON c.document_id = vd.document_id
    WHERE vd.version_id = ? AND NOT EXISTS
        (SELECT 1 FROM versionexclusion x WHERE x.version_id = vd.version_id AND x.chunk_id = c.id)"""


def add_chunks(session: Session, document: Document, chunks: Sequence[Chunk]) -> None:
    """Write a document that has no id yet, its chunks and their full-text rows, and give them their ids."""
    if document.id is None:
        document.id = _next_id(session, "document")
        session.add(document)
        session.flush()
    raw = session.connection()
    first = _next_id(session, "chunk")
    rows = [
        {
            **{name: getattr(chunk, name) for name in _CHUNK_COLUMNS},
            "id": first + number,
            "document_id": document.id,
        }
        for number, chunk in enumerate(chunks)
    ]
    if rows:
        raw.execute(Chunk.__table__.insert(), rows)  # type: ignore[attr-defined]
        raw.exec_driver_sql(
            "INSERT INTO chunk_fts (rowid, text) VALUES (?, ?)",
            [(row["id"], indexed_text(row["text"])) for row in rows],
        )


_CHUNK_COLUMNS = (
    "position",
    "start",
    "end",
    "text",
    "text_hash",
    "token_count",
    "place",
    "place_kind",
    "place_number",
)


def missing_embeddings(
    session: Session, embedder: str, hashes: Iterable[str], with_parts: bool = False
) -> set[str]:
    """Return those of the text hashes that have no vector of this embedder yet, or none of their parts."""
    wanted = list(dict.fromkeys(hashes))
    table = "partembedding" if with_parts else "embedding"
    known: set[str] = set()
    for part in _parts(wanted):
        marks = ",".join("?" * len(part))
        known.update(
            row[0]
            for row in session.connection().exec_driver_sql(
                f"SELECT text_hash FROM {table} WHERE embedder = ? AND text_hash IN ({marks})",
                (embedder, *part),
            )
        )
    return set(wanted) - known


def add_embeddings(session: Session, embedder: str, hashes: Sequence[str], vectors: Vectors) -> None:
    """Store the vectors of texts; those that are there stay as they are.

    Args:
        session: An open transaction.
        embedder: The fingerprint of what made the vectors.
        hashes: Of the texts.
        vectors: (n, dimension) float32, L2-normalised, in the order of hashes.
    """
    if not hashes:
        return
    plain = np.ascontiguousarray(vectors, dtype="<f4")
    session.connection().exec_driver_sql(
        "INSERT OR IGNORE INTO embedding (text_hash, embedder, vector) VALUES (?, ?, ?)",
        [(text_hash, embedder, vector.tobytes()) for text_hash, vector in zip(hashes, plain, strict=True)],
    )


def add_parts(
    session: Session,
    embedder: str,
    hashes: Sequence[str],
    parts: Sequence[tuple[npt.NDArray[np.float16], npt.NDArray[np.int8]]],
) -> None:
    """Store (pieces, tokens) of texts that have a vector; see PartEmbedding."""
    if not parts:  # an embedder that has none
        return
    rows = [
        (
            text_hash,
            embedder,
            np.ascontiguousarray(pieces, dtype="<f2").tobytes(),
            np.ascontiguousarray(tokens, dtype=np.int8).tobytes(),
        )
        for text_hash, (pieces, tokens) in zip(hashes, parts, strict=True)
    ]
    session.connection().exec_driver_sql("INSERT OR IGNORE INTO partembedding VALUES (?, ?, ?, ?)", rows)


def chunk_pieces(session: Session, embedder: str, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
    """Return the vectors (m, dimension) of the pieces of chunks, by chunk id; chunks without are left out."""
    rows = _part_rows(session, embedder, chunk_ids, "length(e.vector) / 4, p.pieces")
    return {i: np.frombuffer(b, dtype="<f2").reshape(-1, size).astype(np.float32) for i, size, b in rows}


def chunk_tokens(session: Session, embedder: str, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
    """Return the vectors (t, dimension) of the tokens of chunks, by chunk id; chunks without are left out."""
    found: dict[int, Vectors] = {}
    for chunk_id, size, blob in _part_rows(session, embedder, chunk_ids, "length(e.vector) / 4, p.tokens"):
        width = min(size, TOKEN_DIMENSIONS)
        tokens = np.frombuffer(blob, dtype=np.int8).reshape(-1, width).astype(np.float32)
        found[chunk_id] = tokens / np.maximum(np.linalg.norm(tokens, axis=1, keepdims=True), 1e-12)
    return found


def _part_rows(
    session: Session, embedder: str, chunk_ids: Sequence[int], columns: str
) -> Iterator[tuple[int, int, bytes]]:
    for part in _parts(list(chunk_ids)):
        marks = ",".join("?" * len(part))
        rows = session.connection().exec_driver_sql(
            f"""SELECT c.id, {columns} FROM chunk c
                JOIN embedding e ON e.text_hash = c.text_hash AND e.embedder = ?
                JOIN partembedding p ON p.text_hash = c.text_hash AND p.embedder = e.embedder
                WHERE c.id IN ({marks})""",
            (embedder, *part),
        )
        yield from ((row[0], row[1], row[2]) for row in rows)


def text_vectors(session: Session, embedder: str, hashes: Sequence[str]) -> dict[str, Vectors]:
    """Return the stored vectors of texts, by text hash; texts without one are left out."""
    found: dict[str, Vectors] = {}
    for part in _parts(list(hashes)):
        marks = ",".join("?" * len(part))
        for row in session.connection().exec_driver_sql(
            f"SELECT text_hash, vector FROM embedding WHERE embedder = ? AND text_hash IN ({marks})",
            (embedder, *part),
        ):
            found[row[0]] = np.frombuffer(row[1], dtype="<f4")
    return found


def version_texts(session: Session, version_id: int) -> list[tuple[int, str, int]]:
    """Return (chunk id, text hash, tokens) of every chunk of a version that is not excluded, by chunk id."""
    rows = session.connection().exec_driver_sql(
        f"SELECT c.id, c.text_hash, c.token_count {VERSION_CHUNKS} ORDER BY c.id", (version_id,)
    )
    return [(row[0], row[1], row[2]) for row in rows.fetchall()]


def chunks_with_texts(session: Session, version_id: int, hashes: Sequence[str]) -> list[tuple[int, str]]:
    """Return (chunk id, text hash) of the chunks of a version that have one of these texts."""
    found: list[tuple[int, str]] = []
    for part in _parts(list(hashes)):
        marks = ",".join("?" * len(part))
        rows = session.connection().exec_driver_sql(
            f"SELECT c.id, c.text_hash {VERSION_CHUNKS} AND c.text_hash IN ({marks})", (version_id, *part)
        )
        found.extend((row[0], row[1]) for row in rows)
    return found


def chunk_vectors(session: Session, embedder: str, chunk_ids: Sequence[int]) -> dict[int, Vectors]:
    """Return the stored vectors of chunks, by chunk id; chunks without one are left out."""
    found: dict[int, Vectors] = {}
    for part in _parts(list(chunk_ids)):
        marks = ",".join("?" * len(part))
        for row in session.connection().exec_driver_sql(
            f"""SELECT c.id, e.vector FROM chunk c
                JOIN embedding e ON e.text_hash = c.text_hash AND e.embedder = ?
                WHERE c.id IN ({marks})""",
            (embedder, *part),
        ):
            found[row[0]] = np.frombuffer(row[1], dtype="<f4")
    return found


def chunk_rows(session: Session, chunk_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what a hit shows of its chunk and document, by chunk id."""
    found: dict[int, dict[str, Any]] = {}
    for part in _parts(list(chunk_ids)):
        marks = ",".join("?" * len(part))
        rows = session.connection().exec_driver_sql(
            f"""SELECT c.id AS chunk_id, c.document_id, d.name AS document, d.source AS path, c.place,
                       c.place_kind, c.place_number, c.start, c."end", c.text, c.token_count
                FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.id IN ({marks})""",
            tuple(part),
        )
        found.update({row["chunk_id"]: dict(row) for row in rows.mappings()})
    return found


def document_chunks(session: Session, version_id: int, document_id: int) -> list[dict[str, Any]]:
    """Return what a hit shows of the chunks of a document in a version, in order, without excluded ones."""
    rows = session.connection().exec_driver_sql(
        f"""SELECT c.id AS chunk_id, c.document_id, d.name AS document, d.source AS path, c.place,
                   c.place_kind, c.place_number, c.start, c."end", c.text, c.token_count
            {VERSION_CHUNKS.replace("WHERE", "JOIN document d ON d.id = c.document_id WHERE", 1)}
            AND c.document_id = ? ORDER BY c.position""",
        (version_id, document_id),
    )
    return [dict(row) for row in rows.mappings()]


def add_trace_text(session: Session, trace_id: str, text: str) -> None:
    """Add what a trace is found by to the full-text index."""
    session.connection().exec_driver_sql(
        "INSERT INTO trace_fts (rowid, text) SELECT rowid, ? FROM trace WHERE id = ?",
        (indexed_text(text), trace_id),
    )


def insert_rows(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows of a table in one statement; each has the same columns."""
    if rows:
        session.connection().execute(table.__table__.insert(), list(rows))  # type: ignore[attr-defined]


def _next_id(session: Session, table: str) -> int:
    """Return an id that no row has and that no stored trace mentions after its row was deleted."""
    found = session.connection().exec_driver_sql(
        f"""SELECT max(coalesce((SELECT max(id) FROM {table}), 0),
                       coalesce((SELECT max({table}_id) FROM tracehit), 0)) + 1"""
    )
    return int(found.scalar_one())


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    for begin in range(0, len(values), _VARIABLES):
        yield values[begin : begin + _VARIABLES]


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.close()
