"""How many spans a second the receiver writes, how soon a trace is seen, and what a question loses meanwhile.

usage: python -m benchmarks.receiving [--spans 20000] [--trace-spans 10] [--large]

The sender runs in this process too, so the figure is one of both; compare ratios on a loaded computer.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from rag.asking.rows import TraceFilter, count_traces
from rag.interchange.otlp import PROTOBUF, write_request
from rag.interchange.rows import RawSpan
from rag.serving.http import HttpServer
from rag.serving.otlp_receiver import OtlpReceiver
from rag.workspace import Workspace

BATCH = 500  # spans of a request, as the SDKs' batch processors send them
DOCUMENT = "The tide at Bremen rises 3.5 metres, and boats leave at noon. " * 10


def main() -> None:
    """Send, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--trace-spans", type=int, default=10)
    parser.add_argument("--large", action="store_true", help="all spans belong to one trace")
    given = parser.parse_args()
    size = given.spans if given.large else given.trace_spans
    bodies = [write_request(part).SerializeToString() for part in batches(given.spans, size)]
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder), "benchmark") as workspace:
        receiver = OtlpReceiver(workspace.store)
        server = HttpServer(receiver.application, 0)
        receiver.start()
        server.start()
        seen = first_seen(workspace, server.address, bodies[:1])
        begin = time.perf_counter()
        cpu = time.process_time()
        for body in bodies:
            post(server.address, body)
        receiver.stop()
        took = time.perf_counter() - begin
        busy = time.process_time() - cpu
        server.stop()
        counts = receiver.counts
    print(f"{given.spans} spans in traces of {size}: {given.spans / took:,.0f} spans/s written")
    print(f"processor time: {busy / given.spans * 1000:.2f} ms a span, {busy / took:.2f} cores busy")
    print(f"a trace is seen {seen * 1000:,.0f} ms after it was sent; {counts.turned_away} turned away")


def batches(count: int, size: int) -> Iterator[list[RawSpan]]:
    """Yield the spans of requests; every tenth is a retriever with a document."""
    now = time.time_ns()
    spans = []
    for number in range(count):
        trace, place = divmod(number, size)
        root = f"{trace * size + 1:016x}"
        attributes = {
            "openinference.span.kind": "CHAIN",
            "input.value": "How high?",
            "output.value": "3.5 metres",
        }
        if place % 10 == 1:
            attributes = {
                "openinference.span.kind": "RETRIEVER",
                "retrieval.documents.0.document.content": DOCUMENT,
            }
        spans.append(
            RawSpan(f"{trace + 1:032x}", f"{number + 1:016x}", "" if not place else root, "step", now, now + 10**6,
                    attributes, service="bot")
        )  # fmt: skip
        if len(spans) == BATCH:
            yield spans
            spans = []
    if spans:
        yield spans


def first_seen(workspace: Workspace, address: str, bodies: list[bytes]) -> float:
    """Return the seconds from sending a first request until its traces are in the list."""
    begin = time.perf_counter()
    threading.Thread(target=post, args=(address, bodies[0])).start()
    while not count_traces(workspace.database, TraceFilter(source="received")):
        time.sleep(0.01)
    return time.perf_counter() - begin


def post(address: str, body: bytes) -> None:
    """Send a request, again when too many spans wait."""
    while True:
        request = urllib.request.Request(f"{address}/v1/traces", body, {"Content-Type": PROTOBUF})
        try:
            with urllib.request.urlopen(request, timeout=60):
                return
        except urllib.error.HTTPError as error:
            if error.code != 429:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
