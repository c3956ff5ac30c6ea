"""The data folder: where it is, and that one process has it at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
from data_folders import put_default_place

from rag.errors import DataFolderLockedError, RagError
from rag.storage.data_folder import (
    POINTER,
    FolderLock,
    data_folder,
    default_place,
    lock_holder,
    place_of,
)


def test_a_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    assert lock_holder(tmp_path) is None
    code = (
        "import sys; from pathlib import Path; from rag.storage.data_folder import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire('the other one'); print('held', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).resolve().parents[3]
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    assert "the other one" in (lock_holder(tmp_path) or "")
    with pytest.raises(DataFolderLockedError, match=str(other.pid)):
        FolderLock(tmp_path).acquire("me")
    other.kill()
    other.wait()
    assert lock_holder(tmp_path) is None


def test_a_folder_given_by_name_is_made(tmp_path: Path) -> None:
    assert data_folder(tmp_path / "a" / "b").is_dir()


def test_a_lock_that_was_given_back_can_be_taken_again(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    lock.release()  # without one, nothing happens
    lock.acquire("one")
    lock.release()
    assert (tmp_path / "lock").read_text() == ""
    FolderLock(tmp_path).acquire("another")
    assert '"purpose": "another"' in (tmp_path / "lock").read_text()


def test_a_folder_without_a_lock_file_is_free_and_stays_as_it_is(tmp_path: Path) -> None:
    assert lock_holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_without_a_name_the_platform_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_default_place(monkeypatch, tmp_path / "place")
    assert default_place() == data_folder() == tmp_path / "place"
    assert (tmp_path / "place").is_dir()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RagError, match=r"cannot be written to .* Choose another with --data"):
        data_folder(tmp_path / "file" / "below")


def test_data_that_were_moved_and_are_gone_are_not_replaced_by_empty_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_default_place(monkeypatch, tmp_path / "place")
    (data_folder() / POINTER).write_text(str(tmp_path / "stick"))
    assert place_of(default_place()) == tmp_path / "stick"
    with pytest.raises(RagError, match="are not there now"):
        data_folder()
    assert not (tmp_path / "stick").exists()
