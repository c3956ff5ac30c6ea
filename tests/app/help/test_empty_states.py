"""On an empty data folder every page says what to do first, and its button does it or goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QInputDialog,
    QPushButton,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.console import Console
from app.main_window import MainWindow
from app.routes import TITLES
from app.widgets.layout import EmptyState

Settle = Callable[[], None]
# These always have something to show, or say what to do beside their own buttons.
NEVER_EMPTY = ("prompts", "models", "server", "settings")


@pytest.fixture
def window(qtbot: QtBot, console: Console) -> MainWindow:
    made = MainWindow(console)
    qtbot.addWidget(made)
    made.checks.pause_folders()
    made.resize(1280, 800)
    made.show()
    qtbot.waitUntil(lambda: made.current_page != "")
    return made


def shown_empty_states(window: MainWindow, key: str) -> Iterator[tuple[str, EmptyState]]:
    """Yield what each tab of a page shows while there is nothing."""
    window.show_page(key)
    page: QWidget = getattr(window.pages, key)
    tabs = page.findChildren(QTabWidget)
    for number in range(tabs[0].count() if tabs else 1):
        if tabs:
            tabs[0].setCurrentIndex(number)
        QApplication.processEvents()
        for found in page.findChildren(EmptyState):
            if found.isVisible():
                yield f"{key}/{tabs[0].tabText(number)}" if tabs else key, found


def test_every_page_without_content_offers_what_to_do_first(window: MainWindow, settle: Settle) -> None:
    offered: dict[str, list[str]] = {}
    for key in TITLES:
        for where, found in shown_empty_states(window, key):
            offered.setdefault(where, []).extend(made.text() for made in found.findChildren(QPushButton))
        settle()
    assert {key for key in TITLES if not any(where.split("/")[0] == key for where in offered)} == set(
        NEVER_EMPTY
    )
    # These have their buttons, and a field to search with, in the line above what is empty.
    assert {where for where, buttons in offered.items() if not buttons} == {
        "evaluation/Runs",
        "reports",
        "audit/People",
    }


def test_each_of_these_buttons_goes_somewhere(
    qtbot: QtBot, window: MainWindow, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    for name in ("getOpenFileNames", "getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_a, **_k: opened.append("files") or ([], ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: opened.append("folder") or "")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: opened.append("name") or ("", False))
    for key in TITLES:
        for where, found in list(shown_empty_states(window, key)):
            for made in found.findChildren(QPushButton):
                window.show_page(key)
                opened.clear()
                before = window.toasts.text
                QTest.mouseClick(made, Qt.MouseButton.LeftButton)
                settle()
                dialogs = [found for found in window.findChildren(QDialog) if found.isVisible()]
                moved = window.current_page != key
                assert opened or dialogs or moved or window.toasts.text != before, (where, made.text())
                for dialog in dialogs:
                    dialog.reject()
