"""Which passage carries which sentence: the prompt is answered with all passages, and without each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from fakes import drive

from rag.asking.replay.attribution import attribute, fates_of
from rag.asking.replay.rows import (
    Attribution,
    Fate,
    VariantStarted,
    checkable,
    expected,
    list_replays,
    read_attribution,
)
from rag.asking.rows import TraceDetail, TraceSource, get_trace
from rag.errors import ModelError, RagError
from rag.grounding.rows import ClaimResult, Verdict
from rag.settings import GenerationSettings
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

from .conftest import ReadingModel


def claim(text: str, start: int = 0, verdict: Verdict = Verdict.SUPPORTED) -> ClaimResult:
    return ClaimResult(text, start, start + len(text), verdict, 0.1)


def marker_of(trace: TraceDetail, document: str) -> int:
    return next(hit.marker for hit in trace.hits if hit.document == document and hit.marker)


def sentence_with(found: Attribution, words: str) -> ClaimResult:
    return next(one for one in found.claims if words in one.text)


def test_each_sentence_is_carried_by_the_passage_that_says_it(
    workspace: Workspace, parent: TraceDetail
) -> None:
    found = drive(attribute(workspace, parent.id))
    bread, tide = sentence_with(found, "sourdough"), sentence_with(found, "3.5 metres")
    bread_marker, tide_marker = marker_of(parent, "bread.md"), marker_of(parent, "tides.txt")
    assert found.carriers(bread.start) == (bread_marker,)
    assert found.carriers(tide.start) == (tide_marker,)
    assert found.falling(bread_marker) == (bread,) and found.falling(tide_marker) == (tide,)
    assert found.untried == ()
    assert found.sentence(bread.start) == (
        f"[{bread_marker}] carries this: without [{bread_marker}] it is not said."
    )
    assert read_attribution(workspace.database, parent.id) == found


def test_every_answer_is_at_temperature_0_with_the_seed_of_the_trace(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel
) -> None:
    model.used.clear()
    drive(attribute(workspace, parent.id))
    assert len(model.used) == expected(parent).answers == parent.passage_count + 1
    assert {(one.temperature, one.seed) for one in model.used} == {(0.0, 42)}
    assert list_replays(workspace.database, parent.id) == []
    rows = list_replays(workspace.database, parent.id, grouped=True)
    assert len(rows) == parent.passage_count + 1 and len({row.group_id for row in rows}) == 1
    assert get_trace(workspace.database, rows[0].trace_id).source is TraceSource.REPLAY


def test_the_last_passage_is_left_out_first_so_that_most_of_the_prompt_is_known(
    workspace: Workspace, parent: TraceDetail
) -> None:
    started = [e.changes.without for e in attribute(workspace, parent.id) if isinstance(e, VariantStarted)]
    assert started == [(), *((number,) for number in range(parent.passage_count, 0, -1))]


def test_what_is_cancelled_keeps_its_answers_and_names_what_was_not_tried(
    workspace: Workspace, parent: TraceDetail
) -> None:
    events = attribute(workspace, parent.id)
    for event in events:
        if isinstance(event, VariantStarted) and event.number == 3:
            break
    events.close()
    found = read_attribution(workspace.database, parent.id)
    assert found is not None and [one.marker for one in found.answers] == [0, parent.passage_count]
    assert found.untried == tuple(range(1, parent.passage_count))
    left = " or ".join(f"[{number}]" for number in found.untried)
    assert found.sentence(found.claims[0].start).endswith(f"Not tried: without {left}.")


def test_a_failure_without_one_passage_is_counted_and_the_others_go_on(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel
) -> None:
    def fail(tokens: Sequence[int], settings: GenerationSettings, grammar: str = "") -> Any:
        model.error = ModelError("It broke.") if len(model.used) == first + 1 else None
        return ReadingModel.generate(model, tokens, settings, grammar)

    first = len(model.used)
    model.generate = fail  # type: ignore[method-assign]
    found = drive(attribute(workspace, parent.id))
    assert found.untried == (parent.passage_count,)
    assert [one.error for one in found.answers if one.error] == ["It broke."]
    assert len(found.answers) == parent.passage_count + 1


def test_without_the_first_answer_nothing_can_be_said(
    workspace: Workspace, parent: TraceDetail, model: ReadingModel
) -> None:
    model.error = ModelError("It broke.")
    with pytest.raises(RagError, match="It broke"):
        drive(attribute(workspace, parent.id))
    found = read_attribution(workspace.database, parent.id)
    assert found is not None and len(found.answers) == 1
    assert "not answered again with all passages" in found.sentence(found.claims[0].start)


def test_a_trace_without_passages_or_sentences_is_refused(workspace: Workspace, parent: TraceDetail) -> None:
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("DELETE FROM claim")
    with pytest.raises(RagError, match="No sentence of this answer claims something"):
        drive(attribute(workspace, parent.id))
    with workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE tracehit SET marker = NULL")
    with pytest.raises(RagError, match="has no passages"):
        drive(attribute(workspace, parent.id))
    assert read_attribution(workspace.database, parent.id) is None


def test_the_last_leave_one_out_counts_and_a_deleted_trace_has_none(
    workspace: Workspace, parent: TraceDetail
) -> None:
    first = drive(attribute(workspace, parent.id))
    second = drive(attribute(workspace, parent.id))
    assert {one.trace_id for one in first.answers}.isdisjoint(one.trace_id for one in second.answers)
    assert read_attribution(workspace.database, parent.id) == second
    with workspace.store.session() as session:
        session.delete(session.get_one(Trace, parent.id))
    assert read_attribution(workspace.database, parent.id) is None


def test_a_sentence_is_found_again_whatever_its_marker(workspace: Workspace) -> None:
    fates = fates_of(
        workspace,
        [claim("Rye bread needs sourdough [2].", 5), claim("The tide rises 3.5 metres [1].", 40)],
        "Rye bread needs sourdough [1].",
        [claim("Rye bread needs sourdough [1].")],
    )
    assert fates == {5: Fate.KEPT, 40: Fate.FALLEN}


def test_a_sentence_that_is_said_without_support_is_told_apart(workspace: Workspace) -> None:
    said = claim("Rye bread needs sourdough.", 0, Verdict.NO_EVIDENCE)
    fates = fates_of(workspace, [claim("Rye bread needs sourdough.")], said.text, [said])
    assert fates == {0: Fate.UNSUPPORTED}


def test_other_figures_are_another_sentence(workspace: Workspace) -> None:
    other = claim("The tide at Bremen rises 9.5 metres.")
    fates = fates_of(workspace, [claim("The tide at Bremen rises 3.5 metres.")], other.text, [other])
    assert fates == {0: Fate.FALLEN}


def test_an_answer_that_claims_nothing_keeps_nothing(workspace: Workspace) -> None:
    refusal = claim("The passages do not say.", 0, Verdict.NOT_CHECKABLE)
    assert fates_of(workspace, [claim("Bread needs rest.")], refusal.text, [refusal]) == {0: Fate.FALLEN}
    assert checkable([refusal]) == ()
