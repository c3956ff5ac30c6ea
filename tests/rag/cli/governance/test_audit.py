"""`audit list|show|verify|export|head`: what the page Audit can do, without a window."""

import json
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine

from rag.storage.data_folder import DATABASE


@pytest.fixture
def ragdeck(folder: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line on a data folder in which a setting was changed."""
    made = CommandLine(folder, capsys)
    made.done("settings", "set", "generation.seed=7")
    return made


def tamper(folder: Path) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as raw, raw:
        raw.execute("UPDATE auditevent SET who = 'nobody' WHERE id = 1")


def test_rows_are_listed_chosen_and_explained(ragdeck: CommandLine) -> None:
    rows = ragdeck.done("audit", "list", "--json").document
    assert rows[0]["action"] == "settings changed"
    assert rows[0]["before"] != rows[0]["after"]
    assert "generation.seed" in ragdeck.done("audit", "list").out
    only = ragdeck.done(
        "audit", "list", "--group", "Models and settings", "--text", "SEED", "--json"
    ).document
    assert [row["id"] for row in only] == [rows[0]["id"]]
    assert ragdeck.done("audit", "list", "--who", "nobody at all").out.strip() == "No row matches."
    today = date.today()
    assert ragdeck.done("audit", "list", "--since", today + timedelta(days=1), "--json").document == []
    assert len(ragdeck.done("audit", "list", "--until", today, "--json").document) == len(rows)
    said = ragdeck.done("audit", "show", rows[0]["id"])
    assert f"{rows[0]['who']} changed settings.toml on {today}" in said.out
    assert rows[0]["hash"] in said.out
    assert ragdeck.done("audit", "show", rows[0]["id"], "--json").document["sentence"] in said.out


def test_what_there_is_not_is_a_sentence(ragdeck: CommandLine) -> None:
    assert "has no row 999" in ragdeck.refused("audit", "show", "999")
    assert "There is no group “x”" in ragdeck.refused("audit", "list", "--group", "x")
    assert "is not a day" in ragdeck.refused("audit", "list", "--since", "yesterday")
    assert "says no format" in ragdeck.refused("audit", "export", "log.txt")


def test_a_whole_chain_is_verified_and_what_that_proves_is_said(ragdeck: CommandLine) -> None:
    said = ragdeck.done("audit", "verify").out
    assert "are as they were written." in said
    assert "only together with a head kept elsewhere" in said
    assert ragdeck.done("audit", "verify", "--json").document["ok"]


def test_a_broken_chain_names_its_first_row_and_ends_with_3(ragdeck: CommandLine, folder: Path) -> None:
    tamper(folder)
    result = ragdeck("audit", "verify")
    assert result.code == 3
    assert "The log was tampered with: row 1 is not what its hash says" in result.out
    found = ragdeck("audit", "verify", "--json")
    assert (found.code, found.document["first_break"]["row"]) == (3, 1)


def test_a_head_is_written_elsewhere_and_verified_against(ragdeck: CommandLine, tmp_path: Path) -> None:
    assert "No folder for heads is chosen" in ragdeck.refused("audit", "head")
    path = ragdeck.done("audit", "head", "--to", tmp_path / "usb", "--json").document["file"]
    assert "continue the head of" in ragdeck.done("audit", "verify", "--head", path).out
    head = json.loads(Path(path).read_text("utf-8"))
    Path(path).write_text(json.dumps({**head, "hash": "0" * 64}), "utf-8")
    assert ragdeck("audit", "verify", "--head", path).code == 3


def test_rows_are_exported(ragdeck: CommandLine, tmp_path: Path) -> None:
    count = ragdeck.done("audit", "export", tmp_path / "log.csv", "--json").document["rows"]
    lines = (tmp_path / "log.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("time,id,created_ms,action,who")
    assert len(lines) == count + 1
    assert "1 row" in ragdeck.done("audit", "export", tmp_path / "log.json", "--group", "Audit log").out
