"""`ragdeck pipelines`: named ways to answer, in versions, with labels and the gates that they require."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import CommandLine


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    return made


@pytest.fixture
def saved(ragdeck: CommandLine) -> CommandLine:
    """The pipeline P in two versions that differ in the number of passages."""
    ragdeck.done("pipelines", "save", "P", "-c", "A", "-m", "First")
    ragdeck.done("pipelines", "save", "P", "--set", "retrieval.max_passages=2", "-m", "Fewer passages")
    return ragdeck


def show(ragdeck: CommandLine, *options: object) -> dict[str, Any]:
    document: dict[str, Any] = ragdeck.done("pipelines", "show", "P", *options, "--json").document
    return document


def test_pipelines_are_listed(ragdeck: CommandLine) -> None:
    assert ragdeck.done("pipelines", "list", "--json").document == []
    assert "ragdeck pipelines save" in ragdeck.done("pipelines", "list").out
    ragdeck.done("pipelines", "save", "P", "-c", "A")
    (row,) = ragdeck.done("pipelines", "list", "--json").document
    assert (row["name"], row["number"], row["config"]["collection"]) == ("P", 1, "A")
    assert "P" in ragdeck.done("pipelines", "list").out


def test_a_new_version_starts_from_the_newest_one(saved: CommandLine) -> None:
    newest = show(saved)
    assert (newest["number"], newest["message"]) == (2, "Fewer passages")
    assert newest["config"]["collection"] == "A"
    assert newest["config"]["retrieval"]["max_passages"] == 2
    assert show(saved, "--version", 1)["config"]["retrieval"]["max_passages"] != 2
    printed = saved.done("pipelines", "show", "P").out
    assert "max_passages: 2" in printed and "version 1: First" in printed


def test_options_change_the_settings(saved: CommandLine) -> None:
    saved.done(
        "pipelines", "save", "P", "--set", "generation.temperature=0.5", "--set", "retrieval.search=BM25",
        "--kind", "retrieval", "--prompt", "default@1",
    )  # fmt: skip
    config = show(saved)["config"]
    assert (config["generation"]["temperature"], config["retrieval"]["search"]) == (0.5, "BM25")
    assert (config["kind"], config["prompt"]) == ("retrieval", "default@1")


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "max_passages=2"),
        ("--set", "retrieval.max_passages"),
        ("--set", "retrieval.max_passages=many"),
        ("--set", "retrieval.nonsense=1"),
        ("--set", "models.active=x"),
        ("--kind", "nonsense"),
        ("-c", "B"),
        ("--prompt", "nobody@1"),
        ("--version", "9"),
    ],
    ids=lambda options: " ".join(options),
)
def test_a_pipeline_that_cannot_answer_is_refused(saved: CommandLine, options: tuple[str, ...]) -> None:
    saved.refused("pipelines", "save", "P", *options)
    assert show(saved)["number"] == 2


def test_the_first_version_needs_a_collection(ragdeck: CommandLine) -> None:
    assert "-c" in ragdeck.refused("pipelines", "save", "P")


def test_two_versions_are_compared(saved: CommandLine) -> None:
    (change,) = saved.done("pipelines", "diff", "P", 1, 2, "--json").document
    assert change["key"] == "retrieval.max_passages" and change["new"] in (2, "2")
    assert "max_passages" in saved.done("pipelines", "diff", "P", 1, 2).out
    assert saved.done("pipelines", "diff", "P", 1, 1, "--json").document == []
    saved.done("pipelines", "save", "Q", "-c", "A")
    assert saved.done("pipelines", "diff", "P", 1, 1, "--with", "Q", "--json").document == []
    saved.refused("pipelines", "diff", "P", 1, 9)


def test_a_pipeline_goes_through_a_file(saved: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    saved.done("pipelines", "export", "P", path, "--version", 1)
    assert yaml.safe_load(path.read_text("utf-8"))["collection"] == "A"
    saved.done("pipelines", "save", "copy", "--file", path)
    assert saved.done("pipelines", "diff", "P", 1, 1, "--with", "copy", "--json").document == []


@pytest.mark.parametrize("text", ["- a list", "collection: [", "nonsense: 1"])
def test_a_file_that_is_no_pipeline_is_refused(saved: CommandLine, tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text, "utf-8")
    saved.refused("pipelines", "save", "P", "--file", path)
    saved.refused("pipelines", "save", "P", "--file", tmp_path / "none.yaml")
    assert show(saved)["number"] == 2


def test_labels_move_with_a_log_and_are_taken_away(saved: CommandLine) -> None:
    assert saved.done("pipelines", "label", "P", "staging", 2).out.strip().endswith("none → 2.")
    saved.done("pipelines", "label", "P", "staging", 1, "--note", "back")
    assert show(saved, "--version", 1)["labels"] == ["staging"]
    saved.done("pipelines", "label", "P", "staging")
    moves = saved.done("pipelines", "log", "P", "--json").document
    assert [(m["from_number"], m["to_number"], m["note"]) for m in moves] == [
        (1, None, ""),
        (2, 1, "back"),
        (None, 2, ""),
    ]
    assert "back" in saved.done("pipelines", "log", "P").out
    saved.refused("pipelines", "label", "P", "staging", 9)
    saved.refused("pipelines", "label", "P", "Not A Label", 1)


def test_production_waits_for_the_gate_that_it_requires(saved: CommandLine, tmp_path: Path) -> None:
    saved.done("sets", "create", "S")
    saved.done("sets", "add", "S", "What does rye bread need?", "-r", "sourdough")
    gate = tmp_path / "gate.yaml"
    gate.write_text("floors: {token_f1: 0.01}\nerrors: {at_most: 0}\n", "utf-8")
    saved.done("pipelines", "require", "P", "--set", "S", "--gate", gate)
    assert "gate" in saved.refused("pipelines", "label", "P", "production", 2)
    saved.refused("pipelines", "label", "P", "production", 2, "--force")  # a reason is missing
    saved.done("pipelines", "label", "P", "production", 2, "--force", "--note", "an emergency")
    saved.done("pipelines", "require", "P", "--none", "--note", "no longer")
    saved.done("pipelines", "label", "P", "production", 1)


def test_a_requirement_needs_a_gate_and_a_set(saved: CommandLine, tmp_path: Path) -> None:
    saved.refused("pipelines", "require", "P")
    saved.refused("pipelines", "require", "P", "--set", "S", "--gate", tmp_path / "none.yaml")
    gate = tmp_path / "gate.yaml"
    gate.write_text("floors: {nonsense: 1}", "utf-8")
    saved.done("sets", "create", "S")
    saved.refused("pipelines", "require", "P", "--set", "S", "--gate", gate)
    gate.write_text("floors: {token_f1: 0.5}", "utf-8")
    saved.refused("pipelines", "require", "P", "--set", "none", "--gate", gate)
    saved.refused("pipelines", "require", "none", "--set", "S", "--gate", gate)


def test_a_deleted_pipeline_is_gone(saved: CommandLine) -> None:
    saved.done("pipelines", "delete", "P")
    saved.refused("pipelines", "show", "P")
    saved.refused("pipelines", "delete", "P")
    assert saved.done("pipelines", "list", "--json").document == []
