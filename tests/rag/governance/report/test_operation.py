"""Rates of faults, reviews and how far people agree, and costs."""

from collections.abc import Callable

import pytest
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


@pytest.mark.parametrize(
    ("change", "key", "beginning"),
    [
        ("flag_count = 0", "flagged", "0 of 30 answers had a sentence that its sources do not support: 0.0 %"),
        ("flag_count = 1", "flagged", "30 of 30 answers had a sentence that its sources do not support: 100.0 %"),
        ("contradicted_count = 1", "contradicted", "30 of 30 answers had a sentence that its sources contradict"),
        ("outcome = 'refused' WHERE flag_count > 0", "refused", "3 of 30 answers were refusals: 10.0 %"),
        ("silent_failures = '[\"empty\"]' WHERE flag_count > 0", "silent", "3 of 30 answers were silent failures"),
        ("status = 'failed' WHERE flag_count > 0", "failed", "3 of 30 answers ended in an error"),
        ("status = 'interrupted' WHERE flag_count > 0", "failed", "3 of 30 answers ended in an error"),
        ("status = 'cancelled' WHERE flag_count > 0", "failed", "0 of 27 answers ended in an error"),
        ("status = 'failed' WHERE flag_count > 0", "refused", "0 of 27 answers were refusals"),
        ("check_error = 'no detector' WHERE flag_count > 0", "unchecked", "3 of 30 answers could not be checked"),
        ("claim_count = 0 WHERE flag_count > 0", "flagged", "0 of 27 answers had a sentence"),
        ("source = 'evaluation' WHERE flag_count = 0", "flagged", "3 of 3 answers had a sentence"),
    ],
)  # fmt: skip
def test_a_rate_counts_those_that_could_have_the_fault(
    quarter: Workspace, report_on: GatherReport, change: str, key: str, beginning: str
) -> None:
    run(quarter, f"UPDATE trace SET {change}")
    said = statement(report_on(), f"incidents.rate.{key}")
    assert said.text.startswith(beginning)
    low, mean, high = (float(str(said.values[name])) for name in ("low", "mean", "high"))
    assert 0 <= low <= mean <= high <= 1 and said.values["better"] == "lower"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("DELETE FROM trace", "flagged"),
        ("UPDATE trace SET claim_count = 0", "contradicted"),
        ("UPDATE trace SET status = 'cancelled'", "failed"),
        ("UPDATE trace SET status = 'failed'", "refused"),
    ],
)
def test_a_rate_of_nothing_is_not_told(
    quarter: Workspace, report_on: GatherReport, change: str, key: str
) -> None:
    run(quarter, change)
    keys = {one.key for _, _, one in report_on().statements()}
    assert f"incidents.rate.{key}" not in keys


@pytest.mark.parametrize(
    ("change", "gap", "sentence"),
    [
        ("DELETE FROM trace", "incidents.rates", "No question was asked in this period"),
        ("DELETE FROM auditevent", "incidents.alerts", "No alert fired in this period."),
        ("UPDATE feedback SET is_up = 1", "incidents.down", "Nobody rated an answer down"),
        ("DELETE FROM cost", "costs.none", "What the answers of this period cost is not stored."),
    ],
)
def test_what_did_not_happen_is_a_gap(
    quarter: Workspace, report_on: GatherReport, change: str, gap: str, sentence: str
) -> None:
    assert gap not in gaps(report_on())
    run(quarter, change)
    assert gaps(report_on())[gap].startswith(sentence)


def test_nobody_s_judgement_is_a_gap(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "DELETE FROM feedback", "DELETE FROM flagopinion")
    assert sentences(report_on(), "oversight") == [
        "People judged 1 answer of evaluation runs: 1 right and 0 wrong."
    ]
    run(quarter, "DELETE FROM resultverdict")
    assert gaps(report_on())["oversight.feedback"].startswith("Nobody judged an answer, a flag or a result")


def test_flagged_answers_come_with_contradicted_ones_first(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(
        quarter,
        "UPDATE trace SET flag_count = 0",
        "UPDATE trace SET flag_count = 2 WHERE question LIKE 'What is number 1?%'",
        "UPDATE trace SET flag_count = 1, contradicted_count = 1 WHERE question LIKE 'What is number 0?%'",
        "UPDATE trace SET silent_failures = '[\"empty\", \"cut\"]' WHERE question LIKE 'What is number 2?%'",
    )
    rows = cells(report_on(), "The newest flagged answers and failures")
    assert [(row[1].strip(), row[2], row[4]) for row in rows] == [
        ("What is number 0?", "1", ""),
        ("What is number 2?", "0", "empty, cut"),
        ("What is number 1?", "2", ""),
    ]


def test_of_many_flagged_answers_the_newest_25_are_listed(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, "UPDATE trace SET flag_count = 1")
    rows = cells(report_on(), "The newest flagged answers and failures")
    assert len(rows) == 25 and rows[0][1].strip() == "What is number 29?"
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)


def test_an_answer_that_was_rated_down_has_its_question_and_its_reason(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, "UPDATE feedback SET note = 'No date.' WHERE NOT is_up")
    (row,) = cells(report_on(), "Answers that people rated down")
    assert (row[1].strip(), *row[2:]) == ("What is number 0?", "mira", "wrong", "No date.")


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ("model_before = 'a'", "a", "b"),
        ("fingerprint_before = 'fp1', fingerprint_after = 'fp2'", "a fp1", "b fp2"),
        ("model_before = '', fingerprint_before = 'fp1'", "fp1", "b"),
        ("model_before = ''", "", "b"),
    ],
)
def test_an_endpoint_that_changed_is_told_before_and_after(
    quarter: Workspace, report_on: GatherReport, change: str, before: str, after: str
) -> None:
    run(quarter, f"UPDATE endpointchange SET {change}")
    assert [row[1:] for row in cells(report_on(), "Endpoints that changed")] == [("vLLM", before, after)]


@pytest.mark.parametrize(
    ("change", "rows", "is_incomplete"),
    [
        ("basis = basis", [("EUR", "0.002 EUR", "0.002 EUR", "1")], True),
        ("basis = 'price'", [("EUR", "0.002 EUR", "0 EUR", "1")], True),
        ("amount = 0.5, currency = 'EUR', basis = 'price'", [("EUR", "1 EUR", "0 EUR", "2")], False),
        ("amount = NULL", [], True),
        ("currency = ''", [], True),
    ],
)
def test_sums_are_by_currency_with_what_is_estimated(
    quarter: Workspace, report_on: GatherReport, change: str, rows: list[tuple[str, ...]], is_incomplete: bool
) -> None:
    run(quarter, f"UPDATE cost SET {change}")
    report = report_on()
    assert [tuple(cell.replace(".00 ", " ") for cell in row) for row in cells(report, "Sums")] == rows
    assert ("costs.unknown" in gaps(report)) == is_incomplete


def test_currencies_are_not_added_up(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE cost SET amount = 0.25, currency = 'USD' WHERE amount IS NULL")
    assert [(row[0], row[3]) for row in cells(report_on(), "Sums")] == [("EUR", "1"), ("USD", "1")]


@pytest.mark.parametrize(
    ("seconds", "took"),
    [(0, "0.0 seconds"), (2, "4.0 seconds"), (1799.9, "3,599.8 seconds"), (1800, "1.0 hours"), (9000, "5.0 hours")],
)  # fmt: skip
def test_work_is_told_in_seconds_or_hours(
    quarter: Workspace, report_on: GatherReport, seconds: float, took: str
) -> None:
    run(quarter, f"UPDATE cost SET seconds = {seconds}")
    assert statement(report_on(), "costs.use").text == (
        f"2 answers read 900 tokens, wrote 80 tokens and took {took} of work."
    )
