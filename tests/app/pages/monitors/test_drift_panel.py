"""Drift tests and disagreements: run, read, refused for another scope, and opened as traces."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from driving import DAY_MS, ask_once, click, column
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.monitors.page import MonitorsPage
from rag.monitoring.alerts import set_reference
from rag.monitoring.rows import Scope
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> MonitorsPage:
    made = MonitorsPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


def choose_first_days(workspace: Workspace) -> None:
    now = int(time.time() * 1000)
    set_reference(workspace, "", now - 12 * DAY_MS, now - int(3.4 * DAY_MS))


# --- Drift ------------------------------------------------------------------------------------------------


def test_without_a_reference_period_nothing_is_tested(
    qtbot: QtBot, page: MonitorsPage, history: Workspace, settle: Settle
) -> None:
    click(qtbot, page.drift, "Test for drift")
    settle()
    for verdict, figures in page.drift.verdicts.values():
        assert verdict.text() == "Not tested"
        assert "reference period" in figures.text()


def test_other_questions_are_drift_and_the_new_ones_are_listed(
    qtbot: QtBot, page: MonitorsPage, history: Workspace, settle: Settle
) -> None:
    choose_first_days(history)
    click(qtbot, page.drift, "Test for drift")
    assert page.strip.is_busy
    settle()
    verdict, figures = page.drift.verdicts["questions"]
    assert verdict.text() == "Drift"
    assert "statistic" in figures.text()
    assert page.drift.verdicts["scores"][0].text() == "No sign of drift"
    assert all("invoice" in question for question in column(page.drift.questions, "Question"))
    assert set(column(page.drift.questions, "Most similar in the reference period")) == {
        "How long does rye bread rest?"
    }


def test_a_new_question_is_opened_as_a_trace(
    qtbot: QtBot, page: MonitorsPage, history: Workspace, settle: Settle
) -> None:
    choose_first_days(history)
    page.drift.test()
    settle()
    page.drift.questions.selectRow(0)
    with qtbot.waitSignal(page.trace_requested) as signal:
        qtbot.keyClick(page.drift.questions, Qt.Key.Key_Return)
    assert signal.args == [page.drift.questions.records_model.record_at(0).trace_id]


def test_a_small_window_is_too_few_to_test(page: MonitorsPage, history: Workspace, settle: Settle) -> None:
    now = int(time.time() * 1000)
    set_reference(history, "", now - 12 * DAY_MS, now - DAY_MS)  # six questions came after it
    page.drift.test()
    settle()
    verdict, figures = page.drift.verdicts["questions"]
    assert verdict.text() == "Not tested"
    assert figures.text().endswith(".")


def test_another_scope_forgets_the_verdicts(page: MonitorsPage, history: Workspace, settle: Settle) -> None:
    choose_first_days(history)
    page.drift.test()
    settle()
    page.drift.show_scope(Scope())  # the same one
    assert page.drift.verdicts["questions"][0].text() == "Drift"
    page.drift.show_scope(Scope("Notes"))
    assert page.drift.verdicts["questions"][0].text() == "Not tested yet"
    assert column(page.drift.questions, "Question") == []


def test_a_result_for_a_scope_that_was_left_is_not_shown(
    page: MonitorsPage, history: Workspace, settle: Settle
) -> None:
    choose_first_days(history)
    page.drift.test()
    page.collection_box.setCurrentIndex(page.collection_box.findData("Notes"))
    settle()
    assert page.drift.verdicts["questions"][0].text() == "Not tested yet"


# --- Disagreements ----------------------------------------------------------------------------------------


@pytest.fixture
def disagreeing(notes: Workspace) -> list[str]:
    """The same question, answered in two ways."""
    question = "How long does rye bread rest?"
    return [
        ask_once(notes, question, "It rests for 12 hours [1]."),
        ask_once(notes, question, "It rests for 3 hours [1]."),
    ]


def test_similar_questions_with_other_answers_are_grouped(
    qtbot: QtBot, page: MonitorsPage, disagreeing: list[str], settle: Settle
) -> None:
    panel = page.disagreements
    click(qtbot, panel, "Look for disagreements")
    settle()
    assert column(panel.groups, "Question") == ["How long does rye bread rest?"]
    assert column(panel.groups, "Times") == ["2"]
    assert column(panel.groups, "Possible cause") == ["unknown"]
    assert panel.count.text() == "1 group among the last 500 answered questions"
    assert sorted(column(panel.members, "Answer")) == [
        "It rests for 12 hours [1].",
        "It rests for 3 hours [1].",
    ]


def test_an_answer_of_a_group_is_opened_as_a_trace(
    qtbot: QtBot, page: MonitorsPage, disagreeing: list[str], settle: Settle
) -> None:
    panel = page.disagreements
    panel.look()
    settle()
    assert not panel.open_button.isEnabled()
    panel.members.selectRow(1)
    with qtbot.waitSignal(page.trace_requested) as signal:
        click(qtbot, panel, "Open the trace")
    assert signal.args == [panel.members.records_model.record_at(1).trace_id]
    with qtbot.waitSignal(page.trace_requested) as signal:
        qtbot.keyClick(panel.members, Qt.Key.Key_Return)
    assert signal.args[0] in disagreeing


def test_answers_that_agree_are_no_group(page: MonitorsPage, notes: Workspace, settle: Settle) -> None:
    for _ in range(2):
        ask_once(notes, "How long does rye bread rest?", "It rests for 12 hours [1].")
    page.disagreements.look()
    settle()
    assert column(page.disagreements.groups, "Question") == []
    assert "no similar ones" in page.disagreements.count.text()


def test_another_scope_forgets_the_groups(page: MonitorsPage, disagreeing: list[str], settle: Settle) -> None:
    panel = page.disagreements
    panel.look()
    settle()
    panel.show_scope(Scope("Notes"))
    assert column(panel.groups, "Question") == []
    assert column(panel.members, "Answer") == []
    assert panel.count.text() == ""
    panel.look()
    panel.show_scope(Scope())
    settle()
    assert column(panel.groups, "Question") == []
