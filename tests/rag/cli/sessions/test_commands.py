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


# --- what cannot be, and what people read -----------------------------------------------------------------


@pytest.mark.parametrize("session", ["zz", "", "%", "ffffffff"])
@pytest.mark.parametrize("command", [("show",), ("rename", "x"), ("pin",), ("delete",), ("undelete",)])
def test_every_command_on_a_session_that_is_not_there_says_where_they_are_listed(
    folder: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], session: str
) -> None:
    assert CommandLine(folder, capsys).refused("sessions", command[0], session, *command[1:]) == (
        f"There is no session “{session}”. Run `ragdeck sessions list` to see their ids."
    )


@pytest.mark.parametrize(
    "arguments", [("list", "-n", 0), ("list", "-n", 100_001), ("rename", "x"), ("show",)]
)
def test_a_missing_word_or_a_number_out_of_range_is_wrong_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    printed = CommandLine(folder, capsys)("sessions", *arguments)
    assert (printed.code, printed.out) == (2, "") and "--help" in printed.err


def test_each_change_is_said_with_the_name_and_the_beginning_of_the_id(ragdeck: CommandLine) -> None:
    key = asked(ragdeck, QUESTION, "-c", "A")["session_id"]
    steps = [
        (("rename", key[:8], "[b]Bakery[/b]"), "Renamed the session “[b]Bakery[/b]”"),
        (("pin", key[:8]), "Pinned the session “[b]Bakery[/b]”"),
        (("pin", key[:8]), "Pinned the session “[b]Bakery[/b]”"),
        (("pin", key[:8], "--off"), "Unpinned the session “[b]Bakery[/b]”"),
        (("delete", key[:8]), "Deleted the session “[b]Bakery[/b]”"),
        (("undelete", key[:8]), "Restored the session “[b]Bakery[/b]”"),
        (("rename", key[:8], ""), f"Renamed the session “{QUESTION}”"),
    ]
    for arguments, said in steps:
        printed = " ".join(ragdeck.done("sessions", *arguments).out.split())
        assert printed == f"{said} ({key[:8]})."


def test_a_list_for_scripts_has_one_line_a_session(ragdeck: CommandLine) -> None:
    key = asked(ragdeck, QUESTION, "-c", "A")["session_id"]
    asked(ragdeck, "How long does it rest?", "--session", key)
    ragdeck.done("sessions", "pin", key)
    head, row = ragdeck.done("sessions", "list", "--plain").out.splitlines()
    assert head.split("\t") == ["Id", "Asked last", "Questions", "Session", "Collection"]
    cells = row.split("\t")
    assert [cells[0], *cells[2:]] == [key[:8], "2", f"pinned: {QUESTION}", "A"]
    assert listed(ragdeck, "-n", 1)[0]["id"] == key


def test_a_shown_session_has_each_question_with_its_answer_and_nothing_of_branches(
    ragdeck: CommandLine,
) -> None:
    found = asked(ragdeck, QUESTION, "-c", "A")
    shown = ragdeck.done("sessions", "show", found["session_id"][:8]).out
    assert f"{QUESTION}  {found['trace_id'][:8]}  done" in shown
    assert "Rye bread needs sourdough [1]." in shown
    assert "other branches" not in shown and ", after " not in shown


def test_a_deleted_session_may_be_shown_and_is_gone_from_the_list(ragdeck: CommandLine) -> None:
    key = asked(ragdeck, QUESTION, "-c", "A")["session_id"]
    ragdeck.done("sessions", "delete", key)
    assert ragdeck.done("sessions", "list").out.strip() == "No session matches."
    assert len(ragdeck.done("traces", "list", "--json").document) == 1, "its traces are kept"
    assert ragdeck.done("sessions", "show", key, "--json").document["question_count"] == 1
