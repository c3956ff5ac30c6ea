"""What the sections say: models and licences, limits of sets, gates, agreement, guardrails, changes, retention."""

from collections.abc import Callable

import pytest
from evidence import HOUR, OCTOBER, add_audit_row
from stored_traces import add_traces

from rag.governance.report.making import gather_report, make_report
from rag.governance.report.period import parse_period
from rag.governance.report.rows import Report, Statement
from rag.workspace import Workspace

GatherReport = Callable[..., Report]

GUARDRAILS = """
CREATE TABLE IF NOT EXISTS guardpolicy (id INTEGER PRIMARY KEY, name TEXT, description TEXT DEFAULT '',
    created_ms INTEGER DEFAULT 0, last_number INTEGER DEFAULT 1);
CREATE TABLE IF NOT EXISTS guardpolicyversion (id INTEGER PRIMARY KEY, policy_id INTEGER, number INTEGER,
    created_ms INTEGER DEFAULT 0, message TEXT DEFAULT '', author TEXT, content TEXT DEFAULT '[]', fingerprint TEXT);
CREATE TABLE IF NOT EXISTS guardpolicylabel (policy_id INTEGER, name TEXT, version_id INTEGER, moved_ms INTEGER);
CREATE TABLE IF NOT EXISTS guardpolicybinding (policy_id INTEGER, collection_id INTEGER, bound_ms INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS guardrailresult (id INTEGER PRIMARY KEY, trace_id TEXT DEFAULT '', document TEXT DEFAULT '',
    collection TEXT, created_ms INTEGER, policy TEXT, number INTEGER DEFAULT 1, fingerprint TEXT DEFAULT '', rule TEXT,
    check_name TEXT DEFAULT '', place TEXT DEFAULT '', action TEXT, kind TEXT, start INTEGER DEFAULT 0,
    "end" INTEGER DEFAULT 0, score REAL DEFAULT 1, reason TEXT DEFAULT '', is_right INTEGER);
CREATE TABLE IF NOT EXISTS guardmeasurement (id INTEGER PRIMARY KEY, version_id INTEGER, measured_ms INTEGER,
    collection TEXT, rule TEXT, check_name TEXT, texts TEXT, total INTEGER, alarms INTEGER, wrong INTEGER DEFAULT 0);
INSERT INTO guardpolicy (id, name, created_ms) VALUES (1, 'privacy', 0);
INSERT INTO guardpolicyversion (id, policy_id, number, created_ms, message, author, content, fingerprint)
    VALUES (7, 1, 3, 0, '', 'mira', '[]', 'aabb');
INSERT INTO guardpolicylabel (policy_id, name, version_id, moved_ms) VALUES (1, 'production', 7, 1791190800000);
INSERT INTO guardpolicybinding (policy_id, collection_id, bound_ms) VALUES (1, 1, 0);
INSERT INTO guardmeasurement (id, version_id, measured_ms, collection, rule, check_name, texts, total, alarms, wrong)
    VALUES (1, 7, 1791190800000, 'A', 'names', 'personal data', 'chunks', 100, 50, 0),
           (2, 7, 1791190900000, 'A', 'names', 'personal data', 'chunks', 1000, 20, 3);
"""
_FOUND = (
    "INSERT INTO guardrailresult (trace_id, document, collection, created_ms, policy, number, fingerprint, rule, "
    'check_name, place, action, kind, start, "end", score, reason, is_right) VALUES '
    "('', '', 'A', 1791190800000, 'privacy', 3, '', 'hidden', 'injection', 'document', 'warn', 'instruction', 0, 1, 1.0, '', {})"
)


def run(workspace: Workspace, *statements: str) -> None:
    with workspace.store.session() as session:
        for one in statements:
            session.connection().exec_driver_sql(one)


def cells(report: Report, title: str) -> list[tuple[str, ...]]:
    return [one.cells for _, block, one in report.statements() if block.title == title]


def sentences(report: Report, section: str) -> list[str]:
    return [one.text for part, block, one in report.statements() if part.key == section and not block.columns]


def gaps(report: Report) -> dict[str, str]:
    return {gap.key: gap.text for section in report.sections for gap in section.gaps}


def statement(report: Report, key: str) -> Statement:
    return next(one for _, _, one in report.statements() if one.key == key)


# --- models -----------------------------------------------------------------------------------------------


def test_models_have_hashes_licences_and_origins_where_they_are_known(report: Report) -> None:
    rows = {row[0]: row for row in cells(report, "Models that answer")}
    known = rows["qwen2.5-0.5b-instruct-q4_k_m.gguf"]
    assert known[2:5] == (
        "ab" * 32,
        "Apache-2.0 (by the name of the file)",
        "Qwen/Qwen2.5-0.5B-Instruct-GGUF",
    )
    assert known[5:] == ("30", "0") and rows["qwen.gguf"][5:] == ("0", "1")
    assert (
        gaps(report)["models.licence.qwen.gguf"] == "The licence of the model “qwen.gguf” is not known here."
    )


def test_a_known_hash_gives_the_licence_whatever_the_file_is_called(
    quarter: Workspace, report_on: GatherReport
) -> None:
    known = "74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db"
    add_traces(quarter, 1, OCTOBER, model="mine.gguf", model_sha256=known)
    (row,) = [row for row in cells(report_on(), "Models that answer") if row[0] == "mine.gguf"]
    assert row[3] == "Apache-2.0"


def test_a_model_elsewhere_is_told_by_its_host_and_one_without_a_hash_is_a_gap(
    quarter: Workspace, report_on: GatherReport
) -> None:
    add_traces(quarter, 1, OCTOBER, model="gpt", sent_to="api.example")
    add_traces(quarter, 1, OCTOBER, model="bare.gguf")
    report = report_on()
    assert ("gpt", "answers at api.example", "", "", "api.example", "1", "0") in cells(
        report, "Models that answer"
    )
    assert "models.hash.bare.gguf" in gaps(report) and "models.hash.gpt" not in gaps(report)


# --- evaluation -------------------------------------------------------------------------------------------


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


# --- people -----------------------------------------------------------------------------------------------


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


# --- guardrails -------------------------------------------------------------------------------------------


def test_without_a_policy_the_gap_says_so(report: Report) -> None:
    assert gaps(report)["guardrails.none"] == "No guardrail policy is in force."


def test_a_policy_in_force_its_measured_rates_and_what_it_found_are_told(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, *GUARDRAILS.strip().split(";\n"), _FOUND.format(1), _FOUND.format(0), _FOUND.format("NULL"))
    report = report_on("answers")
    assert cells(report, "Policies in force") == [("privacy", "3", "2026-10-05 09:00", "mira", "A", "aabb")]
    (rate,) = cells(report, "Measured on the documents and questions here")  # the newest measurement alone
    assert rate[:7] == ("privacy", "names", "personal data", "1,000 chunks of A", "20.0", "13.0 to 30.7", "3")
    assert cells(report, "What they found") == [("privacy", "hidden", "instruction", "warn", "3", "1", "1")]
    assert "guardrails.none" not in gaps(report)


def test_a_policy_of_another_collection_is_not_in_force_here(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, *GUARDRAILS.strip().split(";\n"), "UPDATE guardpolicybinding SET collection_id = 5")
    assert gaps(report_on("answers"))["guardrails.none"] == "No guardrail policy is in force."
    run(quarter, "UPDATE guardpolicybinding SET collection_id = 0")
    assert cells(report_on("answers"), "Policies in force")[0][4] == "all collections"


# --- changes and retention --------------------------------------------------------------------------------


def test_changes_begin_where_the_period_of_the_last_report_ends(quarter: Workspace, tmp_path: object) -> None:
    november = OCTOBER + 30 * 24 * HOUR
    add_audit_row(quarter, "prompt deleted", november)
    make_report(quarter, "", "2026-10", str(tmp_path))
    run(quarter, f"UPDATE auditevent SET created_ms = {november} WHERE action = 'evidence report made'")
    report = gather_report(quarter.database, "", parse_period("2026-Q4"), 1)
    assert [row[1] for row in cells(report, "Changes")] == ["prompt deleted"]
    assert "covers 2026-10" in statement(report, "changes.previous").text
    assert [row[1] for row in cells(gather_report(quarter.database, "answers", parse_period("2026-Q4"), 1), "Changes")
            if row[1] == "alert fired"] == ["alert fired"]  # a report on something else does not count  # fmt: skip


def test_a_time_that_no_report_covers_is_a_gap(quarter: Workspace, tmp_path: object) -> None:
    make_report(quarter, "", "2026-Q2", str(tmp_path))
    report = gather_report(quarter.database, "", parse_period("2026-Q4"), 1)
    assert "in neither" in gaps(report)["changes.between"]
    assert "changes.between" not in gaps(gather_report(quarter.database, "", parse_period("2026-Q3"), 1))


def test_the_head_of_the_chain_is_in_the_report_where_there_is_one(
    quarter: Workspace, report_on: GatherReport
) -> None:
    columns = {name for (name,) in quarter.database.cells("SELECT name FROM pragma_table_info('auditevent')")}
    if "hash" not in columns:
        assert "changes.chain" in gaps(report_on())
        run(quarter, "ALTER TABLE auditevent ADD COLUMN hash TEXT NOT NULL DEFAULT ''")
    run(quarter, f"UPDATE auditevent SET hash = '{'9f' * 32}'")
    quarter.database.close()
    report = report_on()
    assert f"the head of its chain is {'9f' * 32}" in statement(report, "changes.head").text
    assert {"changes.chain", "changes.head"}.isdisjoint(gaps(report))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("SELECT 1", "0 places"),
        ("UPDATE erasure SET found_count = 2", "2 places"),
        ("UPDATE erasure SET found_count = NULL", "nobody looked: it was interrupted"),
    ],
)
def test_erasures_say_what_was_found_afterwards(
    quarter: Workspace, report_on: GatherReport, change: str, found: str
) -> None:
    run(quarter, change)
    assert cells(report_on(), "Erasures")[0][5] == found


def test_retention_that_was_applied_is_no_gap(quarter: Workspace, report_on: GatherReport) -> None:
    assert "retention.rules" in gaps(report_on())
    add_audit_row(quarter, "retention applied", OCTOBER)
    assert "retention.rules" not in gaps(report_on())


def test_documents_of_before_accounts_are_a_gap(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE document SET account = '' WHERE id = 1")
    report = report_on()
    assert gaps(report)["documents.account.A"].startswith("For 1 document of “A” it is not known")
    assert cells(report, "Documents of “A” version 1")[0][4] == "not known"
