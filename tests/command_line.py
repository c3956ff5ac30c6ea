"""Runs commands in this process: a process each would take seconds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rag.cli import run
from rag.cli.terminal import screen


@dataclass(frozen=True)
class Ran:
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """What is on stdout, without the line breaks of a narrow terminal."""
        return " ".join(self.out.split())


@dataclass(frozen=True)
class CommandLine:
    """Runs ragdeck on one data folder."""

    data: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path | int) -> Ran:
        """Run a command, as on a terminal that is wide enough for its tables."""
        width, screen.width = screen.width, 240
        try:
            code = run([*map(str, arguments), "--data", str(self.data)])
        finally:
            screen.width = width
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)

    def json(self, *arguments: str | Path | int) -> Any:
        """Run a command that must succeed, and return its JSON document."""
        ran = self(*arguments, "--json")
        assert ran.code == 0, ran.err
        return ran.document

    def refused(self, *arguments: str | Path | int) -> str:
        """Run a command that must be refused, and return the sentence."""
        ran = self(*arguments)
        assert (ran.code, ran.out) == (1, ""), ran.out
        return " ".join(ran.err.split())
