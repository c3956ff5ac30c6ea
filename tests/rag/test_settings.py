"""Settings refuse what they do not know; the data folder has one holder; migrations keep what there was."""

import errno
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import DataFolderLockedError, RagError, of_the_disk
from rag.settings import Settings
from rag.storage.data_folder import FolderLock, data_folder, lock_holder
from rag.storage.store import Store


def test_settings_survive_being_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    settings = Settings().changed("models", "folders", ['C:\\a "b"', "/ü/☃"]).changed("generation", "seed", 7)
    settings.save(path)
    assert Settings.load(path) == settings


@given(st.text(max_size=60))
def test_any_text_survives(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.toml"
        Settings().changed("models", "active", text).save(path)
        assert Settings.load(path).models.active == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[retrieval]\nrrf_kk = 3", "retrieval.rrf_kk"),
        ("[generation]\ntemperature = 9", "generation.temperature"),
        ("not toml", "not valid TOML"),
    ],
)
def test_a_wrong_settings_file_names_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(RagError, match=named):
        Settings.load(path)


def test_a_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    assert lock_holder(tmp_path) is None
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from rag.storage.data_folder import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire('the other one'); print('held', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).resolve().parents[2]
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


def test_a_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(RagError, match="newer Ragdeck"):
        Store(path)


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ragdeck.sqlite"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(RagError, match="damaged"):
        Store(path)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (sqlite3.OperationalError("database or disk is full"), "disk is full"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written"),
        (ValueError("something else"), ""),
    ],
)
def test_a_full_or_read_only_disk_is_named_whoever_noticed_it(error: Exception, said: str) -> None:
    wrapped = RuntimeError("a library's own words")
    wrapped.__cause__ = error
    assert said in str(of_the_disk(wrapped) or "")
    assert bool(of_the_disk(wrapped)) == bool(said)
