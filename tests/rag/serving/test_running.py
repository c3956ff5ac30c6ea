"""The server runs beside a workspace: it is started by the settings, says how it is, and ends with it."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_parts import COLLECTION, QUESTION, serving

from rag.errors import NotFoundError, RagError
from rag.interchange.otlp import to_json, write_request
from rag.interchange.rows import RawSpan
from rag.serving.otlp_receiver import Counts
from rag.serving.rows import ServerState
from rag.serving.running import (
    RunningServer,
    add_token,
    read_tokens,
    remove_token,
    server_state,
    start_server,
    stop_server,
    with_choice,
)
from rag.serving.tokens import list_tokens
from rag.serving.work import Lanes
from rag.settings import ServerSettings
from rag.workspace import Workspace


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    yield made
    made.close()


def listens(address: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=5):
            return True
    except OSError:
        return False


def test_it_is_off_by_default_and_serves_no_traces() -> None:
    settings = ServerSettings()
    assert not settings.on and not settings.otlp and settings.openai and settings.mcp


def test_it_starts_by_the_settings_and_stops(workspace: Workspace, lanes: Lanes) -> None:
    workspace.change_settings({"server": {"port": 0, "otlp": True}})
    assert not server_state(workspace).is_on
    first = start_server(workspace, lanes.put)
    assert listens(first.address) and len(first.served) == 3
    second = start_server(workspace, lanes.put)
    assert listens(second.address) and server_state(workspace).address == second.address
    assert stop_server(workspace) == server_state(workspace) and not listens(second.address)
    stop_server(workspace)
    found = workspace.database.cells("SELECT action FROM auditevent WHERE action LIKE 'server%' ORDER BY id")
    assert [action for (action,) in found] == ["server started", "server started", "server stopped"]


def test_it_ends_with_the_workspace(folder: Path, documents: Path) -> None:
    with serving(folder, documents) as served:
        address = served.server.address
        assert listens(address)
    assert not listens(address)


def test_a_question_in_progress_is_cancelled_when_it_ends(folder: Path, documents: Path) -> None:
    with serving(folder, documents) as served:
        served.model.pause_after = 1
        client = served.client
        stream = client.chat.completions.create(
            model=COLLECTION, messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        next(iter(stream))
        served.server.desk.bench.stop()
        served.model.may_go_on.set()
        served.workspace.stop_server()
        client.close()
        assert not listens(served.server.address) and served.workspace.server is None


def test_a_server_of_nothing_and_an_unknown_tool_are_refused(workspace: Workspace, lanes: Lanes) -> None:
    nothing = with_choice(ServerSettings(), False, False, False, 0)
    with pytest.raises(RagError, match="Nothing is served"):
        RunningServer(workspace, lanes.put, nothing)
    with pytest.raises(RagError, match="no tool “fly”"):
        RunningServer(workspace, lanes.put, ServerSettings(port=0, mcp_tools=["fly"]))


def test_a_port_in_use_leaves_it_off(workspace: Workspace, lanes: Lanes) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        workspace.change_settings({"server": {"port": taken.getsockname()[1]}})
        with pytest.raises(RagError, match="in use by another program"):
            start_server(workspace, lanes.put)
    assert not server_state(workspace).is_on


def test_traces_are_received_without_a_token_and_counted(folder: Path, documents: Path) -> None:
    with serving(folder, documents, otlp=True) as served:
        span = RawSpan("ab" * 16, "cd" * 8, "", "chain", 1, 2, {"input.value": "Why?"}, service="bot")
        request = urllib.request.Request(
            f"{served.server.address}/v1/traces", to_json(write_request([span])).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.loads(answer.read() or b"{}") == {}
        assert server_state(served.workspace).received == 1


def test_tokens_are_made_and_revoked_with_a_record(workspace: Workspace) -> None:
    assert [token.name for token in read_tokens(workspace)] == ["default"]
    add_token(workspace, "editor")
    remove_token(workspace, "default")
    assert [token.name for token in read_tokens(workspace)] == ["editor"]
    with pytest.raises(NotFoundError):
        remove_token(workspace, "default")
    found = workspace.database.cells(
        "SELECT action, subject FROM auditevent WHERE action LIKE '%token%' ORDER BY id"
    )
    assert [tuple(row) for row in found] == [
        ("server token made", "editor"),
        ("server token revoked", "default"),
    ]


def test_a_choice_takes_the_place_of_what_the_settings_serve() -> None:
    wanted = with_choice(ServerSettings(port=5), False, True, False, None)
    assert (wanted.openai, wanted.mcp, wanted.otlp, wanted.port) == (False, True, False, 5)
    assert with_choice(ServerSettings(port=5), True, True, True, 0).port == 0


@pytest.mark.parametrize(
    ("parts", "sentences"),
    [
        ((True, False, False), ("OpenAI API at {}/v1",)),
        ((False, True, False), ("MCP at {}/mcp",)),
        ((False, False, True), ("Traces (OTLP) at {}/v1/traces",)),
        ((True, False, True), ("OpenAI API at {}/v1", "Traces (OTLP) at {}/v1/traces")),
    ],
)
def test_what_is_served_is_said_with_its_address(
    workspace: Workspace, lanes: Lanes, parts: tuple[bool, bool, bool], sentences: tuple[str, ...]
) -> None:
    server = RunningServer(workspace, lanes.put, with_choice(ServerSettings(), *parts, 0))
    try:
        assert server.served == tuple(sentence.format(server.address) for sentence in sentences)
        assert server.received == Counts()
        needs_token = parts[0] or parts[1]
        assert [token.name for token in list_tokens(workspace.folder)] == (["default"] if needs_token else [])
    finally:
        server.stop()


def test_a_server_can_be_stopped_twice_and_takes_nothing_more(workspace: Workspace, lanes: Lanes) -> None:
    server = RunningServer(workspace, lanes.put, with_choice(ServerSettings(), True, True, True, 0))
    server.stop()
    server.stop()
    assert not listens(server.address) and server.desk.bench.waiting == 0


def test_stopping_what_does_not_run_leaves_no_record(workspace: Workspace) -> None:
    assert stop_server(workspace) == ServerState()
    found = workspace.database.cells("SELECT count(*) FROM auditevent WHERE action LIKE 'server%'")
    assert found == [(0,)]


def test_one_that_cannot_start_leaves_no_server_and_no_record(workspace: Workspace, lanes: Lanes) -> None:
    workspace.change_settings({"server": {"port": 0, "openai": False, "mcp": False}})
    with pytest.raises(RagError, match="Nothing is served"):
        start_server(workspace, lanes.put)
    assert server_state(workspace) == ServerState() and workspace.server is None
    assert workspace.database.cells("SELECT count(*) FROM auditevent WHERE action LIKE 'server%'") == [(0,)]


def test_one_that_cannot_start_anew_is_off(workspace: Workspace, lanes: Lanes) -> None:
    workspace.change_settings({"server": {"port": 0}})
    before = start_server(workspace, lanes.put).address
    workspace.change_settings({"server": {"mcp_tools": ["fly"]}})
    with pytest.raises(RagError, match="no tool “fly”"):
        start_server(workspace, lanes.put)
    assert not server_state(workspace).is_on and not listens(before)


@pytest.mark.parametrize("name", ["", "a/b", "<b>"])
def test_a_token_that_is_not_made_leaves_no_record(workspace: Workspace, name: str) -> None:
    with pytest.raises(RagError, match="needs a name"):
        add_token(workspace, name)
    with pytest.raises(NotFoundError):
        remove_token(workspace, name)
    assert workspace.database.cells("SELECT count(*) FROM auditevent WHERE action LIKE '%token%'") == [(0,)]


def test_the_record_of_a_token_never_has_its_secret(workspace: Workspace) -> None:
    secret = add_token(workspace, " editor ").secret
    (row,) = workspace.database.cells("SELECT subject, detail FROM auditevent WHERE action LIKE '%token%'")
    assert row[0] == "editor" and secret not in str(row)


@pytest.mark.parametrize(
    ("choice", "port", "expected"),
    [
        ((True, True, True), None, (True, True, True, 4318)),
        ((False, False, False), 0, (False, False, False, 0)),
        ((True, False, True), 65535, (True, False, True, 65535)),
    ],
)
def test_a_choice_leaves_everything_else_as_it_was(
    choice: tuple[bool, bool, bool], port: int | None, expected: tuple[bool, bool, bool, int]
) -> None:
    settings = ServerSettings(port=4318, most_waiting=3, mcp_tools=["ask"])
    made = with_choice(settings, *choice, port)
    assert (made.openai, made.mcp, made.otlp, made.port) == expected
    assert (made.most_waiting, made.mcp_tools, made.on) == (3, ["ask"], False)
    assert settings == ServerSettings(port=4318, most_waiting=3, mcp_tools=["ask"])


def test_traces_alone_are_received_where_they_are_expected() -> None:
    assert with_choice(ServerSettings(port=5), False, False, True, None).port == 4318
    assert with_choice(ServerSettings(port=5), False, True, True, None).port == 5
