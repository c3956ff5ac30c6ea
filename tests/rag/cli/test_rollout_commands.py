"""`ragdeck rollout`: a canary share, a blind comparison, promotion, stop and release."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine

QUESTION = "What does rye bread need?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Collection A and the pipeline short, which shows the model one passage."""
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    made.done("pipelines", "save", "short", "-c", "A", "--set", "retrieval.max_passages=1")
    return made


def most_passages(ragdeck: CommandLine) -> int:
    """Ask, and return the setting of the pipeline that answered."""
    trace = ragdeck.done("ask", QUESTION, "-c", "A", "--json").document["trace_id"]
    shown = ragdeck.done("traces", "show", trace, "--json").document
    return int(shown["settings"]["retrieval"]["max_passages"])


def test_a_canary_takes_its_share_and_says_so(ragdeck: CommandLine) -> None:
    row = ragdeck.done(
        "rollout", "start", "canary", "--staging", "short", "-c", "A", "--share", 1, "--json"
    ).document
    assert (row["id"], row["kind"], row["staging"], row["state"], row["share"]) == (
        1,
        "canary",
        "short 1",
        "running",
        1.0,
    )
    assert most_passages(ragdeck) == 1
    (listed,) = ragdeck.done("rollout", "status", "--json").document
    assert (listed["production_count"], listed["staging_count"]) == (0, 1)
    assert "canary" in ragdeck.done("rollout", "status").out


def test_results_claim_nothing_before_there_is_enough(ragdeck: CommandLine) -> None:
    ragdeck.done("rollout", "start", "canary", "--staging", "short", "-c", "A", "--share", 0.5)
    ragdeck.done("ask", QUESTION, "-c", "A", "--json")
    results = ragdeck.done("rollout", "status", 1, "--json").document
    assert all(difference["p_holm"] is None for difference in results["differences"])
    assert results["summary"]
    assert results["summary"][:20] in ragdeck.done("rollout", "status", 1).out


def test_a_blind_comparison_is_picked_and_then_revealed(ragdeck: CommandLine) -> None:
    ragdeck.done("rollout", "start", "blind", "--staging", "short", "-c", "A")
    both = ragdeck.done("rollout", "ask", QUESTION, "-c", "A", "--json").document
    assert both["kind"] == "BlindResult"
    assert both["first"]["trace_id"] != both["second"]["trace_id"]
    shown = ragdeck.done("rollout", "pick", both["pair"], "first").out
    assert "short 1" in shown and "what answers now" in shown
    ragdeck.refused("rollout", "pick", both["pair"], "second")
    results = ragdeck.done("rollout", "status", 1, "--json").document
    assert results["staging_wins"] + results["production_wins"] == 1
    printed = ragdeck.done("rollout", "ask", QUESTION, "-c", "A").out
    assert "First" in printed and "rollout pick" in printed


def test_asking_alone_is_not_compared(ragdeck: CommandLine) -> None:
    ragdeck.done("rollout", "start", "blind", "--staging", "short", "-c", "A")
    assert "citations" in ragdeck.done("ask", QUESTION, "-c", "A", "--json").document
    assert ragdeck.done("rollout", "status", "--json").document[0]["staging_count"] == 0


def test_without_a_rollout_one_answer_comes(ragdeck: CommandLine) -> None:
    assert ragdeck.done("rollout", "status", "--json").document == []
    assert "ragdeck rollout start" in ragdeck.done("rollout", "status").out
    assert ragdeck.done("rollout", "ask", QUESTION, "-c", "A", "--json").document["kind"] == "AskResult"
    assert "trace " in ragdeck.done("rollout", "ask", QUESTION, "-c", "A").out


def test_promotion_makes_staging_answer_until_it_is_released(ragdeck: CommandLine) -> None:
    ragdeck.done("rollout", "start", "canary", "--staging", "short", "-c", "A", "--share", 0.1)
    assert "short" in ragdeck.done("rollout", "promote", 1).out
    assert ragdeck.done("rollout", "status", "--json").document[0]["state"] == "promoted"
    assert most_passages(ragdeck) == 1
    assert "settings answer again" in ragdeck.done("rollout", "release", "-c", "A").out
    assert most_passages(ragdeck) > 1
    assert "No pipeline" in ragdeck.done("rollout", "release", "-c", "A").out


def test_a_prompt_alone_is_promoted_by_its_label(ragdeck: CommandLine, tmp_path: Path) -> None:
    user = tmp_path / "user.txt"
    user.write_text("Ask: {{ question }} {% for p in passages %}{{ p.text }}{% endfor %}", "utf-8")
    ragdeck.done("prompts", "save", "default", "--user", user)
    ragdeck.done("rollout", "start", "canary", "--prompt", "default@2", "-c", "A")
    assert "label production" in ragdeck.done("rollout", "promote", 1).out
    assert ragdeck.done("prompts", "--json").document[0]["labels"] == {"production": 2}


def test_a_stopped_rollout_changes_nothing(ragdeck: CommandLine) -> None:
    ragdeck.done("rollout", "start", "canary", "--staging", "short", "-c", "A", "--share", 1)
    ragdeck.done("rollout", "stop", 1)
    assert ragdeck.done("rollout", "status", "--json").document[0]["state"] == "stopped"
    assert most_passages(ragdeck) > 1
    ragdeck.refused("rollout", "stop", 1)
    ragdeck.refused("rollout", "promote", 1)


@pytest.mark.parametrize(
    "options",
    [
        ("sideways", "--staging", "short"),
        ("canary",),
        ("canary", "--staging", "none"),
        ("canary", "--staging", "short", "--staging-version", 9),
        ("canary", "--staging", "short", "--share", 2),
        ("canary", "--staging", "short", "--prompt", "default@1"),
        ("canary", "--prompt", "nobody@1"),
        ("canary", "--staging", "short", "-c", "B"),
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_rollouts_that_cannot_be_are_refused(ragdeck: CommandLine, options: tuple[object, ...]) -> None:
    ragdeck.refused("rollout", "start", *(options if "-c" in options else (*options, "-c", "A")))
    assert ragdeck.done("rollout", "status", "--json").document == []


def test_one_rollout_at_a_time(ragdeck: CommandLine) -> None:
    ragdeck.done("rollout", "start", "canary", "--staging", "short", "-c", "A")
    ragdeck.refused("rollout", "start", "blind", "--staging", "short", "-c", "A")
    for command in (("stop", 9), ("promote", 9), ("status", 9), ("pick", "none", "first")):
        ragdeck.refused("rollout", *command)
