"""The commands on endpoints, and that nothing of them needs or loads the client before it is asked for."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine
from endpoint_server import EndpointServer, add_endpoint
from fakes import drive

from rag.knowledge.ingest import ingest_files
from rag.models.endpoints.rows import MayLeave


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


@pytest.fixture
def bare(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder without documents."""
    return CommandLine(folder, capsys)


def add(
    ragdeck: CommandLine, url: str = "http://127.0.0.1:1/v1", name: str = "near", **values: object
) -> None:
    """Store an endpoint whose server is never asked."""
    with ragdeck.open() as workspace:
        add_endpoint(workspace, url, name, **values)


def test_no_endpoint_is_a_sentence_that_names_the_command(bare: CommandLine) -> None:
    add(bare)
    bare.done("models", "disconnect", "near")
    said = bare.done("models", "endpoints").out
    assert "No endpoint is connected" in said and "`ragdeck models connect URL`" in said
    assert bare.done("models", "endpoints", "--json").document == []


def test_the_list_says_where_each_is_and_where_its_key_is_and_never_the_key(
    bare: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("MY_KEY", "sk-secret")
    add(bare)
    add(bare, "https://api.example.com/v1", "far", key_place="environment", key_name="MY_KEY", created_ms=2)
    printed = bare.done("models", "endpoints").out
    near, far = (
        next(line for line in printed.splitlines() if f" {name} " in line) for name in ("near", "far")
    )
    assert "on this computer" in near and "none" in near and "never" in near
    assert "elsewhere" in far and "environment MY_KEY" in far
    listed = bare.done("models", "endpoints", "--json")
    assert [(each["name"], each["on_this_computer"]) for each in listed.document] == [
        ("near", True),
        ("far", False),
    ]
    assert "sk-secret" not in printed + listed.out


@pytest.mark.parametrize(
    "command",
    [("disconnect", "far"), ("at-once", "far", "2"), ("check", "far"), ("check", "far", "--json")],
)
def test_an_unknown_name_is_refused_with_those_that_there_are(
    bare: CommandLine, command: tuple[str, ...]
) -> None:
    add(bare)
    assert bare.refused("models", *command) == "There is no endpoint “far”. Connected endpoints: near."


@pytest.mark.parametrize("count", ["0", "65", "-1", "many", ""])
def test_a_number_at_once_that_cannot_be_is_a_wrong_use(bare: CommandLine, count: str) -> None:
    add(bare)
    assert bare("models", "at-once", "near", count).code == 2
    assert bare.done("models", "endpoints", "--json").document[0]["at_once"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http://[::1/v1",), "is not the address of a server"),
        (("ftp://x/v1",), "is not the address of a server"),
        (("https://key@x/v1",), "must not have anything behind “?” or before “@”"),
        (("http://127.0.0.1:1/v1", "--name", "a/b"), "The name of an endpoint has 1 to 64"),
        (("http://127.0.0.1:1/v1", "--name", "near", "--key-env", "my key"), "not the key"),
    ],
)
def test_what_cannot_be_connected_is_one_sentence(
    bare: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    assert said in bare.refused("models", "connect", *arguments)
    assert bare.done("models", "endpoints", "--json").document == []


@pytest.mark.parametrize("given", ["", "\n", " \t\n", "\nsecret\n"])
def test_a_key_that_is_not_on_the_first_line_of_stdin_is_none(
    bare: CommandLine, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    said = bare.refused("models", "connect", "http://127.0.0.1:1/v1", "--key-stdin")
    assert said == "There is no key on stdin. Write it as the only line."


def test_a_border_that_is_set_is_the_only_one_that_changes(ragdeck: CommandLine) -> None:
    with ragdeck.open() as workspace:
        workspace.endpoints.set_border("A", MayLeave.ASK)
    for setting in ("always", "never", "ask"):
        assert ragdeck.done("models", "border", "A", setting, "--json").document == [
            {"collection": "A", "may_leave": setting}
        ]
    assert "ask" in ragdeck.done("models", "border").out
    assert ragdeck("models", "border", "A", "sometimes").code == 2
    for command in (("B",), ("B", "always"), ("a", "--json")):
        assert ragdeck.refused("models", "border", *command).startswith("There is no collection named")
    assert ragdeck.done("models", "border", "--json").document == [{"collection": "A", "may_leave": "ask"}]
