"""Runs side by side: figures with their intervals, questions, tags, facts, and the traces behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from driving import click, column, rows, texts
from fakes import ScriptedModel, drive
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.comparison.figures import metric_lines, number
from app.pages.evaluation.comparison.matrix import answer_text
from app.pages.evaluation.comparison_panel import METRIC_COLUMNS, ComparisonPanel, outcomes
from rag.evaluation.cases import Case
from rag.evaluation.comparison import compare_evaluations
from rag.evaluation.rows import CaseAnswer, CaseOutcome, RunComparison
from rag.evaluation.runs import delete_run, start_runs
from rag.evaluation.sets import change_set
from rag.evaluation.verdicts.rows import RunChange, RunVerdict
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def panel(qtbot: QtBot, console: Console) -> ComparisonPanel:
    made = ComparisonPanel(console)
    qtbot.addWidget(made)
    made.resize(1100, 600)
    made.show()
    return made


@pytest.fixture
def both(runs: Workspace) -> RunComparison:
    """Run 2 against run 1."""
    return compare_evaluations(runs, [1, 2])


# --- Values as people read them ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "", "–"),
        (0.5, "", "0.500"),
        (1234.0, "ms", "1.23 s"),
        (1234.4, "tokens", "1,234"),
        (2.0, "count", "2"),
    ],
)
def test_a_value_is_shown_in_its_unit(value: float | None, unit: str, text: str) -> None:
    assert number(value, unit) == text


def test_outcomes_are_counted_the_most_frequent_first() -> None:
    assert outcomes({"refused": 3, "ok": 1040}) == "1,040 ran, 3 refused"
    assert outcomes({}) == "no answer yet"


def test_an_answer_that_is_missing_says_why() -> None:
    def answer(text: str, error: str) -> CaseAnswer:
        return CaseAnswer(run_id=1, outcome=CaseOutcome.OK, answer=text, error=error, trace_id="", values={})

    assert answer_text(None) == ""
    assert answer_text(answer("Twelve hours.", "")) == "Twelve hours."
    assert answer_text(answer("", "The time ran out.")) == "(The time ran out.)"
    assert answer_text(answer("", "")) == "(nothing)"


# --- One run ----------------------------------------------------------------------------------------------


def test_nothing_chosen_says_what_to_choose(panel: ComparisonPanel) -> None:
    assert "Choose one run above to see its figures" in texts(panel)


def test_one_run_shows_its_means_with_intervals(panel: ComparisonPanel, runs: Workspace) -> None:
    panel.show_comparison(compare_evaluations(runs, [1]))
    assert panel.sentence.text().startswith("Run 1: ")
    lines = {line[0]: line for line in rows(panel.metrics)}
    titles = [shown.title for shown in panel.metrics.records_model.columns]
    (name,) = [line for line in lines if "oken" in line and "F1" in line]
    token_f1 = dict(zip(titles, lines[name], strict=True))
    assert token_f1["Difference"] == "–"
    assert token_f1["p (Holm)"] == "–"
    assert token_f1["n"] == "2"
    assert token_f1["Without"] == "1"  # the case that is to be declined has no reference
    assert token_f1["First"] == token_f1["Mean"] != "–"
    assert " to " in token_f1["95 % interval"]


def test_an_interval_says_how_it_was_made_and_stays_in_its_range(
    panel: ComparisonPanel, runs: Workspace
) -> None:
    panel.show_comparison(compare_evaluations(runs, [1]))
    column = next(shown for shown in panel.metrics.records_model.columns if shown.title == "95 % interval")
    for line in panel.metrics.records_model.records:
        if line.own.low is None:
            continue
        assert line.own.interval and line.own.interval in column.tooltip(line)
        assert line.own.low >= (-1 if line.metric.unit == "cosine" else 0)
        assert line.metric.unit in ("ms", "tokens") or line.own.high <= 1


def test_an_edited_case_is_marked_and_not_compared(panel: ComparisonPanel, runs: Workspace) -> None:
    change_set(runs, "Gold", put=[Case(key="bread", question="What is bread?", references=("bread",))])
    drive(start_runs(runs, "Gold", ["Plain"], parallel=1))
    panel.show_comparison(compare_evaluations(runs, [1, 3]))
    assert rows(panel.cases)[0][0] == "edited"
    assert "1 case was edited and is left out" in panel.warnings.text()


def test_every_metric_explains_itself(panel: ComparisonPanel, runs: Workspace) -> None:
    panel.show_comparison(compare_evaluations(runs, [1]))
    columns = {shown.title: shown for shown in panel.metrics.records_model.columns}
    for line in panel.metrics.records_model.records:
        explained = columns["Metric"].tooltip(line)
        assert "Source: " in explained
        assert line.metric.definition in explained
        assert columns["Mean"].tooltip(line) != ""


def test_what_ran_is_shown_with_its_fingerprints(panel: ComparisonPanel, runs: Workspace) -> None:
    panel.show_comparison(compare_evaluations(runs, [1]))
    facts = texts(panel.facts)
    for fact in ("Gold, version 1", "Plain, version 1", "default, version 1", "one by one", "none yet"):
        assert fact in facts


def test_one_run_is_shown_beside_the_right_answer(panel: ComparisonPanel, runs: Workspace) -> None:
    panel.show_comparison(compare_evaluations(runs, [1]))
    panel.cases.choose(lambda case: case.key == "bread")
    assert panel._why.text().startswith("Right answer: sourdough.   Checks passed: it passes 1 check")
    assert "Right answer" in panel.answers.shown_text and "Answer" in panel.answers.shown_text
    assert panel._traces[0].text() == "Open the trace" and panel._traces[1].isHidden()
    assert [shown.text() for shown in panel.verdicts] == [panel.sentence.text()]
    assert panel._against.isHidden(), "one run has no baseline"


# --- Two runs ---------------------------------------------------------------------------------------------


def test_two_runs_are_compared_metric_by_metric(panel: ComparisonPanel, both: RunComparison) -> None:
    panel.show_comparison(both)
    assert panel.sentence.text().startswith("Run 2 against run 1")
    assert "are too few to detect any difference reliably" in panel.sentence.text()
    assert set(column(panel.metrics, "Run")) == {"2"}
    assert len(metric_lines(both)) == len(both.metrics)
    place = column(panel.metrics, "Metric").index(
        next(m.label for m in both.metrics if m.name == "checks_passed")
    )
    assert column(panel.metrics, "Difference")[place] == "+0.500"
    assert column(panel.metrics, "Won / tied / lost")[place] == "1 / 1 / 0"


@pytest.mark.parametrize(
    ("difference", "direction", "colour"),
    [(0.2, "higher", "good"), (-0.2, "higher", "bad"), (-0.2, "lower", "good"), (0.2, "none", None)],
)
def test_a_certain_difference_is_coloured_and_its_test_described(
    both: RunComparison, difference: float, direction: str, colour: str | None
) -> None:
    line = metric_lines(both)[0]
    assert line.difference is not None
    found = replace(line.difference, difference=difference, p=0.0001, p_holm=0.0004, low=-0.1, high=0.3)
    line = replace(line, difference=found, metric=replace(line.metric, direction=direction, unit=""))
    columns = {shown.title: shown for shown in METRIC_COLUMNS}
    assert columns["p (Holm)"].text(line) == "< 0.001"
    assert columns["95 % interval"].text(line) == "−0.100 to +0.300"
    assert columns["Difference"].text(line) == ("+0.200" if difference > 0 else "−0.200")
    assert columns["Difference"].colour(line) == colour
    described = columns["Difference"].tooltip(line)
    assert "p = 0.0001 for this metric alone, 0.0004 after Holm's correction for all metrics" in described
    uncertain = replace(line, difference=replace(found, p_holm=0.2))
    assert columns["Difference"].colour(uncertain) is None


def verdict(found: RunComparison, change: RunChange) -> RunComparison:
    return replace(found, verdicts=(RunVerdict(2, change, f"{change}: run 2 …"),))


@pytest.mark.parametrize(
    ("change", "role"),
    [
        (RunChange.BETTER, "good"),
        (RunChange.WORSE, "bad"),
        (RunChange.MIXED, "warning"),
        (RunChange.UNCERTAIN, "warning"),
        (RunChange.SAME, "section"),
    ],
)
def test_the_verdict_comes_first_and_in_colour(
    panel: ComparisonPanel, both: RunComparison, change: RunChange, role: str
) -> None:
    panel.show_comparison(both)
    assert panel.verdicts[0].text().startswith("Cannot tell: run 2 (Plain 1) against run 1 (Plain 1)")
    panel.show_comparison(verdict(both, change))
    (shown,) = panel.verdicts
    assert (shown.text(), shown.property("role")) == (f"{change}: run 2 …", role)
    assert panel._stack.currentWidget().layout().itemAt(0).layout() is panel._verdict_rows  # type: ignore[union-attr]


def test_every_metric_has_a_bar(panel: ComparisonPanel, both: RunComparison) -> None:
    panel.show_comparison(both)
    assert sorted(column(panel.bars, "Metric")) == sorted(metric.label for metric in both.metrics)
    assert set(column(panel.bars, "Result")) <= {"too few (1)", "too few (2)", "too few (3)", "–", "the same"}


def test_why_a_question_changed_is_told_with_its_right_answer(
    panel: ComparisonPanel, both: RunComparison
) -> None:
    panel.show_comparison(both)
    panel.cases.choose(lambda case: case.key == "tide")
    told = panel._why.text()
    assert told.startswith(
        "Right answer: 3.5 metres.   Why it changed: check failed before, checks passed now"
    )
    assert told.endswith("the answer differs.")


def test_the_baseline_is_chosen_and_swapped(
    qtbot: QtBot, panel: ComparisonPanel, both: RunComparison
) -> None:
    panel.show_comparison(both)
    assert panel.baseline_box.currentData() == 1
    with qtbot.waitSignal(panel.baseline_chosen) as swapped:
        click(qtbot, panel, "Swap")
    assert swapped.args == [2]


def test_a_question_shows_both_answers_and_their_passages(
    panel: ComparisonPanel, both: RunComparison
) -> None:
    panel.show_comparison(both)
    assert panel.cases.choose(lambda case: case.key == "bread")
    shown = panel.answers.shown_text
    assert "patience" in shown
    assert "bread.md" in shown
    assert "→" in panel._values.text()


def test_the_traces_of_a_question_are_opened(
    qtbot: QtBot, panel: ComparisonPanel, both: RunComparison
) -> None:
    panel.show_comparison(both)
    panel.cases.choose(lambda case: case.key == "bread")
    case = panel.cases.selected_records()[0]
    for name, place in (("Open the first trace", 0), ("Open the last trace", -1)):
        with qtbot.waitSignal(panel.trace_requested) as signal:
            click(qtbot, panel, name)
        assert signal.args == [case.answers[place].trace_id]


def test_the_chosen_question_stays_when_the_runs_are_compared_again(
    panel: ComparisonPanel, both: RunComparison
) -> None:
    panel.show_comparison(both)
    panel.cases.choose(lambda case: case.key == "moon")
    panel.show_comparison(both)
    assert [case.key for case in panel.cases.selected_records()] == ["moon"]


def test_tags_are_compared_on_their_own(panel: ComparisonPanel, both: RunComparison) -> None:
    panel.show_comparison(both)
    assert {"food", "water"} >= set(column(panel.tags, "Tag"))
    assert all(cases != "0" for cases in column(panel.tags, "Cases"))


def test_traces_that_were_deleted_leave_the_answers(
    panel: ComparisonPanel, runs: Workspace, both: RunComparison
) -> None:
    delete_run(runs, 1)
    panel.show_comparison(both)
    panel.cases.choose(lambda case: case.key == "bread")
    assert "sourdough" in panel.answers.shown_text


def test_a_question_that_only_one_run_asked_says_so(
    panel: ComparisonPanel, runs: Workspace, model: ScriptedModel
) -> None:
    work = start_runs(runs, "Gold", ["Plain"], parallel=1)
    for event in work:
        if event.done == 1:
            work.close()
            break
    found = compare_evaluations(runs, [1, 3])
    panel.show_comparison(found)
    missing = next(case for case in found.cases if case.answers[-1] is None)
    panel.cases.choose(lambda case: case.key == missing.key)
    assert panel._values.text() == "One of the runs did not ask this question."
    assert not panel._traces[1].isEnabled()


def test_a_search_without_a_model_names_none(panel: ComparisonPanel, gold: Workspace) -> None:
    drive(start_runs(gold, "Gold", ["Search"], parallel=1))
    panel.show_comparison(compare_evaluations(gold, [1]))
    assert "none; search only" in texts(panel.facts)


def test_clearing_forgets_the_comparison(panel: ComparisonPanel, both: RunComparison) -> None:
    panel.show_comparison(both)
    panel.clear()
    assert "Nothing to compare" in texts(panel._stack.currentWidget())
