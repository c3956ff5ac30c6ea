"""A backup is whole or absent; a restore, however it ends, leaves the old data or the new."""

import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from data_folders import (
    kill_points,
    make_folder,
    needs_fork,
    open_once,
    whose,
    write_without_closing,
)
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.asking.sessions.changes import delete_session, go_on, pin_session
from rag.asking.sessions.rows import Binding, list_sessions
from rag.errors import RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.index_sync import needs_repair, repair_indexes
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection, list_versions
from rag.storage import backup as backup_module
from rag.storage.backup import back_up, prepare_restore, read_backup
from rag.storage.data_folder import DATABASE
from rag.storage.relocation import move_data
from rag.workspace import Workspace


@needs_fork
def test_a_killed_backup_leaves_no_half_file_and_the_next_one_clears_up(tmp_path: Path) -> None:
    folder, target = make_folder(tmp_path / "data", "old", 1), tmp_path / "out" / "backup.zip"
    target.parent.mkdir()
    for _ in kill_points(lambda: drive(back_up(folder, target)), lambda: target.unlink(missing_ok=True), 12):
        if target.exists():
            read_backup(target)
    drive(back_up(folder, target))
    assert [path.name for path in target.parent.iterdir()] == ["backup.zip"]
    assert open_once(folder) == []


@needs_fork
def test_a_killed_preparation_leaves_the_old_data_and_says_so(tmp_path: Path, small: Path) -> None:
    folder = tmp_path / "data"

    def begin() -> None:
        backup_module.remove(folder)
        make_folder(folder, "old", 1)
        write_without_closing(folder, "old")

    for _ in kill_points(lambda: drive(prepare_restore(folder, small)), begin, 14):
        began, marked = (folder / "restore.new").exists(), (folder / "restore.new" / "complete.json").exists()
        notices = open_once(folder)
        assert whose(folder) == ({("new", 2)} if marked else {("old", 1)})
        assert bool(notices) == began
        if began and not marked:
            assert "interrupted" in notices[0]
        assert not (folder / "restore.new").exists()
        assert open_once(folder) == []


@needs_fork
def test_a_killed_finish_goes_on_at_the_next_start(tmp_path: Path, small: Path) -> None:
    folder = tmp_path / "data"

    def begin() -> None:
        backup_module.remove(folder)
        make_folder(folder, "old", 1)
        drive(prepare_restore(folder, small))
        write_without_closing(folder, "wal")  # must end beside the old file and never in the new one

    for _ in kill_points(lambda: backup_module.finish_restore(folder), begin, 40):
        open_once(folder)
        assert whose(folder) == {("new", 2)}
        (kept,) = folder.glob("before-restore-*")
        assert whose(kept) == {("wal", 1)}
        assert not list(folder.glob("restore.*"))
        assert open_once(folder) == []


@needs_fork
def test_a_killed_restore_into_an_empty_folder_ends_with_the_backup(tmp_path: Path, small: Path) -> None:
    folder = tmp_path / "data"

    def begin() -> None:
        backup_module.remove(folder)
        folder.mkdir()
        drive(prepare_restore(folder, small))

    for _ in kill_points(lambda: backup_module.finish_restore(folder), begin, 30):
        open_once(folder)
        assert whose(folder) == {("new", 2)}
        assert not list(folder.glob("before-restore-*"))


def test_a_backup_while_others_write_is_one_moment(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", "old", 1)
    with closing(sqlite3.connect(folder / DATABASE)) as connection, connection:
        connection.execute("CREATE TABLE pair (a INTEGER, b INTEGER, filling BLOB)")
        connection.executemany("INSERT INTO pair VALUES (0, 0, ?)", [(os.urandom(4000),)] * 1500)
    stopped, rounds = threading.Event(), []

    def write() -> None:
        with closing(sqlite3.connect(folder / DATABASE, timeout=30)) as connection:
            while not stopped.is_set():
                with connection:
                    connection.execute("UPDATE pair SET a = a + 1 WHERE rowid % 7 = 0")
                    connection.execute("UPDATE pair SET b = b + 1 WHERE rowid % 7 = 0")
                    connection.execute("INSERT INTO pair VALUES (0, 0, ?)", (os.urandom(4000),))
                rounds.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while len(rounds) < 3:
            stopped.wait(0.01)
        began = len(rounds)
        events = list(back_up(folder, tmp_path / "b.zip"))
        assert len(rounds) > began
    finally:
        stopped.set()
        thread.join()
    assert {event.stage for event in events} == {"copying", "packing", "checking"}
    drive(prepare_restore(tmp_path / "data", tmp_path / "b.zip"))
    open_once(folder)
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("SELECT count(*) FROM pair WHERE a <> b").fetchone()[0] == 0
        assert connection.execute("SELECT count(DISTINCT a) FROM pair WHERE rowid % 7 = 0 AND rowid <= 1500").fetchone()[0] == 1  # fmt: skip
        assert connection.execute("SELECT count(*) FROM pair").fetchone()[0] >= 1503


def test_a_restore_brings_back_documents_versions_traces_and_settings(
    folder: Path, documents: Path, tmp_path: Path
) -> None:
    def opened() -> Workspace:
        return Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load)

    with opened() as workspace:
        drive(ingest_files(workspace, "Notes", [documents]))
        session = go_on(workspace.store, "", Binding("Notes"))
        drive(answer_question(workspace, Question("What does rye bread need?", "Notes", session_id=session)))
        pin_session(workspace.store, session)
        sessions = list_sessions(workspace.database)
        workspace.change_settings({"generation": {"seed": 5}})
        before = list_versions(workspace.database, 1), list_traces(workspace.database, TraceFilter())
        report = drive(back_up(workspace.folder, tmp_path / "b.zip"))
        assert dict(report.rows)["document"] == 3
        (documents / "new.txt").write_text("A fourth document about sunlight.")
        drive(ingest_files(workspace, "Notes", [documents]))
        drive(answer_question(workspace, Question("When do boats leave?", "Notes")))
        delete_session(workspace.store, session)
        workspace.change_settings({"generation": {"seed": 6}})
        drive(prepare_restore(folder, tmp_path / "b.zip"))
    forget_chroma()
    with opened() as workspace:
        assert "was restored" in workspace.notices[0]
        assert (
            list_versions(workspace.database, 1),
            list_traces(workspace.database, TraceFilter()),
        ) == before
        assert list_sessions(workspace.database) == sessions and sessions[0].is_pinned
        assert workspace.settings.generation.seed == 5
        collection = get_collection(workspace.database, "Notes")
        assert workspace.index.count(IndexPlace(collection.key)) == 0
        assert needs_repair(workspace)
        drive(repair_indexes(workspace))
        assert workspace.index.count(IndexPlace(collection.key)) == collection.chunk_count
        found = drive(answer_question(workspace, Question("What does rye bread need?", "Notes")))
        assert found.status == "done"
    (kept,) = folder.glob("before-restore-*")
    with closing(sqlite3.connect(kept / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM trace").fetchone()[0] == 2


def forget_chroma() -> None:
    """Chroma keeps what it opened per path and process; a restore is followed by another process."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def test_a_cancelled_backup_and_restore_leave_nothing(tmp_path: Path, small: Path) -> None:
    folder, target = make_folder(tmp_path / "data", "old", 1), tmp_path / "out" / "b.zip"
    target.parent.mkdir()
    for count in (1, 2, 3):
        running = back_up(folder, target)
        for _ in range(count):
            next(running)
        running.close()
        assert not list(target.parent.iterdir())
    restoring = prepare_restore(folder, small)
    next(restoring)
    restoring.close()
    assert open_once(folder) == []
    assert whose(folder) == {("old", 1)}


def test_a_backup_replaces_an_older_one_only_when_it_is_whole(tmp_path: Path) -> None:
    folder, target = make_folder(tmp_path / "data", "old", 1), tmp_path / "b.zip"
    drive(back_up(folder, target))
    before = target.read_bytes()
    running = back_up(folder, target)
    next(running)
    running.close()
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    ("target", "named"),
    [("missing/b.zip", "no folder"), ("data/b.zip", "data folder itself"), ("data", "is a folder")],
)
def test_targets_that_cannot_be_are_refused(tmp_path: Path, target: str, named: str) -> None:
    folder = make_folder(tmp_path / "data", "old", 1)
    with pytest.raises(RagError, match=named):
        drive(back_up(folder, tmp_path / target))


def test_too_little_space_is_said_first(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder(tmp_path / "data", "old", 1)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1000))
    for action in (
        back_up(folder, tmp_path / "b.zip"),
        prepare_restore(folder, small),
        move_data(folder, tmp_path / "new"),
    ):
        with pytest.raises(RagError, match="free"):
            drive(action)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    assert open_once(folder) == []


@needs_fork
@pytest.mark.parametrize("limit", [3_000, 20_000, 60_000])
def test_a_disk_that_fills_is_a_sentence_and_leaves_nothing(tmp_path: Path, small: Path, limit: int) -> None:
    import resource

    folder = make_folder(tmp_path / "data", "old", 1)
    (tmp_path / "out").mkdir()
    actions = (
        lambda: back_up(folder, tmp_path / "out" / "b.zip"),
        lambda: prepare_restore(folder, small),
        lambda: move_data(folder, tmp_path / "new"),
    )
    for action in actions:
        reading, writing = os.pipe()
        if os.fork() == 0:
            try:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
                drive(action())
            except BaseException as error:
                os.write(writing, f"{type(error).__name__}: {error}".encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            said = told.read()
        os.wait()
        assert said.startswith("RagError: "), said
        assert "cannot be written" in said
        assert not list((tmp_path / "out").iterdir())
        assert not (tmp_path / "new").exists()
    assert open_once(folder) == []
    assert whose(folder) == {("old", 1)}
