"""One line that follows operations in the engine: what the first does, how far it is, and Cancel."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QFrame, QProgressBar

from app.engine.client import Task
from app.engine.task_queue import TaskQueue
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import row


class TaskStrip(QFrame):
    """A line that is hidden unless it follows something. Tasks behind the first are counted, and move up."""

    def __init__(self) -> None:
        """Make a hidden strip."""
        super().__init__()
        self.setObjectName("panel")
        self._queue = TaskQueue(self)
        self._shown: Task | None = None
        self._title, self._stage = label("", "section"), label("", "muted")
        self._waiting = label("", "small")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(220)
        cancel = button("Cancel", self.cancel)
        self.setLayout(row(self._title, self._stage, 1, self._waiting, self._bar, cancel, margins=8))
        self._queue.changed.connect(self._show)
        self._queue.progressed.connect(self._show_event)
        self.hide()

    @property
    def is_busy(self) -> bool:
        """Whether something is followed that has not ended."""
        return self._queue.first is not None

    @property
    def text(self) -> str:
        """What is shown: the title, the stage, and how many tasks wait."""
        parts = (self._title.text(), self._stage.text(), self._waiting.text())
        return "  ".join(part for part in parts if part)

    def follow(self, task: Task) -> None:
        """Show the task's events (a stage, done and total) until it ends, once those before it have ended."""
        self._queue.add(task)

    def cancel(self) -> None:
        """Cancel the task that is shown."""
        self._queue.cancel()

    def _show(self) -> None:
        first, waiting = self._queue.first, len(self._queue.waiting)
        self._waiting.setText(f"+{waiting} waiting" if waiting else "")
        if first is not self._shown and first is not None:
            self._title.setText(first.title)
            self._stage.setText("waiting for the engine")
            self._bar.setRange(0, 0)
        self._shown = first
        self.setVisible(first is not None)

    def _show_event(self, event: Any) -> None:
        done, total = getattr(event, "done", None), getattr(event, "total", 0)
        if done is None:
            return
        self._bar.setRange(0, total if total > 1 else 0)
        self._bar.setValue(min(done, total))
        self._stage.setText(f"{event.stage} {done:,} of {total:,}" if total > 1 else event.stage)
