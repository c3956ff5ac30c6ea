"""The commands that show what answers cost, by layer, collection and day, and the price tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

QUESTION = "How high does the tide at Bremen rise?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder in which one question was asked."""
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    made.done("ask", QUESTION, "-c", "A")
    return made


def test_costs_are_summed_up_by_layer_with_what_they_would_be_elsewhere(ragdeck: CommandLine) -> None:
    found = ragdeck.done("costs", "--json").document
    layers = {row["key"]: row for row in found["rows"]}
    assert {"embedding", "retrieval", "reading", "answering", "checking"} <= set(layers)
    assert found["total"]["answers"] == 1
    assert found["total"]["amounts"]["EUR"] == pytest.approx(
        sum(row["amounts"].get("EUR", 0) for row in layers.values())
    )
    assert layers["answering"]["output_tokens"] > 0
    assert found["elsewhere"]["amounts"]["USD"] > 0
    printed = ragdeck.done("costs").out
    assert "Together about " in printed
    assert "for 1 answer." in printed
    assert "With gpt-4o-mini their tokens would have cost " in printed


def test_costs_are_filtered_and_summed_up_by_other_things(ragdeck: CommandLine) -> None:
    by_collection = ragdeck.done("costs", "--by", "collection", "--json").document["rows"]
    assert [(row["key"], row["answers"]) for row in by_collection] == [("A", 1)]
    assert (
        ragdeck.done("costs", "-c", "B").out.strip() == "There are no finished answers with these properties."
    )
    assert ragdeck.done("costs", "--since", "2999-01-01", "--json").document["rows"] == []
    assert "not a day" in ragdeck.refused("costs", "--since", "yesterday")
    assert "Choose one of layer, model" in ragdeck.refused("costs", "--by", "colour")


def test_one_answer_is_shown_layer_by_layer_with_what_its_cost_rests_on(ragdeck: CommandLine) -> None:
    trace = ragdeck.done("traces", "list", "--json").document[0]["id"]
    found = ragdeck.done("costs", "show", trace[:8], "--json").document
    assert found["trace"] == trace
    assert {layer["basis"] for layer in found["layers"]} == {"estimate"}
    assert "30 W at 0.3 EUR a kWh" in ragdeck.done("costs", "show", trace).out


def test_price_tables_are_listed_and_a_wrong_one_is_refused(ragdeck: CommandLine, folder: Path) -> None:
    assert any(
        price["model"] == "gpt-4o-mini" for price in ragdeck.done("costs", "prices", "--json").document
    )
    assert "published prices" in ragdeck.done("costs", "prices").out
    (folder / "prices").mkdir()
    (folder / "prices" / "mine.toml").write_text("currency = 3", "utf-8")
    assert "The price table mine.toml" in ragdeck.refused("costs", "prices")


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "2026-02-30", "01.02.2026", "2026-1", " "])
def test_what_is_no_day_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
    sentence = CommandLine(folder, capsys).refused("costs", "--since", day)
    assert sentence == f"“{day}” is not a day. Write it as YYYY-MM-DD."


@pytest.mark.parametrize(
    ("options", "answers"),
    [
        ((), 1),
        (("-c", "A"), 1),
        (("-c", "B"), 0),
        (("--source", "person"), 1),
        (("--source", "evaluation"), 0),
        (("--model", "none.gguf"), 0),
        (("--since", "2001-02-03"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_filter_holds_for_the_rows_and_for_the_sum(
    ragdeck: CommandLine, options: tuple[str, ...], answers: int
) -> None:
    found = ragdeck.done("costs", *options, "--json").document
    assert found["total"]["answers"] == found["accepted_answers"] == answers
    assert bool(found["rows"]) is bool(answers)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--limit", 0), 2, "greater than or equal to 1"),
        (("show", "ffffffff"), 1, "There is no trace “ffffffff”."),
        (("show",), 2, "TRACE"),
        (("--by", "LAYER"), 1, "Choose one of layer, model"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_costs_that_cannot_be_shown_say_why(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], code: int, said: str
) -> None:
    printed = CommandLine(folder, capsys)("costs", *arguments)
    assert (printed.code, printed.out) == (code, "")
    assert said in printed.err


def test_fewer_rows_are_the_dearest_and_the_sum_stays(ragdeck: CommandLine) -> None:
    every = ragdeck.done("costs", "--json").document
    first = ragdeck.done("costs", "--limit", 1, "--json").document
    assert first["rows"] == every["rows"][:1]
    assert first["total"] == every["total"]
    amounts = [row["amounts"]["EUR"] for row in every["rows"]]
    assert amounts == sorted(amounts, reverse=True)


def test_a_persons_own_price_comes_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "prices").mkdir()
    own = (
        'source = "[b]mine"\ndate = 2026-01-02\ncurrency = "EUR"\nper_tokens = 1000000\n'
        '[[model]]\nname = "my-model"\ninput = 1.5\noutput = 3\n'
    )
    (folder / "prices" / "mine.toml").write_text(own, "utf-8")
    lines = CommandLine(folder, capsys).done("costs", "prices", "--plain").out.splitlines()
    assert lines[1].split("\t")[:5] == ["my-model", "EUR", "1.5", "–", "3"]
    assert "[b]mine" in lines[1]
