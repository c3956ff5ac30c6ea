"""Guardrails with measured rates, changes since the last report, the chain, and erasures."""

from collections.abc import Callable

import pytest
from evidence import HOUR, OCTOBER, add_audit_row
from report_texts import cells, gaps, run, statement

from rag.governance.report.making import gather_report, make_report
from rag.governance.report.period import parse_period
from rag.governance.report.rows import Report
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


def test_guardrails_in_a_form_that_is_not_known_are_not_called_absent(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(
        quarter,
        *GUARDRAILS.strip().split(";\n"),
        "ALTER TABLE guardmeasurement RENAME COLUMN total TO texts_seen",
    )
    found = gaps(report_on())
    assert "another form" in found["guardrails.unread"] and "guardrails.none" not in found


def test_a_policy_of_another_collection_is_not_in_force_here(
    quarter: Workspace, report_on: GatherReport
) -> None:
    run(quarter, *GUARDRAILS.strip().split(";\n"), "UPDATE guardpolicybinding SET collection_id = 5")
    assert gaps(report_on("answers"))["guardrails.none"] == "No guardrail policy is in force."
    run(quarter, "UPDATE guardpolicybinding SET collection_id = 0")
    assert cells(report_on("answers"), "Policies in force")[0][4] == "all collections"


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
