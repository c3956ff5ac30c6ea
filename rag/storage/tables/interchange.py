"""Tables of traces that are exchanged: spans of other applications, and which traces are sent elsewhere."""

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


mark(ReceivedSpan, copy="body", technical="trace_id span_id")
mark(TraceExport, technical="trace_id state error")
