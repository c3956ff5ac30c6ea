"""The MCP server over stdin and stdout, and what clients have to be told to start it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rag.cli.terminal import Data, Json, log, open_workspace, plain, print_json, screen
from rag.errors import DataFolderLockedError, RagError
from rag.storage.data_folder import data_folder

app = typer.Typer()
mcp_app = typer.Typer(help="Tools for agents and editors (MCP).", invoke_without_command=True)
app.add_typer(mcp_app, name="mcp")

Tools = Annotated[
    str, typer.Option("--tools", help="Names of the tools, with commas; default: all.", metavar="NAMES")
]


@mcp_app.callback(invoke_without_command=True)
def mcp(context: typer.Context, tools: Tools = "", data: Data = None) -> None:
    """Serve MCP over stdin and stdout, as agents and editors start it. They only read; asking leaves a trace.

    While the window has the data folder, its server answers: switch it on there.
    """
    if context.invoked_subcommand is not None:
        return
    from rag.serving.mcp.stdio import run_stdio
    from rag.serving.mcp.tools import chosen_tools

    names = [name.strip() for name in tools.split(",") if name.strip()]
    chosen_tools(names)  # an unknown one is refused before anything is opened
    if sys.stdin.isatty():
        log.print("An agent or editor starts this: see `ragdeck mcp config`. Ctrl+C ends it.", soft_wrap=True)
    try:
        with open_workspace(data, "mcp") as workspace:
            run_stdio(workspace, names or workspace.settings.server.mcp_tools)
    except DataFolderLockedError as error:
        _relay(data_folder(data), error)


@mcp_app.command("config")
def config(
    http: Annotated[
        bool, typer.Option("--http", help="For the server of the window or of `serve`, with its token.")
    ] = False,
    tools: Tools = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Print the configuration for Claude Desktop, VS Code and Cursor."""
    from rag.launcher.making import program_command
    from rag.serving.mcp.configuration import configurations
    from rag.serving.tokens import ensure_token
    from rag.settings import Settings

    folder = data_folder(data)
    command = [*program_command(), "mcp"]
    if tools:
        command += ["--tools", tools]
    if data is not None:
        command += ["--data", str(folder.resolve())]
    if http:
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings.load(folder / "settings.toml").server
        if not settings.port:
            raise RagError("The server takes a free port each time. Set server.port to one of its own first.")
        found = configurations(command, f"http://127.0.0.1:{settings.port}", ensure_token(folder).secret)
    else:
        found = configurations(command)
    if as_json:
        values: list[dict[str, Any]] = [
            {"client": one.client, "file": one.file, "text": one.text} for one in found
        ]
        print_json(values)
        return
    for one in found:
        screen.print(plain(f"{one.client}: {one.file}"), style="bold", soft_wrap=True, highlight=False)
        screen.print(plain(one.text), soft_wrap=True, highlight=False)


def _relay(folder: Path, locked: DataFolderLockedError) -> None:
    """Let the server of the program that has the folder answer. Raises RagError when there is none."""
    from rag.serving.mcp.stdio import relay_stdio
    from rag.serving.tokens import list_tokens
    from rag.settings import Settings

    port = Settings.load(folder / "settings.toml").server.port
    tokens = list_tokens(folder)
    if not tokens or not _listens(port):
        raise RagError(f"{locked} Or switch its server on (page Server): then it answers here as well.")
    relay_stdio(f"http://127.0.0.1:{port}", tokens[0].secret)


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False
