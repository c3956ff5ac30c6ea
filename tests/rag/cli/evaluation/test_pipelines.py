"""The commands of pipelines: versions, labels and required gates."""

import json
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag import cli
from rag.evaluation.cases import Case
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


def open_with_fakes(folder: Path, purpose: str) -> Workspace:
    """Open a data folder with a model that always says the same."""
    return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=ScriptedModel("Sourdough").load)


@pytest.fixture
def data(folder: Path, documents: Path) -> str:
    """A data folder with a set."""
    with open_with_fakes(folder, "a test") as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        create_set(workspace, "S")
        cases = [
            Case(key=f"c{n}", question=f"What does rye bread need, case {n}?", references=("sourdough",))
            for n in range(7)
        ]
        change_set(workspace, "S", put=cases)
    return str(folder)


def run(data: str, *arguments: str) -> int:
    return cli.run([*arguments, "--data", data], open_with_fakes)


def gate(tmp_path: Path, text: str) -> str:
    path = tmp_path / "gate.yaml"
    path.write_text(text, "utf-8")
    return str(path)


def test_pipelines_are_changed_exported_and_wait_for_their_gate(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "pipelines", "save", "P") == 1  # of which collection?
    assert run(data, "pipelines", "save", "P", "-c", "A", "--set", "retrieval.candidates=7", "-m", "few") == 0
    assert run(data, "pipelines", "save", "P", "--set", "generation.temperature=0.5") == 0
    assert run(data, "pipelines", "save", "P", "--set", "generation.warmth=1") == 1
    file = tmp_path / "p.yaml"
    assert run(data, "pipelines", "export", "P", str(file)) == 0
    assert run(data, "pipelines", "save", "Q", "--file", str(file)) == 0
    capsys.readouterr()
    assert run(data, "pipelines", "diff", "P", "1", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"key": "generation.temperature", "old": 0.0, "new": 0.5}]
    passing = gate(tmp_path, "floors: {exact_match: 0.9}\n")
    assert run(data, "pipelines", "require", "P", "--set", "S", "--gate", passing) == 0
    assert run(data, "pipelines", "label", "P", "production", "1") == 1
    assert "evaluate" in capsys.readouterr().err
    assert run(data, "evaluate", "S", "-p", "P@1", "--required-gate") == 0
    assert run(data, "pipelines", "label", "P", "production", "1") == 0
    assert run(data, "pipelines", "label", "P", "production", "2") == 1
    assert run(data, "pipelines", "label", "P", "production", "2", "--force", "--note", "urgent") == 0
    capsys.readouterr()
    assert run(data, "pipelines", "log", "P", "--json") == 0
    assert [m["to_number"] for m in json.loads(capsys.readouterr().out)] == [2, 1]
    assert run(data, "pipelines", "show", "P") == 0
    assert "production" in capsys.readouterr().out
    assert run(data, "pipelines", "require", "default", "--prompt", "--set", "S", "--gate", passing) == 0
    assert run(data, "pipelines", "require", "P", "--none") == 0
    assert run(data, "pipelines", "delete", "Q") == 0
