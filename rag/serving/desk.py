"""What the parts of the server share: the data folder, the lanes, the tokens, and a list of the requests."""

from __future__ import annotations

import inspect
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from rag.serving.rows import ServedCall
from rag.serving.tokens import TokenBook
from rag.serving.work import Bench, Put
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.workspace import Workspace

_MOST_CALLS = 200


class Call:
    """A request in progress. Whoever answers it fills in what is known of it."""

    def __init__(self, application: str, what: str) -> None:
        """Begin it."""
        self.application = application
        self.what = what
        self.model = self.trace_id = self.detail = ""
        self.status = 200


class Desk:
    """What a request needs besides itself."""

    def __init__(self, workspace: Workspace, put: Put) -> None:
        """Serve a data folder, on these lanes."""
        self.workspace = workspace
        self.bench = Bench(put, lambda: workspace.settings.server.most_waiting)
        self.tokens = TokenBook(workspace.folder)
        self.total = 0
        self._calls: deque[ServedCall] = deque(maxlen=_MOST_CALLS)
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[ServedCall, ...]:
        """The last requests, newest first."""
        with self._lock:
            return tuple(self._calls)[::-1]

    @asynccontextmanager
    async def noted(self, application: str, what: str) -> AsyncIterator[Call]:
        """List a request from here to the end of the block, which may raise."""
        call = Call(application, what)
        begun = time.monotonic()
        with self._lock:
            self.total += 1
            row = ServedCall(self.total, now_ms(), application, what)
            self._calls.append(row)
        try:
            yield call
        except BaseException as error:
            call.status = call.status if call.status >= 400 else 499  # its program went away
            call.detail = call.detail or str(error) or "cancelled"
            raise
        finally:
            ended = replace(
                row, model=call.model, status=call.status, trace_id=call.trace_id, detail=call.detail,
                milliseconds=(time.monotonic() - begun) * 1000,
            )  # fmt: skip
            with self._lock:
                for place, known in enumerate(self._calls):
                    if known.number == row.number:
                        self._calls[place] = ended

    def audited(self, call: Call, function: Callable[[], Any]) -> Callable[[], Generator[Any, None, Any]]:
        """Return a function that does the same and leaves a record, whether it succeeds or not."""

        def run() -> Generator[Any, None, Any]:
            detail = "cancelled"
            try:
                made = function()
                result = (yield from made) if inspect.isgenerator(made) else made
                detail = f"trace {result.trace_id}" if getattr(result, "trace_id", "") else "done"
                return result
            except Exception as error:
                detail = f"failed: {type(error).__name__}"  # its text may quote what was asked
                raise
            finally:
                with self.workspace.store.session() as session:
                    audit_log.record(session, f"served {call.what}", call.application, detail)

        return run
