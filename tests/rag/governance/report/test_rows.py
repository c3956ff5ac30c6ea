"""What reports and checks of them say for people, and what the audit log says of reports."""

from dataclasses import replace

import pytest
from evidence import OCTOBER, add_audit_row

from rag.governance.report.rows import (
    REPORT_MADE,
    Report,
    ReportCheck,
    ReportFiles,
    list_reports,
    made_detail,
)
from rag.workspace import Workspace


def test_a_report_counts_what_it_says_and_what_it_does_not(report: Report) -> None:
    assert report.statement_count == len(list(report.statements())) > 80
    assert report.gap_count == sum(len(section.gaps) for section in report.sections) > 5
    assert replace(report, sections=()).gap_count == 0


def test_files_say_how_much_is_in_them() -> None:
    made = ReportFiles("everything", "2026", "00", "a.json", "a.html", "a.pdf", "", 1234, 5)
    assert made.sentence() == "The report has 1,234 statements and 5 gaps."


@pytest.mark.parametrize(
    ("statements", "gaps", "sentence"),
    [
        (0, 0, "The report has 0 statements and 0 gaps."),
        (1, 1, "The report has 1 statement and 1 gap."),
        (1, 2, "The report has 1 statement and 2 gaps."),
        (12345, 1000, "The report has 12,345 statements and 1,000 gaps."),
    ],
)
def test_one_of_a_kind_is_not_several(statements: int, gaps: int, sentence: str) -> None:
    made = ReportFiles("everything", "2026", "00", "a.json", "a.html", "a.pdf", "", statements, gaps)
    assert made.sentence() == sentence


def test_a_check_says_how_many_sources_changed() -> None:
    assert ReportCheck(12, (), ()).sentence().startswith("All 12 sources")
    found = ReportCheck(9, (("a", "A"),), (("b", "B"), ("c", "C")))
    assert found.sentence() == "Of 12 sources 9 are stored as they were, 1 have changed and 2 are gone."


def test_reports_are_read_from_the_audit_log_newest_first_whatever_their_paths(quarter: Workspace) -> None:
    paths = ("/a; b/x.json", "/new\nline.json", "C:\\a b.json")
    for number, path in enumerate(paths):
        detail = made_detail("2026-Q4", f"{number}" * 64, path)
        add_audit_row(quarter, REPORT_MADE, OCTOBER + number, "everything", detail)
    found = list_reports(quarter.database)
    assert [row.path for row in found] == list(reversed(paths))
    assert {row.period for row in found} == {"2026-Q4"} and found[0].fingerprint == "2" * 64


@pytest.mark.parametrize(
    "detail",
    [
        "",
        "2026-Q4",
        "2026-Q4; fingerprint short; /a/x.json",
        f"2026-Q4; fingerprint {'A' * 64}; /a/x.json",  # hex digits of ours are small
        f"2026-Q4; fingerprint {'a' * 63}; /a/x.json",
        f"2026-Q4 fingerprint {'a' * 64}; /a/x.json",
    ],
)
def test_a_row_that_does_not_say_where_its_report_is_has_no_path(quarter: Workspace, detail: str) -> None:
    add_audit_row(quarter, REPORT_MADE, OCTOBER, "everything", detail)
    (found,) = list_reports(quarter.database)
    assert (found.period, found.fingerprint, found.path) == (detail, "", "")


@pytest.mark.parametrize("period", ["everything", "2026-Q4", "2026-01-01..2026-03-31", "..2026", "2026.."])
@pytest.mark.parametrize("path", ["", "/x.json", "/a; fingerprint b; c.json", f"/{'f' * 64}; d.json"])
def test_what_the_log_says_of_a_report_is_read_as_it_was_written(
    quarter: Workspace, period: str, path: str
) -> None:
    add_audit_row(quarter, REPORT_MADE, OCTOBER, "answers@1", made_detail(period, "a" * 64, path))
    (found,) = list_reports(quarter.database)
    assert (found.subject, found.period, found.fingerprint, found.path, found.made_ms) == (
        "answers@1",
        period,
        "a" * 64,
        path,
        OCTOBER,
    )


def test_other_rows_of_the_log_are_no_reports(quarter: Workspace) -> None:
    add_audit_row(quarter, "audit log exported", OCTOBER, "everything", made_detail("2026", "a" * 64, "/x"))
    assert list_reports(quarter.database) == []
