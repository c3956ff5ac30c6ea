"""Fixtures for the tests of backups and moves."""

from pathlib import Path

import pytest
from data_folders import make_folder, put_default_place
from fakes import drive

from rag.storage.backup import back_up


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of data named "new"."""
    place = tmp_path_factory.mktemp("small")
    folder = make_folder(place / "data", "new", 2)
    drive(back_up(folder, place / "new.zip"))
    return place / "new.zip"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default place, in a folder of the test."""
    put_default_place(monkeypatch, tmp_path / "home" / "ragdeck")
    return make_folder(tmp_path / "home" / "ragdeck", "old", 1)
