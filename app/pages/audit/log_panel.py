"""The tab Log: rows of the audit log, one explained in plain words, the check of the chain, and exports."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QWidget

from app.console import Console, Notice
from app.shared.file_choice import last_folder, remember_folder
from app.widgets.buttons import Toolbar, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import EmptyState, Flow, ListDetail, column, refill, scrolled
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.governance.audit.rows import (
    GROUPS,
    PROVES,
    AuditCheck,
    AuditFilter,
    AuditRow,
    count_audit,
    list_actors,
    list_audit,
)
from rag.text.plurals import counted

_SHOWN = 2_000
_HEADS = "Head of an audit log (*.json)"
_PERIODS = (("Any time", 0), ("Last 24 hours", 1), ("Last 7 days", 7), ("Last 30 days", 30))

LOG_COLUMNS = (
    Column("When", lambda r: date_time(r.created_ms), 150, sort=lambda r: r.created_ms),
    Column("Who", lambda r: r.who or "–", 110),
    Column("Action", lambda r: r.action, 180),
    Column("Of", lambda r: r.subject, 190),
    Column("Detail", lambda r: r.detail, 240, stretch=True, tooltip=lambda r: r.detail),
    Column("Row", lambda r: f"{r.id:,}", 60, right=True, sort=lambda r: r.id),
)


class LogPanel(QWidget):
    """A panel with filters above the rows, the chosen one explained, and the result of a check."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.search = QLineEdit(placeholderText="Words in the log")
        self.search.setClearButtonEnabled(True)
        self.group_box, self.who_box, self.period_box = QComboBox(), QComboBox(), QComboBox()
        for widget, name in (
            (self.search, "Words in the log"),
            (self.group_box, "What it is about"),
            (self.who_box, "Who acted"),
            (self.period_box, "When"),
        ):
            widget.setAccessibleName(name)
        refill(self.group_box, [("Everything", ""), *((name, name) for name in GROUPS)])
        refill(self.period_box, [(text, days) for text, days in _PERIODS])
        self.result, self.count = label("", wrap=True), label("", "small")
        self.table = RecordTable(LOG_COLUMNS, console.theme, "audit_log", "No row of the log matches.")
        self.sentence, self.facts = label("", wrap=True), KeyValueGrid()
        self._soon = QTimer(self, singleShot=True, interval=200)
        self._build()
        self._soon.timeout.connect(self.refresh)
        self.search.textChanged.connect(lambda _text: self._soon.start())
        for box in (self.group_box, self.who_box, self.period_box):
            box.currentIndexChanged.connect(lambda _i: self.refresh())
        self.table.record_selected.connect(self._explain)
        self._explain(None)
        self._say("")

    @property
    def wanted(self) -> AuditFilter:
        """What the fields above the table say."""
        days = int(self.period_box.currentData() or 0)
        return AuditFilter(
            self.search.text().strip(),
            str(self.group_box.currentData() or ""),
            str(self.who_box.currentData() or ""),
            round((time.time() - days * 86_400) * 1000) if days else None,
        )

    def refresh(self) -> None:
        """Read the log again; the fields keep what they say."""
        database = self._console.database
        actors = [(name, name) for name in list_actors(database)]
        self.who_box.blockSignals(True)
        refill(self.who_box, [("Everybody", ""), *actors], keep=self.who_box.currentData())
        self.who_box.blockSignals(False)
        wanted = self.wanted
        found, whole = list_audit(database, wanted, _SHOWN), count_audit(database, wanted)
        chosen = self.table.selected_records()
        self.table.set_records(found, keep_sort=True)
        if chosen:
            self.table.choose(lambda row: row.id == chosen[0].id)
        more = f", the latest {_SHOWN:,} are shown" if whole > len(found) else ""
        self.count.setText(f"{counted(whole, 'row')}{more}")
        self._view.show_rows(count_audit(database))

    def verify(self, head: str = "") -> None:
        """Check the chain, by itself or against a head that was kept elsewhere."""
        self._say("Checking every row…")
        self._console.run(operations.check_audit, self._verified, head_file=head).failed.connect(
            lambda *_: self._say("")
        )

    def export(self, path: str) -> None:
        """Write the rows that the fields choose to a .csv or .json file."""
        remember_folder(path)
        self._console.run(
            operations.export_audit,
            lambda count: self._console.notice.emit(
                f"Exported {counted(count, 'row')} to {path}. That is in the log as well.", Notice.INFO
            ),
            file=path,
            wanted=self.wanted,
        )

    # --- making -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        tools = Toolbar(
            button("Verify", self.verify, primary=True, tip="Check every row of the chain"),
            button("Verify against a head…", self._choose_head, tip="Compare with a file kept elsewhere"),
            button("Write the head…", self._choose_heads, tip="Write the end of the chain to a folder"),
            button("Export…", self._choose_export, tip="Write the rows below to a CSV or JSON file"),
            1,
        )
        fields = Flow(self.search, self.group_box, self.who_box, self.period_box, self.count)
        detail = scrolled(
            column(self.sentence, self.facts, label(PROVES, "small", wrap=True), 1, right=SMALL_SPACE)
        )
        empty = EmptyState(
            self._console.theme, "audit", "Nothing has been done yet",
            "Every change and every access that matters becomes a row here: imports, versions, labels, "
            "gates, settings, exports, erasures. Each is chained to the one before it.",
        )  # fmt: skip
        rows = column(fields, (self.table, 1))
        self._view = ListDetail("audit/log", rows, detail, (330, 150), empty, vertical=True, stretch=(3, 1))
        column(tools, self.result, (self._view, 1), holder=self, top=SMALL_SPACE)

    # --- what is shown ------------------------------------------------------------------------------------

    def _explain(self, row: AuditRow | None) -> None:
        if row is None:
            self.sentence.setText("Choose a row: it is explained here in plain words.")
            self.facts.set_pairs([])
            return
        self.sentence.setText("  ".join((row.sentence(), *row.more())))
        facts = [
            ("Before", row.before),
            ("After", row.after),
            ("Row before", row.previous),
            ("Hash", row.hash),
        ]
        self.facts.set_pairs([(name, value) for name, value in facts if value])

    def _say(self, result: str) -> None:
        self.result.setText(result)
        self.result.setVisible(bool(result))

    def _verified(self, found: AuditCheck) -> None:
        self._say("  ".join(part for part in (found.sentence(), found.signature) if part))
        if found.first_break is not None:
            self._console.notice.emit(found.sentence(), Notice.BAD)
            broken = found.first_break.row
            self.table.choose(lambda row: row.id == broken)

    # --- choosing -----------------------------------------------------------------------------------------

    def _choose_head(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "A head that was kept elsewhere", last_folder(), _HEADS)
        if path:
            self.verify(path)

    def _choose_heads(self) -> None:
        chosen = self._console.settings.governance.head_folder or last_folder()
        folder = QFileDialog.getExistingDirectory(self, "Folder for heads, best elsewhere", chosen)
        if folder:
            self._console.run(
                operations.write_head,
                lambda path: self._console.notice.emit(f"Wrote {path}. Keep it elsewhere.", Notice.INFO),
                place=folder,
            )

    def _choose_export(self) -> None:
        name = str(Path(last_folder()) / f"audit-{time.strftime('%Y-%m-%d')}.csv")
        path, _ = QFileDialog.getSaveFileName(self, "Export the log", name, "CSV (*.csv);;JSON (*.json)")
        if path:
            self.export(path if Path(path).suffix else f"{path}.csv")
