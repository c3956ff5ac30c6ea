"""The traces that are sent to another tool: which ones wait, when they are tried again, what became of them.

The queue is a table of trace ids, so that it survives a kill and keeps no copy of any text: the spans are
made when they are sent, and a trace that was erased in the meantime is sent as it is then. Answers are never
held up: whoever has time calls `send_waiting`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from rag.asking.rows import TraceDetail, TraceSource, get_trace
from rag.errors import NotFoundError, RagError
from rag.interchange.export.hiding import Hiding, hidden, hiding_of
from rag.interchange.export.sending import Sent, read_headers, send_annotations, send_spans
from rag.interchange.export.spans import (
    SERVICE,
    Score,
    check_scores,
    exported_spans,
    feedback_score,
    span_id,
)
from rag.interchange.rows import ExportReport, ExportState, RawSpan
from rag.models.endpoints.rows import MayLeave, is_on_this_computer, may_leave
from rag.review.rows import list_feedback
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.workspace import Workspace

MOST_AT_ONCE = 200  # traces in one call
_BATCH_TRACES, _BATCH_SPANS = 20, 500
_FIRST_WAIT_S, _LONGEST_WAIT_S = 5.0, 3600.0
_SINCE = "since"  # state of the row, without a trace, that says from when on traces are sent as they come
NOWHERE = (
    "There is no endpoint to send traces to. Name one on the Traces page, Export, or with `ragdeck settings "
    "set export.endpoint=http://127.0.0.1:6006/v1/traces`."
)


def send_traces(workspace: Workspace, trace_ids: Sequence[str], allowed: Sequence[str] = ()) -> ExportReport:
    """Send these traces now; what the endpoint does not take now waits in the queue.

    Args:
        workspace: The open data folder.
        trace_ids: Their ids, or beginnings of them.
        allowed: Collections whose texts a person lets leave this computer; "" for traces of no collection.

    Raises:
        RagError: There is no endpoint or no such trace.
    """
    _endpoint(workspace)
    ids = [get_trace(workspace.database, trace_id).id for trace_id in trace_ids]
    for collection in allowed:
        workspace.endpoints.border.allow(collection, SERVICE)
    enqueue(workspace, ids)
    return send_waiting(workspace, force=True)


def enqueue(workspace: Workspace, trace_ids: Sequence[str]) -> None:
    """Let traces wait; past the bound, those that have waited longest are dropped, and counted."""
    with workspace.store.session() as session:
        raw = session.connection()
        later = raw.exec_driver_sql("SELECT max(next_ms) FROM traceexport WHERE state = 'waiting'").scalar()
        begin = now_ms()
        if not trace_ids:
            return
        raw.exec_driver_sql(
            """INSERT INTO traceexport (trace_id, state, queued_ms, attempts, next_ms, sent_ms, error)
               VALUES (?, 'waiting', ?, 0, ?, NULL, '')
               ON CONFLICT (trace_id) DO UPDATE SET state = 'waiting', queued_ms = excluded.queued_ms,
                   attempts = 0, next_ms = excluded.next_ms, error = ''""",
            [(trace_id, begin + n, later or 0) for n, trace_id in enumerate(dict.fromkeys(trace_ids))],
        )
        raw.exec_driver_sql(
            """UPDATE traceexport SET state = 'dropped' WHERE trace_id IN
               (SELECT trace_id FROM traceexport WHERE state = 'waiting'
                ORDER BY queued_ms DESC LIMIT -1 OFFSET ?)""",
            (workspace.settings.export.most_waiting,),
        )


def follow_traces(workspace: Workspace) -> int:
    """Let wait what was asked since continuous export was switched on; return how many.

    A trace that has got new feedback since it was sent waits again. Test traffic is never sent by itself.
    """
    is_on = workspace.settings.export.continuous and bool(workspace.settings.export.endpoint)
    with workspace.store.session() as session:
        raw = session.connection()
        since = raw.exec_driver_sql(f"SELECT queued_ms FROM traceexport WHERE state = '{_SINCE}'").scalar()
        if not is_on:
            raw.exec_driver_sql(f"DELETE FROM traceexport WHERE state = '{_SINCE}'")
            return 0
        if since is None:
            _remember_since(raw)
            return 0
        ids = [str(row[0]) for row in raw.exec_driver_sql(_NEW, (since, MOST_AT_ONCE))]
    if ids:
        enqueue(workspace, ids)
    return len(ids)


_NEW = """SELECT t.id FROM trace t LEFT JOIN traceexport e ON e.trace_id = t.id
    WHERE t.source = 'person' AND t.status != 'running' AND t.created_ms >= ? AND (e.trace_id IS NULL
        OR e.state = 'sent' AND EXISTS (SELECT 1 FROM feedback f
                                        WHERE f.trace_id = t.id AND f.created_ms > e.sent_ms))
    ORDER BY t.created_ms LIMIT ?"""


def _remember_since(raw: Connection) -> None:
    raw.exec_driver_sql(
        """INSERT INTO traceexport (trace_id, state, queued_ms, attempts, next_ms, error)
           VALUES ('', ?, ?, 0, 0, '')""",
        (_SINCE, now_ms()),
    )


def send_waiting(workspace: Workspace, force: bool = False) -> ExportReport:
    """Send the traces whose time has come; force: all that wait, whatever their time.

    The first failure of the endpoint ends it, and everything that waits is tried later: 5 seconds, then twice
    as long each time, up to an hour, or as long as the endpoint says. Raises RagError without an endpoint.
    """
    url = _endpoint(workspace)
    settings = workspace.settings.export
    headers, hiding = read_headers(settings.headers_variable), hiding_of(settings)
    due = _due(workspace, force)
    sent = refused = 0
    error = ""
    while due and not error:
        batch, spans, due = _next_batch(workspace, due, url, hiding)
        refused += len(batch.refused)
        if not batch.ids:
            continue
        result = _send(workspace, batch.ids, spans, url, headers, hiding)
        if result.is_taken:
            _mark(workspace, batch.ids, ExportState.SENT)
            sent += len(batch.ids)
        elif result.may_retry:
            error = _wait(workspace, result)
        elif len(batch.ids) > 1:  # one of them may be at fault
            taken, not_taken, error = _one_by_one(workspace, batch.ids, url, headers, hiding)
            sent, refused = sent + taken, refused + not_taken
        else:
            _mark(workspace, batch.ids, ExportState.REFUSED, result.reason)
            refused += 1
    return ExportReport(sent, refused, _count_waiting(workspace), error)


def clear_queue(workspace: Workspace) -> int:
    """Forget what waits, was refused or dropped; return of how many. What was sent stays noted."""
    with workspace.store.session() as session:
        gone = session.connection().exec_driver_sql(
            "DELETE FROM traceexport WHERE state IN ('waiting', 'refused', 'dropped')"
        )
        audit_log.record(session, audit_log.Action.EXPORT_QUEUE_CLEARED, f"{gone.rowcount} traces")
        return int(gone.rowcount)


def why_not(workspace: Workspace, url: str, detail: TraceDetail) -> str:
    """Return why a trace may not be sent to a URL, "" when it may."""
    if is_on_this_computer(url):
        return ""
    database, collection = workspace.database, detail.collection
    setting = may_leave(database, collection) if collection else MayLeave.ASK
    if setting is MayLeave.ALWAYS:
        return ""
    if setting is MayLeave.ASK and workspace.endpoints.border.is_allowed(collection, SERVICE):
        return ""
    what = f"“{collection}”" if collection else f"What “{detail.application or 'no collection'}” answered"
    return f"{what} may not leave this computer. Allow it, and send the trace again."


def annotation_rows(workspace: Workspace, trace_id: str, hiding: Hiding) -> list[dict[str, Any]]:
    """Return what is known of an answer as Phoenix's API for annotations takes it."""
    detail = get_trace(workspace.database, trace_id)
    feedback = list_feedback(workspace.database, trace_id=trace_id)
    is_received = detail.source == TraceSource.RECEIVED
    checked = span_id(trace_id, "check" if is_received else "root")
    quotes = hiding.outputs or hiding.output_messages or hiding.output_text or hiding.retrieval_documents
    rows = [_annotation(checked, score, quotes) for score in check_scores(detail)]
    for row in feedback:
        on = span_id(trace_id, f"feedback {row.author} {row.created_ms}") if is_received else checked
        rows.append(_annotation(on, feedback_score(row), quotes))
    return rows


def _annotation(on: str, score: Score, hides_explanation: bool) -> dict[str, Any]:
    told = {"score": score.score, "label": score.label, "explanation": score.explanation}
    if hides_explanation:
        told["explanation"] = ""
    return {
        "span_id": on, "name": score.name, "annotator_kind": score.annotator, "identifier": score.identifier,
        "result": {key: value for key, value in told.items() if value not in ("", None)},
    }  # fmt: skip


class _Batch:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.refused: list[str] = []


def _next_batch(
    workspace: Workspace, due: list[str], url: str, hiding: Hiding
) -> tuple[_Batch, list[RawSpan], list[str]]:
    """Return the next traces with their spans, and what is left; those that may not be sent are marked."""
    batch, spans = _Batch(), list[RawSpan]()
    for number, trace_id in enumerate(due):
        if len(batch.ids) >= _BATCH_TRACES or len(spans) >= _BATCH_SPANS:
            return batch, spans, due[number:]
        try:
            detail = get_trace(workspace.database, trace_id)
        except NotFoundError:  # deleted in the meantime, together with its place in the queue
            continue
        if reason := why_not(workspace, url, detail):
            _mark(workspace, [trace_id], ExportState.REFUSED, reason)
            batch.refused.append(trace_id)
            continue
        batch.ids.append(trace_id)
        spans += [hidden(s, hiding) for s in exported_spans(workspace.store, workspace.database, trace_id)]
    return batch, spans, []


def _send(
    workspace: Workspace,
    ids: Sequence[str],
    spans: Sequence[RawSpan],
    url: str,
    headers: dict[str, str],
    hiding: Hiding,
) -> Sent:
    """Send the spans of traces, and what is known of their answers where Phoenix is told that."""
    result = send_spans(url, spans, headers)
    if result.is_taken and workspace.settings.export.phoenix_annotations:
        rows = [row for trace_id in ids for row in annotation_rows(workspace, trace_id, hiding)]
        result = send_annotations(url, rows, headers)
    return result


def _one_by_one(
    workspace: Workspace, ids: Sequence[str], url: str, headers: dict[str, str], hiding: Hiding
) -> tuple[int, int, str]:
    """Send the traces of a batch that was refused each alone; return how many were taken and refused.

    The third is what ended it: the endpoint went away.
    """
    taken = refused = 0
    for trace_id in ids:
        found = exported_spans(workspace.store, workspace.database, trace_id)
        spans = [hidden(span, hiding) for span in found]
        result = _send(workspace, [trace_id], spans, url, headers, hiding)
        if result.may_retry:
            return taken, refused, _wait(workspace, result)
        _mark(
            workspace, [trace_id], ExportState.SENT if result.is_taken else ExportState.REFUSED, result.reason
        )
        taken, refused = taken + result.is_taken, refused + (not result.is_taken)
    return taken, refused, ""


def _endpoint(workspace: Workspace) -> str:
    if not workspace.settings.export.endpoint:
        raise RagError(NOWHERE)
    return workspace.settings.export.endpoint


def _due(workspace: Workspace, force: bool) -> list[str]:
    found = workspace.database.cells(
        """SELECT trace_id FROM traceexport WHERE state = 'waiting' AND (? OR next_ms <= ?)
           ORDER BY queued_ms LIMIT ?""",
        (force, now_ms(), MOST_AT_ONCE),
    )
    return [trace_id for (trace_id,) in found]


def _count_waiting(workspace: Workspace) -> int:
    return int(workspace.database.cells("SELECT count(*) FROM traceexport WHERE state = 'waiting'")[0][0])


def _mark(workspace: Workspace, ids: Sequence[str], state: ExportState, reason: str = "") -> None:
    moment = now_ms()
    with workspace.store.session() as session:
        session.connection().exec_driver_sql(
            """UPDATE traceexport SET state = ?, error = ?, attempts = attempts + 1,
                   sent_ms = CASE WHEN ? = 'sent' THEN ? ELSE sent_ms END WHERE trace_id = ?""",
            [(str(state), reason, str(state), moment, trace_id) for trace_id in ids],
        )


def _wait(workspace: Workspace, result: Sent) -> str:
    """Let everything that waits be tried later; return a sentence about it."""
    with workspace.store.session() as session:
        raw = session.connection()
        attempts = raw.exec_driver_sql(
            "SELECT max(attempts) FROM traceexport WHERE state = 'waiting'"
        ).scalar()
        wait_s = min(_FIRST_WAIT_S * 2 ** min(attempts or 0, 20), _LONGEST_WAIT_S)
        wait_s = max(wait_s, min(result.retry_after_s or 0.0, _LONGEST_WAIT_S))
        raw.exec_driver_sql(
            """UPDATE traceexport SET attempts = attempts + 1, next_ms = ?, error = ?
               WHERE state = 'waiting'""",
            (int(time.time() * 1000 + wait_s * 1000), result.reason),
        )
    return f"{result.reason[:1].upper()}{result.reason[1:]}; it is tried again later."
