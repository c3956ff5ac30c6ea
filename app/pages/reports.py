"""Reports: evidence of what was in use and how it was measured, made, opened, checked and compared."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QStackedWidget, QVBoxLayout, QWidget

from app.console import Console, Notice, Offer
from app.printing import print_pdf
from app.shared.file_choice import choose_folder
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import EmptyState, ListDetail, column, refill
from app.widgets.theme import SPACE
from rag import operations
from rag.errors import RagError
from rag.evaluation.rows import list_pipelines
from rag.governance.report.rows import (
    EVERYTHING,
    Report,
    ReportCheck,
    ReportComparison,
    ReportFiles,
    ReportRow,
    list_reports,
)
from rag.text.plurals import counted

_ABOUT_EVERYTHING = "Everything"
_GAP = "gap"
_ONE, _TWO = "Choose a report first", "Choose two reports first"

REPORT_COLUMNS = (
    Column("Made", lambda r: date_time(r.made_ms), 140, sort=lambda r: r.made_ms),
    Column("About", lambda r: r.subject, 180, stretch=True),
    Column("Period", lambda r: r.period, 130),
    Column("Fingerprint", lambda r: r.fingerprint[:12], 110, tooltip=lambda r: r.fingerprint),
    Column("File", lambda r: Path(r.path).name if r.path else "", 220, tooltip=lambda r: r.path),
)
# A record is (section, what it says, "gap" or "", the stored rows that it rests on …).
STATEMENT_COLUMNS = (
    Column("Section", lambda s: s[0], 150),
    Column("Statement", lambda s: s[1], 460, stretch=True, tooltip=lambda s: s[1],
           colour=lambda s: "check" if s[2] == _GAP else None),
    Column("Source", lambda s: ", ".join(source.title for source in s[3:]) or s[2], 190),
)  # fmt: skip
DIFFERENCE_COLUMNS = (
    Column("Change", lambda d: d.kind, 80,
           colour=lambda d: {"worse": "bad", "better": "good"}.get(d.kind), sort=lambda d: d.rank),
    Column("Section", lambda d: d.section, 140),
    Column("What", lambda d: d.what, 180, tooltip=lambda d: d.what),
    Column("Before", lambda d: d.before, 220, tooltip=lambda d: d.before),
    Column("After", lambda d: d.after, 220, stretch=True, tooltip=lambda d: d.after),
)  # fmt: skip


def suggested_periods(today: date) -> list[str]:
    """Return periods that a report is often about: quarters, months and the year, the present one first."""
    quarter = today.year * 4 + (today.month - 1) // 3
    month = today.year * 12 + today.month - 1
    return [
        *(f"{number // 4}-Q{number % 4 + 1}" for number in (quarter, quarter - 1)),
        *(f"{number // 12}-{number % 12 + 1:02}" for number in (month, month - 1)),
        str(today.year),
        EVERYTHING,
    ]


class ReportsPage(QWidget):
    """A page with the reports that were made, and what the chosen one says, or how two of them differ."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        theme = console.theme
        self.pipeline_box, self.period_box = QComboBox(), QComboBox()
        self.pipeline_box.setAccessibleName("What the report is about")
        self.period_box.setAccessibleName("Period")
        self.period_box.setEditable(True)
        self.period_box.setToolTip(
            "A year, quarter, month or day, or two days with two dots between them (UTC)"
        )
        refill(self.period_box, [(text, text) for text in suggested_periods(datetime.now(UTC).date())])
        self.period_box.setCurrentIndex(0)
        self.reports = RecordTable(REPORT_COLUMNS, theme, "reports")
        self.reports.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.statements = RecordTable(STATEMENT_COLUMNS, theme, "report_statements", "Choose a report above.")
        self.differences = RecordTable(
            DIFFERENCE_COLUMNS, theme, "report_differences", "Both reports say the same."
        )
        self.summary = label("", "muted", wrap=True)
        self._shown = QStackedWidget()
        self._shown.addWidget(self.statements)
        self._shown.addWidget(self.differences)
        self._tools = self._make_tools()
        detail = column(self.summary, (self._shown, 1))
        empty = EmptyState(
            theme, "document", "No report yet",
            "A report states what was in use, how it was measured, what happened and who looked at it: as "
            "HTML and PDF for people, as JSON for programs. Each sentence names the stored run, answer or "
            "row that it rests on, and what is not stored is listed as a gap. It is not a legal "
            "determination.",
        )  # fmt: skip
        self._list = ListDetail("reports/detail", self.reports, detail, (180, 420), empty, vertical=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(column(self._tools, (self._list, 1)))
        self.reports.selectionModel().selectionChanged.connect(lambda *_: self._show())
        self.reports.record_activated.connect(lambda _r: self.open_html())
        self._last: tuple[ReportRow, ...] = ()
        console.data_changed.connect(self.refresh)
        self.refresh()

    def _make_tools(self) -> Toolbar:
        self._of_one = [
            button("Open", self.open_html, tip="Open the report in the browser"),
            button("Open PDF", self.open_pdf, tip="Open it as it is printed"),
            button("Open folder", self.open_folder, tip="Show its files"),
            button("Check sources", self.check, tip="Is everything that it names still stored as it was?"),
        ]
        self._of_two = button("Compare", self.compare, tip="Show what changed between two reports")
        make = button("Make a report…", self.make, primary=True, tip="Choose a folder for its files")
        return Toolbar(self.pipeline_box, self.period_box, make, 1, *self._of_one, self._of_two)

    # --- making -------------------------------------------------------------------------------------------

    def choose(self, pipeline: str) -> None:
        """Let the next report be about a pipeline."""
        self.refresh()
        self.pipeline_box.setCurrentIndex(max(self.pipeline_box.findText(pipeline), 0))

    def make(self) -> None:
        """Ask for a folder, and make the report there."""
        folder = choose_folder(self, "Folder for the report")
        if folder:
            self._console.run(
                operations.make_report, self._print,
                pipeline=self.pipeline_box.currentData() or "", period=self.period_box.currentText(),
                folder=folder,
            )  # fmt: skip

    def _print(self, made: ReportFiles) -> None:
        self.refresh()
        self.reports.selectRow(0)
        try:
            print_pdf(made.print_html, f"Evidence report: {made.subject}", made.pdf_path)
        except RagError as error:
            self._console.notice.emit(str(error), Notice.BAD)
            return
        self._console.offer.emit(Offer(made.sentence(), "Open", self.open_html))

    # --- what is shown ------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the reports that were made; the choice stays."""
        database = self._console.database
        pipelines = [(row.name, row.name) for row in list_pipelines(database)]
        refill(self.pipeline_box, [(_ABOUT_EVERYTHING, ""), *pipelines])
        chosen = [row.id for row in self.reports.selected_records()]
        rows = list_reports(database)
        self._list.show_rows(rows)
        self.reports.set_records(rows, keep_sort=True)
        if rows and not (chosen and self.reports.choose(lambda row: row.id == chosen[0])):
            self.reports.selectRow(0)
        self._show()

    def _show(self) -> None:
        chosen = self._chosen
        for made in self._of_one:
            allow(made, "" if len(chosen) == 1 else _ONE)
        allow(self._of_two, "" if len(chosen) == 2 else _TWO)
        if chosen == self._last:
            return
        self._last = chosen
        if len(chosen) == 1:
            self._console.run(operations.read_report, self._show_report, path=chosen[0].path)
        elif len(chosen) == 2:
            self.compare()

    @property
    def _chosen(self) -> tuple[ReportRow, ...]:
        """The chosen reports that still say where they are, the older first."""
        rows = [row for row in self.reports.selected_records() if row.path]
        return tuple(sorted(rows, key=lambda row: row.id))

    def _show_report(self, report: Report) -> None:
        sources = {source.id: source for source in report.sources}
        records: list[tuple[Any, ...]] = []
        for section in report.sections:
            records += [(section.title, gap.text, _GAP) for gap in section.gaps]
            records += [
                (section.title, one.text, "", *(sources[key] for key in one.sources))
                for block in section.blocks
                for one in block.statements
            ]
        self.statements.set_records(records)
        self._shown.setCurrentWidget(self.statements)
        self.summary.setText(
            f"{counted(report.statement_count, 'statement')} and {counted(report.gap_count, 'gap')} on "
            f"{report.subject}, {report.period}. A double click opens the source."
        )

    # --- what can be done ---------------------------------------------------------------------------------

    def open_html(self) -> None:
        """Open the chosen report in the browser."""
        self._open(".html")

    def open_pdf(self) -> None:
        """Open the PDF of the chosen report."""
        self._open(".pdf")

    def open_folder(self) -> None:
        """Open the folder of the chosen report."""
        self._open("")

    def _open(self, ending: str) -> None:
        if len(self._chosen) != 1:
            return
        path = Path(self._chosen[0].path)
        wanted = path.with_suffix(ending) if ending else path.parent
        if not wanted.exists():
            self._console.notice.emit(f"{wanted} is not there any more. Make the report again.", Notice.BAD)
        else:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(wanted)))

    def check(self) -> None:
        """Say whether everything that the chosen report names is stored as it was."""

        def tell(found: ReportCheck) -> None:
            is_same = not found.changed and not found.gone
            self._console.notice.emit(found.sentence(), Notice.INFO if is_same else Notice.BAD)

        if len(self._chosen) == 1:
            self._console.run(operations.check_report, tell, path=self._chosen[0].path)

    def compare(self) -> None:
        """Show what changed from the older of two chosen reports to the newer."""
        if len(self._chosen) == 2:
            first, second = self._chosen
            self._console.run(
                operations.compare_reports, self._show_differences, first=first.path, second=second.path
            )

    def _show_differences(self, found: ReportComparison) -> None:
        self.differences.set_records(found.differences)
        self._shown.setCurrentWidget(self.differences)
        self.summary.setText(
            " ".join((f"What changed from “{found.first}” to “{found.second}”.", *found.warnings))
        )
