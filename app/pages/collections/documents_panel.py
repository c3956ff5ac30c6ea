"""The tab "Documents": the documents of the active version, and the chunks of the chosen one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QInputDialog, QWidget

from app.console import Console
from app.pages.collections.chunk_browser import ChunkBrowser
from app.shared.task_strip import TaskStrip
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, confirm, row
from rag import operations
from rag.governance.rows import ErasureReport
from rag.knowledge.rows import CollectionRow, DocumentRow, VersionMade, attributes_of, list_documents


def size_text(size: int) -> str:
    """Return a size in bytes as a person reads it."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{size / 1024:,.0f} KB"


def _notes(document: DocumentRow) -> str:
    """Return the metadata that a person wrote, and how many chunks are excluded."""
    parts = [f"{name}: {value}" for name, value in attributes_of(document.attributes).items()]
    if document.excluded_count:
        parts.append(f"{document.excluded_count} excluded")
    return ", ".join(parts)


def _left_out(document: DocumentRow) -> str:
    """Return how many things of a document were not read; a dash where nobody counted them."""
    return (f"{document.left_out:,}" if document.left_out else "") if document.account else "–"


DOCUMENT_COLUMNS = (
    Column("Name", lambda d: d.name, 240, stretch=True, tooltip=lambda d: d.source),
    Column("Kind", lambda d: d.media_type.split("/")[-1].split(".")[-1][:22], 110),
    Column("Size", lambda d: size_text(d.size_bytes), 76, right=True, sort=lambda d: d.size_bytes),
    Column("Chunks", lambda d: f"{d.chunk_count:,}", 66, right=True, sort=lambda d: d.chunk_count),
    Column("Tokens", lambda d: f"{d.token_count:,}", 72, right=True, sort=lambda d: d.token_count),
    Column("Left out", _left_out, 70, right=True, sort=lambda d: d.left_out,
           tooltip=lambda d: "\n".join(d.account_lines), colour=lambda d: "check" if d.left_out else None),
    Column("Notes", _notes, 130, tooltip=_notes),
)  # fmt: skip


class DocumentsPanel(QWidget):
    """A table of documents above the chunks of the chosen one, with what can be done with a document."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, strip: TaskStrip) -> None:
        super().__init__()
        self._console, self._strip = console, strip
        self._collection: CollectionRow | None = None
        self.table = RecordTable(
            DOCUMENT_COLUMNS, console.theme, "documents", "This version contains no documents."
        )
        self.incomplete_only = QCheckBox("Only with something left out")
        self.incomplete_only.setToolTip("Documents whose files have something that is not in their text")
        self.incomplete_only.toggled.connect(lambda _on: self.show_collection(self._collection))
        self.account = label("", "muted", wrap=True)
        self.account.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.account.setAccessibleName("What of the document was read")
        self.chunks = ChunkBrowser(console)
        above = column(row(self.incomplete_only, 1), (self.table, 1))
        below = column(self.account, (self.chunks, 1))
        column((Splitter("collections/documents", above, below, (260, 300), vertical=True), 1), holder=self)
        self.table.record_selected.connect(self._show_document)
        self.table.actions_for = self._actions
        self.chunks.changed.connect(self._changed)
        self.chunks.trace_requested.connect(self.trace_requested)

    def show_collection(self, collection: CollectionRow | None) -> None:
        """List the documents of the active version; the chosen document stays chosen if it is still there."""
        self._collection = collection
        chosen: list[DocumentRow] = self.table.selected_records()
        version = collection.active_version_id if collection else None
        only = self.incomplete_only.isChecked()
        rows = list_documents(self._console.database, version, left_out=only) if version else []
        self.table.set_empty_text(
            "Nothing was left out of any document." if only else "This version contains no documents."
        )
        self.table.set_records(rows, keep_sort=True)
        if not (chosen and self.table.choose(lambda document: document.source == chosen[0].source)):
            self.chunks.clear()
            self.account.clear()
            self.table.choose(lambda _document: True)

    def open_chunk(self, document_id: int, chunk_id: int) -> None:
        """Choose a document, and one of its chunks."""
        self.incomplete_only.setChecked(False)  # the document may be one that it hides
        if self.table.choose(lambda document: document.id == document_id):
            self.chunks.table.choose(lambda chunk: chunk.id == chunk_id)

    def open_document(self, source: str, chunk_id: int = 0) -> bool:
        """Choose a document by its source, and one of its chunks; False when the version has it no more."""
        self.incomplete_only.setChecked(False)  # it may be one that is hidden
        found = self.table.choose(lambda document: document.source == source)
        if found and chunk_id:
            self.chunks.table.choose(lambda chunk: chunk.id == chunk_id)
        return found

    def remove(self, documents: list[DocumentRow]) -> None:
        """Make a version without these documents."""
        if self._collection is None:
            return

        def show(made: VersionMade) -> None:
            self._changed(
                f"Version {made.number}: {made.message}. Undo on the Versions page brings them back."
            )

        task = self._console.run(
            operations.remove_documents, show, collection=self._collection.name,
            document_ids=[document.id for document in documents],
        )  # fmt: skip
        self._strip.follow(task)

    def edit_metadata(self, document: DocumentRow, text: str) -> None:
        """Store the metadata of a document, written as one “name: value” per line."""
        if self._collection is None:
            return
        pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
        wrong = [name for name, colon, _ in pairs if not colon]
        if wrong:
            self._console.notice.emit(
                f"“{wrong[0]}” does not read “name: value”, so nothing was changed.", "bad"
            )
            return
        task = self._console.run(
            operations.edit_document,
            lambda made: self._changed(f"Version {made.number}: {made.message}."),
            collection=self._collection.name, document_id=document.id,
            attributes={name.strip(): value.strip() for name, _, value in pairs},
        )  # fmt: skip
        self._strip.follow(task)

    def erase(self, document: DocumentRow) -> None:
        """Erase a document from everything that is stored."""
        if self._collection is not None:
            task = self._console.run(
                operations.erase_document, self._erased,
                collection=self._collection.name, document=document.source,
            )  # fmt: skip
            self._strip.follow(task)

    def _show_document(self, document: DocumentRow) -> None:
        self.account.setText("\n".join(document.account_lines))
        collection = self._collection
        if collection and collection.active_version_id:
            kept = self.chunks.current
            self.chunks.show_document(
                collection.name, collection.active_version_id, document.id, kept.id if kept else 0
            )

    def _actions(self, records: list[DocumentRow]) -> list[tuple[str, Callable[[], None]]]:
        actions: list[tuple[str, Callable[[], None]]] = [
            ("Remove from the collection", lambda: self.remove(records))
        ]
        if len(records) == 1:
            actions += [
                ("Edit metadata…", lambda: self._ask_for_metadata(records[0])),
                ("Erase for good…", lambda: self._confirm_erasure(records[0])),
            ]
        return actions

    def _ask_for_metadata(self, document: DocumentRow) -> None:
        present = "\n".join(f"{name}: {value}" for name, value in attributes_of(document.attributes).items())
        text, accepted = QInputDialog.getMultiLineText(
            self,
            f"Metadata of {document.name}",
            "One “name: value” per line. Leave it empty to remove all metadata.",
            present,
        )
        if accepted:
            self.edit_metadata(document, text)

    def _confirm_erasure(self, document: DocumentRow) -> None:
        confirm(
            self, "Erase for good",
            f"Erase “{document.name}” from every version, every index and every stored answer, and copies of "
            "it in other collections? Its file stays where it is. This cannot be undone.",
            "Erase", lambda: self.erase(document), destructive=True,
        )  # fmt: skip

    def _erased(self, report: ErasureReport) -> None:
        self._console.data_changed.emit()
        self._console.notice.emit(
            "  ".join([report.sentence(), *report.notes]), "info" if report.clean else "bad"
        )

    def _changed(self, sentence: str) -> None:
        self._console.data_changed.emit()
        self._console.notice.emit(sentence, "info")
