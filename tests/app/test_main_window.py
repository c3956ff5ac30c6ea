"""The window without models: pages, commands, drops, the status bar, and what the engine says at its start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import engine_functions as functions
import pytest
from fakes import drive
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, QSettings, QSize, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.console import Console, Notice
from app.main_window import MainWindow, StatusBar
from app.routes import PAGES
from app.widgets.error_dialog import ErrorDialog
from app.widgets.palette import CommandPalette
from rag import operations
from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import list_collections
from rag.models.rows import ModelState
from rag.monitoring.alerts import add_rule
from rag.operations import Lane
from rag.storage.tables.costs import Budget
from rag.workspace import Workspace

COPY, MOVE = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction


@pytest.fixture(autouse=True)
def fresh_gates() -> Iterator[None]:
    """Begin each test with closed gates, and open all of them at its end."""
    functions.gates.clear()
    functions.calls.clear()
    yield
    for gate in functions.gates.values():
        gate.set()


def dropped(paths: list[Path], actions: Qt.DropAction, proposed: Qt.DropAction) -> QDropEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    keys = Qt.KeyboardModifier.ShiftModifier if proposed is MOVE else Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(300, 300), actions, data, Qt.MouseButton.LeftButton, keys)
    event.data = data  # the event does not keep it
    return event


def dragged(paths: list[Path], actions: Qt.DropAction) -> QDragEnterEvent:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDragEnterEvent(
        QPoint(300, 300), actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    event.data = data
    return event


# --- pages and commands -----------------------------------------------------------------------------------


def test_a_page_is_made_when_it_is_first_shown(window: MainWindow) -> None:
    assert window.current_page == "overview"
    assert not window.pages.is_made("prompts")
    window.show_page("prompts")
    assert window.pages.is_made("prompts")
    assert window.current_page == "prompts"
    assert window.rail.button("prompts").isChecked()


def test_every_page_can_be_shown_with_its_keys(window: MainWindow, settle: Callable[[], None]) -> None:
    for page in PAGES:
        command = next(c for c in window.commands if c.shortcut == page.shortcut)
        assert command.title == f"Go to {page.title}"
        command.run()
        assert window.current_page == page.key
        settle()


def test_no_two_commands_share_keys(window: MainWindow) -> None:
    keys = [command.shortcut for command in window.commands if command.shortcut]
    assert sorted(keys) == sorted(set(keys))


def test_the_palette_and_the_shortcuts_list_the_commands(qtbot: QtBot, window: MainWindow) -> None:
    palette = window.open_palette()
    qtbot.keyClicks(palette._field, "show silent")
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)  # waits for what is being searched
    qtbot.waitUntil(lambda: window.current_page == "traces")
    dialog = window.show_shortcuts()
    words = [shown.text() for shown in dialog.findChildren(QLabel)]
    assert "Ctrl+L" in words
    assert "Send the question" in words
    dialog.reject()


def test_a_stored_object_is_found_by_the_palette_and_recent_the_next_time(
    qtbot: QtBot, window: MainWindow, open_workspace: Workspace, documents: Path
) -> None:
    drive(ingest_files(open_workspace, "Bread", [str(documents)]))
    palette = window.open_palette()
    qtbot.keyClicks(palette._field, "bread.md")
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)  # waits for what is being searched
    qtbot.waitUntil(lambda: window.current_page == "collections")
    (document,) = window.pages.collections.documents.table.selected_records()
    assert document.name == "bread.md"
    assert window.finder._thread is None  # it ended with the palette
    again = window.open_palette()
    assert again.visible_titles()[0] == "bread.md"
    assert again.visible_groups()[:2] == ["Recent", "On this page: Collections – Bread"]
    again.reject()


def test_the_rail_keys_and_mouse_go_back_and_forward(qtbot: QtBot, window: MainWindow) -> None:
    back, forward = window.rail._back, window.rail._forward
    assert not back.isEnabled()
    window.show_page("costs")
    window.show_page("models")
    assert back.toolTip() == "Back to Costs (Alt+Left)"
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert window.current_page == "costs"
    assert forward.toolTip() == "Forward to Models (Alt+Right)"
    next(command for command in window.commands if command.shortcut == "Alt+Left").run()
    assert window.current_page == "overview"
    assert not back.isEnabled()
    place = QPoint(window.width() // 2, window.height() // 2)
    QTest.mouseClick(
        window.windowHandle(), Qt.MouseButton.ForwardButton, Qt.KeyboardModifier.NoModifier, place
    )
    assert window.current_page == "costs"
    with qtbot.waitSignal(window.rail.finder_requested):
        qtbot.mouseClick(window.rail._find, Qt.MouseButton.LeftButton)
    palette = window.findChild(CommandPalette)
    assert palette is not None
    palette.reject()


def test_a_colour_command_changes_the_theme(
    window: MainWindow, console: Console, settle: Callable[[], None]
) -> None:
    next(c for c in window.commands if c.title == "Dark colours").run()
    settle()
    assert console.theme.is_dark
    next(c for c in window.commands if c.title == "Light colours").run()
    settle()
    assert not console.theme.is_dark


def test_the_window_remembers_its_page_and_stops_the_engine(
    qtbot: QtBot, console: Console, window: MainWindow
) -> None:
    window.show_page("models")
    window.close()
    assert QSettings().value("window/page") == "models"
    assert console.engine._connection is None
    again = MainWindow(console)
    qtbot.addWidget(again)
    assert again.rail.button("models").isChecked()
    again.close()
    again.close()  # a second time does no harm


def test_an_unknown_page_is_a_mistake(window: MainWindow) -> None:
    with pytest.raises(KeyError):
        window.show_page("nothing")


# --- notices ----------------------------------------------------------------------------------------------


def test_notices_are_shown_in_the_banner_and_bugs_in_a_dialog(
    qtbot: QtBot, window: MainWindow, console: Console
) -> None:
    console.notice.emit("Saved.", Notice.INFO)
    assert window.toasts.text == "Saved."
    assert window.toasts.isVisible()
    console.bug.emit("Something unexpected went wrong.", "Traceback")
    dialog = window.findChild(ErrorDialog)
    assert dialog is not None
    assert (dialog.sentence, dialog.details) == ("Something unexpected went wrong.", "Traceback")
    dialog.reject()


# --- the engine -------------------------------------------------------------------------------------------


def test_the_first_start_prepares_the_sample(
    window: MainWindow, console: Console, settle: Callable[[], None]
) -> None:
    console.engine.ready.emit(0, [])
    settle()
    names = [row.name for row in list_collections(console.database)]
    assert len(names) == 1
    assert names[0].startswith("Sample")
    assert window.current_page == "collections"
    assert window.pages.ask.collection_name == names[0]


def test_a_start_says_what_was_interrupted_and_what_the_engine_found(
    window: MainWindow, console: Console
) -> None:
    console.engine.ready.emit(2, ["The index was built again."])
    assert window.toasts.text == (
        "The index was built again.  2 questions were interrupted when the program ended; the trace is kept."
    )
    assert window.toasts.seen[-1].kind == "check"
    console.engine.ready.emit(1, [])
    assert (window.toasts.text, window.toasts.seen[-1].kind) == (
        "1 question was interrupted when the program ended; the trace is kept.",
        "info",
    )


def test_a_refused_folder_is_shown_in_a_dialog_and_in_the_status_bar(
    window: MainWindow, console: Console
) -> None:
    console.engine.is_ready = False
    console.engine.refused.emit("The folder is in use.")
    dialog = window.findChild(ErrorDialog)
    assert dialog is not None
    assert dialog.sentence == "The folder is in use."
    assert window.status("task") == "The engine is not running"
    dialog.reject()


def test_a_restart_is_told_and_no_model_is_loaded_then(window: MainWindow, console: Console) -> None:
    console.model_state_changed.emit(ModelState("small", "/models/small.gguf", 2048, 0))
    assert window.status("model") == "small"
    console.engine.restarted.emit("The engine process ended unexpectedly.")
    assert window.toasts.text == "The engine process ended unexpectedly."
    assert window.status("model") == "No model loaded"


# --- the status bar ---------------------------------------------------------------------------------------


def test_the_status_bar_names_the_running_task_and_counts_the_others(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    bar = StatusBar(console)
    qtbot.addWidget(bar)
    assert bar.text("task") == "Ready"
    console.engine.start(functions.gated, gate="one")
    assert bar.text("task") == "Pass one"
    console.engine.start(functions.gated, gate="two")
    assert bar.text("task") == "Pass one   (+1 waiting)"
    functions.gates["one"].set()
    functions.gates["two"].set()
    settle()
    assert bar.text("task") == "Ready"


@pytest.mark.parametrize("lane", [Lane.READ, Lane.WRITE])
def test_reading_and_writing_are_shown_when_they_take_long(
    qtbot: QtBot, console: Console, settle: Callable[[], None], lane: Lane
) -> None:
    bar = StatusBar(console, quiet_s=0.05)
    qtbot.addWidget(bar)
    shown = QSignalSpy(console.engine.tasks_changed)
    operation = functions.held_read if lane is Lane.READ else functions.held_write
    console.engine.start(operation, gate="slow")
    assert bar.text("task") == "Ready"
    qtbot.waitUntil(lambda: bar.text("task").endswith(" slow"))
    assert shown.count() == 1  # no other task had to come for it to be shown
    functions.gates["slow"].set()
    settle()
    assert bar.text("task") == "Ready"


def test_the_status_bar_says_how_much_memory_the_engine_takes(qtbot: QtBot, console: Console) -> None:
    bar = StatusBar(console)
    qtbot.addWidget(bar)
    bar._show_memory()
    assert bar.text("memory").endswith("GB free")
    bar.stop()


# --- drops ------------------------------------------------------------------------------------------------


def test_dropped_files_go_where_the_overlay_says(
    window: MainWindow, console: Console, documents: Path, settle: Callable[[], None]
) -> None:
    window.dragEnterEvent(dragged([documents], COPY))
    assert window.overlay.isVisible()
    assert window.overlay.text == "Drop to add to “Documents”"
    window.dropEvent(dropped([documents], COPY, COPY))
    assert not window.overlay.isVisible()
    settle()
    assert [(row.name, row.document_count) for row in list_collections(console.database)] == [
        ("Documents", 3)
    ]
    assert window.current_page == "collections"
    assert "3 added" in window.toasts.text


def test_a_drop_is_always_a_copy(window: MainWindow, documents: Path) -> None:
    entered = dragged([documents], COPY | MOVE)
    entered.setDropAction(MOVE)
    window.dragEnterEvent(entered)
    assert entered.isAccepted()
    assert entered.dropAction() == COPY
    event = dropped([documents], COPY | MOVE, MOVE)
    event.setDropAction(MOVE)
    window.dropEvent(event)
    assert event.isAccepted()
    assert event.dropAction() == COPY


def test_what_may_only_be_moved_or_is_no_file_is_refused(
    window: MainWindow, console: Console, documents: Path, settle: Callable[[], None]
) -> None:
    for event in (dragged([documents], MOVE), dragged([], COPY)):
        event.ignore()
        window.dragEnterEvent(event)
        assert not event.isAccepted()
        assert not window.overlay.isVisible()
    event = dropped([documents], MOVE, MOVE)
    event.ignore()
    window.dropEvent(event)
    settle()
    assert not event.isAccepted()
    assert list_collections(console.database) == []


def test_the_overlay_goes_when_the_files_leave_and_grows_with_the_window(
    window: MainWindow, documents: Path
) -> None:
    window.dragEnterEvent(dragged([documents], COPY))
    window.resize(1000, 700)
    QApplication.processEvents()
    assert window.overlay.size() == window.size()
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window.overlay.isVisible()


# --- what happens by itself -------------------------------------------------------------------------------


def test_context_and_speed_of_an_answer_are_shown(
    qtbot: QtBot, console: Console, open_workspace: Workspace, documents: Path, settle: Callable[[], None]
) -> None:
    drive(ingest_files(open_workspace, "Kitchen", [str(documents)]))
    open_workspace.language_model()
    bar = StatusBar(console)
    qtbot.addWidget(bar)
    assert bar.text("context") == bar.text("speed") == ""
    task = console.run(
        operations.ask, question="How long does rye bread rest?", collection="Kitchen", session_id="s"
    )
    bar.follow_question(task)
    settle()
    context = console.settings.generation.context
    assert re.fullmatch(rf"Context \d[\d,]* of {context:,} \(\d+ %\)", bar.text("context"))
    assert re.fullmatch(r"[\d,]+ tokens/s", bar.text("speed"))


def test_a_blind_comparison_does_not_tell_its_speed(
    qtbot: QtBot, console: Console, settle: Callable[[], None]
) -> None:
    bar = StatusBar(console)
    qtbot.addWidget(bar)
    task = console.engine.start(functions.echo_text, text="two answers")
    bar.follow_question(task)
    settle()
    assert bar.text("speed") == ""


def test_a_later_start_looks_after_the_indexes_and_imports_no_sample(
    window: MainWindow,
    console: Console,
    open_workspace: Workspace,
    documents: Path,
    settle: Callable[[], None],
) -> None:
    drive(ingest_files(open_workspace, "Kitchen", [str(documents)]))
    console.engine.ready.emit(0, [])
    assert "Check indexes" in [task.title for task in console.engine.tasks]
    settle()
    assert [row.name for row in list_collections(console.database)] == ["Kitchen"]
    window._started_up(["The index was damaged and built again."])
    assert (window.toasts.text, window.toasts.seen[-1].kind) == (
        "The index was damaged and built again.", "bad",
    )  # fmt: skip


def test_firing_alerts_are_counted_on_the_rail(
    window: MainWindow,
    console: Console,
    open_workspace: Workspace,
    documents: Path,
    settle: Callable[[], None],
) -> None:
    assert window.rail.button("monitors").accessibleName() == "Monitors"
    drive(ingest_files(open_workspace, "Kitchen", [str(documents)]))
    open_workspace.language_model()
    for _ in range(5):
        drive(answer_question(open_workspace, Question("How long does rye bread rest?", "Kitchen")))
    rule = {"name": "Long answers", "measure": "answer_length", "threshold": 1.0, "window": 5, "minimum": 5}
    assert add_rule(open_workspace, rule).state == "firing"
    console.data_changed.emit()
    settle()
    assert window.rail.button("monitors").accessibleName() == "Monitors, 1 new"


# --- the window itself ------------------------------------------------------------------------------------


def again(qtbot: QtBot, console: Console) -> MainWindow:
    """Make the window another time, as the next start does."""
    made = MainWindow(console)
    qtbot.addWidget(made)
    return made


def test_the_first_window_fits_the_screen(window: MainWindow) -> None:
    room = QGuiApplication.primaryScreen().availableGeometry()  # 800x800 without a screen
    assert room.contains(window.frameGeometry())
    assert window.geometry().height() <= room.height() - 40  # and the desktop's own title above it


@pytest.mark.parametrize(
    "remembered",
    [QRect(-5000, -5000, 900, 700), QRect(10, 10, 4000, 3000), QRect(30, 60, 5, 5), QRect(), "nonsense", 7],
)
def test_a_window_from_another_screen_comes_back_on_this_one(
    qtbot: QtBot, console: Console, window: MainWindow, remembered: object
) -> None:
    QSettings().setValue("window/place", remembered)
    made = again(qtbot, console)
    room = QGuiApplication.primaryScreen().availableGeometry()
    assert room.contains(made.geometry())
    assert made.width() >= made.minimumWidth()
    assert made.height() >= made.minimumHeight()
    made.close()


def test_a_window_comes_back_where_it_was(qtbot: QtBot, console: Console, window: MainWindow) -> None:
    window.setGeometry(40, 70, 700, 500)
    window.close()
    made = again(qtbot, console)
    assert made.geometry() == QRect(40, 70, 700, 500)
    assert not made.isMaximized()
    made.close()


def test_a_maximised_window_comes_back_maximised_and_keeps_its_own_size(
    qtbot: QtBot, console: Console, window: MainWindow
) -> None:
    window.setGeometry(40, 70, 700, 500)
    window.showMaximized()
    qtbot.waitUntil(window.isMaximized)
    window.close()
    made = again(qtbot, console)
    made.show()
    assert made.isMaximized()
    made.showNormal()
    assert made.size() == QSize(700, 500)
    made.close()


def test_the_title_names_the_page_and_its_collection(
    qtbot: QtBot, window: MainWindow, console: Console, open_workspace: Workspace, documents: Path
) -> None:
    for name in ("Bakery", "Kitchen"):
        drive(ingest_files(open_workspace, name, [str(documents)]))
    console.data_changed.emit()
    window.show_page("models")
    assert window.windowTitle() == "Models"
    window.show_page("collections")
    window.pages.collections.choose("Kitchen")
    assert window.windowTitle() == "Collections – Kitchen"
    window.show_page("versions")
    window.pages.versions.choose("Bakery")
    assert window.windowTitle() == "Versions – Bakery"
    window.show_page("ask")
    window.pages.ask.choose_collection("Kitchen", None)
    assert window.windowTitle() == "Ask – Kitchen"


def test_another_start_brings_the_window_back(qtbot: QtBot, window: MainWindow) -> None:
    window.showMinimized()
    window.raise_window()
    assert window.isVisible()
    assert not window.isMinimized()


# --- notices and settings ---------------------------------------------------------------------------------


def test_a_notice_belongs_to_the_page_where_it_came_and_pushes_nothing(
    window: MainWindow, console: Console
) -> None:
    window.show_page("prompts")
    before = window.pages.prompts.geometry()
    console.notice.emit("It failed.", Notice.BAD)
    assert window.pages.prompts.geometry() == before
    assert [toast.text for toast in window.toasts.seen] == ["It failed."]
    window.show_page("models")
    assert window.toasts.seen == []
    window.show_page("prompts")
    assert [toast.text for toast in window.toasts.seen] == ["It failed."]


def test_a_saved_setting_is_said_and_can_be_undone(
    qtbot: QtBot, window: MainWindow, console: Console, settle: Callable[[], None]
) -> None:
    window.show_page("settings")
    for value in (59, 58):
        console.change_settings("retrieval", "rrf_k", value, "RRF k")
        settle()
    (toast,) = window.toasts.seen
    assert (toast.text, toast.action.text()) == ("RRF k is 58 now.", "Undo")
    qtbot.mouseClick(toast.action, Qt.MouseButton.LeftButton)
    settle()
    assert console.settings.retrieval.rrf_k == 5  # as before the first of both


def test_text_size_and_density_follow_the_settings(
    window: MainWindow, console: Console, settle: Callable[[], None]
) -> None:
    usual = window.rail.button("ask").height()
    console.change_settings("appearance", "text_percent", 150)
    settle()
    assert window.rail.button("ask").height() == pytest.approx(1.5 * usual, abs=1)
    console.change_settings("appearance", "text_percent", 100)
    settle()
    assert window.rail.button("ask").height() == usual


def test_budgets_that_are_used_up_are_counted_at_the_page_of_costs(
    window: MainWindow, console: Console, open_workspace: Workspace
) -> None:
    with open_workspace.store.session() as session:
        for name, state in (("a", "used up"), ("b", "nearly used up"), ("c", "ok")):
            session.add(
                Budget(
                    name=name, amount=1, currency="EUR", period="month", scope="all", action="warn", unknown="ask",
                    state=state, created_ms=0,
                )
            )  # fmt: skip
    console.data_changed.emit()
    assert window.rail.button("costs").accessibleName() == "Costs, 2 new"
