"""`ask --fresh` and `cache stats|clear|check`: what they print, as JSON and for people."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

QUESTION = "What does rye bread need?"


@pytest.fixture
def ragdeck(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on the collection “A”, in which a question was asked twice."""
    made = CommandLine(data, capsys)
    made.done("ask", QUESTION, "-c", "A")
    made.done("ask", QUESTION, "-c", "A")
    return made


def test_an_answer_from_the_cache_says_so_and_fresh_asks_the_model(ragdeck: CommandLine) -> None:
    again = ragdeck.done("ask", QUESTION, "-c", "A", "--json").document
    assert again["cache"]["kind"] == "exact"
    assert again["answer"] == "Rye bread needs sourdough [1]."
    assert again["tokens"]["prompt"] == 0
    assert again["claims"]
    printed = ragdeck.done("ask", QUESTION, "-c", "A").out
    assert "Rye bread needs sourdough [1]." in printed
    assert "Answered before, a moment ago, same documents (trace " in printed
    assert ragdeck.done("ask", QUESTION, "-c", "A", "--fresh", "--json").document["cache"] is None


def test_stats_tell_the_hit_rate_and_what_was_saved(ragdeck: CommandLine) -> None:
    found = ragdeck.done("cache", "stats", "--json").document
    assert (found["answers"], found["questions"], found["exact"], found["similar"]) == (1, 2, 1, 0)
    assert found["hit_rate"] == 0.5
    assert found["amounts"]["EUR"] > 0
    assert found["safe_threshold"] is None
    printed = ragdeck.done("cache", "stats").out
    assert "1 answer may be given again." in printed
    assert "Answered from the cache: 1 of 2 questions (50.0 %)" in printed
    assert "EUR" in printed


def test_check_answers_hits_afresh_and_tells_how_many_were_false(ragdeck: CommandLine) -> None:
    found = ragdeck.done("cache", "check", "--json").document
    assert (found["compared"], found["false"]) == (1, 0)
    assert found["false_hits"][0]["kind"] == "exact"
    assert "0 hits compared with a fresh answer" in ragdeck.done("cache", "check").out


def test_clear_forgets_what_may_be_given_again(ragdeck: CommandLine) -> None:
    assert ragdeck.done("cache", "clear", "-c", "A", "--json").document == {"forgotten": 1}
    assert ragdeck.done("cache", "clear").out.strip() == "Forgot 0 answers."
    assert "“B”" in ragdeck.refused("cache", "clear", "-c", "B")
    assert ragdeck.done("ask", QUESTION, "-c", "A", "--json").document["cache"] is None


@pytest.fixture
def unasked(data: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on the collection “A”, of which nothing was asked."""
    return CommandLine(data, capsys)


def test_a_cache_that_has_nothing_says_so_without_a_rate(unasked: CommandLine) -> None:
    found = unasked.done("cache", "stats", "--json").document
    assert (found["answers"], found["questions"], found["hit_rate"]) == (0, 0, None)
    printed = unasked.done("cache", "stats").out
    assert "0 answers may be given again." in printed
    assert "That saved 0.0 s, 0 + 0 tokens and no known cost." in printed
    assert printed.count("none was compared with a fresh answer yet") == 3
    assert "%)" not in printed
    assert unasked.done("cache", "check").out.strip() == "0 hits compared with a fresh answer, 0 false."
    assert unasked.done("cache", "clear").out.strip() == "Forgot 0 answers."


@pytest.mark.parametrize(
    "arguments",
    [
        ("stats", "--target", 2),
        ("stats", "--target", -0.1),
        ("stats", "--target", "few"),
        ("check", "-n", 0),
        ("check", "--seed", "x"),
        ("forget",),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_shares_and_numbers_out_of_range_are_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    printed = CommandLine(folder, capsys)("cache", *arguments)
    assert (printed.code, printed.out) == (2, "") and "--help" in printed.err
