"""The switch of the receiver: starts it in the engine's process, stops it, says how it is."""

from __future__ import annotations

import os

from rag.errors import RagError
from rag.interchange.checking import check_waiting
from rag.interchange.rows import ReceiverState
from rag.serving.http import HttpServer
from rag.serving.otlp_receiver import OtlpReceiver
from rag.storage.store import now_ms
from rag.workspace import Workspace


class RunningReceiver:
    """A receiver with its server, from when it is made until it is stopped."""

    def __init__(self, workspace: Workspace, port: int, token: str = "") -> None:
        """Start to receive. Raises RagError when another program has the port."""
        self.started_ms = now_ms()
        self.needs_token = bool(token)
        self.receiver = OtlpReceiver(workspace.store, token=token)
        self.server = HttpServer(self.receiver.application, port)
        self.server.start()
        self.receiver.start()

    def stop(self) -> None:
        """Answer what is in progress, write what waits, and end."""
        self.server.stop()
        self.receiver.stop()


def start_receiver(workspace: Workspace, port: int | None = None) -> ReceiverState:
    """Start to receive at the port of the settings, on this computer alone; nothing when it is on.

    Args:
        workspace: The open data folder.
        port: Another port; 0 takes a free one.

    Raises:
        RagError: The port is in use, or the variable with the token is not set.
    """
    if workspace.receiver is None:
        settings = workspace.settings.receiving
        token = _token(settings.token_variable)
        workspace.receiver = RunningReceiver(workspace, settings.port if port is None else port, token)
    return receiver_state(workspace)


def stop_receiver(workspace: Workspace) -> ReceiverState:
    """Stop to receive, if it is on; what was sent until then is written. Return what came."""
    workspace.stop_receiver()
    return ReceiverState()


def receiver_state(workspace: Workspace) -> ReceiverState:
    """Return whether the receiver is on, where, and what came."""
    running = workspace.receiver
    if not isinstance(running, RunningReceiver):
        return ReceiverState()
    counts = running.receiver.counts
    return ReceiverState(
        running.server.address, counts.requests, counts.spans, counts.refused, counts.turned_away,
        counts.failed, counts.last_error, running.needs_token,
    )  # fmt: skip


def check_received_answers(workspace: Workspace, limit: int = 5) -> int:
    """Check the next received answers that the policy of the settings chooses; return how many."""
    running = workspace.receiver
    since = running.started_ms if isinstance(running, RunningReceiver) else None
    return check_waiting(workspace, since, limit)


def _token(variable: str) -> str:
    if not variable:
        return ""
    token = os.environ.get(variable, "").strip()
    if not token:
        raise RagError(
            f"The environment variable {variable} is not set, so senders would not be asked for a token. Set "
            "it and start Ragdeck again, or clear receiving.token_variable."
        )
    return token
