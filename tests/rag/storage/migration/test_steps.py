"""Steps are numbered, frozen, and run statement by statement in the transaction of their caller."""

import ast
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag.storage import migration
from rag.storage.data_folder import SCHEMA
from rag.storage.migration import migrate
from rag.storage.migration.steps import STEPS, run_actions, statements

MODULES = sorted(set(Path(migration.__file__).parent.glob("*.py")) - {Path(migrate.__file__)})


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_step_imports_nothing_that_may_change(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    names = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    living = {
        n
        for n in names
        if n.split(".")[0] not in sys.stdlib_module_names and not n.startswith("rag.storage.migration")
    }
    assert living == set()


def test_statements_are_split_where_sqlite_says_they_end() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\nDELETE FROM a;\nEND;"
    sql = f"CREATE TABLE a (b);\n{trigger}\nINSERT INTO a VALUES ('x;\ny');"
    assert [s.split()[0] for s in statements(sql)] == ["CREATE", "CREATE", "INSERT"]
    with pytest.raises(ValueError, match="semicolon"):
        statements("DELETE FROM a")


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """A database in memory, in autocommit mode as a migration opens it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.execute("CREATE TABLE a (b)")
        yield made


def test_the_numbers_of_steps_are_consecutive_and_their_names_differ() -> None:
    assert [step.number for step in STEPS] == list(range(1, SCHEMA + 1))
    assert len({step.name for step in STEPS}) == len(STEPS)
    assert STEPS[0].actions == (), "the first schema is what the first program made"
    assert all(step.actions for step in STEPS[1:])


def test_actions_are_sql_or_functions_and_run_in_order(connection: sqlite3.Connection) -> None:
    def count(given: sqlite3.Connection) -> None:
        rows = given.execute("SELECT count(*) FROM a").fetchone()[0]
        given.execute("INSERT INTO a VALUES (?)", (f"counted {rows}",))

    run_actions(connection, ("INSERT INTO a VALUES ('first');\nINSERT INTO a VALUES ('second');", count))
    found = [row[0] for row in connection.execute("SELECT b FROM a ORDER BY rowid")]
    assert found == ["first", "second", "counted 2"]


def test_actions_commit_nothing_by_themselves(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    run_actions(connection, ("INSERT INTO a VALUES (1);\nCREATE TABLE c (d);",))
    assert connection.in_transaction
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM a").fetchone()[0] == 0
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("SELECT * FROM c")


def test_a_wrong_statement_ends_the_step(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        run_actions(
            connection, ("INSERT INTO a VALUES (1);\nINSERT INTO nowhere VALUES (1);", "DELETE FROM a;")
        )
    assert connection.execute("SELECT count(*) FROM a").fetchone()[0] == 1, "what follows did not run"


def test_a_comment_is_no_statement_of_its_own() -> None:
    found = statements("-- why; and how\nDELETE FROM a;\n\nDELETE FROM c;")
    assert len(found) == 2
    assert statements("") == []
