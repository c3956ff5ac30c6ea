"""Spans of other applications, as they were received and as what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
