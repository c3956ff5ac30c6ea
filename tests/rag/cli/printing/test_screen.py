"""Printing on consoles of any character set, into pipes, and tables as CSV and as plain lines."""

import ast
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CommandLine
from rich.table import Table
from rich.text import Text

from rag.cli.printing.screen import Screen, TableForm, carries_every_sign, collected_sentences, table_text

ROOT = Path(__file__).resolve().parents[4]
LONG = "Wie groß ist die Größe → “x” – und " + "warum " * 40 + "?"


@pytest.fixture
def filled(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A data folder with a set whose cases a spreadsheet would run, and with long texts."""
    ragdeck = CommandLine(folder, capsys)
    cases = [
        {"key": "süß", "question": "=1+1", "references": ["-5", "@x"]},
        {"key": "long", "question": LONG, "references": ["ja"]},
    ]
    lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    (tmp_path / "cases.jsonl").write_text(lines, "utf-8")
    ragdeck.done("sets", "import", "S", tmp_path / "cases.jsonl")
    return ragdeck


def in_process(folder: Path, encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own whose streams have an encoding."""
    code = "import sys; from rag.cli import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments, "--data", str(folder)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "40"}
    return subprocess.run(command, capture_output=True, cwd=ROOT, env=environment, timeout=60, check=False)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii", "utf-8"])
def test_any_console_gets_its_signs_and_json_is_whole(filled: CommandLine, encoding: str) -> None:
    printed = in_process(filled.folder, encoding, "sets", "show", "S")
    assert (printed.returncode, printed.stderr) == (0, b"")
    text = printed.stdout.decode(encoding)
    assert ("→" in text) == (encoding in ("utf-8", "gbk"))
    assert ('-> "x" - und' in text) == (encoding == "ascii")
    printed = in_process(filled.folder, encoding, "sets", "show", "S", "--json")
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert json.loads(printed.stdout.decode("utf-8"))[1]["question"] == LONG


def test_lines_of_a_pipe_are_whole_whatever_the_width_of_the_terminal(filled: CommandLine) -> None:
    printed = in_process(filled.folder, "utf-8", "sets", "show", "S").stdout.decode("utf-8")
    assert any("süß" in line and "=1+1" in line and "-5 | @x" in line for line in printed.splitlines())
    assert LONG in printed
    assert "…" not in printed


def test_csv_is_guarded_and_has_one_table_on_stdout(filled: CommandLine) -> None:
    printed = filled.done("sets", "show", "S", "--csv")
    rows = list(csv.reader(io.StringIO(printed.out)))
    assert rows[0] == ["Key", "Question", "Reference", "Judged", "Tags"]
    assert rows[1] == ["süß", "'=1+1", "'-5 | @x", "0", ""]
    assert rows[2][1] == LONG


def test_plain_is_a_row_a_line_with_tabs(filled: CommandLine) -> None:
    lines = filled.done("sets", "show", "S", "--plain").out.splitlines()
    assert lines[0].split("\t") == ["Key", "Question", "Reference", "Judged", "Tags"]
    assert lines[1].split("\t")[:3] == ["süß", "=1+1", "-5 | @x"]
    assert len(lines) == 3


def test_sentences_beside_a_table_go_to_stderr(filled: CommandLine) -> None:
    printed = filled.done("runs", "list", "--csv")
    assert printed.out == ""
    assert "There are no runs yet." in printed.err


def test_only_one_form_is_chosen(filled: CommandLine) -> None:
    printed = filled("sets", "list", "--csv", "--json")
    assert (printed.code, printed.out) == (2, "")
    assert "choose one of --json, --plain and --csv" in printed.err
    assert filled.done("sets", "list").out.startswith("┏"), "the form is forgotten afterwards"


def test_a_difference_stays_a_number_and_markup_is_taken_away() -> None:
    table = Table("Measure", "Difference")
    table.add_row("[bold]a[/]\nb", "-0.05")
    table.add_row("=x", "-0.05 [-0.1, 0]")
    assert table_text(table, TableForm.CSV) == 'Measure,Difference\n"a\nb",-0.05\n\'=x,"\'-0.05 [-0.1, 0]"\n'
    assert table_text(table, TableForm.PLAIN) == "Measure\tDifference\na b\t-0.05\n=x\t-0.05 [-0.1, 0]\n"


def test_a_stream_carries_every_sign_only_as_utf_8() -> None:
    def stream(encoding: str) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(), encoding)

    assert carries_every_sign(stream("UTF8"), "→")
    assert not carries_every_sign(stream("utf-8"), "half a pair: \udce9")
    assert not carries_every_sign(stream("cp1252"), "a")
    assert carries_every_sign(io.StringIO(), "→")


def test_every_command_that_draws_a_table_can_also_write_it() -> None:
    """By its source: a command that makes a Table has the decorator that adds --plain and --csv."""
    lacking = []
    for path in (ROOT / "rag" / "cli").glob("*.py"):
        for part in ast.parse(path.read_text("utf-8")).body:
            if isinstance(part, ast.FunctionDef) and part.decorator_list:
                made = {getattr(n.func, "id", "") for n in ast.walk(part) if isinstance(n, ast.Call)}
                marks = {getattr(mark, "id", "") for mark in part.decorator_list}
                if "Table" in made and "with_tables" not in marks:
                    lacking.append(f"{path.name} {part.name}")
    assert lacking == []


@pytest.mark.skipif(os.name == "nt", reason="pipes break differently there")
def test_a_reader_that_stops_reading_is_no_error(filled: CommandLine) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    code = "import sys; from rag.cli import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "sets", "show", "S", "--plain", "--data", str(filled.folder)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_on_a_terminal_a_table_fits_its_width(filled: CommandLine) -> None:
    import pty

    ours, theirs = pty.openpty()
    code = "import sys; from rag.cli import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "sets", "show", "S", "--data", str(filled.folder)]
    environment = {**os.environ, "COLUMNS": "60", "TERM": "xterm"}
    running = subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment)
    os.close(theirs)
    printed = b""
    while True:
        try:
            block = os.read(ours, 1 << 16)
        except OSError:  # how Linux says that the other side has closed a pseudo-terminal
            break
        if not block:
            break
        printed += block
    os.close(ours)
    assert running.wait(60) == 0
    lines = [Text.from_ansi(line).plain for line in printed.decode("utf-8").splitlines()]
    assert max(map(len, lines)) <= 60
    assert not any("warum " * 15 in " ".join(line.split()) for line in lines)


def test_sentences_are_collected_and_markup_is_taken_away(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    with collected_sentences() as sentences:
        screen.print("[bold]Made[/bold] the set.")
        Screen(stderr=True).print("beside it")
    screen.print("afterwards")
    assert sentences == ["Made the set."]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("afterwards\n", "beside it\n")
