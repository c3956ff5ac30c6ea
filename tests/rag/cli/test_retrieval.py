"""The commands that show, change and upgrade how a collection is searched, and `search --explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine

from rag.settings import PRESETS


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with the collection “A”."""
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    return made


def json_of(ragdeck: CommandLine, *arguments: object) -> Any:
    return ragdeck.done(*arguments, "--json").document


def test_presets_are_listed_with_what_they_cost(ragdeck: CommandLine) -> None:
    found = json_of(ragdeck, "retrieval", "presets")
    assert [one["name"] for one in found] == list(PRESETS)
    assert all(one["about"] and one["settings"]["search"] for one in found)
    printed = ragdeck.done("retrieval", "presets").out
    assert all(name in printed for name in PRESETS)


def test_a_collection_gets_a_search_of_its_own_and_gives_it_up(ragdeck: CommandLine) -> None:
    assert json_of(ragdeck, "retrieval", "show", "-c", "A")["own"] is False
    ragdeck.done("retrieval", "set", "-c", "A", "--preset", "Fast", "--set", "max_passages=3")
    shown = json_of(ragdeck, "retrieval", "show", "-c", "A")
    assert (shown["preset"], shown["own"], shown["settings"]["max_passages"]) == ("Custom", True, 3)
    assert "settings of its own: Custom" in ragdeck.done("retrieval", "show", "-c", "A").out
    ragdeck.done("retrieval", "set", "-c", "A", "--follow")
    again = json_of(ragdeck, "retrieval", "show", "-c", "A")
    assert (again["preset"], again["own"], again["settings"]["max_passages"]) == ("Balanced", False, 50)


def test_an_upgrade_compares_and_changes(ragdeck: CommandLine) -> None:
    ragdeck.done("retrieval", "set", "-c", "A", "--preset", "Classic")
    ragdeck.done("ask", "What does rye bread need?", "-c", "A")
    found = json_of(ragdeck, "retrieval", "upgrade", "-c", "A", "--compare")
    assert (found["old"], found["new"], found["kept"]) == ("Classic", "Balanced", False)
    assert found["queries"][0]["query"] == "What does rye bread need?"
    assert json_of(ragdeck, "retrieval", "show", "-c", "A")["preset"] == "Classic"
    printed = ragdeck.done("retrieval", "upgrade", "-c", "A").out
    assert "Classic against Balanced" in printed and "from now on" in printed
    assert json_of(ragdeck, "retrieval", "show", "-c", "A")["preset"] == "Balanced"


def test_wrong_words_are_refused(ragdeck: CommandLine) -> None:
    assert "no preset" in ragdeck.refused("retrieval", "set", "-c", "A", "--preset", "Slow")
    assert "KEY=VALUE" in ragdeck.refused("retrieval", "set", "-c", "A", "--set", "rrf_k")
    assert "either --follow" in ragdeck.refused("retrieval", "set", "-c", "A")
    assert "either --follow" in ragdeck.refused("retrieval", "set", "-c", "A", "--follow", "--preset", "Fast")


def test_a_search_is_explained(ragdeck: CommandLine) -> None:
    found = json_of(
        ragdeck,
        "search",
        "What does rye bread need?",
        "-c",
        "A",
        "--explain",
        "--against",
        "Classic",
        "--find",
        "sourdough",
    )
    assert [side["preset"] for side in found["sides"]] == ["Balanced", "Classic"]
    assert found["hits"][0]["lists"][0]["rank"] == 1
    assert "is the passage of bread.md" in found["explanation"]
    printed = ragdeck.done(
        "search", "rye bred", "-c", "A", "--explain", "--previous", "What is sourdough?"
    ).out
    assert "would be in the prompt" in printed and "It was number 1 of" in printed
    beside = json_of(ragdeck, "search", "rye bread", "-c", "A", "--against", "@1")
    assert [side["version_number"] for side in beside["sides"]] == [1, 1]
