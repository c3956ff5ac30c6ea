"""Files of older schemas, and upgrades of them that are interrupted after any statement.

Run as a script it upgrades a file and kills itself after a given statement: see `killed`.
"""

# ruff: noqa: E402

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from rag.storage.data_folder import SCHEMA
from rag.storage.migration.migrate import connect, migrate
from rag.storage.migration.steps import STEPS, run_actions
from rag.storage.store import fill_new_file

OLD = sorted((TESTS / "schemas").glob("schema-*.sql"))
FIRST = next(path for path in OLD if path.name.startswith("schema-1-"))


def floats(text: str) -> bytes:
    """Return the bytes of a vector of 1,024 numbers; text names those that are not 0: "index:hex ..."."""
    vector = bytearray(4096)
    for part in text.split():
        index, _, value = part.partition(":")
        vector[int(index) * 4 : int(index) * 4 + 4] = bytes.fromhex(value)
    return bytes(vector)


def old_file(source: Path, folder: Path) -> Path:
    """Make the file that a fixture describes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ragdeck.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("floats", 1, floats)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript("BEGIN;" + source.read_text("utf-8") + "COMMIT;")
    return path


def old_version(source: Path) -> int:
    return int(source.name.split("-")[1])


def upgrade(path: Path) -> None:
    migrate(path, fill_new_file)


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def objects(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return kind, name and SQL of what the schema has, without full-text tables' own tables."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return [row for row in rows if not re.match(r"sqlite_|(chunk|trace)_fts_", row[1])]


def structure(path: Path) -> dict[tuple[str, str], Any]:
    """Return what must be the same in every file of a schema.

    Left out is what may differ: the order of columns, and defaults, which a new file leaves to the program.
    """
    found: dict[tuple[str, str], Any] = {}
    with closing(sqlite3.connect(path)) as connection:
        for kind, name, sql in objects(connection):
            plain = re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql)).replace(" IF NOT EXISTS", "")
            if kind == "table" and not plain.startswith("CREATE VIRTUAL"):
                columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
                indexes = connection.execute(f"PRAGMA index_list({name})").fetchall()
                found[kind, name] = (
                    {row[1]: (row[2], row[3], row[5]) for row in columns},
                    sorted(
                        (
                            row[2],
                            row[3],
                            row[4],
                            tuple(c[2] for c in connection.execute(f"PRAGMA index_info({row[1]})")),
                        )
                        for row in indexes
                    ),
                    connection.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
                )
            else:
                found[kind, name] = plain
    return found


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table that holds rows of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return rows_of(connection)


def rows_of(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for kind, name, sql in objects(connection):
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            cursor = connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
            names = [column[0] for column in cursor.description]
            found[name] = [dict(zip(names, row, strict=True)) for row in cursor]
    return found


Content = tuple[int, list[tuple[str, str, str]], dict[str, list[dict[str, Any]]]]


def content(path: Path) -> Content:
    """Return the schema number, the schema and all rows."""
    with closing(sqlite3.connect(path)) as connection:
        number = connection.execute("PRAGMA user_version").fetchone()[0]
        return number, sorted(objects(connection)), rows_of(connection)


class Cut(Exception):
    """What a test raises after a statement."""


def cutting(after: int, cut: Callable[[], None]) -> tuple[Callable[[Path], sqlite3.Connection], list[str]]:
    """Return a way to open files that calls `cut` after so many statements in transactions, and what ran."""
    done: list[str] = []

    class Cutting(sqlite3.Connection):
        def _count(self, sql: str) -> None:
            if sql.startswith("PRAGMA journal_mode"):
                super().execute("PRAGMA synchronous = OFF")  # what matters here is order, and this is quicker
            if sql == "COMMIT" or (self.in_transaction and sql != "ROLLBACK"):
                done.append(sql)
                if len(done) == after:
                    cut()

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            cursor = super().execute(sql, *values)
            self._count(sql)
            return cursor

        def executemany(self, sql: str, values: Any) -> sqlite3.Cursor:  # type: ignore[override]
            cursor = super().executemany(sql, values)
            self._count(sql)
            return cursor

    return lambda path: sqlite3.connect(path, isolation_level=None, factory=Cutting), done


def raise_cut() -> None:
    raise Cut


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def copied(path: Path, folder: Path) -> Path:
    """Return a copy of a database that nobody has open."""
    folder.mkdir()
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    return copy


def after_each_step(path: Path, folder: Path) -> dict[int, Content]:
    """Return the content of a file at its own schema and after every step that follows.

    The file of each of these schemas is left in a folder named after its number.
    """
    copy = copied(path, folder)
    found = {version_of(copy): content(copy)}
    copied(copy, folder / str(version_of(copy)))
    for step in STEPS[version_of(copy) :]:
        with closing(connect(copy)) as connection:
            connection.execute("BEGIN")
            run_actions(connection, step.actions)
            connection.execute(f"PRAGMA user_version = {step.number}")
            connection.execute("COMMIT")
        found[step.number] = content(copy)
        copied(copy, folder / str(step.number))
    return found


def upgraded(path: Path, folder: Path) -> list[str]:
    """Upgrade a copy of a file without an interruption; return the statements of its transactions."""
    opening, done = cutting(0, raise_cut)
    migrate(copied(path, folder), fill_new_file, opening)
    return done


def cut_and_start_again(folder: Path, after: int, done: list[str], steps: dict[int, Content]) -> int:
    """Interrupt an upgrade after a statement and start again; return the schema that was left in between.

    The steps before that statement were whole, so the upgrade begins with the file that they left; and a file
    that is byte for byte the one that an earlier call upgraded is not upgraded once more.

    Args:
        folder: Where `after_each_step` left the files.
        after: How many statements of the whole upgrade ran.
        done: These statements.
        steps: The content after each step.
    """
    commits = [number for number, sql in enumerate(done[: after - 1], start=1) if sql == "COMMIT"]
    whole, before = min(steps) + len(commits), commits[-1] if commits else 0
    cut = copied(folder / str(whole) / "ragdeck.sqlite", folder / f"cut-{after}")
    with pytest.raises(Cut):
        migrate(cut, fill_new_file, cutting(after - before, raise_cut)[0])
    left = version_of(cut)
    assert left == min(steps) + done[:after].count("COMMIT")
    assert content(cut) == steps[left], f"after {after}: {done[after - 1]}"
    known = folder / f"upgraded-from-{left}"
    if not known.exists() or known.read_bytes() != cut.read_bytes():
        known.write_bytes(cut.read_bytes())
        upgrade(cut)
        assert content(cut) == steps[SCHEMA], f"after {after}: {done[after - 1]}"
    return left


def killed(path: Path, after: int) -> None:
    """Upgrade a file in another process, which kills itself after so many statements."""
    done = subprocess.run([sys.executable, __file__, str(path), str(after)], capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


if __name__ == "__main__":
    migrate(Path(sys.argv[1]), fill_new_file, cutting(int(sys.argv[2]), kill_myself)[0])
