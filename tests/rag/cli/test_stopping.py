"""Ctrl+C says what is stored and how to go on; what a kill left as running is listed as interrupted."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import CommandLine
from fakes import ScriptedModel, drive

from rag.evaluation.cases import Case
from rag.evaluation.sets import change_set, create_set
from rag.knowledge.ingest import ingest_files
from rag.settings import GenerationSettings

ROOT = Path(__file__).resolve().parents[3]


class Interrupted(ScriptedModel):
    """Presses Ctrl+C while it answers for the nth time."""

    def __init__(self, at: int) -> None:
        super().__init__("Sourdough")
        self.left = at

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        yield from super().generate(tokens, settings, grammar)


@pytest.fixture
def ragdeck(folder: Path, documents: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A data folder with a collection, a set of six cases and a pipeline."""
    made = CommandLine(folder, capsys)
    made.model = ScriptedModel("Sourdough")
    with made.open() as workspace:
        drive(ingest_files(workspace, "A", [documents]))
        create_set(workspace, "S")
        # Prompts of one length are one prompt for the scripted model, and its answer is used again.
        cases = [Case(key=f"c{n}", question="What does rye bread need" + " now" * n) for n in range(6)]
        change_set(workspace, "S", put=cases)
    made.done("pipelines", "save", "P", "-c", "A")
    return made


needs_signals = pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process there")


@needs_signals
def test_a_cancelled_evaluation_says_what_is_stored_and_is_continued(ragdeck: CommandLine) -> None:
    ragdeck.model = Interrupted(at=5)
    printed = ragdeck("evaluate", "S", "-p", "P", "-p", "P", "--parallel", "1")
    assert (printed.code, printed.out) == (130, "")
    assert (
        "Cancelled; 4 of 6 cases of run 1 and 0 of 6 cases of run 2 are stored. Continue with:" in printed.err
    )
    commands = [line.strip() for line in printed.err.splitlines() if line.startswith("  ragdeck ")]
    assert commands == [f"ragdeck runs resume {n} --data {ragdeck.folder}" for n in (1, 2)]
    ragdeck.model = Interrupted(at=2)
    printed = ragdeck("runs", "resume", "1", "--json")
    assert (printed.code, printed.out) == (130, "")
    assert "Cancelled; 5 of 6 cases of run 1 are stored." in printed.err
    ragdeck.model = ScriptedModel("Sourdough")
    assert ragdeck.done("runs", "resume", "1", "--json").document["runs"][0]["done_count"] == 6


@needs_signals
def test_a_cancelled_question_says_where_its_trace_is(ragdeck: CommandLine) -> None:
    ragdeck.model = Interrupted(at=1)
    printed = ragdeck("ask", "What does rye bread need?", "-c", "A", "--json")
    assert (printed.code, printed.out) == (130, "")
    (trace,) = ragdeck.done("traces", "list", "--json").document
    assert trace["status"] == "cancelled"
    assert (
        f"Cancelled; what was answered so far is stored. See it with `ragdeck traces show {trace['id'][:8]}`"
        in (printed.err)
    )


@needs_signals
def test_ctrl_c_outside_of_an_operation_is_said_as_well(ragdeck: CommandLine) -> None:
    def pressed(folder: Path, purpose: str) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the signal came first")

    from rag import cli

    assert cli.run(["compact", "--data", str(ragdeck.folder)], pressed) == 130
    assert "Cancelled. What was reported as done is saved." in ragdeck._capsys.readouterr().err


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from fakes import FakeEmbedder, ScriptedModel
from rag import cli
from rag.workspace import Workspace

class Killed(ScriptedModel):
    left = 3
    def generate(self, *arguments):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        yield from super().generate(*arguments)

def open_folder(folder, purpose):
    return Workspace(folder, purpose, embedder=FakeEmbedder(), load_model=Killed("Sourdough").load)

cli.run(sys.argv[1:], open_folder)
"""


@needs_signals
def test_after_a_kill_lists_say_interrupted(ragdeck: CommandLine) -> None:
    command = ["evaluate", "S", "-p", "P", "--parallel", "1", "--data", str(ragdeck.folder)]
    code = KILLED.format(tests=str(ROOT / "tests"))
    done = subprocess.run([sys.executable, "-c", code, *command], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    (row,) = ragdeck.done("runs", "list", "--json").document
    assert (row["status"], row["done_count"]) == ("interrupted", 2)
    statuses = {
        trace["status"] for trace in ragdeck.done("traces", "list", "--source", "all", "--json").document
    }
    assert statuses == {"done", "interrupted"}


def test_what_another_process_is_doing_stays_running(ragdeck: CommandLine) -> None:
    """The lock is held by a process of its own: in one process, a second look at it would let go of it."""
    ragdeck.done("evaluate", "S", "-p", "P")
    with ragdeck.open() as workspace, workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE evaluationrun SET status = 'running'")
    code = (
        "import sys; from pathlib import Path; from rag.storage.data_folder import FolderLock\n"
        "lock = FolderLock(Path(sys.argv[1])); lock.acquire('the window'); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(ragdeck.folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        assert ragdeck.done("runs", "list", "--json").document[0]["status"] == "running"
    finally:
        other.kill()
        other.wait()
    assert ragdeck.done("runs", "list", "--json").document[0]["status"] == "interrupted"


@pytest.mark.skipif(os.name == "nt", reason="files that are open cannot be deleted there")
def test_a_data_folder_that_vanishes_while_an_answer_is_stored_is_no_success(
    ragdeck: CommandLine, tmp_path: Path
) -> None:
    class Unplugged(ScriptedModel):
        def generate(self, *arguments: Any) -> Iterator[Any]:
            if not (tmp_path / "elsewhere").exists():
                ragdeck.folder.rename(tmp_path / "elsewhere")
            yield from super().generate(*arguments)

    ragdeck.model = Unplugged("Sourdough")
    sentence = ragdeck.refused("ask", "What does rye bread need?", "-c", "A", "--json")
    assert "ragdeck.sqlite was deleted or replaced while the program ran" in sentence
    assert "is not stored" in sentence
