"""A regression question says what is answered differently now, and why it should run."""

from pathlib import Path

import pytest
from fakes import ScriptedModel, drive
from stored_traces import add_traces

from rag.asking.answer import answer_question
from rag.asking.rows import Question, TraceFilter, count_traces, get_trace, list_traces
from rag.errors import NotFoundError, RagError
from rag.governance.erasure import erase_document
from rag.knowledge.edits import remove_documents
from rag.knowledge.rows import VersionProgress, list_documents, look_up_version
from rag.monitoring.alerts import (
    add_rule,
    set_reference,
)
from rag.monitoring.regression_questions import (
    accept_answer,
    add_regression_question,
    regression_state,
    regression_states,
    remove_regression_question,
    run_all,
    run_regression_questions,
    stale_collections,
)
from rag.monitoring.rows import (
    AlertRow,
    RegressionState,
    list_alerts,
)
from rag.storage.store import now_ms
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


def rule(workspace: Workspace, name: str) -> AlertRow:
    return next(row for row in list_alerts(workspace.database) if row.name == name)


def says(workspace: Workspace, answer: str) -> None:
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    model.answer = answer


def test_a_regression_question_says_what_is_answered_differently(filled: Workspace) -> None:
    says(filled, "Rye bread needs sourdough and 12 hours of rest [1].")
    asked = drive(answer_question(filled, Question(QUESTION, "A")))
    state = drive(add_regression_question(filled, "", trace_id=asked.trace_id))
    assert (state.collection, [q.question for q in state.questions], state.run_ms) == ("A", [QUESTION], None)
    assert "not been run" in state.sentence()
    with pytest.raises(RagError, match="already"):
        drive(add_regression_question(filled, "A", QUESTION))
    state = drive(run_regression_questions(filled, "A"))
    assert (state.questions[0].change, state.questions[0].passage_overlap, state.stale) == ("", 1.0, "")
    assert state.sentence() == "All 1 the same in the last run."
    says(filled, "Rye bread needs sourdough and 10 hours of rest [1].")
    state = drive(run_regression_questions(filled, "A"))
    assert "other figures" in (state.questions[0].change or "")
    assert state.sentence() == "1 of 1 changed in the last run."
    state = accept_answer(filled, "A", state.questions[0].id)
    assert state.questions[0].change == ""
    assert drive(run_regression_questions(filled, "A")).questions[0].change == ""
    assert count_traces(filled.database, TraceFilter(source="person")) == 1
    assert remove_regression_question(filled, "A", state.questions[0].id).questions == ()
    with pytest.raises(NotFoundError):
        remove_regression_question(filled, "A", state.questions[0].id)
    with pytest.raises(RagError, match="no regression questions"):
        drive(run_regression_questions(filled, "A"))


def test_a_change_of_documents_settings_or_model_makes_the_last_run_stale(
    filled: Workspace, tmp_path: Path
) -> None:
    state = drive(add_regression_question(filled, "A", QUESTION))
    assert stale_collections(filled) == [("A", "never run")]
    drive(run_regression_questions(filled, "A"))
    assert stale_collections(filled) == []
    version = look_up_version(filled.database, "A", "active")
    bread = next(d.id for d in list_documents(filled.database, version.id) if d.name == "bread.md")
    drive(remove_documents(filled, "A", [bread]))
    state = regression_state(filled, "A")
    assert state.stale == "The documents changed since the last run."
    assert stale_collections(filled) == [("A", state.stale)]
    filled.change_settings({"models": {"active": str(tmp_path / "other.gguf")}})
    filled.change_settings({"retrieval": {"max_passages": 2}})
    assert regression_state(filled, "A").stale == (
        "The documents, the model and the settings changed since the last run."
    )
    (run,) = drive(run_all(filled, ["A"]))
    assert run.stale == ""
    assert "passages" in (run.questions[0].change or "") or "finds nothing" in (run.questions[0].change or "")


def test_a_run_cut_short_leaves_the_last_one(filled: Workspace) -> None:
    drive(add_regression_question(filled, "A", QUESTION))
    drive(add_regression_question(filled, "A", "How high is the tide at Bremen?"))
    before = drive(run_regression_questions(filled, "A"))
    events = run_regression_questions(filled, "A")
    seen = [next(events) for _ in range(12)]
    assert all(isinstance(event, VersionProgress) and event.total == 2 for event in seen)
    events.close()
    assert regression_state(filled, "A") == before


def test_what_cannot_be_a_reference_is_refused(filled: Workspace) -> None:
    for question, said in (("  ", "is empty"),):
        with pytest.raises(RagError, match=said):
            drive(add_regression_question(filled, "A", question))
    with pytest.raises(NotFoundError):
        drive(add_regression_question(filled, "none", QUESTION))
    add_traces(filled, 1, now_ms(), status="cancelled")
    cancelled = list_traces(filled.database, TraceFilter(status="cancelled"))[0]
    with pytest.raises(RagError, match="no complete answer"):
        drive(add_regression_question(filled, "", trace_id=cancelled.id))
    with pytest.raises(NotFoundError):
        accept_answer(filled, "A", 1)
    assert regression_states(filled) == []
    assert regression_states(filled, "A") == [RegressionState("A", (), None, "")]


def test_nothing_of_an_erased_document_stays_in_the_monitors(filled: Workspace) -> None:
    sentence = "Rye bread needs sourdough and 12 hours of rest."
    says(filled, sentence + " [1]")
    drive(add_regression_question(filled, "A", QUESTION))
    drive(add_regression_question(filled, "A", f"Is this so: {sentence}"))
    drive(run_regression_questions(filled, "A"))
    add_rule(filled, {"name": "Mine", "measure": "latency", "threshold": 1.0, "note": f"It said: {sentence}"})
    set_reference(filled, "", "1d", note=sentence)
    report = drive(erase_document(filled, "A", "bread.md"))
    assert report.clean, report.found
    state = regression_state(filled, "A")
    assert [row.question for row in state.questions] == [QUESTION]
    assert rule(filled, "Mine").note == "It said: [erased]"
    says(filled, "Nobody knows.")
    again = drive(run_regression_questions(filled, "A")).questions[0]
    assert (
        again.reference_trace_id == again.trace_id
    )  # the old answer is erased: the new one is the reference
    with pytest.raises(RagError, match="erased"):
        traces = [get_trace(filled.database, t.id) for t in list_traces(filled.database, TraceFilter())]
        erased = next(trace for trace in traces if trace.answer.startswith("[erased"))
        drive(add_regression_question(filled, "", trace_id=erased.id))
