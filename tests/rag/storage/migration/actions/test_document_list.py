"""Step 11 puts the account of each document into the index that lists read."""

import sqlite3
from contextlib import closing

from rag.storage.migration.actions.document_list import ACTIONS
from rag.storage.migration.steps import run_actions

COLUMNS = (
    "id, collection_id, name, source, title, media_type, sha256, size_bytes, chunking, chunk_count, token_count, "
    "created_ms"
)


def test_the_index_is_made_again_with_the_account() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"CREATE TABLE document ({COLUMNS}, text, account, left_out)")
        connection.execute(f"CREATE INDEX document_facts ON document ({COLUMNS})")
        run_actions(connection, ACTIONS)
        listed = connection.execute("SELECT name FROM pragma_index_info('document_facts')").fetchall()
        assert [name for (name,) in listed] == [*COLUMNS.split(", "), "account", "left_out"]
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT name, account, left_out FROM document INDEXED BY document_facts WHERE id = 1"
        ).fetchall()
        assert "USING COVERING INDEX document_facts" in str(plan)
