"""Collections: what there is, its versions and documents, and adding to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QInputDialog,
    QMenu,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.collections.chunk_browser import ChunkBrowser
from app.pages.collections.embedding_map import EmbeddingMap
from app.pages.collections.limits_dialog import LimitsDialog
from app.pages.collections.watch_panel import WatchPanel
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import EmptyState, Panel, row
from app.widgets.progress import ProgressPanel
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.knowledge.rows import (
    CollectionRow,
    DocumentRow,
    FileOutcome,
    IngestReport,
    attributes_of,
    find_documents_of_chunks,
    list_collections,
    list_documents,
)
from rag.operations import Operation
from rag.text.plurals import counted

R = TypeVar("R")


def _size(size: int) -> str:
    if size < 1024:
        return f"{size} B"
    return f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{size / 1024:,.0f} KB"


def _notes(document: DocumentRow) -> str:
    """Metadata that a person wrote, and chunks that are left out."""
    parts = [f"{name}: {value}" for name, value in attributes_of(document.attributes).items()]
    if document.excluded_count:
        parts.append(f"{document.excluded_count} left out")
    return ", ".join(parts)


COLLECTION_COLUMNS = (
    Column("Name", lambda c: c.name, 180, stretch=True, tooltip=lambda c: c.name),
    Column(
        "Version", lambda c: str(c.version_number or "–"), 74, right=True, sort=lambda c: c.version_number
    ),
    Column("Documents", lambda c: f"{c.document_count:,}", 94, right=True, sort=lambda c: c.document_count),
    Column("Chunks", lambda c: f"{c.chunk_count:,}", 70, right=True, sort=lambda c: c.chunk_count),
)
DOCUMENT_COLUMNS = (
    Column("Name", lambda d: d.name, 240, stretch=True, tooltip=lambda d: d.source),
    Column("Kind", lambda d: d.media_type.split("/")[-1].split(".")[-1][:22], 110),
    Column("Size", lambda d: _size(d.size_bytes), 76, right=True, sort=lambda d: d.size_bytes),
    Column("Chunks", lambda d: f"{d.chunk_count:,}", 66, right=True, sort=lambda d: d.chunk_count),
    Column("Tokens", lambda d: f"{d.token_count:,}", 72, right=True, sort=lambda d: d.token_count),
    Column("Notes", _notes, 130, tooltip=_notes),
)  # fmt: skip
SUSPECT_COLUMNS = (
    Column("What", lambda s: s.kind, 92, colour=lambda s: "bad" if s.kind == "garbled" else "check"),
    Column("Document", lambda s: s.document, 170, tooltip=lambda s: s.document),
    Column("Place", lambda s: s.place, 80),
    Column("Why", lambda s: s.detail, 170, tooltip=lambda s: s.detail),
    Column("Text", lambda s: " ".join(s.text.split())[:200], 200, stretch=True, tooltip=lambda s: s.text),
)
NEAR_COLUMNS = (
    Column("Cosine", lambda p: f"{p.similarity:.3f}", 66, right=True, sort=lambda p: p.similarity),
    Column("Document", lambda p: f"{p.document} {p.place}".strip(), 150, tooltip=lambda p: p.text),
    Column("Text", lambda p: " ".join(p.text.split())[:160], 200, stretch=True, tooltip=lambda p: p.text),
    Column("Other document", lambda p: f"{p.other_document} {p.other_place}".strip(), 150, tooltip=lambda p: p.other_text),
    Column("Other text", lambda p: " ".join(p.other_text.split())[:160], 220, tooltip=lambda p: p.other_text),
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

_LOOK = "Press “Look for them”; excluding a chunk makes a version."


class CollectionsPage(QWidget):
    """The list of collections, and the chosen one beside it."""

    files_wanted = Signal(str)  # collection to add files to, by a dialog; empty: ask for a name
    folder_wanted = Signal(str)
    ask_requested = Signal(str, object)  # collection, version number or None
    versions_requested = Signal(str)
    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._mapped: int | None = None  # id of the version whose map is shown
        self._looked: int | None = None  # and of the one whose chunks were looked at
        self.table = RecordTable(COLLECTION_COLUMNS, console.theme, "collections")
        self.documents = RecordTable(
            DOCUMENT_COLUMNS, console.theme, "documents", "This version holds no documents."
        )
        self.report = RecordTable(
            OUTCOME_COLUMNS, console.theme, "ingest_report", "No ingest in this session yet."
        )
        self.progress = ProgressPanel(console.theme)
        self.strip = TaskStrip()
        self.chunks = ChunkBrowser(console)
        self.suspects = RecordTable(SUSPECT_COLUMNS, console.theme, "suspicious_chunks", _LOOK)
        self.near = RecordTable(NEAR_COLUMNS, console.theme, "near_duplicates", _LOOK)
        self.map = EmbeddingMap(console.theme)
        self.watch = WatchPanel(console)
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
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)
        console.data_changed.connect(self.refresh)
        self.table.record_selected.connect(lambda _record: self._show_collection())
        self.documents.record_selected.connect(self._show_chunks)
        self.documents.actions_for = self._document_actions
        self.suspects.record_activated.connect(lambda s: self.open_chunk(s.document_id, s.chunk_id))
        self.suspects.actions_for = lambda records: [
            ("Show the chunk", lambda: self.open_chunk(records[0].document_id, records[0].chunk_id)),
            ("Exclude…", lambda: self._exclude([record.chunk_id for record in records])),
        ]
        self.near.actions_for = lambda records: [
            ("Exclude the right one…", lambda: self._exclude([record.other_id for record in records]))
        ]
        self.chunks.changed.connect(self._changed)
        self.chunks.trace_requested.connect(self.trace_requested)
        self.map.chunk_clicked.connect(self._open_mapped)
        self.refresh()

    @property
    def current(self) -> CollectionRow | None:
        records = self.table.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        chosen = self.current.name if self.current else ""
        rows = list_collections(self._console.database)
        self.table.blockSignals(True)  # shown once, below
        self.table.set_records(rows, keep_sort=True)
        self._stack.setCurrentIndex(1 if rows else 0)
        if rows and not self.table.choose(lambda row_: row_.name == chosen):
            self.table.selectRow(0)
        self.table.blockSignals(False)
        self._show_collection()

    def choose(self, name: str) -> None:
        self.table.choose(lambda row_: row_.name == name)

    def show_report(self, report: IngestReport) -> None:
        """List what became of each file, what needs attention first."""
        order = {"failed": 0, "skipped": 1, "replaced": 2, "added": 3, "unchanged": 4}
        incomplete = set(report.incomplete)
        outcomes: list[FileOutcome] = sorted(
            report.outcomes,
            key=lambda o: (order.get(o.outcome, 5) >= 2 and o not in incomplete, order.get(o.outcome, 5)),
        )
        self.report.set_records(outcomes)
        self._report_line.setText(report.sentence())
        self.tabs.setCurrentWidget(self._report_holder)

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
                button("Versions", lambda: self.versions_requested.emit(self._name())),
                self._more_button(),
            )
        )
        right.body.addWidget(self._facts)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        inner = QSplitter(Qt.Orientation.Vertical)
        inner.addWidget(self.documents)
        inner.addWidget(self.chunks)
        inner.setChildrenCollapsible(False)
        inner.setSizes([260, 300])
        self.tabs.addTab(inner, "Documents")
        self.tabs.addTab(self._suspects_tab(), "Chunks to look at")
        self.tabs.addTab(self._map_tab(), "Map")
        self.tabs.addTab(self.watch, "Followed folders")
        self._report_holder = self._report_tab()
        self.tabs.addTab(self._report_holder, "Last ingest")
        self.tabs.currentChanged.connect(lambda _index: self._draw_map_if_shown())
        right.body.addWidget(self.tabs, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setChildrenCollapsible(False)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([400, 780])
        return splitter

    def _flags(self) -> None:
        for chosen in self.table.selected_records():
            LimitsDialog(self._console, chosen.id, chosen.name, self).exec()

    def _more_button(self) -> QPushButton:
        menu = QMenu(self)
        menu.addAction("Rename…", self._rename)
        menu.addAction("Flags…", self._flags)
        menu.addAction("Serve the index from…", self._serve)
        menu.addAction("Compact the data folder", self._compact)
        menu.addSeparator()
        menu.addAction("Delete…", self._delete)
        made = button("More")
        made.setMenu(menu)
        return made

    def _suspects_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        splitter = QSplitter(Qt.Orientation.Vertical)
        for title, table in (
            ("Garbled, nearly empty, or repeated in three documents and more", self.suspects),
            ("Nearly the same: a cosine similarity of 0.95 and more", self.near),
        ):
            part = QWidget()
            column = QVBoxLayout(part)
            column.setContentsMargins(0, 0, 0, 0)
            column.addWidget(label(title, "section"))
            column.addWidget(table, 1)
            splitter.addWidget(part)
        layout.addWidget(splitter, 1)
        layout.addLayout(row(button("Look for them", self.look, primary=True), 1))
        return holder

    def _map_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addWidget(self.map, 1)
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
        version = current.active_version_id if current else None
        if self._looked != version:  # what was found is about another version
            self._looked = version
            for table in (self.suspects, self.near):
                table.set_empty_text(_LOOK)
                table.set_records([])
        self.watch.show_collection(self._name(), current.id if current else None)
        if current is None:
            self._title.clear()
            self._facts.clear()
            self.documents.set_records([])
            self.chunks.clear()
            return
        database = self._console.database
        self._title.setText(current.name)
        served = f"   ·   index on {current.index_server}" if current.index_server else ""
        self._facts.setText(
            f"Version {current.version_number or '–'} of {current.version_count}   ·   {counted(current.document_count, 'document')}, "
            f"{counted(current.chunk_count, 'chunk')}, {counted(current.token_count, 'token')}   ·   {current.embedder_name}{served}"
        )
        chosen = self.documents.selected_records()
        rows = list_documents(database, current.active_version_id) if current.active_version_id else []
        self.documents.set_records(rows, keep_sort=True)
        if not (chosen and self.documents.choose(lambda d: d.source == chosen[0].source)):
            self.chunks.clear()
            self.documents.choose(lambda _d: True)
        self._draw_map_if_shown()

    def _show_chunks(self, document: DocumentRow) -> None:
        if self.current and self.current.active_version_id:
            kept = self.chunks.current
            self.chunks.show_document(
                self.current.name, self.current.active_version_id, document.id, kept.id if kept else 0
            )

    def open_chunk(self, document_id: int, chunk_id: int) -> None:
        self.tabs.setCurrentIndex(0)
        if self.documents.choose(lambda d: d.id == document_id):
            self.chunks.table.choose(lambda c: c.id == chunk_id)

    def _open_mapped(self, chunk_id: int) -> None:
        found = find_documents_of_chunks(self._console.database, [chunk_id])
        for document_id in found:
            self.open_chunk(document_id, chunk_id)

    def look(self) -> None:
        """Look for suspicious chunks and near-duplicates of the active version."""
        if self.current is None or self.current.active_version_id is None:
            return
        name = self.current.name
        self._follow(operations.find_near_duplicates,
                     lambda found: self._show_found(name, self.near, found), collection=name)  # fmt: skip
        self._follow(operations.find_suspicious_chunks,
                     lambda found: self._show_found(name, self.suspects, found), collection=name)  # fmt: skip

    def _show_found(self, name: str, table: RecordTable, found: list[Any]) -> None:
        if self._name() == name:
            table.set_empty_text("None was found.")
            table.set_records(found)

    def _draw_map_if_shown(self) -> None:
        """The map of a version is made when its tab is first looked at."""
        current = self.current
        version = current.active_version_id if current else None
        if self.tabs.tabText(self.tabs.currentIndex()) != "Map" or self._mapped == version:
            return
        self._mapped = version
        if current is None or not current.chunk_count:
            self.map.clear("This version holds no chunk: there is nothing to map.")
            return
        self.map.clear("Drawing the map…")
        self._console.run(
            operations.map_embeddings,
            lambda found: self._name() == current.name and self._show_map(found), collection=current.name,
        )  # fmt: skip

    def _show_map(self, found: Any) -> None:
        traces = list_traces(self._console.database, TraceFilter(collection=self._name(), source="person"), 1)
        hits = get_trace(self._console.database, traces[0].id).hits if traces else ()
        self.map.show_map(
            found, [h.chunk_id for h in hits if h.dropped is None], traces[0].question if traces else ""
        )

    def _document_actions(self, records: list[Any]) -> list[tuple[str, Any]]:
        actions: list[tuple[str, Any]] = [("Remove from the collection", lambda: self._remove(records))]
        if len(records) == 1:
            actions += [
                ("Edit metadata…", lambda: self._edit_metadata(records[0])),
                ("Erase for good…", lambda: self._erase(records[0])),
            ]
        return actions

    def _ask(self) -> None:
        if self.current:
            self.ask_requested.emit(self.current.name, None)

    def _remove(self, records: list[Any]) -> None:
        if self.current:
            self._follow(
                operations.remove_documents,
                lambda made: self._changed(f"Version {made.number}: {made.message}. Undo on the Versions page brings them back."),
                collection=self.current.name, document_ids=[record.id for record in records],
            )  # fmt: skip

    def _edit_metadata(self, document: DocumentRow) -> None:
        present = "\n".join(f"{name}: {value}" for name, value in attributes_of(document.attributes).items())
        text, accepted = QInputDialog.getMultiLineText(
            self,
            f"Metadata of {document.name}",
            "One “name: value” a line; an empty text removes all.",
            present,
        )
        if accepted:
            self.edit_metadata(document, text)

    def edit_metadata(self, document: DocumentRow, text: str) -> None:
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
        wrong = [name for name, colon, _ in pairs if not colon]
        if wrong or self.current is None:
            self._console.notice.emit(
                f"“{wrong[0] if wrong else ''}” is not of the form “name: value”; nothing was changed.", "bad"
            )
            return
        self._follow(
            operations.edit_document,
            lambda made: self._changed(f"Version {made.number}: {made.message}."),
            collection=self.current.name, document_id=document.id,
            attributes={name.strip(): value.strip() for name, _, value in pairs},
        )  # fmt: skip

    def _exclude(self, chunk_ids: list[int]) -> None:
        reason, accepted = QInputDialog.getText(
            self, "Exclude chunks", "Why? The reason stays in the version."
        )
        if accepted:
            self.chunks.exclude(chunk_ids, reason)

    def _erase(self, document: DocumentRow) -> None:
        box = QMessageBox(QMessageBox.Icon.Warning, "Erase for good",
                          f"Erase “{document.name}” from every version, every index and every stored answer, and copies of it in "
                          "other collections? Its file stays where it is. This cannot be undone.", parent=self)  # fmt: skip
        erase = box.addButton("Erase", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(lambda clicked: clicked is erase and self.erase(document))
        box.open()

    def erase(self, document: DocumentRow) -> None:
        self._follow(operations.erase_document, self._erased,
                     collection=self._name(), document=document.source)  # fmt: skip

    def _erased(self, report: Any) -> None:
        self._console.data_changed.emit()
        self._console.notice.emit(
            "  ".join([report.sentence(), *report.notes]), "info" if report.clean else "bad"
        )

    def _compact(self) -> None:
        def show(report: Any) -> None:
            self._changed(
                f"{counted(report.documents, 'document')} and {counted(report.embeddings, 'vector')} that no version needs were removed; "
                f"{_size(report.bytes_before)} → {_size(report.bytes_after)}."
            )

        self._follow(operations.compact, show)

    def _serve(self) -> None:
        if self.current is None:
            return
        address, accepted = QInputDialog.getText(
            self, "Serve the index from", "Address of a Chroma server; empty: the data folder",
            text=self.current.index_server or "http://localhost:8000",
        )  # fmt: skip
        if accepted:
            self._follow(operations.serve_index,
                         lambda report: self._changed(f"The index was moved. {report.sentence()}"),
                         collection=self.current.name, server=address)  # fmt: skip

    def _follow(self, operation: Operation[R], done: Callable[[R], Any], **arguments: Any) -> None:
        self.strip.follow(self._console.run(operation, done, **arguments))

    def _rename(self) -> None:
        if self.current is None:
            return
        name, accepted = QInputDialog.getText(self, "Rename collection", "New name", text=self.current.name)
        if accepted and name.strip() and name.strip() != self.current.name:
            self._console.run(
                operations.rename_collection, lambda _result: self._changed(""),
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
            and self._console.run(operations.delete_collection,
                                  lambda _result: self._changed(f"“{current.name}” was deleted."), name=current.name)
        )  # fmt: skip
        question.open()

    def _changed(self, sentence: str) -> None:
        self._console.data_changed.emit()
        if sentence:
            self._console.notice.emit(sentence, "info")
