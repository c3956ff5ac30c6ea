"""The tab "Last ingest": what became of each file, also while an import is under way."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column
from app.widgets.theme import SPACE, Theme
from rag.knowledge.rows import FileOutcome, IngestProgress, IngestReport
from rag.text.plurals import counted

_REDRAW_MS = 250
_STAGES = {"parsing": "reading", "discovering": "looking for files"}
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
        self._live: list[FileOutcome] = []  # of an import that is under way
        self._soon = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._soon.timeout.connect(self._show_live)
        column(self.line, (self.table, 1), holder=self, top=SPACE)

    def show_progress(self, event: IngestProgress, finished: list[FileOutcome]) -> None:
        """Say which file is being worked on, and list those that are finished, the newest first."""
        name = event.file.replace("\\", "/").rsplit("/", 1)[-1]
        waiting = max(event.files_total - event.files_done - bool(name), 0)
        parts = [f"{_STAGES.get(event.stage, event.stage).capitalize()} {name}".strip()]
        parts.append(f"{event.files_done:,} of {counted(event.files_total, 'file')} finished")
        parts += [f"{waiting:,} waiting"] if waiting else []
        self.line.setText("   ·   ".join(parts))
        self.show_live(finished)

    def show_live(self, finished: list[FileOutcome]) -> None:
        """List the files that an import has finished so far."""
        self._live = finished
        if not self._soon.isActive():
            self._soon.start()  # a table that is filled anew for every one of 10,000 files would hold all up

    def show_stopped(self, finished: list[FileOutcome]) -> None:
        """Say that an import ended before its last file."""
        self.show_live(finished)
        kept = counted(len(finished), "file was", "files were")
        self.line.setText(f"Stopped: {kept} finished before. Adding the same files again goes on from there.")

    def _show_live(self) -> None:
        self.table.set_records(self._live[::-1])

    def show_report(self, report: IngestReport | None) -> None:
        """List the files: failed, skipped and incompletely read ones first. None: there is no report."""
        self._soon.stop()
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
