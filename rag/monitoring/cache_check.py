"""How good the answer cache is: what it saved, and how often a fresh answer would have been another.

The rate of false hits is measured on a person's own questions. A hit that was given is answered afresh by the
same version, prompt, model and settings; a similar question that a model answered anyway is compared with the
answer that the cache had, at no cost. Both must mean the same and cite the same passages.
"""

from __future__ import annotations

import json
import random
from collections.abc import Generator, Sequence
from typing import Any

from rag.asking.answer import answer_question
from rag.asking.applications.rows import TRAFFIC
from rag.asking.cache.answer_cache import MEASURED_FROM, forget_answer, place_of
from rag.asking.cache.rows import (
    CacheCheckProgress,
    CacheCheckReport,
    CacheHitRow,
    CacheState,
    FalseHits,
    HitKind,
    ThresholdChoice,
    count_answers,
    list_hits,
    oldest_ms,
    waiting_hits,
)
from rag.asking.consistency import mean_the_same
from rag.asking.guarding import guard_of
from rag.asking.rows import Question, TraceDetail, TraceSource, get_trace
from rag.errors import RagError
from rag.monitoring.control_limits import wilson_interval
from rag.settings import Settings
from rag.storage.store import now_ms
from rag.storage.tables.cache import CacheHit
from rag.text.citations import markers_of, without_citations
from rag.workspace import Workspace

_Z_ONE_SIDED = 1.6448536269514722  # 95 %
_STEP = 0.02  # between two thresholds

Steps = Generator[Any, None, CacheCheckReport]


def check_cache(workspace: Workspace, limit: int = 20, share: float = 1.0, seed: int = 0) -> Steps:
    """Compare hits with fresh answers; those that need no model come first.

    Args:
        workspace: The open data folder.
        limit: How many hits are compared at most.
        share: Of all hits, those that may be compared; see waiting_hits.
        seed: Decides which ones, when there are more.
    """
    waiting = waiting_hits(workspace.database, share)
    random.Random(seed).shuffle(waiting)
    waiting.sort(key=lambda hit: hit.kind is not HitKind.NEAR)
    chosen = waiting[:limit]
    compared = false = changed = removed = 0
    for number, hit in enumerate(chosen):
        yield CacheCheckProgress(number, len(chosen))
        found = yield from _compare(workspace, hit)
        compared += found is not None
        changed += found is None
        if found is False:
            false += 1
            removed += _forget_if_exact(workspace, hit)
    return CacheCheckReport(compared, false, changed, removed)


def cache_state(workspace: Workspace, since_ms: int = 0) -> CacheState:
    """Return what the cache has, saved since a moment, and how often it was wrong."""
    database, settings = workspace.database, workspace.settings.cache
    hits = list_hits(database, since_ms)
    given = [hit for hit in hits if hit.kind is not HitKind.NEAR]
    asked = database.cells(
        f"SELECT count(*) FROM trace WHERE source IN {TRAFFIC} AND status = 'done' AND created_ms >= ?",
        (since_ms,),
    )
    amounts, unknown = _saved(workspace, since_ms)
    checked = [hit for hit in list_hits(database) if hit.is_false is not None]
    return CacheState(
        answers=count_answers(database, oldest_ms(settings.max_age_days)),
        questions=int(asked[0][0]) if asked else 0,
        exact=sum(hit.kind is HitKind.EXACT for hit in given),
        similar=sum(hit.kind is HitKind.SIMILAR for hit in given),
        prompt_tokens=sum(hit.prompt_tokens for hit in given),
        completion_tokens=sum(hit.completion_tokens for hit in given),
        seconds=sum(hit.saved_ms for hit in given) / 1000,
        amounts=amounts,
        unknown_cost=unknown,
        false_hits=tuple(_false_hits(kind, checked) for kind in HitKind),
        waiting=len(waiting_hits(database)),
        choices=tuple(threshold_choices(checked)),
        threshold=settings.threshold,
    )


def threshold_choices(checked: Sequence[CacheHitRow]) -> list[ThresholdChoice]:
    """Return what each threshold would have done with the similar questions that were compared."""
    similar = [(hit.similarity, hit.is_false) for hit in checked if hit.similarity is not None]
    choices = []
    for step in range(round((1 - MEASURED_FROM) / _STEP)):
        threshold = round(MEASURED_FROM + step * _STEP, 2)
        reached = [false for similarity, false in similar if similarity >= threshold]
        if reached:
            wrong = sum(map(bool, reached))
            _, high = wilson_interval(wrong, len(reached), _Z_ONE_SIDED)
            choices.append(ThresholdChoice(threshold, len(reached), wrong, high))
    return choices


def _false_hits(kind: HitKind, checked: Sequence[CacheHitRow]) -> FalseHits:
    mine = [hit for hit in checked if hit.kind is kind]
    false = sum(bool(hit.is_false) for hit in mine)
    low, high = wilson_interval(false, len(mine)) if mine else (None, None)
    return FalseHits(
        kind, len(mine), false, sum(hit.same_meaning is False for hit in mine),
        sum(hit.same_citations is False for hit in mine), low, high,
    )  # fmt: skip


def _saved(workspace: Workspace, since_ms: int) -> tuple[dict[str, float], int]:
    """Return what the first answers cost that were given again, less what giving them cost, by currency."""
    amounts: dict[str, float] = {}
    for sign, column in ((1, "source_trace"), (-1, "trace_id")):
        for currency, amount in workspace.database.cells(
            f"""SELECT c.currency, sum(c.amount) FROM cachehit h JOIN cost c ON c.trace_id = h.{column}
                WHERE h.kind != 'near' AND h.created_ms >= ? AND c.amount IS NOT NULL GROUP BY 1""",
            (since_ms,),
        ):
            amounts[currency] = amounts.get(currency, 0.0) + sign * amount
    unknown = workspace.database.cells(
        """SELECT count(*) FROM cachehit h WHERE h.kind != 'near' AND h.created_ms >= ?
           AND (NOT EXISTS (SELECT 1 FROM cost c WHERE c.trace_id = h.source_trace)
                OR EXISTS (SELECT 1 FROM cost c
                           WHERE c.trace_id = h.source_trace AND c.basis = 'unknown'))""",
        (since_ms,),
    )
    return amounts, int(unknown[0][0]) if unknown else 0


# --- comparing --------------------------------------------------------------------------------------------


def _compare(workspace: Workspace, hit: CacheHitRow) -> Generator[Any, None, bool | None]:
    """Compare a hit with a fresh answer, and store what that said; return whether it was right.

    None: it cannot be compared, because what the answer rests on has changed or is gone.
    """
    given = get_trace(workspace.database, hit.trace_id)
    try:
        if hit.kind is HitKind.NEAR:
            fresh, given = given, get_trace(workspace.database, hit.source_trace)
        else:
            fresh = yield from _answer_afresh(workspace, hit, given)
    except RagError:
        _store(workspace, hit, "", None, None)
        return None
    citations = _cited(given) == _cited(fresh)
    texts = (without_citations(given.answer), without_citations(fresh.answer))
    meaning = mean_the_same(workspace, given.question, *texts)
    _store(workspace, hit, fresh.id, citations, meaning)
    return citations and meaning


def _answer_afresh(
    workspace: Workspace, hit: CacheHitRow, given: TraceDetail
) -> Generator[Any, None, TraceDetail]:
    """Answer a question again as it was answered then. Raises RagError when that is not possible any more."""
    settings = Settings.model_validate_json(given.settings)
    prompt = f"{given.prompt_name}@{given.prompt_version}" if given.prompt_version else given.prompt_name
    for model in ("", given.model):  # the active one, or one that was chosen for this question
        guardrails = guard_of(workspace, given.collection).fingerprint
        place = place_of(
            workspace, settings, given.collection, given.version_number, model, prompt, guardrails
        )
        if place is not None and place.space.key() == hit.space:
            break
    else:
        raise RagError("What the answer rests on has changed, so it cannot be compared.")
    values = json.loads(given.settings)
    question = Question(
        given.question, given.collection, given.version_number, model or None, source=TraceSource.CACHE_CHECK,
        overrides={section: values[section] for section in ("retrieval", "generation")}, prompt=prompt,
        fresh=True,
    )  # fmt: skip
    result = yield from answer_question(workspace, question)
    return get_trace(workspace.database, result.trace_id)


def _cited(trace: TraceDetail) -> set[int]:
    """Return the chunks that an answer cites."""
    markers = markers_of(trace.answer)
    return {hit.chunk_id for hit in trace.hits if hit.marker in markers}


def _store(
    workspace: Workspace, hit: CacheHitRow, fresh: str, citations: bool | None, meaning: bool | None
) -> None:
    with workspace.store.session() as session:
        row = session.get(CacheHit, hit.trace_id)
        if row is None:
            return  # its trace was deleted in the meantime
        row.checked_ms, row.fresh_trace = now_ms(), fresh
        row.same_citations, row.same_meaning = citations, meaning
        session.add(row)


def _forget_if_exact(workspace: Workspace, hit: CacheHitRow) -> int:
    """Forget an answer that the same question would not get again."""
    if hit.kind is not HitKind.EXACT:
        return 0
    with workspace.store.session() as session:
        return forget_answer(session, hit.source_trace)
