"""Receives traces of other applications over OTLP/HTTP at /v1/traces, and stores them.

Requests are answered when their spans wait in memory, which is bounded: past the bound the sender is told to
come again, as the specification has it (429 with Retry-After). One thread writes what waits, in batches.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.errors import RagError
from rag.interchange.otlp import JSON, PROTOBUF, BadRequestError, media_type, read_request, response
from rag.interchange.receiving import Arrival, behind, receive, renew_traces
from rag.interchange.rows import RawSpan, Received
from rag.serving.http import is_allowed
from rag.storage import audit_log
from rag.storage.store import Store
from rag.text.plurals import counted

PORT = 4318  # where OTLP/HTTP is expected
MOST_BODY_BYTES = 16_000_000  # of a request as it comes
MOST_WAITING_SPANS = 50_000
_BATCH_S = 0.2  # how long spans may wait for others of their traces
_RETRY_S = 1
_REST = (
    4  # times what making a trace's rows anew took, that it rests until the next time: a fifth of the time
)
_MOST_KNOWN = 2000  # traces of which that is remembered

_log = logging.getLogger(__name__)


@dataclass
class Counts:
    """What a receiver has done since it was started."""

    requests: int = 0
    spans: int = 0
    refused: int = 0
    turned_away: int = 0  # requests, because too many spans waited
    failed: int = 0  # spans that could not be written
    last_error: str = ""


class OtlpReceiver:
    """A receiver that stores into a data folder. `application` is what a server runs."""

    def __init__(
        self,
        store: Store,
        arrived: Callable[[Arrival], None] | None = None,
        *,
        token: str = "",
        most_waiting: int = MOST_WAITING_SPANS,
    ) -> None:
        """Make a receiver.

        Args:
            store: Where spans are written.
            arrived: Called by the writing thread after each batch.
            token: What senders must name as their bearer token; empty: none.
            most_waiting: Spans in memory from which on senders are told to come again.
        """
        self.counts = Counts()
        self._store = store
        self._arrived = arrived
        self._token = token
        self._most_waiting = most_waiting
        self._waiting: queue.Queue[tuple[RawSpan, ...] | None] = queue.Queue()
        self._count = 0
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._rest_until: dict[str, float] = {}  # of traces, by the clock of time.monotonic
        self._postponed: dict[str, float] = {}  # traces with stored spans that their rows do not have yet
        # A page on the web must not reach it by a name of its own for 127.0.0.1.
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
        routes = [Route("/v1/traces", self.receive, methods=["POST"]), Route("/", self._about)]
        self.application = Starlette(routes=routes, middleware=[hosts])

    def start(self) -> None:
        """Begin to write what arrives."""
        self._writer = threading.Thread(target=self._write, name="otlp", daemon=True)
        self._writer.start()
        self._log(audit_log.Action.RECEIVER_STARTED, "with a token" if self._token else "without a token")

    def stop(self) -> None:
        """Write what waits, and end."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join()
            self._writer = None
            counts = self.counts
            self._log(
                audit_log.Action.RECEIVER_STOPPED,
                f"{counted(counts.spans, 'span')} in {counted(counts.requests, 'request')}",
            )

    def _log(self, action: audit_log.Action, detail: str) -> None:
        with self._store.session() as session:
            audit_log.record(session, action, "OTLP", detail)

    async def _about(self, request: Request) -> Response:
        """Say what this is, and what was received."""
        counts = self.counts
        return JSONResponse(
            {"receives": "POST /v1/traces (OTLP)", "requests": counts.requests, "spans": counts.spans}
        )

    async def receive(self, request: Request) -> Response:
        """Answer a request of a sender."""
        kind = request.headers.get("content-type", "")
        if not is_allowed(request, self._token):
            return _error(kind, 401, "The bearer token is missing or wrong.")
        try:
            body = await _body(request)
            received = await run_in_threadpool(
                read_request, body, kind, request.headers.get("content-encoding", "")
            )
        except BadRequestError as error:
            return _error(kind, error.status, str(error))
        except ClientDisconnect:
            return Response(status_code=400)
        if not self._take(received):
            answer = _error(kind, 429, "Too many spans wait to be written.")
            answer.headers["retry-after"] = str(_RETRY_S)
            return answer
        content, content_type = response(received, kind)
        return Response(content, media_type=content_type)

    def _take(self, received: Received) -> bool:
        with self._lock:
            if self._count and self._count + len(received.spans) > self._most_waiting:
                self.counts.turned_away += 1
                return False
            self._count += len(received.spans)
            self.counts.requests += 1
            self.counts.spans += len(received.spans)
            self.counts.refused += received.refused
        if received.spans:
            self._waiting.put(received.spans)
        return True

    def _write(self) -> None:
        """Write batches until the end mark comes; nothing that was sent may end this thread."""
        self._guarded(0, lambda: self._renew(behind(self._store)))
        ended = False
        while not ended:
            batch: list[RawSpan] = []
            until = 0.0
            while not ended:
                try:
                    item = self._waiting.get(timeout=self._patience(until))
                except queue.Empty:
                    break
                if item is None:
                    ended = True
                else:
                    until = until or time.monotonic() + _BATCH_S
                    batch += item
            if batch:
                self._guarded(len(batch), partial(self._write_batch, tuple(batch)))
            now = time.monotonic()
            due = [trace for trace, when in self._postponed.items() if ended or when <= now]
            if due:
                self._guarded(0, partial(self._renew, tuple(due)))

    def _patience(self, until: float) -> float | None:
        """Return how long to wait for spans: until a batch or a postponed trace is due; None: for ever."""
        moments = [until] if until else list(self._postponed.values())
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _guarded(self, count: int, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # a full disk, or a span that nobody foresaw
            self.counts.failed += count
            self.counts.last_error = str(error)
            self._postponed.clear()
            _log.warning(
                "%d received spans could not be written", count, exc_info=not isinstance(error, RagError)
            )
        finally:
            with self._lock:
                self._count -= count

    def _write_batch(self, batch: Sequence[RawSpan]) -> None:
        """Write spans, and the traces that they are of, unless these rest: see _REST."""
        begin = time.monotonic()
        arrival = receive(self._store, batch, lambda trace_id: self._rest_until.get(trace_id, 0.0) > begin)
        for trace_id in arrival.postponed:
            self._postponed.setdefault(trace_id, self._rest_until[trace_id])
        renewed = (*arrival.added, *arrival.changed)
        self._note_rest(renewed, (time.monotonic() - begin) / max(len(renewed), 1))
        self._tell(arrival)

    def _renew(self, trace_ids: Sequence[str]) -> None:
        for trace_id in trace_ids:
            begin = time.monotonic()
            renew_traces(self._store, [trace_id])
            self._postponed.pop(trace_id, None)
            self._note_rest([trace_id], time.monotonic() - begin)
        if trace_ids:
            self._tell(Arrival((), tuple(trace_ids), (), 0))

    def _note_rest(self, trace_ids: Sequence[str], took_s: float) -> None:
        now = time.monotonic()
        if len(self._rest_until) > _MOST_KNOWN:
            self._rest_until = {trace: when for trace, when in self._rest_until.items() if when > now}
        self._rest_until.update(dict.fromkeys(trace_ids, now + _REST * took_s))

    def _tell(self, arrival: Arrival) -> None:
        if self._arrived is not None:
            self._arrived(arrival)


async def _body(request: Request) -> bytes:
    """Return the body, read no further than its limit. Raises BadRequestError."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY_BYTES:
            raise BadRequestError(f"The body is larger than {MOST_BODY_BYTES:,} bytes.", 413)
        parts.append(part)
    return b"".join(parts)


def _error(kind: str, status: int, message: str) -> Response:
    """Return an error as OTLP has it: a google.rpc.Status in the form of the request."""
    if media_type(kind) == PROTOBUF:
        return Response(Status(message=message).SerializeToString(), status, media_type=PROTOBUF)
    return JSONResponse({"message": message}, status, media_type=JSON)
