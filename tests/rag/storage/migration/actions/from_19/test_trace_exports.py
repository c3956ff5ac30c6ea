"""Step 19 makes room for what is sent to other tools; nothing of before waits."""

import sqlite3
from contextlib import closing

import pytest

from rag.storage.migration.actions.from_19.trace_exports import ACTIONS
from rag.storage.migration.steps import run_actions


def test_nothing_waits_after_the_step_and_a_trace_waits_once() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        run_actions(connection, ACTIONS)
        assert connection.execute("SELECT count(*) FROM traceexport").fetchone() == (0,)
        connection.execute("INSERT INTO traceexport VALUES ('a', 'waiting', 1, 0, 0, NULL, '')")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO traceexport VALUES ('a', 'sent', 1, 0, 0, 2, '')")
