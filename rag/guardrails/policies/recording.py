"""Writes what policies found and did, and what placeholders stand for where a policy lets that be kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from sqlmodel import Session

from rag.guardrails.policies.rows import Result
from rag.storage.store import insert_rows, now_ms
from rag.storage.tables.guardrails import GuardMask, GuardrailResult


def store_results(
    session: Session,
    results: Iterable[Result],
    *,
    trace_id: str = "",
    collection: str = "",
    kept: Mapping[str, str] | None = None,
) -> None:
    """Write results in the caller's transaction.

    Args:
        session: An open transaction.
        results: What was found.
        trace_id: The trace that it belongs to; "" for documents and for what is sent outside of a question.
        collection: The name of the collection.
        kept: What placeholders of the trace stand for.
    """
    moment = now_ms()
    blank = {"trace_id": trace_id, "collection": collection, "created_ms": moment}
    blank |= {"is_right": None, "review_note": "", "reviewed_ms": None}
    insert_rows(session, GuardrailResult, [{**asdict(result), **blank} for result in results])
    masks = [
        {"trace_id": trace_id, "placeholder": name, "original": value} for name, value in (kept or {}).items()
    ]
    for mask in masks if trace_id else ():
        session.merge(GuardMask(**mask))
