"""An OTLP/HTTP endpoint on this computer that keeps what it is sent and answers as a test wants."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from rag.interchange.otlp import PROTOBUF, read_request
from rag.interchange.rows import RawSpan


class OtlpEndpoint:
    """What came, and how the next requests are answered: statuses in their order, then 200."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.rejected: list[int] = []  # spans said to be rejected, a request at a time
        self.retry_after = ""
        self.refused_ids: set[str] = set()  # traces for which 400 is answered
        self.url = ""

    @property
    def spans(self) -> list[RawSpan]:
        """All spans that were taken."""
        return [span for path, _, body in self.requests if path == "/v1/traces" for span in spans_in(body)]

    @property
    def trace_ids(self) -> list[str]:
        """The traces that were taken, in their order, each once."""
        return list(dict.fromkeys(span.trace_id for span in self.spans))

    @property
    def annotations(self) -> list[dict[str, Any]]:
        """The annotations that Phoenix would have been given."""
        return [
            row
            for path, _, body in self.requests
            if path == "/v1/span_annotations"
            for row in json.loads(body)["data"]
        ]

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        status = self.statuses.pop(0) if self.statuses else 200
        if path == "/v1/traces" and self.refused_ids & {span.trace_id for span in spans_in(body)}:
            status = 400
        if status != 200:
            return status, b""
        answer = ExportTraceServiceResponse()
        if self.rejected and (count := self.rejected.pop(0)):
            answer.partial_success.rejected_spans = count
            answer.partial_success.error_message = "too old"
        else:
            self.requests.append((path, headers, body))
        return status, answer.SerializeToString()


def spans_in(body: bytes) -> tuple[RawSpan, ...]:
    return read_request(gzip.decompress(body), PROTOBUF).spans


@contextmanager
def otlp_endpoint() -> Iterator[OtlpEndpoint]:
    """Run an endpoint on a free port."""
    endpoint = OtlpEndpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = endpoint.answer(self.path, dict(self.headers), body)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{endpoint.url}/elsewhere")
            if endpoint.retry_after:
                self.send_header("Retry-After", endpoint.retry_after)
            self.send_header("Content-Type", PROTOBUF)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
