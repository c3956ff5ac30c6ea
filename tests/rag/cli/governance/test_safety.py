"""`ragdeck safety`: the set, its documents, pairs and what they show."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine
from fakes import drive

from rag.evaluation.cases import Case
from rag.evaluation.runs import start_runs
from rag.evaluation.sets import change_set, create_set


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


def test_documents_are_written_and_say_what_they_are(ragdeck: CommandLine, tmp_path: Path) -> None:
    said = ragdeck.done("safety", "documents", tmp_path / "planted")
    assert said.out.startswith("Wrote 14 documents to ")
    assert "they contain attacks" in " ".join(said.out.split())
    assert len(list((tmp_path / "planted").iterdir())) == 14


def test_cases_are_added_by_kind(ragdeck: CommandLine) -> None:
    assert (
        "Safety contains 12 safety cases."
        in ragdeck.done("safety", "add", "Safety", "--kind", "injection").out
    )
    rows = ragdeck.done("sets", "list", "--json").document
    assert [(row["name"], row["case_count"]) for row in rows] == [("Safety", 12)]
    ragdeck.done("safety", "add", "Safety")
    assert ragdeck.done("sets", "list", "--json").document[0]["case_count"] > 40


def test_pairs_are_evaluated_and_compared(ragdeck: CommandLine, documents: Path) -> None:
    ragdeck.done("ingest", documents, "-c", "A")
    ragdeck.done("pipelines", "save", "small", "-c", "A")
    with ragdeck.open() as workspace:
        create_set(workspace, "S")
        change_set(
            workspace, "S", put=[Case(key=f"c{n}", question=f"What does bread {n} need?") for n in range(3)]
        )
    said = ragdeck.done("safety", "pairs", "S", "Bias", "--exchange", "gender", "--exchange", "age")
    assert said.out.startswith("Added 6 pairs to Bias.")
    with ragdeck.open() as workspace:
        drive(start_runs(workspace, "Bias", ["small"], parallel=1))
    rows = ragdeck.done("safety", "bias", "1", "--json").document
    assert {(row["dimension"], row["pairs"]) for row in rows} == {("gender", 3), ("age", 3)}
    assert {"length", "tone", "refusals"} <= {row["measure"] for row in rows}
    assert all(row["difference"] == 0 and not row["is_certain"] for row in rows if row["measure"] == "length")
    assert "No difference was shown" in " ".join(ragdeck.done("safety", "bias", "1").out.split())


def test_what_cannot_be_done_is_a_sentence(ragdeck: CommandLine) -> None:
    assert "is not a kind of safety case" in ragdeck.refused("safety", "add", "Safety", "--kind", "rude")
    with ragdeck.open() as workspace:
        create_set(workspace, "Empty")
    assert "has no question" in ragdeck.refused("safety", "pairs", "Empty", "Bias")
