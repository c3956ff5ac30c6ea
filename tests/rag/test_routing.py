"""Who answers a question: a named pipeline, a chosen version or model, a promoted pipeline, or the settings."""

from pathlib import Path

import pytest
from fakes import ScriptedModel, drive
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.applications.rows import Caller
from rag.asking.rows import AskResult, TraceDetail, TraceSource, TraceStatus, get_trace
from rag.costs.budgets.limits import BudgetError, set_budget
from rag.costs.budgets.rows import list_budgets
from rag.errors import NotFoundError, RagError
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.monitoring.alerts import add_rule
from rag.monitoring.rows import AlertState, list_alerts
from rag.review.rollouts import start_rollout
from rag.review.rows import Arm
from rag.routing import arm_for, ask
from rag.storage.tables.endpoints import EndpointRow
from rag.workspace import Workspace

QUESTION = "What does rye bread need?"


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def asked(workspace: Workspace, **values: object) -> TraceDetail:
    result = drive(ask(workspace, QUESTION, "Notes", **values))  # type: ignore[arg-type]
    assert isinstance(result, AskResult)
    return get_trace(workspace.database, result.trace_id)


@given(st.integers(1, 10**6), st.text("0123456789abcdef", min_size=32, max_size=32), st.floats(0, 1))
def test_an_id_falls_to_one_arm_and_to_staging_the_more_the_larger_its_share(
    rollout: int, trace_id: str, share: float
) -> None:
    arm = arm_for(rollout, trace_id, share)
    assert arm == arm_for(rollout, trace_id, share)
    assert arm_for(rollout, trace_id, 0.0) == Arm.PRODUCTION
    if arm == Arm.STAGING:
        assert arm_for(rollout, trace_id, min(share + 0.1, 1.1)) == Arm.STAGING


def test_without_anything_chosen_the_settings_answer(notes: Workspace) -> None:
    notes.change_settings({"retrieval": {"max_passages": 1}})
    trace = asked(notes, session_id="s" * 32)
    assert (trace.status, trace.version_number, trace.passage_count) == (TraceStatus.DONE, 1, 1)
    assert trace.session_id == "s" * 32


def test_a_named_pipeline_answers_its_own_collection_alone(notes: Workspace) -> None:
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 2, "search": "BM25"}})
    save_pipeline(notes, "two", config)
    trace = asked(notes, pipeline="two")
    assert '"search":"BM25"' in trace.settings
    assert notes.database.cells("SELECT pipeline, pipeline_version FROM trace WHERE id = ?", (trace.id,)) == [
        ("two", 1)
    ]
    with pytest.raises(RagError, match="“two” answers “Notes”, not “Other”"):
        drive(ask(notes, QUESTION, "Other", pipeline="two"))
    with pytest.raises(NotFoundError):
        drive(ask(notes, QUESTION, "Notes", pipeline="gone"))


def test_a_chosen_version_is_asked_as_it_is(notes: Workspace, documents: Path) -> None:
    (documents / "bread.md").write_text("# Bread\n\nRye bread needs patience.\n", "utf-8")
    drive(ingest_files(notes, "Notes", [documents]))
    assert asked(notes).version_number == 2
    assert asked(notes, version=1).version_number == 1
    with pytest.raises(NotFoundError, match="no model"):
        asked(notes, model=str(documents / "other.gguf"))


def test_monitors_are_told_after_every_question(notes: Workspace) -> None:
    add_rule(notes, {"name": "Slow", "measure": "latency", "threshold": 1e-6, "window": 5, "minimum": 5})
    for _ in range(4):
        asked(notes)
    rules = {rule.name: rule for rule in list_alerts(notes.database)}
    assert (rules["Slow"].state, rules["Slow"].count) == (AlertState.NOT_ENOUGH_DATA, 4)
    asked(notes)
    assert [rule.name for rule in list_alerts(notes.database, firing_only=True)] == ["Slow"]


def test_a_question_that_fails_is_raised_after_its_trace_was_saved(notes: Workspace) -> None:
    model = notes.loaded_model
    assert isinstance(model, ScriptedModel)
    model.error = RagError("Out of memory.")
    with pytest.raises(RagError, match="Out of memory"):
        asked(notes)
    assert notes.database.cells("SELECT status, error FROM trace") == [("failed", "Out of memory.")]


def test_a_budget_of_an_endpoint_stops_or_asks_before_anything_is_sent(notes: Workspace) -> None:
    with notes.store.session() as session:
        session.add(EndpointRow(name="cloud", url="https://cloud.example/v1", model="m", created_ms=1))
    set_budget(notes, "none", 0.0, "EUR", action="ask", unknown="ask")
    with pytest.raises(BudgetError, match="“none”") as refused:
        asked(notes, model="endpoint:cloud")
    assert refused.value.needs_yes
    assert notes.database.cells("SELECT count(*) FROM trace") == [(0,)]
    with pytest.raises(RagError, match="“Notes” may not leave this computer"):  # the budget let it pass
        asked(notes, model="endpoint:cloud", is_confirmed=True)
    assert asked(notes).status == TraceStatus.DONE  # a model here is free


def test_what_was_spent_is_noted_after_every_question(notes: Workspace) -> None:
    set_budget(notes, "b", 1.0, "EUR")
    with notes.store.session() as session:
        session.connection().exec_driver_sql("UPDATE budget SET state = ''")
    asked(notes)
    assert [row.state for row in list_budgets(notes.database)] == ["ok"]


def test_a_trace_names_the_pipeline_that_answered(notes: Workspace) -> None:
    save_pipeline(notes, "two", make_config({"collection": "Notes", "retrieval": {"max_passages": 2}}))
    trace = asked(notes, pipeline="two@1")
    assert notes.database.cells("SELECT pipeline FROM trace WHERE id = ?", (trace.id,)) == [("two",)]


def test_a_program_asks_under_its_own_name_with_its_own_wishes_and_history(notes: Workspace) -> None:
    config = make_config({"collection": "Notes", "generation": {"max_answer_tokens": 50, "temperature": 0.5}})
    save_pipeline(notes, "warm", config)
    caller = Caller("editor", {"temperature": 0.0}, (("What is rye?", "Rye is a grain."),), ("sourdough",))
    for pipeline in ("", "warm"):
        result = drive(ask(notes, "And does it need rest?", "Notes", pipeline=pipeline, caller=caller))
        trace = get_trace(notes.database, result.trace_id)
        assert (trace.source, trace.application) == (TraceSource.SERVER, "editor")
        assert trace.answer == "Rye bread needs " and trace.finish_reason == "stop"
        assert "Rye is a grain." in trace.prompt and '"temperature":0.0' in trace.settings
    assert asked(notes).application == ""


def test_a_roll_out_takes_what_programs_ask_as_well(notes: Workspace) -> None:
    save_pipeline(notes, "new", make_config({"collection": "Notes", "retrieval": {"max_passages": 1}}))
    start_rollout(notes, "canary", collection="Notes", staging="new", share=0.99)
    trace = drive(ask(notes, QUESTION, "Notes", caller=Caller("editor")))
    found = notes.database.cells("SELECT arm FROM rolloutanswer WHERE trace_id = ?", (trace.trace_id,))
    (arm,) = found[0]
    fewer = get_trace(notes.database, trace.trace_id).passage_count == 1
    assert arm == (Arm.STAGING if fewer else Arm.PRODUCTION)
