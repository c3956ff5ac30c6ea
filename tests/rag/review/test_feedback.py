"""Feedback on answers, and the cases made of it."""

from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question, begin_ask, finish_ask
from rag.asking.rows import Question
from rag.errors import RagError
from rag.evaluation import sets
from rag.knowledge.ingest import ingest_files
from rag.review import rows as people
from rag.review.feedback import add_feedback, feedback_case, feedback_of, make_feedback_case, remove_feedback
from rag.workspace import Workspace

BREAD = "How long does rye bread rest?"


def asked(workspace: Workspace, answer: str, question: str = BREAD) -> str:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer
    return str(drive(answer_question(workspace, Question(question, "Notes"))).trace_id)


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def test_a_thumbs_down_with_its_correction_becomes_a_case(notes: Workspace) -> None:
    trace = asked(notes, "Rye bread rests for 3 hours [1].")
    with pytest.raises(RagError, match="needs a note"):
        add_feedback(notes, trace, False, reason="other")
    with pytest.raises(RagError, match="not a reason"):
        add_feedback(notes, trace, False, reason="bad")
    add_feedback(notes, trace, False, reason="wrong", author="Ann", tags=["bread", "bread", " "])
    with pytest.raises(RagError, match="Write a correction first"):
        make_feedback_case(notes, trace, "gold", author="Ann")
    add_feedback(notes, trace[:8], False, reason="wrong", correction="12 hours", author="Ann", tags=["bread"])
    add_feedback(notes, trace, True, author="Bob")
    rows = people.list_feedback(notes.database, trace_id=trace)
    assert {(row.author, row.is_up, row.tags) for row in rows} == {
        ("Ann", False, ("bread",)),
        ("Bob", True, ()),
    }
    case = make_feedback_case(notes, trace, "gold", relevant=[1], author="Ann")
    stored = sets.set_cases(notes.database, "gold")
    assert stored == (case,)
    assert case.references == ("12 hours",)
    assert "sourdough and 12 hours" in case.judgements[0].quote
    assert people.list_feedback(notes.database, is_up=False)[0].case_key == case.key
    with pytest.raises(RagError, match=r"no passage \[9\]"):
        make_feedback_case(notes, trace, "gold", relevant=[9], author="Ann")
    add_feedback(notes, trace, False, reason=people.Reason.SHOULD_HAVE_REFUSED, author="Cem")
    refusing = make_feedback_case(notes, trace, "gold", relevant=[1], author="Cem")
    assert (refusing.should_refuse, refusing.references, refusing.judgements) == (True, (), ())
    remove_feedback(notes, trace, "Bob")
    assert len(people.list_feedback(notes.database)) == 2


def test_what_is_wrong_with_feedback_is_said(notes: Workspace) -> None:
    trace = asked(notes, "Rye bread rests for 12 hours [1].")
    for values, message in (
        ({"reason": "bad"}, "“bad” is not a reason. Choose one of: wrong, incomplete"),
        ({"reason": "other"}, "needs a note"),
        ({"correction": "x" * 20_001}, "at most 20,000 characters"),
    ):
        with pytest.raises(RagError, match=message):
            add_feedback(notes, trace, False, **values)
    with pytest.raises(RagError, match="no trace"):
        add_feedback(notes, "ffffffff", True)
    assert people.list_feedback(notes.database) == []
    with pytest.raises(RagError, match=r"Ann has not rated this answer\. Run `ragdeck feedback add`"):
        feedback_of(notes, trace, "Ann")


def test_a_running_answer_cannot_be_rated(notes: Workspace) -> None:
    running = begin_ask(notes, Question(BREAD, "Notes"))
    with pytest.raises(RagError, match="still being answered"):
        add_feedback(notes, running.trace.id, True)
    finish_ask(running)


def test_an_answer_rated_up_is_its_own_reference(notes: Workspace) -> None:
    trace = asked(notes, "Rye bread rests for 12 hours [1].")
    add_feedback(notes, trace, True, author="Ann")
    case = make_feedback_case(notes, trace, " gold ", relevant=[1], author="Ann")
    assert case.references == ("Rye bread rests for 12 hours.",)
    assert case.cluster == case.judgements[0].document
    (row,) = people.list_feedback(notes.database)
    assert (row.set_name, row.case_key) == ("gold", case.key)
    add_feedback(notes, trace, False, correction="12", author="Ann")
    assert feedback_of(notes, trace, "Ann").case_key == case.key, "the case is remembered"
    assert feedback_case(notes, trace, "gold", (), "Ann") == case.key
    assert sets.set_cases(notes.database, "gold")[0].references == ("12",)
