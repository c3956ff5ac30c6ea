"""Rows of the server: its state, its tokens, and the requests of other programs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """What a program names to be let in; `name` is what its questions are listed under."""

    name: str
    secret: str
    created_ms: int  # Unix


@dataclass(frozen=True)
class ServedCall:
    """A request of another program; it is still in progress while milliseconds is None.

    Attributes:
        number: Its place since the server was started.
        at_ms: When it came, in Unix milliseconds.
        application: The name of its token, "" where none is needed.
        what: The path, or the tool of MCP.
        model: What was asked.
        status: The HTTP status; 0 while it is in progress.
        milliseconds: How long it took.
        trace_id: Of the answer, "" where there is none.
        detail: Why it failed; "" where it did not.
    """

    number: int
    at_ms: int
    application: str
    what: str
    model: str = ""
    status: int = 0
    milliseconds: float | None = None
    trace_id: str = ""
    detail: str = ""

    @property
    def outcome(self) -> str:
        """How it ended, in a few words."""
        if self.milliseconds is None:
            return "in progress"
        return self.detail or ("done" if self.status < 400 else f"refused ({self.status})")


@dataclass(frozen=True)
class ServerState:
    """The server as it is now.

    Attributes:
        address: Such as "http://127.0.0.1:4318"; "" while it is off.
        served: What it offers, in sentences.
        waiting: Questions that wait or are being answered.
        calls: The last requests, newest first.
        total: Requests since it was started.
        received: Spans of other applications since it was started.
    """

    address: str = ""
    served: tuple[str, ...] = ()
    waiting: int = 0
    calls: tuple[ServedCall, ...] = ()
    total: int = 0
    received: int = 0

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return bool(self.address)
