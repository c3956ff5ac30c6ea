"""The panel of imports: how far one is, how it is stopped, and what waits behind it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.progress import ProgressPanel
from app.widgets.theme import Theme
from rag.knowledge.rows import IngestProgress


def test_an_ingest_is_shown_paused_and_cancelled(qtbot: QtBot, theme: Theme) -> None:
    panel = ProgressPanel(theme)
    qtbot.addWidget(panel)
    panel.show_import(1, "Adding 12 files")
    panel.update_progress(
        IngestProgress(
            "/a/handbook.pdf", "embedding", 4, 12, 220, 300, 4_000_000, 10_000_000, 40.0, 61.0, 88.0
        )
    )
    words = " ".join(shown.text() for shown in panel.findChildren(QLabel))
    assert "Embedding  handbook.pdf" in words
    assert "4 of 12 files" in words
    assert "88 chunks/s   about 61 s left" in words
    pause, cancel = panel.findChildren(QPushButton)[:2]
    with qtbot.waitSignal(panel.pause_requested) as caught:
        qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert caught.args == [True]
    assert pause.text() == "Resume"
    with qtbot.waitSignal(panel.cancel_requested):
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> ProgressPanel:
    made = ProgressPanel(theme)
    qtbot.addWidget(made)
    return made


def progress(**changes: object) -> IngestProgress:
    values: dict[str, object] = {
        "file": "/a/b.txt", "stage": "reading", "files_done": 1, "files_total": 2, "chunks_done": 3,
        "chunks_total": 4, "bytes_done": 2048, "bytes_total": 4096, "elapsed_s": 1.0, "remaining_s": None,
        "chunks_per_s": 0.0,
    }  # fmt: skip
    return IngestProgress(**{**values, **changes})  # type: ignore[arg-type]


def test_it_is_hidden_until_there_is_an_import_and_after_it(panel: ProgressPanel) -> None:
    assert not panel.isVisible()
    panel.show_import(4, "Adding bread.md")
    assert panel.isVisible()
    assert (panel.title, panel.stage) == ("Adding bread.md", "Waiting for the engine…")
    panel.show_import(None, "")
    assert not panel.isVisible()


def test_the_same_import_again_keeps_what_is_shown_and_another_begins_anew(
    qtbot: QtBot, panel: ProgressPanel
) -> None:
    panel.show_import(4, "Adding bread.md")
    panel.update_progress(progress())
    qtbot.mouseClick(panel._pause, Qt.MouseButton.LeftButton)
    panel.show_import(4, "Adding bread.md")
    assert panel.stage == "Reading  b.txt   ·   1 of 2 files"
    assert panel._pause.text() == "Resume"
    panel.show_import(5, "Adding stars.txt")
    assert panel.stage == "Waiting for the engine…"
    assert panel._pause.text() == panel._pause.accessibleName() == "Pause"


def test_the_queue_is_listed_and_a_line_asks_for_its_removal(qtbot: QtBot, panel: ProgressPanel) -> None:
    panel.show_import(1, "Adding one")
    assert panel._note.isHidden()
    panel.show_waiting(["Adding two", "Adding three"])
    assert panel.waiting == ["Adding two", "Adding three"]
    assert not panel._note.isHidden()
    assert panel._note.text() == "Another import is running. These files are queued."
    buttons = [b for b in panel.findChildren(QPushButton) if b.accessibleName().startswith("Cancel Adding")]
    with qtbot.waitSignal(panel.removal_requested) as caught:
        qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    assert caught.args == [1]
    with qtbot.waitSignal(panel.removal_requested) as caught:
        qtbot.keyClick(buttons[0], Qt.Key.Key_Escape)
    assert caught.args == [0]
    panel.show_waiting([])
    assert panel.waiting == []
    assert panel._note.isHidden()


def test_other_keys_on_a_line_remove_nothing(qtbot: QtBot, panel: ProgressPanel) -> None:
    panel.show_import(1, "Adding one")
    panel.show_waiting(["Adding two"])
    told: list[int] = []
    panel.removal_requested.connect(told.append)
    (line,) = [b for b in panel.findChildren(QPushButton) if b.accessibleName() == "Cancel Adding two"]
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    assert told == []


def test_esc_on_a_line_does_not_reach_the_windows_shortcut(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    panel = ProgressPanel(theme)
    panel.setParent(window)
    stopped: list[int] = []
    QShortcut(QKeySequence("Esc"), window).activated.connect(lambda: stopped.append(1))
    window.show()
    panel.show_import(1, "Adding one")
    panel.show_waiting(["Adding two"])
    (line,) = [b for b in panel.findChildren(QPushButton) if b.accessibleName() == "Cancel Adding two"]
    qtbot.waitUntil(line.isVisible)
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(line, event)
    assert event.isAccepted()
    other = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_F7, Qt.KeyboardModifier.NoModifier)
    other.ignore()
    QApplication.sendEvent(line, other)
    assert not other.isAccepted()
    assert stopped == []


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.2, "about 1 s left"),
        (89.4, "about 89 s left"),
        (600, "about 10 min left"),
        (9000, "about 2.5 h left"),
    ],
)
def test_the_time_left_is_rounded_to_what_can_be_known(
    panel: ProgressPanel, seconds: float, shown: str
) -> None:
    panel.show_import(1, "Adding one")
    panel.update_progress(progress(remaining_s=seconds))
    assert panel._rate.text() == shown
    panel.update_progress(progress())
    assert panel._rate.text() == ""


def test_an_empty_import_divides_by_nothing(panel: ProgressPanel) -> None:
    panel.show_import(1, "Adding one")
    panel.update_progress(progress(bytes_done=0, bytes_total=0, chunks_done=0, chunks_total=0, file=""))
    assert panel._files.maximum() == 1
    assert panel._chunks.value() == 0
