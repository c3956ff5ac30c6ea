"""Rows of the SQLite file become values of dataclasses, field by field."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RagError
from rag.storage.data_folder import SCHEMA
from rag.storage.database import Database
from rag.storage.store import Store


class Colour(StrEnum):
    """A state, as features have them."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Thing:
    """A row with a field of every kind that is converted."""

    name: str
    count: int | None
    is_on: bool
    colour: Colour
    before: Colour | None
    tags: tuple[str, ...]
    spans: tuple[tuple[int, float], ...] = ()
    colours: tuple[Colour, ...] = ()
    facts: dict[str, tuple[int, ...]] | None = None


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "things.sqlite"
    with sqlite3.connect(path) as raw:
        raw.execute(
            "CREATE TABLE thing (count, name, is_on, colour, before, tags, spans, colours, facts, more)"
        )
        raw.execute(
            "INSERT INTO thing VALUES (NULL, 'a', 1, 'red', NULL, '[\"x\", \"y\"]', '[[1, 2.5]]', '[\"blue\"]', "
            "'{\"k\": [1]}', 'left out')"
        )
        raw.execute(f"PRAGMA user_version = {SCHEMA}")
    raw.close()
    database = Database(path)
    yield database
    database.close()


def test_columns_become_the_types_of_their_fields_whatever_their_order(database: Database) -> None:
    (found,) = database.rows(Thing, "SELECT * FROM thing")
    assert found == Thing(
        "a", None, True, Colour.RED, None, ("x", "y"), ((1, 2.5),), (Colour.BLUE,), {"k": (1,)}
    )
    assert found.is_on is True and found.colour is Colour.RED and found.colours[0] is Colour.BLUE
    with pytest.raises(AttributeError):
        found.name = "b"  # type: ignore[misc]


def test_a_field_with_a_default_need_not_be_a_column(database: Database) -> None:
    (found,) = database.rows(Thing, "SELECT name, count, is_on, colour, before, tags FROM thing")
    assert (found.spans, found.facts) == ((), None)
    with pytest.raises(TypeError, match="Thing: the query has no column is_on, tags"):
        database.rows(Thing, "SELECT name, count, colour, before FROM thing")


def test_a_value_that_an_enum_does_not_know_is_an_error(database: Database) -> None:
    with pytest.raises(ValueError, match="green"):
        database.rows(
            Thing, "SELECT *, 'green' AS colour FROM thing".replace("*", "name, count, is_on, before, tags")
        )


def test_a_misspelt_query_is_an_error_and_no_empty_list(database: Database) -> None:
    for read in (database.query, database.cells, lambda statement: database.rows(Thing, statement)):
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            read("SELECT * FROM thimg")


def test_before_there_is_a_file_every_query_returns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    database = Database(path)
    assert (database.rows(Thing, "SELECT 1"), database.cells("SELECT 1"), database.query("SELECT 1")) == (
        [],
        [],
        [],
    )
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA - 1}")
    assert database.cells("SELECT 1") == []
    raw.execute(f"PRAGMA user_version = {SCHEMA}")
    raw.close()
    assert database.cells("SELECT 1") == [(1,)]
    database.close()


Texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(st.lists(st.tuples(Texts, st.none() | st.integers(-(2**60), 2**60), st.booleans(), st.lists(Texts))))
def test_any_values_come_back_as_they_were(values: list[tuple[Any, ...]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.sqlite"
        with sqlite3.connect(path) as raw:
            raw.execute(
                "CREATE TABLE thing (id INTEGER PRIMARY KEY, name, count, is_on, colour, before, tags)"
            )
            raw.executemany(
                "INSERT INTO thing (name, count, is_on, colour, before, tags) VALUES (?, ?, ?, 'blue', 'red', ?)",
                [(name, count, is_on, json.dumps(tags)) for name, count, is_on, tags in values],
            )
            raw.execute(f"PRAGMA user_version = {SCHEMA}")
        raw.close()
        database = Database(path)
        found = database.rows(Thing, "SELECT * FROM thing ORDER BY id")
        database.close()
    assert found == [
        Thing(name, count, is_on, Colour.BLUE, Colour.RED, tuple(tags)) for name, count, is_on, tags in values
    ]


def test_a_file_that_another_program_holds_is_a_sentence_that_calls_nothing_damaged(tmp_path: Path) -> None:
    Store(tmp_path / "a.sqlite").close()
    database = Database(tmp_path / "a.sqlite", patience_s=0)
    with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        for read in (database.is_current, database.problem, lambda: database.cells("SELECT 1 FROM trace")):
            with pytest.raises(RagError, match=r"a.sqlite is in use by another program.*nothing is damaged"):
                read()
        other.execute("ROLLBACK")
    assert database.cells("SELECT count(*) FROM trace") == [(0,)]
    database.close()


def test_a_destroyed_file_is_a_sentence_with_the_repair(tmp_path: Path) -> None:
    Store(tmp_path / "a.sqlite").close()
    content = (tmp_path / "a.sqlite").read_bytes()
    (tmp_path / "a.sqlite").write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    database = Database(tmp_path / "a.sqlite")
    with pytest.raises(RagError, match=r"is damaged .*`ragdeck restore FILE`"):
        database.query("SELECT * FROM trace")
    (tmp_path / "a.sqlite").write_bytes(b"no database " * 999)
    with pytest.raises(RagError, match="is damaged or is not an SQLite file"):
        Database(tmp_path / "a.sqlite").is_current()


def test_a_sound_file_has_no_problem(tmp_path: Path) -> None:
    Store(tmp_path / "a.sqlite").close()
    database = Database(tmp_path / "a.sqlite")
    assert (database.problem(), database.schema()) == ("", SCHEMA)
