"""The engine on a thread of this process: the real lanes and messages, with a workspace made for tests."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from app.engine.client import Engine
from app.engine.server import run_lanes
from rag.workspace import Workspace


class InProcessEngine(Engine):
    """An Engine whose other end is a thread: a page is driven in milliseconds, without models.

    open_workspace makes the workspace for a folder, with FakeEmbedder and ScriptedModel as a rule.
    """

    def __init__(self, folder: Path, open_workspace: Callable[[Path], Workspace]) -> None:
        super().__init__(folder)
        self._open_workspace = open_workspace
        self.workspace: Workspace | None = None
        self._lanes: threading.Thread | None = None
        self._far_end: Connection | None = None

    def start_process(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._generation += 1
        self._started = 0.0
        self.workspace = self._open_workspace(self.folder)
        self._far_end = theirs
        self._lanes = threading.Thread(target=run_lanes, args=(theirs, self.workspace), daemon=True)
        self._lanes.start()
        self._listen_to(ours)

    def stop(self, timeout_s: float = 5.0) -> None:
        self._stopping = True
        self.send("stop")
        if self._lanes is not None:
            self._lanes.join(timeout_s)
        if self._far_end is not None:
            self._far_end.close()  # ours is read by a thread, which ends when the other end is closed
            self._connection = self._far_end = None
            self._end_receiver()
