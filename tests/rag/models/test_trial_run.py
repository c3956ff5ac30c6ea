"""The trial run of the starter model: what its end says about llama.cpp on this processor."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag.models.trial_run import COMMAND, killed_by

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 127, 128, 255, 4711])
def test_a_process_that_ends_by_itself_was_not_killed(code: int) -> None:
    assert killed_by(code) == ""


def test_a_killed_process_names_its_signal() -> None:
    assert killed_by(-signal.SIGILL) == "SIGILL"
    assert killed_by(128 + signal.SIGILL) == "SIGILL"
    assert killed_by(-signal.SIGSEGV) == "SIGSEGV"
    assert killed_by(0xC000001D) == "an illegal instruction"


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_the_signal_of_a_real_process_is_read() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed_by(done.returncode) == "SIGILL"


def test_it_can_be_asked_before_anything_is_installed() -> None:
    code = "import rag.models.trial_run as t; print(t.killed_by(-4))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("SIGILL", "")


@pytest.mark.models
def test_the_starter_reads_a_prompt_of_more_than_a_hundred_tokens() -> None:
    done = subprocess.run([sys.executable, *COMMAND], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
