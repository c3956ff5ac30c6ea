"""What the parts of the server share: the data folder, the lanes, the tokens, and a list of the requests."""

from __future__ import annotations

import inspect
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
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

    def __init__(self, number: int, application: str, what: str) -> None:
        """Begin it."""
        self.number = number
        self.application = application
        self.what = what
        self.model = self.trace_id = ""
        self._at_ms = now_ms()
        self._begun = time.monotonic()

    def row(self, status: int = 0, detail: str = "") -> ServedCall:
        """Return it as it is listed; without a status it is in progress."""
        took = (time.monotonic() - self._begun) * 1000 if status else None
        return ServedCall(
            self.number,
            self._at_ms,
            self.application,
            self.what,
            self.model,
            status,
            took,
            self.trace_id,
            detail,
        )


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

    def begin(self, application: str, what: str) -> Call:
        """List a request as in progress; `end` must follow, whatever happens."""
        with self._lock:
            self.total += 1
            call = Call(self.total, application, what)
            self._calls.append(call.row())
        return call

    def end(self, call: Call, status: int = 200, detail: str = "") -> None:
        """List how a request ended."""
        ended = call.row(status, detail)
        with self._lock:
            for place, known in enumerate(self._calls):
                if known.number == call.number:
                    self._calls[place] = ended

    def audited(self, call: Call, function: Callable[[], Any]) -> Callable[[], Generator[Any, None, Any]]:
        """Return a function that does the same and leaves a record, whether it succeeds or not."""

        def run() -> Generator[Any, None, Any]:
            detail = "cancelled"
            try:
                made = function()
                result = (yield from made) if inspect.isgenerator(made) else made
                trace_id = (
                    result.get("trace_id") if isinstance(result, dict) else getattr(result, "trace_id", "")
                )
                call.trace_id = str(trace_id or "")
                detail = f"trace {trace_id}" if trace_id else "done"
                return result
            except Exception as error:
                detail = f"failed: {type(error).__name__}"  # its text may quote what was asked
                raise
            finally:
                who = audit_log.acting(f"token {call.application}")
                with who, self.workspace.store.session() as session:
                    audit_log.record(session, audit_log.Action.SERVER_CALLED, call.what, detail)

        return run
