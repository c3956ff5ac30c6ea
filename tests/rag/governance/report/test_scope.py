"""Whose questions a report is about: by name, as an arm of a roll-out, or promoted."""

from collections.abc import Callable

import pytest
from evidence import OCTOBER
from report_texts import run, sentences
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


@pytest.mark.parametrize(
    ("pipeline", "subject"),
    [
        ("", "everything"),
        ("answers", "answers@1"),
        ("answers@1", "answers@1"),
        ("answers@production", "answers@1"),
        ("answers@", "answers@1"),
    ],
)
def test_a_report_is_about_a_version(report_on: GatherReport, pipeline: str, subject: str) -> None:
    assert report_on(pipeline).subject == subject


@pytest.mark.parametrize("pipeline", ["a@b", "a@b@1", "a@b@production"])
def test_a_name_may_have_the_sign_that_comes_before_a_version(
    quarter: Workspace, report_on: GatherReport, pipeline: str
) -> None:
    run(quarter, "UPDATE pipeline SET name = 'a@b'")
    assert report_on(pipeline).subject == "a@b@1"


@pytest.mark.parametrize(
    ("pipeline", "sentence"),
    [
        ("Answers", "no pipeline named “Answers”"),
        ("answers ", "no pipeline named “answers ”"),
        ("@1", "no pipeline named “@1”"),
        ("@", "no pipeline named “@”"),
        ("1@answers", "no pipeline named “1@answers”"),
        ("answers@0", "“answers” has no version or label “0”"),
        ("answers@01", "“answers” has no version or label “01”"),
        ("answers@-1", "“answers” has no version or label “-1”"),
        ("answers@Production", "“answers” has no version or label “Production”"),
        ("answers@staging", "“answers” has no version or label “staging”"),
        ("answers@1@1", "no pipeline named “answers@1@1”"),
    ],
)
def test_what_names_no_version_is_a_sentence(report_on: GatherReport, pipeline: str, sentence: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        report_on(pipeline)
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("period", "questions"),
    [
        ("2026-Q4", 30),
        ("2026-10-05", 15),
        ("2026-10-06", 15),
        ("2026-10-05..2026-10-06", 30),
        ("2026-10-06..", 15),
        ("..2026-10-05", 15),
        ("2026-W41", 30),
        ("", 30),
    ],
)
def test_a_question_belongs_to_the_day_on_which_it_was_asked(
    report_on: GatherReport, period: str, questions: int
) -> None:
    assert asked(report_on("", period)) == f"People asked {questions} questions of A."


def test_the_moment_at_which_a_period_ends_is_in_the_next_one(
    quarter: Workspace, report_on: GatherReport
) -> None:
    midnight = 1_791_244_800_000  # 2026-10-06 in UTC
    add_traces(quarter, 1, midnight - 1, collection="before")
    add_traces(quarter, 1, midnight, collection="after")
    assert asked(report_on("", "2026-10-05")).endswith("of A, before.")
    assert asked(report_on("", "2026-10-06")).endswith("of A, after.")


@pytest.mark.parametrize(
    ("moved", "of", "counts"),
    [
        (0, 0, True),  # of all collections
        (0, 1, True),
        (0, 2, False),
        (OCTOBER, 1, True),
        (OCTOBER + 1, 1, False),  # it was promoted after the question
    ],
)
def test_a_promoted_pipeline_answers_what_names_none(
    quarter: Workspace, report_on: GatherReport, moved: int, of: int, counts: bool
) -> None:
    add_traces(quarter, 1, OCTOBER, collection_id=1, pipeline="")
    run(quarter, "INSERT INTO productionpipeline (collection_id, name, config, moved_ms, rollout_id) "
                 f"VALUES ({of}, 'answers 1', '{{}}', {moved}, 1)")  # fmt: skip
    assert asked(report_on("answers")).startswith(f"People asked {30 + counts} ")
