"""A real counterpart: the server of llama-cpp-python with the starter model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from endpoint_server import add_endpoint
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TokenStreamed, TraceStatus, get_trace
from rag.models.endpoints.rows import Endpoint, Finding, Usage
from rag.models.language_model import starter_model_path
from rag.workspace import Workspace

pytestmark = pytest.mark.models


@pytest.fixture(scope="session")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the base URL of a server that runs for all tests of this file."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("llama") / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", "--model", str(starter_model_path()), "--host", "127.0.0.1",
             "--port", str(port), "--n_ctx", "2048", "--model_alias", "starter"],
            stdout=output, stderr=output, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5):
                    break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, log.read_text(
                    "utf-8", "replace"
                )
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def workspace(data: Path, llama_server: str) -> Iterator[Workspace]:
    with Workspace(
        data, embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as opened:
        opened.change_settings(
            {
                "generation": {"max_answer_tokens": 8},
                "retrieval": {"context_tokens": 64},
                "endpoints": {"timeout_s": 600},
            }
        )
        yield opened


def test_the_check_finds_what_this_server_does(workspace: Workspace, llama_server: str) -> None:
    connected = drive(workspace.endpoints.connect(Endpoint("near", llama_server, "")))
    found = {row.name: row.finding for row in connected.checks.abilities}
    assert connected.model == "starter"
    assert found["chat"] is Finding.YES and found["streaming"] is Finding.YES
    assert found["usage in streams"] is (Finding.YES if connected.checks.usage else Finding.NO)


def test_it_answers_through_the_ordinary_path_and_can_be_cancelled(
    workspace: Workspace, llama_server: str
) -> None:
    connected = add_endpoint(workspace, llama_server, "near", model="starter")
    question = Question("What does rye bread need?", "A", model=connected.reference)
    result = drive(answer_question(workspace, question))
    trace = get_trace(workspace.database, result.trace_id)
    assert trace.status is TraceStatus.DONE and trace.answer.strip()
    assert trace.usage in (Usage.TOLD, Usage.UNKNOWN) and trace.prompt_tokens > 30
    assert 0 < trace.completion_tokens <= 16
    with closing(answer_question(workspace, question)) as events:
        next(event for event in events if isinstance(event, TokenStreamed))
    again = drive(answer_question(workspace, question))  # the server is free again
    assert again.answer.strip()
