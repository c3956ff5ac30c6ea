"""Gates of runs, and labels that wait for them."""

import json

import pytest

from rag.errors import NotFoundError, RagError
from rag.evaluation import pipelines, runs
from rag.evaluation.gates import runs as gating
from rag.evaluation.rows import get_run, list_pipeline_label_moves, list_pipelines, list_runs
from rag.evaluation.sets import change_set, create_set, rename_set
from rag.prompts.registry import move_label, rollback_label, save_prompt
from rag.prompts.rows import find_required_gate
from rag.workspace import Workspace
from tests.rag.evaluation.filled import model, save, start

GATE = "floors: {exact_match: 0.5}\n"


def test_production_waits_for_a_passed_gate(filled: Workspace) -> None:
    save_prompt(filled.store, "default", "New.", "{{ question }} {{ passages | length }}")
    gating.require_gate(filled, "prompt", "default", "S", GATE)
    gating.require_gate(filled, "pipeline", "P", "S", GATE)
    with pytest.raises(RagError, match=r"ragdeck evaluate .*--required-gate"):
        move_label(filled.store, "default", "production", 2)
    with pytest.raises(RagError, match="version 1 did not"):
        pipelines.move_pipeline_label(filled, "P", "production", 1)
    pipelines.move_pipeline_label(filled, "P", "staging", 1)  # only production waits
    save(filled, "P", prompt="default@2")
    (run,) = start(filled)
    assert not gating.gate_run(filled, run.id, GATE).passed
    with pytest.raises(RagError, match="--force"):
        move_label(filled.store, "default", "production", 2)
    model(filled).answer = "Sourdough"
    change_set(filled, "S", remove=["tide"])
    (run,) = start(filled)
    rename_set(filled, "S", "Set")
    assert gating.gate_run(filled, run.id, GATE.replace("\n", "  \r\n")).passed
    assert get_run(filled.database, run.id).gate_passed
    (rows,) = filled.database.cells("SELECT rows FROM evaluationgate WHERE run_id = ? AND passed", (run.id,))
    assert json.loads(rows[0])[0]["passed"]
    assert {r.kind for r in gating.requirements_of(filled, run.id)} == {"prompt", "pipeline"}
    assert move_label(filled.store, "default", "production", 2).to_number == 2
    assert pipelines.move_pipeline_label(filled, "P", "production", 2).from_number is None
    assert rollback_label(filled.store, "default").to_number == 1
    assert list_pipelines(filled.database)[0].labels == ("production",)


def test_a_label_is_forced_with_a_reason_that_is_logged(filled: Workspace) -> None:
    gating.require_gate(filled, "pipeline", "P", "S", GATE)
    with pytest.raises(RagError, match="needs a note"):
        pipelines.move_pipeline_label(filled, "P", "production", 1, force=True)
    pipelines.move_pipeline_label(filled, "P", "production", 1, force=True, note="The site is down")
    with filled.store.session() as session:
        logged = session.connection().exec_driver_sql("SELECT action, detail FROM auditevent").fetchall()
    assert ("gate overridden", "The site is down") in [tuple(row) for row in logged]
    assert list_pipeline_label_moves(filled.database, "P")[0].note == "The site is down"
    gating.drop_requirement(filled, "pipeline", "P")
    assert find_required_gate(filled.database, "pipeline", "P") is None


def test_a_decision_is_stored_with_its_gate(filled: Workspace) -> None:
    (run,) = start(filled)
    decision, outcome = gating.put_through(filled, run.id, GATE)
    assert (outcome.run_id, outcome.baseline_run_id, outcome.passed) == (run.id, None, False)
    assert outcome.rows[0][0] == "exact_match at least 0.5"
    assert outcome.sentence == decision.sentence()
    columns = "run_id, passed, sentence, gate_sha256"
    (stored,) = filled.database.cells(f"SELECT {columns} FROM evaluationgate")
    assert stored == (run.id, 0, outcome.sentence, gating.gate_sha256(GATE))
    read = get_run(filled.database, run.id)
    assert (read.gate_passed, read.gate_sentence) == (False, outcome.sentence)


def test_a_drop_is_measured_from_the_named_baseline(filled: Workspace) -> None:
    (first,), (second,) = start(filled), start(filled)
    gate = "drops: {exact_match: {allowed: 1.0}}\n"
    alone = gating.gate_run(filled, second.id, gate)
    assert alone.rows[0][3] == "there is no baseline"
    compared = gating.gate_run(filled, second.id, gate, first.id)
    assert compared.baseline_run_id == first.id
    assert "too few to compare" in compared.rows[0][3]


def test_a_run_that_is_not_done_passes_no_gate(filled: Workspace) -> None:
    events = runs.start_runs(filled, "S", ["P"], parallel=1)
    next(events)
    events.close()
    (run,) = list_runs(filled.database)
    with pytest.raises(RagError, match=r"is cancelled\. Resume it before"):
        gating.gate_run(filled, run.id, GATE)
    with pytest.raises(RagError, match="at least one rule"):
        gating.gate_run(filled, run.id, "{}")


def test_the_fingerprint_of_a_gate_ignores_white_space_at_the_ends() -> None:
    assert gating.gate_sha256("a: 1\nb: 2") == gating.gate_sha256("\n a: 1  \r\nb: 2\n\n".strip(" \n") + "  ")
    assert gating.gate_sha256("a: 1") != gating.gate_sha256("a: 2")


def test_requirements_are_of_what_exists_and_on_the_set_of_the_run(filled: Workspace) -> None:
    for kind, name, set_name, message in (
        ("pipeline", "none", "S", "no pipeline named “none”"),
        ("prompt", "none", "S", "no prompt named “none”"),
        ("pipeline", "P", "none", "no evaluation set named “none”"),
    ):
        with pytest.raises(NotFoundError, match=message):
            gating.require_gate(filled, kind, name, set_name, GATE)  # type: ignore[arg-type]
    with pytest.raises(RagError, match="not YAML"):
        gating.require_gate(filled, "pipeline", "P", "S", "floors: [")
    (run,) = start(filled)
    assert gating.requirements_of(filled, run.id) == []
    gating.require_gate(filled, "pipeline", "P", "S", GATE)
    (required,) = gating.requirements_of(filled, run.id)
    assert (required.kind, required.name, required.set_name, required.gate) == ("pipeline", "P", "S", GATE)
    create_set(filled, "T")
    gating.require_gate(filled, "pipeline", "P", "T", GATE)  # replaces the other
    assert gating.requirements_of(filled, run.id) == []
    pipelines.delete_pipeline(filled, "P")
    assert gating.requirements_of(filled, run.id) == [], "what was deleted requires nothing"
