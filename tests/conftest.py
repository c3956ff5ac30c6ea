"""Fixtures that every test may use. Qt runs offscreen unless a test run has a display of its own."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from fakes import FakeEmbedder, ScriptedModel

from rag.workspace import Workspace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    """A workspace with a fast embedder and a model that says what a test wants."""
    with Workspace(folder, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load) as opened:
        opened.language_model()  # loaded, as in a window in use
        yield opened


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Three small files in a folder."""
    made = tmp_path / "documents"
    made.mkdir()
    (made / "tides.txt").write_text("The tide at Bremen rises 3.5 metres. Boats leave at noon.", "utf-8")
    (made / "bread.md").write_text("# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n", "utf-8")
    (made / "stars.txt").write_text("Sirius is the brightest star. It is 8.6 light years away.", "utf-8")
    return made
