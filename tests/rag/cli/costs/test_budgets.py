"""`costs budgets list|set|remove`: what they print, as JSON and for people, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(folder, capsys)


def test_a_budget_is_set_listed_changed_and_removed(ragdeck: CommandLine) -> None:
    assert ragdeck.done("costs", "budgets", "list").out.strip() == "There is no budget."
    made = ragdeck.done(
        "costs", "budgets", "set", "cloud", 5, "--currency", "usd", "--per", "day", "--endpoint", "openai",
        "--then", "stop", "--unknown", "stop", "--json",
    ).document  # fmt: skip
    assert (made["scope"], made["target"], made["action"], made["currency"]) == (
        "endpoint",
        "openai",
        "stop",
        "USD",
    )
    (listed,) = ragdeck.done("costs", "budgets", "list", "--json").document
    assert (listed["spent"], listed["answers"], listed["state"]) == (0, 0, "ok")
    printed = ragdeck.done("costs", "budgets", "list").out
    assert "endpoint openai" in printed
    assert "0.00 USD of 5.00 USD a day" in printed
    said = ragdeck.done("costs", "budgets", "set", "cloud", 6).out
    assert said.strip() == "“cloud”: 6 EUR a month for everything."
    assert ragdeck.done("costs", "budgets", "remove", "cloud", "--json").document == {"removed": "cloud"}
    assert "no budget “cloud”" in ragdeck.refused("costs", "budgets", "remove", "cloud")


def test_what_is_wrong_is_one_sentence(ragdeck: CommandLine) -> None:
    assert "Choose one of day, month" in ragdeck.refused("costs", "budgets", "set", "b", 1, "--per", "year")
    both = ragdeck.refused("costs", "budgets", "set", "b", 1, "--endpoint", "a", "--pipeline", "c")
    assert "Make a budget for each" in both
    assert "people, evaluation" in ragdeck.refused("costs", "budgets", "set", "b", 1, "--source", "robots")


# --- what cannot be, and what is left open ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("", 5), "A budget needs a name."),
        (("  ", 5), "A budget needs a name."),
        (("b", "nan"), "The amount of a budget is a number from 0 on."),
        (("b", "inf"), "The amount of a budget is a number from 0 on."),
        (("b", 5, "--warn-from", 2), "A budget warns from a share between 0 and 1 of its amount."),
        (("b", 5, "--warn-from", "nan"), "A budget warns from a share between 0 and 1 of its amount."),
        (("b", 5, "--then", "explode"), "“explode” is no action of a budget. Choose one of warn, ask, stop."),
        (("b", 5, "--unknown", "STOP"), "“STOP” is no action of a budget. Choose one of warn, ask, stop."),
        (("b", 5, "--currency", "1"), "“1” is not a currency. Write its code, such as EUR or USD."),
        (("b", 5, "--per", "week"), "Choose one of day, month"),
        (("b", 5, "--endpoint", "e", "--source", "people"), "Make a budget for each."),
        (("b", 5, "-p", "x", "--source", "people"), "Make a budget for each."),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_budget_that_cannot_be_is_refused_and_not_kept(
    ragdeck: CommandLine, arguments: tuple[object, ...], sentence: str
) -> None:
    assert sentence in ragdeck.refused("costs", "budgets", "set", *arguments)
    assert ragdeck.done("costs", "budgets", "list", "--json").document == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((0,), "“b”: 0 EUR a month for everything."),
        ((5.5, "--per", "day"), "“b”: 5.5 EUR a day for everything."),
        ((1e6, "--currency", "chf"), "“b”: 1e+06 CHF a month for everything."),
        ((5, "--source", "people"), "“b”: 5 EUR a month for source people."),
        ((5, "-p", "[i]none"), "“b”: 5 EUR a month for pipeline [i]none."),
        ((5, "--endpoint", "cloud"), "“b”: 5 EUR a month for endpoint cloud."),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_a_budget_is_said_as_it_was_set(ragdeck: CommandLine, options: tuple[object, ...], said: str) -> None:
    assert ragdeck.done("costs", "budgets", "set", "b", *options).out.strip() == said
    assert len(ragdeck.done("costs", "budgets", "list", "--json").document) == 1


def test_a_name_with_markup_is_a_name(ragdeck: CommandLine) -> None:
    ragdeck.done("costs", "budgets", "set", "[b]a", 5)
    row = ragdeck.done("costs", "budgets", "list", "--plain").out.splitlines()[1]
    assert row.split("\t") == ["[b]a", "everything", "0.00 EUR of 5.00 EUR a month", "ok", "warn", "ask"]
    assert ragdeck.done("costs", "budgets", "remove", "[b]a").out.strip() == "Removed “[b]a”."
