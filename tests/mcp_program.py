"""Serves MCP over stdin with a scripted model that also writes to stdout, as libraries do. Run in a process.

Arguments: the data folder, which has a collection, and names of tools.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fakes import DirectReader, FakeEmbedder, ScriptedModel

from rag.serving.mcp.stdio import run_stdio
from rag.settings import GenerationSettings
from rag.workspace import Workspace


class TalkativeModel(ScriptedModel):
    """A model that writes to stdout in every way that a library may."""

    def generate(
        self, tokens: Sequence[int], settings: GenerationSettings, grammar: str = ""
    ) -> Iterator[Any]:
        print("llama_model_loader: - kv 0", flush=True)
        os.write(1, b'{"jsonrpc": "2.0", "method": "not of the server"}\n')
        yield from super().generate(tokens, settings, grammar)


def main(folder: Path, names: list[str]) -> None:
    """Serve the folder until stdin ends."""
    with Workspace(
        folder, "a test", embedder=FakeEmbedder(), load_model=TalkativeModel().load, reader=DirectReader()
    ) as workspace:
        run_stdio(workspace, names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
