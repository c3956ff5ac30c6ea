"""The command line run in this process, on a data folder that opens with a fake embedder and a scripted model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel

from rag import cli
from rag.workspace import Workspace


@dataclass(frozen=True)
class Printed:
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class CommandLine:
    """Runs commands on one data folder: `ragdeck("prompts", "--json").document`."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.model = ScriptedModel()
        self._capsys = capsys

    def open(self, folder: Path | None = None, purpose: str = "a test") -> Workspace:
        """Open the data folder as commands do; it must be closed again before the next command."""
        return Workspace(
            folder or self.folder,
            purpose,
            embedder=FakeEmbedder(),
            load_model=self.model.load,
            reader=DirectReader(),
        )

    def __call__(self, *arguments: object) -> Printed:
        self._capsys.readouterr()
        code = cli.run([*map(str, arguments), "--data", str(self.folder)], self.open)
        printed = self._capsys.readouterr()
        return Printed(code, printed.out, printed.err)

    def done(self, *arguments: object) -> Printed:
        """Run a command that must succeed."""
        printed = self(*arguments)
        assert printed.code == 0, printed.err or printed.out
        return printed

    def refused(self, *arguments: object) -> str:
        """Run a command that must be refused, with nothing on stdout; return its sentence."""
        printed = self(*arguments)
        assert printed.code == 1, printed.out
        assert printed.out == ""
        sentence = " ".join(printed.err.split())
        assert sentence.endswith((".", "”", "?", ")")), sentence
        return sentence
