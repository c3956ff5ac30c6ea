"""Records a question: the trace is begun before anything runs, and finished however that ends.

The row is written at the start with the status “running”, so that a killed process leaves a trace: the next
workspace that opens the data folder marks it as interrupted.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlmodel import Session

from rag.asking.rows import TraceSource, TraceStatus
from rag.grounding.rows import ClaimResult, Verdict, outcome, support_rate, worst_verdict
from rag.grounding.silent_failures import silent_failures
from rag.guardrails.policies.acting import Guard
from rag.guardrails.policies.recording import store_results
from rag.guardrails.policies.rows import strongest
from rag.index.rows import Hit
from rag.storage.store import Store, add_trace_text, insert_rows, now_ms
from rag.storage.tables.traces import Claim, Span, Trace, TraceHit
from rag.text.search_terms import indexed_text

_SAVE_EVERY_S = 2.0


def new_trace_id() -> str:
    """Return 32 random hex digits, as OpenTelemetry requires."""
    return secrets.token_hex(16)


class TraceRecorder:
    """A recorder that collects what happens while a question is answered, and writes it."""

    def __init__(
        self, store: Store, *, question: str, session_id: str, source: TraceSource, trace_id: str = ""
    ) -> None:
        self._store = store
        self._begin = time.perf_counter()
        self._saved_at = self._begin
        self._spans: list[dict[str, Any]] = []
        self._hits: tuple[Hit, ...] = ()
        self._claims: tuple[ClaimResult, ...] = ()
        self.fallbacks: list[str] = []
        self.guard = Guard(())  # the policies that acted
        self.trace = Trace(
            id=trace_id or new_trace_id(),
            session_id=session_id or new_trace_id(),
            created_ms=now_ms(),
            status=TraceStatus.RUNNING,
            source=source,
            question=question,
        )

    @property
    def id(self) -> str:
        """The id of the trace."""
        return self.trace.id

    @property
    def claims(self) -> tuple[ClaimResult, ...]:
        """The checked sentences of the answer."""
        return self._claims

    def elapsed_ms(self) -> float:
        """Return the milliseconds since the trace began."""
        return (time.perf_counter() - self._begin) * 1000

    def go_on_from(self, earlier: TraceRecorder) -> None:
        """Count the time from when an earlier trace began: that of another step for the same question."""
        self._begin = earlier._begin

    def begin(self, parent_id: str | None = "") -> None:
        """Write the row as running, and make it the last one of its session.

        Args:
            parent_id: The question that this one follows, empty for a first one; None: the last one of its
                session, or of the branch of it that is shown.
        """
        with self._store.session() as session:
            trace = self.trace
            trace.parent_id = _last_of(session, trace.session_id) if parent_id is None else parent_id
            session.add(Trace(**trace.model_dump()))
            session.connection().exec_driver_sql(
                "UPDATE asksession SET leaf = ?, asked_ms = ? WHERE id = ?",
                (trace.id, trace.created_ms, trace.session_id),
            )

    @contextmanager
    def span(self, name: str, kind: str, detail: str = "") -> Iterator[None]:
        """Record the time of a `with` block as a stage."""
        start = self.elapsed_ms()
        try:
            yield
        finally:
            self.add_span(name, kind, start, self.elapsed_ms(), detail)

    def add_span(self, name: str, kind: str, start_ms: float, end_ms: float, detail: str = "") -> None:
        """Record a stage; times are in milliseconds since the trace began."""
        self._spans.append(
            {
                "trace_id": self.id,
                "name": name,
                "kind": kind,
                "start_ms": start_ms,
                "end_ms": end_ms,
                "detail": detail,
            }
        )

    def set_hits(self, hits: Sequence[Hit]) -> None:
        """Store the candidates; those with a marker are in the prompt."""
        self._hits = tuple(hits)
        packed = [hit for hit in hits if hit.marker is not None]
        self.trace.candidate_count = len(self._hits)
        self.trace.passage_count = len(packed)
        self.trace.passage_documents = len({hit.document_id for hit in packed})
        self.trace.best_score = max((h.dense_score for h in hits if h.dense_score is not None), default=None)

    def set_claims(self, claims: Sequence[ClaimResult], *, refused: bool, error: str = "") -> None:
        """Store what the check found. error says why the check failed: then no rate is known."""
        self._claims = tuple(claims)
        put_claims(self.trace, claims, refused=refused, error=error)

    def keep_partial_answer(self, answer: str, thinking: str = "") -> None:
        """Save the answer so far every two seconds: a kill must not lose what a person has already read."""
        now = time.perf_counter()
        if now - self._saved_at < _SAVE_EVERY_S:
            return
        self._saved_at = now
        with self._store.session() as session:
            session.connection().exec_driver_sql(
                "UPDATE trace SET answer = ?, thinking = ? WHERE id = ?", (answer, thinking, self.id)
            )

    def finish(self, status: TraceStatus, error: str = "") -> None:
        """Write everything in one transaction."""
        self.trace.status = status
        self.trace.error = error
        self.trace.total_ms = self.elapsed_ms()
        self.trace.fallbacks = json.dumps(self.fallbacks)
        self.trace.guard_action = strongest(self.guard.results)
        if status == TraceStatus.DONE and self.trace.model:  # a search alone has no answer that could fail
            trace = self.trace
            found = silent_failures(trace.question, trace.answer, trace.finish_reason, trace.passage_count)
            trace.silent_failures = json.dumps(found)
        with self._store.session() as session:
            session.merge(Trace(**self.trace.model_dump()))
            session.flush()
            insert_rows(session, Span, self._spans)
            insert_rows(session, TraceHit, [_hit_row(self.id, hit) for hit in self._hits])
            insert_rows(session, Claim, [{**asdict(claim), "trace_id": self.id} for claim in self._claims])
            store_results(
                session, self.guard.results, trace_id=self.id, collection=self.trace.collection,
                kept=self.guard.kept,
            )  # fmt: skip
            add_trace_text(session, self.id, f"{self.trace.question}\n{self.trace.answer}")


def _last_of(session: Session, session_id: str) -> str:
    found = session.connection().exec_driver_sql(
        """SELECT id FROM trace t WHERE session_id = ? ORDER BY
           id = (SELECT leaf FROM asksession s WHERE s.id = t.session_id) DESC, created_ms DESC, rowid DESC
           LIMIT 1""",
        (session_id,),
    )
    return str(found.scalar() or "")


def put_claims(trace: Trace, claims: Sequence[ClaimResult], *, refused: bool, error: str = "") -> None:
    """Set what a check found on a trace's own columns."""
    verdicts = [claim.verdict for claim in claims]
    trace.outcome = outcome(trace.answer, claims, refused=refused, error=error)
    trace.check_error = error
    trace.support_rate = support_rate(claims)
    trace.contradicted_count = verdicts.count(Verdict.CONTRADICTED)
    trace.claim_count = sum(v.is_flag or v is Verdict.SUPPORTED for v in verdicts)
    trace.flag_count = sum(verdict.is_flag for verdict in verdicts)
    trace.worst_verdict = worst_verdict(claims) or ""


def _hit_row(trace_id: str, hit: Hit) -> dict[str, Any]:
    lists = json.dumps([[one.list, one.rank, one.score] for one in hit.lists])
    return {**asdict(hit), "trace_id": trace_id, "lists": lists, "moves": json.dumps(hit.moves)}


# Tables of which the rows of a trace go with it.
_OF_A_TRACE = (
    "span", "tracehit", "claim", "flagopinion", "consistencycheck", "cost", "cachedanswer", "cachehit",
    "cascadestep", "receivedspan", "receivedstep", "replay", "guardrailresult", "guardmask",
    "traceexport",
)  # fmt: skip


def delete_traces(session: Session, trace_ids: Sequence[str]) -> None:
    """Delete traces and everything that belongs to them, in the caller's transaction."""
    raw = session.connection()
    mine = "SELECT value FROM json_each(?)"
    given = (json.dumps(list(trace_ids)),)  # with the answers that a cascade did not give in their place
    steps = raw.exec_driver_sql(f"SELECT trace_id FROM cascadestep WHERE answer_id IN ({mine})", given)
    listed = (json.dumps([*trace_ids, *(step for (step,) in steps if step not in trace_ids)]),)
    forget_trace_texts(session, json.loads(listed[0]))
    for table in _OF_A_TRACE:
        raw.exec_driver_sql(f"DELETE FROM {table} WHERE trace_id IN ({mine})", listed)
    _leave_sessions(session, list(trace_ids))
    raw.exec_driver_sql(f"DELETE FROM trace WHERE id IN ({mine})", listed)


def forget_trace_texts(session: Session, trace_ids: Sequence[str]) -> None:
    """Take traces out of the full-text index, before their question or answer changes or goes."""
    raw = session.connection()
    # A contentless full-text table forgets a row only when it is told the text that it was given. Told of a
    # row that it never had, such as that of a question whose process died, it is damaged.
    for rowid, question, answer in raw.exec_driver_sql(
        """SELECT rowid, question, answer FROM trace t
           WHERE id IN (SELECT value FROM json_each(?))
           AND EXISTS (SELECT 1 FROM trace_fts f WHERE f.rowid = t.rowid)""",
        (json.dumps(list(trace_ids)),),
    ).fetchall():
        raw.exec_driver_sql(
            "INSERT INTO trace_fts (trace_fts, rowid, text) VALUES ('delete', ?, ?)",
            (rowid, indexed_text(f"{question}\n{answer}")),
        )


def _leave_sessions(session: Session, trace_ids: Sequence[str]) -> None:
    """Let what follows these questions follow those before them, and drop sessions that have no other."""
    raw = session.connection()
    listed = (json.dumps(list(trace_ids)),)
    mine = "SELECT value FROM json_each(?)"
    rows = raw.exec_driver_sql(f"SELECT id, parent_id FROM trace WHERE id IN ({mine})", listed)
    going: dict[str, str] = {row[0]: row[1] for row in rows.all()}
    following = raw.exec_driver_sql(
        f"""SELECT id, parent_id FROM trace
            WHERE session_id IN (SELECT session_id FROM trace WHERE id IN ({mine}))
            AND parent_id IN ({mine}) AND id NOT IN ({mine})""",
        listed * 3,
    ).all()
    for trace_id, parent in following:
        raw.exec_driver_sql(
            "UPDATE trace SET parent_id = ? WHERE id = ?", (_left_before(going, parent), trace_id)
        )
    leaves = raw.exec_driver_sql(f"SELECT leaf FROM asksession WHERE leaf IN ({mine})", listed).all()
    for (leaf,) in leaves:
        raw.exec_driver_sql(
            "UPDATE asksession SET leaf = ? WHERE leaf = ?", (_left_before(going, leaf), leaf)
        )
    raw.exec_driver_sql(
        f"""DELETE FROM asksession WHERE id IN (SELECT session_id FROM trace WHERE id IN ({mine}))
            AND NOT EXISTS (SELECT 1 FROM trace t
                            WHERE t.session_id = asksession.id AND t.id NOT IN ({mine}))""",
        listed * 2,
    )


def _left_before(going: dict[str, str], trace_id: str) -> str:
    """Return the nearest question before one that goes which stays; empty: there is none."""
    seen = set()
    while trace_id in going and trace_id not in seen:
        seen.add(trace_id)
        trace_id = going[trace_id]
    return "" if trace_id in going else trace_id
