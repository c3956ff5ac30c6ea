"""The window's side of the engine process: starts it, hands it tasks, and notices when it dies.

`task = engine.start(operations.ask, question=..., collection=...)` gives a Task, of whose signals finished,
failed and cancelled exactly one is emitted, and then ended. A function is named as text, because importing it
would bring torch and Chroma into the window.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.engine.server import serve
from rag.operations import Lane, Operation

_SLICE_S = 0.006  # messages are handled in slices, so that a flood of them never freezes the window
_QUICK_DEATH_S = 10.0
_MOST_QUICK_DEATHS = 3
_EXIT_S = 0.5


class Task(QObject):
    """An operation that the engine was told to run: queued, running or over."""

    event = Signal(object)  # type: ignore[assignment]  # QObject.event, which nothing here needs
    finished = Signal(object)
    failed = Signal(str, str)  # sentence, details for a bug report (empty for a refusal)
    cancelled = Signal()
    ended = Signal()  # after any of the three
    paused_changed = Signal(bool)

    def __init__(self, engine: Engine, task_id: int, lane: Lane, title: str) -> None:
        """Describe the task with this number; Engine.start makes it and tells the process."""
        super().__init__(engine)
        self._engine = engine
        self.started_s = time.monotonic()
        self.id = task_id
        self.lane = lane
        self.title = title
        self.paused = False
        self.done = False
        self.needs_yes = False  # whether what `failed` tells is allowed if a person says so

    @property
    def age_s(self) -> float:
        """Seconds since the task was started, the time in the queue included."""
        return time.monotonic() - self.started_s

    def cancel(self) -> None:
        """Stop the operation at its next event, or take it out of the queue; `cancelled` says when it is."""
        self._engine.send("cancel", self.id)

    def pause(self) -> None:
        """Hold the operation at its next event; the tasks of its lane wait with it."""
        self._set_paused(True)

    def resume(self) -> None:
        """Let a paused operation go on."""
        self._set_paused(False)

    def _set_paused(self, paused: bool) -> None:
        if not self.done and paused != self.paused:
            self.paused = paused
            self._engine.send("pause" if paused else "resume", self.id)
            self.paused_changed.emit(paused)


class Engine(QObject):
    """The owner of the engine's process, which it starts again when it dies, but not for ever."""

    ready = Signal(int, list)  # questions that an earlier process left interrupted; sentences to show
    refused = Signal(str)  # why the data folder cannot be opened, or why the process is not started again
    restarted = Signal(str)  # what happened: the process died, and another one is starting
    tasks_changed = Signal()
    _arrived = Signal()

    def __init__(
        self,
        folder: Path,
        parent: QObject | None = None,
        target: Callable[[Connection, str], None] = serve,
    ) -> None:
        """Prepare the engine of a data folder; nothing runs before start_process.

        Args:
            folder: The data folder.
            parent: The owner in Qt's sense.
            target: What the process runs: `serve`, or in a test something that dies.
        """
        super().__init__(parent)
        self._target = target
        self.folder = folder
        self.is_ready = False
        self._ids = count(1)
        self._tasks: dict[int, Task] = {}
        self._waiting: list[tuple[Any, ...]] = []
        self._inbox: deque[tuple[int, tuple[Any, ...]]] = deque()
        self._generation = 0
        self._quick_deaths = 0
        self._stopping = False
        self._process: multiprocessing.process.BaseProcess | None = None
        self._connection: Connection | None = None
        self._receiver: threading.Thread | None = None
        self._arrived.connect(self._handle_messages)

    def start_process(self) -> None:
        """Start the process. `ready` or `refused` follows; what is started before waits for `ready`."""
        if self._stopping:
            return  # the window was closed before it came to this
        # torch and tqdm leave a semaphore when their process ends at once; the tracker would print a warning.
        os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker")
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._generation += 1
        self._started = time.monotonic()
        self._process = context.Process(
            target=self._target, args=(theirs, str(self.folder)), name="ragdeck-engine", daemon=True
        )
        self._process.start()
        theirs.close()
        self._listen_to(ours)

    def _listen_to(self, connection: Connection) -> None:
        self._connection = connection
        self._receiver = threading.Thread(
            target=self._receive, args=(connection, self._generation), name="receiver", daemon=True
        )
        self._receiver.start()

    @property
    def process_id(self) -> int | None:
        """The process's number in the system, None before it was started."""
        return self._process.pid if self._process is not None else None

    @property
    def tasks(self) -> list[Task]:
        """The tasks that are queued or running, oldest first."""
        return list(self._tasks.values())

    def start(self, operation: Operation[Any], **arguments: Any) -> Task:
        """Queue an operation and return its task.

        Args:
            operation: What to run, from rag.operations.
            arguments: Its keywords; the process adds the parts of the workspace that the function takes.
        """
        task = Task(self, next(self._ids), operation.lane, operation.title_of(arguments))
        self._tasks[task.id] = task
        message = ("start", task.id, str(operation.lane), operation.function, arguments)
        if self.is_ready:
            self.send(*message)
        else:
            self._waiting.append(message)
        self.tasks_changed.emit()
        return task

    def send(self, *message: Any) -> None:
        """Send a message to the process; see app.engine.server for the kinds."""
        if self._connection is not None:
            try:
                self._connection.send(message)
            except (BrokenPipeError, OSError):
                return  # its death is noticed by the receiving thread

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the process, by force if it is not gone after this many seconds."""
        self._stopping = True
        self.send("stop")
        if self._process is not None:
            self._process.join(timeout_s)
            if self._process.is_alive():
                self._process.kill()
                self._process.join(1.0)
        self._end_receiver()

    def _end_receiver(self) -> None:
        """Wait for the receiving thread, which ends with its connection.

        It holds this object; were it the last to do so, Qt would delete the object in that thread, which may
        end the program in a segmentation fault.
        """
        if self._receiver is not None:
            self._receiver.join(_EXIT_S)

    def restart(self, folder: Path | None = None) -> None:
        """Stop the process and start it anew, on another folder if one is given. Tasks under way fail."""
        self._generation += 1  # what the old process still says is not heard
        self.is_ready = False
        self._waiting = []
        self.stop()
        self._fail_all("The engine was restarted before this was done; do it again.")
        self._stopping = False
        self._quick_deaths = 0
        self.folder = folder or self.folder
        self.start_process()
        self.tasks_changed.emit()

    def _receive(self, connection: Connection, generation: int) -> None:
        """Put messages into the inbox, and do nothing else: this runs in a thread of its own."""
        while True:
            try:
                message = connection.recv()
            except (EOFError, OSError):
                message = ("died",)
            was_empty = not self._inbox
            self._inbox.append((generation, message))
            if was_empty or message[0] == "died":
                try:
                    self._arrived.emit()
                except RuntimeError:
                    return  # the window was closed in the meantime
            if message[0] == "died":
                return

    def _handle_messages(self) -> None:
        end = time.perf_counter() + _SLICE_S
        while self._inbox:
            generation, message = self._inbox.popleft()
            if generation == self._generation:
                self._handle(*message)
            if time.perf_counter() > end and self._inbox:
                QTimer.singleShot(0, self._handle_messages)
                return

    def _handle(self, kind: str, *values: Any) -> None:
        if kind == "ready":
            self.is_ready = True
            waiting, self._waiting = self._waiting, []
            for message in waiting:
                self.send(*message)
            self.ready.emit(*values)
        elif kind == "refused":
            self._stopping = True
            self._fail_all(values[0])
            self.refused.emit(values[0])
        elif kind == "died":
            self._died()
        elif values[0] in self._tasks:
            self._handle_task(kind, *values)

    def _handle_task(self, kind: str, task_id: int, *values: Any) -> None:
        task = self._tasks[task_id]
        if kind == "event":
            task.event.emit(values[0])
            return
        if kind == "asks":
            task.needs_yes = True
            return
        self._remove(task)
        if kind == "finished":
            task.finished.emit(values[0])
        elif kind == "failed":
            task.failed.emit(*values)
        else:
            task.cancelled.emit()
        self._close(task)

    def _died(self) -> None:
        self.is_ready = False
        if self._stopping:
            self._fail_all("The program is closing.")
            return
        code = None
        if self._process is not None:
            self._process.join(_EXIT_S)  # its connection closes a moment before it has ended
            code = self._process.exitcode
        quick = time.monotonic() - self._started < _QUICK_DEATH_S
        self._quick_deaths = self._quick_deaths + 1 if quick else 0
        self._waiting = []
        exit_code = f" (exit {code})" if code is not None else ""
        sentence = f"The engine process ended unexpectedly{exit_code}."
        if self._quick_deaths >= _MOST_QUICK_DEATHS:
            self._stopping = True
            self._fail_all(sentence)
            self.refused.emit(
                f"{sentence} It died {_MOST_QUICK_DEATHS} times in a row; engine.log may say why."
            )
            return
        self.start_process()
        sentence = f"{sentence} It was started again; what was reported as done is kept."
        self._fail_all(sentence)
        self.restarted.emit(sentence)

    def _fail_all(self, sentence: str) -> None:
        for task in self.tasks:
            self._remove(task)
            task.failed.emit(sentence, "")
            self._close(task)

    def _remove(self, task: Task) -> None:
        self._tasks.pop(task.id, None)
        task.done = True

    def _close(self, task: Task) -> None:
        task.ended.emit()
        self.tasks_changed.emit()
        task.deleteLater()
