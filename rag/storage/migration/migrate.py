"""Brings an SQLite file to this program's schema, one transaction a step; PRAGMA user_version counts them.

A kill, an error or a full disk at any statement leaves the file at the schema before the step, and the next
start goes on from there. The steps themselves, and how to add one, are in steps.
"""

from __future__ import annotations

import filecmp
import math
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rag.errors import RagError, is_full, of_sqlite
from rag.storage.migration.steps import STEPS, Step, run_actions, statements

__all__ = ["STEPS", "Step", "connect", "migrate", "statements"]

Connect = Callable[[Path], sqlite3.Connection]
PART = ".part"  # ends the name of a safety copy that is not complete


def connect(database: Path) -> sqlite3.Connection:
    """Open a file in autocommit mode, so that a transaction begins and ends where this module says so."""
    return sqlite3.connect(database, isolation_level=None)


def migrate(
    database: Path, fill_new_file: Callable[[sqlite3.Connection], None], connect: Connect = connect
) -> None:
    """Make a new file, or upgrade an older one after copying it to ragdeck.before-N.sqlite.

    Args:
        database: The file; it need not exist.
        fill_new_file: Makes the tables as they are now, given a connection inside a transaction.
        connect: Opens a file in autocommit mode.

    Raises:
        RagError: The file is newer, damaged, locked, not Ragdeck's or not writable, or a step failed.
    """
    with _in_words(database):
        _remove_half_copies(database)
        with closing(connect(database)) as connection:
            version = _number(connection, "PRAGMA user_version")
            if version > len(STEPS):
                raise RagError(
                    f"{database} was written by a newer Ragdeck (schema {version}, this program knows "
                    f"{len(STEPS)}); use the newer program."
                )
            if version == 0:
                _make(connection, database, fill_new_file)
            elif version < len(STEPS):
                connection.execute(
                    "PRAGMA journal_mode = WAL"
                )  # before the copy, which waits for no lock then
                _copy(connection, database, version + 1, connect)
                for step in STEPS[version:]:
                    _run(connection, database, step)
            else:
                _number(connection, "SELECT count(*) FROM sqlite_master")  # a damaged schema shows here
                connection.execute("PRAGMA journal_mode = WAL")


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _make(
    connection: sqlite3.Connection, database: Path, fill_new_file: Callable[[sqlite3.Connection], None]
) -> None:
    """Make the tables of a new file. One that the program up to schema 5 left half made is begun again."""
    tables = _tables_of_half_made_file(connection, database)
    connection.execute("PRAGMA journal_mode = WAL")
    with _transaction(connection):
        for name in tables:
            connection.execute(f'DROP TABLE "{name}"')
        fill_new_file(connection)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")


def _tables_of_half_made_file(connection: sqlite3.Connection, database: Path) -> list[str]:
    """Return the tables of a file without a schema number. Raises RagError when rows would be lost."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    virtual = [name for name, sql in rows if (sql or "").upper().startswith("CREATE VIRTUAL")]
    tables = [name for name, _ in rows if not name.startswith(("sqlite_", *(f"{v}_" for v in virtual)))]
    # The program up to schema 5 wrote the rules of a new file before its number.
    plain = [name for name in tables if name not in virtual and name != "alertrule"]
    if tables and (
        "collection" not in tables
        or any(_number(connection, f'SELECT EXISTS (SELECT 1 FROM "{name}")') for name in plain)
    ):
        raise RagError(
            f"{database} is not a Ragdeck file: it holds tables but no schema number. Put a backup in "
            "its place, or move it away to start anew."
        )
    return sorted(tables, key=lambda name: name not in virtual)


def _run(connection: sqlite3.Connection, database: Path, step: Step) -> None:
    try:
        with _transaction(connection):
            run_actions(connection, step.actions)
            connection.execute(f"PRAGMA user_version = {step.number}")
    except sqlite3.Error as error:
        if of_sqlite(error):
            raise
        raise RagError(
            f"{database} could not be upgraded: step {step.number} ({step.name}) failed ({error}). The file "
            "is as it was before that step. The Ragdeck that you used before can open the copy "
            f"{_newest_copy(database)}."
        ) from error


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit at the end, and roll back on anything that is raised, a cancel from the keyboard included."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself has rolled back after some errors, a full disk for one
            connection.execute("ROLLBACK")
        raise


# --- the safety copy --------------------------------------------------------------------------------------


def _copy(connection: sqlite3.Connection, database: Path, number: int, connect: Connect) -> None:
    """Copy the file beside itself. An earlier copy stays, and suffices when it is the same."""
    target = database.with_name(f"ragdeck.before-{number}.sqlite")
    part = target.with_name(target.name + PART)
    try:
        with closing(connect(part)) as new:
            connection.backup(new)
        _sync(part)
        if target.exists() and filecmp.cmp(part, target, shallow=False):
            part.unlink()
        else:
            part.rename(_free(target))
            _sync_folder(database.parent)
    except (sqlite3.Error, OSError) as error:
        _remove_half_copies(database)
        if is_full(error):
            size = _number(connection, "PRAGMA page_count") * _number(connection, "PRAGMA page_size")
            raise RagError(
                "The disk is full: the copy that is made before an upgrade needs "
                f"{math.ceil(size / 1e6):,} MB in {database.parent}. Nothing was changed. "
                "Free some space and start again."
            ) from error
        raise


def _newest_copy(database: Path) -> Path:
    """Return the safety copy of this upgrade; there always is one when a step runs."""
    return max(database.parent.glob("ragdeck.before-*.sqlite"), key=lambda path: path.stat().st_mtime_ns)


def _free(target: Path) -> Path:
    """Return the path, or the first with a number behind it that no file has."""
    found, number = target, 1
    while found.exists():
        number += 1
        found = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return found


def _remove_half_copies(database: Path) -> None:
    """Remove what a killed copy left, with its journals: SQLite would apply them to the next copy."""
    for path in database.parent.glob(f"ragdeck.before-*{PART}*"):
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Write a new name in a folder to the disk, where the system can."""
    if os.name != "nt":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# --- errors -----------------------------------------------------------------------------------------------


@contextmanager
def _in_words(database: Path) -> Iterator[None]:
    """Turn what SQLite and the disk report into one sentence that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        refusal = of_sqlite(error, str(database))
        if refusal is None:
            raise
        raise refusal from error
    except OSError as error:
        raise RagError(
            f"The folder {database.parent} cannot be written to ({error.strerror}). Check its permissions "
            "and its disk, and start again."
        ) from error
