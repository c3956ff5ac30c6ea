"""The step of cascades makes their table, as a new data folder has it, and one row for each trace."""

import sqlite3
from contextlib import closing

import pytest
from sqlmodel import SQLModel, create_engine

from rag.storage.migration.actions.cascades import ACTIONS
from rag.storage.migration.steps import run_actions
from rag.storage.tables.traces import CascadeStep

ROW = "INSERT INTO cascadestep VALUES (?, ?, ?, ?, ?)"


def columns(connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
    """Return (name, whether it must have a value, place in the key) of each column."""
    return connection.execute("SELECT name, \"notnull\", pk FROM pragma_table_info('cascadestep')").fetchall()


def test_the_table_is_as_a_new_folder_has_it() -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[str(CascadeStep.__tablename__)]])
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection, engine.connect() as new:
        run_actions(connection, ACTIONS)
        made = new.exec_driver_sql("SELECT name, \"notnull\", pk FROM pragma_table_info('cascadestep')")
        assert columns(connection) == [tuple(row) for row in made.fetchall()]


def test_a_trace_is_one_step_and_an_answer_has_several() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        run_actions(connection, ACTIONS)
        connection.execute(ROW, ("a", "b", 1, "small", "1 sentence unsupported"))
        connection.execute(ROW, ("b", "b", 2, "large", ""))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(ROW, ("a", "c", 1, "small", ""))
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM cascadestep WHERE answer_id = 'b'"
        ).fetchall()
        assert "ix_cascadestep_answer_id" in str(plan)


@pytest.mark.parametrize(
    "values",
    [
        (None, "b", 1, "small", ""),
        ("a", None, 1, "small", ""),
        ("a", "b", None, "small", ""),
        ("a", "b", 1, None, ""),
        ("a", "b", 1, "small", None),
    ],
)
def test_a_step_without_one_of_its_values_is_refused(values: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        run_actions(connection, ACTIONS)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(ROW, values)


def test_an_upgrade_finds_no_steps_in_answers_of_before_and_can_be_undone() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY)")
        connection.execute("INSERT INTO trace VALUES ('t')")
        connection.execute("BEGIN")
        run_actions(connection, ACTIONS)
        assert connection.execute("SELECT count(*) FROM cascadestep").fetchone() == (0,)
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [
            ("trace",)
        ]
