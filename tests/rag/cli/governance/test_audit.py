"""`audit list|show|verify|export|head`: what the page Audit can do, without a window."""

import json
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from command_line import CommandLine

from rag.governance.audit.rows import GROUPS
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


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--since", "2026-13-01"), "“2026-13-01” is not a day. Write it as YYYY-MM-DD."),
        (("--until", "28.11.2026"), "“28.11.2026” is not a day. Write it as YYYY-MM-DD."),
        (("--until", "9999-12-31"), "“9999-12-31” is not a day. Write it as YYYY-MM-DD."),
        (("--since", "now"), "“now” is not a day. Write it as YYYY-MM-DD."),
        (("--group", "knowledge"), "There is no group “knowledge”. The groups are Knowledge, "),
    ],
)
@pytest.mark.parametrize("command", [("list",), ("export", "log.csv")])
def test_a_filter_that_cannot_be_read_is_refused_by_every_command(
    ragdeck: CommandLine, command: tuple[str, ...], options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in ragdeck.refused("audit", *command, *options)


@pytest.mark.parametrize("group", list(GROUPS))
def test_every_group_can_be_asked_for(ragdeck: CommandLine, group: str) -> None:
    rows = ragdeck.done("audit", "list", "--group", group, "--json").document
    assert {row["action"] for row in rows} <= {str(action) for action in GROUPS[group]}
    assert bool(rows) == (group in ("Models and settings", "Prompts and pipelines"))


@pytest.mark.parametrize("number", ["0", "-1", "999", "10000000000000000000"])
def test_a_row_that_there_is_not_is_no_crash(ragdeck: CommandLine, number: str) -> None:
    printed = ragdeck("audit", "show", "--", number)
    assert printed.code in (1, 2) and "Traceback" not in printed.err and printed.out == ""


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2)])
def test_only_the_latest_rows_are_listed(ragdeck: CommandLine, limit: int, count: int) -> None:
    ragdeck.done("settings", "set", "generation.seed=8")
    rows = ragdeck.done("audit", "list", "-n", limit, "--json").document
    assert len(rows) == count and rows[0]["id"] == max(row["id"] for row in rows)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read"),
        ("", "is not a head of an audit log"),
        (
            '{"kind": "ragdeck audit head", "rows": 1, "id": 1, "hash": "", "written_ms": "x"}',
            "is not a head",
        ),
    ],
)
def test_a_head_that_is_none_is_refused(
    ragdeck: CommandLine, tmp_path: Path, text: str | None, sentence: str
) -> None:
    head = tmp_path / "head.json"
    if text is not None:
        head.write_text(text)
    assert sentence in ragdeck.refused("audit", "verify", "--head", head)


def test_a_key_that_is_not_there_is_refused_and_named(ragdeck: CommandLine, tmp_path: Path) -> None:
    said = ragdeck.refused("audit", "head", "--to", tmp_path / "usb", "--key", tmp_path / "key")
    assert f"There is no key {tmp_path / 'key'}." in said
