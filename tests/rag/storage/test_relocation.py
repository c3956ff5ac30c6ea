"""A move, however it ends, leaves the data in one place, which the next start finds."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from data_folders import (
    kill_points,
    make_folder,
    needs_fork,
    open_once,
    put_default_place,
    whose,
)
from fakes import drive

from rag.errors import RagError
from rag.settings import Settings
from rag.storage import backup as backup_module
from rag.storage.data_folder import DATABASE, POINTER, data_folder
from rag.storage.relocation import IN, OUT, move_data

ROOT = Path(__file__).resolve().parents[3]


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
    with pytest.raises(RagError, match="Connect that disk"):
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


def test_a_portable_folder_moves_too(tmp_path: Path) -> None:
    """In a copy of the program: a portable one is found by a file beside it."""
    for name in ("rag", "resources"):
        ignored = shutil.ignore_patterns("__pycache__", "*.gguf", "screens")
        shutil.copytree(ROOT / name, tmp_path / "program" / name, ignore=ignored)
    (tmp_path / "program" / "portable").touch()

    def place() -> Path:
        code = "from rag.storage.data_folder import data_folder; print(data_folder())"
        return Path(run_there(code))

    def run_there(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path / "program", capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert place() == tmp_path / "program" / "ragdeck-data"
    make_folder(place(), "old", 1)
    stick = tmp_path / "stick"
    moving = f"from rag.storage.relocation import move_data; list(move_data(Path({str(place())!r}), {str(stick)!r}))"
    run_there(f"from pathlib import Path; {moving}")
    assert place() == stick
    open_once(stick)
    assert whose(stick) == {("old", 1)}


def test_a_pointer_that_cannot_be_read_is_a_sentence(home: Path) -> None:
    for content in (b"", b"relative/path", b"\xff\xfe"):
        (home / POINTER).write_bytes(content)
        with pytest.raises(RagError, match="Correct it or use --data"):
            data_folder()
