"""Buttons with and without text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.buttons import IconButton, Toolbar, allow, button
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


def test_what_cannot_be_done_now_says_why(qtbot: QtBot) -> None:
    made = button("Roll back", tip="Move the label back")
    qtbot.addWidget(made)
    allow(made, "The label was never moved.")
    assert not made.isEnabled()
    assert made.toolTip() == "The label was never moved."
    allow(made)
    assert made.isEnabled()
    assert made.toolTip() == "Move the label back"


# --- tool bars --------------------------------------------------------------------------------------------


@pytest.fixture
def bar(qtbot: QtBot) -> Toolbar:
    names = ("Tag…", "Verify", "Try other settings…", "Delete…")
    box = QComboBox()
    box.addItems(["Version 1"])
    made = Toolbar(button("Make active", primary=True), box, *(button(name) for name in names), 1)
    qtbot.addWidget(made)
    made.resize(made.sizeHint())
    made.show()
    return made


def shown(bar: Toolbar) -> list[str]:
    buttons = sorted(bar.findChildren(QPushButton), key=lambda made: made.mapTo(bar, QPoint(0, 0)).x())
    return [made.text() for made in buttons if made.isVisible()]


def overflowed(bar: Toolbar) -> list[str]:
    return [made.text() for made in bar.overflowed]


def test_a_tool_bar_with_room_shows_everything(bar: Toolbar) -> None:
    assert shown(bar) == ["Make active", "Tag…", "Verify", "Try other settings…", "Delete…"]
    assert overflowed(bar) == []


def test_a_narrow_tool_bar_puts_the_last_buttons_under_more(bar: Toolbar) -> None:
    bar.resize(bar.sizeHint().width() - 10, bar.height())
    assert shown(bar)[-1] == "More"
    assert overflowed(bar) == ["Delete…"] or overflowed(bar) == ["Try other settings…", "Delete…"]
    bar.resize(bar.minimumSizeHint())
    assert shown(bar) == ["Make active", "More"]
    assert overflowed(bar) == ["Tag…", "Verify", "Try other settings…", "Delete…"]
    for child in bar.findChildren(QWidget):
        if child.isVisible() and child.parent() is bar:
            assert bar.rect().contains(child.geometry())
            assert child.width() >= child.minimumSizeHint().width()
    bar.resize(bar.sizeHint())
    assert overflowed(bar) == []


def test_more_does_what_the_button_does_and_says_why_not(bar: Toolbar) -> None:
    done: list[str] = []
    verify, delete = (
        next(m for m in bar.findChildren(QPushButton) if m.text() == t) for t in ("Verify", "Delete…")
    )
    verify.clicked.connect(lambda: done.append("verified"))
    allow(delete, "The active version cannot be deleted.")
    bar.resize(bar.minimumSizeHint())
    bar.more.click()
    (menu,) = bar.findChildren(QMenu)
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Tag…", "Verify", "Try other settings…", "Delete…"]
    assert not actions["Delete…"].isEnabled()
    assert actions["Delete…"].toolTip() == "The active version cannot be deleted."
    actions["Verify"].trigger()
    assert done == ["verified"]
    menu.close()


def test_a_button_that_its_page_hides_is_in_neither_place(bar: Toolbar) -> None:
    verify = next(made for made in bar.findChildren(QPushButton) if made.text() == "Verify")
    bar.resize(bar.minimumSizeHint())
    verify.hide()
    QApplication.processEvents()
    assert overflowed(bar) == ["Tag…", "Try other settings…", "Delete…"]
    bar.resize(bar.sizeHint())
    assert "Verify" not in shown(bar)
    verify.show()
    bar.resize(bar.sizeHint())
    QApplication.processEvents()
    assert "Verify" in shown(bar)
