"""Evaluation and what its sets cannot show, gates, overrides and requirements."""

from collections.abc import Callable

from report_texts import cells, gaps, run, sentences

from rag.governance.report.rows import Report
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def test_a_metric_has_its_interval_and_the_set_says_what_it_cannot_show(report: Report) -> None:
    (row,) = cells(report, "Metrics")
    assert row == (
        "Token F1",
        "questions",
        "answers 1",
        "1",
        "0.750",
        "0.596 to 0.859",
        "40",
        "0",
        "Wilson, 40 cases",
    )
    (limit,) = sentences(report, "evaluation")
    assert limit == (
        "Run 1 has 40 cases; a difference of two rates below 28 points would be missed in more than one of five "
        "comparisons; a difference of 10 points needs 168 cases."
    )


def test_a_set_that_was_deleted_and_few_cases_are_said(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "DELETE FROM evaluationsetversion", "DELETE FROM evaluationresult WHERE id > 3")
    (limit,) = sentences(report_on(), "evaluation")
    assert "Run 1 has 3 cases and its set 40 cases" in limit
    assert "no difference of two rates can be found" in limit and "wide" in limit and "deleted since" in limit


def test_gates_overrides_and_requirements_are_told(report: Report) -> None:
    (decision,) = cells(report, "Decisions")
    assert decision[4:] == ("failed", "token F1 is 0.75, below 0.8.")
    (override,) = cells(report, "Overridden or no longer required")
    assert override[1:] == ("gate overridden", "answers 1", "needed for the launch")
    assert cells(report, "Required")[0][:2] == ("pipeline answers", "questions")


def test_gates_of_another_pipeline_are_not_this_one_s(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE evaluationrun SET pipeline_version_id = 99, pipeline = 'other'",
        "UPDATE auditevent SET subject = 'other answers 1' WHERE action = 'gate overridden'")  # fmt: skip
    report = report_on("answers")
    assert {"gates.none", "evaluation.none"} <= gaps(report).keys()
    assert cells(report, "Overridden or no longer required") == []
    assert len(cells(report_on(), "Overridden or no longer required")) == 1
