"""The command line: one JSON document on stdout, sentences on stderr, exit codes 0, 1 and 2."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from main import COMMANDS
from rag.cli import app, run

ROOT = Path(__file__).resolve().parents[3]


def ragdeck(*arguments: str | Path, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments), "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)


def test_help_lists_exactly_the_commands_there_are() -> None:
    known = {name for name, command in typer.main.get_command(app).commands.items() if not command.hidden}
    assert known == set(COMMANDS) - {"(none)", "setup", "test"}
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "main.py"), "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


def test_help_names_only_subcommands_there_are() -> None:
    groups = {
        name: {word for word, command in group.commands.items() if not command.hidden}
        for name, group in typer.main.get_command(app).commands.items()
        if isinstance(group, typer.core.TyperGroup)
    }
    named = {
        name: {
            word
            for part in COMMANDS[name].split(":")[0].split("|")
            for word in re.findall(r"^[ \[]*([a-z][a-z-]*)", part)
        }
        for name in groups
        if name in COMMANDS and " | " in COMMANDS[name]
    }
    assert {"prompts", "sets", "review", "runs"} <= set(named)
    assert {name: words - groups[name] for name, words in named.items() if words - groups[name]} == {}


def test_wrong_usage_is_exit_2_and_a_refusal_exit_1(tmp_path: Path) -> None:
    assert ragdeck("ingest", data=tmp_path).returncode == 2
    assert ragdeck("nonsense", data=tmp_path).returncode == 2
    done = ragdeck("versions", "-c", "none", "--json", data=tmp_path)
    assert done.returncode == 1
    assert "no collection named" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("split", [True, False])
def test_the_data_folder_may_stand_before_the_command(tmp_path: Path, split: bool) -> None:
    """It opened the window instead, on this folder, and forgot the command."""
    option = ["--data", str(tmp_path)] if split else [f"--data={tmp_path}"]
    command = [sys.executable, str(ROOT / "main.py"), *option, "collections", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_no_display_is_a_sentence(tmp_path: Path) -> None:
    """Qt ends the process with a core dump."""
    without = {
        k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    command = [sys.executable, str(ROOT / "main.py"), "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=without)
    assert done.returncode == 1
    assert "There is no display" in done.stderr


def test_an_unwritable_data_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = ragdeck("collections", data=tmp_path / "file")
    assert done.returncode == 1
    assert "--data" in done.stderr
    assert "Traceback" not in done.stderr


def test_broken_settings_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[retrieval]\ncandidates = -3\n")
    done = ragdeck("ingest", ROOT / "README.md", "-c", "A", data=tmp_path)
    assert done.returncode == 1
    assert "retrieval.candidates" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.models
def test_from_documents_to_a_cited_checked_traced_answer(tmp_path: Path) -> None:
    samples = [
        p for p in (ROOT / "resources" / "samples").iterdir() if p.suffix in (".pdf", ".docx", ".html", ".md")
    ]
    done = ragdeck("ingest", *samples, "-c", "Wetter ☂", "--json", data=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["version_number"] == 1
    assert report["counts"]["added"] == len(samples)

    done = ragdeck("search", "battery without sunlight", "-c", "Wetter ☂", "--json", data=tmp_path)
    assert "21 days" in json.loads(done.stdout)["hits"][0]["text"]

    question = "How long does a fully charged battery last without sunlight?"
    done = ragdeck("ask", question, "-c", "Wetter ☂", "--json", data=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "21 days" in answer["answer"]
    assert answer["status"] == "done"
    assert set(answer["tokens"]) == {"prompt", "cached", "completion", "thinking"}
    assert answer["timings_ms"]["total"] > 0
    first = answer["citations"][0]
    assert {"marker", "document", "page", "start", "end", "text"} <= set(first)
    assert (first["document"], first["page"]) == ("aurora-3-manual.pdf", 2)
    claim = answer["claims"][0]
    assert {"text", "start", "end", "verdict", "score", "evidence"} <= set(claim)
    assert answer["answer"][claim["start"] : claim["end"]] == claim["text"]
    assert claim["verdict"] == "supported"
    assert any("21 days" in claim["evidence"]["text"] for claim in answer["claims"] if claim["evidence"])

    done = ragdeck("traces", "show", answer["trace_id"][:8], "--json", data=tmp_path)
    trace = json.loads(done.stdout)
    assert question in trace["prompt"]
    assert trace["hits"][0]["marker"] == 1
    listed = json.loads(ragdeck("traces", "list", "--text", "sunlight", "--json", data=tmp_path).stdout)
    assert [t["id"] for t in listed] == [answer["trace_id"]]
    assert json.loads(ragdeck("collections", "--json", data=tmp_path).stdout)[0]["name"] == "Wetter ☂"
    assert json.loads(ragdeck("versions", "-c", "Wetter ☂", "--json", data=tmp_path).stdout)[0]["number"] == 1
    assert json.loads(ragdeck("models", "--json", data=tmp_path).stdout)[0]["origin"] == "starter"
    doctor = ragdeck("doctor", "--json", data=tmp_path)
    assert json.loads(doctor.stdout)["ok"], doctor.stdout


@pytest.mark.models
def test_human_readable_output_has_no_markup_of_documents(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The [bold]secret[/bold] word is \x1b[31mplum\x1b[0m.", "utf-8")
    data = tmp_path / "data"
    assert ragdeck("ingest", note, "-c", "A", data=data).returncode == 0
    shown = ragdeck("search", "secret word", "-c", "A", data=data).stdout
    assert "[bold]secret[/bold]" in shown
    assert "\x1b[31m" not in shown


def run_here(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """The command line in this process: a process each would take seconds."""
    code = run([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_prompts_are_saved_labelled_rolled_back_and_carried_by_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", tmp_path / "data")
    (tmp_path / "data").mkdir()
    code, out, _ = run_here(capsys, "prompts", "--json", *data)
    assert (code, json.loads(out)[0]["labels"]) == (0, {"production": 1})
    (tmp_path / "user.txt").write_text("Ask: {{ question }}", "utf-8")
    save = ("prompts", "save", "default", "--user", tmp_path / "user.txt", "-m", "Bare")
    code, out, _ = run_here(capsys, *save, "--json", *data)
    assert (code, json.loads(out)["number"]) == (0, 2)
    assert run_here(capsys, "prompts", "label", "default", "production", "2", *data)[1].endswith("1 → 2.\n")
    assert run_here(capsys, "prompts", "rollback", "default", *data)[1].endswith("2 → 1.\n")
    code, out, _ = run_here(capsys, "prompts", "log", "default", "--json", *data)
    assert [(m["from_number"], m["to_number"]) for m in json.loads(out)] == [(2, 1), (1, 2), (None, 1)]
    code, out, _ = run_here(capsys, "prompts", "diff", "default", "1", "2", "--json", *data)
    assert json.loads(out)["user"]
    assert run_here(capsys, "prompts", "export", tmp_path / "files", *data)[0] == 0
    code, out, _ = run_here(capsys, "prompts", "import", tmp_path / "files", "--json", *data)
    assert (code, json.loads(out)["versions_added"]) == (0, 0)
    assert "Ask:" in run_here(capsys, "prompts", "show", "default", *data)[1]
    code, _, err = run_here(capsys, "prompts", "label", "default", "production", "9", *data)
    assert (code, "no version 9" in err) == (1, True)


def test_sets_are_filled_by_hand_and_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", tmp_path / "data")
    (tmp_path / "data").mkdir()
    path = tmp_path / "cases.csv"
    path.write_text("Frage,Antwort,weight\nWer?,Ada,1\nWas?,Brot,viel\n", "utf-8")
    load = ("sets", "import", "gold", path, "--column", "question=Frage", "--column", "references=Antwort")
    code, out, err = run_here(capsys, *load, *data)
    assert (code, out) == (1, "")
    assert "line 3: weight is “viel”, not a number." in err
    assert run_here(capsys, *load, "--skip-bad", *data)[0] == 0
    code, out, _ = run_here(capsys, "sets", "add", "gold", "Wann?", "-r", "Heute", "--json", *data)
    assert json.loads(out)["references"] == ["Heute"]
    code, out, _ = run_here(capsys, "sets", "--json", *data)
    assert (json.loads(out)[0]["number"], json.loads(out)[0]["case_count"]) == (2, 2)
    assert "1 added" in run_here(capsys, "sets", "diff", "gold", "1", "2", *data)[1]
    code, _, err = run_here(
        capsys, "sets", "export", "gold", tmp_path / "out.jsonl", "--format", "ragas", *data
    )
    assert (code, err) == (0, "")
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 2
    assert run_here(capsys, "sets", "remove", "gold", json.loads(out)[0]["name"], *data)[0] == 1
    assert run_here(capsys, "sets", "restore", "gold", "1", *data)[1].endswith("now has version 3.\n")
    assert "Wer?" in run_here(capsys, "sets", "show", "gold", *data)[1]


def test_every_command_in_the_readme_is_one() -> None:
    """Parsed as far as the last subcommand; nothing is run."""
    text = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    lines = re.findall(r"^(?:  - run: )?python main\.py ([a-z].*)$", text, re.MULTILINE)
    lines = [line for line in lines if line.split()[0] not in ("setup", "test")]
    assert len(lines) > 10
    for line in lines:
        command, words = typer.main.get_command(app), shlex.split(line)
        context = None
        while hasattr(command, "commands") and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert not getattr(command, "commands", {}) or command.invoke_without_command, line
        context = command.make_context(line, words, parent=context)
        assert context.params, line
