"""Step 15 makes room for traces of other applications; those of before are our own."""

import sqlite3
from contextlib import closing

from rag.storage.migration.actions.received import ACTIONS
from rag.storage.migration.steps import run_actions


def test_traces_of_before_belong_to_no_application() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY)")
        connection.execute("INSERT INTO trace VALUES ('a')")
        run_actions(connection, ACTIONS)
        assert connection.execute("SELECT application FROM trace").fetchall() == [("",)]
        connection.execute("INSERT INTO receivedspan VALUES ('a', 'b', 1, '{}')")
        assert connection.execute("SELECT body FROM receivedspan").fetchall() == [("{}",)]
