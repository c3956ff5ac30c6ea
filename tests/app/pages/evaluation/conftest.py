"""A data folder with a set, two pipelines and their runs, for the panels of Evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.evaluation.runs import start_runs
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
        checks=(Check(type="contains", value="metres"),),
        tags=("water",),
    ),
    Case(key="moon", question="Quantum chromodynamics lattice?", should_refuse=True),
)


@pytest.fixture
def notes(open_workspace: Workspace, documents: Path) -> Workspace:
    """The collection Notes alone."""
    drive(ingest_files(open_workspace, "Notes", [documents]))
    return open_workspace


@pytest.fixture
def gold(notes: Workspace) -> Workspace:
    """The set Gold with three cases, and the pipelines Plain and Search (which asks no model)."""
    create_set(notes, "Gold")
    change_set(notes, "Gold", put=CASES)
    save_pipeline(notes, "Plain", make_config({"collection": "Notes"}), "All settings as they are")
    save_pipeline(notes, "Search", make_config({"collection": "Notes", "kind": "retrieval"}))
    return notes


@pytest.fixture
def runs(gold: Workspace, model: ScriptedModel) -> Workspace:
    """Two runs of Plain over Gold; in the second one the model says more."""
    model.answer = "Rye bread needs sourdough [1]."
    drive(start_runs(gold, "Gold", ["Plain"], parallel=1))
    model.answer = "Rye bread needs sourdough and many metres of patience [1]."
    drive(start_runs(gold, "Gold", ["Plain"], parallel=1))
    return gold
