"""Chroma: look into any Chroma folder or server, take a collection over, hand a version out."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QInputDialog,
    QLineEdit,
    QPlainTextEdit,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import Toolbar, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import ElidedLabel, KeyValueGrid, label, set_tip
from app.widgets.layout import EmptyState, Panel, Splitter, column, dialog_buttons, row
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.index.rows import ChromaCollection, ChromaPage, ChromaRecord
from rag.knowledge.rows import ChromaImport, list_collections
from rag.text.plurals import counted

_PAGE = 100
_RECENT = 8

COLLECTION_COLUMNS = (
    Column("Name", lambda c: c.name, 140, stretch=True, tooltip=lambda c: c.name),
    Column("Records", lambda c: f"{c.count:,}", 76, right=True, sort=lambda c: c.count),
    Column("Dimension", lambda c: str(c.dimension or "–"), 88, right=True, sort=lambda c: c.dimension),
    Column("Distance", lambda c: c.space, 74),
)
RECORD_COLUMNS = (
    Column("Distance", lambda r: "" if r.distance is None else f"{r.distance:.4f}", 78, right=True,
           sort=lambda r: r.distance),
    Column("Id", lambda r: r.id, 120, tooltip=lambda r: r.id),
    Column("Text", lambda r: " ".join(r.text.split())[:240], 260, stretch=True,
           tooltip=lambda r: r.text[:1500]),
    Column("Metadata", lambda r: ", ".join(f"{k}={v}" for k, v in r.metadata), 220,
           tooltip=lambda r: "\n".join(f"{k}: {v}" for k, v in r.metadata)),
)  # fmt: skip


class ChromaConsolePage(QWidget):
    """A field for a folder or server above, its collections on the left, their records on the right."""

    versions_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._source = ""
        self._opening = ""  # the source that is being opened
        self._offset = 0
        self._more = False
        self.strip = TaskStrip()
        self.source_box = QComboBox()
        self.source_box.setEditable(True)
        self.source_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.source_box.setAccessibleName("Chroma folder or server")
        field = self.source_box.lineEdit()
        assert field is not None  # it is editable
        field.setAccessibleName("Chroma folder or server")
        field.setPlaceholderText("A Chroma folder, or http://localhost:8000")
        set_tip(field, field.placeholderText())  # there may be no room for it
        self.source_box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.source_box.addItems(self._recent())
        self.source_box.setCurrentIndex(-1)
        field.returnPressed.connect(self.open)
        self.collections = RecordTable(
            COLLECTION_COLUMNS, console.theme, "chroma_collections", "There are no collections in it."
        )
        self.records = RecordTable(RECORD_COLUMNS, console.theme, "chroma_records", "No records match.")
        self.where, self.contains, self.query = QLineEdit(), QLineEdit(), QLineEdit()
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName("Text of the record")
        self.facts = KeyValueGrid()
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(console.theme, "chroma", "Look into any Chroma",
                       "A folder is copied before it is opened, so nothing in it changes and its own program "
                       "can keep using it. A server is opened by its address.",
                       button("Open a folder…", self._choose_folder, primary=True)))  # fmt: skip
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(Toolbar(
            self.source_box, button("Open", self.open, primary=True),
            button("Open a folder…", self._choose_folder), button("Export a version…", self._choose_export),
        ))  # fmt: skip
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)
        self.collections.record_selected.connect(lambda _c: self.browse())
        self.records.record_selected.connect(self._show_record)
        self.records.actions_for = lambda records: [("Similar to this record", self.search_like)]

    # --- reading ------------------------------------------------------------------------------------------

    @property
    def current(self) -> ChromaCollection | None:
        """The chosen collection."""
        chosen = self.collections.selected_records()
        return chosen[0] if chosen else None

    def open(self) -> None:
        """Open the folder or server in the field."""
        source = self.source_box.currentText().strip()
        if not source or source == self._opening:  # an editable box tells of Enter twice
            return
        self._opening = source
        task = self._console.run(
            operations.list_chroma_collections, partial(self._opened, source), source=source
        )
        task.ended.connect(self._end_opening)
        self.strip.follow(task)

    def browse(self, offset: int = 0) -> None:
        """List the records of the chosen collection, through the filters."""
        if (chosen := self.current) is None:
            return
        self._show_collection(chosen)
        task = self._console.run(
            operations.list_chroma_records, partial(self._show_page, chosen, "Records"), source=self._source,
            collection=chosen.name, where=self.where.text(), contains=self.contains.text(), limit=_PAGE,
            offset=offset,
        )  # fmt: skip
        self.strip.follow(task)

    def search_text(self) -> None:
        """List the records nearest to the text in the field."""
        if (chosen := self.current) is None or not self.query.text().strip():
            return
        text = self.query.text()
        task = self._console.run(
            operations.search_chroma, partial(self._show_page, chosen, f"Nearest to “{text}”: "),
            source=self._source, collection=chosen.name, text=text, where=self.where.text(),
        )  # fmt: skip
        self.strip.follow(task)

    def search_like(self) -> None:
        """List the records nearest to the chosen one."""
        records = self.records.selected_records()
        if (chosen := self.current) is None or not records:
            return
        task = self._console.run(
            operations.search_chroma_like,
            partial(self._show_page, chosen, f"Nearest to the record {records[0].id}: "), source=self._source,
            collection=chosen.name, record_id=records[0].id, where=self.where.text(),
        )  # fmt: skip
        self.strip.follow(task)

    def _end_opening(self) -> None:
        self._opening = ""

    def _opened(self, source: str, found: list[ChromaCollection]) -> None:
        self._source = source
        self._remember(source)
        self._stack.setCurrentIndex(1)
        self.records.set_records([])
        self.collections.set_records(found)
        self._position.setText("")
        self.collections.selectRow(0)

    def _show_collection(self, chosen: ChromaCollection) -> None:
        hnsw = ", ".join(f"{key} {value}" for key, value in chosen.hnsw if key != "space")
        made = (
            f"   ·   embedded by {chosen.embedding_function}"
            if chosen.embedding_function not in ("", "legacy")
            else ""
        )
        metadata = ", ".join(f"{key}: {value}" for key, value in chosen.metadata)
        self._collection_line.setText(
            "   ·   ".join(part for part in (f"HNSW {hnsw}" if hnsw else "", metadata) if part) + made
        )

    def _show_page(self, chosen: ChromaCollection, what: str, page: ChromaPage) -> None:
        if self.current != chosen:
            return
        self._offset, self._more = page.offset, page.more
        self.records.set_records(page.records)
        searched = bool(page.records) and page.records[0].distance is not None
        last = page.offset + len(page.records)
        if searched:
            self._position.setText(f"{what}{counted(len(page.records), 'record')}")
        else:
            first = page.offset + 1 if page.records else 0
            filtered = bool(self.where.text().strip() or self.contains.text().strip())
            whole = "" if filtered else f" of {chosen.count:,}"
            self._position.setText(f"Records {first:,} to {last:,}{whole}")
        self._previous.setEnabled(not searched and page.offset > 0)
        self._next.setEnabled(not searched and page.more)
        self.text.clear()
        self.facts.set_pairs([])
        if page.records:
            self.records.selectRow(0)

    def _show_record(self, record: ChromaRecord) -> None:
        self.text.setPlainText(record.text or "This record has no text.")
        self.facts.set_pairs([("Id", record.id), *record.metadata])

    # --- taking over and handing out ----------------------------------------------------------------------

    def import_chosen(self, name: str, embedder_folder: str = "") -> None:
        """Make the chosen collection one of ours.

        Args:
            name: The name of the collection here.
            embedder_folder: The folder of the embedder that made its vectors; empty: found by comparison.
        """
        if (chosen := self.current) is not None:
            task = self._console.run(
                operations.import_from_chroma, self._imported, source=self._source,
                collection=chosen.name, name=name, embedder_folder=embedder_folder,
            )  # fmt: skip
            self.strip.follow(task)

    def export(self, collection: str, target: str, name: str) -> None:
        """Write the active version of a collection to a folder or server, under a name there."""

        def show(count: int) -> None:
            written = counted(count, "record was", "records were")
            self._console.notice.emit(f"{written} written to {target}.", "info")

        task = self._console.run(
            operations.export_to_chroma, show, collection=collection, target=target, name=name
        )
        self.strip.follow(task)

    def _imported(self, report: ChromaImport) -> None:
        self._console.data_changed.emit()
        self._console.notice.emit(report.sentence(), "info" if report.known else "bad")
        self.versions_requested.emit(report.collection)

    def _ask_import(self) -> None:
        if (chosen := self.current) is None:
            return
        name, accepted = QInputDialog.getText(
            self, "Import as a collection", "Name of the collection here", text=chosen.name
        )
        if accepted and name.strip():
            self.import_chosen(name)

    def _choose_export(self) -> None:
        names = [c.name for c in list_collections(self._console.database) if c.chunk_count]
        if not names:
            self._console.notice.emit("There is no collection with documents to export yet.", "info")
            return
        dialog = ExportDialog(names, self)
        dialog.accepted.connect(
            lambda: self.export(
                dialog.collection.currentText(), dialog.target.text().strip(), dialog.name.text().strip()
            )
        )
        dialog.open()

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A Chroma folder")
        if folder:
            self.source_box.setEditText(folder)
            self.open()

    def _recent(self) -> list[str]:
        found = QSettings().value("chroma/recent") or []
        return [found] if isinstance(found, str) else [str(item) for item in found]

    def _remember(self, source: str) -> None:
        recent = [source, *(item for item in self._recent() if item != source)][:_RECENT]
        QSettings().setValue("chroma/recent", recent)
        self.source_box.clear()
        self.source_box.addItems(recent)

    # --- making -------------------------------------------------------------------------------------------

    def _make_content(self) -> QWidget:
        left = Panel("Collections there")
        left.body.addWidget(self.collections, 1)
        left.body.addLayout(row(button("Import as a collection…", self._ask_import, primary=True), 1))
        right = Panel()
        self._collection_line = ElidedLabel()
        self._collection_line.setProperty("role", "muted")
        self._position = label("", "muted")
        self._previous = button("Previous", lambda: self.browse(max(self._offset - _PAGE, 0)))
        self._next = button("Next", lambda: self.browse(self._offset + _PAGE))
        self.where.setPlaceholderText('Metadata: page > 3 and source = "a.pdf"')
        self.where.setAccessibleName("Metadata filter")
        self.contains.setPlaceholderText("Text contains…")
        self.contains.setAccessibleName("Text contains")
        self.query.setPlaceholderText("Search by text, when the embedder is known")
        self.query.setAccessibleName("Search by text")
        for field in (self.where, self.contains):
            field.returnPressed.connect(self.browse)
            field.setClearButtonEnabled(True)
        self.query.returnPressed.connect(self.search_text)
        filters = row((self.where, 3), (self.contains, 2), button("Filter", self.browse))
        self.like_button = button("Similar to this record", self.search_like)
        search = Toolbar(self.query, button("Search", self.search_text), self.like_button)
        right.body.addWidget(self._collection_line)
        right.body.addLayout(filters)
        right.body.addWidget(search)
        detail = Splitter("chroma/detail", self.text, column(self.facts, 1, right=SMALL_SPACE), (460, 260))
        right.body.addWidget(Splitter("chroma/records", self.records, detail, (340, 200), vertical=True), 1)
        right.body.addLayout(row(self._position, 1, self._previous, self._next))
        return Splitter("chroma/splitter", left, right, (400, 780), stretch=(0, 1))


class ExportDialog(QDialog):
    """A dialog that asks what to export, where to and under which name."""

    def __init__(self, collections: list[str], parent: QWidget) -> None:
        """Offer these collections."""
        super().__init__(parent)
        self.setWindowTitle("Export a version to Chroma")
        self.collection, self.target, self.name = QComboBox(), QLineEdit(), QLineEdit()
        self.collection.addItems(collections)
        self.collection.setAccessibleName("Collection")
        self.target.setPlaceholderText("A new folder, or http://localhost:8000")
        self.target.setAccessibleName("Where to")
        self.target.setMinimumWidth(340)
        self.name.setPlaceholderText("ragdeck-v…")
        self.name.setAccessibleName("Name there")
        form = QFormLayout()
        form.addRow("Collection", self.collection)
        form.addRow("Where to", row(self.target, button("Choose…", self._choose)))
        form.addRow("Name there", self.name)
        buttons = dialog_buttons(self, "Export", self.accept)
        self._export = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self._export.setEnabled(False)
        self.target.textChanged.connect(lambda text: self._export.setEnabled(bool(text.strip())))
        layout = QVBoxLayout(self)
        layout.addWidget(
            label("Exports the active version's chunks with their vectors and metadata.", "muted", wrap=True)
        )
        layout.addLayout(form)
        layout.addWidget(buttons)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "An empty folder for the export")
        if folder:
            self.target.setText(folder)
