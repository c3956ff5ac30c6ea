"""The command palette and the list of shortcuts."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.palette import Command, CommandPalette, ShortcutsDialog, fuzzy_score


def test_the_palette_filters_and_runs(qtbot: QtBot) -> None:
    ran: list[str] = []
    parent = QWidget()
    qtbot.addWidget(parent)
    commands = [
        Command("Go to Traces", lambda: ran.append("traces")),
        Command("Add files", lambda: ran.append("add")),
    ]
    palette = CommandPalette(commands, parent)
    palette.popup()
    qtbot.keyClicks(palette._field, "adfi")
    assert palette.visible_titles() == ["Add files"]
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert ran == ["add"]
    assert fuzzy_score("zzz", commands[0]) is None


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
    item = palette._list.item(0)
    assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "Go to Traces, Ctrl+5"
    palette.grab()


def test_keywords_find_a_command_and_nothing_found_is_said(qtbot: QtBot, palette: CommandPalette) -> None:
    qtbot.keyClicks(palette._field, "halluc")
    assert palette.visible_titles() == ["Show flagged answers"]
    palette._field.setText("zzz")
    assert palette.visible_titles() == []
    assert palette._nothing.isVisible()
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
    palette._list.itemClicked.emit(palette._list.item(2))
    assert ran[-1] in ("two", "three")


def test_letters_close_together_come_before_scattered_ones() -> None:
    trace, other = Command("Go to Traces", print), Command("Take a rest anyway, cease", print)
    near, far = fuzzy_score("trac", trace), fuzzy_score("trac", other)
    assert near is not None
    assert far is not None
    assert near < far
    assert fuzzy_score("", trace) == 0
    assert fuzzy_score("TRACES", trace) == len("go to ")
