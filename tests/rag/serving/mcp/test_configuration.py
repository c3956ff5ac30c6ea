"""Each client is given the file that it reads, for a server that it starts or for one that runs."""

from __future__ import annotations

import json

import pytest

from rag.serving.mcp.configuration import configurations

COMMAND = ["python", "main.py", "mcp", "--data", "My folder"]


def test_three_clients_start_the_server_over_stdin() -> None:
    desktop, code, cursor = configurations(COMMAND)
    assert [one.client for one in (desktop, code, cursor)] == ["Claude Desktop", "VS Code", "Cursor"]
    expected = {"command": "python", "args": ["main.py", "mcp", "--data", "My folder"]}
    assert json.loads(desktop.text) == json.loads(cursor.text) == {"mcpServers": {"ragdeck": expected}}
    assert json.loads(code.text) == {"servers": {"ragdeck": {"type": "stdio", **expected}}}
    assert code.file == ".vscode/mcp.json" and "claude_desktop_config.json" in desktop.file


def test_they_find_a_server_that_runs_with_its_token() -> None:
    desktop, code, cursor = (
        json.loads(one.text) for one in configurations(COMMAND, "http://127.0.0.1:4318", "rd-x")
    )
    own = {"url": "http://127.0.0.1:4318/mcp", "headers": {"Authorization": "Bearer rd-x"}}
    assert cursor == {"mcpServers": {"ragdeck": own}}
    assert code == {"servers": {"ragdeck": {"type": "http", **own}}}
    assert "Authorization: Bearer rd-x" in desktop["mcpServers"]["ragdeck"]["args"]


@pytest.mark.parametrize(
    "command",
    [["ragdeck", "mcp"], ["C:\\Program Files\\ragdeck.exe", "mcp", "--data", 'Größe "1"'], ["ragdeck"]],
)
def test_a_command_is_given_word_by_word_and_never_to_a_shell(command: list[str]) -> None:
    for one in configurations(command):
        (servers,) = json.loads(one.text).values()
        assert [servers["ragdeck"]["command"], *servers["ragdeck"]["args"]] == command


def test_over_http_nothing_names_the_command_or_the_data_folder() -> None:
    for one in configurations(COMMAND, "http://127.0.0.1:1", "rd-x"):
        assert "My folder" not in one.text and "main.py" not in one.text and "rd-x" in one.text


def test_over_stdin_nothing_has_a_token() -> None:
    for one in configurations(COMMAND, "", "rd-x"):
        assert "rd-x" not in one.text and "http" not in one.text


def test_each_text_can_be_read_by_people() -> None:
    for one in configurations(["ragdeck", "mcp", "--data", "Größe"]):
        assert "Größe" in one.text and one.text.startswith('{\n  "')
