"""What is in a data folder is for its owner alone."""

import os
import stat
from pathlib import Path

import pytest
from data_folders import make_folder
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.knowledge.ingest import ingest_files
from rag.storage.backup import back_up
from rag.storage.data_folder import DATABASE, data_folder
from rag.storage.privacy import make_private
from rag.workspace import Workspace

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture(autouse=True)
def usual_mask() -> object:
    """The mask that most systems set: others may read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(*folders: Path) -> list[str]:
    found = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    return [f"{path.name} {path.stat().st_mode:o}" for path in found if path.stat().st_mode & 0o077]


def opened(folder: Path) -> Workspace:
    return Workspace(
        folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    )


def test_all_that_is_made_is_for_its_owner_alone(tmp_path: Path, documents: Path) -> None:
    folder = data_folder(tmp_path / "new" / "data")
    with opened(folder) as workspace:
        assert workspace.notices == []
        drive(ingest_files(workspace, "A", [documents]))
        drive(back_up(folder, tmp_path / "kept.zip"))
        assert (folder / DATABASE).exists() and any((folder / "index").rglob("*"))
        assert open_to_others(tmp_path / "new") == []
    assert open_to_others(tmp_path / "new") == []
    backups = [path for path in tmp_path.iterdir() if path.is_file()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in backups] == [0o600]


def test_an_older_folder_is_closed_once_and_that_is_said(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "old", "Ada", 1)
    (folder / "index" / "deep").mkdir(parents=True)
    for name in ("engine.log", "engine.log.1", "index/deep/data.bin", "ragdeck.before-3.sqlite", "lock"):
        (folder / name).write_text("x", "utf-8")
    (folder / "notes of a person.txt").write_text("mine", "utf-8")
    folder.chmod(0o755)
    assert len(open_to_others(folder)) >= 9
    with opened(folder) as workspace:
        assert workspace.notices == [
            f"Other people on this computer could read {folder}. It is for you alone now."
        ]
    assert [name.split(" 100")[0] for name in open_to_others(folder)] == ["notes of a person.txt"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with opened(folder) as workspace:
        assert workspace.notices == []


def test_a_new_folder_that_somebody_made_is_closed_without_a_word(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    folder.chmod(0o755)
    assert make_private(folder) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(("mode", "names"), [(0o1777, [DATABASE]), (0o755, ["thesis.txt"])])
def test_a_folder_that_is_not_ours_alone_is_left_as_it_is(
    tmp_path: Path, mode: int, names: list[str]
) -> None:
    """Somebody may have named /tmp or the home folder: closing these would do harm."""
    folder = tmp_path / "shared"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("x", "utf-8")
    folder.chmod(mode)
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == mode
    assert bool((folder / names[0]).stat().st_mode & 0o077) == (names[0] != DATABASE)


def test_what_a_link_leads_to_is_left_as_it_is(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x", "utf-8")
    folder = make_folder(tmp_path / "data", "Ada", 1)
    (folder / "index").symlink_to(elsewhere)
    make_private(folder)
    assert (elsewhere / "file").stat().st_mode & 0o044
