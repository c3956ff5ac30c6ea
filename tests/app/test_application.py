"""The start of the window: a folder that is in use is refused, and the first frame has the chosen colours."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.application import make_application, make_window, run_window


@pytest.fixture
def own_hooks() -> Iterator[None]:
    """Put back what a window sets for the whole process."""
    hooks = (sys.excepthook, threading.excepthook)
    handlers = list(logging.getLogger().handlers)
    yield
    sys.excepthook, threading.excepthook = hooks
    logging.getLogger().handlers[:] = handlers


HOLD = """
import sys; from pathlib import Path; from rag.storage.data_folder import FolderLock
lock = FolderLock(Path(sys.argv[1])); lock.acquire("another program")
print("held", flush=True); sys.stdin.read()
"""


def test_a_folder_that_is_in_use_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert run_window(str(folder)) == 1
        holder.communicate()
    error = capsys.readouterr().err
    assert "another program" in error
    assert len(error.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder", "utf-8")
    assert run_window(str(file / "data")) == 1
    assert capsys.readouterr().err.strip().endswith(".")


def test_the_state_of_the_window_lies_in_the_data_folder(qapp: QApplication, folder: Path) -> None:
    made = make_application(folder)
    assert made is qapp
    QSettings().setValue("window/page", "traces")
    QSettings().sync()
    assert str(folder) in QSettings().fileName()
    assert any((folder / "window").rglob("*.ini"))
    assert made.applicationDisplayName() == "Ragdeck"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ('[appearance]\ntheme = "dark"\n', "dark"),
        ('[appearance]\ntheme = "light"\n', "light"),
        ("not toml [", "light"),
        ("[appearance]\n", "light"),
        (None, "light"),
    ],
)
def test_the_first_frame_has_the_chosen_colours(
    qtbot: QtBot, qapp: QApplication, folder: Path, own_hooks: None, settings: str | None, name: str
) -> None:
    if settings is not None:
        (folder / "settings.toml").write_text(settings, "utf-8")
    make_application(folder)
    window = make_window(qapp, folder)
    qtbot.addWidget(window)
    assert window._console.theme.name == name
    assert window._console.engine.folder == folder
    assert window.windowTitle() == "Ragdeck"
    window.close()
    qtbot.wait(40)
    assert window._console.engine.process_id is None  # a window that is closed at once starts no engine
