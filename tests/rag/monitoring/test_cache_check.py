"""How good the cache is: hits compared with fresh answers, what they saved, and which threshold is safe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fakes import ScriptedModel, drive

from rag.asking.cache.answering import answer_or_recall
from rag.asking.cache.rows import CacheHitRow, HitKind, hit_of, list_hits, threshold_for, waiting_hits
from rag.asking.rows import Question, TraceFilter, list_traces
from rag.costs.usage import record_costs
from rag.monitoring.cache_check import cache_state, check_cache, threshold_choices
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"
LIKE = "Please tell me what rye bread does need?"
ROW = CacheHitRow("a", "b", HitKind.NEAR, 0.9, 1, 0, "", "", 0, 0, 0.0, 2, "c", True, True)


def ask(workspace: Workspace, text: str = QUESTION, **values: Any) -> str:
    return str(drive(answer_or_recall(workspace, Question(text, "A", **values))).trace_id)


def answers(workspace: Workspace, text: str) -> None:
    model = workspace.language_model()
    assert isinstance(model, ScriptedModel)
    model.answer = text


def test_a_hit_that_a_fresh_answer_confirms_is_no_false_hit(ingested: Workspace) -> None:
    ask(ingested)
    again = ask(ingested)
    report = drive(check_cache(ingested))
    assert (report.compared, report.false, report.changed) == (1, 0, 0)
    hit = hit_of(ingested.database, again)
    assert hit is not None
    assert (hit.same_meaning, hit.same_citations, hit.is_false) == (True, True, False)
    fresh = list_traces(ingested.database, TraceFilter(source="cache check"))
    assert [trace.id for trace in fresh] == [hit.fresh_trace]
    assert waiting_hits(ingested.database) == []
    assert drive(check_cache(ingested)).compared == 0


@pytest.mark.parametrize(
    ("changed", "meaning", "citations"),
    [
        ("Rye bread needs a cold cellar and three eggs [1].", False, True),
        ("Rye bread needs sourdough [2].", True, False),
    ],
)
def test_another_meaning_or_another_source_makes_a_hit_false_and_forgets_the_answer(
    ingested: Workspace, changed: str, meaning: bool, citations: bool
) -> None:
    ask(ingested)
    again = ask(ingested)
    answers(ingested, changed)
    report = drive(check_cache(ingested))
    assert (report.compared, report.false, report.removed) == (1, 1, 1)
    hit = hit_of(ingested.database, again)
    assert hit is not None
    assert (hit.same_meaning, hit.same_citations) == (meaning, citations)
    assert hit_of(ingested.database, ask(ingested)) is None
    (exact, *_) = cache_state(ingested).false_hits
    assert (exact.compared, exact.false, exact.rate) == (1, 1, 1.0)
    assert "1 of 1 were false: 100.0 %" in exact.sentence()


def test_a_hit_whose_settings_have_changed_is_still_compared_as_it_was_given(ingested: Workspace) -> None:
    ask(ingested)
    ask(ingested)
    ingested.change_settings({"retrieval": {"max_passages": 1}})
    assert drive(check_cache(ingested)).compared == 1


def test_a_hit_whose_model_has_changed_cannot_be_compared(ingested: Workspace) -> None:
    model = ingested.folder / "mine.gguf"
    model.write_bytes(b"one")
    ingested.change_settings({"models": {"active": str(model)}})
    ask(ingested)
    ask(ingested)
    model.write_bytes(b"other")
    report = drive(check_cache(ingested))
    assert (report.compared, report.changed) == (0, 1)
    assert "1 hit cannot be compared" in report.sentence()
    assert waiting_hits(ingested.database) == []


def test_a_similar_question_that_a_model_answered_is_compared_without_a_model(ingested: Workspace) -> None:
    ingested.change_settings({"cache": {"similar": "measure"}})
    ask(ingested)
    ask(ingested, LIKE)
    asked = len(list_traces(ingested.database, TraceFilter()))
    assert drive(check_cache(ingested)).compared == 1
    assert len(list_traces(ingested.database, TraceFilter())) == asked
    state = cache_state(ingested)
    assert (state.exact, state.similar, state.hit_rate) == (0, 0, 0.0)
    assert {one.kind: one.compared for one in state.false_hits}[HitKind.NEAR] == 1
    assert state.choices[0].given == 1


def test_the_state_counts_what_was_saved(ingested: Workspace) -> None:
    first = ask(ingested)
    ask(ingested)
    ask(ingested, "When do the boats leave?")
    record_costs(ingested)
    state = cache_state(ingested)
    assert (state.answers, state.questions, state.exact) == (2, 3, 1)
    assert state.hit_rate == pytest.approx(1 / 3)
    (hit,) = list_hits(ingested.database)
    assert state.seconds == pytest.approx(hit.saved_ms / 1000)
    assert (state.prompt_tokens, state.completion_tokens) == (hit.prompt_tokens, hit.completion_tokens)
    (cost,) = ingested.database.cells("SELECT sum(amount) FROM cost WHERE trace_id = ?", (first,))
    assert 0 < state.amounts["EUR"] < cost[0]
    assert (state.unknown_cost, state.waiting) == (0, 1)
    assert cache_state(ingested, since_ms=hit.created_ms + 60_000).questions == 0


def test_a_share_of_the_hits_is_the_same_every_time() -> None:
    ids = [f"{number * 2**28:08x}{'0' * 24}" for number in range(16)]
    chosen = [trace for trace in ids if int(trace[:8], 16) / 2**32 < 0.25]
    assert len(chosen) == 4


def test_the_lowest_threshold_with_few_enough_false_hits_is_chosen() -> None:
    good = [replace(ROW, similarity=0.9) for _ in range(600)]
    bad = [replace(ROW, similarity=0.7, same_meaning=False) for _ in range(30)]
    choices = tuple(threshold_choices(good + bad))
    found = threshold_for(choices, 0.01)
    assert found is not None
    assert (found.threshold, found.given, found.false) == (0.72, 600, 0)
    assert found.high < 0.01
    lenient = threshold_for(choices, 0.10)
    assert lenient is not None
    assert lenient.threshold == 0.6
    assert threshold_for(tuple(threshold_choices(good[:20])), 0.01) is None
