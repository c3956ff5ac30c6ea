"""What works while another process has the data folder: everything that only reads, and a clear no to the rest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine

ROOT = Path(__file__).resolve().parents[3]

READING = [
    ("collections",),
    ("versions", "-c", "A"),
    ("chunks", "bread.md", "-c", "A"),
    ("versions", "diff", 1, 1, "-c", "A"),
    ("watch", "list"),
    ("traces", "list"),
    ("prompts",),
    ("prompts", "versions", "default"),
    ("prompts", "show", "default"),
    ("prompts", "log", "default"),
    ("sets",),
    ("pipelines", "list"),
    ("runs", "list"),
    ("feedback", "list"),
    ("review", "list"),
    ("rollout", "status"),
    ("monitor",),
    ("monitor", "rules"),
    ("monitor", "reference"),
    ("monitor", "silent"),
    ("models",),
    ("space",),
]

CHANGING = [
    ("ingest", "bread.md", "-c", "A"),
    ("remove", "bread.md", "-c", "A"),
    ("describe", "bread.md", "x=1", "-c", "A"),
    ("exclude", 1, "-c", "A", "--reason", "x"),
    ("erase", "bread.md", "-c", "A", "--yes"),
    ("compact",),
    ("activate", 1, "-c", "A"),
    ("undo", "-c", "A"),
    ("versions", "tag", 1, "baseline", "-c", "A"),
    ("versions", "verify", "-c", "A"),
    ("trial", "build", "-c", "A", "--max-tokens", 40),
    ("ask", "What does rye bread need?", "-c", "A"),
    ("sets", "create", "gold"),
    ("prompts", "label", "default", "staging", 1),
    ("pipelines", "save", "P", "-c", "A"),
    ("monitor", "rules", "remove", "More refusals"),
    ("rollout", "stop", 1),
]

HOLD = (
    "import sys, time; from pathlib import Path; from rag.storage.data_folder import FolderLock\n"
    "lock = FolderLock(Path(sys.argv[1])); lock.acquire('the Ragdeck window'); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(folder, capsys)
    made.done("ingest", documents, "-c", "A")
    return made


@pytest.fixture
def held(ragdeck: CommandLine) -> Iterator[CommandLine]:
    """The same data folder while another process holds it."""
    command = [sys.executable, "-c", HOLD, str(ragdeck.folder)]
    holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline().strip() == "held"
        yield ragdeck
    finally:
        holder.communicate("")


def test_everything_that_reads_works_while_the_folder_is_in_use(held: CommandLine) -> None:
    refused = {
        " ".join(map(str, command)): printed.err for command in READING if (printed := held(*command)).code
    }
    assert refused == {}


def test_everything_that_changes_is_refused_and_says_who_has_the_folder(held: CommandLine) -> None:
    before = held.done("versions", "-c", "A", "--json").document
    for command in CHANGING:
        sentence = held.refused(*command)
        assert "in use by" in sentence and "the Ragdeck window" in sentence, command
    assert held.done("versions", "-c", "A", "--json").document == before


def test_the_alert_check_judges_without_writing(held: CommandLine) -> None:
    printed = held("monitor", "--check", "--json")
    assert printed.code == 0
    assert printed.document["firing"] == []
    assert "in use by" in " ".join(printed.err.split())
