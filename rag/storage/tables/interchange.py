"""Tables of what came from other applications: their spans, as they were sent."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class ReceivedSpan(SQLModel, table=True):
    """A span of another application. Its trace has a row in `trace` as well, made of all its spans."""

    trace_id: str = Field(primary_key=True)
    span_id: str = Field(primary_key=True)
    received_ms: int
    body: str  # JSON of rag.interchange.rows.RawSpan: everything that was sent


mark(ReceivedSpan, copy="body", technical="trace_id span_id")
