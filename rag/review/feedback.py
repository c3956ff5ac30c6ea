"""Feedback on whole answers: up or down, why, what would be right. A correction becomes a case."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rag.asking.rows import TraceDetail, TraceStatus, get_trace
from rag.errors import RagError
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.sets import change_set, ensure_set
from rag.prompts.registry import user_name
from rag.review.rows import FeedbackRow, Reason, list_feedback
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.review import Feedback
from rag.text.citations import without_citations
from rag.workspace import Workspace

_LONGEST = 20_000  # characters


def add_feedback(
    workspace: Workspace,
    trace_id: str,
    is_up: bool,
    *,
    reason: str = "",
    note: str = "",
    correction: str = "",
    tags: Sequence[str] = (),
    author: str = "",
) -> FeedbackRow:
    """Store what a person says of an answer; their earlier feedback on it is replaced.

    Args:
        workspace: Where the trace is.
        trace_id: Its id, or the beginning of it.
        is_up: Whether the answer is good.
        reason: Why not, one of Reason, or "".
        note: In their own words.
        correction: The right answer.
        tags: Words for the case that may be made of it.
        author: Who says it; "": the user of this computer.

    Raises:
        RagError: There is no such trace, it is still running, or a value is refused.
    """
    trace = get_trace(workspace.database, trace_id)
    reason, note, correction = reason.strip(), note.strip(), correction.strip()
    if trace.status == TraceStatus.RUNNING:
        raise RagError("This question is still being answered. Rate the answer once it is complete.")
    check_reason(reason)
    if reason == Reason.OTHER and not note:
        raise RagError("The reason “other” needs a note.")
    if max(len(note), len(correction)) > _LONGEST:
        raise RagError(f"A note or correction has at most {_LONGEST:,} characters.")
    who = author.strip() or user_name()
    kept = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    with workspace.store.session() as session:
        before = session.get(Feedback, (trace.id, who))
        made = Feedback(
            trace_id=trace.id,
            author=who,
            created_ms=now_ms(),
            is_up=is_up,
            reason=reason,
            note=note,
            correction=correction,
            tags=json.dumps(kept, ensure_ascii=False),
            set_name=before.set_name if before else "",
            case_key=before.case_key if before else "",
        )
        session.merge(made)
        audit_log.record(
            session, audit_log.Action.FEEDBACK, trace.id[:8], f"{'up' if is_up else 'down'} by {who}"
        )
    return feedback_of(workspace, trace.id, who)


def check_reason(reason: str) -> None:
    """Raise RagError unless it is one of Reason, or ""."""
    if reason and reason not in set(Reason):
        raise RagError(f"“{reason[:80]}” is not a reason. Choose one of: {', '.join(Reason)}.")


def remove_feedback(workspace: Workspace, trace_id: str, author: str = "") -> None:
    """Remove a person's feedback; a case that was made of it stays."""
    with workspace.store.session() as session:
        found = session.get(Feedback, (trace_id, author.strip() or user_name()))
        if found is not None:
            session.delete(found)
            audit_log.record(session, audit_log.Action.FEEDBACK_REMOVED, trace_id[:8], f"of {found.author}")


def feedback_of(workspace: Workspace, trace_id: str, author: str = "") -> FeedbackRow:
    """Return what one person says of a trace. Raises RagError when they have not rated it."""
    who = author.strip() or user_name()
    trace_id = get_trace(workspace.database, trace_id).id
    for row in list_feedback(workspace.database, trace_id=trace_id):
        if row.author == who:
            return row
    raise RagError(f"{who} has not rated this answer. Run `ragdeck feedback add` to rate it.")


def make_feedback_case(
    workspace: Workspace, trace_id: str, set_name: str, *, relevant: Sequence[int] = (), author: str = ""
) -> Case:
    """Make a case of a rated answer, in a set that is made if it does not exist.

    The reference is the correction, or the answer itself when it was rated up without one. The reason “should
    have refused” makes a case to decline.

    Args:
        workspace: Where the trace and the set are.
        trace_id: The trace's id, or its beginning.
        set_name: Of the set.
        relevant: Markers of the passages that contain the answer; they are judged as relevant.
        author: Who rated it; "": the user of this computer.

    Raises:
        RagError: They have not rated it, or nothing is known of the right answer.
    """
    said = feedback_of(workspace, trace_id, author)
    case = case_of(
        get_trace(workspace.database, said.trace_id),
        correction=said.correction,
        is_right=said.is_up,
        should_refuse=not said.is_up and said.reason == Reason.SHOULD_HAVE_REFUSED,
        relevant=relevant,
        tags=said.tags,
    )
    put_case(workspace, set_name, case)
    with workspace.store.session() as session:
        row = session.get_one(Feedback, (said.trace_id, said.author))
        row.set_name, row.case_key = set_name.strip(), case.key
        session.add(row)
    return case


def case_of(
    detail: TraceDetail,
    *,
    correction: str,
    is_right: bool,
    should_refuse: bool,
    relevant: Sequence[int],
    tags: Sequence[str] = (),
) -> Case:
    """Return a case of a trace that a person judged.

    Args:
        detail: The trace.
        correction: The right answer, or "".
        is_right: Whether the trace's own answer is right.
        should_refuse: Whether declining is right.
        relevant: Markers of the passages that contain the answer.
        tags: Of the case.

    Raises:
        RagError: Nothing is known of the right answer, or a marker does not exist.
    """
    reference = correction.strip() or (without_citations(str(detail.answer)) if is_right else "")
    if not reference and not should_refuse:
        raise RagError("A case needs the right answer. Write a correction first.")
    wanted = set(relevant)
    unknown = wanted - {hit.marker for hit in detail.hits}
    if unknown:
        shown = ", ".join(f"[{number}]" for number in sorted(unknown))
        raise RagError(f"The prompt of this trace had no passage {shown}.")
    hits = [hit for hit in detail.hits if hit.marker in wanted and not should_refuse]
    return Case(
        key=f"trace-{detail.id[:16]}",
        question=detail.question,
        references=() if should_refuse else (reference,),
        judgements=tuple(
            Judgement(document=hit.path, start=hit.start, end=hit.end, quote=hit.text) for hit in hits
        ),
        should_refuse=should_refuse,
        tags=tuple(tags),
        origin=f"trace:{detail.id}",
        cluster=hits[0].path if hits else "",
    )


def put_case(workspace: Workspace, set_name: str, case: Case) -> None:
    """Put a case into a set, which is made if it does not exist; a case of the same trace is replaced."""
    question = " ".join(case.question.split())
    message = f"From a person's verdict: “{question[:60]}”"
    change_set(workspace, ensure_set(workspace, set_name), put=[case], message=message)


def feedback_case(
    workspace: Workspace, trace_id: str, set_name: str, relevant: tuple[int, ...], author: str
) -> str:
    """Make a case of a rated answer for the window; return its key. Raises RagError."""
    return make_feedback_case(workspace, trace_id, set_name, relevant=relevant, author=author).key
