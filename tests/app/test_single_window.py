"""A second start on the same data folder raises the window that is open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtNetwork import QLocalServer
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.single_window import WindowDoor, raise_open_window, server_name

KNOCK = """
import sys; from pathlib import Path; from PySide6.QtCore import QCoreApplication
from app.single_window import raise_open_window
application = QCoreApplication([]); print(raise_open_window(Path(sys.argv[1]), 20_000))
"""


def knock(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", KNOCK, str(folder)], stdout=subprocess.PIPE, text=True)


def test_another_process_raises_the_window(qtbot: QtBot, folder: Path) -> None:
    door = WindowDoor(folder)
    raised = QSignalSpy(door.raise_requested)
    with knock(folder) as other:
        qtbot.waitUntil(lambda: raised.count() == 1, timeout=30_000)
        qtbot.waitUntil(lambda: other.poll() is not None, timeout=30_000)
        assert other.stdout is not None
        assert other.stdout.read() == "True\n"
    door.close()


def test_nobody_answers_where_no_window_is_open(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    assert not raise_open_window(folder, 200)
    door = WindowDoor(folder)
    other = tmp_path / "other"
    other.mkdir()
    assert server_name(other) != server_name(folder)
    assert not raise_open_window(other, 200)
    door.close()
    assert not raise_open_window(folder, 200)


def test_a_program_that_hangs_is_not_waited_for(qtbot: QtBot, folder: Path) -> None:
    silent = QLocalServer()  # it accepts, and never answers
    assert silent.listen(server_name(folder))
    assert not raise_open_window(folder, 200)
    silent.close()


def test_what_a_killed_window_left_does_not_shut_the_door(qtbot: QtBot, folder: Path) -> None:
    first = QLocalServer()
    assert first.listen(server_name(folder))
    path = Path(first.fullServerName())
    second = WindowDoor(folder)  # on the same name: the first is as good as dead
    raised = QSignalSpy(second.raise_requested)
    assert path.exists()
    with knock(folder) as other:
        qtbot.waitUntil(lambda: raised.count() == 1 or other.poll() is not None, timeout=30_000)
    assert raised.count() == 1
    second.close()
    QCoreApplication.processEvents()
