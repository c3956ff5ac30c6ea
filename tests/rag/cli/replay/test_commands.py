"""`ragdeck traces replay`, `replays`, `compare` and `attribute`: what they print, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from fakes import NamedModel, drive

from rag.asking.rows import get_trace
from rag.knowledge.ingest import ingest_files
from rag.models.language_model import Token
from rag.settings import GenerationSettings

QUESTION = "What does rye bread need?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CommandLine]:
    """Three small documents in the collection A, and a model that says that rye bread needs sourdough."""
    made = CommandLine(folder, capsys)
    made.model = NamedModel()
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    yield made


@pytest.fixture
def trace(ragdeck: CommandLine) -> str:
    document: dict[str, Any] = ragdeck.done("ask", QUESTION, "-c", "A", "--json").document
    return str(document["trace_id"])


def test_a_trace_is_replayed_with_several_variants_side_by_side(ragdeck: CommandLine, trace: str) -> None:
    document = ragdeck.done(
        "traces", "replay", trace[:8], "--without", "1", "--variant", "temperature=0.7; generation.seed=5",
        "--variant", "retrieval.max_passages=1", "--json",
    ).document  # fmt: skip
    assert document["parent"] == trace
    first, second, third = document["variants"]
    assert first["changes"]["without"] == [1] and first["answer"] == "Rye bread needs sourdough [1]."
    assert {one["fate"] for one in first["comparison"]["passages"]} == {"same", "went"}
    assert [one["key"] for one in second["comparison"]["settings"]] == [
        "generation.temperature",
        "generation.seed",
    ]
    assert len([one for one in third["comparison"]["passages"] if one["second"]]) == 1
    figures = first["comparison"]["figures"]
    assert [one["trace"] for one in figures] == [trace, first["trace"]]
    assert all(one["cost"]["answers"] == 1 for one in figures)  # booked at once


def test_costs_of_replays_are_booked_to_them(ragdeck: CommandLine, trace: str) -> None:
    ragdeck.done("traces", "replay", trace)
    sums = ragdeck.done("costs", "--by", "source", "--json").document
    assert {"person", "replay"} == {one["key"] for one in sums["rows"]}


def test_settings_are_changed_with_set_and_without_any_change_it_is_as_it_was(
    ragdeck: CommandLine, trace: str
) -> None:
    document = ragdeck.done("traces", "replay", trace, "--set", "generation.top_p=0.5", "--json").document
    assert document["variants"][0]["changes"]["settings"] == [["generation.top_p", 0.5]]
    printed = ragdeck.done("traces", "replay", trace).out
    assert "as it was" in printed and "Answer: the same" in printed and "1 variant answered." in printed
    printed = ragdeck.done("traces", "replay", trace, "--without", "1").out
    assert "1 went" in printed and "without [1]" in printed


def test_what_cannot_be_answered_is_one_sentence_and_exit_code_1(ragdeck: CommandLine, trace: str) -> None:
    printed = ragdeck("traces", "replay", trace, "--model", "nothing.gguf", "--variant", "temperature=0.5")
    assert printed.code == 1
    words = " ".join(printed.out.split())
    assert "1 variant answered. Not answered, model nothing.gguf: There is no model “nothing.gguf”" in words
    document = ragdeck("traces", "replay", trace, "--model", "nothing.gguf", "--json").document
    assert "There is no model" in document["variants"][0]["error"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--without", "77"), "The prompt has no passage [77]"),
        (("--without", "x"), "“x” is not the number of a passage"),
        (("--set", "generation.top_p"), "write KEY=VALUE"),
        (("--set", "costs.currency=EUR"), "“costs.currency” cannot be changed"),
        (("--variant", "colour=red"), "“colour” cannot be changed"),
        (("--set", "generation.top_p=7"), "generation.top_p: "),
        (("--version", "1", "--without", "1"), "Another search finds other passages"),
    ],
)
def test_changes_that_make_no_sense_are_refused(
    ragdeck: CommandLine, trace: str, options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in ragdeck.refused("traces", "replay", trace, *options)
    assert ragdeck.done("traces", "replays", trace, "--json").document["replays"] == []


def test_replays_are_listed_with_their_origin_and_kept_out_of_the_list_of_questions(
    ragdeck: CommandLine, trace: str
) -> None:
    made = ragdeck.done("traces", "replay", trace, "--temperature", "0.3", "--json").document["variants"][0][
        "trace"
    ]
    document = ragdeck.done("traces", "replays", trace, "--json").document
    assert document["replay_of"] is None
    (row,) = document["replays"]
    assert row["trace_id"] == made and row["changes"]["settings"] == [["generation.temperature", 0.3]]
    assert "temperature 0.3" in ragdeck.done("traces", "replays", trace).out
    assert ragdeck.done("traces", "replays", made, "--json").document["replay_of"] == trace
    assert ragdeck.done("traces", "show", made, "--json").document["replay_of"] == trace
    assert f"A replay of trace {trace[:8]}" in ragdeck.done("traces", "show", made).out
    printed = ragdeck.done("traces", "replays", made).out
    assert f"A replay of trace {trace[:8]}: temperature 0.3." in printed and "has no replays" in printed
    assert [one["id"] for one in ragdeck.done("traces", "list", "--json").document] == [trace]
    assert [one["id"] for one in ragdeck.done("traces", "list", "--source", "replay", "--json").document] == [
        made
    ]


def test_any_two_traces_are_compared_without_a_model(ragdeck: CommandLine, trace: str) -> None:
    ragdeck.model.answer = "Rye bread needs salt [1]."
    other = str(ragdeck.done("ask", "How high is the tide?", "-c", "A", "--json").document["trace_id"])
    ragdeck.model.load_error = RuntimeError("no model is loaded for a comparison")
    document = ragdeck.done("traces", "compare", trace, other, "--json").document
    assert (document["first"], document["second"]) == (trace, other)
    assert ["replace", "sourdough", "salt"] in document["answer"]["words"]
    assert document["prompt"] and document["claims"][0]["changed"] in (True, False)
    printed = ragdeck.done("traces", "compare", trace, other).out
    assert "- Rye bread needs sourdough [1]." in printed and "+ Rye bread needs salt [1]." in printed
    assert "- " in printed.partition("Prompt:")[2] and QUESTION in printed
    assert "There is no trace" in ragdeck.refused("traces", "compare", trace, "ffffffff")


def test_what_each_passage_carries_is_told_and_remembered(ragdeck: CommandLine, trace: str) -> None:
    printed = ragdeck.done("traces", "attribute", trace)
    with ragdeck.open() as workspace:
        count = get_trace(workspace.database, trace).passage_count + 1
    assert f"This takes {count} answers, about" in printed.err
    # The model says it in any case; without the passage that has its words nothing supports it.
    assert "[1] carries this: without [1] it is said with no support." in " ".join(printed.out.split())
    asked = len(ragdeck.model.tokenized)
    document = ragdeck.done("traces", "attribute", trace, "--json").document
    assert len(ragdeck.model.tokenized) == asked  # nothing was asked again
    assert len(document["answers"]) == count and document["not_tried"] == []
    assert document["sentences"][0]["text"] == "Rye bread needs sourdough [1]."
    sentence = document["sentences"][0]["text"]
    assert [one["falling"] for one in document["passages"]] == [[sentence], *[[]] * (count - 2)]
    ragdeck.done("traces", "attribute", trace, "--again")
    assert len(ragdeck.model.tokenized) > asked
    listed = ragdeck.done("traces", "replays", trace, "--all", "--json").document["replays"]
    assert len(listed) == 2 * count


class Interrupted(NamedModel):
    """Is stopped with Ctrl+C while it answers."""

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        yield Token("Rye", -0.5)
        raise KeyboardInterrupt


def test_a_cancelled_replay_says_what_is_stored(ragdeck: CommandLine, trace: str) -> None:
    ragdeck.model = Interrupted()
    printed = ragdeck("traces", "replay", trace)
    assert printed.code == 130 and "the answers so far are stored" in " ".join(printed.err.split())
    (row,) = ragdeck.done("traces", "replays", trace, "--json").document["replays"]
    assert row["status"] == "cancelled"
