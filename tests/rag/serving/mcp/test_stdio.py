"""The real client starts the server as a process; stdout carries the protocol and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive
from mcp import Client, StdioServerParameters, stdio_client
from serving_parts import ANSWER, COLLECTION, QUESTION, serving

from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ROOT / "tests" / "mcp_program.py"  # in its own folder are the fakes, in the root is the program
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def filled(folder: Path, documents: Path) -> Path:
    with Workspace(
        folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as workspace:
        drive(ingest_files(workspace, COLLECTION, [documents]))
    return folder


def talk(command: list[str | Path], what: Callable[[Client], Awaitable[Any]]) -> Any:
    """Return what a conversation with a process returns that the client starts."""
    parameters = StdioServerParameters(
        command=sys.executable, args=[str(part) for part in command], cwd=ROOT, env=ENVIRONMENT
    )

    async def run() -> Any:
        with anyio.fail_after(120):
            async with Client(stdio_client(parameters)) as client:
                return await what(client)

    return anyio.run(run)


def test_a_model_that_writes_to_stdout_disturbs_nothing(filled: Path) -> None:
    async def ask_twice(client: Client) -> list[Any]:
        asked = {"collection": COLLECTION, "question": QUESTION}
        return [(await client.call_tool("ask", asked)).structured_content for _ in range(2)]

    made = talk([PROGRAM, filled], ask_twice)
    assert [one["answer"] for one in made] == [ANSWER, ANSWER] and made[0]["trace_id"] != made[1]["trace_id"]
    with Workspace(
        filled, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as workspace:
        assert set(workspace.database.cells("SELECT source, application FROM trace")) == {("server", "mcp")}


def test_every_line_of_stdout_is_protocol_and_the_end_of_stdin_is_the_end(filled: Path) -> None:
    first = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}
        },
    }  # fmt: skip
    asked = {
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": "ask", "arguments": {"collection": COLLECTION, "question": QUESTION}},
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, PROGRAM, filled, "ask"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    lines = []
    for message, answers in (
        (first, True),
        ({"jsonrpc": "2.0", "method": "notifications/initialized"}, False),
        (asked, True),
    ):
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        if answers:
            lines.append(json.loads(process.stdout.readline()))
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and rest == ""
    assert [line["id"] for line in lines] == [1, 2]
    assert lines[1]["result"]["structuredContent"]["answer"] == ANSWER
    assert "llama_model_loader" in errors and "not of the server" in errors


def test_while_another_process_has_the_folder_its_server_answers(folder: Path, documents: Path) -> None:
    with serving(folder, documents) as served:
        port = int(served.server.address.rpartition(":")[2])
        served.workspace.change_settings({"server": {"port": port}})

        async def ask(client: Client) -> Any:
            names = [tool.name for tool in (await client.list_tools()).tools]
            made = await client.call_tool("ask", {"collection": COLLECTION, "question": QUESTION})
            return names, made.structured_content

        names, made = talk([ROOT / "main.py", "mcp", "--data", folder], ask)
        assert "ask" in names and made["answer"] == ANSWER
        assert served.server.desk.calls[0].what == "mcp ask"


@pytest.mark.models
def test_the_command_answers_with_the_real_models(folder: Path, documents: Path) -> None:
    command = [sys.executable, ROOT / "main.py", "ingest", documents, "-c", COLLECTION, "--data", folder]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)

    async def ask(client: Client) -> Any:
        made = await client.call_tool("ask", {"collection": COLLECTION, "question": QUESTION})
        return made.structured_content

    made = talk([ROOT / "main.py", "mcp", "--tools", "ask", "--data", folder], ask)
    assert made["status"] == "done" and made["answer"] and made["trace_id"]
