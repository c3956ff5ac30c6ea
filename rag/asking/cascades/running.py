"""Runs a cascade: asks one step after the other until an answer is good enough to be given.

Each step has a trace of its own. The one whose answer is given has the id that the question was given, so
that whoever waits for it finds it; the others are set aside under ids of their own, and linked to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from rag.asking.answer import Ask, begin_ask, result_of, run_ask
from rag.asking.cascades.conditions import Accept, Budget, QuestionRule
from rag.asking.cascades.rows import StepRejected
from rag.asking.rows import AskResult, Question, TraceSource, TraceStatus
from rag.asking.traces import new_trace_id
from rag.errors import OutOfTimeError, RagError
from rag.storage.tables.traces import CascadeStep, Trace
from rag.workspace import Workspace


@dataclass(frozen=True)
class StepToAsk:
    """A step that is ready to be asked: its question has all settings of the step."""

    name: str
    question: Question
    when: QuestionRule = field(default_factory=QuestionRule)
    accept: Accept = field(default_factory=Accept)


@dataclass
class _Earlier:
    """A step before the present one, whose answer was not given."""

    position: int
    name: str
    reason: str
    ask: Ask

    @property
    def has_answer(self) -> bool:
        """Whether it ended with an answer, although not with one that was accepted."""
        return self.ask.trace.status == TraceStatus.DONE and bool(self.ask.trace.answer.strip())


def ask_steps(
    workspace: Workspace,
    steps: Sequence[StepToAsk],
    *,
    budget: Budget | None = None,
    opened: Callable[[Ask], None] = lambda ask: None,
    allowed: Callable[[Question], Sequence[str]] = lambda question: (),
) -> Generator[Any, None, Ask]:
    """Ask the steps until the answer of one is accepted; that of the last always is.

    A step that fails with a sentence goes on to the next one. When the last one fails and one before it had
    an answer, that is given: less than hoped for, and said, but not nothing.

    Args:
        workspace: Where the collections and models are.
        steps: In order. The last one has no rule on the question.
        budget: What is left to spend on a question.
        opened: Is told of the trace of each step as it begins.
        allowed: Returns what is to be said of a step before it is asked; raises RagError where it may not be.

    Returns the finished question whose answer is given. Raises RagError, after all traces were saved, when
    the last step failed and no other one had an answer.
    """
    trace_id = steps[0].question.trace_id or new_trace_id()
    session_id = steps[0].question.session_id or new_trace_id()
    notes: list[str] = []
    earlier: list[_Earlier] = []
    for position, step in enumerate(steps, 1):
        question = replace(step.question, trace_id=trace_id, session_id=session_id)
        is_last = position == len(steps)
        if not is_last and (reason := step.when.refusal(question, budget)):
            notes.append(f"{step.name} was not asked: {reason}")
            continue
        ask = begin_ask(workspace, question)
        opened(ask)
        ask.recorder.fallbacks.extend(notes)
        if earlier:
            ask.recorder.go_on_from(earlier[0].ask.recorder)
        try:
            yield from _run_allowed(ask, question, allowed)
        except OutOfTimeError:
            raise
        except RagError as error:
            kept = next((one for one in reversed(earlier) if one.has_answer), None)
            if is_last and kept is None:
                _link(workspace, ask, position, step.name)
                raise
            reason = f"it failed: {str(error).rstrip('.')}"
            if kept is not None and is_last:
                return _take_back(workspace, kept, _Earlier(position, step.name, reason, ask))
        else:
            reason = step.accept.refusal(question, ask.trace, ask.recorder.claims, budget)
            if is_last or not reason:
                _link(workspace, ask, position, step.name)
                return ask
        yield StepRejected(trace_id, step.name, reason, steps[position].name)
        notes.append(f"the answer of {step.name} was not given: {reason}")
        _set_aside(workspace, ask, position, step.name, reason)
        earlier.append(_Earlier(position, step.name, reason, ask))
    raise AssertionError("a cascade has at least one step")


def answer_cascade(
    workspace: Workspace,
    steps: Sequence[StepToAsk],
    *,
    budget: Budget | None = None,
    allowed: Callable[[Question], Sequence[str]] = lambda question: (),
) -> Generator[Any, None, AskResult]:
    """Answer a question by a cascade; see ask_steps."""
    return result_of((yield from ask_steps(workspace, steps, budget=budget, allowed=allowed)))


def _run_allowed(
    ask: Ask, question: Question, allowed: Callable[[Question], Sequence[str]]
) -> Generator[Any, None, None]:
    """Run a step; one that is not allowed ends as one that failed."""
    try:
        ask.recorder.fallbacks.extend(allowed(question))
    except RagError as error:
        ask.recorder.finish(TraceStatus.FAILED, str(error))
        raise
    yield from run_ask(ask)


# --- the traces of steps ----------------------------------------------------------------------------------


def _link(workspace: Workspace, ask: Ask, position: int, name: str) -> None:
    """Say which step the answer that is given is from; an answer without a cascade has no such row."""
    with workspace.store.session() as session:
        session.merge(
            CascadeStep(trace_id=ask.trace.id, answer_id=ask.trace.id, position=position, name=name)
        )


def _set_aside(workspace: Workspace, ask: Ask, position: int, name: str, reason: str) -> None:
    """Give the trace of a step another id and a session of its own: nobody was given its answer."""
    answer_id = ask.trace.id
    with workspace.store.session() as session:
        _move(session, ask.trace, new_trace_id())
        session.add(
            CascadeStep(
                trace_id=ask.trace.id, answer_id=answer_id, position=position, name=name, reason=reason
            )
        )


def _take_back(workspace: Workspace, kept: _Earlier, failed: _Earlier) -> Ask:
    """Give the answer of a step that was set aside, since the last one failed."""
    trace, question = kept.ask.trace, failed.ask.question
    note = f"{failed.name} could not answer, so this is the answer of {kept.name} although: {kept.reason}"
    why = f"{failed.name} was asked: {failed.reason}"
    kept.ask.recorder.fallbacks.extend((note, why))
    _set_aside(workspace, failed.ask, failed.position, failed.name, failed.reason)
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM cascadestep WHERE trace_id = ?", (trace.id,))
        _move(session, trace, question.trace_id, question.session_id, question.source)
        session.connection().exec_driver_sql(
            "UPDATE trace SET fallbacks = ? WHERE id = ?",
            (json.dumps(kept.ask.recorder.fallbacks), trace.id),
        )
    _link(workspace, kept.ask, kept.position, kept.name)
    return kept.ask


def _move(
    session: Session, trace: Trace, new_id: str, session_id: str = "", source: TraceSource | None = None
) -> None:
    """Rename a finished trace. Without a session it becomes one that no person was answered with."""
    is_persons = TraceSource(trace.source).is_traffic
    values = (new_id, session_id or new_id, source or (TraceSource.STEP if is_persons else trace.source))
    raw = session.connection()
    raw.exec_driver_sql(
        "UPDATE trace SET id = ?, session_id = ?, source = ? WHERE id = ?", (*values, trace.id)
    )
    for table in ("span", "tracehit", "claim", "guardrailresult", "guardmask"):
        raw.exec_driver_sql(f"UPDATE {table} SET trace_id = ? WHERE trace_id = ?", (new_id, trace.id))
    trace.id, trace.session_id, trace.source = values
