"""`ragdeck cascades`: save one, what it saves, and the curve of its thresholds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from fakes import drive, tiny_gguf

from rag.evaluation.cases import Case
from rag.evaluation.runs import start_runs
from rag.evaluation.sets import change_set, create_set


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    made.done("pipelines", "save", "small", "-c", "A")
    made.done("pipelines", "save", "large", "-c", "A", "--set", "retrieval.max_passages=2")
    return made


@pytest.fixture
def measured(ragdeck: CommandLine) -> CommandLine:
    """Runs 1 (small) and 2 (large) over 14 cases, and 3 of the cascade of both."""
    ragdeck.done(
        "cascades", "save", "both", "--step", "pipeline=small", "--step", "pipeline=large", "-c", "A"
    )
    cases = [
        Case(key=f"c{n}", question=f"What does rye bread number {n} need?", references=("x",))
        for n in range(14)
    ]
    with ragdeck.open() as workspace:
        create_set(workspace, "S")
        change_set(workspace, "S", put=cases)
        drive(start_runs(workspace, "S", ["small", "large", "both"], parallel=1))
    return ragdeck


def test_a_cascade_is_saved_with_its_conditions(ragdeck: CommandLine, tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(tiny_gguf())
    said = ragdeck.done(
        "cascades", "save", "both", "-c", "A", "--step", f"model={model}", "--step", "pipeline=large@1",
        "--accept", "supported", "--accept", "support=0.8", "-m", "Small first",
    )  # fmt: skip
    assert said.out == "both has version 1: m → large@1.\n"
    config = ragdeck.done("pipelines", "show", "both", "--json").document["config"]
    first, last = config["steps"]
    assert (first["model"], last["pipeline"]) == (str(model), "large@1")
    assert (first["accept"]["supported"], first["accept"]["at_least"]) == (True, {"support": 0.8})
    assert last["accept"]["supported"] is False
    again = ragdeck.done(
        "cascades", "save", "both", "--step", "pipeline=small", "--step", "pipeline=large", "--json"
    )
    assert again.document["number"] == 2 and again.document["config"]["collection"] == "A"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--step", "small", "--step", "pipeline=large"], "“small” is not a step"),
        (["--step", "pipeline=small"], "at least two steps"),
        (
            ["--step", "pipeline=small", "--step", "pipeline=large", "--accept", "luck=1"],
            "“luck=1” is not a condition",
        ),
        (
            ["--step", "pipeline=small", "--step", "pipeline=large", "--accept", "support=high"],
            "is not a condition",
        ),
        (["--step", "pipeline=gone", "--step", "pipeline=large"], "no pipeline named “gone”"),
    ],
)
def test_what_cannot_be_a_cascade_is_refused(ragdeck: CommandLine, options: list[str], sentence: str) -> None:
    printed = ragdeck("cascades", "save", "new", "-c", "A", *options)
    assert printed.code == 1 and sentence in printed.err
    assert (
        "Name its collection" in ragdeck("cascades", "save", "new", *options[:2], *options[:2]).err
        or options[1] == "small"
    )


def test_a_file_gives_rules_on_the_question(ragdeck: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "cascade.yaml"
    file.write_text(
        "collection: A\nsteps:\n- {pipeline: small, when: {languages: [en], max_words: 20}}\n- {pipeline: large}\n",
        "utf-8",
    )
    ragdeck.done("pipelines", "save", "both", "--file", file)
    asked = ragdeck.done(
        "ask", "Was braucht das Brot, das der Bäcker mit der Hefe macht?", "-c", "A", "-p", "both", "--json"
    )
    assert "small was not asked: the question is in German" in asked.document["notices"]


def test_an_answer_that_was_not_given_is_said_and_shown(ragdeck: CommandLine) -> None:
    ragdeck.model.answer = "Rye bread needs 40 kilograms of cheese from Norway [1]."
    ragdeck.done(
        "cascades", "save", "both", "--step", "pipeline=small", "--step", "pipeline=large", "-c", "A"
    )
    asked = ragdeck.done("ask", "What does rye bread need?", "-c", "A", "-p", "both")
    assert "The answer of small was not given: 1 sentence unsupported. Asking large." in asked.err
    trace = ragdeck.done("traces", "list", "--json").document
    assert len(trace) == 1, "an answer that was not given is no question of a person"
    shown = ragdeck.done("traces", "show", trace[0]["id"], "--json").document
    assert [(step["name"], step["reason"]) for step in shown["steps"]] == [
        ("small", "1 sentence unsupported"),
        ("large", ""),
    ]
    assert (
        "step 1 small: not given: 1 sentence unsupported"
        in ragdeck.done("traces", "show", trace[0]["id"]).out
    )


def test_tags_of_a_question_are_given_on_the_command_line(ragdeck: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "cascade.yaml"
    file.write_text(json.dumps({"collection": "A", "steps": [{"when": {"tags": ["law"]}}, {}]}), "utf-8")
    ragdeck.done("pipelines", "save", "both", "--file", file)
    ask = ("ask", "What does rye bread need?", "-c", "A", "-p", "both", "--json")
    assert "does not have the tag law" in str(ragdeck.done(*ask).document["notices"])
    assert ragdeck.done(*ask, "--tag", "law").document["notices"] == []


def test_a_run_is_compared_by_cost_and_quality(measured: CommandLine) -> None:
    said = measured.done("cascades", "compare", "3", "2", "--by", "tokens")
    assert " against " in said.out and "token F1 +0 points" in " ".join(said.out.split())
    found = measured.done(
        "cascades", "compare", "1", "2", "--by", "tokens", "--margin", "0.5", "--json"
    ).document
    assert (found["pairs"], found["unit"], found["margin"]) == (14, "tokens", 0.5)
    assert found["sentence"].endswith(".") and found["saved"] is not None
    assert "is not a quality" in measured("cascades", "compare", "1", "2", "--metric", "luck").err


def test_the_curve_of_thresholds_is_printed(measured: CommandLine) -> None:
    found = measured.done("cascades", "curve", "1", "2", "--by", "tokens", "--json").document
    assert found["first"] + found["second"] == 14 and found["points"][0]["threshold"] is None
    printed = measured.done("cascades", "curve", "1", "2", "--by", "tokens").out
    assert "Threshold" in printed and "none" in printed and "alone:" in printed


# --- what cannot be ---------------------------------------------------------------------------------------

TWO = ("--step", "pipeline=P", "--step", "pipeline=P")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("save", "C", "-c", "A", "--step", "=x", "--step", "pipeline=P"), 1, "“=x” is not a step."),
        (("save", "C", "-c", "A", "--step", "model=", "--step", "pipeline=P"), 1, "“model=” is not a step."),
        (("save", "C", "-c", "A", "--step", "Pipeline=P", "--step", "x"), 1, "Write model=NAME or pipeline="),
        (("save", "C", "-c", "A", *TWO, "--accept", "support="), 1, "“support=” is not a condition."),
        (("save", "C", "-c", "A", *TWO, "--accept", "supported=1"), 1, "“supported=1” is not a condition."),
        (
            ("save", "C", "-c", "A", *TWO, "--accept", ""),
            1,
            "Write supported, or one of support=0.5, retrieval",
        ),
        (("save", "C", *TWO), 1, "There is no pipeline “C” yet. Name its collection with -c."),
        (("save", "C", "-c", "A"), 2, "--step"),
        (("compare", 8, 9), 1, "There is no run 8."),
        (("compare", "best", 9), 1, "No run has the tag “best”."),
        (("curve", 8, 9), 1, "There is no run 8."),
        (("curve", 8, 9, "--signal", "luck"), 2, "'support', 'retrieval', 'confidence'"),
        (("curve", 8, 9, "--by", "pounds"), 2, "'money', 'seconds', 'tokens'"),
        (("compare", 8, 9, "--margin", "small"), 2, "--margin"),
        (("compare", 8), 2, "BASELINE"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_saved_or_compared_says_why(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], code: int, sentence: str
) -> None:
    printed = CommandLine(folder, capsys)("cascades", *arguments)
    assert (printed.code, printed.out) == (code, "")
    assert sentence in printed.err


@pytest.mark.parametrize(
    ("value", "why"), [("7", "less than or equal to 1"), ("nan", "finite number"), ("-1", "0")]
)
def test_a_threshold_is_a_share(ragdeck: CommandLine, value: str, why: str) -> None:
    steps = ("--step", "pipeline=small", "--step", "pipeline=large")
    sentence = ragdeck.refused("cascades", "save", "C", "-c", "A", *steps, "--accept", f"support={value}")
    assert "at_least.support" in sentence and why in sentence
