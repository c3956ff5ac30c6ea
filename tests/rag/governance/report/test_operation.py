"""Rates of faults, reviews and how far people agree, and costs."""

from collections.abc import Callable

from report_texts import cells, gaps, run, sentences, statement

from rag.governance.report.rows import Report
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def test_agreement_of_two_reviewers_is_cohen_s_kappa(report: Report) -> None:
    assert cells(report, "How far reviewers agree") == [("weekly", "mira, tom", "4", "3", "0.50")]
    assert cells(report, "Reviews")[0] == ("weekly", "mira", "4", "3", "0", "1", "0")
    assert sentences(report, "oversight") == [
        "People rated 2 answers: 1 up and 1 down.",
        "People judged 1 flag: 1 right and 0 wrong.",
        "People judged 1 answer of evaluation runs: 1 right and 0 wrong.",
    ]


def test_one_reviewer_alone_leaves_a_gap(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "DELETE FROM review WHERE reviewer = 'tom'")
    assert "No two people" in gaps(report_on())["oversight.kappa"]
    run(quarter, "DELETE FROM review")
    assert gaps(report_on())["oversight.reviews"] == "No reviewed answers in this period."


def test_skipped_answers_and_constant_reviewers_have_no_kappa(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(
        quarter,
        "UPDATE review SET verdict = 'correct'",
        "UPDATE review SET verdict = 'skip' WHERE item_id = 1",
    )
    (row,) = cells(report_on(), "How far reviewers agree")
    assert row[2:] == ("3", "3", "not defined: both always say the same")


def test_faults_are_rates_with_intervals_over_all_questions_that_could_have_them(report: Report) -> None:
    flagged = statement(report, "incidents.rate.flagged")
    assert flagged.text.startswith("3 of 30 answers had a sentence that its sources do not support: 10.0 %")
    assert flagged.selection is not None and flagged.selection.count == 3
    assert statement(report, "incidents.rate.failed").values["total"] == 30


def test_sums_do_not_hide_answers_without_a_price(report: Report) -> None:
    assert cells(report, "Sums") == [("EUR", "0.002 EUR", "0.002 EUR", "1")]
    assert gaps(report)["costs.unknown"].startswith("For 1 answer at least one part has no price")
