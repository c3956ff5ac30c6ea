"""Where a question is looked for, and what is found there."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.cache.answer_cache import (
    Found,
    Place,
    clear_cache,
    find_same,
    find_similar,
    forget_answer,
    place_of,
    question_vector,
    record_hit,
    remember,
)
from rag.asking.cache.rows import HitKind, count_answers, list_hits
from rag.asking.rows import Question
from rag.errors import NotFoundError
from rag.review.feedback import add_feedback
from rag.storage.tables.endpoints import EndpointRow
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


def stored(workspace: Workspace, question: str = QUESTION) -> str:
    """Store a model's answer to a question and return its trace."""
    trace_id = drive(answer_question(workspace, Question(question, "A"))).trace_id
    place = place_of(workspace, workspace.settings, "A", None, "", "default")
    assert place is not None
    with workspace.store.session() as session:
        trace = session.get_one(Trace, trace_id)
    remember(workspace, place, trace, "d", question_vector(workspace, question))
    return str(trace_id)


def test_a_place_needs_a_collection_a_prompt_and_a_model(ingested: Workspace) -> None:
    usual = (None, "", "default")
    assert place_of(ingested, ingested.settings, "A", *usual) is not None
    assert place_of(ingested, ingested.settings, "B", *usual) is None
    assert place_of(ingested, ingested.settings, "A", 9, "", "default") is None
    assert place_of(ingested, ingested.settings, "A", None, "", "gone") is None
    assert place_of(ingested, ingested.settings, "A", None, "no model", "default") is None
    ingested.change_settings({"models": {"active": str(ingested.folder / "gone.gguf")}})
    assert place_of(ingested, ingested.settings, "A", *usual) is None


def test_the_same_question_is_found_in_its_place_alone(ingested: Workspace) -> None:
    trace_id = stored(ingested)
    place = place_of(ingested, ingested.settings, "A", None, "", "default")
    assert place is not None
    found = find_same(ingested, place, "what does rye bread need")
    assert found is not None
    assert (found.trace_id, found.kind, found.detector) == (trace_id, HitKind.EXACT, "d")
    other = ingested.settings.changed("retrieval", "max_passages", 1)
    elsewhere = place_of(ingested, other, "A", None, "", "default")
    assert elsewhere is not None
    assert find_same(ingested, elsewhere, QUESTION) is None


def test_the_nearest_question_that_agrees_is_found_not_the_nearest(ingested: Workspace) -> None:
    stored(ingested, "What does rye bread not need?")
    wanted = stored(ingested, "Please tell me what does rye bread need?")
    place = place_of(ingested, ingested.settings, "A", None, "", "default")
    assert place is not None
    found = find_similar(ingested, place, QUESTION, question_vector(ingested, QUESTION))
    assert found is not None
    assert (found.trace_id, found.kind) == (wanted, HitKind.SIMILAR)
    assert find_similar(ingested, place, QUESTION, np.zeros(1024, dtype=np.float32)) is None


def test_a_newer_answer_replaces_the_older_one(ingested: Workspace) -> None:
    stored(ingested)
    newer = stored(ingested)
    assert count_answers(ingested.database) == 1
    with ingested.store.session() as session:
        assert forget_answer(session, "0" * 32) == 0
        assert forget_answer(session, newer) == 1
    assert clear_cache(ingested) == 0


def usual_place(workspace: Workspace, model: str = "") -> Place:
    found = place_of(workspace, workspace.settings, "A", None, model, "default")
    assert found is not None
    return found


def test_an_endpoint_is_another_place_than_a_file_and_than_another_model_there(ingested: Workspace) -> None:
    keys = [usual_place(ingested).space.key()]
    with ingested.store.session() as session:
        session.add(EndpointRow(name="cloud", url="https://cloud.example/v1", model="m", created_ms=1))
    for model in ("m", "n"):
        with ingested.store.session() as session:
            session.get_one(EndpointRow, "cloud").model = model
        keys.append(usual_place(ingested, "endpoint:cloud").space.key())
    assert len(set(keys)) == 3
    assert place_of(ingested, ingested.settings, "A", None, "endpoint:gone", "default") is None


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("retrieval", "max_passages", 3),
        ("generation", "temperature", 0.5),
        ("generation", "max_answer_tokens", 9),
    ],
)
def test_a_setting_that_an_answer_rests_on_makes_another_place(
    ingested: Workspace, section: str, name: str, value: float
) -> None:
    other = ingested.settings.changed(section, name, value)
    elsewhere = place_of(ingested, other, "A", None, "", "default")
    assert elsewhere is not None
    assert elsewhere.space.key() != usual_place(ingested).space.key()


def test_a_setting_that_no_answer_rests_on_keeps_the_place(ingested: Workspace) -> None:
    before = usual_place(ingested).space
    ingested.change_settings({"cache": {"max_answers": 7}, "costs": {"power_watts": 99}})
    assert usual_place(ingested).space == before


@pytest.mark.parametrize(("is_up", "given"), [(True, True), (False, False)])
def test_a_thumb_down_alone_keeps_an_answer_from_being_found(
    ingested: Workspace, is_up: bool, given: bool
) -> None:
    trace_id = stored(ingested)
    add_feedback(ingested, trace_id, is_up=is_up)
    assert (find_same(ingested, usual_place(ingested), QUESTION) is not None) is given
    vector = question_vector(ingested, QUESTION)
    assert (find_similar(ingested, usual_place(ingested), QUESTION, vector) is not None) is given


def test_an_answer_without_a_vector_or_of_another_embedder_is_not_similar(ingested: Workspace) -> None:
    stored(ingested)
    vector, place = question_vector(ingested, QUESTION), usual_place(ingested)
    assert find_similar(ingested, place, QUESTION, vector) is not None
    for change in ("embedder = 'other'", "vector = NULL"):
        with ingested.store.session() as session:
            session.connection().exec_driver_sql(f"UPDATE cachedanswer SET {change}")
        assert find_similar(ingested, place, QUESTION, vector) is None
    assert find_same(ingested, place, QUESTION) is not None


@pytest.mark.parametrize(("saves", "kind"), [(True, HitKind.EXACT), (False, HitKind.NEAR)])
def test_a_hit_saves_what_the_first_answer_took_or_nothing(
    ingested: Workspace, saves: bool, kind: HitKind
) -> None:
    trace_id = stored(ingested)
    with ingested.store.session() as session:
        first = session.get_one(Trace, trace_id)
        first.prompt_tokens, first.completion_tokens, first.thinking_tokens = 30, 5, 2
        first.total_ms = 40.0
    record_hit(ingested, Found(trace_id, HitKind.EXACT, 1, "d"), trace_id, usual_place(ingested), saves)
    (hit,) = list_hits(ingested.database)
    assert hit.kind == kind
    assert (hit.prompt_tokens, hit.completion_tokens, hit.saved_ms) == (
        (30, 7, 40.0) if saves else (0, 0, 0.0)
    )


def test_a_hit_on_an_answer_that_was_erased_meanwhile_is_not_recorded(ingested: Workspace) -> None:
    record_hit(ingested, Found("0" * 32, HitKind.EXACT, 1, "d"), "1" * 32, usual_place(ingested))
    assert list_hits(ingested.database) == []


def test_clearing_is_written_down_and_names_its_collection(ingested: Workspace) -> None:
    stored(ingested)
    assert clear_cache(ingested, "A") == 1
    with pytest.raises(NotFoundError, match="no collection named “B”"):
        clear_cache(ingested, "B")
    clear_cache(ingested)
    logged = ingested.database.cells(
        "SELECT subject, detail FROM auditevent WHERE action = 'answer cache cleared'"
    )
    assert sorted(logged) == [("A", "1 answers"), ("all collections", "0 answers")]
