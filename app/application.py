"""The composition root: makes every object and connects the engine to the window."""

from __future__ import annotations

import logging
import signal
import sys
import tomllib
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Qt, QTimer
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


def run_window(data: str | None) -> int:
    """Open the window on a data folder and return the exit code."""
    try:
        folder = data_folder(data)
        holder = lock_holder(folder)
    except RagError as error:
        return _refuse(str(error))
    if holder:
        return 0 if raise_open_window(folder) else _refuse(holder)
    application = make_application(folder)
    window = make_window(application, folder)
    door = WindowDoor(folder, application)
    door.raise_requested.connect(window.raise_window)
    window.show()
    # Ctrl+C in the terminal: Python runs its handler only when the event loop gives it a turn.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    signal.signal(signal.SIGTERM, lambda *_: window.close())
    ticker = QTimer(application, interval=300)
    ticker.timeout.connect(lambda: None)
    ticker.start()
    return application.exec()


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
