"""Thumbs below an answer, the form behind them, and the case that is made from a correction."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import drive
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.feedback_bar import FeedbackBar, SetBox, person_name, set_person_name
from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.evaluation.rows import list_cases, list_sets
from rag.index.rows import Hit
from rag.knowledge.ingest import ingest_files
from rag.review.feedback import add_feedback
from rag.review.rows import FeedbackRow, list_feedback
from rag.workspace import Workspace


@pytest.fixture
def answered(open_workspace: Workspace, documents: Path) -> str:
    """The id of a trace whose prompt had passages."""
    drive(ingest_files(open_workspace, "Bread", [str(documents)]))
    open_workspace.language_model()
    result: Any = drive(answer_question(open_workspace, Question("What does rye bread need?", "Bread")))
    return str(result.trace_id)


@pytest.fixture
def hits(open_workspace: Workspace, answered: str) -> tuple[Hit, ...]:
    return tuple(get_trace(open_workspace.database, answered).hits)


@pytest.fixture
def bar(qtbot: QtBot, console: Console, answered: str, hits: tuple[Hit, ...]) -> FeedbackBar:
    made = FeedbackBar(console)
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.show()
    made.show_trace(answered, hits)
    return made


def click(qtbot: QtBot, widget: Any) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def own(console: Console, trace_id: str) -> FeedbackRow | None:
    rows = list_feedback(console.database, trace_id=trace_id)
    return rows[0] if rows else None


def test_a_bar_without_a_trace_can_do_nothing(qtbot: QtBot, console: Console) -> None:
    made = FeedbackBar(console)
    qtbot.addWidget(made)
    assert not made.isEnabled()
    assert made.said.text() == ""


def test_a_thumb_up_is_stored_and_taken_back(
    qtbot: QtBot, console: Console, bar: FeedbackBar, answered: str, settle: Callable[[], None]
) -> None:
    changes = QSignalSpy(bar.changed)
    click(qtbot, bar.up)
    settle()
    stored = own(console, answered)
    assert stored is not None
    assert stored.is_up
    assert bar.up.isChecked()
    assert bar.said.text() == "saved; click again to take it back"
    assert not bar._form.isVisible()
    click(qtbot, bar.up)
    settle()
    assert own(console, answered) is None
    assert not bar.up.isChecked()
    assert changes.count() == 2


def test_a_thumb_down_opens_the_form_and_keeps_what_is_said(
    qtbot: QtBot, console: Console, bar: FeedbackBar, answered: str, settle: Callable[[], None]
) -> None:
    click(qtbot, bar.down)
    settle()
    assert bar._form.isVisible()
    bar.reason.setCurrentIndex(bar.reason.findData("incomplete"))
    bar.note.setText("The time is missing.")
    bar.tags.setText("short, baking,, short")
    bar.correction.setPlainText("Sourdough and 12 hours of rest.")
    click(qtbot, bar.save_button)
    settle()
    stored = own(console, answered)
    assert stored is not None
    assert (stored.is_up, stored.reason, stored.note) == (False, "incomplete", "The time is missing.")
    assert stored.tags == ("short", "baking")
    assert stored.correction == "Sourdough and 12 hours of rest."
    assert not bar._form.isVisible()
    assert bar.said.text().startswith("incomplete   ·   saved")
    click(qtbot, bar.details)
    assert bar._form.isVisible()
    assert bar.note.text() == "The time is missing."
    assert bar.tags.text() == "short, baking"
    assert bar.reason.currentData() == "incomplete"
    click(qtbot, bar.details)
    assert not bar._form.isVisible()


def test_a_changed_thumb_keeps_the_note(
    qtbot: QtBot, console: Console, bar: FeedbackBar, open_workspace: Workspace, answered: str,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    add_feedback(open_workspace, answered, False, note="Too long.", author=person_name())
    bar.refresh()
    assert bar.down.isChecked()
    click(qtbot, bar.up)
    settle()
    stored = own(console, answered)
    assert stored is not None
    assert (stored.is_up, stored.note) == (True, "Too long.")


def test_a_refused_form_stays_open_with_a_notice(
    qtbot: QtBot, console: Console, bar: FeedbackBar, answered: str, settle: Callable[[], None]
) -> None:
    click(qtbot, bar.down)
    settle()
    bar.reason.setCurrentIndex(bar.reason.findData("other"))
    click(qtbot, bar.save_button)
    settle()
    assert console.notices == [("The reason “other” needs a note.", "bad")]  # type: ignore[attr-defined]
    assert bar._form.isVisible()


def test_a_case_is_made_from_the_correction(
    qtbot: QtBot, console: Console, bar: FeedbackBar, answered: str, settle: Callable[[], None]
) -> None:
    click(qtbot, bar.down)
    settle()
    bar.correction.setPlainText("Sourdough and 12 hours of rest.")
    marker, box = bar._passages[0]
    box.setChecked(True)
    assert box.accessibleName() == f"Passage {marker} contains the answer"
    bar.set_box.setEditText("Gold")
    click(qtbot, bar.case_button)
    settle()
    assert [found.name for found in list_sets(console.database)] == ["Gold"]
    assert console.notices == [("This answer is now a case in “Gold”.", "info")]  # type: ignore[attr-defined]
    assert bar.said.text() == "saved; click again to take it back   ·   a case in “Gold”"
    (case,) = list_cases(console.database, "Gold")
    assert json.loads(case)["question"] == "What does rye bread need?"
    assert "Sourdough and 12 hours of rest." in case
    assert SetBox(console).name == "Gold"  # remembered


def test_feedback_of_others_is_named_but_not_ticked(
    bar: FeedbackBar, open_workspace: Workspace, answered: str
) -> None:
    add_feedback(open_workspace, answered, True, author="Ada")
    bar.refresh()
    assert bar.said.text() == "Ada: up"
    assert not bar.up.isChecked()
    assert not bar.details.isVisible()


def test_another_trace_has_its_own_passages(bar: FeedbackBar, hits: tuple[Hit, ...], answered: str) -> None:
    packed = [hit.marker for hit in hits if hit.marker is not None]
    assert [marker for marker, _ in bar._passages] == sorted(packed)[:8]
    bar.show_trace(answered, ())
    assert bar._passages == []
    assert bar._passage_label.isHidden()


# --- names that are remembered ----------------------------------------------------------------------------


def test_a_name_is_remembered_and_the_users_is_the_default(console: Console) -> None:
    usual = person_name()
    assert usual
    set_person_name("  Ada ")
    assert person_name() == "Ada"
    set_person_name("")
    assert person_name() == usual


def test_sets_are_listed_again_without_losing_what_was_typed(
    qtbot: QtBot, console: Console, open_workspace: Workspace, bar: FeedbackBar, answered: str,
    settle: Callable[[], None],
) -> None:  # fmt: skip
    QSettings().remove("people/set")
    box = SetBox(console, "Usual")
    qtbot.addWidget(box)
    assert box.name == "Usual"
    box.setEditText("New one")
    click(qtbot, bar.down)
    settle()
    bar.correction.setPlainText("Sourdough.")
    bar.set_box.setEditText("Gold")
    click(qtbot, bar.case_button)
    settle()
    box.refresh()
    assert [box.itemText(number) for number in range(box.count())] == ["Gold"]
    assert box.name == "New one"
