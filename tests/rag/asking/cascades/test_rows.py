"""Steps of a cascade are listed from any of their traces, and a trace without a cascade has none."""

from pathlib import Path

import pytest

from rag.asking.cascades.rows import QuestionClass, Signal, StepRejected, list_cascade_steps
from rag.storage.database import Database
from rag.storage.tables.traces import CascadeStep, Trace
from rag.workspace import Workspace


def test_steps_are_listed_in_order_from_any_of_their_traces(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        for name in ("a", "b", "c"):
            session.add(
                Trace(id=name, session_id=name, created_ms=0, status="done", question="q", answer=name)
            )
        session.add(CascadeStep(trace_id="b", answer_id="b", position=2, name="large"))
        session.add(
            CascadeStep(
                trace_id="a", answer_id="b", position=1, name="small", reason="1 sentence unsupported"
            )
        )
    found = list_cascade_steps(ingested.database, "a")
    assert [(step.trace_id, step.answer, step.is_given) for step in found] == [
        ("a", "a", False),
        ("b", "b", True),
    ]
    assert list_cascade_steps(ingested.database, "b") == found
    assert list_cascade_steps(ingested.database, "c") == []


def test_a_step_whose_trace_was_erased_is_not_listed(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        session.add(Trace(id="b", session_id="b", created_ms=0, status="done", question="q", answer="b"))
        session.add(CascadeStep(trace_id="gone", answer_id="b", position=1, name="small", reason="late"))
        session.add(CascadeStep(trace_id="b", answer_id="b", position=2, name="large"))
    for asked_for in ("b", "gone"):
        assert [step.name for step in list_cascade_steps(ingested.database, asked_for)] == ["large"]


def test_a_cascade_of_another_question_is_not_mixed_in(ingested: Workspace) -> None:
    with ingested.store.session() as session:
        for answer in ("one", "two"):
            for position, name in enumerate((f"{answer}-step", answer), start=1):
                session.add(Trace(id=name, session_id="s", created_ms=0, status="done", question="q"))
                session.add(CascadeStep(trace_id=name, answer_id=answer, position=position, name="step"))
    assert [step.trace_id for step in list_cascade_steps(ingested.database, "one")] == ["one-step", "one"]
    assert [step.trace_id for step in list_cascade_steps(ingested.database, "two-step")] == [
        "two-step",
        "two",
    ]


def test_before_there_is_a_file_no_cascade_answered(tmp_path: Path) -> None:
    assert list_cascade_steps(Database(tmp_path / "none.sqlite"), "a") == []


def test_a_rejected_step_says_why_and_who_is_asked_next() -> None:
    rejected = StepRejected("t", "small", "1 sentence unsupported", "large")
    assert rejected.sentence == "The answer of small was not given: 1 sentence unsupported. Asking large."


@pytest.mark.parametrize("kind", [Signal, QuestionClass])
def test_every_signal_and_every_class_is_described_in_words_of_its_own(kind: type[Signal]) -> None:
    described = [member.description for member in kind]
    assert len(set(described)) == len(described)
    assert all(text and not text.endswith(".") for text in described)
