"""Answers from the cache: what they show, what invalidates them, and which questions never use it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.cache.answer_cache import clear_cache
from rag.asking.cache.answering import answer_or_recall, detector_identity
from rag.asking.cache.rows import AnswerRecalled, HitKind, count_answers, hit_of, list_hits
from rag.asking.flag_limits import set_limits
from rag.asking.rows import (
    AskResult,
    ClaimsChecked,
    Question,
    RetrievalDone,
    TokenStreamed,
    TraceDetail,
    TraceSource,
    TraceStatus,
    get_trace,
)
from rag.costs.rows import Layer, list_costs
from rag.costs.usage import record_costs
from rag.errors import RagError
from rag.governance.erasure import erase_document
from rag.knowledge.edits import exclude_chunks
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import move_label, save_prompt
from rag.review.feedback import add_feedback
from rag.storage.store import now_ms
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


def ask(workspace: Workspace, text: str = QUESTION, **values: Any) -> TraceDetail:
    result = drive(answer_or_recall(workspace, Question(text, "A", **values)))
    assert isinstance(result, AskResult)
    return get_trace(workspace.database, result.trace_id)


def from_cache(workspace: Workspace, text: str = QUESTION, **values: Any) -> bool:
    return hit_of(workspace.database, ask(workspace, text, **values).id) is not None


def test_the_same_question_gets_the_first_answer_with_a_trace_of_its_own(ingested: Workspace) -> None:
    first = ask(ingested)
    prompts = len(model_of(ingested).prompts)
    events = list(answer_or_recall(ingested, Question("what does rye bread need", "A")))
    assert len(model_of(ingested).prompts) == prompts
    hit = list_hits(ingested.database)[0]
    again = get_trace(ingested.database, hit.trace_id)
    assert (hit.kind, hit.source_trace, hit.similarity) == (HitKind.EXACT, first.id, None)
    assert (again.status, again.answer, again.model) == (TraceStatus.DONE, first.answer, first.model)
    assert (again.prompt_tokens, again.completion_tokens) == (0, 0)
    assert (hit.prompt_tokens, hit.completion_tokens) == (first.prompt_tokens, first.completion_tokens)
    assert hit.saved_ms == first.total_ms
    assert [h.chunk_id for h in again.hits] == [h.chunk_id for h in first.hits]
    assert [(c.text, c.verdict, c.score) for c in again.claims] == [
        (c.text, c.verdict, c.score) for c in first.claims
    ]
    assert again.fallbacks == (
        f"this answer was given before, a moment ago, from the same documents (trace {first.id[:8]})",
    )
    assert hit.sentence() == "Answered before, a moment ago, same documents"
    kinds = [type(event) for event in events]
    assert kinds == [RetrievalDone, AnswerRecalled, TokenStreamed, ClaimsChecked]
    assert [span.name for span in again.spans] == ["cache"]


def test_what_a_hit_cost_is_a_layer_of_its_own(ingested: Workspace) -> None:
    ask(ingested)
    again = ask(ingested)
    record_costs(ingested)
    assert [row.layer for row in list_costs(ingested.database, again.id)] == [Layer.CACHE]


Change = Callable[[Workspace, Path], Any]


def new_documents(workspace: Workspace, files: Path) -> None:
    changed = Path(shutil.copytree(files, workspace.folder / "changed"))
    (changed / "bread.md").write_text("Rye bread needs patience.", "utf-8")
    drive(ingest_files(workspace, "A", [changed]))


def other_file(workspace: Workspace, files: Path) -> None:
    other = workspace.folder / "other.gguf"
    other.write_bytes(b"x")
    workspace.change_settings({"models": {"active": str(other)}})


def other_prompt(workspace: Workspace, files: Path) -> None:
    made = save_prompt(workspace.store, "default", "Be brief.", "{{ passages }} {{ question }}")
    move_label(workspace.store, "default", "production", made.number)


def excluded(workspace: Workspace, files: Path) -> None:
    chunk = get_trace(workspace.database, list_ids(workspace)[0]).hits[0].chunk_id
    drive(exclude_chunks(workspace, "A", [chunk], "wrong"))


CHANGES: dict[str, Change] = {
    "documents": new_documents,
    "an excluded chunk": excluded,
    "retrieval": lambda w, _: w.change_settings({"retrieval": {"max_passages": 1}}),
    "prompt": other_prompt,
    "model": other_file,
    "chat template": lambda w, _: w.change_settings(
        {"models": {"chat_templates": [f"{w.active_model_path().stem}=plain"]}}
    ),
    "length of answers": lambda w, _: w.change_settings({"generation": {"max_answer_tokens": 8}}),
    "sampling": lambda w, _: w.change_settings({"generation": {"repeat_penalty": 1.5}}),
    "context": lambda w, _: w.change_settings({"generation": {"context": 2048}}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_anything_that_an_answer_rests_on_asks_the_model(
    ingested: Workspace, files: Path, change: str
) -> None:
    ask(ingested)
    assert from_cache(ingested)
    CHANGES[change](ingested, files)
    assert not from_cache(ingested)


def test_a_change_that_is_taken_back_finds_the_first_answer_again(ingested: Workspace) -> None:
    ask(ingested)
    ingested.change_settings({"retrieval": {"max_passages": 1}})
    assert not from_cache(ingested)
    ingested.change_settings({"retrieval": {"max_passages": 50}})
    assert from_cache(ingested)


def test_another_model_file_under_the_same_name_asks_again(ingested: Workspace) -> None:
    model = ingested.folder / "mine.gguf"
    model.write_bytes(b"one")
    ingested.change_settings({"models": {"active": str(model)}})
    ask(ingested)
    assert from_cache(ingested)
    model.write_bytes(b"two words")
    assert not from_cache(ingested)


def test_fresh_asks_the_model_and_its_answer_replaces_the_first(ingested: Workspace) -> None:
    ask(ingested)
    fresh = ask(ingested, fresh=True)
    assert hit_of(ingested.database, fresh.id) is None
    again = ask(ingested)
    found = hit_of(ingested.database, again.id)
    assert found is not None
    assert found.source_trace == fresh.id


@pytest.mark.parametrize(
    ("exact", "temperature", "expected"),
    [("off", 0.0, False), ("temperature 0", 0.0, True), ("temperature 0", 0.7, False), ("always", 0.7, True)],
)
def test_the_setting_decides_at_which_temperature(
    ingested: Workspace, exact: str, temperature: float, expected: bool
) -> None:
    ingested.change_settings({"cache": {"exact": exact}, "generation": {"temperature": temperature}})
    ask(ingested)
    assert from_cache(ingested) is expected


@pytest.mark.parametrize("source", [TraceSource.EVALUATION, TraceSource.REGRESSION, TraceSource.CACHE_CHECK])
def test_what_measures_is_never_answered_from_the_cache(ingested: Workspace, source: TraceSource) -> None:
    ask(ingested)
    assert not from_cache(ingested, source=source)
    drive(answer_question(ingested, Question(QUESTION, "A")))
    assert count_answers(ingested.database) == 1


def test_a_follow_up_that_points_back_is_neither_given_again_nor_stored(ingested: Workspace) -> None:
    ask(ingested, "How long does it rest?")  # alone: its own session
    alone = "When do the boats leave the harbour at Bremen?"
    session = ask(ingested, alone).session_id
    stored = count_answers(ingested.database)
    assert not from_cache(ingested, "How long does it rest?", session_id=session)
    assert count_answers(ingested.database) == stored
    assert from_cache(ingested, alone, session_id=session)


def test_an_answer_with_a_thumb_down_is_not_given_again(ingested: Workspace) -> None:
    ask(ingested)
    again = ask(ingested)
    add_feedback(ingested, again.id, is_up=False)
    assert not from_cache(ingested)


def test_answers_that_are_too_old_or_too_many_are_not_given_again(ingested: Workspace) -> None:
    ingested.change_settings({"cache": {"max_answers": 2}})
    questions = ["What does rye bread need?", "When do the boats leave?", "Which star is the brightest star?"]
    for question in questions:
        ask(ingested, question)
    assert count_answers(ingested.database) == 2
    assert not from_cache(ingested, questions[0])  # which takes the place of the second
    assert from_cache(ingested, questions[2])
    with ingested.store.session() as session:
        old = now_ms() - 31 * 86_400_000
        session.connection().exec_driver_sql("UPDATE cachedanswer SET created_ms = ?", (old,))
    assert not from_cache(ingested, questions[2])
    assert count_answers(ingested.database) == 1


def test_answers_that_failed_or_found_nothing_are_not_stored(ingested: Workspace) -> None:
    ingested.change_settings({"retrieval": {"min_similarity": 1.0}})
    assert ask(ingested, "quantum chromodynamics lattice").status == TraceStatus.NOTHING_FOUND
    model_of(ingested).error = RagError("The model gave up.")
    ingested.change_settings({"retrieval": {"min_similarity": -1.0}})
    with pytest.raises(RagError, match="gave up"):
        ask(ingested)
    with pytest.raises(RagError, match="no collection"):
        drive(answer_or_recall(ingested, Question(QUESTION, "B")))
    assert count_answers(ingested.database) == 0
    assert ingested.database.cells("SELECT count(*) FROM trace WHERE status = 'failed'") == [(2,)]


def test_other_flag_limits_check_the_sentences_again(ingested: Workspace) -> None:
    model_of(ingested).answer = "Rye bread needs patience and a cat [1]."
    first = ask(ingested)
    set_limits(ingested, "A", check_from=1.0, unsupported_from=1.0)
    again = ask(ingested)
    assert hit_of(ingested.database, again.id) is not None
    assert [c.verdict for c in again.claims] != [c.verdict for c in first.claims]


def test_clearing_forgets_answers_and_keeps_traces(ingested: Workspace) -> None:
    ask(ingested)
    ask(ingested)
    assert clear_cache(ingested, "A") == 1
    assert not from_cache(ingested)
    assert len(list_hits(ingested.database)) == 1
    assert clear_cache(ingested) == 1
    with pytest.raises(RagError, match="“B”"):
        clear_cache(ingested, "B")


def test_erasing_a_document_erases_what_was_cached_of_it(ingested: Workspace, files: Path) -> None:
    ask(ingested)
    again = ask(ingested)
    ask(ingested, "When do the boats leave?")
    report = drive(erase_document(ingested, "A", str(files / "bread.md")))
    assert report.clean
    assert ingested.database.cells("SELECT count(*) FROM cachedanswer") == [(0,)]
    assert "sourdough" not in get_trace(ingested.database, again.id).answer
    assert not from_cache(ingested)


# --- similar questions ------------------------------------------------------------------------------------

LIKE = "Please tell me what rye bread does need?"


def test_similar_questions_are_asked_as_long_as_nobody_allows_it(ingested: Workspace) -> None:
    ask(ingested)
    assert not from_cache(ingested, LIKE)


def test_a_similar_question_gets_the_answer_when_all_details_agree(ingested: Workspace) -> None:
    ingested.change_settings({"cache": {"similar": "on", "threshold": 0.5}})
    first = ask(ingested)
    hit = hit_of(ingested.database, ask(ingested, LIKE).id)
    assert hit is not None
    assert (hit.kind, hit.source_trace) == (HitKind.SIMILAR, first.id)
    assert 0.5 < (hit.similarity or 0) < 1
    assert "to a similar question" in hit.sentence()
    assert not from_cache(ingested, "What does rye bread not need?")
    assert not from_cache(ingested, LIKE, fresh=True)


def test_below_the_threshold_or_while_it_is_measured_the_model_answers(ingested: Workspace) -> None:
    ingested.change_settings({"cache": {"similar": "measure"}})
    first = ask(ingested)
    second = ask(ingested, LIKE)
    assert hit_of(ingested.database, second.id) is None
    (near,) = list_hits(ingested.database)
    assert (near.kind, near.source_trace, near.trace_id) == (HitKind.NEAR, first.id, second.id)
    ingested.change_settings({"cache": {"similar": "on", "threshold": 1.0}})
    assert not from_cache(ingested, "Do you know what rye bread does need?")


def test_a_refusal_is_not_given_to_other_words(ingested: Workspace) -> None:
    ingested.change_settings({"cache": {"similar": "on", "threshold": 0.5}})
    model_of(ingested).answer = "I cannot answer this from the passages."
    ask(ingested)
    assert not from_cache(ingested, LIKE)
    assert from_cache(ingested)


def model_of(workspace: Workspace) -> ScriptedModel:
    found = workspace.language_model()
    assert isinstance(found, ScriptedModel)
    return found


def list_ids(workspace: Workspace) -> list[str]:
    return [row[0] for row in workspace.database.cells("SELECT id FROM trace ORDER BY created_ms")]


def test_other_limits_are_another_detector_and_the_same_ones_again_the_first(ingested: Workspace) -> None:
    usual = detector_identity(ingested, 1)
    assert usual == detector_identity(ingested, 1)
    set_limits(ingested, "A", check_from=0.9, unsupported_from=0.95)
    changed = detector_identity(ingested, 1)
    assert changed != usual
    assert detector_identity(ingested, None) == usual  # those of no collection
    assert len(changed) == len(usual) == 16


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("What does rye bread need", True),
        ("  what does  rye bread need ??", True),
        ("What does rye bread need.", True),
        ("What does Rye bread need?", False),
        ("What does rye bread not need?", False),
        ("What did rye bread need?", False),
        ("What does rye need?", False),
    ],
)
def test_only_the_same_text_for_a_reader_gets_the_answer_again(
    ingested: Workspace, text: str, given: bool
) -> None:
    ask(ingested)
    assert from_cache(ingested, text) is given


@pytest.mark.parametrize(
    "text", ["What did rye bread need?", "What does rye bread need in 1990?", "What must all rye bread need?"]
)
def test_near_questions_that_differ_in_a_detail_ask_the_model_however_low_the_threshold(
    ingested: Workspace, text: str
) -> None:
    ingested.change_settings({"cache": {"similar": "on", "threshold": 0.5}})
    ask(ingested)
    assert not from_cache(ingested, text)


def test_an_answer_of_nothing_but_space_is_not_stored(ingested: Workspace) -> None:
    model_of(ingested).answer = "  "
    ask(ingested)
    assert count_answers(ingested.database) == 0


def test_a_hit_of_a_hit_names_the_first_answer(ingested: Workspace) -> None:
    first = ask(ingested)
    hits = [hit_of(ingested.database, ask(ingested).id) for _ in range(3)]
    assert [hit.source_trace for hit in hits if hit] == [first.id] * 3
    assert count_answers(ingested.database) == 1


def test_closing_a_recalled_answer_early_saves_a_trace_and_no_hit(ingested: Workspace) -> None:
    ask(ingested)
    events = answer_or_recall(ingested, Question(QUESTION, "A"))
    while not isinstance(next(events), AnswerRecalled):
        pass
    events.close()
    assert list_hits(ingested.database) == []
    states = ingested.database.cells("SELECT status, count(*) FROM trace GROUP BY status ORDER BY status")
    assert states == [("cancelled", 1), ("done", 1)]
