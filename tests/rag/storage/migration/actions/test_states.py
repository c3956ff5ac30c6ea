"""Step 7: what sentences said before is in columns and rows afterwards."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.storage.migration.migrate import migrate
from rag.storage.store import fill_new_file

SCHEMAS = Path(__file__).resolve().parents[4] / "schemas"


def upgraded(folder: Path, *statements: str) -> sqlite3.Connection:
    """Make a file of schema 5, change it, and bring it up to date."""
    path = folder / "ragdeck.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("floats", 1, lambda _text: bytes(4096))
        connection.executescript((SCHEMAS / "schema-5-b1a6891.sql").read_text("utf-8"))
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    migrate(path, fill_new_file)
    return sqlite3.connect(path)


def log(action: str, created_ms: int = 7) -> str:
    return f"INSERT INTO auditevent (created_ms, action, subject, detail) VALUES ({created_ms}, '{action}', '', '')"


@pytest.mark.parametrize(
    ("actions", "erasures"),
    [
        ((), []),
        (("erasure begun",), [("cleaning", 7, None)]),
        (("erasure begun", "document erased"), [("cleaning", 7, None)]),
        (("erasure begun", "erasure done"), []),
        (("erasure begun", "erasure done", "erasure begun"), [("cleaning", 7, None)]),
        (("compacted", "erasure done of a file"), []),
    ],
)
def test_an_erasure_that_was_interrupted_is_finished_at_the_next_start(
    tmp_path: Path, actions: tuple[str, ...], erasures: list[tuple[str, int, None]]
) -> None:
    with closing(upgraded(tmp_path, *map(log, actions))) as connection:
        assert connection.execute("SELECT state, begun_ms, done_ms FROM erasure").fetchall() == erasures


def test_what_a_version_lost_is_no_longer_in_its_message(tmp_path: Path) -> None:
    change: Callable[[str, int], str] = "UPDATE datasetversion SET message = '{}' WHERE number = {}".format
    with closing(
        upgraded(
            tmp_path,
            change("Added 2 (a document was erased later)", 1),
            change("Removed erased.txt", 2),
        )
    ) as connection:
        found = connection.execute(
            "SELECT message, was_erased FROM datasetversion WHERE number < 3 ORDER BY number"
        )
        assert found.fetchall() == [("Added 2", 1), ("Removed erased.txt", 0)]
