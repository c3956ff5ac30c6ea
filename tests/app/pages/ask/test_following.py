"""The end of a conversation: kept in view, left by scrolling up, and come back to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import click
from fakes import ScriptedModel
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.following import Following
from app.pages.ask.page import AskPage
from app.widgets.layout import scrolled
from app.widgets.theme import Theme

Settle = Callable[[], None]


class Conversation:
    """An area with boxes of 200 pixels, of which it shows less than two."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        holder = QWidget()
        self.layout = QVBoxLayout(holder)
        self.area = scrolled(holder, "Conversation")
        qtbot.addWidget(self.area)
        self.area.resize(400, 300)
        self.area.show()
        self.following = Following(theme, self.area)
        self.bar = self.area.verticalScrollBar()
        for _ in range(3):
            self.grow()

    def grow(self) -> None:
        box = QFrame()
        box.setFixedHeight(200)
        self.layout.addWidget(box)
        for _ in range(3):
            QApplication.processEvents()

    def wheel(self, notches: int) -> None:
        place = QPointF(50, 50)
        event = QWheelEvent(
            place, QPointF(self.area.viewport().mapToGlobal(QPoint(50, 50))), QPoint(), QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(self.area.viewport(), event)

    @property
    def is_at_the_end(self) -> bool:
        return self.bar.value() == self.bar.maximum() > 0


@pytest.fixture
def conversation(qtbot: QtBot, theme: Theme) -> Conversation:
    return Conversation(qtbot, theme)


def test_content_that_grows_is_followed_however_much_comes_at_once(conversation: Conversation) -> None:
    assert conversation.is_at_the_end
    for _ in range(4):
        conversation.grow()  # more than fits
        assert conversation.is_at_the_end
    assert not conversation.following.jump_button.isVisible()


def test_scrolling_up_ends_the_following_and_offers_the_way_back(
    qtbot: QtBot, conversation: Conversation
) -> None:
    conversation.wheel(2)
    place = conversation.bar.value()
    assert place < conversation.bar.maximum()
    conversation.grow()
    assert conversation.bar.value() == place
    jump = conversation.following.jump_button
    assert jump.isVisible() and jump.text() == "Jump to the latest"
    assert conversation.area.viewport().rect().contains(jump.geometry())
    qtbot.mouseClick(jump, Qt.MouseButton.LeftButton)
    assert conversation.is_at_the_end and not jump.isVisible()
    conversation.grow()
    assert conversation.is_at_the_end


def test_scrolling_back_to_the_end_goes_on_following(conversation: Conversation) -> None:
    conversation.wheel(2)
    conversation.wheel(-9)
    assert conversation.following.follows and not conversation.following.jump_button.isVisible()
    conversation.grow()
    assert conversation.is_at_the_end


def test_another_size_of_the_window_keeps_the_end_or_the_place(conversation: Conversation) -> None:
    conversation.area.resize(400, 200)
    QApplication.processEvents()
    assert conversation.is_at_the_end
    conversation.wheel(2)
    conversation.area.resize(420, 240)
    QApplication.processEvents()
    assert not conversation.is_at_the_end
    room = conversation.area.viewport().rect()
    assert room.contains(conversation.following.jump_button.geometry())


def test_sending_goes_to_the_new_answer_from_wherever_one_reads(
    qtbot: QtBot, console: Console, notes: Path, model: ScriptedModel, settle: Settle
) -> None:
    page = AskPage(console)
    qtbot.addWidget(page)
    page.resize(1000, 420)
    page.show()
    model.answer = "Rye bread rests.\n\n" * 30 + "It rests [1] [2] [3] [4]."
    bar = page.conversation.area.verticalScrollBar()
    for number in range(3):
        page.ask(f"How long does rye bread rest? {number}")
        settle()
        qtbot.waitUntil(lambda: 0 < bar.value() == bar.maximum())
        bar.setValue(0)  # an earlier answer is read
        assert page.conversation.following.jump_button.isVisible()
    click(qtbot, page, "Jump to the latest")
    assert bar.value() == bar.maximum()
