"""Every page at every size: nothing is cut or outside its parent, and the keyboard reaches all of it.

Scale 1.5 and 2.0 are sizes in disguise: Qt lays out logical pixels, so that a full HD screen at 1.5 is
1280x720 of them and one of 1280x800 at 1.5 is 853x533.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import ask_once
from fakes import ScriptedModel
from geometry import keyboard_faults, layout_faults
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollArea,
    QScrollBar,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot
from stored_traces import DAY, add_traces

from app.console import Console
from app.main_window import MainWindow
from app.routes import TITLES
from app.widgets.theme import Theme
from rag.asking.rows import get_trace
from rag.asking.sessions.changes import go_on
from rag.asking.sessions.rows import Binding
from rag.review.queues import fill_queue
from rag.workspace import Workspace

Settle = Callable[[], None]
PICTURES = os.environ.get("RAGDECK_PICTURES", "")  # a folder that gets a picture of every view at every size
MAY_SCROLL = ("evaluation", "ask", "models")  # wider than the smallest windows
SIZES = {
    "1024x700": (1024, 700),
    "1280x800": (1280, 800),
    "1920x1080": (1920, 1080),
    "full HD at 1.5": (1280, 720),
    "full HD at 2.0": (960, 540),
    "1280x800 at 1.5": (853, 533),
}


@pytest.fixture
def asked(notes: Path, open_workspace: Workspace, model: ScriptedModel) -> None:
    """Answers as they come: a short one, one with sentences that nothing supports, one of long ago."""
    ask_once(open_workspace, "How long does rye bread rest?", "Rye bread needs 14 hours of rest [1].")
    long = "Which of the repairs outside the warranty does the customer pay for, and within how many days?"
    opened = ask_once(
        open_workspace, long, "Boats leave at midnight from Hamburg [1]. Storms come in July. " * 4
    )
    session = get_trace(open_workspace.database, opened).session_id
    go_on(open_workspace.store, session, Binding("Notes"))
    QSettings().setValue("ask/session", session)  # as it is at a start: the page Ask shows its answers
    now = int(time.time() * 1000)
    add_traces(
        open_workspace, 60, now - 9 * DAY, DAY // 7, collection="Notes", prompt_tokens=12_170,
        completion_tokens=1_143, total_ms=lambda n: 45_738.0 + n, question=lambda n: f"{long} ({n})",
        model="SmolLM2-135M-Instruct-Q4_K_M",
    )  # fmt: skip
    fill_queue(open_workspace, "Answers of this week", {"random": 9})


@pytest.fixture
def window(qtbot: QtBot, console: Console, asked: None, settle: Settle) -> Iterator[MainWindow]:
    """The window on a collection with answers, each page looked at once."""
    QSettings().setValue("rail/collapsed", "")
    QSettings().remove("rail/collapsed")
    made = MainWindow(console)
    qtbot.addWidget(made)
    made.checks.pause_folders()
    made.show()
    qtbot.waitUntil(lambda: made.current_page != "")
    for key in TITLES:
        made.show_page(key)
    made.pages.traces.table.selectRow(0)
    made.pages.monitors.refresh()
    settle()
    yield made
    console.theme.resize(100, "comfortable")
    console.theme.apply("light")


def every_view(window: MainWindow) -> Iterator[tuple[str, QWidget]]:
    """Show each tab of each page in turn."""
    for key in TITLES:
        window.show_page(key)
        page: QWidget = getattr(window.pages, key)
        tabs = [found for found in page.findChildren(QTabWidget) if found.isVisibleTo(page)]
        yield key, page
        for bar in tabs:
            before = bar.currentIndex()
            for number in range(bar.count()):
                if number != before:
                    bar.setCurrentIndex(number)
                    yield f"{key}/{bar.tabText(number)}", page
            bar.setCurrentIndex(before)


def settled(window: MainWindow) -> None:
    for _ in range(3):  # a layout that changes a height changes another one
        QApplication.processEvents()


def faults(window: MainWindow, sizes: dict[str, tuple[int, int]]) -> list[str]:
    """Return what is wrong in any view at any of these sizes. No page is wider than the window."""
    found = []
    for view, _ in every_view(window):
        for what, size in sizes.items():
            window.resize(*size)
            settled(window)
            where = f"{what}, {view}"
            if PICTURES:
                name = re.sub(r"\W+", "-", where)
                window.grab().save(str(Path(PICTURES) / f"{name}.png"))
            if (window.width(), window.height()) != size:
                found.append(f"{where}: the window is {window.width()}x{window.height()}")
            found += [f"{where}: {fault}" for fault in layout_faults(window)]
            area = window.pages.currentWidget()
            assert isinstance(area, QScrollArea)
            over = area.horizontalScrollBar().maximum()
            if over and not view.startswith(MAY_SCROLL):
                found.append(f"{where}: the page is {over} pixels wider than the window")
    return found


def test_no_page_cuts_a_text_or_loses_a_widget_at_any_size(window: MainWindow) -> None:
    found = faults(window, SIZES)
    assert not found, "\n".join(found)


def test_nor_does_text_of_twice_the_size_or_a_compact_dark_window(window: MainWindow, theme: Theme) -> None:
    theme.apply("dark")
    theme.resize(100, "compact")
    found = faults(window, {"compact": (1280, 800)})
    theme.resize(200, "comfortable")
    found += faults(window, {"text of 200 %": (1920, 1080)})
    assert not found, "\n".join(found)


def test_the_keyboard_reaches_everything_and_everything_has_a_name(window: MainWindow) -> None:
    found = {fault for _ in every_view(window) for fault in keyboard_faults(window)}
    assert not found, "\n".join(sorted(found))


def test_the_wheel_changes_no_field_of_any_page(window: MainWindow) -> None:
    window.resize(1280, 800)
    turned = 0
    for view, page in every_view(window):
        settled(window)
        window.setFocus()
        for kind in (QComboBox, QAbstractSpinBox, QAbstractSlider):
            for field in page.findChildren(kind):
                if isinstance(field, QScrollBar) or not field.isVisibleTo(page):
                    continue
                before = _value(field)
                place = QPointF(field.rect().center())
                event = QWheelEvent(
                    place, QPointF(field.mapToGlobal(field.rect().center())), QPoint(0, -120), QPoint(0, -120),
                    Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
                )  # fmt: skip
                QApplication.sendEvent(field, event)
                assert _value(field) == before, (view, field.accessibleName())
                assert not event.isAccepted(), (view, field.accessibleName())  # so the page scrolls
                turned += 1
    assert turned > 40


def _value(field: QWidget) -> object:
    if isinstance(field, QComboBox):
        return field.currentIndex(), field.currentText()
    return field.text() if isinstance(field, QAbstractSpinBox) else field.value()  # type: ignore[attr-defined]
