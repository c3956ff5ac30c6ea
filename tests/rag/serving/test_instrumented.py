"""Real counterparts: apps that OpenInference instruments send to our receiver, and their answers are checked."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from counterparts import INSTRUMENTED, environment_of

from rag.asking.rows import TraceFilter, get_trace, list_traces
from rag.interchange.receiving import Arrival, check_received
from rag.serving.http import HttpServer
from rag.serving.otlp_receiver import OtlpReceiver
from rag.workspace import Workspace

pytestmark = pytest.mark.models  # as slow as those
APP = Path(__file__).resolve().parents[2] / "instrumented_apps.py"


@pytest.mark.parametrize("name", ["langchain", "llama-index"])
def test_an_instrumented_app_is_a_source_whose_answers_are_checked(workspace: Workspace, name: str) -> None:
    environment = environment_of(INSTRUMENTED)
    came = threading.Semaphore(0)

    def arrived(arrival: Arrival) -> None:
        came.release(arrival.spans)

    receiver = OtlpReceiver(workspace.store, arrived)
    server = HttpServer(receiver.application, 0)
    receiver.start()
    server.start()
    try:
        ran = subprocess.run(
            [environment / "bin" / "python", APP, name, f"{server.address}/v1/traces"],
            capture_output=True, text=True, timeout=180, check=False, env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
        assert ran.returncode == 0 and ran.stdout.strip() == "It rises 3.5 metres.", ran.stderr
    finally:
        server.stop()
        receiver.stop()  # writes what waits
    assert not receiver.counts.failed and not receiver.counts.refused
    (row,) = list_traces(workspace.database, TraceFilter(source="received", application=f"{name} bot"))
    detail = get_trace(workspace.database, row.id)
    assert (detail.question, detail.answer) == ("How high does the tide rise?", "It rises 3.5 metres.")
    assert {hit.text for hit in detail.hits} == {
        "The tide at Bremen rises 3.5 metres.",
        "Boats leave at noon.",
    }
    kinds = {span.kind for span in detail.spans}
    assert {"RETRIEVER", "LLM"} <= kinds and "UNKNOWN" not in kinds
    assert check_received(workspace, row.id)
    checked = get_trace(workspace.database, row.id)
    assert checked.claims and checked.outcome
