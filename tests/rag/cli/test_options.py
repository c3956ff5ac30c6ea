"""Options that every command shares: --data wherever it stands, --json on stdout alone, lists by name."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import CommandLine
from fakes import drive

import main
from rag import cli
from rag.cli.terminal import print_json
from rag.evaluation.cases import Case
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A data folder with a collection and a set."""
    made = CommandLine(folder, capsys)
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        create_set(workspace, "S")
        change_set(workspace, "S", put=[Case(key="c", question="What?", references=("Sourdough",))])
    return made


# --- --data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("--data", "D", "sets", "list", "--plain"),
        ("--data=D", "sets", "list", "--plain"),
        ("sets", "--data", "D", "list", "--plain"),
        ("sets", "list", "--plain", "--data", "D"),
        ("--data", "D", "sets", "list", "--plain", "--data", "D"),
        ("--data", "D", "sets", "--plain"),
    ],
)
def test_the_data_folder_holds_wherever_it_is_named(
    ragdeck: CommandLine, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(ragdeck.folder)
    assert main.main([folder if w == "D" else w.replace("=D", f"={folder}") for w in words]) == 0
    assert "S\t1\t1" in capsys.readouterr().out


def test_a_data_folder_before_the_command_holds_for_what_follows_two_dashes(
    ragdeck: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--data D ingest … -- FILE` wrote into the default folder: D was put behind the two dashes."""
    monkeypatch.setattr("platformdirs.user_data_dir", lambda *_, **__: str(tmp_path / "default"))
    file = tmp_path / "-new.txt"
    file.write_text("Salt rises with the tide.", "utf-8")
    monkeypatch.chdir(tmp_path)
    folder = str(ragdeck.folder)
    assert cli.run(["--data", folder, "ingest", "-c", "B", "--", "-new.txt"], ragdeck.open) == 0
    assert {row["name"] for row in ragdeck.done("collections", "--json").document} == {"A", "B"}
    assert not (tmp_path / "default").exists()


def test_two_data_folders_are_refused(ragdeck: CommandLine, tmp_path: Path) -> None:
    for words in (
        ["--data", str(tmp_path / "other"), "sets"],
        ["sets", "--data", str(tmp_path / "other"), "list"],
    ):
        printed = ragdeck(*words)
        assert (printed.code, printed.out) == (2, "")
        assert "two data folders are named" in printed.err
    assert not (tmp_path / "other").exists()


def test_a_data_option_without_a_folder_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--data"]) == 2
    assert capsys.readouterr().err == "The option --data needs the name of a folder.\n"


def test_the_help_of_a_command_may_follow_a_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["--data", str(tmp_path / "none"), "sets", "list", "--help"]) == 0
    assert "List the evaluation sets." in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_the_help_of_the_program_prints_on_any_console_and_names_the_exit_codes() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-S", str(ROOT / "main.py"), "--help"]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"130 cancelled with Ctrl+C" in done.stdout


# --- lists and --json -------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", ["prompts", "sets", "models", "collections"])
def test_a_list_has_a_command_beside_the_bare_group(ragdeck: CommandLine, group: str) -> None:
    listed = ragdeck.done(group, "list", "--json").document
    assert listed == ragdeck.done(group, "--json").document
    assert len(listed) == 1
    assert ragdeck.done(group, "list", "--csv").out == ragdeck.done(group, "--csv").out
    assert ragdeck.done(group, "list").out == ragdeck.done(group).out


def test_evaluations_print_their_document_on_stdout_and_write_it_to_a_file(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    ragdeck.done("pipelines", "save", "P", "-c", "A")
    gate = tmp_path / "gate.yaml"
    gate.write_text("floors: {exact_match: 0.5}\n", "utf-8")
    file = tmp_path / "out" / "report.json"
    printed = ragdeck("evaluate", "S", "--json", "-p", "P", "--gate", gate, "--json-file", file)
    assert printed.code == 3
    assert printed.document == json.loads(file.read_text("utf-8"))
    assert printed.document["gates"][0]["passed"] is False
    assert len(list(tmp_path.iterdir())) == 4, (
        "no file is called -p or - ; data, documents, gate and out are there"
    )
    printed = ragdeck("runs", "gate", "1", "--gate", gate, "--json")
    assert (printed.code, printed.document["passed"]) == (3, False)


def test_every_command_prints_one_document_with_json(ragdeck: CommandLine) -> None:
    assert ragdeck.done("sets", "create", "[T]", "--json").document == {"message": "Made the set [T]."}
    assert ragdeck.done("sets", "create", "U").out == "Made the set U.\n"
    lacking = [
        " ".join(path)
        for path, command in commands_of(typer.main.get_command(cli.app))
        if not any("--json" in parameter.opts and parameter.is_flag for parameter in command.params)
    ]
    assert lacking == []


def commands_of(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command below a group, with the words that name it."""
    for name, below in getattr(command, "commands", {}).items():
        yield from commands_of(below, (*path, name))
    if not hasattr(command, "commands"):
        yield path, command


def test_json_has_no_number_that_is_none_and_no_sign_that_steers_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json(
        {"mean": float("nan"), "all": [float("inf"), 1.5], "text": "a\x9b31m\u202eb\x7f", "at": Path("x")}
    )
    out = capsys.readouterr().out
    assert not set("\x7f\x9b\u202e") & set(out)
    assert json.loads(out) == {"mean": None, "all": [None, 1.5], "text": "a\x9b31m\u202eb\x7f", "at": "x"}
    print_json({"name": "caf\udce9"})
    assert json.loads(capsys.readouterr().out) == {"name": "caf\udce9"}


# --- a database that cannot be read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("traces", "list"), ("collections",), ("search", "x", "-c", "A"), ("sets", "list")]
)
def test_a_destroyed_database_is_a_sentence_in_every_command(
    ragdeck: CommandLine, words: tuple[str, ...]
) -> None:
    (ragdeck.folder / "ragdeck.sqlite").write_bytes(b"no database at all " * 1000)
    sentence = ragdeck.refused(*words)
    assert "ragdeck.sqlite is damaged or is not an SQLite file" in sentence


def test_pages_that_are_damaged_inside_are_a_sentence(ragdeck: CommandLine) -> None:
    database = ragdeck.folder / "ragdeck.sqlite"
    content = database.read_bytes()
    database.write_bytes(content[:8192] + b"\xa5" * (len(content) - 8192))
    assert "is damaged" in ragdeck.refused("traces", "list")
