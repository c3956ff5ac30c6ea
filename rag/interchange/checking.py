"""Chooses the received answers that are checked, by the policy of the settings, and checks them."""

from __future__ import annotations

import hashlib

from rag.interchange.receiving import check_received
from rag.interchange.rows import UNCHECKED
from rag.settings import ReceivingSettings
from rag.storage.database import Database
from rag.workspace import Workspace

_MOST_LOOKED_AT = 5000


def check_waiting(workspace: Workspace, since_ms: int | None = None, limit: int = 5) -> int:
    """Check the next received answers; return how many were looked at, 0 when none is left.

    Args:
        workspace: The open data folder.
        since_ms: When the receiver was started; None: it is off. The policy "new" goes by it.
        limit: How many at most: a person's question must not wait for all of them.
    """
    ids = choose_unchecked(workspace.database, workspace.settings.receiving, since_ms)[:limit]
    for trace_id in ids:
        check_received(workspace, trace_id)
    return len(ids)


def choose_unchecked(database: Database, settings: ReceivingSettings, since_ms: int | None) -> list[str]:
    """Return the received traces that the policy lets be checked and that have no check, newest first."""
    if settings.check == "off" or (settings.check == "new" and since_ms is None):
        return []
    when = since_ms if settings.check == "new" else 0
    rows = database.cells(
        f"""SELECT id FROM trace WHERE {UNCHECKED} AND EXISTS (SELECT 1 FROM tracehit h
                WHERE h.trace_id = trace.id AND h.marker IS NOT NULL) AND (? = 0 OR EXISTS
                (SELECT 1 FROM receivedspan s WHERE s.trace_id = trace.id AND s.received_ms >= ?))
            ORDER BY created_ms DESC LIMIT ?""",
        (when, when, _MOST_LOOKED_AT),
    )
    share = settings.check_share if settings.check == "share" else 1.0
    return [trace_id for (trace_id,) in rows if is_in_share(trace_id, share)]


def is_in_share(trace_id: str, share: float) -> bool:
    """Return whether a trace is in the share that is checked; always the same answer for one trace."""
    return int(hashlib.sha256(trace_id.encode()).hexdigest()[:8], 16) < share * 2**32
