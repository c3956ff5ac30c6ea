"""Step 19 makes room for steps; traces of before have none yet."""

import sqlite3
from contextlib import closing

from rag.storage.migration.actions.from_19.agent_steps import ACTIONS
from rag.storage.migration.steps import run_actions


def test_traces_of_before_have_no_steps_yet() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE trace (id VARCHAR PRIMARY KEY)")
        connection.execute("INSERT INTO trace VALUES ('a')")
        run_actions(connection, ACTIONS)
        found = "SELECT step_count, tool_calls, tool_errors, loop_count FROM trace"
        assert connection.execute(found).fetchall() == [(None, None, None, None)]
        assert connection.execute("SELECT count(*) FROM receivedstep").fetchall() == [(0,)]
