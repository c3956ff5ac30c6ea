"""One line that follows an operation in the engine: what it does, how far it is, and Cancel."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QFrame, QProgressBar

from app.engine.client import Task
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import row


class TaskStrip(QFrame):
    """Hidden unless it follows something."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._task: Task | None = None
        self._title, self._stage = label("", "section"), label("", "muted")
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress")
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(220)
        layout = row(self._title, self._stage, 1, self._bar, button("Cancel", self.cancel), margins=8)
        self.setLayout(layout)
        self.hide()

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def follow(self, task: Task) -> None:
        """Show the task's events (a stage, done and total) until it ends."""
        self._task = task
        self._title.setText(task.title)
        self._stage.setText("waiting for the engine")
        self._bar.setRange(0, 0)
        task.event.connect(self._show_event)
        task.ended.connect(lambda: self._end(task))
        self.show()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _show_event(self, event: Any) -> None:
        done, total = getattr(event, "done", None), getattr(event, "total", 0)
        if done is None:
            return
        self._bar.setRange(0, total if total > 1 else 0)
        self._bar.setValue(min(done, total))
        self._stage.setText(f"{event.stage} {done:,} of {total:,}" if total > 1 else event.stage)

    def _end(self, task: Task) -> None:
        if self._task is task:
            self._task = None
            self.hide()
