"""Whose questions a report is about: by name, as an arm of a roll-out, or promoted."""

from collections.abc import Callable

import pytest
from evidence import OCTOBER
from report_texts import sentences
from stored_traces import add_traces

from rag.errors import NotFoundError
from rag.governance.report.rows import Report
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def asked(report: Report) -> str:
    return sentences(report, "system")[0]


def test_questions_of_other_pipelines_and_times_are_left_out(
    quarter: Workspace, report_on: GatherReport
) -> None:
    add_traces(quarter, 5, OCTOBER, pipeline="another")
    add_traces(quarter, 7, OCTOBER - 90 * 86_400_000, pipeline="answers")
    add_traces(quarter, 3, OCTOBER, pipeline="answers", source="evaluation")
    assert asked(report_on("answers")) == "People asked 30 questions of A."
    assert asked(report_on()) == "People asked 35 questions of A."


def test_an_arm_of_a_roll_out_and_a_promoted_pipeline_belong_to_the_pipeline(
    quarter: Workspace, report_on: GatherReport
) -> None:
    arm, promoted, before = "a" * 32, "b" * 32, "c" * 32
    add_traces(quarter, 3, OCTOBER, id=lambda n: (before, arm, promoted)[n], collection_id=1)
    assert asked(report_on("answers")).startswith("People asked 30")
    with quarter.store.session() as session:
        run = session.connection().exec_driver_sql
        run("INSERT INTO rolloutanswer (trace_id, rollout_id, arm, pair, position, picked) "
            "VALUES (?, 1, 'staging', '', 0, '')", (arm,))  # fmt: skip
        run("INSERT INTO productionpipeline (collection_id, name, config, moved_ms, rollout_id) "
            "VALUES (1, 'answers 1', '{}', ?, 1)", (OCTOBER + 120_000,))  # fmt: skip
    assert asked(report_on("answers")).startswith("People asked 32")


def test_a_pipeline_that_does_not_exist_is_refused(report_on: GatherReport) -> None:
    with pytest.raises(NotFoundError, match="no pipeline named “nothing”"):
        report_on("nothing")
    with pytest.raises(NotFoundError, match="no version or label “9”"):
        report_on("answers@9")
