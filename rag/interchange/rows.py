"""Spans of other applications, as they were received and as what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rag.storage.database import Database
from rag.text.plurals import counted


class StepKind(StrEnum):
    """What a step of a received trace does; the kinds of OpenInference, in small letters."""

    AGENT = "agent"
    CHAIN = "chain"
    TOOL = "tool"
    LLM = "llm"
    RETRIEVER = "retriever"
    RERANKER = "reranker"
    EMBEDDING = "embedding"
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    PROMPT = "prompt"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """What people call it."""
        return "model" if self is StepKind.LLM else str(self)


@dataclass(frozen=True)
class RawSpan:
    """A span as OTLP carries it.

    Ids are hex digits (32 and 16); a root has no parent. Times are nanoseconds since 1970, 0 where the sender
    left them out. Attribute values are texts, numbers, booleans, lists and dicts, as JSON has them.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[RawEvent, ...] = ()
    error: str = ""  # the message of a status "error"; "error" when it has none
    service: str = ""  # service.name of the application
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""  # the instrumentation that made it


@dataclass(frozen=True)
class RawEvent:
    """An event of a span, such as an exception."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """What one request or file held: its spans, and how many were refused and why."""

    spans: tuple[RawSpan, ...]
    refused: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Message:
    """A message to or from a model."""

    role: str
    content: str


@dataclass(frozen=True)
class Retrieved:
    """A document that a retriever or reranker returned, or what a tool gave back at a place in the trace."""

    text: str
    id: str = ""
    name: str = ""
    score: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True)
class Usage:
    """Tokens as the application tells them; None is unknown, never 0."""

    prompt: int | None = None
    completion: int | None = None
    total: int | None = None
    cached: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True)
class Step:
    """What a span means: its kind, what went in and out, documents, model, usage.

    input and output are the texts that a person reads; messages are those of a model's call. arguments are a
    tool's, as JSON. called_from is the agent that called this one, where the sender names it. session is the
    conversation's id. Everything that is not known is empty or None.
    """

    kind: StepKind
    input: str = ""
    output: str = ""
    messages: tuple[Message, ...] = ()
    answers: tuple[Message, ...] = ()
    documents: tuple[Retrieved, ...] = ()
    model: str = ""
    provider: str = ""
    usage: Usage = Usage()
    cost_usd: float | None = None
    finish_reason: str = ""
    tool: str = ""
    arguments: str = ""
    agent: str = ""
    called_from: str = ""
    session: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()


# --- the receiver -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReceiverState:
    """Whether traces are received, where, and what came since the receiver was started."""

    address: str = ""  # "" while it is off
    requests: int = 0
    spans: int = 0
    refused: int = 0
    turned_away: int = 0  # requests, because too many spans waited
    failed: int = 0  # spans that could not be written
    last_error: str = ""
    needs_token: bool = False

    @property
    def is_on(self) -> bool:
        """Whether it receives."""
        return bool(self.address)

    def sentence(self) -> str:
        """Return the state for people."""
        if not self.is_on:
            return "The receiver is off."
        parts = [
            f"Receiving at {self.address}/v1/traces" + (", with a token" if self.needs_token else ""),
            f"{counted(self.spans, 'span')} in {counted(self.requests, 'request')}",
        ]
        parts += [f"{self.refused:,} refused"] if self.refused else []
        parts += [f"{counted(self.turned_away, 'request')} told to come again"] if self.turned_away else []
        parts += [f"{self.failed:,} not written"] if self.failed else []
        parts += [f"last error: {self.last_error.rstrip('.')}"] if self.last_error else []
        return "; ".join(parts) + "."


# --- the export -------------------------------------------------------------------------------------------


class ExportState(StrEnum):
    """What became of a trace that is to be sent."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"  # by the endpoint, for good, or because its texts may not leave this computer
    DROPPED = "dropped"  # too many waited


@dataclass(frozen=True)
class ExportQueue:
    """How many traces are in each state, when the next is tried, and what the last failure said."""

    waiting: int = 0
    sent: int = 0
    refused: int = 0
    dropped: int = 0
    next_ms: int | None = None  # Unix; None: nothing waits
    attempts: int = 0  # of the one that waits longest
    last_sent_ms: int | None = None
    last_error: str = ""

    def sentence(self) -> str:
        """Return the counts for people."""
        parts = [f"{counted(self.waiting, 'trace waits', 'traces wait')}", f"{self.sent:,} sent"]
        parts += [f"{self.refused:,} refused"] if self.refused else []
        parts += [f"{self.dropped:,} dropped because too many waited"] if self.dropped else []
        parts += [f"last error: {self.last_error.rstrip('.')}"] if self.last_error else []
        return "; ".join(parts) + "."


@dataclass(frozen=True)
class ExportReport:
    """What one attempt to send traces did."""

    sent: int = 0
    refused: int = 0
    waiting: int = 0
    error: str = ""

    def sentence(self) -> str:
        """Return it for people."""
        parts = [f"{counted(self.sent, 'trace')} sent"]
        parts += [f"{self.refused:,} refused"] if self.refused else []
        parts += [f"{self.waiting:,} still waiting"] if self.waiting else []
        said = ", ".join(parts)
        return f"{said}. {self.error}" if self.error else f"{said}."


def read_export_queue(database: Database) -> ExportQueue:
    """Return the state of the queue."""
    counts = dict(database.cells("SELECT state, count(*) FROM traceexport GROUP BY state"))
    first = database.cells(
        """SELECT next_ms, attempts FROM traceexport WHERE state = 'waiting'
           ORDER BY next_ms, queued_ms LIMIT 1"""
    )
    last = database.cells("SELECT max(sent_ms) FROM traceexport")
    error = database.cells(
        """SELECT error FROM traceexport WHERE error != '' AND state != 'sent'
           ORDER BY max(next_ms, queued_ms) DESC LIMIT 1"""
    )
    return ExportQueue(
        waiting=int(counts.get(ExportState.WAITING, 0)),
        sent=int(counts.get(ExportState.SENT, 0)),
        refused=int(counts.get(ExportState.REFUSED, 0)),
        dropped=int(counts.get(ExportState.DROPPED, 0)),
        next_ms=first[0][0] if first else None,
        attempts=first[0][1] if first else 0,
        last_sent_ms=last[0][0] if last else None,
        last_error=error[0][0] if error else "",
    )


def count_unchecked(database: Database) -> int:
    """Return how many received answers could be checked and have not been."""
    found = database.cells(f"SELECT count(*) FROM trace WHERE {UNCHECKED}")
    return int(found[0][0]) if found else 0


# Received answers with documents and without a check; over `trace`.
UNCHECKED = """application > '' AND source = 'received' AND outcome = '' AND check_error = '' AND answer != ''
    AND passage_count > 0"""
