"""Savings of one run against another, and thresholds, in the words of the comparison."""

from __future__ import annotations

from collections.abc import Callable

from fakes import ScriptedModel, drive
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.page import EvaluationPage
from app.pages.evaluation.savings_panel import SavingsPanel
from rag.evaluation.cases import Case
from rag.evaluation.runs import start_runs
from rag.evaluation.sets import change_set
from rag.workspace import Workspace

Settle = Callable[[], None]


def panel(qtbot: QtBot, console: Console) -> SavingsPanel:
    made = SavingsPanel(console)
    qtbot.addWidget(made)
    return made


def test_without_two_runs_nothing_can_be_compared(qtbot: QtBot, console: Console, gold: Workspace) -> None:
    made = panel(qtbot, console)
    assert not made.compare_button.isEnabled() and not made.curve_button.isEnabled()
    assert "no finished run yet" in made.compare_button.toolTip()


def test_two_runs_are_compared_by_cost_and_quality(
    qtbot: QtBot, console: Console, runs: Workspace, settle: Settle
) -> None:
    made = panel(qtbot, console)
    assert (made.run_box.currentData(), made.baseline_box.currentData()) == (2, 1)
    made.kind_box.setCurrentIndex(2)
    made.compare_button.click()
    settle()
    text = made.sentence.text()
    assert "of the tokens; " in text or " more; " in text
    assert "too few cases to show that it is not worse by more than 2 points" in text
    made.baseline_box.setCurrentIndex(made.run_box.currentIndex())
    assert "two different runs" in made.compare_button.toolTip()


def test_too_few_cases_for_a_threshold_are_said(
    qtbot: QtBot, console: Console, runs: Workspace, settle: Settle
) -> None:
    made = panel(qtbot, console)
    made.curve_button.click()
    settle()
    assert "A threshold needs 12" in made.curve_sentence.text()


def test_the_curve_is_listed(
    qtbot: QtBot, console: Console, gold: Workspace, model: ScriptedModel, settle: Settle
) -> None:
    cases = [
        Case(key=f"c{n}", question=f"What does rye bread number {n} need?", references=("x",))
        for n in range(14)
    ]
    change_set(gold, "Gold", put=cases)
    for answer in ("Rye bread needs nothing.", "Rye bread needs x [1]."):
        model.answer = answer
        drive(start_runs(gold, "Gold", ["Plain"], parallel=1))
    made = panel(qtbot, console)
    made.run_box.setCurrentIndex(made.run_box.findData(1))
    made.baseline_box.setCurrentIndex(made.baseline_box.findData(2))
    made.kind_box.setCurrentIndex(2)
    made.curve_button.click()
    settle()
    assert made.table.records_model.rowCount() >= 2
    assert "alone costs" in made.curve_sentence.text()


def test_the_page_has_the_panel_as_a_tab(
    qtbot: QtBot, console: Console, gold: Workspace, settle: Settle
) -> None:
    page = EvaluationPage(console)
    qtbot.addWidget(page)
    settle()  # the panel of sets has asked the engine something
    assert [page.tabs.tabText(n) for n in range(page.tabs.count())] == [
        "Runs",
        "Sets",
        "Pipelines",
        "Savings",
    ]
