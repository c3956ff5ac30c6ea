"""Tables of governance: the audit log, and erasures of documents."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class AuditEvent(SQLModel, table=True):
    """A row of the log that says what was done to the data, when and to what."""

    id: int | None = Field(default=None, primary_key=True)
    created_ms: int = Field(index=True)
    action: str
    subject: str
    detail: str = ""


class Erasure(SQLModel, table=True):
    """An erasure of a document: its rows are gone as soon as this row is there, its bytes once it is done."""

    id: int | None = Field(default=None, primary_key=True)
    collection: str
    # JSON list of the ids of the revisions; no names, because this row outlives the document.
    document_ids: str
    state: str  # rag.governance.rows.ErasureState
    begun_ms: int
    done_ms: int | None = None
    # Places of the data folder where a sentence was found afterwards; None: nobody looked, because the
    # program was killed and the sentences are not kept.
    found_count: int | None = None


mark(AuditEvent, written="subject detail", technical="action")
mark(Erasure, name="collection", technical="document_ids state")
