"""Evaluation and what its sets cannot show, gates, overrides and requirements."""

from collections.abc import Callable

import pytest
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


@pytest.mark.parametrize(
    ("subject", "is_told"),
    [
        ("answers", True),
        ("answers 1", True),
        ("answers 12", True),
        ("pipeline answers", True),
        ("default", True),  # the prompt of the pipeline
        ("other answers 1", False),
        ("answers-2 1", False),
        ("my answers too", False),
        ("", False),
    ],
)
def test_an_override_belongs_to_a_pipeline_by_whole_words(
    quarter: Workspace, report_on: GatherReport, subject: str, is_told: bool
) -> None:
    run(quarter, f"UPDATE auditevent SET subject = '{subject}' WHERE action = 'gate overridden'")
    assert bool(cells(report_on("answers"), "Overridden or no longer required")) == is_told
    assert len(cells(report_on(), "Overridden or no longer required")) == 1


@pytest.mark.parametrize(
    ("cases", "parts"),
    [
        (40, ("has 40 cases;", "needs 168 cases.")),
        (29, ("has 29 cases and its set 40 cases;", "intervals of so few cases are wide.")),
        (1, ("has 1 case and its set 40 cases;", "no difference of two rates can be found with so few")),
    ],
)
def test_a_set_says_what_it_is_too_small_for(
    quarter: Workspace, report_on: GatherReport, cases: int, parts: tuple[str, ...]
) -> None:
    run(quarter, f"DELETE FROM evaluationresult WHERE id > {cases}")
    (limit,) = sentences(report_on(), "evaluation")
    assert limit.startswith("Run 1 ") and all(part in limit for part in parts)
    assert ("are wide" in limit) == (cases < 30)


@pytest.mark.parametrize(
    ("change", "column", "shown"),
    [
        ("model_file = 'other.gguf'", 6, "other.gguf"),
        ("repeats = 3", 4, "40 x 3"),
        ("case_count = 1234", 4, "1,234 x 1"),
        ("finished_ms = NULL", 3, "2026-10-07 01:00"),
        ('judge = \'{"model": "gpt"}\'', 7, "gpt"),
        ("judge = '{}'", 7, "yes"),
        ("judge = ''", 7, ""),
    ],
)
def test_a_run_is_told_with_what_it_was_made_of(
    quarter: Workspace, report_on: GatherReport, change: str, column: int, shown: str
) -> None:
    run(quarter, f"UPDATE evaluationrun SET {change}")
    (row,) = cells(report_on(), "Runs")
    assert row[column] == shown


@pytest.mark.parametrize(("judge", "is_gap"), [("", True), ('{"model": "gpt"}', False)])
def test_that_no_model_judged_is_a_gap(
    quarter: Workspace, report_on: GatherReport, judge: str, is_gap: bool
) -> None:
    run(quarter, f"UPDATE evaluationrun SET judge = '{judge}'")
    assert ("evaluation.judge" in gaps(report_on())) == is_gap


@pytest.mark.parametrize("status", ["running", "failed", "cancelled"])
def test_a_run_that_was_not_finished_is_not_told(
    quarter: Workspace, report_on: GatherReport, status: str
) -> None:
    run(quarter, f"UPDATE evaluationrun SET status = '{status}'")
    assert "evaluation.none" in gaps(report_on())
    assert cells(report_on(), "Runs") == []


@pytest.mark.parametrize(
    ("outcomes", "failed"),
    [("'ok'", "0"), ("'error'", "40"), ("'timeout'", "40"), ("iif(id < 4, 'error', 'ok')", "3")],
)
def test_cases_that_failed_are_counted(
    quarter: Workspace, report_on: GatherReport, outcomes: str, failed: str
) -> None:
    run(quarter, f"UPDATE evaluationresult SET outcome = {outcomes}")
    assert cells(report_on(), "Runs")[0][5] == failed


@pytest.mark.parametrize(
    ("change", "ended", "state"),
    [
        ("SELECT 1", "2026-10-09 03:00", "stopped"),
        ("UPDATE rollout SET state = 'promoted'", "2026-10-09 03:00", "promoted"),
        ("UPDATE rollout SET ended_ms = NULL, state = 'running'", "", "running"),
        # It ended after the period, in which it ran.
        ("UPDATE rollout SET ended_ms = 1893456000000", "", "running"),
    ],
)
def test_a_roll_out_is_told_as_it_was_at_the_end_of_the_period(
    quarter: Workspace, report_on: GatherReport, change: str, ended: str, state: str
) -> None:
    run(quarter, change)
    (row,) = cells(report_on(), "Roll-outs")
    assert (row[1], row[2], row[4], row[5], row[6]) == ("settings", "answers 1", ended, state, "1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rollout SET created_ms = 1893456000000, ended_ms = NULL",
        "UPDATE rollout SET created_ms = 0, ended_ms = 1",
        "DELETE FROM rollout",
    ],
)
def test_a_roll_out_of_another_time_is_not_told(
    quarter: Workspace, report_on: GatherReport, change: str
) -> None:
    run(quarter, change)
    assert gaps(report_on())["rollouts.none"] == "No roll-out ran in this period."


def test_a_roll_out_of_other_pipelines_is_not_this_one_s(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE rollout SET staging = 'answers 11'")
    assert "rollouts.none" in gaps(report_on("answers"))
    assert "rollouts.none" not in gaps(report_on())
    run(quarter, "UPDATE rollout SET production = 'answers 1'")
    assert "rollouts.none" not in gaps(report_on("answers"))


@pytest.mark.parametrize(
    ("change", "numbers"),
    [
        ("from_number = NULL, to_number = 1", ("–", "1")),
        ("from_number = 1, to_number = 2", ("1", "2")),
        ("from_number = 2, to_number = NULL", ("2", "–")),
    ],
)
def test_a_label_that_moved_is_told_from_where_to_where(
    quarter: Workspace, report_on: GatherReport, change: str, numbers: tuple[str, str]
) -> None:
    run(quarter, f"UPDATE pipelinelabelmove SET {change}")
    (row,) = cells(report_on("answers"), "Labels moved")
    assert row[1:5] == ("answers", "production", *numbers) and row[6] == "to begin with"


def test_what_is_required_of_another_pipeline_is_not_required_of_this_one(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, "UPDATE gaterequirement SET subject_id = 99")
    assert "gates.required" in gaps(report_on("answers"))
    assert len(cells(report_on(), "Required")) == 1  # that its pipeline was deleted hides nothing
