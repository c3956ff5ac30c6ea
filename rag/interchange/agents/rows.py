"""Rows of steps: what the spans of a received trace mean, the search over them, and sessions of traces."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.asking.rows import TraceStatus
from rag.errors import NotFoundError
from rag.grounding.rows import SilentFailure
from rag.interchange.rows import StepKind
from rag.storage.database import Database

_SHORTEST_ID = 4  # letters by which a step may be called
_EXCERPT = 200  # characters of a text in a list


@dataclass(frozen=True)
class StepRow:
    """A step without its long texts: 10,000 of them are read at once.

    Times are milliseconds since the trace began. Everything that the sender does not tell is "" or None.
    """

    span_id: str
    parent_id: str  # in the tree as it is shown; "" for the first
    position: int  # in the tree, from 1: parents before children
    depth: int
    name: str
    kind: StepKind
    start_ms: float
    end_ms: float
    error: str
    clock: str  # what was wrong with the times as they were sent
    is_orphan: bool  # its parent never arrived
    agent: str  # that the sender names
    called_from: str  # the agent that called this one, where the sender names it
    tool: str
    call: str  # fingerprint of a tool's arguments; "" when they are not known
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    is_counted: bool  # no other step is about the same call of a model or tool

    @property
    def took_ms(self) -> float:
        """How long it took."""
        return self.end_ms - self.start_ms

    @property
    def tokens(self) -> int | None:
        """All tokens of its call of a model; None when they were not told."""
        if self.total_tokens is not None:
            return self.total_tokens
        told = [count for count in (self.prompt_tokens, self.completion_tokens) if count is not None]
        return sum(told) if told else None

    @property
    def title(self) -> str:
        """What people know it by: the name of its span, or of its tool."""
        return self.name or self.tool or str(self.kind)


@dataclass(frozen=True)
class StepDetail:
    """Everything that was sent of one step.

    attributes, resource and events are as the sender wrote them; scope is the instrumentation.
    """

    step: StepRow
    input: str
    output: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]
    scope: str
    service: str


@dataclass(frozen=True)
class StepFilter:
    """Which steps to find; empty values do not filter. Times are Unix milliseconds."""

    text: str = ""  # part of input, output or error
    name: str = ""  # part of the name of the step, tool, agent or model
    kind: str = ""  # a StepKind
    errors_only: bool = False
    application: str = ""
    trace_id: str = ""
    session_id: str = ""
    since_ms: int | None = None


@dataclass(frozen=True)
class FoundStep(StepRow):
    """A step that was found, with its trace and the beginnings of its texts."""

    trace_id: str
    created_ms: int  # of the trace
    application: str
    question: str  # of the trace
    input_begin: str
    output_begin: str


@dataclass(frozen=True)
class SessionTrace:
    """A trace of a session. Sums over its steps are None where nothing was told."""

    id: str
    created_ms: int
    application: str
    question: str
    status: TraceStatus
    silent_failures: tuple[SilentFailure, ...]
    total_ms: float | None
    step_count: int | None
    tool_calls: int | None
    tool_errors: int | None
    loop_count: int | None
    flag_count: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True)
class SessionSum:
    """What the traces of a session add up to. began_ms and ended_ms are Unix milliseconds."""

    traces: int
    failed: int
    began_ms: int
    ended_ms: int
    busy_ms: float
    steps: int
    tool_calls: int
    tool_errors: int
    loops: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None  # of the traces that told it
    without_cost: int  # traces that did not


_COLUMNS = ", ".join(
    f"s.{name}" for name in StepRow.__dataclass_fields__
)  # over `receivedstep s`, without its long texts


def list_steps(database: Database, trace_id: str) -> list[StepRow]:
    """Return the steps of a trace, parents before children; none for a trace of our own."""
    return database.rows(
        StepRow,
        f"SELECT {_COLUMNS} FROM receivedstep s WHERE s.trace_id = ? ORDER BY s.position",
        (trace_id,),
    )


def has_steps(database: Database) -> bool:
    """Return whether there is a step at all."""
    return bool(database.cells("SELECT 1 FROM receivedstep LIMIT 1"))


def read_step(database: Database, trace_id: str, step: str) -> StepDetail:
    """Return one step by its id, an unambiguous beginning of it, or its number in the tree.

    Raises NotFoundError.
    """
    prefix = step.replace("%", "").replace("_", "")
    found = database.rows(
        StepRow,
        f"""SELECT {_COLUMNS} FROM receivedstep s WHERE s.trace_id = ?
            AND (s.span_id = ? OR s.position = ? OR (length(?) >= {_SHORTEST_ID} AND s.span_id LIKE ? || '%'))
            ORDER BY s.span_id != ?, s.position != ? LIMIT 2""",
        (trace_id, step, number := _number(step), prefix, prefix, step, number),
    )
    exact = [row for row in found[:1] if row.span_id == step or row.position == number]
    if len(exact or found) != 1:
        why = "More than one step begins with" if found else "There is no step"
        raise NotFoundError(f"{why} “{step}” in trace {trace_id[:8]}. `ragdeck traces steps` lists them.")
    row = found[0]
    key = (trace_id, row.span_id)
    texts = database.cells("SELECT input, output FROM receivedstep WHERE trace_id = ? AND span_id = ?", key)
    bodies = database.cells("SELECT body FROM receivedspan WHERE trace_id = ? AND span_id = ?", key)
    body = json.loads(bodies[0][0]) if bodies else {}
    return StepDetail(
        step=row,
        input=texts[0][0],
        output=texts[0][1],
        attributes=body.get("attributes", {}),
        resource=body.get("resource", {}),
        events=tuple(body.get("events", ())),
        scope=body.get("scope", ""),
        service=body.get("service", ""),
    )


def _number(step: str) -> int:
    return int(step) if step.isascii() and step.isdigit() and len(step) < 7 else -1


def find_steps(database: Database, wanted: StepFilter, limit: int = 200, offset: int = 0) -> list[FoundStep]:
    """Return the steps of a filter, those of the newest trace first, in the order of its tree."""
    where, values = _condition(wanted)
    return database.rows(
        FoundStep,
        f"""SELECT {_COLUMNS}, s.trace_id, t.created_ms, t.application, t.question,
                   substr(s.input, 1, {_EXCERPT}) AS input_begin,
                   substr(s.output, 1, {_EXCERPT}) AS output_begin
            FROM receivedstep s JOIN trace t ON t.id = s.trace_id WHERE {where}
            ORDER BY t.created_ms DESC, t.id, s.position LIMIT ? OFFSET ?""",
        (*values, limit, offset),
    )


def count_steps(database: Database, wanted: StepFilter) -> int:
    """Return how many steps a filter lets through."""
    where, values = _condition(wanted)
    found = database.cells(
        f"SELECT count(*) FROM receivedstep s JOIN trace t ON t.id = s.trace_id WHERE {where}", values
    )
    return int(found[0][0]) if found else 0


def _condition(wanted: StepFilter) -> tuple[str, tuple[Any, ...]]:
    """Return the WHERE clause of a filter, over `receivedstep s` and `trace t`, and its values."""
    parts: list[str] = []
    values: list[Any] = []
    for clause, value in (
        ("s.kind = ?", wanted.kind),
        ("t.application = ?", wanted.application),
        ("s.trace_id = ?", wanted.trace_id),
        ("t.session_id = ?", wanted.session_id),
        ("t.created_ms >= ?", wanted.since_ms),
        ("instr(lower(s.name || ' ' || s.tool || ' ' || s.agent || ' ' || s.model), lower(?)) > 0",
         wanted.name.strip()),
    ):  # fmt: skip
        if value not in ("", None):
            parts.append(clause)
            values.append(value)
    if wanted.errors_only:
        parts.append("s.error != ''")
    if text := wanted.text.strip():
        # SQLite's lower() knows ASCII alone: other scripts are found as they are written.
        parts.append(
            "(instr(lower(s.input), lower(?)) OR instr(lower(s.output), lower(?)) OR "
            "instr(lower(s.error), lower(?)))"
        )
        values += [text, text, text]
    return " AND ".join(parts) or "1", tuple(values)


# --- sessions ---------------------------------------------------------------------------------------------


def list_session(database: Database, session_id: str) -> list[SessionTrace]:
    """Return the received traces of a session in the order in which they began."""
    return database.rows(
        SessionTrace,
        """SELECT t.id, t.created_ms, t.application, t.question, t.status, t.silent_failures, t.total_ms,
                  t.step_count, t.tool_calls, t.tool_errors, t.loop_count, t.flag_count, t.prompt_tokens,
                  t.completion_tokens,
                  (SELECT sum(s.cost_usd) FROM receivedstep s WHERE s.trace_id = t.id AND s.is_counted)
                      AS cost_usd
           FROM trace t WHERE t.session_id = ? AND t.source = 'received' ORDER BY t.created_ms, t.id""",
        (session_id,),
    )


def sum_session(traces: Sequence[SessionTrace]) -> SessionSum:
    """Return what the traces of a session add up to."""
    costs = [trace.cost_usd for trace in traces if trace.cost_usd is not None]
    return SessionSum(
        traces=len(traces),
        failed=sum(trace.status.is_failure for trace in traces),
        began_ms=min((trace.created_ms for trace in traces), default=0),
        ended_ms=max((trace.created_ms + int(trace.total_ms or 0) for trace in traces), default=0),
        busy_ms=sum(trace.total_ms or 0 for trace in traces),
        steps=sum(trace.step_count or 0 for trace in traces),
        tool_calls=sum(trace.tool_calls or 0 for trace in traces),
        tool_errors=sum(trace.tool_errors or 0 for trace in traces),
        loops=sum(trace.loop_count or 0 for trace in traces),
        prompt_tokens=sum(trace.prompt_tokens for trace in traces),
        completion_tokens=sum(trace.completion_tokens for trace in traces),
        cost_usd=sum(costs) if costs else None,
        without_cost=len(traces) - len(costs),
    )
