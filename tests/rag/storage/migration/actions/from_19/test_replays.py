"""The step of replays makes their table as a new data folder has it; a trace repeats at most one other."""

import sqlite3
from contextlib import closing

import pytest
from sqlmodel import SQLModel, create_engine

from rag.storage.migration.actions.from_19.replays import ACTIONS
from rag.storage.migration.steps import run_actions
from rag.storage.tables.traces import Replay

ROW = "INSERT INTO replay VALUES (?, ?, ?, ?, ?)"
COLUMNS = "SELECT name, \"notnull\", pk FROM pragma_table_info('replay')"


def test_the_table_is_as_a_new_folder_has_it() -> None:
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[str(Replay.__tablename__)]])
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection, engine.connect() as new:
        run_actions(connection, ACTIONS)
        made = [tuple(row) for row in new.exec_driver_sql(COLUMNS).fetchall()]
        assert connection.execute(COLUMNS).fetchall() == made


def test_a_trace_repeats_one_other_and_may_be_repeated_often() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        run_actions(connection, ACTIONS)
        connection.execute(ROW, ("a", "p", "", "{}", "{}"))
        connection.execute(ROW, ("b", "p", "", "{}", "{}"))
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(ROW, ("a", "q", "", "{}", "{}"))
        plan = connection.execute("EXPLAIN QUERY PLAN SELECT * FROM replay WHERE parent_id = 'p'").fetchall()
        assert "ix_replay_parent_id" in str(plan)


@pytest.mark.parametrize("missing", range(5))
def test_a_replay_without_one_of_its_values_is_refused(missing: int) -> None:
    values = [None if place == missing else "x" for place in range(5)]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        run_actions(connection, ACTIONS)
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(ROW, values)


def test_an_upgrade_finds_no_replays_among_the_traces_of_before_and_can_be_undone() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY)")
        connection.execute("BEGIN")
        run_actions(connection, ACTIONS)
        assert connection.execute("SELECT count(*) FROM replay").fetchone() == (0,)
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [
            ("trace",)
        ]
