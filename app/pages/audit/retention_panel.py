"""The tab Retention: for how many days each kind of data is kept, what would go now, and removing it."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout, QSpinBox, QWidget

from app.console import Console, Notice
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import column, confirm, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, scaled
from rag import operations
from rag.governance.retention.rows import (
    MEANING,
    RetentionKind,
    RetentionPart,
    RetentionReport,
    setting_of,
)

_NOTE = (
    "What is older goes at each start and once a day, and the log says what went. Evaluation sets, their "
    "cases and the audit log itself are kept for good. To keep the data folder from others who can read the "
    "disk, put it on an encrypted one."
)
PREVIEW_COLUMNS = (
    Column("Kind", lambda p: p.kind, 150),
    Column("Goes now", lambda p: f"{p.count:,}", 90, right=True, sort=lambda p: p.count),
    Column("Old but needed", lambda p: f"{p.kept:,}", 110, right=True, sort=lambda p: p.kept),
    Column("Oldest", lambda p: date_time(p.oldest_ms) if p.oldest_ms else "–", 150),
    Column("What", lambda p: p.sentence(), 300, stretch=True, tooltip=lambda p: "\n".join(p.names)),
)


class RetentionPanel(QWidget):
    """A panel with a field for each kind, a preview below, and a button that removes what it lists."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.fields: dict[RetentionKind, QSpinBox] = {}
        self.result = label("", wrap=True)
        self.table = RecordTable(
            PREVIEW_COLUMNS, console.theme, "retention", "Nothing is older than it may be."
        )
        self.run_button = button("Remove now…", self._ask, tip="Remove what the preview lists")
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE)
        grid.setColumnStretch(2, 1)
        for number, kind in enumerate(RetentionKind):
            field = QSpinBox(maximum=36_500, suffix=" days")
            field.setSpecialValueText("for good")
            field.setAccessibleName(f"Days that {kind} are kept")
            field.setMinimumWidth(scaled(110))
            field.editingFinished.connect(partial(self._save, kind))
            self.fields[kind] = field
            grid.addWidget(label(f"{kind[0].upper()}{kind[1:]}"), number, 0)
            grid.addWidget(field, number, 1)
            grid.addWidget(label(MEANING[kind], "small", wrap=True), number, 2)
        self.table.setMinimumHeight(scaled(150))
        tools = Toolbar(
            button("Preview again", self.refresh, tip="Count again what would go"), self.run_button, 1
        )
        content = column(
            label(_NOTE, "small", wrap=True), grid, tools, self.result, (self.table, 1), right=SMALL_SPACE
        )
        column((scrolled(content), 1), holder=self, top=SMALL_SPACE)
        allow(self.run_button, "Nothing is older than it may be.")

    def refresh(self) -> None:
        """Show the settings as they are, and count what would go now."""
        settings = self._console.settings.governance
        for kind, field in self.fields.items():
            if not field.hasFocus():
                field.setValue(int(getattr(settings, setting_of(kind))))
        self._console.run(operations.preview_retention, self._show)

    def _save(self, kind: RetentionKind) -> None:
        self._console.change_settings(
            "governance", setting_of(kind), self.fields[kind].value(), f"How long {kind} are kept"
        )

    def _show(self, report: RetentionReport) -> None:
        limited: list[RetentionPart] = [part for part in report.parts if part.days]
        self.table.set_records(limited)
        if report.count:
            self.result.setText(f"Would go now: {report.sentence()}.")
        else:
            self.result.setText(
                "Nothing is older than it may be." if limited else "Everything is kept for good."
            )
        allow(self.run_button, "" if report.count else "Nothing is older than it may be.")

    def _ask(self) -> None:
        confirm(
            self, "Remove what is too old", f"{self.result.text()} This cannot be undone.",
            "Remove", self._run, destructive=True,
            more="The database is rewritten afterwards, so that no deleted text stays in its file.",
        )  # fmt: skip

    def _run(self) -> None:
        self._console.run(operations.run_retention, self._done)

    def _done(self, report: RetentionReport) -> None:
        said = "  ".join((f"Removed: {report.sentence()}.", *report.problems))
        self._console.notice.emit(said, Notice.BAD if report.problems else Notice.INFO)
        self._console.data_changed.emit()
        self.refresh()
