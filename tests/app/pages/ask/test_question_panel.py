"""The field for questions: where the focus goes, Up, Enter and Esc."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.page import AskPage

Send = Callable[[AskPage, str], None]
Settle = Callable[[], None]


def test_the_field_has_the_focus_whenever_the_page_opens(page: AskPage) -> None:
    assert page.focusWidget() is page.question
    page.sessions.search.setFocus()
    page.hide()
    page.show()
    assert page.focusWidget() is page.question


def test_up_brings_the_last_question_back_into_an_empty_field(
    qtbot: QtBot, page: AskPage, send: Send
) -> None:
    qtbot.keyClick(page.question, Qt.Key.Key_Up)
    assert page.question.toPlainText() == ""
    send(page, "How long does rye bread rest?")
    qtbot.keyClick(page.question, Qt.Key.Key_Up)
    assert page.question.toPlainText() == "How long does rye bread rest?"
    assert page.question.textCursor().atEnd()
    qtbot.keyClicks(page.question, "?")
    qtbot.keyClick(page.question, Qt.Key.Key_Up)  # moves the cursor, as in any field
    assert page.question.toPlainText() == "How long does rye bread rest??"


def test_escape_in_the_field_stops_the_answer(
    qtbot: QtBot, page: AskPage, console: Console, model: object, settle: Settle
) -> None:
    model.gate.clear()  # type: ignore[attr-defined]
    page.ask("How long does rye bread rest?")
    qtbot.waitUntil(lambda: page.conversation.turns[0].trace_id != "", timeout=60_000)
    qtbot.keyClicks(page.question, "next")
    qtbot.keyClick(page.question, Qt.Key.Key_Escape)
    model.gate.set()  # type: ignore[attr-defined]
    settle()
    assert console.database.cells("SELECT status FROM trace") == [("cancelled",)]
    assert page.question.toPlainText() == "next"
    assert page.panel.send_button.text() == "Ask" and not page.panel.stop_button.isVisible()
