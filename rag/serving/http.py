"""Runs a web application on a thread of its own, on this computer alone."""

from __future__ import annotations

import hmac
import socket
import threading
import time
from collections.abc import Callable

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.errors import RagError

HOST = "127.0.0.1"
_START_S = 10.0
_GOODBYE_S = 3  # that answers in progress have at the end
_APPLICATION = "ragdeck.application"  # in the scope of a request: the name of its token


class HttpServer:
    """A server for one application. `port` 0 takes a free one; `address` says which it is."""

    def __init__(self, application: ASGIApp, port: int) -> None:
        self._application = application
        self._wanted = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    @property
    def address(self) -> str:
        """The address of the running server, such as "http://127.0.0.1:4318"."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Listen. Raises RagError when another program has the port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, self._wanted))
        except OSError as error:
            listener.close()
            raise RagError(
                f"Port {self._wanted} is in use by another program ({error.strerror}). Choose another port."
            ) from error
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._application, log_level="warning", access_log=False, lifespan="on", server_header=False,
            timeout_graceful_shutdown=_GOODBYE_S,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="http", daemon=True
        )
        self._thread.start()
        until = time.monotonic() + _START_S
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.02)
        if not self._server.started:
            self.stop()
            listener.close()
            raise RagError("The server did not start. Look at the log for the reason.")

    def stop(self) -> None:
        """Answer what is in progress, and end."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=_START_S)
        self._server = self._thread = None


class Guard:
    """A gate before an application: who names no token does not get in. It lets no page of the web in either.

    Pages of the web would need the answer to a question before (CORS), which nobody gives here.
    """

    def __init__(
        self, application: ASGIApp, name_of: Callable[[str], str], open_paths: tuple[str, ...]
    ) -> None:
        """Guard an application.

        Args:
            application: What is behind the gate.
            name_of: Returns whose token an Authorization header has, "" for nobody's.
            open_paths: Those that anybody on this computer may ask, or that have a guard of their own.
        """
        self._application = application
        self._name_of = name_of
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or say that it needs a token."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            header = Request(scope).headers.get("authorization", "")
            name = await run_in_threadpool(self._name_of, header) if header else ""
            if not name:
                await JSONResponse(_NO_TOKEN, 401, {"www-authenticate": "Bearer"})(scope, receive, send)
                return
            scope[_APPLICATION] = name
        await self._application(scope, receive, send)


_NO_TOKEN = {
    "error": {
        "message": "The bearer token is missing or wrong. The Server page of Ragdeck shows it, and so does "
        "`ragdeck tokens list --show`.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
}


def application_of(scope: Scope) -> str:
    """Return the name of the token that a request was let in with, "" where none is needed."""
    return str(scope.get(_APPLICATION, ""))


def is_allowed(request: Request, token: str) -> bool:
    """Return whether a request carries the bearer token; without one every program here may send."""
    if not token:
        return True
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
