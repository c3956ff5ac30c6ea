"""Puts the parts of the server together: the OpenAI API, MCP, and the receiver of traces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.serving.desk import Desk
from rag.serving.http import Guard
from rag.serving.mcp.server import http_application
from rag.serving.openai_api.routes import openai_routes
from rag.serving.otlp_receiver import OtlpReceiver
from rag.settings import ServerSettings

# A page on the web must not reach the server by a name of its own for 127.0.0.1.
HOSTS = ("127.0.0.1", "localhost", "[::1]")


def make_application(desk: Desk, wanted: ServerSettings, receiver: OtlpReceiver | None = None) -> ASGIApp:
    """Return what a server runs. Raises RagError for an unknown tool of MCP.

    Args:
        desk: See Desk.
        wanted: Which parts are served.
        receiver: Receives traces, by its own token; None: they are not received.
    """
    routes: list[BaseRoute] = [Route("/", _about(desk, wanted))]
    running: list[Callable[[], Any]] = []
    if receiver is not None:
        routes.append(Route("/v1/traces", receiver.receive, methods=["POST"]))
    if wanted.openai:
        routes += openai_routes(desk)
    if wanted.mcp:
        answers, run = http_application(desk, wanted.mcp_tools)
        running.append(run)
        routes.append(Route("/mcp", _Mounted(answers)))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for enter in running:
                await stack.enter_async_context(enter())
            yield

    inner = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
    )
    return Guard(inner, desk.tokens.name_of, ("/v1/traces",) if receiver is not None else ())


class _Mounted:
    """An application as the endpoint of a route: Starlette would wrap a function."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)


def _about(desk: Desk, wanted: ServerSettings) -> Callable[[Request], Any]:
    async def about(request: Request) -> Response:
        """Say what is served, to those who have a token."""
        return JSONResponse(
            {"ragdeck": True, "openai": wanted.openai, "mcp": wanted.mcp, "waiting": desk.bench.waiting}
        )

    return about
