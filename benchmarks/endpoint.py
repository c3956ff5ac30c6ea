"""Compares an endpoint that is asked through the program with asking the same server bare, in turns.

Starts llama-cpp-python's own server with the starter model on loopback. Both ways send the same messages over a
connection that is open already; each prompt is new to the server, so that nothing is cached. Prints the ratio
of the times to the first token.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

from rag.models.chat_model import ChatModel, Token
from rag.models.endpoints.border import TYPED_HERE
from rag.models.endpoints.rows import Endpoint
from rag.models.language_model import starter_model_path
from rag.settings import GenerationSettings
from rag.workspace import Workspace

ROUNDS = 20
SETTINGS = GenerationSettings(max_answer_tokens=8)
TEXT = "A weather station measures wind, rain, temperature and pressure, and sends them every minute. " * 12


def main() -> None:
    port = _free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", "--model", str(starter_model_path()), "--host", "127.0.0.1",
         "--port", str(port), "--n_ctx", "2048", "--model_alias", "starter"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ),
    )  # fmt: skip
    try:
        _wait_for(port)
        with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch)) as workspace:
            for _ in workspace.endpoints.connect(Endpoint("bench", f"http://127.0.0.1:{port}/v1", "starter")):
                pass
            _compare(workspace, port)
    finally:
        server.kill()
        server.wait()


def _compare(workspace: Workspace, port: int) -> None:
    model = workspace.chat_model(Path("endpoint:bench"), SETTINGS, collection=TYPED_HERE)
    bare = HTTPConnection("127.0.0.1", port)
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS + 2):
        # In turns, and the other way round every second time: what the machine does else meets both alike.
        ways = [(ours, lambda text: _ours(model, text)), (theirs, lambda text: _bare(bare, text))]
        for times, ask in ways[:: -1 if number % 2 else 1]:
            taken = ask(f"{number} {len(ours)} {len(theirs)}. {TEXT}")
            if number >= 2:  # the first rounds warm both up
                times.append(taken)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    print(
        f"time to first token: {statistics.median(ratios):.3f} of bare (median of {ROUNDS} pairs; "
        f"{statistics.median(ours) * 1000:.0f} ms and {statistics.median(theirs) * 1000:.0f} ms; goal: 1.03 or less)"
    )


def _ours(model: ChatModel, text: str) -> float:
    prompt = model.render_chat([{"role": "user", "content": text}])
    began, first = time.perf_counter(), 0.0
    for event in model.stream(prompt, SETTINGS):
        if isinstance(event, Token) and not first:
            first = time.perf_counter() - began
    return first


def _bare(connection: HTTPConnection, text: str) -> float:
    body = {"model": "starter", "messages": [{"role": "user", "content": text}], "stream": True,
            "max_tokens": SETTINGS.max_answer_tokens, "temperature": SETTINGS.temperature,
            "top_p": SETTINGS.top_p, "seed": SETTINGS.seed}  # fmt: skip
    connection.close()  # the server closes what was silent for five seconds
    connection.connect()
    began, first = time.perf_counter(), 0.0
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        for line in response:
            if line.startswith(b"data: {") and not first:
                choices = json.loads(line[6:]).get("choices") or [{}]
                if choices[0].get("delta", {}).get("content"):
                    first = time.perf_counter() - began
    return first


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The server did not start. Install llama-cpp-python[server].")


if __name__ == "__main__":
    main()
