"""Answers any trace again, own or received, if the budgets allow it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rag.asking.replay.answering import Replaying, replay
from rag.asking.replay.attribution import Attributing, attribute
from rag.asking.replay.rows import Changes, RecordedCall
from rag.asking.rows import TraceSource, get_trace
from rag.costs.budgets.limits import before_asking
from rag.errors import RagError
from rag.interchange.receiving import received_spans
from rag.interchange.rows import RawSpan, StepKind
from rag.interchange.steps import step_of
from rag.text.plurals import counted
from rag.workspace import Workspace

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system", "": "user"}
_KNOWN = ("system", "user", "assistant")


def replay_trace(
    workspace: Workspace, trace_id: str, variants: Sequence[Changes], is_confirmed: bool = False
) -> Replaying:
    """Answer a trace again once for each variant; see rag.asking.replay.answering.replay.

    Args:
        workspace: The open data folder.
        trace_id: The trace, own or received.
        variants: What is changed in each.
        is_confirmed: A person has said yes to what a budget asks.
    """
    allowed = partial(_allowed, workspace, is_confirmed)
    return (yield from replay(workspace, trace_id, variants, _recorded(workspace, trace_id), allowed))


def attribute_trace(workspace: Workspace, trace_id: str, is_confirmed: bool = False) -> Attributing:
    """Find out which passage of a trace carries which sentence; see rag.asking.replay.attribution."""
    allowed = partial(_allowed, workspace, is_confirmed)
    return (yield from attribute(workspace, trace_id, _recorded(workspace, trace_id), allowed))


def recorded_call(spans: Sequence[RawSpan]) -> RecordedCall:
    """Return the messages of the last call of a model among spans. Raises RagError when none was recorded."""
    calls = [(span.end_ns, step) for span in spans if (step := step_of(span)).messages]
    calls = [call for call in calls if call[1].kind is StepKind.LLM] or calls
    if not calls:
        raise RagError(
            "The application did not send the messages of its model, so there is nothing to answer again."
        )
    messages, others = [], 0
    for message in max(calls, key=lambda call: call[0])[1].messages:
        role = message.role.lower()
        role = _ROLES.get(role, role)
        others += role not in _KNOWN
        messages.append((role if role in _KNOWN else "user", message.content))
    note = f"{counted(others, 'message')} of tools or unknown roles were sent as the user's"
    return RecordedCall(tuple(messages), (note,) if others else ())


def _recorded(workspace: Workspace, trace_id: str) -> RecordedCall | None:
    if get_trace(workspace.database, trace_id).source is not TraceSource.RECEIVED:
        return None
    with workspace.store.session() as session:
        return recorded_call(received_spans(session, trace_id))


def _allowed(workspace: Workspace, is_confirmed: bool, model: str) -> list[str]:
    return before_asking(workspace, model, "", TraceSource.REPLAY, is_confirmed)
