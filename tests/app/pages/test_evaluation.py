"""The page Evaluation: its tabs. The panels are tested beside it."""

from __future__ import annotations

from collections.abc import Callable

from driving import texts
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.page import EvaluationPage

Settle = Callable[[], None]


def opened(qtbot: QtBot, console: Console, settle: Settle) -> EvaluationPage:
    page = EvaluationPage(console)
    qtbot.addWidget(page)
    page.show()
    settle()
    return page


def test_the_page_has_runs_sets_and_pipelines(qtbot: QtBot, console: Console, settle: Settle) -> None:
    page = opened(qtbot, console, settle)
    titles = [page.tabs.tabText(number) for number in range(page.tabs.count())]
    assert titles == ["Runs", "Sets", "Pipelines", "Savings"]
    assert page.tabs.currentWidget() is page.runs


def test_each_empty_tab_says_how_to_begin(qtbot: QtBot, console: Console, settle: Settle) -> None:
    page = opened(qtbot, console, settle)
    assert "Nothing to compare" in texts(page.runs)
    assert "No evaluation set yet" in texts(page.sets)
    assert "No pipeline yet" in texts(page.pipelines)


def test_the_open_tab_is_remembered(qtbot: QtBot, console: Console, settle: Settle) -> None:
    first = opened(qtbot, console, settle)
    first.tabs.setCurrentIndex(2)
    assert opened(qtbot, console, settle).tabs.currentIndex() == 2


def test_a_trace_that_a_run_wants_to_open_is_passed_on(
    qtbot: QtBot, console: Console, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    with qtbot.waitSignal(page.trace_requested) as signal:
        page.runs.comparison.trace_requested.emit("abc")
    assert signal.args == ["abc"]
