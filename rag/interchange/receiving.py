"""Stores traces that other applications sent, and checks their answers against their own documents.

Spans are kept as they came, so that a later version can read more of them. Each arrival makes the trace's row
anew of all its spans: they come in any order, some of them twice.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session

from rag.asking.answer import checked
from rag.asking.rows import TraceSource, TraceStatus
from rag.asking.traces import forget_trace_texts, put_claims
from rag.grounding.rows import SilentFailure
from rag.grounding.sentences import is_refusal
from rag.grounding.silent_failures import hides_errors, silent_failures
from rag.interchange.agents.building import hidden_errors, step_rows
from rag.interchange.agents.calls.rows import Loop, loops_of
from rag.interchange.agents.evidence import Evidence, evidence_of
from rag.interchange.agents.rows import StepRow
from rag.interchange.guarding import guard_spans, guarded, received_policies
from rag.interchange.rows import RawEvent, RawSpan, Retrieved, StepKind
from rag.interchange.trees import Node, ReceivedTrace, trace_of
from rag.storage.database import Database
from rag.storage.store import Store, add_trace_text, insert_rows, now_ms
from rag.storage.tables.interchange import ReceivedStep
from rag.storage.tables.traces import Claim, Span, Trace, TraceHit
from rag.text.citations import unknown_markers
from rag.text.plurals import counted
from rag.workspace import Workspace

MOST_MARKERS = 10**9  # where markers have no numbers to be compared with
_BATCH = 200  # traces in a transaction


@dataclass(frozen=True)
class Arrival:
    """What became of some spans: the traces that are new or grew, and ids that are this program's own.

    The rows of traces in `postponed` are not made anew yet; their spans are stored.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    own: tuple[str, ...]
    spans: int
    postponed: tuple[str, ...] = ()


def receive(
    store: Store, spans: Iterable[RawSpan], is_postponed: Callable[[str], bool] = lambda _trace_id: False
) -> Arrival:
    """Store spans and make or renew their traces.

    A trace that this program wrote itself is left as it is: what it knows of it is more than its export.

    Args:
        store: Where to.
        spans: Of any traces, in any order.
        is_postponed: Says of a trace that grew whether its rows are made anew later, by renew_traces: that
            reads all its spans again, so a large one that grows all the time must not be renewed each time.
    """
    grouped: dict[str, list[RawSpan]] = defaultdict(list)
    for span in spans:
        grouped[span.trace_id].append(span)
    added: list[str] = []
    changed: list[str] = []
    own: list[str] = []
    postponed: list[str] = []
    stored = 0
    ids = list(grouped)
    policies = received_policies(store)
    for first in range(0, len(ids), _BATCH):
        with store.session() as session:
            for trace_id in ids[first : first + _BATCH]:
                known = session.get(Trace, trace_id)
                if known is not None and known.source != TraceSource.RECEIVED:
                    own.append(trace_id)
                    continue
                stored += len(grouped[trace_id])
                _keep(session, guard_spans(session, policies, trace_id, grouped[trace_id]))
                if known is not None and is_postponed(trace_id):
                    postponed.append(trace_id)
                    continue
                (changed if known is not None else added).append(trace_id)
                _renew(session, trace_id, known)
    return Arrival(tuple(added), tuple(changed), tuple(own), stored, tuple(postponed))


def renew_traces(store: Store, trace_ids: Sequence[str]) -> None:
    """Make the rows of received traces anew of the spans that are stored; one that was deleted stays so."""
    for first in range(0, len(trace_ids), _BATCH):
        with store.session() as session:
            for trace_id in trace_ids[first : first + _BATCH]:
                known = session.get(Trace, trace_id)
                is_received = known is not None and known.source == TraceSource.RECEIVED
                if is_received and received_spans(session, trace_id):
                    _renew(session, trace_id, known)


def behind(store: Store) -> list[str]:
    """Return received traces with more spans than their rows have: a kill came before they were renewed."""
    with store.session() as session:
        found = session.connection().exec_driver_sql(
            """SELECT r.trace_id FROM receivedspan r JOIN trace t ON t.id = r.trace_id
               GROUP BY r.trace_id
               HAVING count(*) != (SELECT count(*) FROM span s WHERE s.trace_id = r.trace_id)"""
        )
        return [str(trace_id) for (trace_id,) in found]


def received_spans(session: Session, trace_id: str) -> list[RawSpan]:
    """Return the spans of a trace as they were sent."""
    rows = session.connection().exec_driver_sql(
        "SELECT span_id, body FROM receivedspan WHERE trace_id = ?", (trace_id,)
    )
    return [_span_of({"trace_id": trace_id, "span_id": key, **json.loads(body)}) for key, body in rows]


def without_steps(database: Database) -> list[str]:
    """Return received traces whose steps were never read: an older version of this program received them."""
    rows = database.cells(
        """SELECT id FROM trace WHERE source = 'received' AND step_count IS NULL
           AND EXISTS (SELECT 1 FROM receivedspan s WHERE s.trace_id = trace.id)"""
    )
    return [str(trace_id) for (trace_id,) in rows]


def unchecked(store: Store, limit: int = 100) -> list[str]:
    """Return received traces that have an answer and documents, and no check yet; oldest first."""
    with store.session() as session:
        found = session.connection().exec_driver_sql(
            """SELECT id FROM trace WHERE source = 'received' AND outcome = '' AND check_error = ''
               AND answer != '' AND passage_count > 0 ORDER BY created_ms LIMIT ?""",
            (limit,),
        )
        return [str(trace_id) for (trace_id,) in found]


def check_received(workspace: Workspace, trace_id: str) -> bool:
    """Check a received answer against the documents in its own trace; return whether it could be checked.

    An answer without documents says nothing about support, and is not checked. Raises nothing that a check
    raises: the reason is stored with the trace.
    """
    with workspace.store.session() as session:
        trace = session.get(Trace, trace_id)
        if trace is None or trace.source != TraceSource.RECEIVED or not trace.answer:
            return False
        question, answer = trace.question, trace.answer
        rows = session.connection().exec_driver_sql(
            "SELECT text FROM tracehit WHERE trace_id = ? AND marker IS NOT NULL ORDER BY marker", (trace_id,)
        )
        passages = [str(text) for (text,) in rows]
    if not passages:
        return False
    begin = time.perf_counter()
    claims, error = checked(workspace, question, answer, passages, None)
    with workspace.store.session() as session:
        trace = session.get(Trace, trace_id)
        if trace is None:  # deleted in the meantime
            return False
        trace.check_ms = (time.perf_counter() - begin) * 1000
        put_claims(trace, claims, refused=is_refusal(answer), error=error)
        session.add(trace)
        session.connection().exec_driver_sql("DELETE FROM claim WHERE trace_id = ?", (trace_id,))
        insert_rows(session, Claim, [{**asdict(claim), "trace_id": trace_id} for claim in claims])
    return not error


def _keep(session: Session, spans: Sequence[RawSpan]) -> None:
    session.connection().exec_driver_sql(
        "INSERT OR REPLACE INTO receivedspan (trace_id, span_id, received_ms, body) VALUES (?, ?, ?, ?)",
        [
            (
                span.trace_id,
                span.span_id,
                now_ms(),
                json.dumps({k: v for k, v in asdict(span).items() if k not in ("trace_id", "span_id")}),
            )
            for span in spans
        ],
    )


def _span_of(body: dict[str, Any]) -> RawSpan:
    events = tuple(RawEvent(**event) for event in body.pop("events"))
    return RawSpan(**body, events=events)


def _renew(session: Session, trace_id: str, known: Trace | None) -> None:
    """Write the trace's rows anew of all its spans.

    What was checked of the same answer stays, and what people said of it.
    """
    found = trace_of(received_spans(session, trace_id), time.time_ns())
    steps = step_rows(found.nodes)
    evidence = evidence_of(found.nodes, steps, found.documents)
    made = _row(found, steps, evidence)
    made.guard_action, notes = guarded(session, trace_id)
    made.fallbacks = json.dumps([*json.loads(made.fallbacks), *notes])
    if known is not None:
        old = ["span", "tracehit", "cost", "receivedstep"]
        if (known.answer, known.passage_count) == (made.answer, made.passage_count):
            for name in _CHECKED:
                setattr(made, name, getattr(known, name))
        else:
            old += ["claim", "flagopinion"]
        forget_trace_texts(session, [trace_id])
        for table in old:
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE trace_id = ?", (trace_id,))
    session.merge(made)
    session.flush()
    insert_rows(session, Span, [_span_row(trace_id, node) for node in found.nodes])
    insert_rows(
        session,
        ReceivedStep,
        [_step_row(trace_id, node, step) for node, step in zip(found.nodes, steps, strict=True)],
    )
    texts = (*found.documents, *evidence.outputs)
    insert_rows(session, TraceHit, [_hit(trace_id, n, d) for n, d in enumerate(texts, 1)])
    add_trace_text(session, trace_id, f"{made.question}\n{made.answer}")


_CHECKED = (
    "claim_count flag_count worst_verdict outcome support_rate contradicted_count check_error check_ms"
).split()


def _row(found: ReceivedTrace, steps: Sequence[StepRow], evidence: Evidence) -> Trace:
    usage = found.usage
    loops = loops_of(steps)
    tools = [step for step in steps if step.kind is StepKind.TOOL and step.is_counted]
    sources = (*found.documents, *evidence.outputs)
    return Trace(
        id=found.trace_id,
        session_id=found.session or found.trace_id,
        created_ms=found.begin_ms,
        status=TraceStatus.FAILED if found.error else TraceStatus.DONE,
        source=TraceSource.RECEIVED,
        error=found.error,
        question=found.question,
        answer=found.answer,
        application=found.application or "(no name)",
        model=found.model,
        fallbacks=json.dumps(_notes(found, loops, evidence)),
        prompt_tokens=usage.prompt or 0,
        cached_tokens=usage.cached or 0,
        completion_tokens=usage.completion or 0,
        total_ms=found.duration_ms,
        candidate_count=len(sources),
        passage_count=len(sources),
        passage_documents=len({document.name or document.id for document in sources}),
        silent_failures=json.dumps(_failures(found, steps, loops, evidence)),
        step_count=len(steps),
        tool_calls=len(tools),
        tool_errors=sum(bool(step.error) for step in tools),
        loop_count=len(loops),
    )


def _notes(found: ReceivedTrace, loops: Sequence[Loop], evidence: Evidence) -> list[str]:
    """Return what is odd about a trace, in sentences."""
    unknown = unknown_markers(found.answer, len(found.documents)) if found.documents else ""
    clocks = sum(bool(node.clock) for node in found.nodes)
    notes = [f"{counted(found.untold, 'model call')} did not tell the tokens"] if found.untold else []
    notes += [] if found.is_complete else ["the trace's first span has not arrived"]
    notes += [f"the times of {counted(clocks, 'step')} could not be right"] if clocks else []
    notes += [*(loop.sentence for loop in loops), *evidence.notes]
    if unknown:
        notes.append(f"the answer cites {unknown}, which was not among the documents")
    return notes


def _failures(
    found: ReceivedTrace, steps: Sequence[StepRow], loops: Sequence[Loop], evidence: Evidence
) -> list[SilentFailure]:
    """Return what is wrong with an answer that came without an error, and with how it came about."""
    if not found.is_complete or found.error:
        return []
    # Markers number documents. Where only tools gave sources, nobody knows how the application numbered them.
    numbered = len(found.documents) if found.documents or not evidence.outputs else MOST_MARKERS
    failures = [*silent_failures(found.question, found.answer, "", numbered)]
    failures += [SilentFailure.LOOP] if loops else []
    if hidden_errors(steps) and hides_errors(found.answer):
        failures.append(SilentFailure.HIDDEN_ERROR)
    return failures


def _span_row(trace_id: str, node: Node) -> dict[str, Any]:
    return {
        "trace_id": trace_id,
        "name": node.span.name,
        "kind": node.step.kind.upper(),
        "start_ms": node.start_ms,
        "end_ms": node.end_ms,
        "detail": node.span.error or node.clock or node.step.tool or node.step.model,
    }


def _step_row(trace_id: str, node: Node, step: StepRow) -> dict[str, Any]:
    texts = {"input": node.step.input or node.step.arguments, "output": node.step.output}
    return {"trace_id": trace_id, **vars(step), **texts}


def _hit(trace_id: str, number: int, document: Retrieved) -> dict[str, Any]:
    """Return a document or a tool's output as a candidate; it is in no collection here: its ids are 0."""
    place = document.place
    return {
        "trace_id": trace_id,
        "chunk_id": 0,
        "document_id": 0,
        "document": document.name or document.id or f"document {number}",
        "path": "",
        "place": place,
        "place_kind": "step" if place else "",
        "start": 0,
        "end": len(document.text),
        "text": document.text,
        "token_count": 0,
        "fused_rank": number,
        "fused_score": document.score or 0.0,
        "rank": number,
        "marker": number,
    }
