"""The dialog for a new collection: name, files, embedder and chunk size, with a preview of the chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.shared.file_choice import choose_files, choose_folder
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, dialog_buttons, row, scrolled
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.knowledge.preview.rows import ChunkPreview
from rag.knowledge.rows import list_collections

_PAUSE_MS = 300  # after the last change, before the preview is made anew

CHUNK_COLUMNS = (
    Column("File", lambda c: Path(c.path).name, 110, tooltip=lambda c: c.path),
    Column("Place", lambda c: c.place, 90, tooltip=lambda c: c.place, priority=2),
    Column("Tokens", lambda c: f"{c.token_count:,}", 62, right=True, sort=lambda c: c.token_count),
    Column("Text", lambda c: " ".join(c.text.split())[:200], 220, stretch=True),
)


class NewCollectionDialog(QDialog):
    """A form for a new collection. `created` says its name and the files once it is made."""

    created = Signal(str, list)

    def __init__(self, console: Console, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console = console
        self._task: Task | None = None  # the preview that is being made
        self.setWindowTitle("New collection")
        self.resize(scaled(900), scaled(560))
        self.setAcceptDrops(True)
        self._taken = {found.name for found in list_collections(console.database)}
        chunking = console.settings.chunking
        self.name = QLineEdit(placeholderText="Made from the folder or the first file")
        self.name.setAccessibleName("Name of the collection")
        self.files = QListWidget()
        self.files.setAccessibleName("Files and folders to add")
        self.files.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.files.setMinimumHeight(scaled(70))
        self.embedder = QLineEdit(placeholderText="The usual embedder")
        self.embedder.setAccessibleName("Embedder folder")
        self.embedder.setClearButtonEnabled(True)
        self.max_tokens = QSpinBox(minimum=32, maximum=2048, value=chunking.max_tokens)
        self.max_tokens.setAccessibleName("Maximum chunk size, in tokens")
        self.overlap = QSpinBox(minimum=0, maximum=512, value=chunking.overlap_tokens)
        self.overlap.setAccessibleName("Overlap of neighbouring chunks, in tokens")
        for spin in (self.max_tokens, self.overlap):
            spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
        self.keep_encoded = QCheckBox("Chunk base64 and minified code too")
        self.keep_encoded.setChecked(chunking.keep_encoded)
        self.chunks = RecordTable(
            CHUNK_COLUMNS,
            console.theme,
            "preview_chunks",
            "Choose files or a folder to see their first chunks.",
        )
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setAccessibleName("Text of the chosen chunk")
        self.status = label("", "muted", wrap=True)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._lay_out()
        self._connect()
        self._enable()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setVerticalSpacing(8)
        self.remove_button = button("Remove", self._remove)
        choosing = row(
            button("Files…", self._choose_files, primary=True), button("A folder…", self._choose_folder),
            self.remove_button, 1,
        )  # fmt: skip
        form.addRow("Name", self.name)
        form.addRow("Files", column(self.files, choosing))
        form.addRow("Embedder", row((self.embedder, 1), button("Choose…", self._choose_embedder)))
        form.addRow("Chunk size, tokens", self.max_tokens)
        form.addRow("Overlap, tokens", self.overlap)
        form.addRow("Encoded text", self.keep_encoded)
        holder = QWidget()
        holder.setLayout(form)
        shown = column(self.status, (self.chunks, 2), (self.text, 1))
        self.buttons = dialog_buttons(self, "Create", self._create)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(
            Splitter("collections/new", scrolled(holder), shown, (400, 480), least=(300, 260)), 1
        )
        layout.addWidget(self.buttons)

    def _connect(self) -> None:
        self.name.textChanged.connect(lambda _text: self._enable())
        self.chunks.record_selected.connect(lambda chunk: self.text.setPlainText(chunk.text))
        self.files.itemSelectionChanged.connect(self._enable)
        self._pause.timeout.connect(self._preview)
        for changed in (
            self.embedder.textChanged, self.max_tokens.valueChanged, self.overlap.valueChanged,
            self.keep_encoded.toggled,
        ):  # fmt: skip
            changed.connect(lambda _value: self._changed())

    # --- what is chosen -----------------------------------------------------------------------------------

    @property
    def paths(self) -> list[str]:
        """The files and folders that were chosen."""
        return [self.files.item(place).text() for place in range(self.files.count())]

    @property
    def collection(self) -> str:
        """The name that the collection will have: as typed, else made from what was chosen."""
        return (
            self.name.text().strip() or self.name.placeholderText()
            if self.paths
            else self.name.text().strip()
        )

    def add_paths(self, paths: list[str]) -> None:
        """Add files and folders to what was chosen, each once."""
        new = [path for path in paths if path not in self.paths]
        self.files.addItems(new)
        if new:
            self._suggest_name()
            self._changed()

    def _suggest_name(self) -> None:
        """Offer a name that is free, made from the first folder or file."""
        first = Path(self.paths[0])
        base = (first.name if first.is_dir() else first.stem) or "Documents"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base} {number}"
        self.name.setPlaceholderText(name)

    def _choose_files(self) -> None:
        self.add_paths(choose_files(self, "Files for the new collection"))

    def _choose_folder(self) -> None:
        if folder := choose_folder(self, "A folder for the new collection"):
            self.add_paths([folder])

    def _remove(self) -> None:
        for item in self.files.selectedItems():
            self.files.takeItem(self.files.row(item))
        if not self.paths:
            self.name.setPlaceholderText("Made from the folder or the first file")
        self._changed()

    def _choose_embedder(self) -> None:
        if folder := choose_folder(self, "A sentence-transformers folder"):
            self.embedder.setText(folder)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that may be copied; never a move, after which their source might delete them."""
        if _local_paths(event.mimeData()) and event.possibleActions() & Qt.DropAction.CopyAction:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add the files that were dropped."""
        if event.possibleActions() & Qt.DropAction.CopyAction:
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self.add_paths(_local_paths(event.mimeData()))

    # --- the preview --------------------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        return {
            "max_tokens": self.max_tokens.value(),
            "overlap_tokens": self.overlap.value(),
            "keep_encoded": self.keep_encoded.isChecked(),
            "embedder_folder": self.embedder.text().strip(),
        }

    def _changed(self) -> None:
        """Stop the preview of what was chosen before, and make another when nothing changes for a moment."""
        self._stop()
        self._enable()
        if self.paths:
            self.status.setText("Reading the first chunks…")
            self._pause.start()
        else:
            self._pause.stop()
            self.status.clear()
            self.chunks.set_records([])
            self.text.clear()

    def _preview(self) -> None:
        task = self._console.engine.start(operations.preview_chunks, paths=self.paths, **self._settings())
        self._task = task
        task.finished.connect(lambda found: self._show(found) if task is self._task else None)
        task.failed.connect(lambda why, details: self._refused(why, details) if task is self._task else None)

    def _show(self, found: ChunkPreview) -> None:
        self._task = None
        left = [f"{Path(one.path).name}: {one.detail}" for one in found.left_out[:3]]
        more = f" … and {len(found.left_out) - 3:,} more." if len(found.left_out) > 3 else ""
        self.status.setText("\n".join([found.sentence(), *left]) + more)
        self.chunks.set_records(found.chunks)
        self.text.clear()
        if found.chunks:
            self.chunks.selectRow(0)

    def _refused(self, sentence: str, details: str) -> None:
        self._task = None
        self.status.setText(sentence)
        self.chunks.set_records([])
        self.text.clear()
        if details:
            self._console.report_failure(sentence, details)

    def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done:
            task.cancel()

    def done(self, result: int) -> None:
        """Close, and stop what is still being read."""
        self._pause.stop()
        self._stop()
        super().done(result)

    # --- making it ----------------------------------------------------------------------------------------

    def _enable(self) -> None:
        name, taken = self.collection, self.collection in self._taken
        create = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        taken_words = f"There is already a collection named “{name}”. Choose another name."
        allow(create, taken_words if taken else "" if name else "Type a name, or choose files.")
        create.setText("Create and add" if self.paths else "Create")
        allow(self.remove_button, "" if self.files.selectedItems() else "Choose a line of the list first.")
        if taken:
            self.status.setText(taken_words)

    def _create(self) -> None:
        """Make the collection; the dialog stays open when that is refused."""
        paths = self.paths
        self.buttons.setEnabled(False)
        task = self._console.engine.start(
            operations.create_collection, name=self.collection, **self._settings()
        )

        def made(name: str) -> None:
            self.accept()
            self.created.emit(name, paths)

        task.finished.connect(made)
        task.failed.connect(self._refused)
        task.ended.connect(lambda: self.buttons.setEnabled(True))


def _local_paths(data: QMimeData) -> list[str]:
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
