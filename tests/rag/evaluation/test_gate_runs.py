"""Gates of runs, and labels that wait for them."""

import json

import pytest

from rag.errors import RagError
from rag.evaluation import gate_runs as gating
from rag.evaluation import pipelines
from rag.evaluation.rows import get_run, list_pipeline_label_moves, list_pipelines
from rag.evaluation.sets import change_set, rename_set
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
