"""`ragdeck flags` and `consistency`: limits, a person's verdicts, fits, and how far an answer repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.knowledge.ingest import ingest_files
from rag.models.language_model import GenerationEnd, Token, starter_model_path
from rag.settings import GenerationSettings

ANSWER = "Rye bread needs sourdough [1]. Rye bread needs 99 hours of rest."


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    made.model.answer = ANSWER
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    return made


def ask(ragdeck: CommandLine) -> str:
    with ragdeck.open() as workspace:
        return str(drive(answer_question(workspace, Question("What does rye bread need?", "A"))).trace_id)


def test_limits_begin_as_the_detector_was_trained(ragdeck: CommandLine) -> None:
    document = ragdeck.done("flags", "limits", "-c", "A", "--json").document
    assert [document["check_from"], document["unsupported_from"]] == document["trained"]
    assert (document["answers"], document["verdicts"], document["fitted_on"]) == (0, 0, 0)
    assert "A: check from" in ragdeck.done("flags", "limits", "-c", "A").out


def test_limits_are_changed_one_by_one_and_reset(ragdeck: CommandLine) -> None:
    first = ragdeck.done("flags", "limits", "-c", "A", "--check", 0.05, "--json").document
    assert first["check_from"] == 0.05 and first["unsupported_from"] == first["trained"][1]
    second = ragdeck.done("flags", "limits", "-c", "A", "--unsupported", 0.9, "--json").document
    assert (second["check_from"], second["unsupported_from"]) == (0.05, 0.9)
    again = ragdeck.done("flags", "limits", "-c", "A", "--reset", "--json").document
    assert [again["check_from"], again["unsupported_from"]] == again["trained"]


def test_limits_tell_what_past_answers_would_have_had(ragdeck: CommandLine) -> None:
    ask(ragdeck)
    strict = ragdeck.done("flags", "limits", "-c", "A", "--check", 0.0001, "--json").document
    assert (strict["answers"], strict["answers_that_would_have_flags"]) == (1, 1)
    lax = ragdeck.done(
        "flags", "limits", "-c", "A", "--check", 0.9998, "--unsupported", 0.9999, "--json"
    ).document
    assert (lax["answers_with_flags"], lax["answers_that_would_have_flags"]) == (1, 0)


@pytest.mark.parametrize("limits", [("--check", 0.9, "--unsupported", 0.1), ("--check", -1), ("--check", 2)])
def test_limits_that_cannot_be_are_refused_and_nothing_changes(
    ragdeck: CommandLine, limits: tuple[object, ...]
) -> None:
    ragdeck.refused("flags", "limits", "-c", "A", *limits)
    document = ragdeck.done("flags", "limits", "-c", "A", "--json").document
    assert [document["check_from"], document["unsupported_from"]] == document["trained"]


def test_a_folder_that_is_no_detector_is_refused(ragdeck: CommandLine, tmp_path: Path) -> None:
    ragdeck.refused("flags", "limits", "-c", "A", "--second", tmp_path)
    assert "“B”" in ragdeck.refused("flags", "limits", "-c", "B")


def test_a_verdict_of_ones_own_is_stored_with_its_sentence(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    ragdeck.done("flags", "judge", trace[:8], 2, "--right", "--note", "it says 12 hours")
    ragdeck.done("flags", "judge", trace, 1, "--wrong")
    document = ragdeck.done("flags", "limits", "-c", "A", "--json").document
    assert (document["verdicts"], document["verdicts_right"]) == (2, 1)
    assert "2" in ragdeck.refused("flags", "judge", trace, 3, "--right"), "the answer has two sentences"


def test_a_fit_needs_fifty_verdicts(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    ragdeck.done("flags", "judge", trace, 2, "--right")
    assert "50" in ragdeck.refused("flags", "calibrate", "-c", "A")


def test_a_fit_is_shown_used_and_removed(ragdeck: CommandLine) -> None:
    for number in range(26):
        trace = ask(ragdeck)
        ragdeck.done("flags", "judge", trace, 1, "--right" if number % 5 else "--wrong")
        ragdeck.done("flags", "judge", trace, 2, "--right" if number % 4 else "--wrong")
    fit = ragdeck.done("flags", "calibrate", "-c", "A", "--json").document
    assert fit["opinions"] == 52 and fit["applied"] is False
    assert ragdeck.done("flags", "limits", "-c", "A", "--json").document["fitted_on"] == 0
    assert ragdeck.done("flags", "calibrate", "-c", "A", "--apply", "--json").document["applied"] is True
    assert ragdeck.done("flags", "limits", "-c", "A", "--json").document["fitted_on"] == 52
    ragdeck.done("flags", "calibrate", "-c", "A", "--remove")
    assert ragdeck.done("flags", "limits", "-c", "A", "--json").document["fitted_on"] == 0


class Varying(ScriptedModel):
    """Says something else for every fifth seed."""

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        text = "Rye bread needs sourdough." if settings.seed % 5 else "Rye bread needs 40 grams of salt."
        yield Token(text, -1.0)
        yield GenerationEnd("stop", 1)


def test_a_prompt_is_answered_again_and_the_meanings_are_counted(ragdeck: CommandLine) -> None:
    # The model of a trace is looked for by its name: both stand for the starter's file.
    header = replace(ragdeck.model.header, path=str(starter_model_path()))
    ragdeck.model.header = header
    trace = ask(ragdeck)
    ragdeck.model = Varying()
    ragdeck.model.header = header
    report = ragdeck.done("consistency", trace[:8], "-n", 5, "--json").document
    assert (report["trace_id"], report["clusters"], report["agreement"]) == (trace, 2, 0.8)
    assert len(report["samples"]) == 5
    printed = ragdeck.done("consistency", trace, "-n", 5).out
    assert "80%" in printed and "40 grams" in printed


def test_consistency_of_no_trace_is_refused(ragdeck: CommandLine) -> None:
    assert "“ffffffff”" in ragdeck.refused("consistency", "ffffffff")


# --- what people read -------------------------------------------------------------------------------------


def said(ragdeck: CommandLine, *arguments: object) -> str:
    return " ".join(ragdeck.done("flags", *arguments).out.split())


def test_limits_are_counted_in_words(ragdeck: CommandLine) -> None:
    """It said "of the last 1 answers" and "You gave 1 verdicts"."""
    trace = ask(ragdeck)
    ragdeck.done("flags", "judge", trace, 1, "--right")
    shown = said(ragdeck, "limits", "-c", "A")
    assert "1 of the last 1 answer would have a flag; 1 had one" in shown
    assert "You gave 1 verdict, 1 of them “right”; the scores are fitted to 0" in shown


def test_a_verdict_is_said_again_with_the_sentence_it_is_about(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    first = said(ragdeck, "judge", trace[:8], 1, "--wrong")
    assert first == "Saved: “supported” is wrong for: Rye bread needs sourdough [1]."
    assert "is right for: Rye bread needs 99 hours of rest." in said(ragdeck, "judge", trace, 2, "--right")
    assert ragdeck.refused("flags", "judge", trace, 9, "--right") == (
        "The answer has 2 sentences. Choose one by its number."
    )


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (("--check", "nan"), "“check” (nan) not above"),
        (("--check", "inf"), "“check” (inf) not above"),
        (("--check", 0), "must be above 0 and at most 1"),
        (("--unsupported", 1.01), "must be above 0 and at most 1"),
        (("--check", 0.2, "--unsupported", 0.1), "“check” (0.20) not above “unsupported” (0.10)"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_limit_that_cannot_be_says_which_it_is(
    empty: CommandLine, limits: tuple[object, ...], sentence: str
) -> None:
    assert sentence in empty.refused("flags", "limits", "-c", "A", *limits)


@pytest.fixture
def empty(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The collection A, of which nothing was asked."""
    return CommandLine(data, capsys)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("limits", "-c", "B"), 1, "There is no collection named “B”."),
        (("calibrate", "-c", "B"), 1, "There is no collection named “B”."),
        (("calibrate", "-c", "B", "--remove"), 1, "There is no collection named “B”."),
        (("calibrate", "-c", "A", "--apply"), 1, "50"),
        (("judge", "ffffffff", 1, "--right"), 1, "There is no trace “ffffffff”."),
        (("judge", "ffffffff", 0, "--right"), 2, "greater than or equal to 1"),
        (("judge", "ffffffff", "one", "--right"), 2, "valid integer"),
        (("judge", "ffffffff", 1), 2, "--right"),
        (("limits",), 2, "--collection"),
        (("limits", "-c", "A", "--check", "high"), 2, "valid number"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_commands_on_flags_that_cannot_be_say_why(
    empty: CommandLine, arguments: tuple[object, ...], code: int, sentence: str
) -> None:
    printed = empty("flags", *arguments)
    assert (printed.code, printed.out) == (code, "")
    assert sentence in printed.err


def test_an_empty_second_detector_and_no_fit_to_remove_change_nothing(empty: CommandLine) -> None:
    before = empty.done("flags", "limits", "-c", "A", "--json").document
    assert empty.done("flags", "limits", "-c", "A", "--second", "", "--json").document == before
    assert said(empty, "calibrate", "-c", "A", "--remove") == "A: the detector's own scores are used again."
    assert empty.done("flags", "limits", "-c", "A", "--json").document == before
