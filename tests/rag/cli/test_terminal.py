"""What every command uses: opening the data folder, running an operation to its end, printing texts of others."""

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive
from rich.console import Console
from rich.table import Table

from rag.cli.printing.screen import visible
from rag.cli.terminal import (
    CancelledError,
    as_plain,
    clock_time,
    finish,
    open_database,
    open_workspace,
    opener,
    plain,
    print_json,
    run_steps,
    screen,
    with_progress,
    write_text,
)
from rag.errors import RagError
from rag.governance.erasure import erase_document
from rag.knowledge.ingest import ingest_files
from rag.knowledge.rows import VersionProgress
from rag.workspace import Workspace


def open_fake(folder: Path, purpose: str) -> Workspace:
    return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=ScriptedModel().load)


@pytest.fixture
def fake_models() -> Iterator[None]:
    """Commands open data folders without real models."""
    token = opener.set(open_fake)
    yield
    opener.reset(token)


# --- opening ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("fake_models")
def test_an_opened_folder_is_locked_for_its_purpose_and_free_afterwards(folder: Path) -> None:
    with open_workspace(str(folder), "ingest") as workspace:
        assert workspace.folder == folder
        assert '"ragdeck ingest"' in (folder / "lock").read_text()
    assert (folder / "lock").read_text() == ""


@pytest.mark.usefixtures("fake_models")
def test_what_was_interrupted_is_finished_first_and_said_on_stderr(
    folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_fake(folder, "a test") as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        events = erase_document(workspace, "A", "tides.txt")
        assert "rewriting" in (event.stage for event in events)
        events.close()
    with open_workspace(str(folder), "ask"):
        pass
    said = capsys.readouterr()
    assert said.out == ""
    assert "An erasure was interrupted." in said.err
    with open_workspace(str(folder), "ask"):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("fake_models")
def test_reading_makes_the_file_where_there_is_none_and_needs_no_lock(folder: Path) -> None:
    database = open_database(str(folder))
    assert database.cells("SELECT count(*) FROM collection") == [(0,)]
    database.close()
    with open_fake(folder, "the window"):
        again = open_database(str(folder))
        assert again.cells("SELECT count(*) FROM trace") == [(0,)]
        again.close()


# --- running ----------------------------------------------------------------------------------------------


def steps(closed: list[str], fail: bool = False) -> Generator[VersionProgress, None, str]:
    try:
        yield VersionProgress("indexing", 1, 2)
        if fail:
            raise RagError("no")
        yield VersionProgress("indexing", 2, 2)
        return "done"
    finally:
        closed.append("closed")


def test_an_operation_runs_to_its_end_and_every_event_is_shown() -> None:
    closed: list[str] = []
    seen: list[int] = []
    assert finish(steps(closed), lambda event: seen.append(event.done)) == "done"
    assert (seen, closed) == ([1, 2], ["closed"])
    assert finish(steps(closed), None) == run_steps(steps(closed), quiet=True) == "done"


def test_an_operation_is_closed_when_it_fails_or_showing_it_does() -> None:
    closed: list[str] = []
    with pytest.raises(RagError):
        finish(steps(closed, fail=True), None)
    with pytest.raises(CancelledError, match=r"What was reported as done is saved"):
        finish(steps(closed), stop)
    with pytest.raises(CancelledError, match=r"^1 of 2$"):
        finish(steps(closed), stop, lambda last: f"{last.done} of {last.total}")
    assert closed == ["closed"] * 3


def stop(_event: object) -> None:
    raise KeyboardInterrupt


def test_an_ingest_reports_what_became_of_the_files(workspace: Workspace, documents: Path) -> None:
    report = with_progress(ingest_files(workspace, "A", [documents]), quiet=True)
    assert report.count("added") == 3


# --- printing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[bold]not bold[/]", "[/]", "\\[red]", "a [link=x] b"])
def test_texts_of_others_are_not_read_as_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Console(width=200).print(plain(text))
    assert capsys.readouterr().out.rstrip("\n") == text


def test_texts_of_others_do_not_steer_the_terminal() -> None:
    assert not set("\x1b\r\x07\x9b") & set(plain("a\x1b[2J\rb\x07\x9bc"))
    assert plain("two\nlines\tand a tab") == "two\nlines\tand a tab"


# The screen is cleared, a line is overwritten, the title is set, C1 controls, and text is turned around.
HOSTILE = "a\x1b[2Jb\rc\x1b]0;title\x07d\x9b2Je\x85f\u202eg\u2066h\u2028i\ud800j\x00k\x7fl\u200fm"
COMMANDS = set(HOSTILE) - set("abcdefghijklm[2J]0;title")


def test_a_streamed_answer_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write_text(HOSTILE)
    write_text("two\nlines\tand «æ» 知識")
    printed = capsys.readouterr().out
    assert not COMMANDS & set(printed)
    assert printed.endswith("two\nlines\tand «æ» 知識")
    assert visible(HOSTILE).replace("�", "") == "a[2Jbc]0;titled2Jefghijklm"


def test_what_a_command_forgot_to_make_plain_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table("Name")
    table.add_row(HOSTILE)
    screen.print(table)
    screen.print(f"It is [bold]{HOSTILE}[/bold].")
    printed = capsys.readouterr().out
    assert not COMMANDS & set(printed)
    assert "It is a" in printed


def test_json_holds_no_character_that_steers_the_terminal_and_loses_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json({HOSTILE: [HOSTILE, "für 知識"]})
    printed = capsys.readouterr().out
    assert not COMMANDS & set(printed)
    assert "für 知識" in printed
    assert json.loads(printed) == {HOSTILE: [HOSTILE, "für 知識"]}


@dataclass(frozen=True)
class Part:
    name: str
    places: tuple[int, ...]


def test_dataclasses_become_json(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"parts": [Part("a", (1, 2))], "path": Path("/x"), "text": "für"}
    print_json(as_plain(document))
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"parts": [{"name": "a", "places": [1, 2]}], "path": "/x", "text": "für"}
    assert "für" in printed


def test_a_time_is_a_local_date_and_minute() -> None:
    from datetime import datetime

    moment = datetime(2029, 5, 1, 14, 30, 59)
    assert clock_time(int(moment.timestamp() * 1000)) == "2029-05-01 14:30"
