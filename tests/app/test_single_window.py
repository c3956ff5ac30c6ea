"""A second start on the same data folder raises the window that is open."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtNetwork import QLocalServer, QLocalSocket
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


def test_the_files_of_a_second_start_are_handed_to_the_open_window(qtbot: QtBot, folder: Path) -> None:
    door = WindowDoor(folder)
    raised, handed = QSignalSpy(door.raise_requested), QSignalSpy(door.files_handed)
    paths = ["/a/line\nbreak.txt", "/a/ü €.pdf", *(f"/many/{number}" for number in range(5_000))]
    script = KNOCK.replace("20_000)", "20_000, __import__('json').loads(sys.stdin.read()))")
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        other.stdin.write(json.dumps(paths))
        other.stdin.close()
        qtbot.waitUntil(lambda: handed.count() == 1, timeout=30_000)
        qtbot.waitUntil(lambda: other.poll() is not None, timeout=30_000)
        assert other.stdout.read() == "True\n"
    assert raised.count() == 1
    assert handed.at(0)[0] == paths
    door.close()


def test_a_line_that_says_something_else_opens_nothing(qtbot: QtBot, folder: Path) -> None:
    door = WindowDoor(folder)
    raised, handed = QSignalSpy(door.raise_requested), QSignalSpy(door.files_handed)
    for line in (b"open nonsense\n", b"open 7\n", b"close\n"):
        socket = QLocalSocket()
        socket.connectToServer(server_name(folder))
        assert socket.waitForConnected(2_000)
        socket.write(line)
        assert socket.waitForBytesWritten(2_000)
        QCoreApplication.processEvents()
        assert not socket.waitForReadyRead(100)
        socket.disconnectFromServer()
        qtbot.waitUntil(lambda: not door.findChildren(QLocalSocket), timeout=10_000)
    assert (raised.count(), handed.count()) == (0, 0)
    door.close()
