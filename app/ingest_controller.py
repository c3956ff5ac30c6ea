"""How files get into a collection: the dialogs, the question before many files, and the queue of imports."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog, QWidget

from app.console import Console, Notice
from app.engine.client import Task
from app.engine.task_queue import TaskQueue
from app.shared.file_choice import choose_files, choose_folder
from app.widgets.layout import confirm
from app.widgets.progress import ProgressPanel
from rag import operations
from rag.knowledge.rows import IngestReport
from rag.operations import Operation
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


def _title(paths: list[str], collection: str) -> str:
    """Return what is imported: the queue would otherwise show equal lines."""
    names = [Path(path).name or path for path in paths]
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return f"Adding {names[0]}{more} to “{collection}”"
