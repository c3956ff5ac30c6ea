"""Regression questions: asked again after every change of model, prompt, settings or documents.

A paired comparison with a reference answer finds what no test on distributions can: that this question is
answered differently now. The answers are traces with a source of their own, which graphs and monitors leave
out.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

from sqlmodel import Session, select

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceSource, TraceStatus, get_trace
from rag.errors import NotFoundError, RagError
from rag.grounding.numbers import quantities, same
from rag.grounding.rows import Outcome
from rag.knowledge.collections import find_collection, find_version
from rag.knowledge.rows import VersionProgress, list_collections
from rag.models.endpoints.rows import endpoint_named_by
from rag.monitoring.alerts import check_quickly
from rag.monitoring.drift import embed
from rag.monitoring.rows import AnswerChange, RegressionState, list_regression_questions
from rag.prompts.registry import find_prompt
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection
from rag.storage.tables.monitoring import RegressionQuestion, RegressionResult, RegressionRun
from rag.storage.tables.traces import Trace
from rag.text.citations import without_listed_markers
from rag.workspace import Workspace

_OTHER_ANSWER = 0.8  # cosine of the answers; the figure is shown, so that a person can judge
_OTHER_PASSAGES = 0.5  # Jaccard index of the passages in the prompt
_DAY_MS = 24 * 3_600_000
_ERASED = "[erased"  # what an erasure leaves of an answer begins so

Steps = Generator[VersionProgress, None, RegressionState]


def add_regression_question(
    workspace: Workspace, collection: str, question: str = "", trace_id: str = ""
) -> Steps:
    """Add a regression question. Its reference is the answer of a trace, or else it is asked now.

    Args:
        workspace: Where the question is stored.
        collection: Whom to ask; not needed with a trace.
        question: The question; not needed with a trace.
        trace_id: A trace with a complete answer.

    Raises:
        RagError: There is no complete answer, or the question is a regression question already.
    """
    if trace_id:
        known = get_trace(workspace.database, trace_id)
        if not known.status.is_complete:
            raise RagError("This trace has no complete answer, so it cannot be a reference.")
        if known.answer.startswith(_ERASED):
            raise RagError("This answer was erased with its document, so it cannot be a reference.")
        collection, question, trace_id = known.collection, known.question, known.id
    question = question.strip()
    if not question:
        raise RagError("The question is empty. Type a question first.")
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        _refuse_double(session, found, question)
    if not trace_id:
        trace_id = yield from _ask(workspace, collection, question, VersionProgress("asking", 0, 1))
    with workspace.store.session() as session:
        _refuse_double(session, found, question)
        made = RegressionQuestion(
            collection_id=found.id or 0, question=question, reference_trace_id=trace_id, created_ms=now_ms()
        )
        session.add(made)
        session.flush()
        # By its number: the log outlives an erasure, and a question may quote a document.
        audit_log.record(
            session, audit_log.Action.REGRESSION_QUESTION_ADDED, collection, f"question {made.id}"
        )
    return regression_state(workspace, collection)


def remove_regression_question(workspace: Workspace, collection: str, question_id: int) -> RegressionState:
    """Delete a regression question and its results; the traces stay. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = _find(session, collection, question_id)
        session.connection().exec_driver_sql(
            "DELETE FROM regressionresult WHERE question_id = ?", (question_id,)
        )
        session.delete(found)
        audit_log.record(
            session, audit_log.Action.REGRESSION_QUESTION_REMOVED, collection, f"question {question_id}"
        )
    return regression_state(workspace, collection)


def accept_answer(workspace: Workspace, collection: str, question_id: int) -> RegressionState:
    """Make the answer of the last run the new reference. Raises NotFoundError when there is none."""
    state = regression_state(workspace, collection)
    row = next((row for row in state.questions if row.id == question_id), None)
    if row is None or row.trace_id is None:
        raise NotFoundError("This regression question has not been run yet, so there is no answer to accept.")
    with workspace.store.session() as session:
        found = _find(session, collection, question_id)
        found.reference_trace_id = row.trace_id
        result = session.exec(
            select(RegressionResult).where(
                RegressionResult.question_id == question_id, RegressionResult.trace_id == row.trace_id
            )
        ).one()
        result.reference_trace_id, result.changes = row.trace_id, "[]"
        result.passage_overlap, result.answer_similarity = 1.0, 1.0
        session.add_all([found, result])
        audit_log.record(session, audit_log.Action.NEW_ANSWER_ACCEPTED, collection, f"question {question_id}")
    return regression_state(workspace, collection)


def run_regression_questions(workspace: Workspace, collection: str) -> Steps:
    """Ask every regression question again and compare it with its reference.

    A run that is cancelled stores no results. Raises RagError when there are no regression questions.
    """
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
        questions = session.exec(
            select(RegressionQuestion).where(RegressionQuestion.collection_id == found.id).order_by("id")
        ).all()
    if not questions:
        raise RagError(f"“{collection}” has no regression questions. Add one first.")
    results = []
    for number, question in enumerate(questions):
        progress = VersionProgress("asking", number, len(questions))
        trace_id = yield from _ask(workspace, collection, question.question, progress)
        results.append((yield from _compare(workspace, collection, question, trace_id)))
    last = get_trace(workspace.database, results[-1].trace_id)
    with workspace.store.session() as session:
        run = RegressionRun(
            collection_id=found.id or 0,
            created_ms=now_ms(),
            version_number=version.number,
            version_fingerprint=version.fingerprint,
            model=_model(workspace),
            prompt_fingerprint=find_prompt(workspace.store).fingerprint,
            settings=_settings(workspace),
            question_count=len(results),
            changed_count=sum(1 for result in results if result.changes != "[]"),
        )
        session.add(run)
        session.flush()
        for result in results:
            result.run_id = run.id or 0
        session.add_all(results)
        for question, result in zip(questions, results, strict=True):
            if question.reference_trace_id != result.reference_trace_id:  # the old one was erased
                question.reference_trace_id = result.reference_trace_id
                session.add(question)
        audit_log.record(
            session, audit_log.Action.REGRESSION_QUESTIONS_RUN, collection,
            f"{run.changed_count} of {run.question_count} changed, {last.model}",
        )  # fmt: skip
    return regression_state(workspace, collection)


def stale_collections(workspace: Workspace) -> list[tuple[str, str]]:
    """Return (collection, why) where regression questions should run: after a change, or never run."""
    return [
        (state.collection, state.stale or "never run")
        for state in regression_states(workspace)
        if state.stale or state.run_ms is None
    ]


def due_collections(workspace: Workspace) -> list[str]:
    """Return the collections whose regression questions an endpoint answered last a day ago or longer.

    A provider changes a model without a word: that shows only when the same questions are asked again.
    """
    if not endpoint_named_by(workspace.settings.models.active):
        return []
    due_ms = now_ms() - _DAY_MS
    return [state.collection for state in regression_states(workspace) if (state.run_ms or 0) <= due_ms]


def run_due(
    workspace: Workspace, collections: list[str]
) -> Generator[VersionProgress, None, list[RegressionState]]:
    """Run the regression questions of several collections, and judge what the endpoint said of itself."""
    states = yield from run_all(workspace, collections)
    check_quickly(workspace)
    return states


def run_all(
    workspace: Workspace, collections: list[str]
) -> Generator[VersionProgress, None, list[RegressionState]]:
    """Run the regression questions of several collections, one after the other."""
    states = []
    for collection in collections:
        states.append((yield from run_regression_questions(workspace, collection)))
    return states


def regression_states(workspace: Workspace, collection: str = "") -> list[RegressionState]:
    """Return the state of each collection that has regression questions, or of the named one alone."""
    names = [collection] if collection else [row.name for row in list_collections(workspace.database)]
    states = [regression_state(workspace, name) for name in names]
    return [state for state in states if collection or state.questions]


def regression_state(workspace: Workspace, collection: str) -> RegressionState:
    """Return the regression questions of a collection, their last results, and what has changed since."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        questions = tuple(list_regression_questions(workspace.database, found.id or 0))
        run = session.exec(
            select(RegressionRun)
            .where(RegressionRun.collection_id == found.id)
            .order_by(RegressionRun.id.desc())  # type: ignore[union-attr]
        ).first()
        stale = "" if run is None else _stale(workspace, session, found, run)
    return RegressionState(collection, questions, run.created_ms if run else None, stale)


def _stale(workspace: Workspace, session: Session, collection: Collection, run: RegressionRun) -> str:
    """Return what has changed since the last run, in a sentence; empty: nothing."""
    active = find_version(session, collection, None).fingerprint if collection.active_version_id else ""
    changed = [
        name
        for name, then, now in (
            ("the documents", run.version_fingerprint, active),
            ("the model", run.model, _model(workspace)),
            ("the prompt", run.prompt_fingerprint, find_prompt(workspace.store).fingerprint),
            ("the settings", run.settings, _settings(workspace)),
        )
        if then != now
    ]
    if not changed:
        return ""
    listed = " and ".join([", ".join(changed[:-1]), changed[-1]] if len(changed) > 1 else changed)
    return f"{listed[0].upper()}{listed[1:]} changed since the last run."


def _model(workspace: Workspace) -> str:
    """Return the path of the model that answers; empty when there is none."""
    try:
        return str(workspace.active_model_path())
    except RagError:
        return ""


def _settings(workspace: Workspace) -> str:
    """Return what answers depend on besides documents, model and prompt, as JSON."""
    values = workspace.settings.model_dump(mode="json")
    return json.dumps({name: values[name] for name in ("retrieval", "generation")}, sort_keys=True)


def _ask(
    workspace: Workspace, collection: str, question: str, progress: VersionProgress
) -> Generator[VersionProgress, None, str]:
    with closing(
        answer_question(workspace, Question(question, collection, source=TraceSource.REGRESSION))
    ) as events:
        while True:
            try:
                next(events)
            except StopIteration as end:
                return str(end.value.trace_id)
            yield progress  # a long answer can be cancelled, too


def _compare(
    workspace: Workspace, collection: str, question: RegressionQuestion, trace_id: str
) -> Generator[VersionProgress, None, RegressionResult]:
    with workspace.store.session() as session:
        reference = session.get(Trace, question.reference_trace_id)
        new = session.get(Trace, trace_id)
        assert new is not None
        if reference is None or reference.answer.startswith(_ERASED):
            reference = new
        overlap = _jaccard(_passages(session, reference.id), _passages(session, new.id))
    similarity: float | None = 1.0
    if reference.answer != new.answer:
        answers = [without_listed_markers(trace.answer).strip() for trace in (reference, new)]
        similarity = None
        if all(answers):
            one, other = yield from embed(workspace, collection, answers)
            similarity = float(one @ other)
    return RegressionResult(
        run_id=0,
        question_id=question.id or 0,
        trace_id=trace_id,
        reference_trace_id=reference.id,
        passage_overlap=overlap,
        answer_similarity=similarity,
        changes=json.dumps(changes(reference, new, overlap, similarity)),
    )


def changes(old: Trace, new: Trace, overlap: float, similarity: float | None) -> list[str]:
    """Return what is different about an answer; empty: the same for a reader."""
    found: list[str] = []
    if (old.status == TraceStatus.NOTHING_FOUND) != (new.status == TraceStatus.NOTHING_FOUND):
        found.append(
            AnswerChange.FINDS_NOTHING
            if new.status == TraceStatus.NOTHING_FOUND
            else AnswerChange.FINDS_PASSAGES
        )
    elif (old.outcome == Outcome.REFUSED) != (new.outcome == Outcome.REFUSED):
        found.append(AnswerChange.REFUSES if new.outcome == Outcome.REFUSED else AnswerChange.ANSWERS)
    elif old.answer != new.answer:
        if _other_figures(old.answer, new.answer):
            found.append(AnswerChange.OTHER_FIGURES)
        if similarity is None or similarity < _OTHER_ANSWER:
            found.append(AnswerChange.OTHER_CONTENT)
    if new.flag_count and not old.flag_count:
        found.append(AnswerChange.FLAGGED)
    before = json.loads(old.silent_failures)
    found += [name for name in json.loads(new.silent_failures) if name not in before]
    if overlap < _OTHER_PASSAGES:
        found.append(AnswerChange.OTHER_PASSAGES)
    return found


def _other_figures(one: str, other: str) -> bool:
    a, b = (quantities(without_listed_markers(text)) for text in (one, other))
    return any(not any(same(q, r) for r in b) for q in a) or any(not any(same(q, r) for r in a) for q in b)


def _passages(session: Session, trace_id: str) -> set[tuple[Any, ...]]:
    """Return the passages of a prompt by document and text: the chunks of another version have other ids."""
    rows = session.connection().exec_driver_sql(
        "SELECT document, text FROM tracehit WHERE trace_id = ? AND marker IS NOT NULL", (trace_id,)
    )
    return {tuple(row) for row in rows}


def _jaccard(one: set[tuple[Any, ...]], other: set[tuple[Any, ...]]) -> float:
    """Return the share of the passages that both have; 1 when both are empty."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _refuse_double(session: Session, collection: Collection, question: str) -> None:
    known = select(RegressionQuestion).where(
        RegressionQuestion.collection_id == collection.id, RegressionQuestion.question == question
    )
    if session.exec(known).first() is not None:
        raise RagError("This question is a regression question already.")


def _find(session: Session, collection: str, question_id: int) -> RegressionQuestion:
    found = session.get(RegressionQuestion, question_id)
    if found is None or found.collection_id != find_collection(session, collection).id:
        raise NotFoundError(f"“{collection}” has no regression question {question_id}.")
    return found
