"""`mcp config` prints what clients need; `mcp` refuses what it cannot serve before it opens anything."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from command_line import CommandLine

from rag.cli.serving.mcp import _listens, _relay
from rag.errors import DataFolderLockedError, RagError
from rag.serving.tokens import list_tokens, make_token


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


def test_the_configuration_starts_this_program_on_this_folder(ragdeck: CommandLine, folder: Path) -> None:
    found = ragdeck.done("mcp", "config", "--tools", "search,ask", "--json").document
    assert [one["client"] for one in found] == ["Claude Desktop", "VS Code", "Cursor"]
    own = json.loads(found[0]["text"])["mcpServers"]["ragdeck"]
    assert own["args"][1:] == ["mcp", "--tools", "search,ask", "--data", str(folder.resolve())]
    printed = ragdeck.done("mcp", "config").out
    assert "claude_desktop_config.json" in printed and '"mcpServers"' in printed


def test_the_configuration_for_a_server_that_runs_has_its_token(ragdeck: CommandLine, folder: Path) -> None:
    found = ragdeck.done("mcp", "config", "--http", "--json").document
    own = json.loads(found[2]["text"])["mcpServers"]["ragdeck"]
    assert own["url"] == "http://127.0.0.1:4319/mcp"
    assert own["headers"]["Authorization"] == f"Bearer {list_tokens(folder)[0].secret}"
    ragdeck.done("settings", "set", "server.port=0")
    assert "Set server.port" in ragdeck.refused("mcp", "config", "--http")


def test_an_unknown_tool_is_refused(ragdeck: CommandLine) -> None:
    assert "no tool “fly”" in ragdeck.refused("mcp", "--tools", "ask,fly")


def test_a_folder_that_is_in_use_without_a_server_is_a_sentence(folder: Path) -> None:
    locked = DataFolderLockedError("The Ragdeck window has this folder.")
    with pytest.raises(RagError, match=r"window has this folder.*switch its server on"):
        _relay(folder, locked)
    make_token(folder, "editor")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]  # bound, but nobody listens
        (folder / "settings.toml").write_text(f"[server]\nport = {port}\n", "utf-8")
        with pytest.raises(RagError, match="switch its server on"):
            _relay(folder, locked)


@pytest.mark.parametrize(
    ("options", "arguments"),
    [((), ["mcp"]), (("--tools", "ask"), ["mcp", "--tools", "ask"]), (("--tools", ""), ["mcp"])],
)
def test_every_client_starts_the_same_command(
    ragdeck: CommandLine, folder: Path, options: tuple[str, ...], arguments: list[str]
) -> None:
    for one in ragdeck.done("mcp", "config", *options, "--json").document:
        ((_, servers),) = json.loads(one["text"]).items()
        assert servers["ragdeck"]["args"][1:] == [*arguments, "--data", str(folder.resolve())]


def test_the_configuration_opens_and_makes_nothing(ragdeck: CommandLine, folder: Path) -> None:
    ragdeck.done("mcp", "config")
    assert list(folder.iterdir()) == [] and list_tokens(folder) == []


def test_the_token_of_the_configuration_is_the_oldest_and_stays(ragdeck: CommandLine, folder: Path) -> None:
    first = make_token(folder, "editor").secret
    make_token(folder, "agent")
    for _ in range(2):
        found = ragdeck.done("mcp", "config", "--http", "--json").document
        assert all(f"Bearer {first}" in one["text"] for one in found)
    assert len(list_tokens(folder)) == 2


def test_the_port_of_the_settings_is_in_the_configuration(ragdeck: CommandLine) -> None:
    ragdeck.done("settings", "set", "server.port=5151")
    found = ragdeck.done("mcp", "config", "--http", "--json").document
    assert all("http://127.0.0.1:5151/mcp" in one["text"] for one in found)


@pytest.mark.parametrize("tools", ["fly", "ask,fly", " fly "])
def test_a_server_with_an_unknown_tool_opens_no_data_folder(
    ragdeck: CommandLine, folder: Path, tools: str
) -> None:
    assert ragdeck.refused("mcp", "--tools", tools).startswith("There is no tool “fly”.")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("is_listening", [False, True])
def test_a_port_is_listened_at_or_not(is_listening: bool) -> None:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        if is_listening:
            made.listen()
        assert _listens(made.getsockname()[1]) is is_listening


def test_a_folder_in_use_whose_server_has_no_token_is_not_asked(folder: Path) -> None:
    with socket.socket() as window:
        window.bind(("127.0.0.1", 0))
        window.listen()
        (folder / "settings.toml").write_text(f"[server]\nport = {window.getsockname()[1]}\n", "utf-8")
        with pytest.raises(RagError, match="switch its server on"):
            _relay(folder, DataFolderLockedError("It is in use."))
