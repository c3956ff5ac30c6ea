"""Tables of governance: the audit log."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class AuditEvent(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    created_ms: int = Field(index=True)
    action: str
    subject: str
    detail: str = ""
