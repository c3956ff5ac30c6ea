"""A backup is whole or absent; a restore and a move, however they end, leave the old data or the new."""

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.errors import RagError
from rag.index.vector_index import IndexPlace
from rag.knowledge.index_sync import needs_repair, repair_indexes
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import get_collection, list_versions
from rag.settings import Settings
from rag.storage import backup as backup_module
from rag.storage.backup import back_up, look_at_backup, prepare_restore, read_backup
from rag.storage.data_folder import DATABASE, POINTER, data_folder
from rag.storage.disk_usage import folder_usage
from rag.storage.relocation import IN, OUT, move_data
from rag.storage.store import Store
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


def make_folder(folder: Path, name: str, seed: int) -> Path:
    """A data folder whose database and settings both say whose they are."""
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
    with Workspace(folder, "a test") as workspace:
        return workspace.notices


def as_workspace(folder: Path) -> Any:
    return SimpleNamespace(folder=folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of data named "new"."""
    place = tmp_path_factory.mktemp("small")
    folder = make_folder(place / "data", "new", 2)
    drive(back_up(folder, place / "new.zip"))
    return place / "new.zip"


def put_default_place(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: str(folder))


# --- killing ----------------------------------------------------------------------------------------------

CODE = ("backup.py", "moving.py")


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
            if not frame.f_code.co_filename.endswith(CODE):
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


@needs_fork
def test_a_killed_move_leaves_one_place_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_default_place(monkeypatch, tmp_path / "home" / "ragdeck")
    old, new = tmp_path / "home" / "ragdeck", tmp_path / "new"

    def begin() -> None:
        for path in (old, new):
            backup_module.remove(path)
        make_folder(old, "old", 1)
        (old / "before-restore-1").mkdir()
        (old / "before-restore-1" / "note").write_text("kept")

    def move_and_open() -> None:
        drive(move_data(old, new))
        open_once(new)

    ends = set()
    for _ in kill_points(move_and_open, begin, 40):
        began = (old / OUT).exists() or (new / IN).exists()
        place = data_folder()
        notices = open_once(place)
        ends.add(place)
        assert whose(place) == {("old", 1)}
        assert (place / "before-restore-1" / "note").read_text() == "kept"
        other = new if place == old else old
        assert not (other / DATABASE).exists()
        assert bool(notices) == began
        assert not any((folder / note).exists() for folder in (old, new) for note in (OUT, IN))
        assert open_once(data_folder()) == []
    assert ends == {old, new}


# --- backup and restore -----------------------------------------------------------------------------------


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
        drive(answer_question(workspace, Question("What does rye bread need?", "Notes")))
        workspace.change_settings({"generation": {"seed": 5}})
        before = list_versions(workspace.database, 1), list_traces(workspace.database, TraceFilter())
        report = drive(back_up(workspace.folder, tmp_path / "b.zip"))
        assert dict(report.rows)["document"] == 3
        (documents / "new.txt").write_text("A fourth document about sunlight.")
        drive(ingest_files(workspace, "Notes", [documents]))
        drive(answer_question(workspace, Question("When do boats leave?", "Notes")))
        workspace.change_settings({"generation": {"seed": 6}})
        drive(prepare_restore(folder, tmp_path / "b.zip"))
    forget_chroma()
    with opened() as workspace:
        assert "was restored" in workspace.notices[0]
        assert (
            list_versions(workspace.database, 1),
            list_traces(workspace.database, TraceFilter()),
        ) == before
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


# --- what is not a backup ---------------------------------------------------------------------------------


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A copy of a backup whose members were changed; keys may be anything."""
    with zipfile.ZipFile(source) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return target


def in_manifest(**values: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), **values}).encode()

    return change


def with_database(
    change: Callable[[sqlite3.Connection], Any], folder: Path
) -> Callable[[dict[str, bytes]], None]:
    """Put a changed database into the backup, with a manifest that fits."""

    def rewrite(members: dict[str, bytes]) -> None:
        path = folder / "changed.sqlite"
        path.write_bytes(members[DATABASE])
        with closing(sqlite3.connect(path)) as connection:
            change(connection)
            connection.commit()
        fit(members, path.read_bytes())

    return rewrite


def fit(members: dict[str, bytes], database: bytes) -> None:
    import hashlib

    members[DATABASE] = database
    manifest = json.loads(members["manifest.json"])
    entry = next(m for m in manifest["members"] if m["name"] == DATABASE)
    entry.update(size=len(database), sha256=hashlib.sha256(database).hexdigest())
    members["manifest.json"] = json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.pop("settings.toml"), "not those that its manifest lists"),
        (lambda m: m.pop(DATABASE), "not those that its manifest lists"),
        (lambda m: m.pop("manifest.json"), "not a Ragdeck backup"),
        (lambda m: m.update({"extra.txt": b"x"}), "extra.txt"),
        (lambda m: m.update({"../outside.txt": b"x"}), "outside.txt"),
        (lambda m: m.update({"/etc/x": b"x"}), "etc/x"),
        (lambda m: m.update({"index/chroma.sqlite3": b"x"}), "chroma.sqlite3"),
        (lambda m: m.update({"settings.toml": b"[generation]\nseed = 9\n"}), "size"),
        (lambda m: m.update({"manifest.json": b"[1]"}), "format"),
        (lambda m: m.update({"manifest.json": b"{"}), "cannot be read"),
        (lambda m: m.update({"manifest.json": b" " * (2 << 20)}), "far too large"),
        (in_manifest(format=2), "format that this program does not know"),
        (in_manifest(schema=99), "newer Ragdeck"),
        (in_manifest(members="x"), "cannot be read"),
        (in_manifest(rows=3), "cannot be read"),
        (in_manifest(created_ms=None), "cannot be read"),
        (in_manifest(created_ms=10**30), "cannot be read"),
    ],
)
def test_a_backup_with_other_contents_is_refused(
    tmp_path: Path, small: Path, change: Callable[[dict[str, bytes]], Any], named: str
) -> None:
    refused_everywhere(tmp_path, rewritten(small, tmp_path / "changed.zip", change), named)


def refused_everywhere(tmp_path: Path, path: Path, named: str) -> None:
    with pytest.raises(RagError, match=named):
        read_backup(path)
    folder = make_folder(tmp_path / "data", "old", 1)
    with pytest.raises(RagError, match=named):
        drive(prepare_restore(folder, path))
    assert open_once(folder) == []
    assert whose(folder) == {("old", 1)}
    assert not (tmp_path / "outside.txt").exists()


def test_databases_that_cannot_serve_are_refused(tmp_path: Path, small: Path) -> None:
    def newer(members: dict[str, bytes]) -> None:
        with_database(lambda c: c.execute("PRAGMA user_version = 99"), tmp_path)(members)

    def foreign(members: dict[str, bytes]) -> None:
        with_database(lambda c: c.execute("DROP TABLE document"), tmp_path)(members)

    def torn(members: dict[str, bytes]) -> None:
        middle = len(members[DATABASE]) // 2
        fit(members, members[DATABASE][:middle] + os.urandom(40_000) + members[DATABASE][middle + 40_000 :])

    def text(members: dict[str, bytes]) -> None:
        fit(members, b"no database at all " * 500)

    for change, named in (
        (newer, "newer Ragdeck"), (foreign, "not one of Ragdeck"), (torn, "not sound|cannot read"), (text, "cannot read"),
    ):  # fmt: skip
        with pytest.raises(RagError, match=named):
            read_backup(rewritten(small, tmp_path / "changed.zip", change))


def test_links_and_twice_the_same_name_are_refused(tmp_path: Path, small: Path) -> None:
    with zipfile.ZipFile(small) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as made:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            if name == "settings.toml":
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(info, content)
    with pytest.raises(RagError, match="not a plain file"):
        read_backup(tmp_path / "link.zip")
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "twice.zip", "w") as made:
        for name, content in (*members.items(), ("settings.toml", b"")):
            made.writestr(name, content)
    with pytest.raises(RagError, match="never does"):
        read_backup(tmp_path / "twice.zip")


def test_what_is_no_zip_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    for path, named in ((tmp_path / "text.zip", "whole zip"), (tmp_path / "none.zip", "no file"), (tmp_path, "cannot be read")):  # fmt: skip
        with pytest.raises(RagError, match=named):
            look_at_backup(path)


def test_a_truncated_backup_is_refused_wherever_it_ends(tmp_path: Path, small: Path) -> None:
    whole = small.read_bytes()
    path = tmp_path / "short.zip"
    for length in {*range(0, len(whole), max(len(whole) // 60, 1)), *range(len(whole) - 40, len(whole))}:
        path.write_bytes(whole[:length])
        with pytest.raises(RagError):
            read_backup(path)


@settings(max_examples=150, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), from_end=st.booleans())
def test_a_flipped_bit_is_found_or_harmless(small: Path, where: float, bit: int, from_end: bool) -> None:
    import tempfile

    content = bytearray(small.read_bytes())
    position = int(where * len(content))
    if from_end:  # the zip's directory is small and has the most to break
        position = len(content) - 1 - int(where * min(600, len(content)))
    content[position] ^= 1 << bit
    good = read_backup(small)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "flipped.zip"
        path.write_bytes(content)
        try:
            found = read_backup(path)
        except RagError:
            return
    assert (found.members, found.rows, found.schema) == (good.members, good.rows, good.schema)


# --- moving -----------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default place, in a folder of the test."""
    put_default_place(monkeypatch, tmp_path / "home" / "ragdeck")
    return make_folder(tmp_path / "home" / "ragdeck", "old", 1)


def test_moved_data_are_found_by_the_next_start_and_can_move_on_and_back(home: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    for source, target in ((home, first), (first, second), (second, home)):
        report = drive(move_data(source, target))
        assert report.followed
        assert data_folder() == target
        notices = open_once(target)
        assert "moved here" in notices[0]
        assert "old copy was removed" in notices[0]
        assert whose(target) == {("old", 1)}
        assert open_once(data_folder()) == []
        assert (home / POINTER).exists() == (target != home)
        assert not first.exists() or target == first
    assert sorted(path.name for path in home.iterdir() if path.name != "lock") == [DATABASE, "settings.toml"]


def test_a_missing_target_is_a_sentence_and_never_an_empty_folder(home: Path, tmp_path: Path) -> None:
    drive(move_data(home, tmp_path / "disk"))
    open_once(tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    for make in (lambda: None, lambda: (tmp_path / "disk").mkdir()):  # a mount point stays as an empty folder
        make()
        with pytest.raises(RagError) as refused:
            data_folder()
        assert str(home) in str(refused.value)
        assert str(tmp_path / "disk") in str(refused.value)
        assert "--data" in str(refused.value)
    assert data_folder(tmp_path / "unplugged") == tmp_path / "unplugged"


def test_a_named_folder_ignores_the_pointer(home: Path, tmp_path: Path) -> None:
    drive(move_data(home, tmp_path / "new"))
    open_once(data_folder())
    assert data_folder(home) == home
    assert f"moved to {tmp_path / 'new'}" in open_once(home)[0]
    assert data_folder() == tmp_path / "new"


def test_a_folder_named_with_data_moves_without_a_pointer_in_the_default_place(
    home: Path, tmp_path: Path
) -> None:
    named = make_folder(tmp_path / "named", "nam", 3)
    report = drive(move_data(named, tmp_path / "new"))
    assert not report.followed
    assert data_folder() == home
    open_once(tmp_path / "new")
    assert whose(tmp_path / "new") == {("nam", 3)}
    assert not (named / DATABASE).exists()


def test_targets_that_are_no_place_for_data_are_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for target, named in (
        (home, "already"), (home / "inside", "data folder itself"), (tmp_path / "full", "letter.txt"),
        (tmp_path / "file", "is a file"),
    ):  # fmt: skip
        with pytest.raises(RagError, match=named):
            drive(move_data(home, target))
    assert open_once(home) == []


def test_a_cancelled_move_leaves_nothing_in_the_target(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "none"):
        running = move_data(home, target)
        next(running)
        next(running)
        running.close()
    assert not (tmp_path / "none").exists()
    assert {path.name for path in (tmp_path / "empty").iterdir()} <= {"lock"}
    assert open_once(home) == []


def test_what_is_written_while_a_move_copies_is_moved_too(home: Path, tmp_path: Path) -> None:
    running = move_data(home, tmp_path / "new")
    for event in running:
        if event.stage == "copying" and (tmp_path / "new" / DATABASE).exists():
            break
    with closing(sqlite3.connect(home / DATABASE)) as connection, connection:
        connection.execute("UPDATE trace SET question = 'late'")
    Settings().changed("generation", "seed", 8).save(home / "settings.toml")
    drive(running)
    open_once(tmp_path / "new")
    assert whose(tmp_path / "new") == {("lat", 8)}


def test_another_spelling_of_the_new_place_is_the_same_place(home: Path, tmp_path: Path) -> None:
    drive(move_data(home, tmp_path / "new"))
    (tmp_path / "link").symlink_to(tmp_path / "new")
    assert "old copy was removed" in open_once(data_folder(tmp_path / "link"))[0]
    assert whose(data_folder()) == {("old", 1)}


def test_a_new_place_whose_old_one_is_gone_is_not_cleared_away(home: Path, tmp_path: Path) -> None:
    named = make_folder(tmp_path / "named", "nam", 3)
    drive(move_data(named, tmp_path / "new"))
    named.rename(tmp_path / "unplugged")
    with pytest.raises(RagError, match="connect that disk"):
        open_once(tmp_path / "new")
    (tmp_path / "unplugged").rename(named)
    assert "old copy was removed" in open_once(tmp_path / "new")[0]
    assert whose(tmp_path / "new") == {("nam", 3)}


def test_an_old_folder_that_is_open_elsewhere_is_left_alone(home: Path, tmp_path: Path) -> None:
    drive(move_data(home, tmp_path / "new"))
    code = (
        "import sys; from pathlib import Path; from rag.storage.data_folder import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire('other'); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    assert "still there" in open_once(tmp_path / "new")[0]
    assert (home / DATABASE).exists()
    other.kill()
    other.communicate()
    assert "old copy was removed" in open_once(tmp_path / "new")[0]


def test_a_portable_folder_moves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.storage.data_folder.PROGRAM_FOLDER", tmp_path)
    (tmp_path / "portable").touch()
    make_folder(data_folder(), "old", 1)
    drive(move_data(data_folder(), tmp_path / "stick"))
    assert data_folder() == tmp_path / "stick"
    open_once(data_folder())
    assert whose(data_folder()) == {("old", 1)}


def test_a_pointer_that_cannot_be_read_is_a_sentence(home: Path) -> None:
    for content in (b"", b"relative/path", b"\xff\xfe"):
        (home / POINTER).write_bytes(content)
        with pytest.raises(RagError, match="correct it or use --data"):
            data_folder()


# --- the command line -------------------------------------------------------------------------------------


def ragdeck(*arguments: str | Path, data: Path, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments), "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, input=answer)


def test_the_commands_back_up_restore_measure_and_move(tmp_path: Path) -> None:
    folder, file = make_folder(tmp_path / "data", "old", 1), tmp_path / "b.zip"
    assert json.loads(ragdeck("backup", file, "--json", data=folder).stdout)["rows"]["trace"] == 40
    other = make_folder(tmp_path / "other", "new", 2)
    refused = ragdeck("restore", file, data=other, answer="n\n")
    assert (refused.returncode, whose(other)) == (1, {("new", 2)})
    done = ragdeck("restore", file, data=other, answer="y\n")
    assert done.returncode == 0
    assert "was restored. What was here before is in" in done.stderr
    assert whose(other) == {("old", 1)}
    assert ragdeck("restore", file, "--yes", "--json", data=tmp_path / "fresh").returncode == 0
    assert whose(tmp_path / "fresh") == {("old", 1)}
    parts = json.loads(ragdeck("space", "--json", data=other).stdout)["parts"]
    assert any(part["what"] == "Before restores" for part in parts)
    moved = ragdeck("move-data", tmp_path / "moved", data=folder)
    assert f"--data {tmp_path / 'moved'}" in moved.stdout
    assert whose(tmp_path / "moved") == {("old", 1)}
    file.write_bytes(file.read_bytes()[:-100])
    broken = ragdeck("restore", file, "--check", data=folder)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "not a whole zip" in broken.stderr


def test_the_next_command_says_that_a_restore_was_interrupted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", "old", 1)
    (folder / "restore.new" / "data").mkdir(parents=True)
    done = ragdeck("backup", tmp_path / "b.zip", data=folder)
    assert done.returncode == 0
    assert "A restore was interrupted" in done.stderr


# --- space ------------------------------------------------------------------------------------------------


def test_the_parts_of_a_folder_add_up_to_what_the_disk_says(folder: Path, documents: Path) -> None:
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as workspace:
        drive(ingest_files(workspace, "Notes", [documents]))
    (folder / "engine.log").write_text("x" * 100)
    (folder / "before-restore-1").mkdir()
    (folder / "before-restore-1" / "a").write_text("x" * 50)
    (folder / "ragdeck.before-2.sqlite").write_text("x" * 70)
    parts = {part.what: part.bytes for part in folder_usage(folder)}
    outside = ("Vector index", "Logs", "Before restores", "Before schema changes", "Write-ahead log")
    assert (
        sum(size for what, size in parts.items() if what not in outside) == (folder / DATABASE).stat().st_size
    )
    assert (parts["Logs"], parts["Before restores"], parts["Before schema changes"]) == (100, 50, 70)
    assert parts["Embeddings"] > 0
    assert parts["Vector index"] > 0


def test_without_dbstat_the_sizes_are_estimates(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(folder, "old", 1)

    def missing(_connection: sqlite3.Connection) -> dict[str, int]:
        raise sqlite3.OperationalError("no such table: dbstat")

    monkeypatch.setattr("rag.storage.disk_usage._measured", missing)
    traces = next(part for part in folder_usage(folder) if part.what == "Traces")
    assert "about" in traces.detail
    assert traces.bytes > 40 * 600
