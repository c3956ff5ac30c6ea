"""The commands of evaluation: exit codes, files for CI, pipelines and labels."""

import json
from pathlib import Path
from xml.etree import ElementTree

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


def test_a_gate_decides_the_exit_code_and_writes_what_ci_reads(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "pipelines", "save", "P", "-c", "A") == 0
    good = gate(tmp_path, "floors: {exact_match: 0.9}\nerrors: {at_most: 0}\n")
    report, junit = tmp_path / "out" / "report.json", tmp_path / "out" / "junit.xml"
    capsys.readouterr()
    assert (
        run(
            data,
            "evaluate",
            "S",
            "-p",
            "P",
            "--gate",
            good,
            "--json-file",
            str(report),
            "--junit",
            str(junit),
        )
        == 0
    )
    printed = capsys.readouterr()
    assert "Exact match" in printed.out and "passes all 2 rules" in printed.out
    assert "P 1: 0 of 7" in printed.err
    document = json.loads(report.read_text("utf-8"))
    assert document["gates"][0]["passed"] and document["runs"][0]["status"] == "done"
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "0"
    bad = gate(tmp_path, "floors: {exact_match: {at_most: 0.5}}\n")
    assert run(data, "evaluate", "S", "-p", "P", "--gate", bad, "--junit", str(junit)) == 3
    assert "FAILED" in capsys.readouterr().out
    assert ElementTree.parse(junit).getroot().attrib["failures"] == "1"
    assert run(data, "evaluate", "S", "-p", "nobody", "--gate", bad) == 1
    assert run(data, "evaluate", "T", "-p", "P") == 1
    assert run(data, "evaluate", "S", "-p", "P", "--junit", str(junit)) == 1
    assert run(data, "evaluate", "S", "-p", "P", "--gate", gate(tmp_path, "floors: {nonsense: 1}")) == 1
    assert run(data, "evaluate", "S") == 2


def test_runs_are_listed_compared_tagged_and_gated(
    data: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(data, "pipelines", "save", "P", "-c", "A")
    run(data, "pipelines", "save", "R", "-c", "A", "--kind", "retrieval")
    assert run(data, "evaluate", "S", "-p", "P", "--tag", "baseline", "--parallel", "1") == 0
    drop = gate(tmp_path, "drops: {exact_match: {allowed: 0.1, must_prove: true}}\n")
    assert run(data, "evaluate", "S", "-p", "P", "--baseline", "baseline", "--gate", drop) == 0
    assert run(data, "runs", "gate", "2", "--gate", drop) == 3  # no baseline: it cannot be decided
    capsys.readouterr()
    assert run(data, "runs", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["tags"]) for row in rows] == [(2, []), (1, ["baseline"])]
    assert run(data, "runs", "show", "baseline", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 7
    assert run(data, "runs", "compare", "baseline", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out)["runs"][1]["id"] == 2
    assert run(data, "runs", "compare", "1", "2") == 0
    assert run(data, "runs", "verdict", "1", "c0", "--right") == 0
    assert run(data, "runs", "tag", "2", "baseline") == 0
    assert run(data, "runs", "rename", "2", "second") == 0
    assert run(data, "runs", "resume", "2") == 1
    assert run(data, "runs", "delete", "1") == 0
    assert run(data, "runs", "show", "1") == 1
    assert run(data, "evaluate", "S", "-p", "R", "-p", "P") == 0
