"""The receiver takes what real exporters send, in bounds, and survives what nobody should send."""

import gzip
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.interchange.otlp import JSON, PROTOBUF, to_json, write_request
from rag.interchange.receiving import Arrival, receive
from rag.interchange.rows import RawSpan
from rag.serving.http import HttpServer
from rag.serving.otlp_receiver import OtlpReceiver
from rag.workspace import Workspace


class Running:
    """A receiver and its server, and what arrived."""

    def __init__(
        self, workspace: Workspace, token: str = "", most_waiting: int = 1000, writes: bool = True
    ) -> None:
        self.arrivals: list[Arrival] = []
        self.came = threading.Condition()
        self.receiver = OtlpReceiver(workspace.store, self._arrived, token=token, most_waiting=most_waiting)
        self.server = HttpServer(self.receiver.application, 0)
        self.server.start()
        if writes:
            self.receiver.start()

    def _arrived(self, arrival: Arrival) -> None:
        with self.came:
            self.arrivals.append(arrival)
            self.came.notify_all()

    def wait_for_spans(self, count: int) -> None:
        with self.came:
            assert self.came.wait_for(lambda: sum(a.spans for a in self.arrivals) >= count, timeout=60)

    def post(self, body: bytes, kind: str = JSON, **headers: str) -> tuple[int, bytes, str]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            f"{self.server.address}/v1/traces", body, {"Content-Type": kind, **names}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers["Content-Type"]

    def stop(self) -> None:
        self.server.stop()
        self.receiver.stop()


@pytest.fixture
def running(workspace: Workspace) -> Iterator[Running]:
    made = Running(workspace)
    yield made
    made.stop()


def body(count: int = 1, trace: str = "ab") -> bytes:
    spans = [
        RawSpan(trace * 16, f"{n + 1:016x}", "", "s", 1, 2, {"input.value": "Why?"}) for n in range(count)
    ]
    return to_json(write_request(spans)).encode()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_what_the_opentelemetry_sdk_exports_is_a_trace(
    running: Running, workspace: Workspace, compression: Compression
) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "harbour bot"}))
    exporter = OTLPSpanExporter(endpoint=f"{running.server.address}/v1/traces", compression=compression)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("chain") as chain:
        chain.set_attribute("openinference.span.kind", "CHAIN")
        chain.set_attribute("input.value", "How high?")
        with tracer.start_as_current_span("retriever") as retriever:
            retriever.set_attribute("openinference.span.kind", "RETRIEVER")
            retriever.set_attribute("retrieval.documents.0.document.content", "3.5 metres")
    provider.shutdown()
    running.wait_for_spans(2)
    (row,) = list_traces(workspace.database, TraceFilter(source="received", application="harbour bot"))
    detail = get_trace(workspace.database, row.id)
    assert (detail.question, [hit.text for hit in detail.hits]) == ("How high?", ["3.5 metres"])
    assert [span.name for span in detail.spans] == ["chain", "retriever"]


def test_the_answer_has_the_form_of_the_request(running: Running) -> None:
    assert running.post(body()) == (200, b"{}", JSON)
    assert running.post(b"", PROTOBUF) == (200, b"", PROTOBUF)
    assert running.post(gzip.compress(body()), Content_Encoding="gzip")[0] == 200
    status, answer, kind = running.post(b"{", JSON)
    assert status == 400 and kind == JSON and "not JSON" in json.loads(answer)["message"]
    status, answer, kind = running.post(b"\xff\xff", PROTOBUF)
    assert status == 400 and kind == PROTOBUF and b"ExportTraceServiceRequest" in answer
    assert running.post(b"{}", "text/plain")[0] == 415
    assert running.post(b" " * 16_000_001)[0] == 413


def test_a_token_is_asked_for_when_there_is_one(workspace: Workspace) -> None:
    running = Running(workspace, token="secret")
    try:
        assert running.post(body())[0] == 401
        assert running.post(body(), Authorization="Bearer other")[0] == 401
        assert running.post(body(), Authorization="Bearer secret")[0] == 200
    finally:
        running.stop()


def test_a_web_page_of_another_name_is_not_let_in(running: Running) -> None:
    assert running.post(body(), Host="evil.example")[0] == 400


def test_past_the_bound_senders_are_told_to_come_again(workspace: Workspace) -> None:
    running = Running(workspace, most_waiting=5, writes=False)
    try:
        assert running.post(body(9))[0] == 200, "one request may be larger than the bound"
        assert running.post(body(1))[0] == 429
        running.receiver.start()
        running.wait_for_spans(9)
        assert running.post(body(1, "cd"))[0] == 200
        running.wait_for_spans(10)
        assert running.receiver.counts.turned_away == 1
    finally:
        running.stop()


def test_spans_that_cannot_be_written_are_counted_and_later_ones_are_written(workspace: Workspace) -> None:
    running = Running(workspace)
    try:
        with workspace.store.session() as session:
            session.connection().exec_driver_sql("ALTER TABLE receivedspan RENAME TO gone")
        assert running.post(body(2))[0] == 200
        running.receiver.stop()
        assert running.receiver.counts.failed == 2 and "receivedspan" in running.receiver.counts.last_error
        with workspace.store.session() as session:
            session.connection().exec_driver_sql("ALTER TABLE gone RENAME TO receivedspan")
        running.receiver.start()
        assert running.post(body(1))[0] == 200
        running.wait_for_spans(1)
    finally:
        running.stop()


def test_a_trace_that_grows_all_the_time_has_all_its_spans_in_the_end(
    running: Running, workspace: Workspace
) -> None:
    for number in range(30):
        span = RawSpan("ab" * 16, f"{number + 1:016x}", "", "s", 1, 2, {"input.value": "Why?"})
        assert running.post(to_json(write_request([span])).encode())[0] == 200
    running.wait_for_spans(30)
    running.receiver.stop()
    assert len(get_trace(workspace.database, "ab" * 16).spans) == 30


def test_spans_that_a_kill_left_without_rows_are_found_at_the_next_start(workspace: Workspace) -> None:
    found = [RawSpan("ab" * 16, f"{n + 1:016x}", "", "s", 1, 2) for n in range(3)]
    receive(workspace.store, found[:1])
    receive(workspace.store, found[1:], is_postponed=lambda _id: True)
    assert len(get_trace(workspace.database, "ab" * 16).spans) == 1
    running = Running(workspace)
    try:
        with running.came:
            assert running.came.wait_for(lambda: bool(running.arrivals), timeout=60)
    finally:
        running.stop()
    assert running.arrivals[0].changed == ("ab" * 16,)
    assert len(get_trace(workspace.database, "ab" * 16).spans) == 3
