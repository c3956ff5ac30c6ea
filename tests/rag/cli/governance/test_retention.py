"""`retention show|set|preview|run`: days are set, nothing goes before a run, and what went is said."""

import os
from pathlib import Path

import pytest
from command_line import CommandLine

from rag.governance.retention.rows import RetentionKind


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder with an old copy in it."""
    made = CommandLine(folder, capsys)
    made.done("settings", "list")
    copy = folder / "ragdeck.before-7.sqlite"
    copy.write_text("old")
    os.utime(copy, (1, 1))
    return made


def test_kinds_are_shown_with_what_happens(ragdeck: CommandLine) -> None:
    assert "for good" in ragdeck.done("retention", "show").out
    assert ragdeck.done("retention", "show", "--json").document["trace texts"] == 0


def test_what_is_old_goes_at_a_run_and_not_before(ragdeck: CommandLine, folder: Path) -> None:
    copy = folder / "ragdeck.before-7.sqlite"
    assert ragdeck.done("retention", "set", "backups", "30").out == "backups: 1 older than 30 days.\n"
    said = ragdeck.done("retention", "preview").out
    assert "backups: 1 older than 30 days, the oldest from 1970" in said
    assert str(copy) in said
    assert copy.exists()
    report = ragdeck.done("retention", "run", "--json").document
    assert (report["sentence"], copy.exists()) == ("1 backup", False)
    assert ragdeck.done("audit", "list", "--text", "retention", "--json").document[0]["subject"] == "1 backup"


def test_the_next_command_that_opens_the_folder_removes_what_is_old(
    ragdeck: CommandLine, folder: Path
) -> None:
    ragdeck.done("retention", "set", "backups", "30")
    said = ragdeck.done("compact")
    assert "Removed what was kept long enough: 1 backup." in said.err
    assert not (folder / "ragdeck.before-7.sqlite").exists()


def test_a_kind_that_there_is_not_is_a_sentence(ragdeck: CommandLine) -> None:
    assert "There is no kind “dreams”. The kinds are traces, trace texts" in ragdeck.refused(
        "retention", "set", "dreams", "3"
    )


@pytest.mark.parametrize("kind", list(RetentionKind))
def test_each_kind_is_set_and_shown(ragdeck: CommandLine, kind: RetentionKind) -> None:
    assert ragdeck.done("retention", "set", kind, "90", "--json").document["days"] == 90
    days = ragdeck.done("retention", "show", "--json").document
    assert {name: count for name, count in days.items() if count} == {str(kind): 90}
    assert "90 days" in " ".join(ragdeck.done("retention", "show").out.split())
    assert ragdeck.done("retention", "set", kind, "0").out == f"{kind}: kept for good.\n"


@pytest.mark.parametrize("days", ["-1", "36501", "many", "1.5"])
def test_days_that_cannot_be_are_refused(ragdeck: CommandLine, days: str) -> None:
    printed = ragdeck("retention", "set", "--", "traces", days)
    assert printed.code != 0 and "Traceback" not in printed.err
    assert ragdeck.done("retention", "show", "--json").document["traces"] == 0


@pytest.mark.parametrize("kind", ["Traces", "trace_texts", "", "traces ", "all"])
def test_a_kind_is_named_as_it_is(ragdeck: CommandLine, kind: str) -> None:
    said = ragdeck.refused("retention", "set", kind, "3")
    assert said.startswith(f"There is no kind “{kind}”. The kinds are ".replace("  ", " "))


def test_a_preview_lists_every_kind_and_removes_nothing(ragdeck: CommandLine, folder: Path) -> None:
    ragdeck.done("retention", "set", "backups", "30")
    lines = ragdeck.done("retention", "preview").out.splitlines()
    assert lines[:4] == [f"{kind}: kept for good" for kind in list(RetentionKind)[:4]]
    assert ragdeck.done("retention", "preview", "--json").document["sentence"] == "1 backup"
    assert (folder / "ragdeck.before-7.sqlite").exists()


def test_a_run_without_anything_old_says_so(ragdeck: CommandLine) -> None:
    report = ragdeck.done("retention", "run", "--json").document
    assert (report["sentence"], report["problems"]) == ("nothing is older than it may be", [])
