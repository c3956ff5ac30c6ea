"""What a person says of a result of a policy: right or wrong."""

from __future__ import annotations

from rag.errors import NotFoundError
from rag.storage import audit_log
from rag.storage.store import Store, now_ms
from rag.storage.tables.guardrails import GuardrailResult


def review_result(store: Store, result_id: int, is_right: bool | None, note: str = "") -> None:
    """Store whether a result was right; None takes the opinion back. Raises NotFoundError."""
    with store.session() as session:
        found = session.get(GuardrailResult, result_id)
        if found is None:
            raise NotFoundError(f"There is no guardrail result {result_id}. Run `ragdeck policies results`.")
        found.is_right, found.review_note = is_right, note
        found.reviewed_ms = None if is_right is None else now_ms()
        session.add(found)
        said = "taken back" if is_right is None else ("right" if is_right else "wrong")
        audit_log.record(session, audit_log.Action.GUARDRAIL_RESULT_REVIEWED, f"result {result_id}", said)
