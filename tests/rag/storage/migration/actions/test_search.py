"""Step 8 folds what was indexed before, and marks collections as searched in the old way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from rag.storage.migration.actions.search import ACTIONS
from rag.storage.migration.steps import run_actions
from rag.text.search_terms import indexed_text

CHUNKS = {1: "soft\u00adware o\ufb03ce", 2: "plain words", 3: "富士山 ＡＢＣ"}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """The tables that the step changes, as schema 7 has them, with three chunks and two traces."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for statement in (
            "CREATE TABLE embedding (text_hash VARCHAR, embedder VARCHAR, vector BLOB, PRIMARY KEY (text_hash, embedder))",
            "CREATE TABLE collection (id INTEGER PRIMARY KEY, name VARCHAR)",
            "CREATE TABLE tracehit (id INTEGER PRIMARY KEY, fused_rank INTEGER)",
            "CREATE TABLE chunk (id INTEGER PRIMARY KEY, text VARCHAR)",
            "CREATE TABLE trace (id VARCHAR PRIMARY KEY, question VARCHAR, answer VARCHAR, status VARCHAR)",
            "CREATE VIRTUAL TABLE chunk_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')",
            "CREATE VIRTUAL TABLE trace_fts USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')",
            "INSERT INTO collection VALUES (1, 'A')",
            "INSERT INTO tracehit VALUES (1, 7)",
        ):
            made.execute(statement)
        for number, text in CHUNKS.items():
            made.execute("INSERT INTO chunk VALUES (?, ?)", (number, text))
            spaced = "".join(f" {c} " if "\u3400" <= c <= "\u9fff" else c for c in text)
            made.execute("INSERT INTO chunk_fts (rowid, text) VALUES (?, ?)", (number, spaced))
        made.execute("INSERT INTO trace VALUES ('t', 'What is soft\u00adware?', 'Code.', 'done')")
        made.execute("INSERT INTO trace_fts (rowid, text) VALUES (1, 'What is soft\u00adware?\nCode.')")
        made.execute("INSERT INTO trace VALUES ('u', 'soft\u00adware again', '', 'running')")
        yield made


def found(connection: sqlite3.Connection, table: str, words: str) -> list[int]:
    rows = connection.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH ?", (f'"{words}"',))
    return [row[0] for row in rows]


def test_what_is_folded_now_is_found_in_what_was_indexed_before(connection: sqlite3.Connection) -> None:
    assert found(connection, "chunk_fts", "office") == []
    run_actions(connection, ACTIONS)
    assert found(connection, "chunk_fts", "office") == [1]
    assert found(connection, "chunk_fts", "software") == [1]
    assert found(connection, "chunk_fts", "abc") == [3]
    assert found(connection, "chunk_fts", "plain words") == [2]
    assert found(connection, "trace_fts", "software") == [1]
    words = {row[0] for row in connection.execute("SELECT term FROM chunk_words")}
    assert {"office", "software", "plain", "words", "富", "abc"} <= words
    assert "ware" not in words


def test_a_row_can_be_forgotten_afterwards(connection: sqlite3.Connection) -> None:
    run_actions(connection, ACTIONS)
    for number, text in CHUNKS.items():
        connection.execute(
            "INSERT INTO chunk_fts (chunk_fts, rowid, text) VALUES ('delete', ?, ?)",
            (number, indexed_text(text)),
        )
    assert connection.execute("SELECT count(*) FROM chunk_words").fetchone()[0] == 0


def test_collections_keep_their_search_and_hits_their_rank(connection: sqlite3.Connection) -> None:
    run_actions(connection, ACTIONS)
    assert connection.execute("SELECT retrieval FROM collection").fetchall() == [("classic",)]
    assert connection.execute("SELECT rank, lists, moves FROM tracehit").fetchall() == [(7, "[]", "[]")]
