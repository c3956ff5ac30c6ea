"""`retention show|set|preview|run`: days are set, nothing goes before a run, and what went is said."""

import os
from pathlib import Path

import pytest
from command_line import CommandLine


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
