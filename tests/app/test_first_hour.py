"""The script of the first hour finds everything it clicks on; here with a model that answers at once."""

from __future__ import annotations

from pathlib import Path

from fakes import ScriptedModel
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot
from window.first_hour import MOST, first_hour

from app.console import Console
from app.main_window import MainWindow


class StrayWindows(QObject):
    """A filter that lists the widgets that are shown as windows of their own, other than dialogs and menus."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.found: list[str] = []
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        meant = (MainWindow, QDialog, QMenu, QComboBox)
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            kind = watched.metaObject().className()
            if not isinstance(watched, meant) and kind not in ("QTipLabel", "QComboBoxPrivateContainer"):
                self.found.append(f"{kind} {watched.accessibleName()}")
        return False


def test_the_first_hour_takes_at_most_sixty_clicks_and_keys(
    qtbot: QtBot, qapp: QApplication, console: Console, model: ScriptedModel, documents: Path
) -> None:
    """And nothing that it opens takes the focus as a window of its own for a moment."""
    stray = StrayWindows(qapp)
    model.answer = "The crane lifts 95 tonnes in July [1]."
    window = MainWindow(console)
    qtbot.addWidget(window)
    window.checks.pause_folders()
    window.resize(1280, 800)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(lambda: window.current_page != "")
    window.ingests.start_sample()
    for file in documents.iterdir():
        file.unlink()
    hands = first_hour(window, documents)
    assert hands.count <= MOST, hands.counts
    assert not [text for text in hands.done if text.startswith(".")]
    assert set(hands.counts) == {
        "Import a folder",
        "Ten questions",
        "Find a wrong one",
        "Change the chunk size and prove it",
        "Change the prompt and prove it",
        "Roll back",
        "Erase",
    }
    qapp.removeEventFilter(stray)
    assert stray.found == []
    window.close()
