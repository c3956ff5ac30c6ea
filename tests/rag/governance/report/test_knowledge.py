"""Documents of the versions in use, and what is not known of them."""

from collections.abc import Callable

from report_texts import cells, gaps, run

from rag.governance.report.rows import Report
from rag.workspace import Workspace

GatherReport = Callable[..., Report]


def test_documents_of_before_accounts_are_a_gap(quarter: Workspace, report_on: GatherReport) -> None:
    run(quarter, "UPDATE document SET account = '' WHERE id = 1")
    report = report_on()
    assert gaps(report)["documents.account.A"].startswith("For 1 document of “A” it is not known")
    assert cells(report, "Documents of “A” version 1")[0][4] == "not known"
