"""The log of what was done to the data: who reads a number must be able to read what led to it."""

from __future__ import annotations

from sqlmodel import Session

from rag.storage.store import now_ms
from rag.storage.tables.governance import AuditEvent


def record(session: Session, action: str, subject: str, detail: str = "") -> None:
    """Part of the caller's transaction: the act and its record stand or fall together."""
    session.add(AuditEvent(created_ms=now_ms(), action=action, subject=subject, detail=detail))
