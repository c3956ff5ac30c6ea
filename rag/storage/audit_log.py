"""Writes the log of what was done to the data: whoever reads a figure can read what led to it."""

from __future__ import annotations

from sqlmodel import Session

from rag.storage.store import now_ms
from rag.storage.tables.governance import AuditEvent


def record(session: Session, action: str, subject: str, detail: str = "") -> None:
    """Add a record in the caller's transaction: an act and its record are saved together or not at all.

    A record outlives an erasure, so it names texts of people and documents by their numbers.

    Args:
        session: An open transaction.
        action: What was done, such as "version tagged".
        subject: The name of what it was done to.
        detail: What else is worth knowing.
    """
    session.add(AuditEvent(created_ms=now_ms(), action=action, subject=subject, detail=detail))
