"""The commands of roll-outs."""

import json
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.cli import run
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

QUESTION = "How long does rye bread rest?"


@pytest.fixture
def notes(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "Notes", [documents]))
    return workspace


def pipeline(workspace: Workspace, name: str = "short", **values: object) -> None:
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}, **values})
    save_pipeline(workspace, name, config)


def test_the_command_line_rolls_out(notes: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    pipeline(notes)
    folder = str(notes.folder)
    drive(answer_question(notes, Question(QUESTION, "Notes")))
    model = notes.loaded_model
    assert isinstance(model, ScriptedModel)
    notes.close()

    def ragdeck(*arguments: str) -> str:
        code = run([*arguments, "--data", folder])
        found = capsys.readouterr()
        assert code == 0, found.err
        return found.out

    assert "Roll-out 1 is running" in ragdeck(
        "rollout", "start", "blind", "--staging", "short", "-c", "Notes"
    )
    assert json.loads(ragdeck("rollout", "status", "--json"))[0]["kind"] == "blind"
    assert "at least 6 are needed" in ragdeck("rollout", "status", "1")
    assert "becomes the pipeline" in ragdeck("rollout", "promote", "1")
    assert "settings answer again" in ragdeck("rollout", "release", "-c", "Notes")
    assert run(["rollout", "stop", "1", "--data", folder]) == 1
    assert "already been promoted" in capsys.readouterr().err
