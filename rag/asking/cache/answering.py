"""Answers a question of a person from the cache, or asks the model and stores what it said.

An answer that is given again has a trace of its own: the passages and the answer of the first, no tokens, and
a hit that names the first and what was saved. Evaluation and regression questions never come here: they
measure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.asking.answer import Ask, begin_ask, check_answer, finish_ask, retrieval_done, run_ask
from rag.asking.cache.answer_cache import (
    Found,
    Place,
    find_same,
    find_similar,
    place_of,
    question_vector,
    record_hit,
    remember,
)
from rag.asking.cache.rows import AnswerRecalled, HitKind, ago
from rag.asking.flag_limits import limits_of
from rag.asking.guarding import notes_of
from rag.asking.query import points_back
from rag.asking.rows import (
    AskResult,
    ClaimsChecked,
    Question,
    TokenStreamed,
    TraceDetail,
    TraceStatus,
    get_trace,
)
from rag.errors import NotFoundError
from rag.grounding.sentences import is_refusal
from rag.guardrails.policies.rows import Place as GuardPlace
from rag.guardrails.policies.rows import Result, ResultFilter, list_results, read_masked
from rag.storage.data_folder import RESOURCES
from rag.workspace import Workspace

Events = Generator[Any, None, AskResult]
_DETECTOR = RESOURCES / "grounding" / "detector.json"
# What a trace has from the first answer besides its hits and claims.
_CARRIED = (
    "model", "model_sha256", "prompt_name", "prompt_fingerprint", "prompt_version_id", "prompt_version",
    "answer", "finish_reason", "searched_chunks", "searched_documents", "min_logprob", "mean_logprob",
)  # fmt: skip


@dataclass
class _Lookup:
    """What is known of a question before it is asked: where it is looked for, and what was found."""

    place: Place | None = None  # None: the cache has no part in this question
    found: Found | None = None
    near: Found | None = None  # similar, but not to be given
    vector: npt.NDArray[np.float32] | None = None
    start_ms: float = field(default=0.0)


def answer_or_recall(workspace: Workspace, question: Question) -> Events:
    """Answer a question, from the cache where that is allowed and possible. The trace is saved in every case.

    A RagError is raised after the trace was saved; closing the generator cancels and saves, too.
    """
    ask = begin_ask(workspace, question)
    try:
        lookup = _look_up(ask)
        if lookup.found is not None and lookup.place is not None:
            source = _source(workspace, lookup.found)
            if source is not None:
                return (yield from _give_again(ask, lookup.place, lookup.found, source, lookup.start_ms))
    except BaseException as error:
        finish_ask(ask, error)
        raise
    result = yield from run_ask(ask)
    if lookup.place is not None and _may_be_given_again(ask):
        _keep(ask, lookup)
    return result


def detector_identity(workspace: Workspace, collection_id: int | None) -> str:
    """Return by which detector and limits the sentences of a collection's answers are checked."""
    limits = limits_of(workspace, collection_id)
    return hashlib.sha256(f"{_file_digest(_DETECTOR)} {limits!r}".encode()).hexdigest()[:16]


# --- looking up -------------------------------------------------------------------------------------------


def _look_up(ask: Ask) -> _Lookup:
    """Look for an answer of before; nothing is looked for where the cache has no part in the question."""
    if not _takes_part(ask):
        return _Lookup()
    workspace, question, settings = ask.workspace, ask.question, ask.workspace.settings.cache
    start = ask.recorder.elapsed_ms()
    place = _place(ask)
    if place is None:
        return _Lookup()
    found = None if question.fresh else find_same(workspace, place, ask.trace.question)
    lookup = _Lookup(place, found, start_ms=start)
    if found is not None or settings.similar == "off":
        return lookup
    lookup.vector = question_vector(workspace, ask.trace.question)
    near = find_similar(workspace, place, ask.trace.question, lookup.vector)
    given = settings.similar == "on" and not question.fresh
    if near is not None and given and (near.similarity or 0.0) >= settings.threshold:
        lookup.found = near
    else:
        lookup.near = near
    return lookup


def _place(ask: Ask) -> Place | None:
    asked = ask.question
    return place_of(
        ask.workspace, ask.settings, asked.collection, asked.version, asked.model or "", asked.prompt,
        ask.guard.fingerprint,
    )  # fmt: skip


def _takes_part(ask: Ask) -> bool:
    """Return whether a question may be answered from the cache, and its answer stored there."""
    allowed = ask.workspace.settings.cache.exact
    greedy = ask.settings.generation.temperature == 0
    if (
        not ask.question.source.is_traffic
        or allowed == "off"
        or not (greedy or allowed == "always")
        or ask.refusal
    ):
        return False
    caller = ask.question.caller
    if caller is not None and (caller.stop or caller.schema):
        return False  # such an answer is another one
    return not (points_back(ask.trace.question) and _has_earlier_turns(ask))


def _has_earlier_turns(ask: Ask) -> bool:
    """Return whether the session has answers that this one would be given together with."""
    caller = ask.question.caller
    if caller is not None and caller.history is not None:
        return bool(caller.history)
    return bool(
        ask.workspace.database.cells(
            """SELECT 1 FROM trace WHERE session_id = ? AND status = 'done' AND id != ? AND answer != ''
               LIMIT 1""",
            (ask.trace.session_id, ask.trace.id),
        )
    )


def _source(workspace: Workspace, found: Found) -> TraceDetail | None:
    """Return the trace of the first answer; None when it was deleted in the meantime."""
    try:
        return get_trace(workspace.database, found.trace_id)
    except NotFoundError:
        return None


# --- giving again -----------------------------------------------------------------------------------------


def _give_again(ask: Ask, place: Place, found: Found, source: TraceDetail, start_ms: float) -> Events:
    """Record a trace with the answer, passages and verdicts of the first one."""
    recorder, trace = ask.recorder, ask.trace
    trace.collection_id, trace.version_id = place.collection.id, place.version.id
    trace.version_number, trace.version_fingerprint = place.version.number, place.version.fingerprint
    for name in _CARRIED:
        setattr(trace, name, getattr(source, name))
    ask.hits = ask.found = source.hits
    ask.sees_passages = bool(source.passage_count)
    _take_guarded(ask, found.trace_id)
    recorder.set_hits(source.hits)
    notice = _notice(found, trace.created_ms)
    recorder.fallbacks.append(notice)
    detail = f"{found.kind}, trace {found.trace_id[:8]}"
    recorder.add_span("cache", "CHAIN", start_ms, recorder.elapsed_ms(), detail)
    yield retrieval_done(ask)
    yield AnswerRecalled(recorder.id, found.trace_id, found.kind, found.answered_ms, found.similarity)
    yield TokenStreamed(recorder.id, source.answer, 0)
    yield _verdicts(ask, found, source)
    record_hit(ask.workspace, found, trace.id, place)
    result = finish_ask(ask)
    # The hit says that it was given before, wherever answers are shown.
    return replace(result, notices=tuple(one for one in result.notices if one != notice))


def _take_guarded(ask: Ask, trace_id: str) -> None:
    """Take over what the same policies did when the answer was first given."""
    database, names = ask.workspace.database, [field.name for field in fields(Result)]
    stored = [
        one
        for one in list_results(database, ResultFilter(trace_id=trace_id))
        if one.place != GuardPlace.QUESTION
    ]
    before = len(ask.guard.results)
    ask.guard.results += [Result(**{name: getattr(one, name) for name in names}) for one in reversed(stored)]
    ask.guard.kept.update(read_masked(database, trace_id))
    ask.recorder.fallbacks.extend(notes_of(ask.guard, before))
    ask.answer_is_guarded = True


def _verdicts(ask: Ask, found: Found, source: TraceDetail) -> ClaimsChecked:
    """Take over the verdicts of the same detector on the same question, or check again."""
    same_check = found.detector == detector_identity(ask.workspace, ask.trace.collection_id)
    if found.kind is not HitKind.EXACT or not same_check or source.check_error:
        return check_answer(ask)
    ask.recorder.set_claims(source.claims, refused=is_refusal(source.answer))
    trace = ask.trace
    return ClaimsChecked(ask.recorder.id, source.claims, 0.0, trace.outcome, trace.support_rate)


def _notice(found: Found, now: int) -> str:
    age = ago(now - found.answered_ms)
    where = f"trace {found.trace_id[:8]}"
    if found.kind is HitKind.EXACT:
        return f"this answer was given before, {age}, from the same documents ({where})"
    return (
        f"this answer was given to a similar question before, {age}, from the same documents ({where}, "
        f"similarity {found.similarity:.2f})"
    )


# --- storing ----------------------------------------------------------------------------------------------


def _may_be_given_again(ask: Ask) -> bool:
    """Return whether an answer came about as usual: whole, by a model, and checked."""
    trace = ask.trace
    return (
        trace.status == TraceStatus.DONE
        and bool(trace.answer.strip())
        and bool(trace.model)
        and not trace.check_error
    )


def _keep(ask: Ask, lookup: _Lookup) -> None:
    """Store an answer, if everything that it depends on is as it was when it was looked for."""
    place, trace = lookup.place, ask.trace
    now = _place(ask)
    if (
        place is None
        or now is None
        or now.space != place.space
        or trace.version_fingerprint != now.space.version
    ):
        return
    detector = detector_identity(ask.workspace, trace.collection_id)
    remember(ask.workspace, place, trace, detector, lookup.vector)
    if lookup.near is not None:
        record_hit(ask.workspace, lookup.near, trace.id, place, saves=False)


@cache
def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
