"""Regression questions: added, run, accepted, removed and refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import ask_once, button_of, click, column, notices, open_dialog, press_in_dialog
from fakes import ScriptedModel
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.monitors.page import MonitorsPage
from app.pages.monitors.regression_panel import RegressionDialog, RegressionPanel
from rag import operations
from rag.workspace import Workspace

Settle = Callable[[], None]
BREAD = "How long does rye bread rest?"


@pytest.fixture
def page(qtbot: QtBot, console: Console, settle: Settle) -> MonitorsPage:
    made = MonitorsPage(console)
    qtbot.addWidget(made)
    made.show()
    settle()
    return made


@pytest.fixture
def panel(page: MonitorsPage, notes: Workspace, settle: Settle) -> RegressionPanel:
    page.regression.show_collection("")
    settle()
    return page.regression


@pytest.fixture
def added(qtbot: QtBot, panel: RegressionPanel, model: ScriptedModel, settle: Settle) -> RegressionPanel:
    """The panel with one question, chosen."""
    model.answer = "It rests for 12 hours [1]."
    panel.add_question("Notes", BREAD)
    settle()
    return panel


def run_again(panel: RegressionPanel, model: ScriptedModel, answer: str, settle: Settle) -> None:
    model.answer = answer
    panel.run_all()
    settle()


def test_without_questions_nothing_can_be_run(panel: RegressionPanel) -> None:
    for name in ("Run all", "Accept the new answer", "Remove", "Open the reference", "Open the last run"):
        assert not button_of(panel, name).isEnabled()
    assert panel.sentence.isHidden()
    assert panel.add_button.isEnabled()


def test_a_question_is_asked_and_its_answer_is_the_reference(
    qtbot: QtBot, panel: RegressionPanel, model: ScriptedModel, settle: Settle
) -> None:
    model.answer = "It rests for 12 hours [1]."
    click(qtbot, panel, "Add a question…")
    dialog = open_dialog(panel, RegressionDialog)
    assert dialog.collection.currentText() == "Notes"
    assert not dialog.add_button.isEnabled()
    qtbot.keyClicks(dialog.question, BREAD)
    press_in_dialog(dialog, "Ask and add")
    settle()
    assert column(panel.table, "Question") == [BREAD]
    assert column(panel.table, "Last run") == ["never"]
    assert column(panel.table, "What changed") == ["not run yet"]
    assert panel.before.text() == "It rests for 12 hours [1]."
    assert panel.now.text() == ""
    assert not panel.open_now.isEnabled()


def test_a_run_with_the_same_answer_is_the_same(qtbot: QtBot, added: RegressionPanel, settle: Settle) -> None:
    click(qtbot, added, "Run all")
    settle()
    assert column(added.table, "What changed") == ["the same"]
    assert column(added.table, "Passages") == ["100 %"]
    assert column(added.table, "Answers") == ["1.00"]
    assert not added.accept_button.isEnabled()
    assert added.open_now.isEnabled()


def test_a_changed_answer_is_shown_beside_the_reference_and_accepted(
    qtbot: QtBot, added: RegressionPanel, model: ScriptedModel, settle: Settle
) -> None:
    run_again(added, model, "Stars are bright and far away.", settle)
    assert column(added.table, "What changed") != ["the same"]
    assert added.before.text() == "It rests for 12 hours [1]."
    assert added.now.text() == "Stars are bright and far away."
    click(qtbot, added, "Accept the new answer")
    settle()
    assert added.before.text() == "Stars are bright and far away."
    assert not added.accept_button.isEnabled()


def test_both_answers_are_opened_as_traces(
    qtbot: QtBot, page: MonitorsPage, added: RegressionPanel, model: ScriptedModel, settle: Settle
) -> None:
    run_again(added, model, "Three hours.", settle)
    row = added.table.selected_records()[0].row
    for name, trace_id in (
        ("Open the reference", row.reference_trace_id),
        ("Open the last run", row.trace_id),
    ):
        with qtbot.waitSignal(page.trace_requested) as signal:
            click(qtbot, added, name)
        assert signal.args == [trace_id]
    with qtbot.waitSignal(page.trace_requested) as signal:
        qtbot.keyClick(added.table, Qt.Key.Key_Return)
    assert signal.args == [row.trace_id]


def test_the_same_question_twice_is_refused(added: RegressionPanel, console: Console, settle: Settle) -> None:
    added.add_question("Notes", BREAD)
    settle()
    assert [kind for _, kind in notices(console)] == ["bad"]
    assert column(added.table, "Question") == [BREAD]


def test_a_question_is_removed(qtbot: QtBot, added: RegressionPanel, settle: Settle) -> None:
    click(qtbot, added, "Remove")
    settle()
    assert column(added.table, "Question") == []
    assert added.before.text() == ""
    assert not added.remove_button.isEnabled()


def test_a_change_of_settings_makes_the_last_run_stale(
    qtbot: QtBot, added: RegressionPanel, console: Console, model: ScriptedModel, settle: Settle
) -> None:
    run_again(added, model, "It rests for 12 hours [1].", settle)
    assert added.sentence.property("role") == ""
    console.change_settings("retrieval", "max_passages", 2)
    settle()
    added.show_collection("")
    settle()
    assert "settings" in added.sentence.text()
    assert added.sentence.property("role") == "warning"


def test_only_questions_of_the_chosen_collection_are_shown(added: RegressionPanel, settle: Settle) -> None:
    added.show_collection("Elsewhere")
    added.show_collection("Notes")
    settle()
    assert column(added.table, "Question") == [BREAD]


def test_running_after_changes_is_a_setting(
    qtbot: QtBot, panel: RegressionPanel, open_workspace: Workspace, console: Console, settle: Settle
) -> None:
    panel.automatic.click()
    settle()
    assert open_workspace.settings.monitors.run_regression_after_change
    panel.show_collection("")
    assert panel.automatic.isChecked()
    settle()


def test_a_question_added_from_a_trace_uses_its_answer(
    panel: RegressionPanel, console: Console, notes: Workspace, settle: Settle
) -> None:
    trace = ask_once(notes, "How bright is Sirius?", "Very bright [1].")
    console.run(operations.add_regression_question, trace_id=trace, collection="", question="")
    settle()
    panel.show_collection("Notes")
    settle()
    panel.table.selectRow(0)
    assert panel.before.text() == "Very bright [1]."


def test_cancel_asks_nothing(qtbot: QtBot, panel: RegressionPanel, console: Console) -> None:
    dialog = panel.add()
    dialog.question.setText(BREAD)
    press_in_dialog(dialog, "Cancel")
    assert console.engine.tasks == []


def test_without_a_collection_no_question_can_be_added(qtbot: QtBot) -> None:
    dialog = RegressionDialog([], "")
    qtbot.addWidget(dialog)
    dialog.question.setText(BREAD)
    assert not dialog.add_button.isEnabled()
