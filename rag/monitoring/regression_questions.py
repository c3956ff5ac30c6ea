"""Frozen questions: kept as they are, and asked again after every change of model, prompt, settings or documents.

A paired comparison with a reference answer finds what no test on distributions can: that this question is answered
differently now. The answers are traces with source "probe", which dashboards and monitors leave out.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from typing import Any

from sqlmodel import Session, select

from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace
from rag.errors import NotFoundError, RagError
from rag.grounding.numbers import quantities, same
from rag.grounding.rows import Outcome
from rag.knowledge.collections import find_collection, find_version
from rag.knowledge.rows import VersionProgress, list_collections
from rag.monitoring.drift import embed
from rag.monitoring.rows import FrozenRow, FrozenState
from rag.prompts.registry import find_prompt
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection
from rag.storage.tables.monitoring import FrozenQuestion, FrozenResult, FrozenRun
from rag.storage.tables.traces import Trace
from rag.text.citations import without_listed_markers
from rag.workspace import Workspace

_OTHER_ANSWER = 0.8  # cosine of the answers; the figure is shown, so that a person can judge
_OTHER_PASSAGES = 0.5  # Jaccard index of the passages in the prompt
_ERASED = "[erased"  # what an erasure leaves of an answer begins so

Steps = Generator[VersionProgress, None, FrozenState]


def freeze_question(workspace: Workspace, collection: str, question: str = "", trace_id: str = "") -> Steps:
    """Freeze a question with its answer as the reference: that of a stored trace, else it is asked now."""
    if trace_id:
        row = get_trace(workspace.database, trace_id).row
        if row["status"] not in ("done", "nothing found"):
            raise RagError("This ask has no complete answer, so it cannot be a reference.")
        if row["answer"].startswith(_ERASED):
            raise RagError(
                "The answer of this ask was erased with its document, so it cannot be a reference."
            )
        collection, question, trace_id = row["collection"], row["question"], row["id"]
    question = question.strip()
    if not question:
        raise RagError("The question is empty; type one first.")
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        _refuse_double(session, found, question)
    if not trace_id:
        trace_id = yield from _ask(workspace, collection, question, VersionProgress("asking", 0, 1))
    with workspace.store.session() as session:
        _refuse_double(session, found, question)
        made = FrozenQuestion(
            collection_id=found.id or 0, question=question, reference_trace_id=trace_id, created_ms=now_ms()
        )
        session.add(made)
        session.flush()
        # By its number: the log outlives an erasure, and a question may quote a document.
        audit_log.record(session, "frozen question added", collection, f"question {made.id}")
    return frozen_state(workspace, collection)


def unfreeze_question(workspace: Workspace, collection: str, question_id: int) -> FrozenState:
    """Forget a frozen question and its results; the traces stay."""
    with workspace.store.session() as session:
        found = _find(session, collection, question_id)
        session.connection().exec_driver_sql("DELETE FROM frozenresult WHERE question_id = ?", (question_id,))
        session.delete(found)
        audit_log.record(session, "frozen question removed", collection, f"question {question_id}")
    return frozen_state(workspace, collection)


def accept_answer(workspace: Workspace, collection: str, question_id: int) -> FrozenState:
    """Make the answer of the last run the reference: the change was wanted."""
    state = frozen_state(workspace, collection)
    row = next((row for row in state.questions if row.id == question_id), None)
    if row is None or row.trace_id is None:
        raise NotFoundError("This frozen question has not been run yet, so there is no new answer to accept.")
    with workspace.store.session() as session:
        found = _find(session, collection, question_id)
        found.reference_trace_id = row.trace_id
        result = session.exec(
            select(FrozenResult).where(
                FrozenResult.question_id == question_id, FrozenResult.trace_id == row.trace_id
            )
        ).one()
        result.reference_trace_id, result.change = row.trace_id, ""
        result.passage_overlap, result.answer_similarity = 1.0, 1.0
        session.add_all([found, result])
        audit_log.record(session, "new answer accepted", collection, f"question {question_id}")
    return frozen_state(workspace, collection)


def run_frozen(workspace: Workspace, collection: str) -> Steps:
    """Ask every frozen question again and compare with its reference. Nothing is stored of a run cut short."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        version = find_version(session, found, None)
        questions = session.exec(
            select(FrozenQuestion).where(FrozenQuestion.collection_id == found.id).order_by("id")
        ).all()
    if not questions:
        raise RagError(f"“{collection}” has no frozen questions; add one first.")
    results = []
    for number, question in enumerate(questions):
        progress = VersionProgress("asking", number, len(questions))
        trace_id = yield from _ask(workspace, collection, question.question, progress)
        results.append((yield from _compare(workspace, collection, question, trace_id)))
    last = get_trace(workspace.database, results[-1].trace_id).row
    with workspace.store.session() as session:
        run = FrozenRun(
            collection_id=found.id or 0,
            created_ms=now_ms(),
            version_number=version.number,
            version_fingerprint=version.fingerprint,
            model=_model(workspace),
            prompt_fingerprint=find_prompt(workspace.store).fingerprint,
            settings=_settings(workspace),
            question_count=len(results),
            changed_count=sum(1 for result in results if result.change),
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
            session, "frozen questions run", collection,
            f"{run.changed_count} of {run.question_count} changed, {last['model']}",
        )  # fmt: skip
    return frozen_state(workspace, collection)


def stale_collections(workspace: Workspace) -> list[tuple[str, str]]:
    """(collection, why) where the frozen questions are to be run: something changed, or they never were."""
    return [
        (state.collection, state.stale or "never run")
        for state in frozen_states(workspace)
        if state.stale or state.run_ms is None
    ]


def run_all(
    workspace: Workspace, collections: list[str]
) -> Generator[VersionProgress, None, list[FrozenState]]:
    """Run the frozen questions of several collections, one after the other."""
    states = []
    for collection in collections:
        states.append((yield from run_frozen(workspace, collection)))
    return states


def frozen_states(workspace: Workspace, collection: str = "") -> list[FrozenState]:
    """The state of each collection that has frozen questions, or of the named one alone."""
    names = [collection] if collection else [row.name for row in list_collections(workspace.database)]
    states = [frozen_state(workspace, name) for name in names]
    return [state for state in states if collection or state.questions]


def frozen_state(workspace: Workspace, collection: str) -> FrozenState:
    """The frozen questions of a collection with their last results, and what changed since."""
    with workspace.store.session() as session:
        found = find_collection(session, collection)
        rows = session.connection().exec_driver_sql(
            """SELECT q.id, q.question, q.created_ms, u.created_ms, r.trace_id, q.reference_trace_id,
                      r.passage_overlap, r.answer_similarity, r.change
               FROM frozenquestion q
               LEFT JOIN frozenresult r ON r.question_id = q.id AND r.run_id =
                   (SELECT max(run_id) FROM frozenresult WHERE question_id = q.id)
               LEFT JOIN frozenrun u ON u.id = r.run_id
               WHERE q.collection_id = ? ORDER BY q.id""",
            (found.id,),
        )
        questions = tuple(FrozenRow(*row) for row in rows)
        run = session.exec(
            select(FrozenRun).where(FrozenRun.collection_id == found.id).order_by(FrozenRun.id.desc())  # type: ignore[union-attr]
        ).first()
        stale = "" if run is None else _stale(workspace, session, found, run)
    return FrozenState(collection, questions, run.created_ms if run else None, stale)


def _stale(workspace: Workspace, session: Session, collection: Collection, run: FrozenRun) -> str:
    """What is not as it was at the last run, in a sentence; empty: nothing."""
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
    """The path of the model that answers; empty when there is none."""
    try:
        return str(workspace.active_model_path())
    except RagError:
        return ""


def _settings(workspace: Workspace) -> str:
    """What answers depend on besides documents, model and prompt."""
    values = workspace.settings.model_dump(mode="json")
    return json.dumps({name: values[name] for name in ("retrieval", "generation")}, sort_keys=True)


def _ask(
    workspace: Workspace, collection: str, question: str, progress: VersionProgress
) -> Generator[VersionProgress, None, str]:
    with closing(answer_question(workspace, Question(question, collection, source="probe"))) as events:
        while True:
            try:
                next(events)
            except StopIteration as end:
                return str(end.value.trace_id)
            yield progress  # a long answer can be cancelled, too


def _compare(
    workspace: Workspace, collection: str, question: FrozenQuestion, trace_id: str
) -> Generator[VersionProgress, None, FrozenResult]:
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
    return FrozenResult(
        run_id=0,
        question_id=question.id or 0,
        trace_id=trace_id,
        reference_trace_id=reference.id,
        passage_overlap=overlap,
        answer_similarity=similarity,
        change=", ".join(changes(reference, new, overlap, similarity)),
    )


def changes(old: Trace, new: Trace, overlap: float, similarity: float | None) -> list[str]:
    """What is different about an answer, in words; empty: the same for a reader."""
    found = []
    if (old.status == "nothing found") != (new.status == "nothing found"):
        found.append("finds nothing now" if new.status == "nothing found" else "finds passages now")
    elif (old.outcome == Outcome.REFUSED) != (new.outcome == Outcome.REFUSED):
        found.append("refuses now" if new.outcome == Outcome.REFUSED else "answers now")
    elif old.answer != new.answer:
        if _other_figures(old.answer, new.answer):
            found.append("other figures")
        if similarity is None or similarity < _OTHER_ANSWER:
            found.append("other content")
    if new.flag_count and not old.flag_count:
        found.append("flagged now")
    before = old.silent_failures.split(", ")
    found += [name for name in new.silent_failures.split(", ") if name and name not in before]
    if overlap < _OTHER_PASSAGES:
        found.append("other passages")
    return found


def _other_figures(one: str, other: str) -> bool:
    a, b = (quantities(without_listed_markers(text)) for text in (one, other))
    return any(not any(same(q, r) for r in b) for q in a) or any(not any(same(q, r) for r in a) for q in b)


def _passages(session: Session, trace_id: str) -> set[tuple[Any, ...]]:
    """By document and text: the chunks of another version have other ids."""
    rows = session.connection().exec_driver_sql(
        "SELECT document, text FROM tracehit WHERE trace_id = ? AND marker IS NOT NULL", (trace_id,)
    )
    return {tuple(row) for row in rows}


def _jaccard(one: set[tuple[Any, ...]], other: set[tuple[Any, ...]]) -> float:
    """Shared of all; 1 when both are empty."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _refuse_double(session: Session, collection: Collection, question: str) -> None:
    known = select(FrozenQuestion).where(
        FrozenQuestion.collection_id == collection.id, FrozenQuestion.question == question
    )
    if session.exec(known).first() is not None:
        raise RagError("This is a frozen question already.")


def _find(session: Session, collection: str, question_id: int) -> FrozenQuestion:
    found = session.get(FrozenQuestion, question_id)
    if found is None or found.collection_id != find_collection(session, collection).id:
        raise NotFoundError(f"“{collection}” has no frozen question {question_id}.")
    return found
