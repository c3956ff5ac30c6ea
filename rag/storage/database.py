"""Reads the SQLite file with the standard library alone: what the window and the command line show.

The window's process must stay light, so this imports no SQLModel. It opens the file read-only; the engine
process (or the command line's own workspace) is the only writer. Columns are those of rag.storage.tables; the
queries are in the `rows.py` of each feature.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from rag.errors import NotFoundError
from rag.storage.data_folder import SCHEMA

R = TypeVar("R")


class Database:
    """A SQLite file opened for reading, usable from several threads: each gets its own connection.

    Before the engine has made the file, or brought an older one up to date, every query returns nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def is_current(self) -> bool:
        """Return whether the file is there with the tables that this program reads."""
        if not self.path.exists():
            return False
        connection = self._open()
        try:  # a migration sets user_version in its last statement
            return int(connection.execute("PRAGMA user_version").fetchone()[0]) >= SCHEMA
        finally:
            connection.close()

    def rows(self, kind: type[R], statement: str, values: tuple[Any, ...] = ()) -> list[R]:
        """Return a query's rows as values of a dataclass whose fields are columns of the query.

        Columns that are no field are left out. Raises sqlite3.OperationalError for a wrong statement.
        """
        found = self.query(statement, values)
        if not found:
            return []
        order = [found[0].keys().index(f.name) for f in fields(kind)]  # type: ignore[arg-type]
        if order == list(range(len(order))):  # a third quicker than by name, for ten thousand rows
            return [kind(*row) for row in found]
        return [kind(*(row[place] for place in order)) for row in found]

    def cells(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return a query's rows as plain tuples."""
        return [tuple(row) for row in self.query(statement, values)]

    def query(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Return a query's rows, readable by place and by name."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            if not self.is_current():
                return []
            connection = self._open()
            self._local.connection = connection
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

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        return connection
