"""The pickers: whole names, what a session is bound to, and what is no longer there."""

from collections.abc import Callable
from pathlib import Path

from driving import click, texts
from fakes import drive
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.page import AskPage
from rag.asking.sessions.changes import bind_session
from rag.asking.sessions.rows import Binding, get_session
from rag.knowledge.collections import delete_collection
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import save_prompt, set_label
from rag.workspace import Workspace

Send = Callable[[AskPage, str], None]
Settle = Callable[[], None]
QUESTION = "How long does rye bread rest?"


def test_each_picker_has_a_label_and_room_for_its_choice(
    page: AskPage, open_workspace: Workspace, console: Console, notes: Path, qtbot: QtBot
) -> None:
    name = "Minutes of the harbour board, 2019 to 2024"
    drive(ingest_files(open_workspace, name, [str(notes / "stars.txt")]))
    console.data_changed.emit()
    page.choose_collection(name)
    qtbot.waitUntil(lambda: page.collection_box.currentText() == name, timeout=60_000)
    for word in ("Collection", "Version", "Model", "Prompt"):
        assert word in texts(page.panel.bar)
    for box in (page.collection_box, page.version_box, page.model_box, page.prompt_box):
        needs = box.fontMetrics().horizontalAdvance(box.currentText()) + 30
        assert box.sizeHint().width() >= needs
        qtbot.waitUntil(lambda box=box, needs=needs: box.width() >= needs, timeout=60_000)


def test_where_the_boxes_take_too_many_lines_words_say_what_is_chosen(qtbot: QtBot, page: AskPage) -> None:
    bar = page.panel.bar
    assert bar.pickers.isVisible() and not bar.summary.isVisible()
    page.resize(760, 700)
    qtbot.waitUntil(bar.summary.isVisible, timeout=60_000)
    assert not bar.pickers.isVisible()
    assert bar.summary.text() == "Asks “Notes”, the active version (2), No model, prompt default, version 1"
    qtbot.mouseClick(bar.toggle_button, Qt.MouseButton.LeftButton)
    assert bar.pickers.isVisible()
    qtbot.mouseClick(bar.toggle_button, Qt.MouseButton.LeftButton)
    assert not bar.pickers.isVisible()


def test_a_change_binds_the_session_and_is_said(
    page: AskPage, console: Console, send: Send, settle: Settle
) -> None:
    page.version_box.setCurrentIndex(1)
    assert not page.panel.said.isVisible()  # nothing was asked yet: a choice is no change
    send(page, QUESTION)
    page.version_box.setCurrentIndex(2)
    settle()
    assert page.panel.said.text().startswith(
        "From the next question on, this session asks “Notes”, version 1, "
    )
    assert get_session(console.database, page.conversation.session_id).version == "1"
    send(page, "How long does it rest?")
    assert not page.panel.said.isVisible()


def test_a_session_brings_its_own_choices_and_a_new_one_inherits_the_last(
    qtbot: QtBot, page: AskPage, open_page: Callable[[], AskPage], send: Send, settle: Settle
) -> None:
    send(page, QUESTION)
    first = page.conversation.session_id
    click(qtbot, page, "New session")
    page.version_box.setCurrentIndex(2)
    send(page, "And then?")
    page.open_session(first)
    assert page.version_box.currentText() == "Active (version 2)"
    page.open_session(page.sessions.list.item(0).data(Qt.ItemDataRole.UserRole))
    assert page.version_box.currentText() == "Version 1"
    click(qtbot, page, "New session")
    assert page.version_box.currentText() == "Version 1"
    assert open_page().version_box.currentText() == "Version 1"


def test_what_is_no_longer_there_stays_chosen_and_says_so(
    page: AskPage, console: Console, open_workspace: Workspace, notes: Path, send: Send
) -> None:
    drive(ingest_files(open_workspace, "Atlas", [str(notes / "stars.txt")]))
    console.data_changed.emit()
    page.choose_collection("Atlas")
    send(page, "Which star is bright?")
    session = page.conversation.session_id
    delete_collection(open_workspace, "Atlas")
    console.data_changed.emit()
    assert page.collection_box.currentText() == "Atlas (no longer there)"
    assert page.collection_name == ""
    bind_session(open_workspace.store, session, Binding("Notes", "9", "short", "/models/gone.gguf", "old"))
    page.open_session(session)
    boxes = (page.version_box, page.pipeline_box, page.prompt_box)
    assert [box.currentText() for box in boxes] == [
        "Version 9 (no longer there)", "short (no longer there)", "old (no longer there)",
    ]  # fmt: skip
    assert page.model_box.currentData() == "/models/gone.gguf"
    assert page.panel.bar.binding == Binding("Notes", "9", "short", "/models/gone.gguf", "old")


def test_prompts_are_offered_by_name_label_and_newest_version(
    page: AskPage, console: Console, open_workspace: Workspace, send: Send
) -> None:
    store = open_workspace.store
    for text in (
        "Short: {{ question }} {{ passages }}",
        "Shorter: {{ question }} {{ passages }}",
        "{{ question }}",
    ):
        save_prompt(store, "brief", "", text)
    set_label(store, "brief", "production", 1)
    set_label(store, "brief", "staging", 2)
    console.data_changed.emit()
    box = page.prompt_box
    assert [(box.itemText(n), box.itemData(n)) for n in range(box.count())] == [
        ("default, version 1", ""), ("brief, version 1", "brief"), ("brief, staging (version 2)", "brief@staging"),
        ("brief, version 3 (newest)", "brief@3"),
    ]  # fmt: skip
    box.setCurrentIndex(2)
    send(page, QUESTION)
    row = console.database.cells("SELECT prompt_name, prompt_version FROM trace")
    assert row == [("brief", 2)]


def test_a_collection_that_is_to_be_asked_does_not_change_a_session_with_questions(
    page: AskPage, console: Console, open_workspace: Workspace, notes: Path, send: Send
) -> None:
    drive(ingest_files(open_workspace, "Atlas", [str(notes / "stars.txt")]))
    console.data_changed.emit()
    page.prefer_collection("Atlas")
    assert page.collection_name == "Atlas"
    page.prefer_collection("Notes")
    send(page, QUESTION)
    first = page.conversation.session_id
    page.prefer_collection("Atlas")  # what was imported last
    assert (page.collection_name, page.conversation.session_id) == ("Notes", first)
    page.choose_collection("Atlas", 1)  # somebody wants to ask it
    assert page.collection_name == "Atlas" and page.conversation.is_empty
    assert get_session(console.database, first).collection == "Notes"
