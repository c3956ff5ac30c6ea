"""The composition root: makes every object and connects the engine to the window."""

from __future__ import annotations

import logging
import signal
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

from app.console import Console
from app.engine.client import Engine
from app.main_window import MainWindow
from app.single_window import WindowDoor, raise_open_window
from app.widgets.error_dialog import install_excepthook
from app.widgets.theme import Theme
from rag.errors import RagError
from rag.storage.data_folder import data_folder, lock_holder
from rag.storage.database import Database


def run_window(data: str | None, paths: Sequence[str] = ()) -> int:
    """Open the window on a data folder and return the exit code.

    Args:
        data: The folder that a person named; the platform's own place otherwise.
        paths: Files and folders to add to a collection, as from a drop on the launcher.
    """
    try:
        folder = data_folder(data)
        holder = lock_holder(folder)
    except RagError as error:
        return _refuse(str(error))
    if holder:
        return 0 if raise_open_window(folder, paths=paths) else _refuse(holder)
    application = make_application(folder)
    window = make_window(application, folder)
    door = WindowDoor(folder, application)
    door.raise_requested.connect(window.raise_window)
    door.files_handed.connect(window.ingests.add_handed)
    if sys.platform == "darwin":  # elsewhere it would only cost: every event of the program passes it
        OpenedFiles(application).files_handed.connect(window.ingests.add_handed)
    window.show()
    if paths:
        window.ingests.add_handed(list(paths))
    # Ctrl+C in the terminal: Python runs its handler only when the event loop gives it a turn.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    signal.signal(signal.SIGTERM, lambda *_: window.close())
    ticker = QTimer(application, interval=300)
    ticker.timeout.connect(lambda: None)
    ticker.start()
    return application.exec()


class OpenedFiles(QObject):
    """A filter that hears of files dropped on the launcher where the system sends them as events (macOS)."""

    files_handed = Signal(list)

    def __init__(self, application: QApplication) -> None:
        """Listen to the application; the files of one drop come one by one, and are handed on together."""
        super().__init__(application)
        self._paths: list[str] = []
        self._soon = QTimer(self, singleShot=True, interval=100)
        self._soon.timeout.connect(self._hand_on)
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what the system asks to open."""
        if isinstance(event, QFileOpenEvent) and event.file():
            self._paths.append(event.file())
            self._soon.start()
            return True
        return super().eventFilter(watched, event)

    def _hand_on(self) -> None:
        paths, self._paths = self._paths, []
        self.files_handed.emit(paths)


def make_application(folder: Path) -> QApplication:
    """Return the one QApplication; its window state is kept in the data folder, which may be portable."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("Ragdeck")
    application.setApplicationDisplayName("Ragdeck")
    application.setOrganizationName("ragdeck")
    application.setDesktopFileName("ragdeck")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder / "window"))
    return application


def make_window(application: QApplication, folder: Path) -> MainWindow:
    """Make the window with its engine, which starts at once and reports when it is ready."""
    logging.basicConfig(
        filename=folder / "window.log",
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    install_excepthook()
    engine = Engine(folder, application)
    QTimer.singleShot(20, engine.start_process)  # after the window is shown
    theme = Theme(application, **_look(folder / "settings.toml"))
    console = Console(theme, engine, Database(folder / "ragdeck.sqlite"))
    console.setParent(application)
    return MainWindow(console)


def _look(path: Path) -> dict[str, Any]:
    """Return the settings that the first frame needs; the engine reports a file that cannot be read."""
    try:
        written = tomllib.loads(path.read_text("utf-8"))["appearance"]
        percent = int(written.get("text_percent", 100))
        return {
            "choice": str(written.get("theme", "system")),
            "text_percent": percent if 75 <= percent <= 200 else 100,
            "density": "compact" if written.get("density") == "compact" else "comfortable",
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _refuse(sentence: str) -> int:
    """Say it in the terminal, and in a window for who started from an icon."""
    print(sentence, file=sys.stderr)
    if not sys.stderr.isatty() and QApplication.instance() is None and _has_screen():
        from PySide6.QtWidgets import QMessageBox

        application = QApplication(sys.argv[:1])
        box = QMessageBox(QMessageBox.Icon.Warning, "Ragdeck", sentence)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.show()
        application.exec()
    return 1


def _has_screen() -> bool:
    import os

    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
