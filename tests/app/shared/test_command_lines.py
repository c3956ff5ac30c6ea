"""Every command line that can be copied is one that the program takes, whatever objects are called."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.shared.command_lines import (
    _OF_KIND,
    _PAGES,
    Call,
    calls_for,
    calls_of,
    question_call,
    search_call,
    written,
)
from rag import cli
from rag.evaluation.rows import PipelineVersionRow, RunRow, RunStatus
from rag.finding.rows import Kind, Place
from rag.knowledge.rows import DocumentRow, VersionRow, WatchedFolderRow
from rag.prompts.rows import PromptVersionRow

FOLDER = Path("/data of me/it's")
NAMES = (
    "Notes",
    "-x",
    "a b",
    "it's",
    '“quoted” "twice"',
    "$HOME `id` & co; *",
    "naïve Ünïcode",
    "100%",
    "\\back\\",
)


def made(kind: type, **values: Any) -> Any:
    """Return a record with these values alone: the others are not read."""
    record = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(record, name, value)
    return record


def places(name: str) -> Iterator[Place]:
    for kind in Kind:
        numbered = kind in (Kind.VERSION, Kind.PROMPT_VERSION, Kind.PIPELINE_VERSION, Kind.RUN, Kind.ROLLOUT)
        key = "3" if numbered else "retrieval.rrf_k" if kind is Kind.SETTING else name
        yield Place(kind, key, name)
    for page in _PAGES:
        yield Place(Kind.PAGE, page)


def record_calls(name: str) -> Iterator[Call]:
    """Yield the calls of records of tables, one and two of each kind."""
    documents = [made(DocumentRow, source=f"/files/{name}"), made(DocumentRow, source=f"/other/{name}")]
    yield from calls_for(documents, name)
    versions = [made(VersionRow, collection=name, number=number, parent_number=1) for number in (3, 2)]
    prompts = [made(PromptVersionRow, prompt=name, number=number) for number in (3, 2)]
    pipelines = [made(PipelineVersionRow, name=name, number=number) for number in (3, 2)]
    runs = [
        made(RunRow, id=number, set_name=name, pipeline=name, pipeline_number=4, status=RunStatus.CANCELLED)
        for number in (9, 8)
    ]
    folders = [
        made(WatchedFolderRow, path=f"/files/{name}", collection=name, enabled=on) for on in (True, False)
    ]
    for records in (versions, prompts, pipelines, runs, folders):
        yield from calls_for(records)
        for record in records:
            yield from calls_for([record])
    yield question_call(f"What is {name}?", name)
    yield search_call(f"-{name}", name, "--version", "2")


def parse(arguments: list[str]) -> dict[str, Any]:
    """Return what the program's own parser makes of a command line: the parameters of the command."""
    command: Any = cli._command()
    context = command.make_context("ragdeck", arguments)
    while hasattr(command, "commands") and context._protected_args:
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    return {"command": context.command_path, **context.params}


@pytest.mark.parametrize("name", NAMES)
def test_the_programs_parser_takes_every_command(name: str) -> None:
    calls = [call for place in places(name) for call in calls_of(place)] + list(record_calls(name))
    assert len(calls) > 70
    for call in calls:
        line = written(call, FOLDER, windows=False)
        program, *arguments = shlex.split(line)  # what a shell makes of it
        assert program == "ragdeck"
        parsed = parse(arguments)
        assert parsed["command"] == " ".join(("ragdeck", *call.command))
        assert parsed["data"] == str(FOLDER)
        given = [str(value) for value in parsed.values() if not isinstance(value, list | tuple)]
        given += [str(one) for value in parsed.values() if isinstance(value, list | tuple) for one in value]
        for thing in call.things:
            assert thing in given, line


def test_every_kind_of_object_has_a_command() -> None:
    assert set(_OF_KIND) == set(Kind)


def test_the_main_actions_have_commands() -> None:
    document, run = Place(Kind.DOCUMENT, "/a.txt", "Notes"), Place(Kind.RUN, "3")
    lines = {
        call.title: " ".join(call.arguments(Path("D")))
        for call in [
            *calls_of(document), *calls_of(run), *calls_of(Place(Kind.COLLECTION, "Notes")),
            *calls_of(Place(Kind.SET, "Night")), *record_calls("Notes"),
        ]
    }  # fmt: skip
    assert lines["Ask it"] == "ask What is Notes? -c Notes --data D"
    assert lines["Add it again"] == "ingest /a.txt -c Notes --data D"
    assert lines["Erase it for good"] == "erase /a.txt -c Notes --data D"
    assert lines["Roll back to the version before"] == "undo -c Notes --data D"
    assert lines["Evaluate again"] == "evaluate Notes -p Notes@4 --data D"
    assert lines["Export it"] == "sets export Night Night.jsonl --data D"
    assert lines["Search for it"] == "search -c Notes --explain --version 2 --data D -- -Notes"


def test_two_runs_are_compared_oldest_first() -> None:
    runs = [made(RunRow, id=9), made(RunRow, id=8)]
    assert [call.things for call in calls_for(runs)] == [("8", "9")]


def test_a_question_is_one_line_without_what_a_terminal_obeys() -> None:
    call = question_call("What\nis\x1b[2J it?\r", "Notes")
    assert call.things == ("What is [2J it?",)
    assert call.is_safe
    assert not question_call("What?", "No\ntes").is_safe
    unreadable = {call.title: call for call in calls_of(Place(Kind.DOCUMENT, "/files/caf‹E9›.txt", "Notes"))}
    assert unreadable["Show what of it was read"].is_safe  # by the text that stands for the name
    assert not unreadable["Add it again"].is_safe  # the name itself is no text


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("Notes", "Notes"),
        ("two words", '"two words"'),
        ("a&calc", '"a&calc"'),
        ("a|b\\", '"a|b\\\\"'),
        ('say "hi"', '"say \\"hi\\""'),
    ],
)
def test_windows_has_quotes_of_its_own(word: str, quoted: str) -> None:
    line = written(Call("", ("sets", "show"), (word,)), Path("D"), windows=True)
    assert line == f"ragdeck sets show {quoted} --data D"
