"""Finds out which passage carries which sentence: a prompt is answered with all passages, and without each.

All answers are made at temperature 0 with the same seed, so that they differ by the passage
alone. The last passage is left out first: the model has then read most of the next prompt already.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rag.asking.consistency import SAME_COSINE, judge, same_figures
from rag.asking.replay.answering import Allowed, answer_again
from rag.asking.replay.prompts import check_changes, packed
from rag.asking.replay.rows import (
    TEMPERATURE,
    Attribution,
    Changes,
    Fate,
    RecordedCall,
    VariantStarted,
    checkable,
    read_attribution,
)
from rag.asking.rows import TraceDetail, get_trace
from rag.asking.traces import new_trace_id
from rag.errors import RagError
from rag.grounding.rows import ClaimResult
from rag.storage.tables.traces import Replay
from rag.text.citations import without_citations
from rag.text.search_terms import comparable
from rag.workspace import Workspace

Attributing = Generator[Any, None, Attribution]


def attribute(
    workspace: Workspace, trace_id: str, recorded: RecordedCall | None = None, allowed: Allowed | None = None
) -> Attributing:
    """Answer a trace's prompt with all its passages, and without each; return what each carries.

    Each answer is stored as it comes, so that a cancelled run keeps what it has. A failure without one
    passage is stored with its trace.

    Raises RagError when the trace has no passages or no sentence to ask about, or when its prompt cannot be
    answered with all passages.
    """
    parent = get_trace(workspace.database, trace_id)
    if not packed(parent):
        raise RagError("The prompt of this trace has no passages that could be left out.")
    if not checkable(parent.claims):
        raise RagError("No sentence of this answer claims something, so no passage can carry one.")
    plain = Changes(settings=((TEMPERATURE, 0.0),))
    markers = [hit.marker or 0 for hit in packed(parent)]
    variants = [plain, *(replace(plain, without=(marker,)) for marker in reversed(markers))]
    for changes in variants:
        check_changes(parent, changes, recorded)
    group_id = new_trace_id()
    for number, changes in enumerate(variants, 1):
        yield VariantStarted(number, len(variants), changes)
        key = group_id if number == 1 else new_trace_id()
        try:
            yield from answer_again(
                workspace, parent, changes, key, group_id=group_id, recorded=recorded, allowed=allowed
            )
        except RagError:
            if number == 1:
                raise
            continue  # its sentence is stored with its trace
        _keep_fates(workspace, parent, key)
    found = read_attribution(workspace.database, parent.id)
    if found is None:
        raise RagError("The trace was deleted in the meantime.")
    return found


def fates_of(
    workspace: Workspace, claims: Sequence[ClaimResult], answer: str, said: Sequence[ClaimResult]
) -> dict[int, Fate]:
    """Return what became of sentences of an answer in another one, by where they begin.

    Args:
        workspace: Encodes and judges.
        claims: The sentences that are looked for.
        answer: The other answer.
        said: Its own sentences with their verdicts.
    """
    others = [claim for claim in said if claim.verdict.is_claim]
    if not others:
        return {claim.start: Fate.FALLEN for claim in claims}
    mine = [without_citations(claim.text) for claim in claims]
    theirs = [without_citations(claim.text) for claim in others]
    vectors = workspace.encode([text[:1000] or " " for text in (*mine, *theirs)])
    cosines = vectors[: len(mine)] @ vectors[len(mine) :].T
    supports = judge(workspace.detector, workspace)
    whole = without_citations(answer)
    fates = {}
    for number, claim in enumerate(claims):
        equal = [n for n, text in enumerate(theirs) if comparable(text) == comparable(mine[number])]
        best = equal[0] if equal else int(np.argmax(cosines[number]))
        is_said = bool(equal) or (
            float(cosines[number, best]) >= SAME_COSINE
            and same_figures(mine[number], whole)
            and supports(whole, mine[number])
        )
        if not is_said:
            fates[claim.start] = Fate.FALLEN
        else:
            fates[claim.start] = Fate.UNSUPPORTED if others[best].verdict.is_doubt else Fate.KEPT
    return fates


def _keep_fates(workspace: Workspace, parent: TraceDetail, trace_id: str) -> None:
    made = get_trace(workspace.database, trace_id)
    fates = fates_of(workspace, checkable(parent.claims), made.answer, made.claims)
    with workspace.store.session() as session:
        row = session.get(Replay, trace_id)
        if row is not None:
            row.fates = json.dumps(fates)
            session.add(row)
