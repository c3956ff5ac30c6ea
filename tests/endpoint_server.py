"""A server on loopback that speaks the API of OpenAI, and can be told to misbehave in every way that is known.

`url` is its address on this computer. `elsewhere` reaches the same server by an address that the program does
not take for this computer, so a test sees whether anything would have left.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

from rag.models.endpoints.border import Permit
from rag.models.endpoints.rows import Endpoint, find_endpoint
from rag.storage.tables.endpoints import EndpointRow
from rag.workspace import Workspace

USAGE = {"prompt_tokens": 120, "completion_tokens": 4, "total_tokens": 124}


@dataclass
class EndpointServer:
    """What the server answers, and what it was sent.

    Attributes:
        pieces: Of an answer in a stream.
        usage: At the end of a stream; None: it tells none.
        fails: HTTP statuses of the next requests, before it answers any.
        refuses: Parameters that it does not take (HTTP 400).
        ends_after: It closes the connection after so many pieces.
        waits_after: It waits after so many pieces until may_go_on is set.
        waits_at_start: It waits before it answers at all.
        extra: Put into every message and delta besides its content.
        model, fingerprint: Which it says it is.
        models: What it lists.
        vector: Of every text; None: it has no embeddings.
        json_answer: What it says when JSON is asked for.
        error_text: What it gives as the reason of a failure.
    """

    pieces: list[str] = field(default_factory=lambda: ["Rye ", "bread ", "needs ", "sourdough [1]."])
    usage: dict[str, Any] | None = field(default_factory=lambda: dict(USAGE))
    fails: list[int] = field(default_factory=list)
    refuses: tuple[str, ...] = ()
    ends_after: int | None = None
    waits_after: int | None = None
    waits_at_start: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    thoughts: list[str] = field(default_factory=list)
    logprobs: bool = False
    empty_chunks: bool = False
    finish_reason: str = "stop"
    model: str = "served-1"
    fingerprint: str = "fp_1"
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "tiny", "object": "model"}])
    vector: list[float] | None = None
    json_answer: str = '{"colour": "red"}'
    error_text: str = "as the test wants"
    redirect: str = ""
    requests: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.may_go_on = threading.Event()
        self.was_left = threading.Event()  # the client closed the connection while the server wrote
        self.waits = threading.Event()  # it waits now
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("0.0.0.0", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def elsewhere(self) -> str:
        return f"http://0.0.0.0:{self.port}/v1"

    def chats(self) -> list[dict[str, Any]]:
        """Return the bodies of the chat requests."""
        return [body for path, _, body in self.requests if path.endswith("/chat/completions")]

    def close(self) -> None:
        self.may_go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> EndpointServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what it does -----------------------------------------------------------------------------------------

    def chunks(self) -> Iterator[dict[str, Any]]:
        if self.empty_chunks:
            yield {"choices": []}
        for thought in self.thoughts:
            yield self._choice({"reasoning_content": thought})
        for piece in self.pieces:
            yield self._choice({"content": piece, **self.extra}, piece)
        yield self._choice({}, finish=self.finish_reason)

    def _choice(self, delta: dict[str, Any], piece: str = "", finish: str | None = None) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
        if self.logprobs and piece:
            choice["logprobs"] = {
                "content": [{"token": piece, "logprob": -0.25, "bytes": None, "top_logprobs": []}]
            }
        return {"choices": [choice]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                return

            def do_GET(self) -> None:
                server.requests.append((self.path, dict(self.headers), {}))
                self._reply(200, {"object": "list", "data": server.models})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append((self.path, dict(self.headers), body))
                with server._lock:
                    server.running += 1
                    server.most_running = max(server.most_running, server.running)
                try:
                    self._answer(body)
                except OSError:
                    server.was_left.set()
                finally:
                    with server._lock:
                        server.running -= 1

            def _answer(self, body: dict[str, Any]) -> None:
                if server.redirect:
                    self.send_response(307)
                    self.send_header("Location", server.redirect)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                elif server.fails:
                    status = server.fails.pop(0)
                    key = self.headers.get("Authorization", "")
                    self._reply(status, {"error": {"message": f"{server.error_text} {key}"}})
                elif refused := next((name for name in server.refuses if name in body), ""):
                    self._reply(400, {"error": {"message": f"Unsupported parameter: '{refused}'"}})
                elif self.path.endswith("/embeddings"):
                    self._embed(body)
                elif body.get("stream"):
                    self._stream(body)
                else:
                    text = server.json_answer if "response_format" in body else "".join(server.pieces)
                    message = {"role": "assistant", "content": text, **server.extra}
                    choice = {"index": 0, "message": message, "finish_reason": "stop"}
                    self._reply(200, self._named({"choices": [choice], "usage": server.usage}))

            def _embed(self, body: dict[str, Any]) -> None:
                if server.vector is None:
                    self._reply(404, {"error": {"message": "no embeddings"}})
                    return
                rows = [{"index": n, "embedding": server.vector} for n in range(len(body["input"]))]
                self._reply(200, {"object": "list", "data": rows, "model": server.model})

            def _stream(self, body: dict[str, Any]) -> None:
                if server.waits_at_start:
                    self._wait()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                content = 0
                for chunk in server.chunks():
                    if content == server.ends_after:
                        self.close_connection = True
                        return
                    if content == server.waits_after:
                        self._wait()
                    self._send(self._named(chunk))
                    content += bool(chunk["choices"] and chunk["choices"][0]["delta"].get("content"))
                wanted = body.get("stream_options", {}).get("include_usage")
                if server.usage is not None and wanted:
                    self._send(self._named({"choices": [], "usage": server.usage}))
                self._write(b"data: [DONE]\n\n")
                self.wfile.write(b"0\r\n\r\n")

            def _wait(self) -> None:
                """Wait, and notice when the client goes away in the meantime."""
                server.waits.set()
                self.connection.settimeout(0.02)
                while not server.may_go_on.is_set():
                    try:
                        if not self.connection.recv(1):
                            server.was_left.set()
                            raise ConnectionResetError
                    except TimeoutError:
                        continue
                self.connection.settimeout(None)

            def _named(self, values: dict[str, Any]) -> dict[str, Any]:
                named = {
                    "id": "x",
                    "created": 0,
                    "model": server.model,
                    "system_fingerprint": server.fingerprint,
                }
                return {**named, **values}

            def _send(self, values: dict[str, Any]) -> None:
                self._write(f"data: {json.dumps(values)}\n\n".encode())

            def _write(self, data: bytes) -> None:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()

            def _reply(self, status: int, values: dict[str, Any]) -> None:
                data = json.dumps(values).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler


def add_endpoint(workspace: Workspace, url: str, name: str = "far", **values: Any) -> Endpoint:
    """Store an endpoint without asking its server what it does."""
    with workspace.store.session() as session:
        session.add(EndpointRow(**{"name": name, "url": url, "model": "tiny", "created_ms": 1, **values}))
    return find_endpoint(workspace.database, name)


# --- a client without any server ------------------------------------------------------------------------------


def chunk(
    content: str | None = None,
    *,
    finish: str | None = None,
    logprobs: list[tuple[str, float]] | None = None,
    usage: dict[str, Any] | None = None,
    model: str = "",
    fingerprint: str = "",
    **delta: Any,
) -> Any:
    """Return a piece of an answer, with the attributes that the library's own has."""
    told = None
    if logprobs is not None:
        told = SimpleNamespace(content=[SimpleNamespace(token=t, logprob=p) for t, p in logprobs])
    written = SimpleNamespace(**{"content": content, "refusal": None, **delta})
    choice = SimpleNamespace(delta=written, finish_reason=finish, logprobs=told)
    return SimpleNamespace(
        choices=[choice], usage=as_attributes(usage), model=model, system_fingerprint=fingerprint
    )


def as_attributes(values: Any) -> Any:
    """Return a JSON document whose objects have attributes, as the library reads it."""
    if not isinstance(values, dict):
        return values
    return SimpleNamespace(**{name: as_attributes(value) for name, value in values.items()})


class ScriptedClient:
    """A way to an endpoint that no server is behind: it says what it was given, and asks the border first.

    Attributes:
        chunks: What a stream brings; an exception among them is raised in its place.
        replies: Of whole answers, one after the other; the last is given again. An exception is raised.
        vectors: What is embedded becomes; an exception is raised.
        listed: Models that the server lists; an exception is raised.
        sent: Every request, in its order.
    """

    def __init__(self, endpoint: Endpoint, chunks: Iterable[Any] = (), **scripted: Any) -> None:
        self.endpoint = endpoint
        self.chunks = list(chunks)
        self.replies: list[Any] = scripted.get("replies", [])
        self.vectors: Any = scripted.get("vectors", [[1.0, 0.0]])
        self.listed: Any = scripted.get("listed", [{"id": endpoint.model}])
        self.sent: list[Mapping[str, Any]] = []
        self.was_closed = False  # the last stream, before or after its end

    def chat(self, permit: Permit, request: Mapping[str, Any]) -> Generator[Any, None, None]:
        permit(self.endpoint)
        self.sent.append(request)
        try:
            for each in self.chunks:
                yield self._given(each)
        finally:
            self.was_closed = True

    def complete(self, permit: Permit, request: Mapping[str, Any]) -> Any:
        permit(self.endpoint)
        self.sent.append(request)
        return self._given(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])

    def embed(self, permit: Permit, texts: list[str]) -> Any:
        permit(self.endpoint)
        return self._given(self.vectors)

    def models(self, permit: Permit) -> Any:
        permit(self.endpoint)
        return self._given(self.listed)

    @staticmethod
    def _given(what: Any) -> Any:
        if isinstance(what, Exception):
            raise what
        return what
