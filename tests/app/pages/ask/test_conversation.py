"""A session's questions: restored, queued, edited into branches, and long ones in parts."""

from collections.abc import Callable, Iterator

import pytest
from driving import click, open_dialog, press_in_dialog, texts
from endpoint_server import EndpointServer, add_endpoint
from fakes import ScriptedModel, drive
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from stored_traces import add_traces

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.conversation import Asking
from app.pages.ask.page import AskPage
from rag.asking.endpoints import set_border
from rag.asking.rows import TraceFilter, list_traces
from rag.asking.sessions.changes import go_on
from rag.asking.sessions.rows import Binding, get_session, read_turns
from rag.costs.budgets.limits import set_budget
from rag.routing import ask
from rag.workspace import Workspace

Send = Callable[[AskPage, str], None]
Settle = Callable[[], None]


def questions(page: AskPage) -> list[str]:
    return [turn.question for turn in page.conversation.turns]


def answers(page: AskPage) -> list[str]:
    return [card.answer.toPlainText() for card in page.conversation.cards if isinstance(card, AnswerCard)]


def edit(page: AskPage, place: int) -> None:
    """Ask for an edit as the card does."""
    card = page.conversation.cards[place]
    assert isinstance(card, AnswerCard)
    card.edit_wanted.emit(card.trace_id)


def retype(qtbot: QtBot, page: AskPage, question: str) -> None:
    page.question.selectAll()
    qtbot.keyClicks(page.question, question)


# --- kept over restarts -----------------------------------------------------------------------------------


def test_the_session_that_was_open_is_there_again_at_the_next_start(
    page: AskPage, open_page: Callable[[], AskPage], send: Send
) -> None:
    send(page, "How long does rye bread rest?")
    send(page, "And when do the boats leave?")
    before = page.conversation.cards[0]
    assert isinstance(before, AnswerCard)
    again = open_page()
    assert questions(again) == ["How long does rye bread rest?", "And when do the boats leave?"]
    assert answers(again) == answers(page)
    card = again.conversation.cards[0]
    assert isinstance(card, AnswerCard)
    assert card.status.text() == before.status.text()
    assert card.flags.text() == before.flags.text() != ""
    assert card.packed.text() == before.packed.text()
    assert texts(card) == texts(before)
    send(again, "And stars?")
    (row, *_) = list_traces(again._console.database, TraceFilter())
    assert (
        row.question == "And stars?"
        and len(read_turns(again._console.database, page.conversation.session_id)) == 3
    )


def test_a_stopped_and_a_failed_question_say_so_when_they_are_opened_again(
    qtbot: QtBot,
    page: AskPage,
    open_page: Callable[[], AskPage],
    send: Send,
    model: ScriptedModel,
    settle: Settle,
) -> None:
    from rag.errors import ModelError

    model.gate.clear()  # type: ignore[attr-defined]
    page.ask("How long does rye bread rest?")
    qtbot.waitUntil(lambda: page.conversation.turns[0].trace_id != "", timeout=60_000)
    click(qtbot, page, "Stop")
    model.gate.set()  # type: ignore[attr-defined]
    settle()
    model.error = ModelError("The model file is gone.")
    send(page, "Why does bread rest?")
    stopped, failed = open_page().conversation.cards
    assert isinstance(stopped, AnswerCard) and isinstance(failed, AnswerCard)
    assert (stopped.status.text(), failed.status.text()) == ("Stopped", "Failed")
    assert failed.flags.text() == "The model file is gone."


def test_a_long_session_shows_its_last_questions_first(
    qtbot: QtBot, page: AskPage, console: Console, open_workspace: Workspace
) -> None:
    go_on(open_workspace.store, "long", Binding("Notes"))
    add_traces(
        open_workspace, 20, 1_000, session_id="long", id=lambda n: f"{n:032x}", question=lambda n: f"Question {n}?",
        parent_id=lambda n: f"{n - 1:032x}" if n else "",
    )  # fmt: skip
    page.open_session("long")
    assert questions(page) == [f"Question {n}?" for n in range(12, 20)]
    assert page.conversation.more_button.text() == "Show earlier questions (12 more)"
    click(qtbot, page.conversation, "Show earlier questions (12 more)")
    click(qtbot, page.conversation, "Show earlier questions (4 more)")
    assert questions(page) == [f"Question {n}?" for n in range(20)]
    assert not page.conversation.more_button.isVisible()


def test_what_something_else_changed_in_an_open_session_is_shown(
    page: AskPage, console: Console, open_workspace: Workspace, send: Send
) -> None:
    send(page, "How long does rye bread rest?")
    drive(ask(open_workspace, "Asked elsewhere?", "Notes", session_id=page.conversation.session_id))
    console.data_changed.emit()
    assert questions(page) == ["How long does rye bread rest?", "Asked elsewhere?"]
    with open_workspace.store.session() as session:  # as an erasure does
        session.connection().exec_driver_sql("UPDATE trace SET answer = '[erased]'")
    console.data_changed.emit()
    assert answers(page) == ["[erased]", "[erased]"]


# --- queued -----------------------------------------------------------------------------------------------


def test_enter_while_an_answer_runs_queues_the_question_and_shows_it(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.gate.clear()  # type: ignore[attr-defined]
    for question in ("How long does rye bread rest?", "When do the boats leave?", "Which star is bright?"):
        qtbot.keyClicks(page.question, question)
        qtbot.keyClick(page.question, Qt.Key.Key_Return)
    assert page.question.toPlainText() == ""
    assert questions(page) == ["How long does rye bread rest?"]
    assert page.conversation.queued == ["When do the boats leave?", "Which star is bright?"]
    assert "Next: When do the boats leave?" in texts(page.conversation)
    click(qtbot, page.conversation, "Remove")
    assert page.conversation.queued == ["Which star is bright?"]
    model.gate.set()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: page._task is None and len(page.conversation.cards) == 2, timeout=60_000)
    settle()
    assert questions(page) == ["How long does rye bread rest?", "Which star is bright?"]
    assert page.conversation.queued == []
    first, second = read_turns(console.database, page.conversation.session_id)
    assert second.parent_id == first.id


def test_a_queued_question_is_asked_as_the_pickers_were_when_it_was_sent(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    model.gate.clear()  # type: ignore[attr-defined]
    page.version_box.setCurrentIndex(2)
    page.ask("How long does rye bread rest?")
    page.ask("How long does it rest?")
    page.version_box.setCurrentIndex(0)
    model.gate.set()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: page._task is None and len(page.conversation.cards) == 2, timeout=60_000)
    settle()
    assert [row.version_number for row in read_turns(console.database, page.conversation.session_id)] == [
        1,
        1,
    ]


def test_another_session_may_be_looked_at_while_one_is_answered(
    qtbot: QtBot, page: AskPage, console: Console, model: ScriptedModel, send: Send
) -> None:
    send(page, "How long does rye bread rest?")
    first = page.conversation.session_id
    click(qtbot, page, "New session")
    model.gate.clear()  # type: ignore[attr-defined]
    page.ask("When do the boats leave?")
    running = page.conversation
    qtbot.waitUntil(lambda: running.turns[0].trace_id != "", timeout=60_000)
    page.open_session(first)
    assert questions(page) == ["How long does rye bread rest?"] and not page.panel.stop_button.isVisible()
    model.gate.set()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: running.task is None, timeout=60_000)
    page.open_session(running.session_id)
    assert page.conversation is running
    assert answers(page) == [model.answer]


# --- branches ---------------------------------------------------------------------------------------------


def test_an_edited_question_begins_a_branch_and_the_arrows_lead_back(
    qtbot: QtBot,
    page: AskPage,
    console: Console,
    open_page: Callable[[], AskPage],
    send: Send,
    settle: Settle,
) -> None:
    send(page, "How long does rye bread rest?")
    send(page, "When do the boats leave?")
    send(page, "And how high is the tide?")
    qtbot.keyClicks(page.question, "half typed")
    edit(page, 1)
    assert page.question.toPlainText() == "When do the boats leave?" and page.focusWidget() is page.question
    assert "kept as a branch" in texts(page.panel)
    retype(qtbot, page, "Which star is the brightest?")
    qtbot.keyClick(page.question, Qt.Key.Key_Return)
    assert page.question.toPlainText() == "half typed"  # what was typed before the edit is back
    qtbot.waitUntil(lambda: page._task is None, timeout=60_000)
    settle()
    assert questions(page) == ["How long does rye bread rest?", "Which star is the brightest?"]
    bars = [turn.branches for turn in page.conversation.turns]
    assert [bar.text for bar in bars] == ["", "2 of 2"]
    assert bars[1].back.isEnabled() and not bars[1].forth.isEnabled()
    qtbot.mouseClick(bars[1].back, Qt.MouseButton.LeftButton)
    settle()
    assert questions(page) == [
        "How long does rye bread rest?", "When do the boats leave?", "And how high is the tide?",
    ]  # fmt: skip
    assert page.conversation.turns[1].branches.text == "1 of 2"
    assert questions(open_page()) == questions(page)  # the branch that is shown is stored
    page.question.clear()
    send(page, "And then?")
    turns = read_turns(console.database, page.conversation.session_id)
    assert turns[-1].parent_id == turns[2].id


def test_the_first_question_is_edited_as_well(
    qtbot: QtBot, page: AskPage, send: Send, settle: Settle
) -> None:
    send(page, "How long does rye bread rest?")
    edit(page, 0)
    retype(qtbot, page, "How long does bread rest?")
    click(qtbot, page.panel, "Ask")
    qtbot.waitUntil(lambda: page._task is None, timeout=60_000)
    settle()
    assert questions(page) == ["How long does bread rest?"]
    assert page.conversation.turns[0].branches.text == "2 of 2"


def test_an_edit_is_given_up_with_escape(qtbot: QtBot, page: AskPage, send: Send) -> None:
    send(page, "How long does rye bread rest?")
    qtbot.keyClicks(page.question, "half typed")
    edit(page, 0)
    qtbot.keyClick(page.question, Qt.Key.Key_Escape)
    assert page.question.toPlainText() == "half typed"
    assert "kept as a branch" not in texts(page.panel)
    page.question.clear()
    send(page, "And then?")
    assert questions(page) == ["How long does rye bread rest?", "And then?"]


def test_branches_are_not_changed_while_an_answer_is_running(
    qtbot: QtBot, page: AskPage, model: ScriptedModel, send: Send, settle: Settle
) -> None:
    send(page, "How long does rye bread rest?")
    edit(page, 0)
    send(page, "")  # the question as it was: another answer to it
    model.gate.clear()  # type: ignore[attr-defined]
    page.ask("And then?")
    bar = page.conversation.turns[0].branches
    assert bar.text == "2 of 2" and not bar.back.isEnabled()
    model.gate.set()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: page._task is None, timeout=60_000)
    settle()
    assert bar.back.isEnabled()


def test_what_answers_differently_from_here_on_is_said_between_the_cards(page: AskPage, send: Send) -> None:
    send(page, "How long does rye bread rest?")
    page.version_box.setCurrentIndex(2)
    send(page, "How long does it rest?")
    first, second = page.conversation.turns
    assert not first.change.isVisible()
    assert second.change.text() == "From here on: version 1."


def test_another_answer_beside_the_first_leaves_branch_and_binding_as_they_were(
    page: AskPage, console: Console, send: Send, settle: Settle
) -> None:
    send(page, "How long does rye bread rest?")
    send(page, "When do the boats leave?")
    session = page.conversation.session_id
    bound = get_session(console.database, session).binding
    card = page.conversation.cards[0]
    assert isinstance(card, AnswerCard)
    card.ask_again("Version 1", {"version": 1})
    settle()
    assert questions(page) == ["How long does rye bread rest?", "When do the boats leave?"]
    assert [turn.branches.text for turn in page.conversation.turns] == ["1 of 2", ""]
    row = get_session(console.database, session)
    assert row.binding == bound
    assert row.leaf == page.conversation.turns[1].trace_id
    first, _, again = read_turns(console.database, session)
    assert (first.parent_id, again.parent_id, again.version_number) == ("", "", 1)


# --- what a person has to say yes to ----------------------------------------------------------------------

ELSEWHERE = Binding("Notes", model="endpoint:far")
BREAD = "How long does rye bread rest?"


@pytest.fixture
def far(page: AskPage, open_workspace: Workspace) -> Iterator[EndpointServer]:
    """A model on another computer whose price nobody knows, and that Notes may be sent to."""
    with EndpointServer() as made:
        add_endpoint(open_workspace, made.elsewhere)
        set_border(open_workspace, "Notes", "always")
        yield made


def ask_far(page: AskPage, settle: Settle, question: str = BREAD, parent_id: str | None = None) -> None:
    page.conversation.ask(Asking(question, ELSEWHERE, parent_id=parent_id))
    settle()


def boxes(page: AskPage) -> list[QMessageBox]:
    return [box for box in page.conversation.findChildren(QMessageBox) if box.isVisible()]


def test_a_budget_that_asks_is_answered_with_yes_and_the_question_is_asked_again(
    page: AskPage, open_workspace: Workspace, far: EndpointServer, settle: Settle, console: Console
) -> None:
    set_budget(open_workspace, "small", 1.0, "EUR", unknown="ask")
    ask_far(page, settle)
    box = open_dialog(page.conversation, QMessageBox)
    assert box.windowTitle() == "Ask all the same?"
    assert "the budget “small” cannot tell" in box.text() and far.chats() == []
    (refused,) = page.conversation.cards
    assert isinstance(refused, AnswerCard)
    assert (refused.status.text(), refused.flags.text()) == ("Failed", box.text())
    press_in_dialog(box, "Ask")
    settle()
    assert questions(page) == [BREAD, BREAD] and boxes(page) == []
    assert answers(page)[1] == "Rye bread needs sourdough [1]." and len(far.chats()) == 1
    (turn,) = read_turns(console.database, page.conversation.session_id)
    assert (turn.parent_id, page.conversation.turns[1].trace_id) == ("", turn.id)


def test_a_no_asks_nothing_and_the_next_question_is_put_again(
    page: AskPage, open_workspace: Workspace, far: EndpointServer, settle: Settle, console: Console
) -> None:
    set_budget(open_workspace, "small", 1.0, "EUR", unknown="ask")
    ask_far(page, settle)
    press_in_dialog(open_dialog(page.conversation, QMessageBox), "Cancel")
    settle()
    assert questions(page) == [BREAD] and far.chats() == []
    assert read_turns(console.database, page.conversation.session_id) == []
    ask_far(page, settle, "When do the boats leave?")
    assert len(boxes(page)) == 1 and far.chats() == []  # one yes holds for one question, and there was none


def test_what_was_allowed_once_is_asked_about_the_next_time(
    page: AskPage, open_workspace: Workspace, far: EndpointServer, settle: Settle
) -> None:
    set_budget(open_workspace, "small", 1.0, "EUR", unknown="ask")
    ask_far(page, settle)
    press_in_dialog(open_dialog(page.conversation, QMessageBox), "Ask")
    settle()
    ask_far(page, settle, "When do the boats leave?")
    assert len(boxes(page)) == 1 and len(far.chats()) == 1


@pytest.mark.parametrize("unknown", ["stop", "warn"])
def test_a_budget_that_stops_or_warns_asks_nobody(
    page: AskPage, open_workspace: Workspace, far: EndpointServer, settle: Settle, unknown: str
) -> None:
    set_budget(open_workspace, "small", 1.0, "EUR", unknown=unknown)
    ask_far(page, settle)
    (card,) = page.conversation.cards
    assert isinstance(card, AnswerCard) and boxes(page) == []
    assert (card.status.text() == "Failed") is (unknown == "stop")
    assert len(far.chats()) == (0 if unknown == "stop" else 1)


def test_an_edit_that_a_budget_asks_about_stays_the_branch_that_it_was(
    page: AskPage,
    open_workspace: Workspace,
    far: EndpointServer,
    settle: Settle,
    send: Send,
    console: Console,
) -> None:
    send(page, BREAD)
    send(page, "When do the boats leave?")
    first = page.conversation.turns[0].trace_id
    set_budget(open_workspace, "small", 1.0, "EUR", unknown="ask")
    ask_far(page, settle, "Which star is the brightest?", parent_id=first)
    assert questions(page) == [BREAD, "Which star is the brightest?"]
    press_in_dialog(open_dialog(page.conversation, QMessageBox), "Ask")
    settle()
    assert questions(page) == [BREAD, "Which star is the brightest?"]  # the refused card is replaced
    assert read_turns(console.database, page.conversation.session_id)[-1].parent_id == first
    assert page.conversation.turns[1].branches.text == "2 of 2"


def test_what_is_asked_elsewhere_is_shown_in_the_place_of_a_refused_question(
    page: AskPage,
    open_workspace: Workspace,
    far: EndpointServer,
    settle: Settle,
    send: Send,
    console: Console,
) -> None:
    send(page, BREAD)
    set_budget(open_workspace, "small", 1.0, "EUR", unknown="stop")
    ask_far(page, settle, "When do the boats leave?")
    console.data_changed.emit()
    assert questions(page) == [BREAD, "When do the boats leave?"]
    drive(ask(open_workspace, "Asked elsewhere?", "Notes", session_id=page.conversation.session_id))
    console.data_changed.emit()
    assert questions(page) == [BREAD, "Asked elsewhere?"]


def test_a_question_that_waits_is_asked_while_the_box_is_open(
    qtbot: QtBot,
    page: AskPage,
    open_workspace: Workspace,
    far: EndpointServer,
    settle: Settle,
    model: ScriptedModel,
) -> None:
    set_budget(open_workspace, "small", 1.0, "EUR", unknown="ask")
    page.conversation.ask(Asking(BREAD, ELSEWHERE))
    page.conversation.ask(Asking("When do the boats leave?", Binding("Notes")))
    settle()
    assert questions(page) == [BREAD, "When do the boats leave?"] and len(boxes(page)) == 1
    assert answers(page)[1] == model.answer and far.chats() == []
    press_in_dialog(boxes(page)[0], "Ask")
    settle()
    assert questions(page)[2:] == [BREAD] and len(far.chats()) == 1


@pytest.mark.parametrize("trouble", ["the model", "a bug"])
def test_no_other_failure_can_be_said_yes_to(
    page: AskPage, model: ScriptedModel, settle: Settle, console: Console, trouble: str
) -> None:
    from rag.errors import ModelError

    model.error = ModelError("The model file is gone.") if trouble == "the model" else ZeroDivisionError("x")
    page.conversation.ask(Asking(BREAD, Binding("Notes")))
    settle()
    assert boxes(page) == []
    told = [kind for _, kind in console.notices if kind.startswith("bug")]  # type: ignore[attr-defined]
    assert bool(told) is (trouble == "a bug")
