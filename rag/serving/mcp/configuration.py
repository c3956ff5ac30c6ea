"""What three common clients of MCP have to be told, as the text of their configuration files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClientConfiguration:
    """A client, the file that it reads, and what belongs into it."""

    client: str
    file: str
    text: str


def configurations(
    command: Sequence[str], address: str = "", token: str = ""
) -> tuple[ClientConfiguration, ...]:
    """Return the configuration of each client.

    Args:
        command: What starts the server over stdin, with its arguments.
        address: Of the server over HTTP; empty: clients start one of their own over stdin.
        token: What they name there.
    """
    own: dict[str, Any]
    if address:
        own = {"url": f"{address}/mcp", "headers": {"Authorization": f"Bearer {token}"}}
        remote = ["npx", "-y", "mcp-remote", own["url"], "--header", f"Authorization: Bearer {token}"]
        desktop = {"command": remote[0], "args": remote[1:]}  # it starts programs, and no more
    else:
        own = desktop = {"command": command[0], "args": list(command[1:])}
    return (
        ClientConfiguration(
            "Claude Desktop", "claude_desktop_config.json (Settings, Developer, Edit Config)",
            _text("mcpServers", desktop),
        ),
        ClientConfiguration(
            "VS Code", ".vscode/mcp.json", _text("servers", {"type": "http" if address else "stdio", **own})
        ),
        ClientConfiguration("Cursor", "~/.cursor/mcp.json", _text("mcpServers", own)),
    )  # fmt: skip


def _text(key: str, server: dict[str, Any]) -> str:
    return json.dumps({key: {"ragdeck": server}}, indent=2, ensure_ascii=False)
