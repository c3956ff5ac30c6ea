"""Tables of traces that are exchanged: what other applications sent, and which of ours are sent elsewhere."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class ReceivedSpan(SQLModel, table=True):
    """A span of another application. Its trace has a row in `trace` as well, made of all its spans."""

    trace_id: str = Field(primary_key=True)
    span_id: str = Field(primary_key=True)
    received_ms: int
    body: str  # JSON of rag.interchange.rows.RawSpan: everything that was sent


class TraceExport(SQLModel, table=True):
    """A trace that is to be sent to another tool, or was. Its spans are made then: no text is kept."""

    trace_id: str = Field(primary_key=True)
    state: str = Field(index=True)  # see rag.interchange.rows.ExportState
    queued_ms: int
    attempts: int = 0
    next_ms: int = 0  # not before then
    sent_ms: int | None = None
    error: str = ""  # of the last attempt, as the network or the endpoint's status says it


class ReceivedStep(SQLModel, table=True):
    """What a received span means, made anew of all spans of its trace. See rag.interchange.agents.rows.

    The long texts are the last columns: what lists steps does not read the pages that they overflow into.
    """

    trace_id: str = Field(primary_key=True)
    span_id: str = Field(primary_key=True)
    parent_id: str  # in the tree as it is shown; "" for the first
    position: int  # in the tree, from 1: parents before children
    depth: int
    name: str
    kind: str  # of rag.interchange.rows.StepKind
    start_ms: float  # since the trace began
    end_ms: float
    error: str
    clock: str  # what was wrong with the times as they were sent
    is_orphan: bool  # its parent never arrived
    agent: str  # that the sender names
    called_from: str  # the agent that called this one, where the sender names it
    tool: str
    call: str  # fingerprint of a tool's arguments; "" when they are not known
    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cost_usd: float | None = None  # as the sender tells it
    is_counted: bool  # no other step is about the same call of a model or tool
    input: str
    output: str


mark(ReceivedStep, copy="input output", written="error",
     name="name agent called_from tool model",
     technical="trace_id span_id parent_id kind clock call")  # fmt: skip
mark(ReceivedSpan, copy="body", technical="trace_id span_id")
mark(TraceExport, technical="trace_id state error")
