"""Step 11 adds the judgements that a run did not find, and takes back failures of questions without a model."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from rag.storage.migration.actions.results import ACTIONS
from rag.storage.migration.steps import run_actions


def test_results_of_before_have_no_stale_judgements_and_searches_no_failures() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE evaluationresult (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE trace (id VARCHAR, model VARCHAR, silent_failures VARCHAR)")
        connection.execute("INSERT INTO evaluationresult VALUES (1)")
        connection.execute("""INSERT INTO trace VALUES ('search', '', '["empty answer"]')""")
        connection.execute("""INSERT INTO trace VALUES ('answer', 'm', '["empty answer"]')""")
        run_actions(connection, ACTIONS)
        assert connection.execute("SELECT stale FROM evaluationresult").fetchall() == [("[]",)]
        found = connection.execute("SELECT id, silent_failures FROM trace").fetchall()
    assert found == [("search", "[]"), ("answer", '["empty answer"]')]
