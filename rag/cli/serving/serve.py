"""The commands that serve other programs on this computer."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.terminal import CancelledError, Data, log, open_workspace
from rag.errors import RagError
from rag.text.plurals import counted

if TYPE_CHECKING:
    from rag.serving.running import RunningServer

app = typer.Typer()


@app.command()
def serve(
    openai: Annotated[bool, typer.Option("--openai", help="Answer as the OpenAI API does, at /v1.")] = False,
    mcp: Annotated[
        bool, typer.Option("--mcp", help="Offer tools to agents and editors (MCP), at /mcp.")
    ] = False,
    otlp: Annotated[
        bool, typer.Option("--otlp", help="Receive traces of other applications (OTLP), at /v1/traces.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes a free one; default: that of the settings.")
    ] = None,
    tools: Annotated[
        str,
        typer.Option(help="Names of the tools offered over MCP, with commas; default: all.", metavar="NAMES"),
    ] = "",
    token_variable: Annotated[
        str, typer.Option(help="Environment variable with the bearer token that senders of traces must name.")
    ] = "",
    check_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of received answers that are checked.")
    ] = 1.0,
    data: Data = None,
) -> None:
    """Serve other programs on this computer, until Ctrl+C. Without options: the OpenAI API and MCP.

    Programs name a bearer token: see `ragdeck tokens`. Only senders of traces need none, unless
    --token-variable says so. Received answers are checked against the documents in their own traces. Nothing
    outside this computer can connect.
    """
    token = _token(token_variable)
    from rag.serving.running import RunningServer, with_choice
    from rag.serving.work import Lanes

    is_default = not (openai or mcp or otlp)
    with open_workspace(data, "serve") as workspace:
        settings = workspace.settings.server
        if names := [name.strip() for name in tools.split(",") if name.strip()]:
            settings = settings.model_copy(update={"mcp_tools": names})
        wanted = with_choice(settings, openai or is_default, mcp or is_default, otlp, port)
        lanes = Lanes()
        try:
            server = RunningServer(workspace, lanes.put, wanted, otlp_token=token, check_share=check_share)
            workspace.server = server
            _say(server)
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass
        finally:
            workspace.stop_server()
            lanes.close()
    raise CancelledError(_summary(server))


def _say(server: RunningServer) -> None:
    for sentence in server.served:
        log.print(
            f"{sentence.replace('Traces (OTLP) at', 'Receiving traces at')}", highlight=False, soft_wrap=True
        )
    if server.wanted.openai or server.wanted.mcp:
        log.print("Programs need a token: ragdeck tokens list --show", highlight=False, soft_wrap=True)
    log.print("Ctrl+C ends it.", highlight=False)


def _summary(server: RunningServer) -> str:
    """Return what a server has done, as a sentence."""
    counts, asked = server.received, server.desk.total
    parts = []
    if server.wanted.openai or server.wanted.mcp:
        parts.append(f"{counted(asked, 'request')} answered")
    if server.wanted.otlp:
        received = f"{counted(counts.spans, 'span')} received in {counted(counts.requests, 'request')}"
        if counts.refused or counts.turned_away or counts.failed:
            received += (
                f"; {counts.refused} refused, {counted(counts.turned_away, 'request')} turned away, "
                f"{counts.failed} not written{f' ({counts.last_error})' if counts.last_error else ''}"
            )
        parts.append(received)
    return f"{'; '.join(parts)}."


def _token(variable: str) -> str:
    if not variable:
        return ""
    token = os.environ.get(variable, "")
    if not token:
        raise RagError(f"The environment variable {variable} has no value, so there is no token.")
    return token
