"""Collections: which there are, what their active versions contain, and adding to them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QInputDialog,
    QMenu,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.collections.documents_panel import DocumentsPanel, size_text
from app.pages.collections.inspection_panel import InspectionPanel
from app.pages.collections.limits_dialog import LimitsDialog
from app.pages.collections.map_view import MapView
from app.pages.collections.new_collection_dialog import NewCollectionDialog
from app.pages.collections.report_panel import ReportPanel
from app.pages.collections.search_panel import SearchPanel
from app.pages.collections.watch_panel import WatchPanel
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import Toolbar, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label, set_tip
from app.widgets.layout import EmptyState, ListDetail, Panel, column, confirm, row
from app.widgets.progress import ProgressPanel
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.governance.rows import CompactReport
from rag.knowledge.rows import (
    CollectionRow,
    EmbeddingMap,
    FileOutcome,
    IngestProgress,
    IngestReport,
    find_documents_of_chunks,
    list_collections,
)
from rag.text.plurals import counted

COLLECTION_COLUMNS = (
    Column("Name", lambda c: c.name, 240, stretch=True, tooltip=lambda c: c.name),
    Column("Version", lambda c: str(c.version_number or "–"), 74, right=True,
           sort=lambda c: c.version_number),
    Column("Documents", lambda c: f"{c.document_count:,}", 94, right=True, sort=lambda c: c.document_count),
    Column("Chunks", lambda c: f"{c.chunk_count:,}", 70, right=True, sort=lambda c: c.chunk_count),
)  # fmt: skip

_LONG_NAME = 18  # letters; a longer name of a collection is cut in a button, whose tooltip has all of it


class CollectionsPage(QWidget):
    """The list of collections, and the chosen one beside it."""

    files_wanted = Signal(str)  # collection to add files to, by a dialog; empty: ask for a name
    folder_wanted = Signal(str)
    paths_chosen = Signal(list, str)  # files and folders for a collection
    ask_requested = Signal(str, object)  # collection, version number or None
    versions_requested = Signal(str)
    trace_requested = Signal(str)
    collection_changed = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._mapped: int | None = None  # id of the version whose map is shown
        self._reports: dict[str, IngestReport] = {}  # the last one of each collection
        self._live: dict[str, list[FileOutcome]] = {}  # what an import that is under way has finished
        self.progress = ProgressPanel(console.theme)
        self.strip = TaskStrip()
        self.table = RecordTable(COLLECTION_COLUMNS, console.theme, "collections")
        self.title, self.facts = label("", "title"), label("", "muted", wrap=True)
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.documents = DocumentsPanel(console, self.strip)
        self.inspection = InspectionPanel(console, self.strip)
        self.search = SearchPanel(console, self.strip)
        self.map = MapView(console.theme)
        self.watch = WatchPanel(console)
        self.report = ReportPanel(console.theme)
        self._content = ListDetail(
            "collections/splitter", self._make_list(), self._make_detail(), (400, 780), self._make_empty(),
            stretch=(0, 1),
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.progress)
        layout.addWidget(self.strip)
        layout.addWidget(self._content, 1)
        self._connect()
        self.refresh()

    # --- making -------------------------------------------------------------------------------------------

    def _make_empty(self) -> QWidget:
        return EmptyState(
            self._console.theme, "collections", "No collections yet",
            "Drop files or folders anywhere in this window: PDF, Word, PowerPoint, Excel, OpenDocument, "
            "HTML, EPUB, Markdown, JSON, mail, text and source code are read.",
            button("New collection…", self.new_collection, primary=True),
            button("Add files…", lambda: self.files_wanted.emit("")),
            button("Add a folder…", lambda: self.folder_wanted.emit("")),
        )  # fmt: skip

    def _make_list(self) -> QWidget:
        panel = Panel("Collections")
        panel.body.addWidget(self.table, 1)
        self.files_button = button("Add files…", lambda: self.files_wanted.emit(self._name), primary=True)
        self.folder_button = button("Add a folder…", lambda: self.folder_wanted.emit(self._name))
        new = button("New collection…", self.new_collection, tip="Name, files, embedder and chunk size")
        panel.body.addWidget(Toolbar(self.files_button, 1))
        panel.body.addWidget(Toolbar(self.folder_button, 1, new))
        return panel

    def _make_detail(self) -> QWidget:
        panel = Panel()
        panel.body.addLayout(row(
            self.title, 1, button("Ask", self._ask, primary=True),
            button("Versions", lambda: self.versions_requested.emit(self._name)), self._make_more(),
        ))  # fmt: skip
        panel.body.addWidget(self.facts)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.documents, "Documents")
        self.tabs.addTab(self.inspection, "Suspicious chunks")
        self._map_tab = column((self.map, 1), top=SPACE)
        self.tabs.addTab(self._map_tab, "Map")
        self.tabs.addTab(self.watch, "Followed folders")
        self.tabs.addTab(self.report, "Last ingest")
        self.tabs.addTab(self.search, "Search test")
        panel.body.addWidget(self.tabs, 1)
        return panel

    def _make_more(self) -> QPushButton:
        self.menu = QMenu(self)
        self.menu.addAction("Rename…", self._rename)
        self.menu.addAction("Flags…", self._edit_limits)
        self.menu.addAction("Serve the index from…", self._serve)
        self.menu.addAction("Compact the data folder", self._compact)
        self.menu.addSeparator()
        self.menu.addAction("Delete…", self._delete)
        made = button("More")
        made.setMenu(self.menu)
        return made

    def _connect(self) -> None:
        self._console.data_changed.connect(self.refresh)
        self.table.record_selected.connect(lambda _record: self._show_collection())
        self.tabs.currentChanged.connect(lambda _index: self._draw_map_if_shown())
        self.documents.trace_requested.connect(self.trace_requested)
        self.inspection.chunk_requested.connect(self.open_chunk)
        self.progress.progressed.connect(self._show_progress)
        self.progress.import_ended.connect(self._import_ended)
        self.inspection.exclusion_requested.connect(self.documents.chunks.ask_to_exclude)
        self.map.chunk_clicked.connect(self._open_mapped)

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def current(self) -> CollectionRow | None:
        """The chosen collection."""
        records = self.table.selected_records()
        return records[0] if records else None

    @property
    def collection_name(self) -> str:
        """The name of the chosen collection; empty if there is none."""
        return self._name

    @property
    def _name(self) -> str:
        return self.current.name if self.current else ""

    def refresh(self) -> None:
        """Read everything again; what is chosen stays chosen."""
        chosen = self._name
        rows = list_collections(self._console.database)
        with QSignalBlocker(self.table):  # shown once, below
            self.table.set_records(rows, keep_sort=True)
            if rows and not self.table.choose(lambda found: found.name == chosen):
                self.table.selectRow(0)
        self._content.show_rows(rows)
        self._show_collection()

    def choose(self, name: str) -> None:
        """Show the collection with this name."""
        self.table.choose(lambda found: found.name == name)

    def new_collection(self) -> None:
        """Ask for a new collection: its name, files, embedder and chunk size."""
        dialog = NewCollectionDialog(self._console, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.created.connect(self._created)
        dialog.open()

    def _created(self, name: str, paths: list[str]) -> None:
        self._console.data_changed.emit()
        self.choose(name)
        if paths:
            self.paths_chosen.emit(paths, name)
        else:
            self._console.notice.emit(f"The collection “{name}” was made. Add files to it.", "info")

    def _show_progress(self, event: IngestProgress) -> None:
        """List the files of an import that are finished, where its collection is in view."""
        began = event.collection not in self._live or event.stage == "discovering"
        live = self._live.setdefault(event.collection, [])
        if began:
            live.clear()
            self._reports.pop(event.collection, None)
            if not any(found.name == event.collection for found in self.table.records_model.records):
                self.refresh()
                self.choose(event.collection)
        live += event.finished
        if self._name == event.collection:
            if began:
                self.tabs.setCurrentWidget(self.report)
            self.report.show_progress(event, live)

    def _import_ended(self) -> None:
        """Say of an import that was stopped what is left of it; one that ended well has a report."""
        for name, live in self._live.items():
            if name == self._name:
                self.report.show_stopped(live)

    def show_report(self, report: IngestReport) -> None:
        """List what became of each file of an ingest, as often as its collection is chosen."""
        self._reports[report.collection] = report
        self._live.pop(report.collection, None)
        self.report.show_report(report)
        self.tabs.setCurrentWidget(self.report)

    def open_chunk(self, document_id: int, chunk_id: int) -> None:
        """Show a chunk in its document."""
        self.tabs.setCurrentWidget(self.documents)
        self.documents.open_chunk(document_id, chunk_id)

    def _show_collection(self) -> None:
        current = self.current
        self.title.setText(current.name if current else "")
        self.facts.setText(_facts(current) if current else "")
        self._name_buttons()
        self.documents.show_collection(current)
        self.inspection.show_collection(current)
        self.search.show_collection(current)
        self.watch.show_collection(self._name, current.id if current else None)
        if self._name in self._live:
            show = self.report.show_stopped if self.progress.isHidden() else self.report.show_live
            show(self._live[self._name])
        else:
            self.report.show_report(self._reports.get(self._name))
        self.collection_changed.emit()
        if current is not None:
            self._draw_map_if_shown()

    def _name_buttons(self) -> None:
        """Let the buttons say where files go."""
        name = self._name if len(self._name) <= _LONG_NAME else f"{self._name[: _LONG_NAME - 1]}…"
        target = f" to “{name}”" if name else ""
        for made, what in ((self.files_button, "Add files"), (self.folder_button, "Add a folder")):
            made.setText(f"{what}{target}…".replace("&", "&&"))
            made.setAccessibleName(f"{what}{f' to “{self._name}”' if name else ''}…")
            set_tip(made, f"{what} to “{self._name}”" if name else "")

    def _draw_map_if_shown(self) -> None:
        """Draw the map of a version when its tab is first looked at."""
        current = self.current
        version = current.active_version_id if current else None
        if self.tabs.currentWidget() is not self._map_tab or self._mapped == version:
            return
        self._mapped = version
        if current is None or not current.chunk_count:
            self.map.clear("This version contains no chunks, so there is nothing to map.")
            return
        self.map.clear("Drawing the map…")

        def show(found: EmbeddingMap) -> None:
            if self._name == current.name:
                self._show_map(found)

        self._console.run(operations.map_embeddings, show, collection=current.name)

    def _show_map(self, found: EmbeddingMap) -> None:
        """Draw the map, with rings around what the last question found."""
        database = self._console.database
        traces = list_traces(database, TraceFilter(collection=self._name, source="person"), 1)
        hits = get_trace(database, traces[0].id).hits if traces else ()
        kept = [hit.chunk_id for hit in hits if hit.dropped is None]
        self.map.show_map(found, kept, traces[0].question if traces else "")

    def _open_mapped(self, chunk_id: int) -> None:
        for document_id in find_documents_of_chunks(self._console.database, [chunk_id]):
            self.open_chunk(document_id, chunk_id)

    # --- what is changed ----------------------------------------------------------------------------------

    def _ask(self) -> None:
        if self.current:
            self.ask_requested.emit(self.current.name, None)

    def _rename(self) -> None:
        if self.current is None:
            return
        name, accepted = QInputDialog.getText(self, "Rename collection", "New name", text=self.current.name)
        if accepted and name.strip() and name.strip() != self.current.name:
            self._console.run(
                operations.rename_collection, lambda _result: self._console.data_changed.emit(),
                name=self.current.name, new_name=name,
            )  # fmt: skip

    def _edit_limits(self) -> None:
        if (current := self.current) is not None:
            LimitsDialog(self._console, current.id, current.name, self).open()

    def _serve(self) -> None:
        if self.current is None:
            return
        address, accepted = QInputDialog.getText(
            self, "Serve the index from", "Address of a Chroma server. Leave it empty for the data folder.",
            text=self.current.index_server or "http://localhost:8000",
        )  # fmt: skip
        if accepted:
            task = self._console.run(
                operations.serve_index,
                lambda report: self._changed(f"The index was moved. {report.sentence()}"),
                collection=self.current.name, server=address,
            )  # fmt: skip
            self.strip.follow(task)

    def _compact(self) -> None:
        def show(report: CompactReport) -> None:
            removed = f"{counted(report.documents, 'document')} and {counted(report.embeddings, 'vector')}"
            self._changed(
                f"{removed} that no version needs were removed; "
                f"{size_text(report.bytes_before)} → {size_text(report.bytes_after)}."
            )

        self.strip.follow(self._console.run(operations.compact, show))

    def _delete(self) -> None:
        if (current := self.current) is not None:
            confirm(
                self, "Delete collection",
                f"Delete “{current.name}” and its {counted(current.version_count, 'version')}? Its files "
                "stay where they are; traces keep what they showed.",
                "Delete", lambda: self.delete(current.name), destructive=True,
            )  # fmt: skip

    def delete(self, name: str) -> None:
        """Delete a collection with all its versions."""
        self._console.run(operations.delete_collection,
                          lambda _result: self._changed(f"“{name}” was deleted."), name=name)  # fmt: skip

    def _changed(self, sentence: str) -> None:
        self._console.data_changed.emit()
        self._console.notice.emit(sentence, "info")


def _facts(collection: CollectionRow) -> str:
    """Return the line below the name: version, sizes, embedder and where the index is."""
    sizes = (
        counted(collection.document_count, "document"),
        counted(collection.chunk_count, "chunk"),
        counted(collection.token_count, "token"),
    )
    parts = [
        f"Version {collection.version_number or '–'} of {collection.version_count}",
        ", ".join(sizes),
        collection.embedder_name,
    ]
    if collection.index_server:
        parts.append(f"index on {collection.index_server}")
    return "   ·   ".join(parts)
