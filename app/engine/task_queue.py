"""The tasks of one panel, in the order they were started: the first is shown, the others wait behind it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, Signal

from app.engine.client import Task


class TaskQueue(QObject):
    """A list of tasks that have not ended, whose first one a panel shows as running.

    A panel that remembers only the task started last would draw two into one bar and cancel the wrong one.
    """

    changed = Signal()  # another task is the first, or another number of tasks waits
    progressed = Signal(object)  # an event of the first task

    def __init__(self, parent: QObject | None = None) -> None:
        """Make an empty queue."""
        super().__init__(parent)
        self._tasks: list[Task] = []

    @property
    def first(self) -> Task | None:
        """The task that is shown as running."""
        return self._tasks[0] if self._tasks else None

    @property
    def waiting(self) -> list[Task]:
        """The tasks behind the first, the next one first."""
        return self._tasks[1:]

    def add(self, task: Task) -> None:
        """Put a task at the end until it has ended."""
        self._tasks.append(task)
        task.event.connect(partial(self._hand_on, task))
        task.ended.connect(partial(self._remove, task))
        self.changed.emit()

    def cancel(self) -> None:
        """Cancel the first task."""
        if self._tasks:
            self._tasks[0].cancel()

    def set_paused(self, paused: bool) -> None:
        """Pause the first task, or let it go on."""
        if self._tasks and paused:
            self._tasks[0].pause()
        elif self._tasks:
            self._tasks[0].resume()

    def _hand_on(self, task: Task, event: object) -> None:
        if task is self.first:
            self.progressed.emit(event)

    def _remove(self, task: Task) -> None:
        self._tasks.remove(task)
        self.changed.emit()
