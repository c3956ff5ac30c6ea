"""The command palette and the list of shortcuts."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.palette import RECENT, Command, CommandPalette, ShortcutsDialog, grouped


class SlowFinder(QObject):
    """A finder that answers when the test says so."""

    found = Signal(str, list)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def search(self, text: str) -> None:
        self.asked.append(text)


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    made.resize(800, 600)
    qtbot.addWidget(made)
    return made


def named(*titles: str, **values: Any) -> list[Command]:
    return [Command(title, lambda: None, **values) for title in titles]


def test_the_palette_filters_and_runs(qtbot: QtBot, parent: QWidget) -> None:
    ran: list[str] = []
    used: list[str] = []
    commands = [
        Command("Go to Traces", lambda: ran.append("traces")),
        Command("Add files", lambda: ran.append("add")),
    ]
    palette = CommandPalette(commands, parent, used=lambda command: used.append(command.name))
    palette.popup()
    qtbot.keyClicks(palette._field, "adfi")
    assert palette.visible_titles() == ["Add files"]
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert (ran, used) == (["add"], ["Add files"])


def test_the_shortcuts_are_listed_and_closed_with_a_click(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ShortcutsDialog([("Ctrl+K", "Open the command palette"), ("Esc", "Stop")], parent)
    dialog.show()
    words = [shown.text() for shown in dialog.findChildren(QLabel)]
    assert words == ["Open the command palette", "Ctrl+K", "Stop", "Esc"]
    with qtbot.waitSignal(dialog.finished):
        qtbot.mouseClick(dialog.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)


@pytest.fixture
def palette(qtbot: QtBot) -> CommandPalette:
    parent = QWidget()
    parent.resize(800, 600)
    qtbot.addWidget(parent)
    made = CommandPalette(
        [
            Command("Go to Traces", lambda: None, "Ctrl+5", "page open"),
            Command("Show flagged answers", lambda: None, "", "hallucination"),
            Command("Quit", lambda: None, "Ctrl+Q", "exit"),
        ],
        parent,
    )
    made.parent_of_test = parent  # type: ignore[attr-defined]
    made.popup()
    return made


def test_everything_is_offered_before_a_letter_is_typed(palette: CommandPalette) -> None:
    assert palette.visible_titles() == ["Go to Traces", "Show flagged answers", "Quit"]
    assert palette.isVisible()
    assert palette._field.hasFocus() or palette._field.focusPolicy() != Qt.FocusPolicy.NoFocus
    item = palette._list.item(1)
    assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "Go to Traces, Ctrl+5, Actions"
    assert palette._field.accessibleDescription() == "Go to Traces, Ctrl+5, Actions"  # what Enter would run
    palette.grab()


def test_keywords_find_a_command_and_nothing_found_is_said(qtbot: QtBot, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette._field, "halluc")
    assert palette.visible_titles() == ["Show flagged answers"]
    palette._field.setText("zzz")
    assert palette.visible_titles() == []
    assert palette._nothing.isVisible()
    assert palette._nothing.text() == "Nothing is called “zzz”. Try fewer letters."
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert palette.isVisible()  # there is nothing to run


def test_arrow_keys_choose_and_a_click_runs(qtbot: QtBot) -> None:
    ran: list[str] = []
    parent = QWidget()
    qtbot.addWidget(parent)
    commands = [Command(name, lambda n=name: ran.append(n)) for name in ("one", "two", "three")]
    palette = CommandPalette(commands, parent)
    palette.popup()
    qtbot.keyClick(palette._field, Qt.Key.Key_Down)
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert ran == ["two"]
    assert not palette.isVisible()
    palette.popup()
    palette._list.setCurrentRow(3)
    palette._list.itemClicked.emit(palette._list.item(3))
    assert ran[-1] == "three"


def titles(groups: list[tuple[str, list[Command]]]) -> list[tuple[str, list[str]]]:
    return [(heading, [command.title for command in commands]) for heading, commands in groups]


def test_beginnings_come_first_and_scattered_letters_only_where_nothing_else_fits() -> None:
    commands = named("Back up the data", "Quit", "Automatic checks", "Show the author")
    assert titles(grouped("aut", [], commands)) == [("Actions", ["Automatic checks", "Show the author"])]
    assert titles(grouped("bkup", [], commands)) == [("Actions", ["Back up the data"])]


def test_the_group_with_the_best_match_comes_first() -> None:
    pages, documents = named("Go to Notes", group="Pages"), named("notes.txt", group="Documents")
    assert [heading for heading, _ in grouped("notes", [], [*pages, *documents])] == ["Documents", "Pages"]
    assert [heading for heading, _ in grouped("go", [], [*pages, *documents])] == ["Pages"]


def test_recent_ones_stand_on_top_and_only_there() -> None:
    commands = named("Add files", "Add a folder", "Quit")
    recent = named("Quit", "Add a folder")
    assert titles(grouped("", recent, commands)) == [
        (RECENT, ["Quit", "Add a folder"]),
        ("Actions", ["Add files"]),
    ]
    assert titles(grouped("add", recent, commands)) == [
        (RECENT, ["Add a folder"]),
        ("Actions", ["Add files"]),
    ]


def test_what_there_is_a_lot_of_waits_for_letters_and_is_cut_short() -> None:
    settings = named(*(f"Setting {number}" for number in range(20)), group="Settings", quiet=True)
    assert grouped(" ", [], settings) == []
    ((_, shown),) = grouped("set", [], settings)
    assert len(shown) == 8


def test_objects_are_added_when_they_are_found_and_old_answers_are_left_out(
    qtbot: QtBot, parent: QWidget
) -> None:
    finder = SlowFinder()
    palette = CommandPalette(named("Not this"), parent, finder=finder)
    palette.popup()
    qtbot.keyClicks(palette._field, "no")
    assert finder.asked == ["n", "no"]
    finder.found.emit("n", named("nothing", group="Documents"))  # of fewer letters: too late
    assert palette.visible_titles() == ["Not this"]
    finder.found.emit("no", named("notes.txt", group="Documents"))
    assert palette.visible_groups() == ["Actions", "Documents"]
    assert palette.visible_titles() == ["Not this", "notes.txt"]
    palette._field.setText("zzz")
    assert palette._nothing.text() == "Searching…"
    finder.found.emit("zzz", [])
    assert palette._nothing.text().startswith("Nothing is called “zzz”")
    palette._field.setText("")
    assert finder.asked[-1] == "zzz"  # nothing to search for
    palette.close()


def test_enter_waits_for_what_is_being_searched(qtbot: QtBot, parent: QWidget) -> None:
    ran: list[str] = []
    finder = SlowFinder()
    palette = CommandPalette([Command("See the notes", lambda: ran.append("command"))], parent, finder=finder)
    palette.popup()
    qtbot.keyClicks(palette._field, "notes")
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert ran == []
    assert palette.isVisible()
    finder.found.emit("notes", [Command("notes.txt", lambda: ran.append("document"), group="Documents")])
    assert ran == ["document"]  # it begins so: the first one, once everything is known
    assert not palette.isVisible()


def test_arrows_pass_over_headings_and_a_chosen_line_stays(qtbot: QtBot, parent: QWidget) -> None:
    finder = SlowFinder()
    commands = [*named("One a", "Two a"), *named("Three a", group="Pages")]
    palette = CommandPalette(commands, parent, finder=finder)
    palette.popup()
    seen = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageUp):
        qtbot.keyClick(palette._field, key)
        current = palette._current()
        assert current is not None
        seen.append(current.title)
    assert seen == ["Two a", "Three a", "One a", "Three a", "One a"]
    qtbot.keyClicks(palette._field, "a")
    qtbot.keyClick(palette._field, Qt.Key.Key_Down)
    finder.found.emit("a", named("a.txt", group="Documents"))
    assert palette.visible_titles()[0] == "a.txt"
    current = palette._current()
    assert current is not None
    assert current.title == "Two a"
    palette.close()


def test_the_palette_fits_a_small_window(qtbot: QtBot) -> None:
    small = QWidget()
    small.resize(400, 300)
    qtbot.addWidget(small)
    palette = CommandPalette(named("One"), small)
    assert palette.width() <= 400
    assert palette.height() <= 300
