"""Serves MCP over stdin and stdout: by itself, or by the server of the window that has the data folder."""

from __future__ import annotations

import sys

import anyio

from rag.serving.desk import Desk
from rag.serving.mcp.server import relayed, serve_stdio
from rag.serving.work import Lanes
from rag.workspace import Workspace


def run_stdio(workspace: Workspace, names: list[str]) -> None:
    """Serve a data folder until stdin ends. Raises RagError for an unknown tool."""
    lanes = Lanes()
    desk = Desk(workspace, lanes.put)
    try:
        anyio.run(serve_stdio, desk, names)
    finally:
        desk.bench.stop()
        lanes.close()


def relay_stdio(address: str, token: str) -> None:
    """Hand on what comes over stdin to the MCP server at an address, and its answers back."""
    anyio.run(_relay, address, token)


async def _relay(address: str, token: str) -> None:
    from mcp.server.stdio import stdio_server

    async with (
        stdio_server() as (from_client, to_client),
        relayed(address, token) as (from_server, to_server),
    ):

        async def hand_on(source: object, target: object) -> None:
            async for message in source:  # type: ignore[attr-defined]
                if isinstance(message, Exception):
                    print(message, file=sys.stderr)
                    continue
                await target.send(message)  # type: ignore[attr-defined]

        async with anyio.create_task_group() as group:
            group.start_soon(hand_on, from_server, to_client)
            await hand_on(from_client, to_server)
            group.cancel_scope.cancel()
