"""What the palette finds in the window: objects on a thread, what was used before, and what a page can do."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from data_folders import insert
from PySide6.QtCore import QSettings
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QTabWidget, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.search import (
    ObjectFinder,
    call_commands,
    model_commands,
    object_command,
    page_commands,
    recent_commands,
    remember,
    setting_commands,
)
from app.shared.command_lines import Call
from app.widgets.buttons import IconButton, Toolbar, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.palette import RECENT, Command
from app.widgets.tables.menu import Links
from rag.finding.rows import Found, Kind, Place
from rag.models.rows import ModelEntry
from rag.workspace import Workspace


@pytest.fixture
def finder(console: Console) -> Iterator[ObjectFinder]:
    made = ObjectFinder(console)
    yield made
    made.stop()


def test_stored_objects_are_found_on_a_thread_and_opened(
    qtbot: QtBot, console: Console, finder: ObjectFinder, open_workspace: Workspace
) -> None:
    insert(open_workspace, "collection", id=1, name="Harbours", key="k")
    with qtbot.waitSignal(finder.found) as told:
        finder.search("harb")
    text, (command,) = told.args
    assert text == "harb"
    assert (command.title, command.group, command.detail) == ("Harbours", "Collections", "0 documents")
    spy = QSignalSpy(console.place_requested)
    command.run()
    assert spy.at(0)[0] == Place(Kind.COLLECTION, "Harbours")


def test_only_the_last_letters_are_answered_when_typing_is_faster(
    qtbot: QtBot, console: Console, finder: ObjectFinder
) -> None:
    spy = QSignalSpy(finder.found)
    finder._wanted = "ha"
    finder._search(console.database, "h")  # its turn comes when more was typed
    with qtbot.waitSignal(finder.found):
        finder.search("ha")
    assert [spy.at(number)[0] for number in range(spy.count())] == ["ha"]


def test_a_database_that_cannot_be_read_is_told(qtbot: QtBot, console: Console, finder: ObjectFinder) -> None:
    with qtbot.waitSignal(finder.found) as told:
        finder._searched.emit("x", [], "The database is damaged.")
    assert told.args == ["x", []]
    assert console.notices[-1] == ("The database is damaged.", "bad")  # type: ignore[attr-defined]


def test_the_thread_ends_and_can_begin_again(qtbot: QtBot, finder: ObjectFinder) -> None:
    finder.stop()  # before there is one
    for _ in range(2):
        with qtbot.waitSignal(finder.found):
            finder.search("anything")
        finder.stop()
        assert finder._thread is None


def test_what_was_used_is_remembered_over_restarts_the_latest_first(console: Console) -> None:
    known = [Command("Quit", lambda: None), Command("Add files…", lambda: None)]
    trace = object_command(Found(Place(Kind.TRACE, "t1"), "How high?", "28 Nov", "tide"), console)
    for command in (known[0], trace, known[1], known[0], Command("Gone since then", lambda: None)):
        remember(command)
    recent = recent_commands(known, console)
    assert [command.title for command in recent] == ["Quit", "Add files…", "How high?"]
    assert {command.group for command in recent} == {RECENT}
    assert (recent[2].detail, recent[2].keywords) == ("28 Nov", "tide")
    spy = QSignalSpy(console.place_requested)
    recent[2].run()
    assert spy.at(0)[0] == Place(Kind.TRACE, "t1")
    for number in range(40):
        remember(Command(f"Command {number}", lambda: None))
    assert len(json.loads(str(QSettings().value("palette/recent")))) == 30


@pytest.mark.parametrize(
    "written", ["nonsense", "3", '{"key": 1}', '["a"]', '[{"key": "a"}]',
                '[{"key": "{}", "title": "", "detail": "", "words": ""}]',
                '[{"key": "{\\"kind\\": \\"odd\\"}", "title": "", "detail": "", "words": ""}]'],
)  # fmt: skip
def test_what_cannot_be_read_is_forgotten(console: Console, written: str) -> None:
    QSettings().setValue("palette/recent", written)
    assert recent_commands([], console) == []


def test_settings_are_found_by_words_of_their_description(console: Console) -> None:
    commands = {command.title: command for command in setting_commands(console, {"retrieval": "Retrieval"})}
    rank = commands["RRF k"]
    assert "reciprocal rank fusion" in rank.keywords
    assert (rank.detail, rank.quiet) == ("Retrieval", True)
    spy = QSignalSpy(console.place_requested)
    rank.run()
    assert spy.at(0)[0] == Place(Kind.SETTING, "retrieval.rrf_k")


def test_models_are_found_by_their_names(console: Console) -> None:
    console.models = [ModelEntry("/m/small.gguf", "small", "added", None)]
    (command,) = model_commands(console)
    assert (command.title, command.group, command.detail) == ("small", "Models", "added")


def test_a_command_line_is_copied_and_said(console: Console) -> None:
    calls = [Call("Show it", ("traces", "show"), ("t1",)), Call("Bad", ("traces", "show"), ("\x1b",))]
    (command,) = call_commands(calls, console)
    assert (command.title, command.detail) == ("Copy as command line: show it", "traces show")
    command.run()
    line = QApplication.clipboard().text()
    assert line.startswith("ragdeck traces show t1 --data ")
    assert console.notices[-1] == (f"Copied: {line}", "info")  # type: ignore[attr-defined]


def test_a_page_offers_its_buttons_tabs_menus_and_what_its_chosen_rows_do(
    qtbot: QtBot, console: Console
) -> None:
    done: list[str] = []
    page, menu, tabs = QWidget(), QMenu(), QTabWidget()
    layout = QVBoxLayout(page)
    menu.addAction("Rename…", lambda: done.append("rename"))
    menu.addAction("Not now").setEnabled(False)
    more, off, hidden = QPushButton("More"), button("Disabled"), button("Hidden")
    more.setMenu(menu)
    off.setEnabled(False)
    shy = button("Under More", lambda: done.append("shy"))
    toolbar = Toolbar(button("Add && more", lambda: done.append("add"), primary=True), shy)
    table = RecordTable((Column("Name", str),), console.theme, "page_commands")
    table.set_records(["first", "second"])
    table.selectRow(1)
    table.actions_for = lambda records: [("Remove", lambda: done.append(f"remove {records}"))]
    table.links_for = lambda records: Links([("Open it", lambda: done.append("open"))])
    inside = button("In another tab")
    tabs.addTab(QWidget(), "Shown")
    tabs.addTab(inside, "Other")
    icon = IconButton(console.theme, "undo", "Take it back", lambda: done.append("undo"))
    for widget in (more, off, hidden, toolbar, icon, button("Notes", link=True), table, tabs):
        layout.addWidget(widget)
    hidden.hide()
    qtbot.addWidget(page)
    page.resize(120, 500)
    page.show()
    toolbar.setFixedWidth(110)
    qtbot.waitUntil(lambda: toolbar.overflowed == [shy])
    found = {command.title: command for command in page_commands(page, "Page – Object")}
    assert set(found) == {
        "Rename…", "Add & more", "Under More", "Take it back", "Notes", "Remove", "Open it", "Tab “Other”"
    }  # fmt: skip
    assert {command.group for command in found.values()} == {"On this page: Page – Object"}
    assert found["Remove"].detail == "second"
    for title in ("Rename…", "Add & more", "Under More", "Take it back", "Remove", "Open it", "Tab “Other”"):
        found[title].run()
    assert done == ["rename", "add", "shy", "undo", "remove ['second']", "open"]
    assert tabs.currentIndex() == 1
