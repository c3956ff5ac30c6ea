"""Notices over a page: where they are, how long they stay, and which page they belong to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QCursor, QEnterEvent
from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.theme import Theme
from app.widgets.toasts import Notice, Toasts


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    made = QWidget()
    layout = QVBoxLayout(made)
    layout.addWidget(QPushButton("A button of the page"))
    layout.addStretch(1)
    qtbot.addWidget(made)
    QCursor.setPos(0, 0)  # a notice that comes under the pointer would wait
    made.move(200, 100)
    made.resize(700, 500)
    made.show()
    return made


@pytest.fixture
def toasts(page: QWidget, theme: Theme) -> Toasts:
    made = Toasts(theme, page)
    made.set_page("ask")
    return made


def seen(toasts: Toasts) -> list[str]:
    return [toast.text for toast in toasts.seen]


def nothing() -> None:
    pass


def test_a_notice_pushes_nothing_and_lies_within_the_page(page: QWidget, toasts: Toasts) -> None:
    button = page.findChild(QPushButton, "", Qt.FindChildOption.FindDirectChildrenOnly)
    before = button.geometry()
    toasts.show_notice("Saved. " * 30)
    QApplication.processEvents()
    assert button.geometry() == before
    assert page.rect().contains(toasts.geometry())
    assert not toasts.geometry().intersects(before)
    page.resize(300, 400)
    QApplication.processEvents()
    assert page.rect().contains(toasts.geometry())


def test_the_sentence_is_whole_at_any_width(page: QWidget, toasts: Toasts) -> None:
    toasts.show_notice("A long sentence about what went wrong and what can be done about it. " * 3, "bad")
    for width in (700, 260):
        page.resize(width, 500)
        QApplication.processEvents()
        (toast,) = toasts.seen
        assert toast._sentence.height() >= toast._sentence.heightForWidth(toast._sentence.width())


@pytest.mark.parametrize(
    ("kind", "goes_away"), [(Notice.INFO, True), (Notice.CHECK, False), (Notice.BAD, False)]
)
def test_only_what_was_done_goes_away_by_itself(toasts: Toasts, kind: Notice, goes_away: bool) -> None:
    toasts.show_notice("Saved.", kind)
    (toast,) = toasts.seen
    assert toast.timer.isActive() == goes_away
    assert toast.property("kind") == kind
    assert toast.accessibleName() == toasts.text == "Saved."
    assert toast.action.isHidden()
    toast.timer.timeout.emit()
    assert seen(toasts) == []


def test_an_offer_stays_longer_and_does_its_action_once(qtbot: QtBot, toasts: Toasts) -> None:
    ran: list[int] = []
    toasts.show_notice("Deleted.", Notice.INFO, "Undo", lambda: ran.append(1))
    (toast,) = toasts.seen
    offered = toast.timer.interval()
    toasts.show_notice("Saved.")
    assert offered > toasts.seen[1].timer.interval()
    qtbot.mouseClick(toast.action, Qt.MouseButton.LeftButton)
    assert ran == [1]
    assert seen(toasts) == ["Saved."]


def test_a_notice_waits_while_the_pointer_rests_on_it(toasts: Toasts) -> None:
    toasts.show_notice("Saved.")
    (toast,) = toasts.seen
    place = QPointF(5, 5)
    QApplication.sendEvent(toast, QEnterEvent(place, place, place))
    assert not toast.timer.isActive()
    QApplication.sendEvent(toast, QEvent(QEvent.Type.Leave))
    assert toast.timer.isActive()


@pytest.mark.parametrize(
    "close",
    [
        lambda qtbot, toast: qtbot.mouseClick(toast.cross, Qt.MouseButton.LeftButton),
        lambda qtbot, toast: qtbot.keyClick(toast.cross, Qt.Key.Key_Escape),
    ],
    ids=["cross", "escape"],
)
def test_an_error_stays_until_it_is_closed(
    qtbot: QtBot, toasts: Toasts, close: Callable[[QtBot, QWidget], None]
) -> None:
    toasts.show_notice("It failed.", Notice.BAD)
    close(qtbot, toasts.seen[0])
    assert seen(toasts) == []
    assert toasts.isHidden()


def test_a_notice_belongs_to_its_page(toasts: Toasts) -> None:
    toasts.show_notice("Saved.")
    toasts.show_notice("It failed.", Notice.BAD)
    toasts.show_notice("The engine was restarted.", Notice.BAD, everywhere=True)
    toasts.set_page("traces")
    assert seen(toasts) == ["The engine was restarted."]
    toasts.set_page("ask")
    assert seen(toasts) == ["It failed.", "The engine was restarted."]


def test_what_comes_before_the_first_page_is_seen_on_it(page: QWidget, theme: Theme) -> None:
    made = Toasts(theme, page)
    made.show_notice("Two questions were interrupted.", Notice.INFO, everywhere=True)
    made.set_page("overview")
    assert seen(made) == ["Two questions were interrupted."]


def test_the_same_sentence_is_not_shown_twice_and_only_a_few_at_once(toasts: Toasts) -> None:
    for _ in range(3):
        toasts.show_notice("It failed.", Notice.BAD)
    assert seen(toasts) == ["It failed."]
    for number in range(6):
        toasts.show_notice(f"Saved {number}.")
    assert seen(toasts) == ["It failed.", "Saved 3.", "Saved 4.", "Saved 5."]


def test_undo_goes_back_to_before_the_first_of_several_changes(qtbot: QtBot, toasts: Toasts) -> None:
    ran: list[str] = []
    toasts.show_notice("k is 59.", Notice.INFO, "Undo", lambda: ran.append("to 60"), topic="k")
    toasts.show_notice("k is 58.", Notice.INFO, "Undo", lambda: ran.append("to 59"), topic="k")
    assert seen(toasts) == ["k is 58."]
    qtbot.mouseClick(toasts.seen[0].action, Qt.MouseButton.LeftButton)
    assert ran == ["to 60"]


def test_all_can_be_closed_at_once(toasts: Toasts) -> None:
    toasts.show_notice("It failed.", Notice.BAD, "Show", nothing)
    toasts.show_notice("Saved.")
    toasts.clear()
    assert seen(toasts) == []
    assert toasts.text == "Saved."
