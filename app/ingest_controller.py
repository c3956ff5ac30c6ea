"""How files get into a collection: the dialogs, the question before many files, and the queue of imports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QComboBox, QDialog, QInputDialog, QWidget

from app.console import Console, Notice
from app.engine.client import Task
from app.engine.task_queue import TaskQueue
from app.shared.file_choice import choose_files, choose_folder
from app.widgets.labels import label
from app.widgets.layout import column, confirm, dialog_buttons
from app.widgets.progress import ProgressPanel
from app.widgets.theme import SPACE
from rag import operations
from rag.knowledge.rows import IngestReport, list_collections
from rag.operations import Operation
from rag.sample.rows import SAMPLE_COLLECTION
from rag.text.plurals import counted

DEFAULT_COLLECTION = "Documents"
_CONFIRM_ABOVE = 200  # files


class IngestController(QObject):
    """The imports that were asked for: the one that runs and those that wait behind it.

    Pause and Cancel act on the one that is shown as running, however many were dropped after it.
    """

    started = Signal()  # an import was queued: its progress is worth a look
    ingested = Signal(object)  # the IngestReport
    models_chosen = Signal(list)  # paths of GGUF files among what was dropped

    def __init__(self, console: Console, window: QWidget) -> None:
        """Make an empty queue; dialogs open in front of the window."""
        super().__init__(window)
        self._console = console
        self._window = window
        self.queue = TaskQueue(self)
        self._handed: list[str] = []  # before the engine was ready
        console.engine.ready.connect(lambda *_: self._take_handed())

    @property
    def is_busy(self) -> bool:
        """Whether an import is running or queued."""
        return self.queue.first is not None

    # --- what is to be imported ---------------------------------------------------------------------------

    def choose_files(self, collection: str) -> None:
        """Ask for files to add to the collection, and for its name where it is empty."""
        collection = collection or self._ask_for_name()
        if collection:
            self.add_paths(choose_files(self._window, f"Add files to “{collection}”"), collection)

    def choose_folder(self, collection: str) -> None:
        """Ask for a folder to add to the collection, and for its name where it is empty."""
        collection = collection or self._ask_for_name()
        if collection:
            folder = choose_folder(self._window, f"Add a folder to “{collection}”")
            self.add_paths([folder] if folder else [], collection)

    def add_paths(self, paths: list[str], collection: str) -> None:
        """Add files and folders; more than 200 files only after a yes. GGUF files become models."""
        models = [path for path in paths if path.lower().endswith(".gguf")]
        if models:
            self.models_chosen.emit(models)
        documents = [path for path in paths if path not in models]
        if documents:
            counted_files = partial(self._confirm, documents, collection)
            self._console.run(operations.count_files, counted_files, paths=documents)

    def add_handed(self, paths: list[str]) -> None:
        """Add files that were dropped on the launcher; where there are several collections, ask for one."""
        if not self._console.engine.is_ready:  # it may be bringing the data up to date
            self._handed += paths
            return
        names = [row.name for row in list_collections(self._console.database)]
        own = [name for name in names if name != SAMPLE_COLLECTION]
        if len(own) < 2 or all(path.lower().endswith(".gguf") for path in paths):
            self.add_paths(paths, own[0] if own else DEFAULT_COLLECTION)
        else:
            CollectionDialog(own, paths, partial(self.add_paths, paths), self._window).open()

    def _take_handed(self) -> None:
        paths, self._handed = self._handed, []
        if paths:
            self.add_handed(paths)

    def _ask_for_name(self) -> str:
        name, accepted = QInputDialog.getText(
            self._window, "Add documents", "Name of the collection", text=DEFAULT_COLLECTION
        )
        return name.strip() if accepted else ""

    def _confirm(self, paths: list[str], collection: str, counts: tuple[int, int, int]) -> None:
        files, size, refused = counts
        if files <= _CONFIRM_ABOVE:
            self.start_ingest(paths, collection)
            return
        confirm(
            self._window,
            "Add documents",
            f"Add {counted(files, 'file')} ({size / 2**20:,.0f} MB) to “{collection}”? "
            f"{refused:,} more would be left out.",
            "Add",
            partial(self.start_ingest, paths, collection),
        )

    # --- the queue ----------------------------------------------------------------------------------------

    def start_ingest(self, paths: list[str], collection: str) -> None:
        """Import these files and folders, behind what is being imported already."""
        title = _title(paths, collection)
        self._run(operations.ingest_files.titled(title), collection=collection, paths=paths)

    def start_sample(self) -> None:
        """Import the sample collection."""
        self._run(operations.ingest_sample)

    def attach(self, panel: ProgressPanel) -> None:
        """Show the queue in a panel from now on, and do what its buttons say."""
        panel.cancel_requested.connect(self.queue.cancel)
        panel.pause_requested.connect(self.queue.set_paused)
        panel.removal_requested.connect(self._remove)
        self.queue.progressed.connect(panel.update_progress)
        self.queue.changed.connect(partial(self._show_in, panel))
        self._show_in(panel)

    def _run(self, operation: Operation[IngestReport], **arguments: Any) -> None:
        if self.is_busy:
            self._console.notice.emit("Another import is running. These files are queued.", Notice.INFO)
        task = self._console.run(operation, self.ingested.emit, **arguments)
        task.cancelled.connect(partial(self._cancelled, task))
        self.queue.add(task)
        task.ended.connect(self._console.data_changed.emit)
        self.started.emit()

    def _cancelled(self, task: Task) -> None:
        self._console.notice.emit(
            "Cancelled. Finished files are kept; adding them again goes on from there."
            if task is self.queue.first
            else f"Taken out of the queue: {task.title}.",
            Notice.INFO,
        )

    def _remove(self, number: int) -> None:
        """Cancel the queued import with this number, from 0."""
        if number < len(self.queue.waiting):
            self.queue.waiting[number].cancel()

    def _show_in(self, panel: ProgressPanel) -> None:
        first = self.queue.first
        panel.show_import(first.id if first else None, first.title if first else "")
        panel.show_waiting([task.title for task in self.queue.waiting])


class CollectionDialog(QDialog):
    """A dialog that asks to which collection files are added; a new name makes a new one."""

    def __init__(
        self, names: list[str], paths: list[str], add: Callable[[str], object], parent: QWidget
    ) -> None:
        """Offer these collections.

        Args:
            names: The collections that there are.
            paths: The files and folders to add.
            add: What is called with the chosen name.
            parent: The window.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Add documents")
        self.setAccessibleName("Add documents")
        self._add = add
        self.box = QComboBox()
        self.box.setEditable(True)
        self.box.setAccessibleName("Collection")
        self.box.addItems(names)
        what = (
            f"“{Path(paths[0]).name}”"
            if len(paths) == 1
            else counted(len(paths), "file or folder", "files and folders")
        )
        column(
            label(f"Add {what} to which collection? A new name makes a new one.", wrap=True),
            self.box,
            dialog_buttons(self, "Add", self._accept),
            holder=self,
        )
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)

    def _accept(self) -> None:
        name = self.box.currentText().strip()
        if name:
            self.accept()
            self._add(name)


def _title(paths: list[str], collection: str) -> str:
    """Return what is imported: the queue would otherwise show equal lines."""
    names = [Path(path).name or path for path in paths]
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"Adding {names[0]}{more} to “{collection}”"
