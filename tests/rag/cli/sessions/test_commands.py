"""`sessions list|show|rename|pin|delete|undelete`, and `ask --session`, which goes on with one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from fakes import drive

from rag.asking.sessions.rows import Binding, SessionRow
from rag.cli.asking import binding_with
from rag.cli.sessions.commands import bound_to
from rag.routing import ask

QUESTION = "What does rye bread need?"


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with the collection “A”."""
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    return made


def asked(ragdeck: CommandLine, question: str = QUESTION, *options: object) -> dict[str, Any]:
    found: dict[str, Any] = ragdeck.done("ask", question, *options, "--json").document
    return found


def listed(ragdeck: CommandLine, *options: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ragdeck.done("sessions", "list", *options, "--json").document
    return found


def test_a_session_is_listed_named_pinned_deleted_and_brought_back(ragdeck: CommandLine) -> None:
    first = asked(ragdeck, QUESTION, "-c", "A")["session_id"]
    second = asked(ragdeck, "When do the boats leave?", "-c", "A")["session_id"]
    assert [row["title"] for row in listed(ragdeck)] == ["When do the boats leave?", QUESTION]
    assert [row["id"] for row in listed(ragdeck, "--text", "boats")] == [second]
    assert ragdeck.done("sessions", "pin", first[:8], "--json").document["is_pinned"]
    assert listed(ragdeck)[0]["id"] == first
    assert "pinned: " in ragdeck.done("sessions", "list").out
    assert not ragdeck.done("sessions", "pin", first, "--off", "--json").document["is_pinned"]
    said = ragdeck.done("sessions", "rename", first, "Bakery").out
    assert "Renamed the session “Bakery”" in said
    assert ragdeck.done("sessions", "delete", first, "--json").document["deleted_ms"]
    assert [row["id"] for row in listed(ragdeck, "--deleted")] == [first]
    assert first not in [row["id"] for row in listed(ragdeck)]
    ragdeck.done("sessions", "undelete", first)
    assert [row["title"] for row in listed(ragdeck)][1] == "Bakery"
    assert "There is no session “nowhere”" in ragdeck.refused("sessions", "delete", "nowhere")
    assert ragdeck.done("sessions", "list", "--text", "zeppelin").out.strip() == "No session matches."


def test_a_question_goes_on_with_a_session_as_it_is_bound(ragdeck: CommandLine) -> None:
    first = asked(ragdeck, QUESTION, "-c", "A", "--version", "1")
    second = asked(ragdeck, "How long does it rest?", "--session", first["session_id"][:8])
    assert (second["session_id"], second["version"]) == (first["session_id"], 1)
    document = ragdeck.done("sessions", "show", first["session_id"], "--json").document
    assert (document["collection"], document["version"], document["question_count"]) == ("A", "1", 2)
    questions = document["questions"]
    assert [row["question"] for row in questions] == [QUESTION, "How long does it rest?"]
    assert questions[1]["parent_id"] == first["trace_id"]
    assert questions[1]["answer"] == second["answer"]
    shown = ragdeck.done("sessions", "show", first["session_id"]).out
    assert "Asks version 1 of “A” with the active model" in shown and "How long does it rest?" in shown
    assert "Say which collection to ask" in ragdeck.refused("ask", QUESTION)
    assert "There is no session" in ragdeck.refused("ask", QUESTION, "--session", "nowhere")


def test_what_is_given_with_a_session_binds_it_anew(ragdeck: CommandLine) -> None:
    first = asked(ragdeck, QUESTION, "-c", "A", "--version", "1")["session_id"]
    asked(ragdeck, QUESTION, "--session", first, "--prompt", "default@production")
    document = ragdeck.done("sessions", "show", first, "--json").document
    assert (document["version"], document["prompt"]) == ("1", "default@production")
    assert "There is no prompt" in ragdeck.refused("ask", QUESTION, "--session", first, "--prompt", "nowhere")


def test_other_branches_are_counted_and_shown_when_asked_for(ragdeck: CommandLine) -> None:
    first = asked(ragdeck, QUESTION, "-c", "A")
    with ragdeck.open() as workspace:
        drive(ask(workspace, "What does bread need?", "A", session_id=first["session_id"], parent_id=""))
    shown = ragdeck.done("sessions", "show", first["session_id"]).out
    assert "What does bread need?" in shown and "1 question is in other branches" in shown
    every = ragdeck.done("sessions", "show", first["session_id"], "--branches", "--json").document[
        "questions"
    ]
    assert [row["question"] for row in every] == [QUESTION, "What does bread need?"]


ROW = SessionRow("i" * 32, "Why?", "", False, 1, 2, 1, "", None, "A", "", "", "", "")


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        ({}, "Asks the active version of “A” with the active model"),
        ({"version": "2"}, "Asks version 2 of “A” with the active model"),
        (
            {"model": "small.gguf", "prompt": "brief"},
            "Asks the active version of “A” with small.gguf, prompt brief",
        ),
        ({"pipeline": "short@2"}, "Asks “A” with the pipeline “short@2”"),
    ],
)
def test_what_a_session_is_bound_to_is_one_line(bound: dict[str, str], said: str) -> None:
    assert bound_to(replace(ROW, **bound)) == said  # type: ignore[arg-type]


OWN = Binding("A", "1", "", "small.gguf", "brief")


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        (Binding(), OWN),
        (Binding("A"), OWN),
        (Binding(version="2"), Binding("A", "2", "", "small.gguf", "brief")),
        (Binding(prompt="long"), Binding("A", "1", "", "small.gguf", "long")),
        (Binding("B"), Binding("B", "", "", "small.gguf", "brief")),  # versions belong to a collection
        (Binding(pipeline="short"), Binding("A", pipeline="short")),  # which decides everything else
    ],
)
def test_what_is_given_replaces_that_part_of_a_binding(given: Binding, bound: Binding) -> None:
    assert binding_with(OWN, given) == bound


def test_a_model_that_is_given_takes_the_place_of_a_pipeline() -> None:
    assert binding_with(Binding("A", pipeline="short"), Binding(model="m")) == Binding("A", model="m")
