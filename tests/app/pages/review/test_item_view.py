"""One answer of a queue: what is shown of it when it failed, was deleted, or was judged by others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import ask_once, notices, texts
from fakes import ScriptedModel
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.review.item_view import KEYS, ItemView
from app.shared.feedback_bar import SetBox
from rag.asking.traces import delete_traces
from rag.review.queues import fill_queue, save_verdict
from rag.review.rows import list_review_items
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def view(qtbot: QtBot, console: Console, notes: Workspace) -> ItemView:
    """The view of no queue yet."""
    box = SetBox(console, "Reviewed")
    made = ItemView(console, box)
    qtbot.addWidget(box)
    qtbot.addWidget(made)
    made.show()
    return made


def test_without_a_queue_there_is_no_answer_and_no_key_does_anything(
    view: ItemView, console: Console
) -> None:
    view.show_queue("", "Ann")
    assert view.item is None
    assert view.done_count == 0
    view.give("correct")
    view.step(1)
    view.leave(1)
    view.add_to_set()
    view.open_trace()
    assert console.engine.tasks == []
    assert notices(console) == []


def test_every_key_is_named_below_the_answer(view: ItemView) -> None:
    shown = texts(view)
    for keys, what in KEYS:
        assert keys in shown
        assert what in shown


def test_the_first_answer_without_a_verdict_comes_first(
    view: ItemView, notes: Workspace, answers: list[str]
) -> None:
    fill_queue(notes, "Week 1", {"random": 3})
    first = list_review_items(notes.database, "Week 1", "Ann")[0]
    save_verdict(notes, first.id, "Ann", "correct")
    view.show_queue("Week 1", "Ann")
    assert view.where.text().startswith("Answer 2 of 3")
    view.show_queue("Week 1", "Bob")
    assert view.where.text().startswith("Answer 1 of 3")


def test_an_answer_that_stopped_on_an_error_shows_the_error(
    view: ItemView, notes: Workspace, model: ScriptedModel
) -> None:
    ask_once(notes, "Quantum chromodynamics lattice?", "")
    fill_queue(notes, "Week 1", {"random": 1})
    view.show_queue("Week 1", "Ann")
    assert view.answer.toPlainText() != ""
    assert view.passages.passages == []
    assert "No passage was in the prompt." in texts(view.passages)


def test_a_trace_that_was_deleted_takes_its_item_along(
    view: ItemView, notes: Workspace, answers: list[str]
) -> None:
    fill_queue(notes, "Week 1", {"random": 3})
    view.show_queue("Week 1", "Ann")
    assert view.item is not None
    with notes.store.session() as session:
        delete_traces(session, [view.item.trace_id])
    view.refresh()
    assert len(view.items) == 2
    assert view.where.text().startswith("Answer 1 of 2")
    assert view.question.text() == view.items[0].question


def test_what_others_said_is_shown_with_their_reasons_after_the_own_verdict(
    view: ItemView, notes: Workspace, answers: list[str]
) -> None:
    fill_queue(notes, "Week 1", {"random": 1})
    (item,) = list_review_items(notes.database, "Week 1", "Ann")
    save_verdict(notes, item.id, "Bob", "wrong", reason="incomplete")
    save_verdict(notes, item.id, "Cleo", "correct")
    view.show_queue("Week 1", "Ann")
    assert view.others.isHidden()
    save_verdict(notes, item.id, "Ann", "partly")
    view.refresh()
    assert view.others.text() == "Other reviewers  Bob: wrong (incomplete);  Cleo: correct"
    assert not view.others.isHidden()


def test_a_stored_verdict_is_shown_again_with_everything_that_belongs_to_it(
    view: ItemView, notes: Workspace, answers: list[str]
) -> None:
    fill_queue(notes, "Week 1", {"random": 1})
    (item,) = list_review_items(notes.database, "Week 1", "Ann")
    save_verdict(notes, item.id, "Ann", "wrong", reason="off topic", correction="12 hours", relevant=[1])
    view.show_queue("Week 1", "Ann")
    assert view.verdicts["wrong"].isChecked()
    assert view.reason.currentText() == "Off topic"
    assert view.correction.toPlainText() == "12 hours"
    assert view.passages.relevant == (1,)


def test_another_verdict_replaces_the_first(
    view: ItemView, notes: Workspace, answers: list[str], settle: Settle
) -> None:
    fill_queue(notes, "Week 1", {"random": 2})
    view.show_queue("Week 1", "Ann")
    for verdict in ("wrong", "partly"):
        view.give(verdict)
        settle()
    assert view.item is not None
    assert view.item.own is not None
    assert view.item.own.verdict == "partly"
    assert view.done_count == 1


def test_listeners_hear_of_every_change(
    qtbot: QtBot, view: ItemView, notes: Workspace, answers: list[str], settle: Settle
) -> None:
    fill_queue(notes, "Week 1", {"random": 2})
    with qtbot.waitSignal(view.changed):
        view.show_queue("Week 1", "Ann")
    with qtbot.waitSignal(view.changed):
        view.step(1)
    with qtbot.waitSignal(view.changed):
        view.give("wrong")
    settle()
