"""Step 17 makes the tables of the cache and of budgets; no answer of before is in them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlmodel import SQLModel, create_engine

from rag.storage import tables  # noqa: F401 - registers every table
from rag.storage.migration.actions.answer_cache import ACTIONS
from rag.storage.migration.steps import run_actions

MADE = ("cachedanswer", "cachehit", "budget")
ANSWER = "INSERT INTO cachedanswer VALUES (NULL, ?, 's', 1, 1, ?, '', '', NULL, 1, 1)"
HIT = "INSERT INTO cachehit VALUES (?, 'first', 'exact', 's', NULL, 1, 0, 0, 0.0, NULL, '', NULL, NULL)"


@pytest.fixture
def upgraded() -> Iterator[sqlite3.Connection]:
    """A file with one answer of before, after the step."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY, question VARCHAR, answer VARCHAR)")
        connection.execute("INSERT INTO trace VALUES ('t', 'Why?', 'Because.')")
        run_actions(connection, ACTIONS)
        yield connection


def columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, int, int]]:
    """Return (name, whether it must have a value, place in the key) of each column."""
    return connection.execute(f"SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')").fetchall()


def test_an_answer_of_before_has_no_pipeline_and_is_not_given_again(upgraded: sqlite3.Connection) -> None:
    assert upgraded.execute("SELECT id, answer, pipeline FROM trace").fetchall() == [("t", "Because.", "")]
    for table in MADE:
        assert upgraded.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


@pytest.mark.parametrize("table", MADE)
def test_a_table_is_as_a_new_folder_has_it(upgraded: sqlite3.Connection, table: str) -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[table]])
    with engine.connect() as new:
        made = new.exec_driver_sql(f"SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')")
        assert columns(upgraded, table) == [tuple(row) for row in made.fetchall()]
        indices = new.exec_driver_sql(
            f"SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' AND sql IS NOT NULL"
        )
        wanted = {name for (name,) in indices.fetchall()}
    found = upgraded.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
    )
    assert {name for (name,) in found} == wanted


def test_a_question_has_one_answer_and_a_trace_one_hit(upgraded: sqlite3.Connection) -> None:
    upgraded.execute(ANSWER, ("k", "a"))
    upgraded.execute(ANSWER, ("l", "a"))  # another question with the answer of the same trace
    with pytest.raises(sqlite3.IntegrityError):
        upgraded.execute(ANSWER, ("k", "b"))
    upgraded.execute(HIT, ("second",))
    upgraded.execute(HIT, ("third",))
    with pytest.raises(sqlite3.IntegrityError):
        upgraded.execute(HIT, ("second",))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM cachedanswer WHERE question_key = 'k'", "sqlite_autoindex_cachedanswer"),
        ("SELECT * FROM cachedanswer WHERE space = 's'", "ix_cachedanswer_space"),
        ("SELECT * FROM cachedanswer WHERE trace_id = 't'", "ix_cachedanswer_trace_id"),
        ("SELECT * FROM cachedanswer WHERE created_ms < 5", "ix_cachedanswer_created_ms"),
        ("SELECT * FROM cachehit WHERE source_trace = 't'", "ix_cachehit_source_trace"),
        ("SELECT * FROM cachehit WHERE created_ms > 5", "ix_cachehit_created_ms"),
    ],
)
def test_no_lookup_of_the_cache_reads_all_of_it(upgraded: sqlite3.Connection, query: str, index: str) -> None:
    plan = str(upgraded.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
    assert index in plan and "SCAN" not in plan
