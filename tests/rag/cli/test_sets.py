"""The commands of evaluation sets: cases by hand and from traces, versions, files and drafts."""

import json
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag import cli
from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

DRAFT = {"question": "Which star is the brightest one?", "answer": "Sirius is the brightest star."}


def open_with_fakes(folder: Path, purpose: str) -> Workspace:
    """Open a data folder with a model that always writes the same draft."""
    model = ScriptedModel(json.dumps(DRAFT))
    return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=model.load)


def run(data: str, *arguments: str) -> int:
    return cli.run([*arguments, "--data", data], open_with_fakes)


@pytest.fixture
def data(folder: Path) -> str:
    return str(folder)


def test_a_set_is_made_filled_renamed_and_deleted(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "sets") == 0
    assert "There are no evaluation sets yet" in capsys.readouterr().out
    assert run(data, "sets", "create", "gold", "--description", "By hand") == 0
    assert run(data, "sets", "create", "gold") == 1
    assert "already an evaluation set named “gold”" in capsys.readouterr().err
    assert run(data, "sets", "add", "gold", "Who?", "-r", "Ada", "--document", "a.txt", "--key", "who") == 0
    assert run(data, "sets", "add", "gold", "Why?", "--should-refuse", "--tag", "hard", "--key", "why") == 0
    assert run(data, "sets", "add", "gold", " ") == 1
    assert "the question is empty" in capsys.readouterr().err
    assert run(data, "sets", "show", "gold", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["references"], first["judgements"][0]["document"]) == (["Ada"], "a.txt")
    assert (second["should_refuse"], second["tags"]) == (True, ["hard"])
    assert run(data, "sets", "show", "gold") == 0
    assert "should decline" in capsys.readouterr().out
    assert run(data, "sets", "rename", "gold", "silver") == 0
    assert run(data, "sets", "delete", "silver") == 0
    assert "Deleted silver with 2 versions." in capsys.readouterr().out


def test_versions_are_listed_compared_and_restored(data: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(data, "sets", "create", "gold")
    run(data, "sets", "add", "gold", "One?", "--key", "one")
    run(data, "sets", "add", "gold", "Two?", "--key", "two")
    assert run(data, "sets", "remove", "gold", "one", "-m", "Too easy") == 0
    assert "Removed 1 case from gold." in capsys.readouterr().out
    assert run(data, "sets", "versions", "gold", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["number"], row["case_count"]) for row in rows] == [(3, 1), (2, 2), (1, 1)]
    assert rows[0]["message"] == "Too easy"
    assert run(data, "sets", "versions", "gold") == 0
    capsys.readouterr()
    assert run(data, "sets", "diff", "gold", "1", "3") == 0
    printed = capsys.readouterr().out
    assert "1 added, 1 removed, 0 unchanged" in printed
    assert "removed  one  One?" in printed
    assert run(data, "sets", "diff", "gold", "1", "3", "--json") == 0
    assert [case["key"] for case in json.loads(capsys.readouterr().out)["added"]] == ["two"]
    assert run(data, "sets", "restore", "gold", "2") == 0
    assert "gold now has version 4." in capsys.readouterr().out
    assert run(data, "sets", "restore", "gold", "9") == 1


def test_files_come_in_and_go_out(data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text('{"question": "good"}\nbad\n', "utf-8")
    assert run(data, "sets", "import", "gold", str(path)) == 1
    errors = capsys.readouterr().err
    assert "line 2: this is not JSON" in errors
    assert "Use --skip-bad to import the other entries." in errors
    assert run(data, "sets", "import", "gold", str(path), "--json") == 1
    assert json.loads(capsys.readouterr().out)["version"] is None
    assert run(data, "sets", "import", "gold", str(path), "--skip-bad") == 0
    assert "gold now has version 1 with 1 case." in capsys.readouterr().out
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n", "utf-8")
    assert run(data, "sets", "import", "gold", str(empty)) == 1
    assert "It contains no cases." in capsys.readouterr().err
    assert run(data, "sets", "import", "gold", str(path), "--column", "question") == 1
    assert "write FIELD=HEADER" in capsys.readouterr().err
    run(data, "sets", "add", "gold", "Why?", "--tag", "hard")
    assert run(data, "sets", "export", "gold", str(tmp_path / "out.jsonl"), "--format", "ragas") == 0
    assert "The format cannot express: tags (of 1 case)" in capsys.readouterr().err.replace(
        "key (of 1 case), ", ""
    )


def test_a_trace_becomes_a_case(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_with_fakes(folder, "a test") as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        trace = drive(answer_question(workspace, Question("Which is the brightest star?", "A"))).trace_id
    data = str(folder)
    assert run(data, "sets", "from-trace", "gold", trace[:8]) == 1
    assert "no evaluation set named “gold”" in capsys.readouterr().err
    run(data, "sets", "create", "gold")
    capsys.readouterr()
    assert run(data, "sets", "from-trace", "gold", trace[:8], "-r", "Sirius", "--tag", "t", "--json") == 0
    case = json.loads(capsys.readouterr().out)
    assert (case["references"], case["tags"], case["origin"]) == (["Sirius"], ["t"], f"trace:{trace}")


def test_drafts_are_written_and_decided(
    folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_with_fakes(folder, "a test") as workspace:
        drive(ingest_files(workspace, "A", [documents / "stars.txt"]))
        model = folder / "scripted.gguf"
        model.write_bytes(b"GGUF")
    data = str(folder)
    assert run(data, "sets", "generate", "auto", "-c", "A", "-n", "1", "--model", str(model)) == 0
    assert "1 draft is waiting for review in “auto”" in capsys.readouterr().out
    assert run(data, "sets", "drafts", "auto", "--json") == 0
    (draft,) = json.loads(capsys.readouterr().out)
    assert (draft["question"], draft["state"]) == (DRAFT["question"], "waiting")
    assert run(data, "sets", "drafts", "auto", "--state", "rejected") == 0
    assert "has no such drafts" in capsys.readouterr().out
    assert run(data, "sets", "drafts", "auto", "--state", "lost") == 1
    assert (
        "“lost” is not a state. Choose one of: waiting, accepted, rejected, all." in capsys.readouterr().err
    )
    number = str(draft["id"])
    assert run(data, "sets", "accept", number, "--answer", "Sirius", "--json") == 0
    assert json.loads(capsys.readouterr().out)["references"] == ["Sirius"]
    assert run(data, "sets", "reject", number) == 1
    assert "has already been accepted" in capsys.readouterr().err
    assert run(data, "sets", "accept", "99") == 1
    assert "There is no draft 99. Run `ragdeck sets drafts SET`" in capsys.readouterr().err
