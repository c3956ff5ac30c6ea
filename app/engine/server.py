"""The engine's process: owns the workspace and runs operations on the lanes of rag.operations.

A model file that makes llama.cpp abort, or the memory killer, ends this process and not the window.
Messages are tuples of plain values; see `serve` for their kinds.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import logging.handlers
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import RagError, of_the_disk
from rag.operations import Lane

if TYPE_CHECKING:
    from rag.workspace import Workspace

# Two threads read, so that a long comparison does not keep a page from being drawn.
THREADS = {lane: 2 if lane is Lane.READ else 1 for lane in Lane}
_GOODBYE_S = 3.0

log = logging.getLogger("ragdeck.engine")


_Put = Callable[[str, Callable[[], None]], None]


@dataclass
class _Job:
    id: int
    function: str
    arguments: dict[str, Any]
    begun: bool = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    running: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> bool:
        """Note that it is running from now on; False when it was cancelled before."""
        with self.lock:
            self.begun = not self.cancelled.is_set()
            return self.begun

    def cancel(self) -> bool:
        """Stop it at its next event; True when it has not begun, and then it never will."""
        with self.lock:
            self.cancelled.set()
            self.running.set()
            return not self.begun


_Work = _Job | Callable[[], None]  # an operation of the window, or work of the server


def serve(connection: Connection, folder: str) -> None:
    """Open the data folder in this process and run operations until the window says stop or goes away.

    From the window: ("start", id, lane, function, arguments), ("cancel" | "pause" | "resume", id), ("stop",).
    To the window: ("ready", questions that were interrupted, notices), ("refused", sentence),
    ("event", id, value), ("finished", id, value), ("failed", id, sentence, details), ("cancelled", id).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    _log_to(Path(folder))
    if hasattr(os, "nice"):
        os.nice(10)  # a busy engine must not make the window stutter
    outbox = _Outbox(connection)
    try:
        from rag.workspace import Workspace

        workspace = Workspace(Path(folder), "the Ragdeck window")
    except RagError as error:
        outbox.send("refused", str(error))
        return
    except Exception as error:
        log.exception("opening the data folder")
        known = of_the_disk(error) or f"The data folder {folder} could not be opened: {error}."
        outbox.send("refused", str(known))
        return
    run_lanes(connection, workspace)
    os._exit(0)  # native threads of torch and Chroma may not end by themselves


def run_lanes(connection: Connection, workspace: Workspace) -> None:
    """Run operations on an open workspace until the window says stop, then close the workspace."""
    outbox = _Outbox(connection)
    jobs: dict[int, _Job] = {}
    lanes = {str(lane): queue.Queue[_Work | None]() for lane in Lane}

    def put(lane: str, function: Callable[[], None]) -> None:
        lanes[lane].put(function)

    threads = [
        threading.Thread(
            target=_work, args=(workspace, lanes[lane], outbox, jobs, put), name=lane, daemon=True
        )
        for lane, count in THREADS.items()
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    outbox.send("ready", workspace.interrupted_count, workspace.notices)
    _listen(connection, lanes, jobs, outbox)
    workspace.stop_server()
    for job in list(jobs.values()):
        job.cancel()
    for lane, count in THREADS.items():
        for _ in range(count):
            lanes[lane].put(None)
    deadline = time.monotonic() + _GOODBYE_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if not any(thread.is_alive() for thread in threads):
        workspace.close()


def _listen(
    connection: Connection,
    lanes: dict[str, queue.Queue[_Work | None]],
    jobs: dict[int, _Job],
    outbox: _Outbox,
) -> None:
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return  # the window is gone
        kind = message[0]
        if kind == "stop":
            return
        if kind == "start":
            _, job_id, lane, function, arguments = message
            job = _Job(job_id, function, arguments)
            job.running.set()
            jobs[job_id] = job
            lanes[lane].put(job)
        elif message[1] in jobs:
            job = jobs[message[1]]
            if kind == "cancel":
                if job.cancel():  # said at once, and not when the lane comes to it
                    jobs.pop(job.id, None)
                    outbox.send("cancelled", job.id)
            elif kind == "pause":
                job.running.clear()
            elif kind == "resume":
                job.running.set()


def _work(
    workspace: Workspace, lane: queue.Queue[_Work | None], outbox: _Outbox, jobs: dict[int, _Job], put: _Put
) -> None:
    while (job := lane.get()) is not None:
        if not isinstance(job, _Job):
            job()  # of the server, which answers for what it raises
            continue
        if not job.begin():
            continue
        try:
            _run(workspace, job, outbox, put)
        except RagError as error:
            if error.needs_yes:
                outbox.send("asks", job.id)
            outbox.send("failed", job.id, str(error), "")
        except Exception as error:
            if refusal := of_the_disk(error):
                outbox.send("failed", job.id, str(refusal), "")
                continue
            log.exception("task %s", job.function)
            sentence = f"Something unexpected went wrong ({type(error).__name__}: {error})."
            outbox.send("failed", job.id, sentence, traceback.format_exc())
        finally:
            jobs.pop(job.id, None)


def _run(workspace: Workspace, job: _Job, outbox: _Outbox, put: _Put) -> None:
    module, _, name = job.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    result = function(**job.arguments, **_parts(workspace, function, job.arguments, put))
    if not inspect.isgenerator(result):
        outbox.send("finished", job.id, result)
        return
    try:
        while True:
            event = next(result)
            outbox.send("event", job.id, event)
            job.running.wait()
            if job.cancelled.is_set():
                result.close()
                outbox.send("cancelled", job.id)
                return
    except StopIteration as end:
        outbox.send("finished", job.id, end.value)


def _parts(
    workspace: Workspace, function: Callable[..., Any], given: dict[str, Any], put: _Put
) -> dict[str, Any]:
    """Return the workspace, or the parts of it, that a function asks for by the names of its parameters.

    lanes: puts a function of the server on a lane, beside the operations of the window.
    """
    parts = {
        "workspace": workspace,
        "store": workspace.store,
        "database": workspace.database,
        "settings": workspace.settings,
        "folder": workspace.folder,
        "lanes": put,
    }
    wanted = inspect.signature(function).parameters
    return {name: part for name, part in parts.items() if name in wanted and name not in given}


class _Outbox:
    """A connection that several threads may send through; a window that is gone is no error."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, *message: Any) -> None:
        with self._lock:
            try:
                self._connection.send(message)
            except (BrokenPipeError, OSError):
                log.info("the window is gone")


def _log_to(folder: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(
        folder / "engine.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
