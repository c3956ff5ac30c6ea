"""The commands on endpoints, and that nothing of them needs or loads the client before it is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from endpoint_server import EndpointServer
from fakes import drive

from rag.knowledge.ingest import ingest_files


@pytest.fixture
def server() -> Iterator[EndpointServer]:
    with EndpointServer() as running:
        yield running


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    return made


def test_connecting_listing_checking_and_disconnecting(ragdeck: CommandLine, server: EndpointServer) -> None:
    made = ragdeck("models", "connect", server.url, "--name", "near", "--at-once", "2", "--json").document
    assert (made["name"], made["model"], made["on_this_computer"]) == ("near", "tiny", True)
    assert {row["name"] for row in made["checks"]["abilities"]} >= {"chat", "streaming", "embeddings"}
    (listed,) = ragdeck("models", "endpoints", "--json").document
    assert (listed["at_once"], listed["reference"]) == (2, "endpoint:near")
    assert "near" in ragdeck("models", "endpoints").out
    assert "on this computer" in ragdeck("models").out
    assert "chat" in ragdeck("models", "check", "near").out
    ragdeck("models", "at-once", "near", "5")
    assert ragdeck("models", "endpoints", "--json").document[0]["at_once"] == 5
    answer = ragdeck("ask", "What does rye bread need?", "-c", "A", "--model", "near", "--json").document
    assert answer["endpoint"] == "near" and answer["usage"] == "told"
    assert "no longer connected" in ragdeck("models", "disconnect", "near").out
    assert ragdeck("models", "endpoints", "--json").document == []


def test_the_border_of_a_collection(ragdeck: CommandLine, server: EndpointServer) -> None:
    said = ragdeck("models", "connect", server.elsewhere, "--name", "far")
    assert "not on this computer" in said.err
    assert ragdeck("models", "border", "--json").document == [{"collection": "A", "may_leave": "never"}]
    count = len(server.chats())
    question = ("ask", "What does rye bread need?", "-c", "A", "--model", "far")
    refused = ragdeck(*question, "--may-leave")
    assert refused.code == 1 and "may not leave this computer" in refused.err
    assert ragdeck("models", "border", "A", "ask", "--json").document[0]["may_leave"] == "ask"
    asked = ragdeck(*question)
    assert asked.code == 1 and "--may-leave" in asked.err
    assert len(server.chats()) == count
    assert "Sent to 0.0.0.0" in ragdeck(*question, "--may-leave").out
    assert ragdeck("models", "border", "B", "never").code == 1


def test_a_key_is_no_argument_and_two_places_are_refused(
    ragdeck: CommandLine, server: EndpointServer
) -> None:
    both = ragdeck("models", "connect", server.url, "--key-env", "X", "--key-stdin")
    assert both.code == 1 and "one place for the key" in both.err
    wrong = ragdeck("models", "connect", server.url, "--key-env", "sk-123")
    assert wrong.code == 1 and "not the key" in wrong.err
    assert server.requests == []


def test_neither_a_start_nor_a_listing_imports_the_client() -> None:
    script = (
        "import sys, rag.workspace, rag.operations, rag.cli, rag.asking.answer; "
        "sys.exit(any(name in sys.modules for name in ('openai', 'keyring', 'httpx2')))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[4]).returncode == 0
