"""The start of the window: a folder that is in use is refused, and the first frame has the chosen colours."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.application import OpenedFiles, make_application, make_window, run_window
from app.single_window import WindowDoor
from rag.storage.data_folder import FolderLock

ROOT = Path(__file__).resolve().parents[2]


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


def test_a_second_start_with_files_hands_them_to_the_window_that_is_open(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    """By the program itself, as the launcher calls it: another process holds the folder and has the window."""
    file = tmp_path / "letter.txt"
    file.write_text("The lease ends in May.", "utf-8")
    door = WindowDoor(folder)
    handed = QSignalSpy(door.files_handed)
    lock = FolderLock(folder)
    lock.acquire("the Ragdeck window")
    command = [sys.executable, str(ROOT / "main.py"), "--data", str(folder), "letter.txt"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as second:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=60_000)
    assert second.returncode == 0
    assert handed.at(0)[0] == [str(file)]
    lock.release()
    door.close()


def test_files_that_the_system_opens_one_by_one_are_handed_on_together(
    qtbot: QtBot, qapp: QApplication
) -> None:
    opened = OpenedFiles(qapp)
    handed = QSignalSpy(opened.files_handed)
    for name in ("/a/one.pdf", "/a/two.pdf"):
        QApplication.sendEvent(qapp, QFileOpenEvent(QUrl.fromLocalFile(name)))
    qtbot.waitUntil(lambda: handed.count() == 1, timeout=10_000)
    assert handed.at(0)[0] == ["/a/one.pdf", "/a/two.pdf"]
    qapp.removeEventFilter(opened)
    opened.setParent(None)
