"""Where a question is looked for, and what is found there."""

from __future__ import annotations

import numpy as np
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.cache.answer_cache import (
    clear_cache,
    find_same,
    find_similar,
    forget_answer,
    place_of,
    question_vector,
    remember,
)
from rag.asking.cache.rows import HitKind, count_answers
from rag.asking.rows import Question
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
