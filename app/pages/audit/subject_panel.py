"""The tab People: everything that mentions a person or an identifier, over all tables, and its export."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QStackedWidget, QWidget

from app.console import Console, Notice
from app.shared.file_choice import last_folder, remember_folder
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import EmptyState, Flow, column
from app.widgets.theme import SMALL_SPACE, scaled
from rag import operations
from rag.governance.subjects.rows import SubjectHit, SubjectReport

_TRACE_ID = 32  # hex digits
HIT_COLUMNS = (
    Column("Table", lambda h: h.table, 130),
    Column("Column", lambda h: h.column, 110),
    Column("Row", lambda h: h.key[:12], 110),
    Column("Text", lambda h: h.excerpt, 380, stretch=True, tooltip=lambda h: h.excerpt),
    Column("Contains", lambda h: h.content, 100),
    Column("Found", lambda h: h.term, 110),
)


class SubjectPanel(QWidget):
    """A panel with a field for names and identifiers, and what mentions them below."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._searched: list[str] = []
        self.terms = QLineEdit(placeholderText="Name, address, number; other spellings after a semicolon")
        self.terms.setAccessibleName("Person or identifier")
        self.terms.setMinimumWidth(scaled(330))
        self.search_button = button("Search", self.search, primary=True, tip="Search every text of the data")
        self.export_button = button("Export…", self._choose, tip="Write what was found, whole, to a file")
        self.result = label("", wrap=True)
        self.table = RecordTable(HIT_COLUMNS, console.theme, "subject", "Nothing mentions it.")
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                console.theme, "search", "Find everything that mentions a person",
                "For a request to see or erase what is stored: all texts of all tables are searched, the "
                "audit log included. The log says that somebody searched, and not for whom. Documents are "
                "erased for good under Collections, Documents.",
            )
        )  # fmt: skip
        self._stack.addWidget(self.table)
        column(
            Flow(self.terms, self.search_button, self.export_button), self.result, (self._stack, 1),
            holder=self, top=SMALL_SPACE,
        )  # fmt: skip
        self.terms.returnPressed.connect(self.search)
        self.terms.textChanged.connect(lambda _text: self._allow())
        self.table.record_activated.connect(self._open)
        self._allow()

    def search(self) -> None:
        """Search every text for what the field says."""
        terms = self._terms()
        if terms:
            self._searched = terms
            self.result.setText("Searching every text…")
            self._console.run(operations.search_subject, self._show, terms=terms).failed.connect(
                lambda *_: self.result.setText("")
            )

    def export(self, path: str) -> None:
        """Search again and write everything that was found to a .json or .csv file."""
        remember_folder(path)
        self._console.run(operations.export_subject, self._exported, terms=self._searched, file=path)

    def _terms(self) -> list[str]:
        return [term.strip() for term in self.terms.text().split(";") if term.strip()]

    def _allow(self) -> None:
        allow(self.search_button, "" if self._terms() else "Name a person or an identifier.")
        allow(self.export_button, "" if self._searched else "Search first: what is found can be exported.")

    def _show(self, report: SubjectReport) -> None:
        self.table.set_records(list(report.hits))
        self._stack.setCurrentIndex(1)
        self.result.setText(report.sentence())
        self._allow()

    def _exported(self, report: SubjectReport) -> None:
        self._console.notice.emit(f"Wrote {report.path}: {report.sentence()}", Notice.INFO)

    def _open(self, hit: SubjectHit) -> None:
        if len(hit.key) == _TRACE_ID:
            self.trace_requested.emit(hit.key)

    def _choose(self) -> None:
        name = str(Path(last_folder()) / f"person-{time.strftime('%Y-%m-%d')}.json")
        path, _ = QFileDialog.getSaveFileName(
            self, "Export what was found", name, "JSON (*.json);;CSV (*.csv)"
        )
        if path:
            self.export(path if Path(path).suffix else f"{path}.json")
