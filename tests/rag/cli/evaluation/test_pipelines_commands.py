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


# --- what cannot be, and what people read -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--set", "retrieval.max_passages=[1"), "“[1” is not a value of retrieval.max_passages: "),
        (("--set", "retrieval.max_passages={"), "“{” is not a value of retrieval.max_passages: "),
        (("--set", "retrieval.max_passages="), "retrieval.max_passages: Input should be a valid integer."),
        (("--set", "retrieval.max_passages=0"), "retrieval.max_passages: "),
        (("--set", "generation.temperature=nan"), "generation.temperature: "),
        (("--set", "retrieval.=2"), "“retrieval.=2” is not retrieval.KEY=VALUE or generation.KEY=VALUE."),
        (("--set", "=2"), "“=2” is not retrieval.KEY=VALUE or generation.KEY=VALUE."),
        (("--set", ""), "“” is not retrieval.KEY=VALUE or generation.KEY=VALUE."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_option_that_cannot_be_is_one_sentence(
    saved_once: CommandLine, options: tuple[str, ...], sentence: str
) -> None:
    """A value that is no YAML was a traceback."""
    assert sentence in saved_once.refused("pipelines", "save", "P", *options)
    assert show(saved_once)["number"] == 1


@pytest.fixture
def saved_once(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The pipeline P in one version."""
    made = CommandLine(data, capsys)
    made.done("pipelines", "save", "P", "-c", "A", "-m", "First")
    return made


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "Q"), "There is no pipeline named “Q”."),
        (("show", "P", "--version", 0), "The pipeline “P” has no version 0."),
        (("show", "P", "--version", 9), "The pipeline “P” has no version 9."),
        (("export", "Q", "x.yaml"), "There is no pipeline named “Q”."),
        (("export", "P", "/proc/nowhere/x.yaml"), "/proc/nowhere/x.yaml cannot be written"),
        (("save", "", "-c", "A"), "A pipeline needs a name of at most 200 characters."),
        (("save", "x" * 201, "-c", "A"), "A pipeline needs a name of at most 200 characters."),
        (("save", "Q"), "There is no pipeline “Q” yet. Name its collection with -c."),
        (("diff", "P", 1, 1, "--with", "Q"), "There is no pipeline named “Q”."),
        (("label", "P", "production"), "No version of the pipeline “P” has the label “production”."),
        (("label", "P", "Not A Label", 1), "A label is a word of small letters, digits and hyphens"),
        (("label", "Q", "staging", 1), "There is no pipeline named “Q”."),
        (("log", "Q"), "There is no pipeline named “Q”."),
        (("require", "P", "--set", "S"), "Name the gate with --gate and the evaluation set with --set"),
        (("require", "P"), "or use --none."),
    ],
    ids=lambda value: " ".join(map(str, value))[:40] if isinstance(value, tuple) else "",
)
def test_commands_on_what_is_not_there_say_so(
    saved_once: CommandLine, arguments: tuple[object, ...], sentence: str
) -> None:
    assert sentence in saved_once.refused("pipelines", *arguments)
    assert show(saved_once)["number"] == 1


def test_saving_the_same_again_makes_no_version(saved_once: CommandLine) -> None:
    fingerprint = show(saved_once)["fingerprint"][:12]
    said = saved_once.done("pipelines", "save", "P", "-c", "A", "-m", "Again").out
    assert said == f"P has version 1, fingerprint {fingerprint}.\n"
    assert saved_once.done("pipelines", "diff", "P", 1, 1).out == "There are no differences.\n"
    assert saved_once.done("pipelines", "log", "P").out == ""


def test_markup_in_names_and_messages_is_text(saved_once: CommandLine, tmp_path: Path) -> None:
    saved_once.done("pipelines", "save", "[b]Q", "-c", "A", "-m", "[red]why[/red]")
    assert "version 1: [red]why[/red], " in saved_once.done("pipelines", "show", "[b]Q").out
    assert "[b]Q\t1\t" in saved_once.done("pipelines", "list", "--plain").out
    written = " ".join(saved_once.done("pipelines", "export", "[b]Q", tmp_path / "q.yaml").out.split())
    assert written.startswith("Wrote version 1 of [b]Q to ")
    assert saved_once.done("pipelines", "label", "[b]Q", "staging", 1).out == "[b]Q@staging: none → 1.\n"
    assert saved_once.done("pipelines", "delete", "[b]Q").out == "Deleted [b]Q.\n"
