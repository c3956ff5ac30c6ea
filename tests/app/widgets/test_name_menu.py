"""Menus of tags and labels: a name is picked or typed, and the move of a label gets a reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.name_menu import pick_label_move, pick_name


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


class Answers:
    """What a person does with the menu and the box that open, one after the other."""

    def __init__(self) -> None:
        self.entry = ""
        self.typed: str | None = ""
        self.seen: list[tuple[str, bool]] = []
        self.asked = ""
        self.timer = QTimer(interval=5)
        self.timer.timeout.connect(self.act)
        self.timer.start()

    def act(self) -> None:
        shown = QApplication.activePopupWidget()
        box = QApplication.activeModalWidget()
        if isinstance(shown, QMenu):
            self.seen = [(action.text(), action.isChecked()) for action in shown.actions()]
            wanted = [action for action in shown.actions() if action.text() == self.entry]
            if wanted:
                shown.setActiveAction(wanted[0])
                QTest.keyClick(shown, Qt.Key.Key_Return)
            else:
                shown.close()
        elif isinstance(box, QInputDialog):
            self.asked = box.labelText()
            if self.typed is None:
                box.reject()
            else:
                box.setTextValue(self.typed)
                box.accept()


@pytest.fixture
def answers(qtbot: QtBot) -> Iterator[Answers]:
    made = Answers()
    yield made
    made.timer.stop()


def test_a_menu_that_is_closed_picks_nothing(parent: QWidget, answers: Answers) -> None:
    answers.entry = "nothing like it"
    assert pick_name(parent, "Tag", ("good", "draft"), ("draft", "own")) == ""
    assert answers.seen == [("good", False), ("draft", True), ("own", True), ("Another…", False)]
    assert pick_label_move(parent, 3, ()) is None


@pytest.mark.parametrize(("typed", "picked"), [("  my tag ", "my tag"), ("", ""), (None, "")])
def test_another_name_is_typed(parent: QWidget, answers: Answers, typed: str | None, picked: str) -> None:
    answers.entry, answers.typed = "Another…", typed
    assert pick_name(parent, "Tag", (), ()) == picked
    assert answers.asked == "Name:"


def test_a_name_of_the_menu_is_picked(parent: QWidget, answers: Answers) -> None:
    answers.entry = "draft"
    assert pick_name(parent, "Tag", ("good", "draft"), ()) == "draft"


def test_a_label_moves_to_a_version_with_a_reason(parent: QWidget, answers: Answers) -> None:
    answers.entry, answers.typed = "production", "It passed the gate."
    assert pick_label_move(parent, 3, ()) == ("production", 3, "It passed the gate.")
    assert answers.asked == "Move “production” to version 3. Reason, for the log:"


def test_a_label_that_is_there_is_removed(parent: QWidget, answers: Answers) -> None:
    answers.entry, answers.typed = "staging", ""
    assert pick_label_move(parent, 3, ("staging",)) == ("staging", None, "")
    assert answers.asked.startswith("Remove “staging” from version 3.")


def test_a_move_without_a_confirmed_reason_is_none(parent: QWidget, answers: Answers) -> None:
    answers.entry, answers.typed = "staging", None
    assert pick_label_move(parent, 3, ()) is None
