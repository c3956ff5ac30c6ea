"""The tab "Documents": the documents of the active version, and the chunks of the chosen one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QInputDialog, QWidget

from app.console import Console, Offer
from app.pages.collections.chunk_browser import ChunkBrowser
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, Splitter, column, confirm
from app.widgets.navigation import SearchField
from rag import operations
from rag.governance.rows import ErasureReport
from rag.knowledge.rows import CollectionRow, DocumentRow, VersionMade, attributes_of, list_documents
from rag.text.file_keys import path_of


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


def _searched(document: DocumentRow) -> str:
    """Return what a document is found by."""
    return f"{document.name} {document.title} {document.source} {_notes(document)}".lower()


# Files that a desktop may run when they are opened: their folder is shown instead.
_RUN_WHEN_OPENED = frozenset(
    ".bat .cmd .com .command .csh .desktop .exe .hta .jar .js .jse .ksh .lnk .mjs .msi .php .pl .ps1 .py "
    ".pyw "
    ".rb .reg .scr .sh .url .vbe .vbs .wsf .zsh".split()
)

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
        self.search = SearchField("Find a document")
        self.search.searched.connect(lambda _text: self.show_collection(self._collection))
        self.open_button = button("Open", self._open_chosen, tip="Open the original file with its program")
        self.edit_button = button("Edit metadata…", lambda: self._ask_for_metadata(self._chosen[0]))
        self.remove_button = button("Remove", lambda: self.remove(self._chosen))
        self.erase_button = button("Erase for good…", lambda: self._confirm_erasure(self._chosen[0]))
        self.account = label("", "muted", wrap=True)
        self.account.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.account.setAccessibleName("What of the document was read")
        self.chunks = ChunkBrowser(console)
        tools = Toolbar(self.open_button, self.remove_button, self.edit_button, self.erase_button, 1)
        above = column(Flow(self.search, self.incomplete_only), tools, (self.table, 1))
        below = column(self.account, (self.chunks, 1))
        column((Splitter("collections/documents", above, below, (260, 300), vertical=True), 1), holder=self)
        self.table.record_selected.connect(self._show_document)
        self.table.actions_for = self._actions
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.table.records_model.modelReset.connect(self._enable)
        self.chunks.changed.connect(self._changed)
        self.chunks.trace_requested.connect(self.trace_requested)

    def show_collection(self, collection: CollectionRow | None) -> None:
        """List the documents of the active version; the chosen document stays chosen if it is still there."""
        self._collection = collection
        chosen: list[DocumentRow] = self.table.selected_records()
        version = collection.active_version_id if collection else None
        only = self.incomplete_only.isChecked()
        rows = list_documents(self._console.database, version, left_out=only) if version else []
        words = self.search.text().lower().split()
        found = [document for document in rows if all(word in _searched(document) for word in words)]
        if words and rows:
            empty = "No document has these words in its name, title, path or metadata."
        else:
            empty = "Nothing was left out of any document." if only else "This version contains no documents."
        self.table.set_empty_text(empty)
        rows = found
        self.table.set_records(rows, keep_sort=True)
        if not (chosen and self.table.choose(lambda document: document.source == chosen[0].source)):
            self.chunks.clear()
            self.account.clear()
            self.table.choose(lambda _document: True)

    def open_chunk(self, document_id: int, chunk_id: int) -> None:
        """Choose a document, and one of its chunks."""
        self.incomplete_only.setChecked(False)  # the document may be one that it hides
        if self.search.text():
            self.search.clear()
            self.show_collection(self._collection)
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

        name = self._collection.name

        def show(made: VersionMade) -> None:
            self._console.data_changed.emit()
            self._console.offer.emit(
                Offer(
                    f"Version {made.number}: {made.message}.", "Undo", lambda: self._undo(name),
                    f"documents of {name}",
                )
            )  # fmt: skip

        task = self._console.run(
            operations.remove_documents, show, collection=self._collection.name,
            document_ids=[document.id for document in documents],
        )  # fmt: skip
        self._strip.follow(task)

    def _undo(self, collection: str) -> None:
        """Go back to the version before, which brings removed documents back."""
        task = self._console.run(
            operations.undo_version,
            lambda report: self._changed(f"Version {report.number} of “{collection}” is active again."),
            collection=collection,
        )
        self._strip.follow(task)

    def open_original(self, document: DocumentRow) -> None:
        """Open the file of a document with the program that the desktop has for it, or say why not."""
        path = path_of(document.source)
        if not path.is_file():
            self._console.notice.emit(
                f"The file of “{document.name}” is not at {document.source} any more. "
                "Its text is still here.",
                "bad",
            )
            return
        runs = path.suffix.lower() in _RUN_WHEN_OPENED
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent if runs else path))):
            self._console.notice.emit(f"Your desktop has no program that opens {path.name}.", "bad")
        elif runs:
            self._console.notice.emit(
                f"{path.name} might be run instead of shown, so its folder was opened.", "info"
            )

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

    @property
    def _chosen(self) -> list[DocumentRow]:
        return self.table.selected_records()

    def _open_chosen(self) -> None:
        self.open_original(self._chosen[0])

    def _enable(self) -> None:
        """Enable what can be done with the chosen documents, and say of the rest why not."""
        count = len(self._chosen)
        none, one = ("Choose a document first.", "Choose one document only.")
        allow(self.remove_button, "" if count else none)
        for made in (self.open_button, self.edit_button, self.erase_button):
            allow(made, none if not count else one if count > 1 else "")

    def _actions(self, records: list[DocumentRow]) -> list[tuple[str, Callable[[], None]]]:
        actions: list[tuple[str, Callable[[], None]]] = [
            ("Remove from the collection", lambda: self.remove(records))
        ]
        if len(records) == 1:
            actions += [
                ("Open the original", lambda: self.open_original(records[0])),
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
