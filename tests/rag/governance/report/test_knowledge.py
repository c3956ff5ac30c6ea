"""Documents of the versions in use, and what is not known of them."""

from collections.abc import Callable

import pytest
from data_folders import insert
from evidence import OCTOBER
from report_texts import cells, gaps, run

from rag.governance.report.rows import Report
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def test_documents_of_before_accounts_are_a_gap(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE document SET account = '' WHERE id = 1")
    report = report_on()
    assert gaps(report)["documents.account.A"].startswith("For 1 document of “A” it is not known")
    assert cells(report, "Documents of “A” version 1")[0][4] == "not known"


@pytest.mark.parametrize(
    ("change", "column", "shown"),
    [
        ("UPDATE datasetversion SET was_erased = 1", 3, "{kind} (a document was erased later)"),
        ("UPDATE datasetversion SET document_count = 7", 4, "7"),
        ("UPDATE datasetversion SET fingerprint = 'abc'", 6, "abc"),
        ("UPDATE collection SET name = 'Küche'", 0, "Küche"),
    ],
)
def test_a_version_is_told_as_it_is_stored(
    quarter: Workspace, report_on: GatherReport, change: str, column: int, shown: str
) -> None:
    ((kind,),) = quarter.database.cells("SELECT kind FROM datasetversion")
    run(quarter, change)
    (row,) = cells(report_on(), "Versions in use")[:1]
    assert row[column] == shown.format(kind=kind)


@pytest.mark.parametrize(
    ("account", "left_out", "shown"), [("", 0, "not known"), ("{}", 0, "0"), ("{}", 1234, "1,234")]
)
def test_what_was_left_out_of_a_document_is_counted_where_it_is_known(
    quarter: Workspace, report_on: GatherReport, account: str, left_out: int, shown: str
) -> None:
    run(quarter, f"UPDATE document SET account = '{account}', left_out = {left_out}")
    report = report_on()
    assert {row[4] for row in cells(report, "Documents of “A” version 1")} == {shown}
    assert ("documents.account.A" in gaps(report)) == (not account)


def test_how_many_documents_are_not_known_is_counted(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE document SET account = ''")
    assert gaps(report_on())["documents.account.A"].startswith("For 2 documents of “A” it is not known")


@pytest.mark.parametrize(("period", "is_used"), [("2026-Q4", True), ("2025", False), ("2026-11", False)])
def test_a_version_is_in_use_when_it_answered_or_was_made(
    report_on: GatherReport, period: str, is_used: bool
) -> None:
    report = report_on(period=period)
    assert ("documents.none" not in gaps(report)) == is_used
    assert ("documents.rights.A" in gaps(report)) == is_used


@pytest.mark.parametrize(
    ("ok", "detail", "outcome"),
    [(1, "", "as it was made"), (0, "3 vectors differ", "differs: 3 vectors differ")],
)
def test_a_check_of_the_index_is_told_with_its_outcome(
    quarter: Workspace, report_on: GatherReport, ok: int, detail: str, outcome: str
) -> None:
    run(quarter, "DELETE FROM verification")
    assert "documents.checks" in gaps(report_on())
    insert(quarter, "verification", version_id=1, collection_id=1, created_ms=OCTOBER, ok=ok, detail=detail,
           vectors_same=7, vectors_checked=9, queries_same=1, query_count=2)  # fmt: skip
    report = report_on()
    (row,) = cells(report, "Checks of the index")
    assert row == ("A", "1", "2026-10-05 09:00", outcome, "7 of 9", "1 of 2")
    assert "documents.checks" not in gaps(report)
