"""Collections: what there is, its versions and documents, and adding to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QInputDialog,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.item_models import Column, RecordTable
from app.theme import SPACE
from app.widgets import EmptyState, Panel, PassageView, ProgressPanel, button, label, row
from rag.events import FileOutcome, IngestReport
from rag.reader import CollectionRow, DocumentRow


def _time(milliseconds: int | None) -> str:
    return (
        "–"
        if milliseconds is None
        else datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %Y %H:%M")
    )


def _size(size: int) -> str:
    return f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{size / 1024:,.0f} KB"


COLLECTION_COLUMNS = (
    Column("Name", lambda c: c.name, 180, stretch=True, tooltip=lambda c: c.name),
    Column(
        "Version", lambda c: str(c.version_number or "–"), 62, right=True, sort=lambda c: c.version_number
    ),
    Column("Documents", lambda c: f"{c.document_count:,}", 80, right=True, sort=lambda c: c.document_count),
    Column("Chunks", lambda c: f"{c.chunk_count:,}", 70, right=True, sort=lambda c: c.chunk_count),
)
DOCUMENT_COLUMNS = (
    Column("Name", lambda d: d.name, 240, stretch=True, tooltip=lambda d: d.source),
    Column("Kind", lambda d: d.media_type.split("/")[-1].split(".")[-1][:22], 110),
    Column("Size", lambda d: _size(d.size_bytes), 76, right=True, sort=lambda d: d.size_bytes),
    Column("Chunks", lambda d: f"{d.chunk_count:,}", 66, right=True, sort=lambda d: d.chunk_count),
    Column("Tokens", lambda d: f"{d.token_count:,}", 72, right=True, sort=lambda d: d.token_count),
)
VERSION_COLUMNS = (
    Column("Version", lambda v: f"{v.number}{'  (active)' if v.active else ''}", 92, sort=lambda v: v.number,
           colour=lambda v: "good" if v.active else None),
    Column("Made", lambda v: _time(v.created_ms), 130, sort=lambda v: v.created_ms),
    Column("Message", lambda v: v.message, 180, stretch=True, tooltip=lambda v: v.message),
    Column("Documents", lambda v: f"{v.document_count:,}", 80, right=True, sort=lambda v: v.document_count),
    Column("Chunks", lambda v: f"{v.chunk_count:,}", 66, right=True, sort=lambda v: v.chunk_count),
    Column("Fingerprint", lambda v: v.fingerprint[:12], 100, tooltip=lambda v: v.fingerprint),
)  # fmt: skip
_OUTCOME_COLOURS = {
    "added": "good",
    "replaced": "accent",
    "unchanged": "text_muted",
    "skipped": "check",
    "failed": "bad",
}
OUTCOME_COLUMNS = (
    Column("File", lambda o: o.path.replace("\\", "/").rsplit("/", 1)[-1], 200, tooltip=lambda o: o.path),
    Column("Outcome", lambda o: o.outcome, 84, colour=lambda o: _OUTCOME_COLOURS.get(o.outcome)),
    Column("Chunks", lambda o: f"{o.chunk_count:,}" if o.chunk_count else "", 60, right=True, sort=lambda o: o.chunk_count),
    Column("Reason", lambda o: o.detail, 300, stretch=True, tooltip=lambda o: o.detail),
)  # fmt: skip


class CollectionsPage(QWidget):
    """The list of collections, and the chosen one beside it."""

    files_wanted = Signal(str)  # collection to add files to, by a dialog; empty: ask for a name
    folder_wanted = Signal(str)
    ask_requested = Signal(str, object)  # collection, version number or None

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self.table = RecordTable(COLLECTION_COLUMNS, console.theme, "collections")
        self.documents = RecordTable(
            DOCUMENT_COLUMNS, console.theme, "documents", "This version holds no documents."
        )
        self.versions = RecordTable(VERSION_COLUMNS, console.theme, "versions")
        self.report = RecordTable(
            OUTCOME_COLUMNS, console.theme, "ingest_report", "No ingest in this session yet."
        )
        self.progress = ProgressPanel(console.theme)
        self.text = PassageView(console.theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(console.theme, "collections", "No collections yet",
                       "Drop files or folders anywhere on this window: PDF, Word, PowerPoint, Excel, HTML, EPUB, Markdown, "
                       "JSON, mail, text and source code are read.",
                       button("Add files…", lambda: self.files_wanted.emit(""), primary=True),
                       button("Add a folder…", lambda: self.folder_wanted.emit("")))
        )  # fmt: skip
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.progress)
        layout.addWidget(self._stack, 1)
        console.data_changed.connect(self.refresh)
        self.table.record_selected.connect(lambda _record: self._show_collection())
        self.documents.record_activated.connect(self._open_document)
        self.documents.record_selected.connect(self._open_document)
        self.documents.actions_for = lambda records: [
            ("Remove from the collection", lambda: self._remove(records))
        ]
        self.versions.actions_for = self._version_actions
        self.refresh()

    @property
    def current(self) -> CollectionRow | None:
        records = self.table.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        chosen = self.current.name if self.current else ""
        rows = self._console.reader.collections()
        self.table.set_records(rows, keep_sort=True)
        self._stack.setCurrentIndex(1 if rows else 0)
        if rows and not self.table.choose(lambda row_: row_.name == chosen):
            self.table.selectRow(0)
        self._show_collection()

    def choose(self, name: str) -> None:
        self.table.choose(lambda row_: row_.name == name)

    def show_report(self, report: IngestReport) -> None:
        """List what became of each file, what needs attention first."""
        order = {"failed": 0, "skipped": 1, "replaced": 2, "added": 3, "unchanged": 4}
        outcomes: list[FileOutcome] = sorted(report.outcomes, key=lambda o: order.get(o.outcome, 5))
        self.report.set_records(outcomes)
        self._report_line.setText(report_sentence(report))
        self.tabs.setCurrentIndex(2)

    def _make_content(self) -> QWidget:
        left = Panel("Collections")
        left.body.addWidget(self.table, 1)
        left.body.addLayout(
            row(button("Add files…", lambda: self.files_wanted.emit(self._name()), primary=True),
                button("Add a folder…", lambda: self.folder_wanted.emit(self._name())), 1,
                button("New…", lambda: self.files_wanted.emit(""), tip="Add files to a new collection"))
        )  # fmt: skip
        right = Panel()
        self._title, self._facts = label("", "title"), label("", "muted", wrap=True)
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        right.body.addLayout(
            row(
                self._title,
                1,
                button("Ask", self._ask, primary=True),
                button("Rename…", self._rename),
                button("Delete…", self._delete),
            )
        )
        right.body.addWidget(self._facts)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        inner = QSplitter(Qt.Orientation.Vertical)
        inner.addWidget(self.documents)
        inner.addWidget(self.text)
        inner.setSizes([380, 160])
        self.tabs.addTab(inner, "Documents")
        self.tabs.addTab(self._versions_tab(), "Versions")
        self.tabs.addTab(self._report_tab(), "Last ingest")
        right.body.addWidget(self.tabs, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setChildrenCollapsible(False)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([400, 780])
        return splitter

    def _versions_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addWidget(self.versions, 1)
        layout.addLayout(row(
            button("Make active", self._activate, tip="Questions are answered from the active version"),
            button("Ask this version", self._ask_version), 1))  # fmt: skip
        return holder

    def _report_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        self._report_line = label("", "muted", wrap=True)
        layout.addWidget(self._report_line)
        layout.addWidget(self.report, 1)
        return holder

    def _name(self) -> str:
        return self.current.name if self.current else ""

    def _show_collection(self) -> None:
        current = self.current
        self.text.clear()
        if current is None:
            self._title.clear()
            self._facts.clear()
            self.documents.set_records([])
            self.versions.set_records([])
            return
        reader = self._console.reader
        self._title.setText(current.name)
        self._facts.setText(
            f"Version {current.version_number or '–'} of {current.version_count}   ·   {current.document_count:,} documents, "
            f"{current.chunk_count:,} chunks, {current.token_count:,} tokens   ·   {current.embedder_name}"
        )
        self.versions.set_records(reader.versions(current.id))
        self.documents.set_records(
            reader.documents(current.active_version_id) if current.active_version_id else []
        )

    def _open_document(self, document: DocumentRow) -> None:
        self.text.show_passage(self._console.reader.document_text(document.id)[:200_000], 0, 0)

    def _version_actions(self, records: list[Any]) -> list[tuple[str, Any]]:
        return (
            [("Make active", self._activate), ("Ask this version", self._ask_version)]
            if len(records) == 1
            else []
        )

    def _ask(self) -> None:
        if self.current:
            self.ask_requested.emit(self.current.name, None)

    def _ask_version(self) -> None:
        chosen = self.versions.selected_records()
        if self.current and chosen:
            self.ask_requested.emit(self.current.name, chosen[0].number)

    def _activate(self) -> None:
        chosen = self.versions.selected_records()
        if self.current and chosen:
            number = chosen[0].number
            self._console.run(
                "ingest", f"Activate version {number}", "rag.versions:activate_version",
                lambda _result: self._changed(f"Version {number} is active."), collection=self.current.name, number=number,
            )  # fmt: skip

    def _remove(self, records: list[Any]) -> None:
        if self.current:
            self._console.run(
                "ingest", "Remove documents", "rag.changes:remove_documents",
                lambda _result: self._changed("Removed; older versions keep these documents."),
                collection=self.current.name, document_ids=[record.id for record in records],
            )  # fmt: skip

    def _rename(self) -> None:
        if self.current is None:
            return
        name, accepted = QInputDialog.getText(self, "Rename collection", "New name", text=self.current.name)
        if accepted and name.strip() and name.strip() != self.current.name:
            self._console.run(
                "ingest", "Rename", "rag.datasets:rename_collection", lambda _result: self._changed(""),
                name=self.current.name, new_name=name,
            )  # fmt: skip

    def _delete(self) -> None:
        current = self.current
        if current is None:
            return
        question = QMessageBox(QMessageBox.Icon.Warning, "Delete collection",
                               f"Delete “{current.name}” with its {current.version_count} versions? Its files stay where they are; "
                               "traces keep what they showed.", parent=self)  # fmt: skip
        delete = question.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        question.addButton(QMessageBox.StandardButton.Cancel)
        question.buttonClicked.connect(
            lambda clicked: clicked is delete
            and self._console.run("ingest", "Delete", "rag.datasets:delete_collection",
                                  lambda _result: self._changed(f"“{current.name}” was deleted."), name=current.name)
        )  # fmt: skip
        question.open()

    def _changed(self, sentence: str) -> None:
        self._console.data_changed.emit()
        if sentence:
            self._console.notice.emit(sentence, "info")


def report_sentence(report: IngestReport) -> str:
    """An ingest in one line."""
    words = ("added", "replaced", "unchanged", "skipped", "failed")
    counts = (
        ", ".join(f"{report.count(word):,} {word}" for word in words if report.count(word))
        or "nothing to add"
    )
    version = f"version {report.version_number}" if report.version_number else "no version"
    return (
        f"{report.collection}: {counts} in {report.seconds:.1f} s; {version}, {report.chunk_count:,} chunks."
    )
