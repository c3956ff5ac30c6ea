"""The list of sessions: opened, searched, renamed in place, pinned, deleted and brought back."""

from collections.abc import Callable

from driving import click, notices, texts
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from stored_traces import add_traces

from app.console import Console, Offer
from app.pages.ask.page import AskPage
from rag.asking.sessions.changes import go_on
from rag.asking.sessions.rows import Binding, list_sessions
from rag.workspace import Workspace

Send = Callable[[AskPage, str], None]
Settle = Callable[[], None]
RYE, BOATS = "How long does rye bread rest?", "When do the boats leave?"


def two_sessions(qtbot: QtBot, page: AskPage, send: Send) -> None:
    send(page, RYE)
    click(qtbot, page, "New session")
    send(page, BOATS)


def test_without_sessions_the_list_says_what_comes_there(page: AskPage) -> None:
    assert page.sessions.titles == []
    assert "Every session is kept here" in texts(page.sessions)
    assert not page.sessions.delete_button.isEnabled()
    assert page.sessions.delete_button.toolTip() == "Choose a session first"


def test_a_new_session_leaves_the_old_one_in_the_list(qtbot: QtBot, page: AskPage, send: Send) -> None:
    two_sessions(qtbot, page, send)
    assert page.sessions.titles == [BOATS, RYE]
    assert page.sessions.list.currentItem().text() == BOATS
    assert page.title.text() == BOATS
    page.sessions.list.setCurrentRow(1)
    assert [turn.question for turn in page.conversation.turns] == [RYE]
    assert page.title.text() == RYE
    click(qtbot, page, "New session")
    assert page.conversation.is_empty and page.sessions.list.currentItem() is None
    assert page.focusWidget() is page.question


def test_a_session_is_in_the_list_as_soon_as_it_is_asked(
    qtbot: QtBot, page: AskPage, model: object, settle: Settle
) -> None:
    model.gate.clear()  # type: ignore[attr-defined]
    page.ask(RYE)
    qtbot.waitUntil(lambda: page.sessions.titles == [RYE], timeout=60_000)
    assert page.sessions.list.currentItem().text() == page.title.text() == RYE
    model.gate.set()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: page._task is None, timeout=60_000)
    settle()


def test_a_search_finds_words_of_answers(qtbot: QtBot, page: AskPage, send: Send, model: object) -> None:
    send(page, RYE)
    click(qtbot, page, "New session")
    model.answer = "They leave at noon."  # type: ignore[attr-defined]
    send(page, BOATS)
    qtbot.keyClicks(page.sessions.search, "noon")
    qtbot.waitUntil(lambda: page.sessions.titles == [BOATS], timeout=60_000)
    page.sessions.search.setText("zeppelin")
    qtbot.waitUntil(lambda: page.sessions.titles == [], timeout=60_000)
    assert "No session has these words." in texts(page.sessions)


def test_a_session_is_renamed_in_its_line(
    qtbot: QtBot, page: AskPage, send: Send, console: Console, settle: Settle
) -> None:
    send(page, RYE)
    click(qtbot, page.sessions, "Rename")
    field = page.sessions.list.findChild(QLineEdit)
    assert field is not None
    field.selectAll()
    qtbot.keyClicks(field, "Bakery")
    console.data_changed.emit()  # something else happens while a name is typed
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.sessions.titles == ["Bakery"], timeout=60_000)
    settle()
    assert page.title.text() == "Bakery"
    assert list_sessions(console.database)[0].name == "Bakery"


def test_a_name_that_is_too_long_is_refused_and_the_old_one_is_back(
    page: AskPage, send: Send, console: Console, settle: Settle
) -> None:
    send(page, RYE)
    page.sessions.list.item(0).setText("x" * 300)
    settle()
    assert page.sessions.titles == [RYE]
    assert notices(console)[-1] == ("The name has 300 characters. Use at most 200.", "bad")


def test_a_pinned_session_is_at_the_top(qtbot: QtBot, page: AskPage, send: Send, settle: Settle) -> None:
    two_sessions(qtbot, page, send)
    page.sessions.list.setCurrentRow(1)
    click(qtbot, page.sessions, "Pin")
    settle()
    assert page.sessions.titles == [RYE, BOATS]
    assert not page.sessions.list.item(0).icon().isNull()
    assert "pinned" in page.sessions.list.item(0).toolTip()
    click(qtbot, page.sessions, "Unpin")
    settle()
    assert page.sessions.titles == [BOATS, RYE]


def test_a_deleted_session_comes_back_with_undo(
    qtbot: QtBot, page: AskPage, send: Send, console: Console, settle: Settle
) -> None:
    two_sessions(qtbot, page, send)
    offers: list[Offer] = []
    console.offer.connect(offers.append)
    qtbot.keyClick(page.sessions.list, Qt.Key.Key_Delete)
    settle()
    assert page.sessions.titles == [RYE]
    assert page.conversation.is_empty
    assert (offers[0].sentence, offers[0].action) == (
        f"Deleted the session “{BOATS}”. Its traces are kept.", "Undo",
    )  # fmt: skip
    offers[0].run()
    settle()
    assert page.sessions.titles == [BOATS, RYE]
    assert [turn.question for turn in page.conversation.turns] == [BOATS]


def test_deleting_a_session_stops_its_answer(
    qtbot: QtBot, page: AskPage, console: Console, model: object, settle: Settle
) -> None:
    model.gate.clear()  # type: ignore[attr-defined]
    page.ask(RYE)
    page.ask(BOATS)  # queued
    qtbot.waitUntil(lambda: page.sessions.titles == [RYE], timeout=60_000)
    click(qtbot, page.sessions, "Delete")
    qtbot.waitUntil(lambda: page.conversation.is_empty, timeout=60_000)
    model.gate.set()  # type: ignore[attr-defined]
    settle()
    assert console.database.cells("SELECT question, status FROM trace") == [(RYE, "cancelled")]


def test_of_very_many_sessions_the_last_ones_are_listed(page: AskPage, open_workspace: Workspace) -> None:
    for number in range(202):
        go_on(open_workspace.store, f"s{number}", Binding("Notes"))
    add_traces(open_workspace, 202, 1_000, session_id=lambda n: f"s{n}", question=lambda n: f"Question {n}?")
    page.refresh()
    assert len(page.sessions.titles) == 200
    assert "The last 200 are listed. Search for older ones." in texts(page.sessions)


def test_the_list_is_hidden_and_shown_and_stays_so(
    qtbot: QtBot, page: AskPage, open_page: Callable[[], AskPage]
) -> None:
    assert page.sessions.isVisible()
    qtbot.mouseClick(page.list_button, Qt.MouseButton.LeftButton)
    assert not page.sessions.isVisible()
    assert page.list_button.accessibleName() == page.list_button.toolTip() == "Show the sessions"
    again = open_page()
    assert not again.sessions.isVisible()
    qtbot.mouseClick(again.list_button, Qt.MouseButton.LeftButton)
    assert again.sessions.isVisible()
    QSettings().remove("ask/session-list")
    again.resize(900, 700)
    assert not again.sessions.isVisible()  # by itself it is there where there is room
    again.resize(1400, 700)
    assert again.sessions.isVisible()
