"""The tab "Last ingest": what became of each file."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column
from app.widgets.theme import SPACE, Theme
from rag.knowledge.rows import FileOutcome, IngestReport

_COLOURS = {
    "added": "good",
    "replaced": "accent",
    "unchanged": "text_muted",
    "skipped": "check",
    "failed": "bad",
}
_ORDER = ("failed", "skipped", "replaced", "added", "unchanged")  # what needs attention comes first
OUTCOME_COLUMNS = (
    Column("File", lambda o: o.path.replace("\\", "/").rsplit("/", 1)[-1], 200, tooltip=lambda o: o.path),
    Column("Outcome", lambda o: o.outcome, 84, colour=lambda o: _COLOURS.get(o.outcome)),
    Column("Chunks", lambda o: f"{o.chunk_count:,}" if o.chunk_count else "", 60, right=True,
           sort=lambda o: o.chunk_count),
    Column("Reason", lambda o: o.detail, 300, stretch=True, tooltip=lambda o: o.detail),
)  # fmt: skip


class ReportPanel(QWidget):
    """A sentence about the last ingest above a table with the outcome of each file."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.line = label("", "muted", wrap=True)
        self.table = RecordTable(
            OUTCOME_COLUMNS,
            theme,
            "ingest_report",
            "Nothing was added to this collection since the program was started.",
        )
        column(self.line, (self.table, 1), holder=self, top=SPACE)

    def show_report(self, report: IngestReport | None) -> None:
        """List the files: failed, skipped and incompletely read ones first. None: there is no report."""
        if report is None:
            self.table.set_records([])
            self.line.setText("")
            return
        incomplete = set(report.incomplete)

        def place(outcome: FileOutcome) -> tuple[bool, int]:
            number = _ORDER.index(outcome.outcome) if outcome.outcome in _ORDER else len(_ORDER)
            return number >= 2 and outcome not in incomplete, number

        self.table.set_records(sorted(report.outcomes, key=place))
        self.line.setText(report.sentence())
