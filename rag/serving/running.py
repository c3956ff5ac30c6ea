"""Starts and stops the one server of a data folder, and says how it is."""

from __future__ import annotations

import queue
import threading

from rag.errors import RagError
from rag.interchange.checking import is_in_share
from rag.interchange.receiving import Arrival, check_received
from rag.serving.application import make_application
from rag.serving.desk import Desk
from rag.serving.http import HttpServer
from rag.serving.otlp_receiver import PORT as OTLP_PORT
from rag.serving.otlp_receiver import Counts, OtlpReceiver
from rag.serving.rows import ServerState, Token
from rag.serving.tokens import ensure_token, list_tokens, make_token, revoke_token
from rag.serving.work import Put
from rag.settings import ServerSettings
from rag.storage import audit_log
from rag.workspace import Workspace


class RunningServer:
    """A server that runs: its parts, and the thread that checks the answers of received traces."""

    def __init__(
        self,
        workspace: Workspace,
        put: Put,
        wanted: ServerSettings,
        *,
        otlp_token: str = "",
        check_share: float = 1.0,
    ) -> None:
        """Start it. Raises RagError when it cannot be.

        Args:
            workspace: The data folder.
            put: See rag.serving.work.
            wanted: Which parts are served, and at which port.
            otlp_token: What senders of traces must name; empty: nothing.
            check_share: Share of the received answers that are checked.
        """
        if not (wanted.openai or wanted.mcp or wanted.otlp):
            raise RagError("Nothing is served: choose the OpenAI API, MCP or the receiver of traces first.")
        self.wanted = wanted
        self._workspace = workspace
        self._share = check_share
        self._arrived: queue.Queue[str | None] = queue.Queue()
        self._checker: threading.Thread | None = None
        self.desk = Desk(workspace, put)
        if wanted.openai or wanted.mcp:
            ensure_token(workspace.folder)
        self._receiver = OtlpReceiver(workspace.store, self._note, token=otlp_token) if wanted.otlp else None
        self._server = HttpServer(make_application(self.desk, wanted, self._receiver), wanted.port)
        self._server.start()
        if self._receiver is not None:
            self._receiver.start()
            self._checker = threading.Thread(target=self._check, name="check received", daemon=True)
            self._checker.start()

    @property
    def address(self) -> str:
        """Such as "http://127.0.0.1:4318"."""
        return self._server.address

    @property
    def received(self) -> Counts:
        """What was received of other applications."""
        return self._receiver.counts if self._receiver is not None else Counts()

    @property
    def served(self) -> tuple[str, ...]:
        """What is served where, in sentences."""
        parts = (
            (self.wanted.openai, f"OpenAI API at {self.address}/v1"),
            (self.wanted.mcp, f"MCP at {self.address}/mcp"),
            (self.wanted.otlp, f"Traces (OTLP) at {self.address}/v1/traces"),
        )
        return tuple(sentence for is_on, sentence in parts if is_on)

    def stop(self) -> None:
        """Cancel what is asked, write what was received, and end."""
        self.desk.bench.stop()
        self._server.stop()
        if self._receiver is not None:
            self._receiver.stop()
        if self._checker is not None:
            self._arrived.put(None)
            self._checker.join()
            self._checker = None

    def _note(self, arrival: Arrival) -> None:
        for trace_id in (*arrival.added, *arrival.changed):
            self._arrived.put(trace_id)

    def _check(self) -> None:
        while (trace_id := self._arrived.get()) is not None:
            if is_in_share(trace_id, self._share):
                check_received(self._workspace, trace_id)


# --- what the window starts -------------------------------------------------------------------------------


def start_server(workspace: Workspace, lanes: Put) -> ServerState:
    """Start the server as the settings say; one that runs is started anew. Raises RagError."""
    _end(workspace)
    server = RunningServer(workspace, lanes, workspace.settings.server)
    workspace.server = server
    _record(workspace, audit_log.Action.SERVER_STARTED, ", ".join(server.served))
    return server_state(workspace)


def stop_server(workspace: Workspace) -> ServerState:
    """Stop the server, if it runs."""
    if _end(workspace):
        _record(workspace, audit_log.Action.SERVER_STOPPED, "for other programs")
    return server_state(workspace)


def server_state(workspace: Workspace) -> ServerState:
    """Return how the server is, and the last requests."""
    server = workspace.server
    if not isinstance(server, RunningServer):
        return ServerState()
    desk = server.desk
    return ServerState(
        server.address, server.served, desk.bench.waiting, desk.calls, desk.total, server.received.spans
    )


def read_tokens(workspace: Workspace) -> list[Token]:
    """Return the tokens, oldest first; the first one is made when it is needed."""
    ensure_token(workspace.folder)
    return list_tokens(workspace.folder)


def add_token(workspace: Workspace, name: str) -> Token:
    """Make a token; the one of the same name holds no more. Raises RagError."""
    made = make_token(workspace.folder, name)
    _record(workspace, audit_log.Action.SERVER_TOKEN_MADE, made.name)
    return made


def remove_token(workspace: Workspace, name: str) -> None:
    """Let a token hold no more. Raises NotFoundError."""
    revoke_token(workspace.folder, name)
    _record(workspace, audit_log.Action.SERVER_TOKEN_REVOKED, name)


def with_choice(
    wanted: ServerSettings, openai: bool, mcp: bool, otlp: bool, port: int | None
) -> ServerSettings:
    """Return settings of a server that serves exactly this.

    port None: as the settings say, and where OTLP is expected when nothing else is served.
    """
    if port is None:
        port = OTLP_PORT if otlp and not (openai or mcp) else wanted.port
    return wanted.model_copy(update={"openai": openai, "mcp": mcp, "otlp": otlp, "port": port})


def _end(workspace: Workspace) -> bool:
    is_on = workspace.server is not None
    workspace.stop_server()
    return is_on


def _record(workspace: Workspace, action: audit_log.Action, subject: str) -> None:
    with workspace.store.session() as session:
        audit_log.record(session, action, subject)
