"""What reports and checks of them say for people, and what the audit log says of reports."""

from dataclasses import replace

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
