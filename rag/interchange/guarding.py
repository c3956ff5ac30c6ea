"""Where guardrail policies act on received traces: on every text of their spans, before any is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from rag.guardrails.policies.acting import Guard, InForce
from rag.guardrails.policies.in_force import policies_for
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import Action, Place
from rag.interchange.rows import RawEvent, RawSpan
from rag.storage.database import Database
from rag.storage.store import Store


def received_policies(store: Store) -> tuple[InForce, ...]:
    """Return the policies that look at received traces, which belong to no collection: those for all."""
    with closing(Database(store.database)) as database:
        found = policies_for(database, "")
    return tuple(one for one in found if Guard([one]).acts_at(Place.RECEIVED))


def guard_spans(
    session: Session, policies: tuple[InForce, ...], trace_id: str, spans: Sequence[RawSpan]
) -> list[RawSpan]:
    """Return spans as the policies leave them; what was found is stored in the caller's transaction."""
    if not policies:
        return list(spans)
    guard = Guard(policies)
    rows = session.connection().exec_driver_sql(
        "SELECT span_id FROM receivedspan WHERE trace_id = ?", (trace_id,)
    )
    known = {span_id for (span_id,) in rows}
    made = []
    for span in spans:
        before = len(guard.results)
        made.append(_span(guard, span))
        if span.span_id in known:  # it was sent again: what is found in it was recorded then
            del guard.results[before:]
    store_results(session, guard.results, trace_id=trace_id, kept=guard.kept)
    return made


def guarded(session: Session, trace_id: str) -> tuple[str, list[str]]:
    """Return the strongest thing that policies did to a received trace, and notes that say it all."""
    rows = session.connection().exec_driver_sql(
        """SELECT policy, action, kind, count(*) FROM guardrailresult WHERE trace_id = ?
           GROUP BY policy, action, kind ORDER BY policy, kind""",
        (trace_id,),
    )
    found = [(policy, Action(action), kind, count) for policy, action, kind, count in rows]
    notes = [f"the policy “{p}” {a.past} {kind} ({count} times)" for p, a, kind, count in found]
    strongest = max((a for _, a, _, _ in found), key=lambda a: a.strength, default="")
    return str(strongest), notes


def _span(guard: Guard, span: RawSpan) -> RawSpan:
    return replace(
        span,
        name=_text(guard, span.name),
        error=_text(guard, span.error),
        attributes=_values(guard, span.attributes),
        resource=_values(guard, span.resource),
        events=tuple(
            RawEvent(_text(guard, event.name), event.time_ns, _values(guard, event.attributes))
            for event in span.events
        ),
    )


def _values(guard: Guard, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value(guard, key, value) for key, value in values.items()}


def _value(guard: Guard, key: str, value: Any) -> Any:
    if isinstance(value, str):
        text = _text(guard, value)
        # Ids group traces: one that had to be masked stays different from others.
        is_id = key.casefold().endswith(("id", "identifier"))
        return value if text == value else (_digest(value) if is_id else text)
    if isinstance(value, Mapping):
        return _values(guard, value)
    if isinstance(value, list | tuple):
        return [_value(guard, key, one) for one in value]
    return value


def _text(guard: Guard, text: str) -> str:
    return guard.check(Place.RECEIVED, text).text if text else text


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]
