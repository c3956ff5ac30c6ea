"""A collection, a set of three cases and two pipelines, for tests of runs."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from fakes import ScriptedModel, drive

from rag.evaluation import pipelines, runs
from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.rows import PipelineKind, RunRow, RunStatus, list_results
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

CASES = (
    Case(
        key="bread",
        question="What does rye bread need?",
        references=("sourdough",),
        judgements=(Judgement(document="bread.md", quote="Rye bread needs sourdough and 12 hours of rest."),),
        checks=(Check(type="contains", value="sourdough"),),
        tags=("food",),
    ),
    Case(
        key="tide",
        question="How far does the tide at Bremen rise?",
        references=("3.5 metres",),
        judgements=(Judgement(document="tides.txt"),),
        checks=(Check(type="contains", value="metres"),),
        tags=("water",),
    ),
    Case(key="moon", question="Quantum chromodynamics lattice?", should_refuse=True),
)


def fill(workspace: Workspace, documents: Path) -> Workspace:
    """Make the collection A, the set S, the pipeline P that answers and R that searches."""
    drive(ingest_files(workspace, "A", [documents]))
    create_set(workspace, "S")
    change_set(workspace, "S", put=CASES)
    save(workspace, "P")
    save(workspace, "R", kind="retrieval")
    return workspace


def save(workspace: Workspace, name: str, **values: Any) -> None:
    pipelines.save_pipeline(workspace, name, pipelines.make_config({"collection": "A", **values}))


def start(workspace: Workspace, *names: str, **arguments: Any) -> tuple[Any, ...]:
    arguments.setdefault("parallel", 1)
    return drive(runs.start_runs(workspace, "S", names or ("P",), **arguments))


def results(workspace: Workspace, run: Any) -> dict[str, Any]:
    return {r.case_key: r for r in list_results(workspace.database, run.id)}


def model(workspace: Workspace) -> ScriptedModel:
    assert isinstance(workspace.loaded_model, ScriptedModel)
    return workspace.loaded_model


def run_row(number: int, pipeline: str, **values: Any) -> RunRow:
    """A finished run as it is stored, without a workspace."""
    texts = {field.name: "" for field in fields(RunRow) if field.type == "str"}
    numbers = {field.name: 0 for field in fields(RunRow) if field.type in ("int", "float")}
    known = {
        "id": number,
        "pipeline": pipeline,
        "pipeline_number": 1,
        "status": RunStatus.DONE,
        "kind": PipelineKind.ANSWER,
        "tags": (),
        "prompt_version_id": None,
        "prompt_version": None,
        "started_ms": None,
        "finished_ms": None,
        "gate_passed": None,
    }
    return RunRow(**{**texts, **numbers, **known, **values})
