"""Reads the SQLite file with the standard library alone: what the window and the command line show.

The window's process must stay light, so this imports no SQLModel. It opens the file read-only; the engine
process (or the command line's own workspace) is the only writer. Columns are those of rag.storage.tables; the
queries are in the `rows.py` of each feature.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from rag.errors import NotFoundError, of_sqlite
from rag.storage.data_folder import SCHEMA

R = TypeVar("R")


class Database:
    """A SQLite file opened for reading, usable from several threads: each gets its own connection.

    Before the engine has made the file, or brought an older one up to date, every query returns nothing.
    A file that is damaged, or that another program holds, is a RagError with a sentence, whatever is asked.
    """

    def __init__(self, path: Path, patience_s: float = 10) -> None:
        """Remember the file.

        Args:
            path: The file; it need not exist.
            patience_s: How long a query waits for a program that holds the whole file, in seconds.
        """
        self.path = path
        self._patience_s = patience_s
        self._local = threading.local()

    def is_current(self) -> bool:
        """Return whether the file is there with the tables that this program reads."""
        # A migration sets user_version in its last statement.
        return self.path.exists() and self.schema() >= SCHEMA

    def schema(self) -> int:
        """Return the schema of the file, which must exist."""
        with self._in_words(), closing(self._open()) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def problem(self) -> str:
        """Read all of the file; return what SQLite says is wrong with it, nothing when it is sound."""
        with self._in_words(), closing(self._open()) as connection:
            said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            return "" if said == "ok" else said

    def rows(self, kind: type[R], statement: str, values: tuple[Any, ...] = ()) -> list[R]:
        """Return a query's rows as values of a dataclass whose fields are columns of the query.

        A column is turned into its field's type: bool from 0 and 1, an enum from its value, tuple and dict
        from JSON; None stays None. Columns that are no field are left out. A field that has a default need
        not be a column. Raises sqlite3.OperationalError for a wrong statement and TypeError when a field is
        missing.
        """
        connection = self._connection()
        if connection is None:
            return []
        cursor = connection.cursor()
        cursor.row_factory = None  # plain tuples: made and read quicker than sqlite3.Row
        with self._in_words():
            cursor.execute(statement, values)
            found = cursor.fetchall()
        return _mapped(kind, [column[0] for column in cursor.description], found)

    def cells(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return a query's rows as plain tuples."""
        return [tuple(row) for row in self.query(statement, values)]

    def query(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Return a query's rows, readable by place and by name."""
        connection = self._connection()
        if connection is None:
            return []
        with self._in_words():
            return connection.execute(statement, values).fetchall()

    def id_of(self, table: str, name: str, missing: str) -> int:
        """Return the id of the row with this name. Raises NotFoundError with the sentence `missing`."""
        found = self.query(f"SELECT id FROM {table} WHERE name = ?", (name,))
        if not found:
            raise NotFoundError(missing)
        return int(found[0]["id"])

    def close(self) -> None:
        """Close this thread's connection; the next query opens a new one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self) -> sqlite3.Connection | None:
        """Return this thread's connection; None while there is no file that this program reads."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None and self.is_current():
            connection = self._local.connection = self._open()
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=self._patience_s)
        connection.row_factory = sqlite3.Row
        return connection

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if refusal := of_sqlite(error, str(self.path)):
                raise refusal from error
            raise


# --- rows of a dataclass ----------------------------------------------------------------------------------

Reader = Callable[[Any], Any]  # from what SQLite or JSON gives to what a field holds


def _mapped(kind: type[R], columns: Sequence[str], found: list[tuple[Any, ...]]) -> list[R]:
    """Return tuples of these columns as values of a dataclass."""
    known: dict[str, tuple[Reader | None, bool]] = _fields(kind)  # type: ignore[arg-type]
    missing = [name for name, (_, needed) in known.items() if needed and name not in columns]
    if missing:
        raise TypeError(f"{kind.__name__}: the query has no column {', '.join(missing)}")
    places = [i for i, name in enumerate(columns) if name in known and columns.index(name) == i]
    names = [columns[place] for place in places]
    readers = [(name, reader) for name in names if (reader := known[name][0]) is not None]
    if len(places) < len(columns):
        found = [tuple(row[place] for place in places) for row in found]
    plain = len(names) == len(known) and not hasattr(kind, "__post_init__")
    made: list[R] = []
    for row in found:
        values = dict(zip(names, row, strict=False))
        for name, reader in readers:
            if values[name] is not None:
                values[name] = reader(values[name])
        if plain:
            # The __init__ of a frozen dataclass sets field by field and takes twice as long, which shows in
            # the graphs of 100,000 traces.
            value = object.__new__(kind)
            object.__setattr__(value, "__dict__", values)
        else:
            value = kind(**values)
        made.append(value)
    return made


@cache
def _fields(kind: type[Any]) -> dict[str, tuple[Reader | None, bool]]:
    """Return how each field of a dataclass is read, and whether the query must have it."""
    types = get_type_hints(kind)
    return {
        field.name: (
            _reader_of(types[field.name]),
            field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(kind)
    }


def _reader_of(kind: Any) -> Reader | None:
    """Return what turns a column into a type, never asked for None; None: it is what SQLite gives."""
    if get_origin(kind) in (Union, UnionType):
        inner = [one for one in get_args(kind) if one is not NoneType]
        return _reader_of(inner[0]) if len(inner) == 1 else None
    if kind is bool:
        return bool
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _reader_of_enum(kind)
    if get_origin(kind) is tuple:  # few texts come again and again: "[]" above all
        return lru_cache(maxsize=1024)(lambda text: _from_json(kind, json.loads(text)))
    if get_origin(kind) is dict or kind is dict:
        return lambda text: _from_json(kind, json.loads(text))
    return None


def _reader_of_enum(kind: type[Enum]) -> Reader:
    return _Members(
        {member.value: member for member in kind}
    ).__getitem__  # much quicker than calling the class


class _Members(dict[Any, Enum]):
    """The members of an enum by value, that refuse any other value as the enum does."""

    def __missing__(self, value: Any) -> Enum:
        raise ValueError(f"{value!r} is not a valid {type(next(iter(self.values()))).__name__}")


def _from_json(kind: Any, value: Any) -> Any:
    """Return a value of JSON as a type: lists as tuples or dataclasses, texts as enums, at any depth."""
    if value is None:
        return None
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        kinds = [one for one in inner if one is not NoneType]
        return _from_json(kinds[0], value) if len(kinds) == 1 else value
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        return tuple(_from_json(one, part) for one, part in zip(kinds, value, strict=True))
    if origin is dict:
        return {key: _from_json(inner[1], part) for key, part in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return kind(*value) if isinstance(value, list) else kind(**value)
    return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value
