"""Buttons with and without text."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.widgets.buttons import IconButton, button
from app.widgets.theme import Theme


def test_an_icon_button_takes_the_colour_of_a_new_theme(qtbot: QtBot, theme: Theme) -> None:
    made = IconButton(theme, "copy", "Copy the answer")
    qtbot.addWidget(made)
    light = made.icon().pixmap(18).toImage()
    theme.apply("dark")
    assert made.icon().pixmap(18).toImage() != light
    theme.apply("light")
    assert made.accessibleName() == made.toolTip() == "Copy the answer"


def test_a_button_says_what_it_is_and_does_it(qtbot: QtBot) -> None:
    done: list[object] = []
    made = button("Save", lambda: done.append("saved"), primary=True, tip="Save the form")
    qtbot.addWidget(made)
    assert made.text() == made.accessibleName() == "Save"
    assert made.toolTip() == "Save the form"
    assert made.property("primary") is True
    assert made.property("link") is False
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    assert done == ["saved"]


def test_a_button_without_an_action_can_be_given_one_later(qtbot: QtBot) -> None:
    made = button("More", link=True)
    qtbot.addWidget(made)
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    assert made.property("link") is True


def test_an_icon_button_acts(qtbot: QtBot, theme: Theme) -> None:
    done: list[int] = []
    made = IconButton(theme, "copy", "Copy", lambda: done.append(1))
    qtbot.addWidget(made)
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    assert done == [1]
    assert made.text() == ""
