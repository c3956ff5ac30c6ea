"""Backup, restore and moving from the Settings page, in the real window with its real engine process."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.settings.data_panel import DataPanel
from rag import operations
from rag.asking.rows import TraceFilter, list_traces
from rag.storage.data_folder import DATABASE, lock_holder
from rag.storage.store import Store
from rag.storage.tables.traces import Trace

SLOW_MS = 60_000


def add_trace(folder: Path, question: str) -> None:
    """Write a row as another program would, beside the engine."""
    store = Store(folder / DATABASE)
    with store.session() as session:
        session.add(
            Trace(id=uuid.uuid4().hex, session_id="s", created_ms=1, status="done", question=question)
        )
    store.close()


def idle(window: MainWindow) -> bool:
    return window._console.engine.is_ready and not window._console.engine.tasks


def press(qtbot: QtBot, text: str) -> None:
    """Press a button of the message box that is open."""
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), QMessageBox), timeout=SLOW_MS)
    box = QApplication.activeModalWidget()
    assert isinstance(box, QMessageBox)
    qtbot.mouseClick(next(b for b in box.buttons() if b.text() == text), Qt.MouseButton.LeftButton)


@pytest.fixture(scope="module")
def window(
    make_real_window: Callable[[Path], MainWindow], tmp_path_factory: pytest.TempPathFactory
) -> MainWindow:
    folder = tmp_path_factory.mktemp("settings") / "data"
    folder.mkdir()
    Store(folder / DATABASE).close()
    add_trace(folder, "the first question")  # not a first start: no sample is prepared
    return make_real_window(folder)


@pytest.fixture
def panel(qtbot: QtBot, window: MainWindow) -> DataPanel:
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    window.show_page("settings")
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    found: DataPanel = window.pages.settings.data
    return found


def questions(window: MainWindow) -> set[str]:
    return {trace.question for trace in list_traces(window._console.database, TraceFilter())}


def test_the_page_shows_what_takes_how_much(window: MainWindow, panel: DataPanel) -> None:
    parts = {part.what: part for part in panel.usage.parts}
    assert parts["Traces"].detail == "1 trace"
    assert all(part.bytes > 0 for part in panel.usage.parts)


def test_a_backup_brings_back_what_was_changed_since(
    qtbot: QtBot, window: MainWindow, panel: DataPanel, tmp_path: Path
) -> None:
    file = tmp_path / "backup.zip"
    panel.back_up(str(file))
    qtbot.waitUntil(lambda: panel.result.isVisible(), timeout=SLOW_MS)
    assert f"Backed up to {file}" in panel.result.text()
    assert panel.backup_button.isEnabled()
    add_trace(window._console.engine.folder, "a question after the backup")
    window._console.change_settings("generation", "seed", 7)
    qtbot.waitUntil(lambda: idle(window), timeout=SLOW_MS)
    assert questions(window) == {"the first question", "a question after the backup"}
    latest = list_traces(window._console.database, TraceFilter())[0]
    window.pages.open_trace(latest.id)  # a page that shows what is about to go
    window.show_page("collections")
    window.show_page("settings")
    process = window._console.engine.process_id
    panel.restore(str(file))
    press(qtbot, "Restore")
    qtbot.waitUntil(lambda: window._console.engine.process_id != process and idle(window), timeout=SLOW_MS)
    assert questions(window) == {"the first question"}
    assert window._console.settings.generation.seed == 42
    assert "was restored" in window.toasts.text
    assert "before-restore-" in window.toasts.text
    assert any(part.what == "Before restores" for part in panel.usage.parts)


def test_a_file_that_is_no_backup_is_a_sentence(
    qtbot: QtBot, window: MainWindow, panel: DataPanel, tmp_path: Path
) -> None:
    (tmp_path / "wrong.zip").write_bytes(b"not a zip")
    panel.restore(str(tmp_path / "wrong.zip"))
    qtbot.waitUntil(lambda: "not a whole zip" in window.toasts.text, timeout=SLOW_MS)
    assert questions(window) == {"the first question"}


def test_a_backup_can_be_cancelled(
    qtbot: QtBot, window: MainWindow, panel: DataPanel, tmp_path: Path
) -> None:
    panel.back_up(str(tmp_path / "backup.zip"))
    assert panel._progress.isVisible()
    assert not panel.restore_button.isEnabled()
    cancel = next(b for b in panel._progress.findChildren(QPushButton) if b.text() == "Cancel")
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel._task is None, timeout=SLOW_MS)
    assert not panel._progress.isVisible()
    assert panel.restore_button.isEnabled()
    if "cancelled" in panel.result.text():  # a small backup may be complete before the click is heard
        assert not list(tmp_path.iterdir())


def test_a_restore_waits_for_what_is_running(
    qtbot: QtBot, window: MainWindow, panel: DataPanel, tmp_path: Path
) -> None:
    task = window._console.engine.start(operations.try_model.titled("A long answer"), prompt="Why?")
    panel.restore(str(tmp_path / "any.zip"))
    assert "has to wait for: A long answer" in window.toasts.text
    panel.move_data(str(tmp_path / "elsewhere"))
    assert "Moving the data has to wait" in window.toasts.text
    qtbot.waitUntil(lambda: task.done, timeout=SLOW_MS)


def test_the_data_move_and_the_window_goes_with_them(
    qtbot: QtBot, window: MainWindow, panel: DataPanel, tmp_path: Path
) -> None:
    old, new = window._console.engine.folder, tmp_path / "a new place"
    panel.move_data(str(new))
    qtbot.waitUntil(lambda: window._console.engine.folder == new and idle(window), timeout=SLOW_MS)
    assert questions(window) == {"the first question"}
    assert "The data were moved here" in window.toasts.text
    assert (
        f"--data {new}" in panel.result.text()
    )  # the old place was named with --data: no pointer is followed
    assert not (old / DATABASE).exists()
    assert lock_holder(new) is not None
    assert panel._folder.text() == str(new)
    add_trace(new, "a question in the new place")
    window._console.data_changed.emit()
    assert "a question in the new place" in questions(window)
    window.close()
    assert QSettings().fileName().startswith(str(new))


def test_an_interrupted_restore_is_said_at_the_start(
    qtbot: QtBot, make_real_window: Callable[[Path], MainWindow], tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    (folder / "restore.new" / "data").mkdir(parents=True)
    Store(folder / DATABASE).close()
    add_trace(folder, "the first question")
    window = make_real_window(folder)
    qtbot.waitUntil(lambda: "A restore was interrupted" in window.toasts.text, timeout=SLOW_MS)
    assert window.toasts.isVisible()
    assert not (folder / "restore.new").exists()
    assert questions(window) == {"the first question"}
    window.close()
