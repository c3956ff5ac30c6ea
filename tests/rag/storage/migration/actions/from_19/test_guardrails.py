"""The step of guardrails makes the tables as a new data folder has them."""

import sqlite3
from contextlib import closing

from sqlmodel import SQLModel, create_engine

from rag.storage.migration.actions.from_19.guardrails import ACTIONS
from rag.storage.migration.steps import run_actions
from rag.storage.tables.contents import subjects


def test_the_tables_and_indexes_are_as_a_new_folder_has_them() -> None:
    names = [name for name, subject in subjects().items() if subject == "guardrails"]
    assert len(names) == 8
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[name] for name in names])
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection, engine.connect() as new:
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY)")
        run_actions(connection, ACTIONS)
        connection.execute("INSERT INTO trace (id) VALUES (1)")
        assert connection.execute("SELECT guard_action FROM trace").fetchone() == ("",)
        for name in names:
            query = f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}')"
            made = new.exec_driver_sql(query).fetchall()
            assert connection.execute(query).fetchall() == [tuple(row) for row in made]
        indexes = "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE '%guard%' ORDER BY name"
        made = new.exec_driver_sql(indexes).fetchall()
        assert connection.execute(indexes).fetchall() == [tuple(row) for row in made]
