"""The step of the audit log chains the rows of before as they are, as the living code would check them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlmodel import SQLModel, create_engine

from rag.governance.audit.checking import first_break
from rag.storage.audit_log import CHAINED
from rag.storage.migration.actions.from_19.audit_chain import ACTIONS
from rag.storage.migration.steps import run_actions
from rag.storage.tables.governance import AuditEvent

OLD = """CREATE TABLE auditevent (id INTEGER NOT NULL, created_ms INTEGER NOT NULL, action VARCHAR NOT NULL,
    subject VARCHAR NOT NULL, detail VARCHAR NOT NULL, PRIMARY KEY (id))"""


@pytest.fixture
def old() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute(OLD)
        yield connection


def test_old_rows_are_a_chain_that_is_whole(old: sqlite3.Connection) -> None:
    for number, subject in ((1, "Kitchen"), (2, "Café “Ü”"), (7, "after some that were lost")):
        old.execute("INSERT INTO auditevent VALUES (?, 5, 'version made', ?, 'x')", (number, subject))
    run_actions(old, ACTIONS)
    rows = [dict(row) for row in old.execute("SELECT * FROM auditevent ORDER BY id")]
    assert first_break(rows) is None
    assert [row["who"] for row in rows] == ["", "", ""]
    assert rows[1]["previous"] == rows[0]["hash"] != ""
    rows[1]["detail"] = "y"
    found = first_break(rows)
    assert found is not None
    assert found.row == 2


def test_an_empty_log_stays_empty(old: sqlite3.Connection) -> None:
    run_actions(old, ACTIONS)
    assert old.execute("SELECT count(*) FROM auditevent").fetchone()[0] == 0


def test_the_table_is_as_a_new_folder_has_it(old: sqlite3.Connection) -> None:
    run_actions(old, ACTIONS)
    engine = create_engine("sqlite://")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[str(AuditEvent.__tablename__)]])
    columns = "SELECT name, \"notnull\", pk FROM pragma_table_info('auditevent')"
    with engine.connect() as new:
        made = [tuple(row) for row in new.exec_driver_sql(columns).fetchall()]
    assert [tuple(row) for row in old.execute(columns)] == made
    assert set(CHAINED) < {name for name, _, _ in made}


def test_the_step_can_be_undone(old: sqlite3.Connection) -> None:
    old.execute("INSERT INTO auditevent VALUES (1, 5, 'version made', 'Kitchen', '')")
    old.execute("BEGIN")
    run_actions(old, ACTIONS)
    old.execute("ROLLBACK")
    assert tuple(old.execute("SELECT * FROM auditevent").fetchone()) == (1, 5, "version made", "Kitchen", "")
