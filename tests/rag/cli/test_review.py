"""The commands of feedback and review."""

import json
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.cli import run
from rag.knowledge.ingest import ingest_files
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


def test_the_command_line_reviews_and_rates(
    notes: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    trace = asked(notes, "Rye bread needs 90 hours of rest [1].")
    folder = str(notes.folder)
    notes.close()

    def ragdeck(*arguments: str) -> str:
        code = run([*arguments, "--data", folder])
        found = capsys.readouterr()
        assert code == 0, found.err
        return found.out

    ragdeck(
        "feedback", "add", trace, "--down", "--reason", "wrong", "--correction", "12 hours", "--by", "Ann"
    )
    assert json.loads(ragdeck("feedback", "list", "--down", "--json"))[0]["correction"] == "12 hours"
    ragdeck("feedback", "to-case", trace[:8], "gold", "--relevant", "1", "--by", "Ann")
    ragdeck("review", "fill", "Q", "--source", "thumbs-down=5")
    item = json.loads(ragdeck("review", "next", "Q", "--by", "Ann", "--json"))
    assert item["why"] == "thumbs-down"
    ragdeck("review", "judge", str(item["item"]), "wrong", "--correction", "12 hours", "--by", "Ann")
    ragdeck("review", "judge", str(item["item"]), "wrong", "--by", "Bob")
    assert json.loads(ragdeck("review", "agreement", "Q", "--json"))[0]["agreed"] == 1
    assert "Made 1 case in gold" in ragdeck("review", "to-set", "Q", "gold")
    ragdeck("review", "export", "Q", str(tmp_path / "q.jsonl"))
    assert len((tmp_path / "q.jsonl").read_text("utf-8").splitlines()) == 2
    assert run(["feedback", "add", trace, "--data", folder]) == 1
    assert "--up or --down" in capsys.readouterr().err
