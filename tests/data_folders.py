"""Data folders that say whose they are, and processes that are killed at a line of our code."""

import os
import random
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel

from rag.settings import Settings
from rag.storage.data_folder import DATABASE
from rag.storage.store import Store
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


def make_folder(folder: Path, name: str, seed: int) -> Path:
    """Make a data folder whose database and settings both say whose they are."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder / DATABASE)
    with store.session() as session:
        for number in range(40):
            session.add(
                Trace(
                    id=f"{number:032x}", session_id="s", created_ms=number, status="done", question=name * 200
                )
            )
    store.close()
    Settings().changed("generation", "seed", seed).save(folder / "settings.toml")
    return folder


def write_without_closing(folder: Path, name: str) -> None:
    """Leave a WAL that holds rows which are not in the database file, as a killed process does."""
    child = os.fork()
    if child == 0:
        connection = sqlite3.connect(folder / DATABASE)
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(
            "UPDATE trace SET question = ?, created_ms = created_ms + 1", (name * 200,)
        )  # the same value alone would write nothing
        connection.commit()
        os._exit(0)
    os.waitpid(child, 0)
    assert (folder / f"{DATABASE}-wal").stat().st_size > 0


def whose(folder: Path) -> set[tuple[str, int]]:
    """Whose data a folder holds once it was opened: one pair unless something is mixed."""
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        names = {row[0][:3] for row in connection.execute("SELECT question FROM trace")}
        assert connection.execute("SELECT count(*) FROM trace").fetchone()[0] == 40
    seed = Settings.load(folder / "settings.toml").generation.seed
    return {(name, seed) for name in names}


def open_once(folder: Path) -> list[str]:
    """Open a data folder and close it; return what there was to say."""
    with Workspace(folder, "a test") as workspace:
        return workspace.notices


def put_default_place(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the platform say that data belong in this folder."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: str(folder))


CODE = ("storage/backup.py", "storage/restore.py", "storage/relocation.py")


def run_and_kill(action: Callable[[], Any], line: int) -> int:
    """Run action in a process that is killed before the n-th line of our code; gives the lines it ran.

    0 lets it live. The count is what the process had written of it when it ended.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def trace(frame: Any, event: str, _argument: Any) -> Any:
            nonlocal count
            if not frame.f_code.co_filename.replace("\\", "/").endswith(CODE):
                return None
            if event == "line":
                count += 1
                if count == line:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        try:
            sys.settrace(trace)
            action()
            sys.settrace(None)
            os.write(writing, str(count).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    assert line or status == 0
    return int(text or 0)


def kill_points(action: Callable[[], Any], before: Callable[[], Any], wanted: int) -> Iterator[int]:
    """Run action whole once, then kill it at random lines; before makes the state to begin with."""
    before()
    total = run_and_kill(action, 0)
    assert total > 10
    chance = random.Random(7)
    for line in sorted(chance.sample(range(1, total + 1), min(wanted, total))):
        before()
        run_and_kill(action, line)
        yield line


def insert(workspace: Workspace, table: str, **values: Any) -> None:
    """Insert a row; columns that are not given contain nothing, or 0 where there must be something.

    An id that is a number is the next one.
    """
    row = {}
    for column in SQLModel.metadata.tables[table].columns:
        empty = {str: "", bytes: b""}.get(column.type.python_type, 0)
        is_given_out = column.name == "id" and column.type.python_type is int
        row[column.name] = values.get(column.name, None if column.nullable or is_given_out else empty)
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(row.values())
        )
