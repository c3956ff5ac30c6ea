"""Tables of governance: the audit log, and erasures of documents."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from rag.storage.tables.contents import mark


class AuditEvent(SQLModel, table=True):
    """A row of the log that says what was done to the data, when, by whom and to what.

    Only rag.storage.audit_log writes it. The hash covers everything but subject, detail and salt, of which it
    covers a fingerprint: an erasure may take them away.
    """

    id: int | None = Field(default=None, primary_key=True)
    created_ms: int = Field(index=True)
    action: str
    subject: str
    detail: str = ""
    who: str = ""  # the operating system's user or "token NAME"; "" in rows of before schema 19
    before: str = ""  # fingerprint
    after: str = ""  # fingerprint; of "audit words erased": JSON list of the rows
    salt: str = ""
    words: str = ""  # fingerprint of salt, subject and detail
    previous: str = ""  # hash of the row before
    hash: str = ""


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


mark(
    AuditEvent,
    written="subject detail",
    name="who",
    technical="action before after salt words previous hash",
)
mark(Erasure, name="collection", technical="document_ids state")
