"""Runs a web application on a thread of its own, on this computer alone."""

from __future__ import annotations

import hmac
import socket
import threading
import time

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp

from rag.errors import RagError

HOST = "127.0.0.1"
_START_S = 10.0


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
            self._application, log_level="warning", access_log=False, lifespan="off", server_header=False
        )
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
            raise RagError("The server did not start. Look at the log for the reason.")

    def stop(self) -> None:
        """Answer what is in progress, and end."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=_START_S)
        self._server = self._thread = None


def is_allowed(request: Request, token: str) -> bool:
    """Return whether a request carries the bearer token; without one every program here may send."""
    if not token:
        return True
    given = request.headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
