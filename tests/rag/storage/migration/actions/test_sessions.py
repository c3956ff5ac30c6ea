"""Step 14 gives the questions of before a session with a row, and their order as one branch."""

import sqlite3
from contextlib import closing

from rag.storage.migration.actions.sessions import ACTIONS
from rag.storage.migration.steps import run_actions


def test_earlier_sessions_become_one_branch_each() -> None:
    traces = [
        ("a1", "a", 10, "person"), ("a2", "a", 20, "person"), ("a3", "a", 20, "person"), ("b1", "b", 15, "person"),
        ("s1", "s", 30, "person"), ("e1", "e", 30, "evaluation"), ("n1", "", 5, "person"),
    ]  # fmt: skip
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE trace (id, session_id, created_ms, source, collection_id DEFAULT 1, collection DEFAULT 'A')"
        )
        connection.execute("CREATE TABLE rolloutanswer (trace_id, pair, arm)")
        connection.execute(
            "INSERT INTO rolloutanswer VALUES ('s1', 'p', 'staging'), ('a1', 'p', 'production')"
        )
        connection.executemany(
            "INSERT INTO trace (id, session_id, created_ms, source) VALUES (?, ?, ?, ?)", traces
        )
        run_actions(connection, ACTIONS)
        parents = dict(connection.execute("SELECT id, parent_id FROM trace").fetchall())
        assert parents == {"a1": "", "a2": "a1", "a3": "a2", "b1": "", "s1": "", "e1": "", "n1": ""}
        sessions = connection.execute(
            "SELECT id, name, is_pinned, created_ms, asked_ms, leaf, collection FROM asksession ORDER BY id"
        ).fetchall()
        assert sessions == [("a", "", 0, 10, 20, "a3", "A"), ("b", "", 0, 15, 15, "b1", "A")]
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM trace WHERE session_id = 'a' ORDER BY created_ms"
        ).fetchall()
        assert "trace_session" in str(plan) and "TEMP B-TREE" not in str(plan)
