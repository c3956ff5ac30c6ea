"""A panel that shows how far an import is, and what waits behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QProgressBar, QVBoxLayout

from app.widgets.buttons import button
from app.widgets.labels import ElidedLabel, label
from app.widgets.layout import Panel, row
from app.widgets.theme import Theme
from rag.text.plurals import counted


class ProgressPanel(Panel):
    """An import at work: what it does, how far it is, how to stop it, and the imports that wait behind it."""

    cancel_requested = Signal()
    pause_requested = Signal(bool)
    removal_requested = Signal(int)  # the number of a queued import, from 0
    progressed = Signal(object)  # what it was shown, for those who list the files
    import_ended = Signal()  # the import that was shown is over, well or not

    def __init__(self, theme: Theme) -> None:
        """Make a hidden panel."""
        super().__init__()
        self._shown: int | None = None
        self._title, self._detail, self._rate = label("", "section"), label("", "muted"), label("", "small")
        self._files, self._chunks = QProgressBar(), QProgressBar()
        self._files.setAccessibleName("Progress over all files")
        self._chunks.setAccessibleName("Progress over the chunks read so far")
        self._pause = button("Pause", self._toggle)
        self._paused = False
        self._note = label("Another import is running. These files are queued.", "muted")
        self._queue = QVBoxLayout()
        self._queue.setSpacing(2)
        self._queued: list[_QueuedImport] = []
        top = row(self._title, 1, self._rate, self._pause, button("Cancel", self.cancel_requested.emit))
        self.body.addLayout(top)
        for widget in (self._files, self._chunks, self._detail, self._note):
            self.body.addWidget(widget)
        self.body.addLayout(self._queue)
        self._note.hide()
        self.hide()

    @property
    def title(self) -> str:
        """What the import that is shown as running does."""
        return self._title.text()

    @property
    def stage(self) -> str:
        """How far it is, in words."""
        return self._detail.text()

    @property
    def waiting(self) -> list[str]:
        """The titles of the queued imports, the next one first."""
        return [queued.title for queued in self._queued]

    def show_import(self, number: int | None, title: str) -> None:
        """Show the import with this number from its beginning, unless it is shown; None hides the panel."""
        if self._shown not in (None, number):
            self.import_ended.emit()
        if number is None:
            self.hide()
        elif number != self._shown:
            self._title.setText(title)
            self._detail.setText("Waiting for the engine…")
            self._rate.clear()
            self._files.setRange(0, 0)
            self._chunks.setRange(0, 1)
            self._set_paused(False)
            self.show()
        self._shown = number

    def show_waiting(self, titles: Sequence[str]) -> None:
        """List the imports that wait behind it. Cancel, or Esc on a line, asks for its removal."""
        if list(titles) == self.waiting:
            return
        for queued in self._queued:
            queued.hide()  # it lives until the event loop is idle
            queued.deleteLater()
        self._queued = [_QueuedImport(title) for title in titles]
        for number, queued in enumerate(self._queued):
            queued.removal_requested.connect(partial(self.removal_requested.emit, number))
            self._queue.addWidget(queued)
        self._note.setVisible(bool(titles))

    def update_progress(self, event: Any) -> None:
        """Show how far the import is. event: rag.knowledge.rows.IngestProgress."""
        self._files.setRange(0, max(event.bytes_total, 1) // 1024 + 1)
        self._files.setValue(event.bytes_done // 1024)
        self._chunks.setRange(0, max(event.chunks_total, 1))
        self._chunks.setValue(min(event.chunks_done, max(event.chunks_total, 1)))
        name = re.split(r"[\\/]", event.file)[-1] if event.file else ""
        done = f"{event.files_done:,} of {counted(event.files_total, 'file')}"
        self._detail.setText(f"{event.stage.capitalize()}  {name}   ·   {done}")
        parts = [f"{event.chunks_per_s:.0f} chunks/s"] if event.chunks_per_s else []
        if event.remaining_s is not None:
            parts.append(f"about {_duration(event.remaining_s)} left")
        self._rate.setText("   ".join(parts))
        self.progressed.emit(event)

    def _toggle(self) -> None:
        self._set_paused(not self._paused)
        self.pause_requested.emit(self._paused)

    def _set_paused(self, paused: bool) -> None:
        self._paused = paused
        self._pause.setText("Resume" if paused else "Pause")
        self._pause.setAccessibleName(self._pause.text())


class _QueuedImport(QFrame):
    """A line of the queue with a button that takes it out, as Esc does on the button."""

    removal_requested = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        cancel = button(
            "Cancel", self.removal_requested.emit, link=True, tip="Take it out of the queue (Esc)"
        )
        cancel.setAccessibleName(f"Cancel {title}")
        self.setLayout(row((ElidedLabel(title), 1), cancel))

    def event(self, event: QEvent) -> bool:
        """Take Esc before the window does, whose shortcut it is."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask for the removal on Esc."""
        if _is_escape(event):
            self.removal_requested.emit()
        else:
            super().keyPressEvent(event)


def _is_escape(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
