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
