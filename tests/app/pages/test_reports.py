"""The page Reports: making, opening, checking and comparing reports, and the ways to what they name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pypdfium2
import pytest
from driving import button_of, click, column, notices
from evidence import add_audit_row, fill_folder
from geometry import keyboard_faults, layout_faults
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.evaluation.page import EvaluationPage
from app.pages.reports import ReportsPage, suggested_periods
from app.shared.links import link_tables, places_of
from app.widgets.theme import Theme
from rag.finding.rows import Kind, Place
from rag.governance.report.period import parse_period
from rag.governance.report.rows import REPORT_MADE, list_reports, made_detail
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture(scope="session")
def quarter_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_folder(tmp_path_factory.mktemp("quarter"))


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An empty data folder, or the one of the quarter for a test that asks for `quarter`."""
    made = tmp_path / "data"
    if "quarter" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("quarter_template"), made)
    else:
        made.mkdir()
    return made


@pytest.fixture
def quarter() -> None:
    """Asked for by tests on a data folder in which everything has happened."""


@pytest.fixture
def page(qtbot: QtBot, console: Console) -> ReportsPage:
    made = ReportsPage(console)
    link_tables(made, lambda: "reports", console)
    qtbot.addWidget(made)
    made.resize(1100, 800)
    return made


@pytest.fixture
def make(
    page: ReportsPage, qtbot: QtBot, settle: Settle, answer_box: Callable[[str], None], tmp_path: Path
) -> Callable[..., Path]:
    """Makes a report with the page's own button."""

    def made(pipeline: str = "answers", period: str = "2026-Q4", name: str = "out") -> Path:
        answer_box(str(tmp_path / name))
        page.choose(pipeline)
        page.period_box.setEditText(period)
        click(qtbot, page, "Make a report…")
        settle()
        settle()
        return tmp_path / name

    return made


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to the desktop to open."""
    urls: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: urls.append(url.toLocalFile()) or True)
    return urls


def test_without_a_report_the_page_says_what_one_is(page: ReportsPage) -> None:
    assert page._list.is_empty
    assert not button_of(page, "Open").isEnabled() and not button_of(page, "Compare").isEnabled()


@pytest.mark.usefixtures("quarter")
def test_a_report_is_made_printed_listed_and_shown(
    page: ReportsPage, make: Callable[..., Path], console: Console, opened: list[str], qtbot: QtBot
) -> None:
    out = make()
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"evidence-answers@1_2026-Q4.{ending}" for ending in ("html", "json", "pdf")]
    with pypdfium2.PdfDocument(out / "evidence-answers@1_2026-Q4.pdf") as pdf:
        assert len(pdf) > 3
    assert column(page.reports, "About") == ["answers@1"]
    assert re.match(r"\d\d statements and \d gaps on answers@1, 2026-Q4", page.summary.text())
    assert column(page.statements, "Source").count("gap") > 5
    assert "No guardrail policy is in force." in column(page.statements, "Statement")
    assert any("statements and" in sentence for sentence, _ in notices(console))
    for text, ending in (("Open", ".html"), ("Open PDF", ".pdf"), ("Open folder", "out")):
        click(qtbot, page, text)
        assert opened[-1].endswith(ending)


@pytest.mark.usefixtures("quarter")
def test_statements_open_what_they_rest_on(
    page: ReportsPage, make: Callable[..., Path], console: Console, qtbot: QtBot
) -> None:
    make()
    record = next(r for r in page.statements.records_model.records if r[1].startswith("Run 1 has 40 cases"))
    assert places_of(record, console.database)[:2] == [Place(Kind.RUN, "1"), Place(Kind.SET, "questions")]
    with qtbot.waitSignal(console.place_requested) as asked:
        page.statements.record_activated.emit(record)
    assert asked.args == [Place(Kind.RUN, "1")]
    gap = next(record for record in page.statements.records_model.records if record[2] == "gap")
    assert places_of(gap, console.database) == []


@pytest.mark.usefixtures("quarter")
def test_two_reports_are_compared(
    page: ReportsPage, make: Callable[..., Path], open_workspace: Workspace, settle: Settle, qtbot: QtBot
) -> None:
    make(name="first")
    with open_workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE evaluationgate SET passed = 1")
    make(name="second")
    page.reports.selectAll()
    settle()
    assert page._shown.currentWidget() is page.differences
    assert column(page.differences, "Change") == ["better"] and column(page.differences, "Section") == [
        "Gates"
    ]
    assert page.summary.text().startswith("What changed from “answers@1, 2026-Q4”")
    assert button_of(page, "Compare").isEnabled() and not button_of(page, "Open").isEnabled()
    page.reports.selectRow(0)
    settle()
    assert page._shown.currentWidget() is page.statements


@pytest.mark.usefixtures("quarter")
def test_checking_says_what_is_no_longer_as_it_was(
    page: ReportsPage,
    make: Callable[..., Path],
    open_workspace: Workspace,
    settle: Settle,
    console: Console,
    qtbot: QtBot,
) -> None:
    make()
    click(qtbot, page, "Check sources")
    settle()
    assert notices(console)[-1][0].startswith("All ")
    with open_workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM erasure")
    click(qtbot, page, "Check sources")
    settle()
    assert "1 are gone" in notices(console)[-1][0] and notices(console)[-1][1] == "bad"


@pytest.mark.usefixtures("quarter")
def test_refusals_are_notices_and_nothing_is_made(
    page: ReportsPage, make: Callable[..., Path], console: Console, tmp_path: Path
) -> None:
    make(period="some day")
    assert "“some day” is not a period" in notices(console)[-1][0]
    assert list_reports(console.database) == [] and not (tmp_path / "out").exists()


@pytest.mark.usefixtures("quarter")
def test_a_pdf_that_cannot_be_written_is_said(
    page: ReportsPage, make: Callable[..., Path], console: Console, tmp_path: Path
) -> None:
    (tmp_path / "out" / "evidence-answers@1_2026-Q4.pdf").mkdir(parents=True)
    make()
    assert "cannot be written to" in notices(console)[-1][0]
    assert column(page.reports, "About") == ["answers@1"]  # the other two files are there


@pytest.mark.usefixtures("quarter")
def test_files_that_are_gone_are_said(
    page: ReportsPage, make: Callable[..., Path], console: Console, opened: list[str], qtbot: QtBot
) -> None:
    out = make()
    (out / "evidence-answers@1_2026-Q4.html").unlink()
    click(qtbot, page, "Open")
    assert "is not there any more" in notices(console)[-1][0] and opened == []


@pytest.mark.usefixtures("quarter")
def test_cancelling_the_choice_of_a_folder_makes_nothing(
    page: ReportsPage, qtbot: QtBot, answer_box: Callable[[str], None], settle: Settle, console: Console
) -> None:
    answer_box("")
    click(qtbot, page, "Make a report…")
    settle()
    assert list_reports(console.database) == []


@pytest.mark.usefixtures("quarter")
def test_a_pipeline_offers_a_report_on_itself(
    qtbot: QtBot, console: Console, page: ReportsPage, settle: Settle
) -> None:
    evaluation = EvaluationPage(console)
    qtbot.addWidget(evaluation)
    table = evaluation.pipelines.pipelines
    assert table.actions_for is not None
    ((title, action),) = table.actions_for(table.records_model.records)
    assert title == "Evidence report…"
    with qtbot.waitSignal(evaluation.report_wanted) as wanted:
        action()
    page.choose(*wanted.args)
    assert page.pipeline_box.currentData() == "answers"
    settle()  # the page asks what its sets can show


def test_suggested_periods_are_those_of_a_day() -> None:
    assert suggested_periods(date(2026, 1, 15)) == [
        "2026-Q1",
        "2025-Q4",
        "2026-01",
        "2025-12",
        "2026",
        "everything",
    ]
    assert suggested_periods(date(2026, 12, 31))[:4] == ["2026-Q4", "2026-Q3", "2026-12", "2026-11"]


@pytest.mark.usefixtures("quarter")
def test_a_filled_page_cuts_no_text_at_any_size(
    page: ReportsPage, make: Callable[..., Path], theme: Theme
) -> None:
    page.show()
    found = layout_faults(page)
    make()
    for scale in (100, 200):
        theme.resize(scale, "comfortable")
        for width, height in ((1400, 900), (860, 620), (580, 380)):
            page.resize(width * scale // 100, height)
            for _ in range(3):
                QApplication.processEvents()
            found += [f"{scale} %, {width}: {fault}" for fault in layout_faults(page)]
    assert found == []
    assert keyboard_faults(page) == []


@pytest.mark.parametrize(
    ("day", "periods"),
    [
        (date(2026, 3, 31), ["2026-Q1", "2025-Q4", "2026-03", "2026-02", "2026", "everything"]),
        (date(2026, 4, 1), ["2026-Q2", "2026-Q1", "2026-04", "2026-03", "2026", "everything"]),
        (date(2026, 10, 1), ["2026-Q4", "2026-Q3", "2026-10", "2026-09", "2026", "everything"]),
        (date(2024, 2, 29), ["2024-Q1", "2023-Q4", "2024-02", "2024-01", "2024", "everything"]),
    ],
)
def test_suggested_periods_at_the_edges_of_a_quarter(day: date, periods: list[str]) -> None:
    assert suggested_periods(day) == periods


@given(st.dates(date(1971, 2, 1), date(2200, 1, 1)))
def test_every_suggested_period_can_be_read_and_the_present_ones_have_the_day(day: date) -> None:
    now = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    inside = []
    for text in suggested_periods(day):
        since, until = parse_period(text).bounds
        inside.append(since <= now < until)
    assert inside == [True, False, True, False, True, True]


def test_a_pipeline_that_is_not_there_lets_the_next_report_be_about_everything(page: ReportsPage) -> None:
    page.choose("nothing")
    assert page.pipeline_box.currentText() == "Everything" and page.pipeline_box.currentData() == ""


@pytest.mark.parametrize("action", ["open_html", "open_pdf", "open_folder", "check", "compare"])
def test_without_a_chosen_report_nothing_happens(
    page: ReportsPage, opened: list[str], console: Console, settle: Settle, action: str
) -> None:
    getattr(page, action)()
    settle()
    assert opened == [] and notices(console) == []


def test_a_report_whose_row_was_blanked_is_listed_and_cannot_be_opened(
    page: ReportsPage, open_workspace: Workspace
) -> None:
    add_audit_row(open_workspace, REPORT_MADE, 1, "everything", "")
    page.refresh()
    assert column(page.reports, "About") == ["everything"] and column(page.reports, "File") == [""]
    assert not button_of(page, "Open").isEnabled() and not button_of(page, "Compare").isEnabled()


def test_a_report_whose_file_is_gone_is_said(
    page: ReportsPage, open_workspace: Workspace, console: Console, settle: Settle, tmp_path: Path
) -> None:
    detail = made_detail("2026", "a" * 64, str(tmp_path / "gone.json"))
    add_audit_row(open_workspace, REPORT_MADE, 1, "everything", detail)
    page.refresh()
    settle()
    assert notices(console)[-1] == (
        f"{tmp_path / 'gone.json'} cannot be read (No such file or directory).",
        "bad",
    )
