"""Ctrl+F in a conversation: what is found, where it is shown, and how the bar is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import ScriptedModel
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.find_bar import QUESTION, FindBar
from app.pages.ask.page import AskPage
from app.widgets.answer_view import AnswerView

Settle = Callable[[], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, notes: Path, model: ScriptedModel, settle: Settle) -> AskPage:
    """A conversation of three questions about bread; each answer names it twice."""
    made = AskPage(console)
    qtbot.addWidget(made)
    made.resize(1000, 460)
    made.show()
    model.answer = "Rye **bread** rests.\n\n" + "It is left alone.\n\n" * 12 + "So the Bread is good."
    for number in range(3):
        made.ask(f"How long does bread rest? {number}")
        settle()
    QApplication.processEvents()
    return made


def find(qtbot: QtBot, page: AskPage, words: str) -> FindBar:
    page.activateWindow()
    page.focus_question()
    qtbot.waitUntil(page.question.hasFocus)
    qtbot.keyClick(page.question, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    bar = page.find_bar
    assert bar.isVisible()
    bar.field.selectAll()
    qtbot.keyClicks(bar.field, words)
    return bar


def marked(page: AskPage) -> list[str]:
    """Return what stands out: the present match."""
    accent = page._console.theme.colour("accent")
    found = [
        mark.cursor.selectedText()
        for view in page.findChildren(AnswerView)
        for mark in view.extraSelections()
        if mark.format.background().color() == accent
    ]
    return found + [
        made.selectedText() for made in page.findChildren(QLabel, QUESTION) if made.selectedText()
    ]


def test_every_match_of_questions_and_answers_is_counted_and_gone_through(
    qtbot: QtBot, page: AskPage
) -> None:
    page.conversation.area.verticalScrollBar().setValue(0)
    bar = find(qtbot, page, "BREAD")
    assert bar.count.text() == "1 of 9" and marked(page) == ["bread"]
    seen = []
    for number in range(2, 10):
        qtbot.keyClick(bar.field, Qt.Key.Key_Return)
        assert bar.count.text() == f"{number} of 9"
        assert len(marked(page)) == 1
        seen.append(page.conversation.area.verticalScrollBar().value())
    assert seen == sorted(seen) and seen[-1] > seen[0], "from top to bottom"
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    assert bar.count.text() == "1 of 9"
    qtbot.keyClick(bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert bar.count.text() == "9 of 9" and marked(page) == ["Bread"]


def test_the_present_match_is_scrolled_to(qtbot: QtBot, page: AskPage) -> None:
    page.conversation.area.verticalScrollBar().setValue(0)
    bar = find(qtbot, page, "bread is good")
    assert bar.count.text() == "1 of 3"
    for view in page.findChildren(AnswerView):
        (place,) = view.find_all("bread is good")
        shown = view.viewport().mapTo(page.conversation.area.viewport(), view.cursorRect(place).center())
        assert page.conversation.area.viewport().rect().contains(QPoint(5, shown.y()))
        qtbot.mouseClick(bar.forth, Qt.MouseButton.LeftButton)


def test_words_that_are_nowhere_are_told(qtbot: QtBot, page: AskPage) -> None:
    bar = find(qtbot, page, "zebra")
    assert bar.count.text() == "No matches"
    assert not bar.forth.isEnabled() and not bar.back.isEnabled()
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    bar.field.clear()
    assert bar.count.text() == ""


def test_escape_takes_the_marks_away_and_goes_back_to_the_question(qtbot: QtBot, page: AskPage) -> None:
    bar = find(qtbot, page, "bread")
    assert any(view.extraSelections() for view in page.findChildren(AnswerView))
    qtbot.keyClick(bar.field, Qt.Key.Key_Escape)
    assert not bar.isVisible() and marked(page) == []
    assert not any(view.extraSelections() for view in page.findChildren(AnswerView))
    assert page.question.hasFocus()
