"""`ragdeck monitor regression`: questions with a reference answer that are asked again after changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import CommandLine
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.knowledge.edits import remove_documents
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import list_documents, look_up_version

QUESTION = "What does rye bread need?"
FIRING = 3


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
    return made


def ask(ragdeck: CommandLine, question: str = QUESTION) -> str:
    with ragdeck.open() as workspace:
        return str(drive(answer_question(workspace, Question(question, "A"))).trace_id)


def test_without_questions_the_list_is_empty_and_says_how_to_add_one(ragdeck: CommandLine) -> None:
    assert ragdeck.done("monitor", "regression", "--json").document == []
    assert "regression add" in ragdeck.done("monitor", "regression").out


def test_a_run_without_the_option_only_tells_what_changed(ragdeck: CommandLine) -> None:
    ragdeck.done("monitor", "regression", "add", QUESTION, "-c", "A")
    ragdeck.model.answer = "Nothing at all, it is 40 years old."
    printed = ragdeck.done("monitor", "regression", "run")
    assert "rye" in printed.out and printed.code == 0


def test_the_same_question_twice_is_refused(ragdeck: CommandLine) -> None:
    ragdeck.done("monitor", "regression", "add", QUESTION, "-c", "A")
    ragdeck.refused("monitor", "regression", "add", QUESTION, "-c", "A")


def test_a_question_of_another_collection_is_left_alone_by_a_run_of_one(
    ragdeck: CommandLine, documents: Path
) -> None:
    ragdeck.done("ingest", documents, "-c", "B")
    ragdeck.done("monitor", "regression", "add", QUESTION, "-c", "A")
    ragdeck.done("monitor", "regression", "add", QUESTION, "-c", "B")
    (state,) = ragdeck.done("monitor", "regression", "run", "-c", "B", "--json").document
    assert state["collection"] == "B"
    states = ragdeck.done("monitor", "regression", "--json").document
    runs = {s["collection"]: [q["run_ms"] for q in s["questions"]] for s in states}
    assert runs["A"] == [None] and runs["B"] != [None]


def test_a_regression_question_is_added_run_accepted_and_removed(ragdeck: CommandLine) -> None:
    (state,) = ragdeck.done("monitor", "regression", "add", QUESTION, "-c", "A", "--json").document
    number = state["questions"][0]["id"]
    (state,) = ragdeck.done("monitor", "regression", "run", "--fail-on-change", "--json").document
    assert state["questions"][0]["changes"] == []
    ragdeck.model.answer = "Nothing at all, it is 40 years old."
    printed = ragdeck("monitor", "regression", "run", "--fail-on-change", "--json")
    assert printed.code == FIRING
    assert printed.document[0]["questions"][0]["changes"]
    assert ragdeck.done("monitor", "regression", "run", "-c", "A").code == 0, (
        "without the option it only tells"
    )
    ragdeck.done("monitor", "regression", "accept", number, "-c", "A")
    assert ragdeck.done("monitor", "regression", "run", "--fail-on-change").code == 0
    ragdeck.done("monitor", "regression", "remove", number, "-c", "A")
    assert all(not s["questions"] for s in ragdeck.done("monitor", "regression", "list", "--json").document)


def test_a_regression_question_may_come_from_a_trace(ragdeck: CommandLine) -> None:
    trace = ask(ragdeck)
    (state,) = ragdeck.done("monitor", "regression", "add", "--trace", trace[:8], "--json").document
    assert state["questions"][0]["question"] == QUESTION
    assert "rye" in ragdeck.done("monitor", "regression").out


def test_other_documents_make_the_last_run_stale(ragdeck: CommandLine) -> None:
    ragdeck.done("monitor", "regression", "add", QUESTION, "-c", "A")
    ragdeck.done("monitor", "regression", "run")
    with ragdeck.open() as workspace:
        version = look_up_version(workspace.database, "A", "active")
        tides = next(d for d in list_documents(workspace.database, version.id) if d.name == "tides.txt")
        drive(remove_documents(workspace, "A", [tides.id]))
    (state,) = ragdeck.done("monitor", "regression", "--json").document
    assert state["stale"]


@pytest.mark.parametrize(
    "options",
    [
        ("add",),
        ("add", QUESTION),
        ("add", QUESTION, "--trace", "abcd"),
        ("run",),
        ("remove", 9, "-c", "A"),
        ("accept", 9, "-c", "A"),
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_regression_questions_that_cannot_be_are_refused(
    ragdeck: CommandLine, options: tuple[object, ...]
) -> None:
    ragdeck.refused("monitor", "regression", *options)


def test_the_old_name_of_the_command_still_works(ragdeck: CommandLine) -> None:
    assert ragdeck.done("monitor", "frozen", "--json").document == []
    assert "frozen" not in ragdeck.done("monitor", "--help").out
