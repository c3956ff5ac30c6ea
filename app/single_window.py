"""One window on a data folder: a second start raises the open one and hands it its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 1500
_RAISE = b"raise\n"
_OPEN = b"open "  # followed by a JSON list of paths and the end of the line
_RAISED = b"raised\n"


def server_name(folder: Path) -> str:
    """Return the name under which the window of a data folder is reached by this user's other starts."""
    return f"ragdeck-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"


def raise_open_window(folder: Path, wait_ms: int = _WAIT_MS, paths: Sequence[str] = ()) -> bool:
    """Ask the window that has this data folder open to come to the front.

    Args:
        folder: The data folder.
        wait_ms: How long the window has for its answer, in milliseconds.
        paths: Files and folders that it is to add to a collection.

    Returns:
        Whether a window answered.
    """
    socket = QLocalSocket()
    socket.connectToServer(server_name(folder))
    if not socket.waitForConnected(wait_ms):
        return False
    socket.write(_OPEN + json.dumps(list(paths)).encode() + b"\n" if paths else _RAISE)
    socket.waitForBytesWritten(wait_ms)
    answered = socket.waitForReadyRead(wait_ms) and bytes(socket.readAll().data()) == _RAISED
    socket.disconnectFromServer()
    return answered


class WindowDoor(QObject):
    """The door at which another start of the program knocks, while the window is open."""

    raise_requested = Signal()
    files_handed = Signal(list)  # the paths that another start was called with

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        """Listen. What a killed window left behind is taken away; nobody answers there."""
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)
        name = server_name(folder)
        if not self._server.listen(name):
            QLocalServer.removeServer(name)
            self._server.listen(name)

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def _answer(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda knocking=socket: self._read(knocking))
            socket.disconnected.connect(socket.deleteLater)
            if socket.bytesAvailable():
                self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if not socket.canReadLine():
            return  # the rest of the line is on its way
        line = bytes(socket.readLine().data())
        paths = _paths_of(line)
        if line != _RAISE and not paths:
            return
        socket.write(_RAISED)
        socket.flush()
        self.raise_requested.emit()
        if paths:
            self.files_handed.emit(paths)


def _paths_of(line: bytes) -> list[str]:
    """Return the paths that a line hands over; none if it says something else."""
    if not line.startswith(_OPEN):
        return []
    try:
        paths = json.loads(line.removeprefix(_OPEN))
    except ValueError:
        return []
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
