"""Step 16 makes room for endpoints: no text of before may leave, and no answer of before did."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlmodel import SQLModel, create_engine

from rag.storage import tables  # noqa: F401 - registers every table
from rag.storage.migration.actions.endpoints import ACTIONS
from rag.storage.migration.steps import run_actions

MADE = ("endpoint", "endpointchange", "remoteembedder")


@pytest.fixture
def upgraded() -> Iterator[sqlite3.Connection]:
    """A file with one collection and one trace of before, after the step."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE collection (id INTEGER PRIMARY KEY, name VARCHAR)")
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY, endpoint VARCHAR NOT NULL)")
        connection.execute("INSERT INTO collection VALUES (1, 'A')")
        connection.execute("INSERT INTO trace VALUES ('t', '')")
        run_actions(connection, ACTIONS)
        yield connection


def columns(connection: sqlite3.Connection, table: str) -> list[tuple[str, int, int]]:
    """Return (name, whether it must have a value, place in the key) of each column."""
    return connection.execute(f"SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')").fetchall()


@pytest.mark.parametrize("table", MADE)
def test_a_table_is_as_a_new_folder_has_it(upgraded: sqlite3.Connection, table: str) -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[table]])
    with engine.connect() as new:
        made = new.exec_driver_sql(f"SELECT name, \"notnull\", pk FROM pragma_table_info('{table}')")
        assert columns(upgraded, table) == [tuple(row) for row in made.fetchall()]


def test_the_texts_of_a_collection_of_before_may_not_leave(upgraded: sqlite3.Connection) -> None:
    assert upgraded.execute("SELECT name, may_leave FROM collection").fetchall() == [("A", "never")]
    upgraded.execute("INSERT INTO collection (name) VALUES ('B')")
    assert upgraded.execute("SELECT may_leave FROM collection WHERE name = 'B'").fetchone() == ("never",)


@pytest.mark.parametrize("column", ["sent_to", "served_model", "system_fingerprint", "usage"])
def test_an_answer_of_before_was_made_and_counted_here(upgraded: sqlite3.Connection, column: str) -> None:
    assert upgraded.execute(f"SELECT {column} FROM trace").fetchall() == [("",)]
    with pytest.raises(sqlite3.IntegrityError):
        upgraded.execute(f"UPDATE trace SET {column} = NULL")


@pytest.mark.parametrize("table", MADE)
def test_nothing_is_connected_by_an_upgrade(upgraded: sqlite3.Connection, table: str) -> None:
    assert upgraded.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_name_is_one_endpoint_and_its_changes_are_found_by_it(upgraded: sqlite3.Connection) -> None:
    connected = "INSERT INTO endpoint VALUES ('near', ?, 'm', 'none', '', 0, 1, 1, NULL, '', '', '')"
    upgraded.execute(connected, ("http://127.0.0.1/v1",))
    with pytest.raises(sqlite3.IntegrityError):
        upgraded.execute(connected, ("http://127.0.0.2/v1",))
    changed = "INSERT INTO endpointchange VALUES (NULL, 'near', ?, 't', 'a', 'b', '', '')"
    for moment in (1, 1):  # twice in one millisecond
        upgraded.execute(changed, (moment,))
    assert upgraded.execute("SELECT id FROM endpointchange").fetchall() == [(1,), (2,)]
    plan = upgraded.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM endpointchange WHERE endpoint = 'near'"
    ).fetchall()
    assert "ix_endpointchange_endpoint" in str(plan)


def test_a_file_that_has_the_step_already_is_left_as_it_is(upgraded: sqlite3.Connection) -> None:
    before = upgraded.execute("SELECT sql FROM sqlite_master").fetchall()
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        run_actions(upgraded, ACTIONS)
    assert upgraded.execute("SELECT sql FROM sqlite_master").fetchall() == before
