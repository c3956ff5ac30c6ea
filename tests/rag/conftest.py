"""A data folder with one collection, made once and copied for each test that needs it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

TEXTS = {
    "tides.txt": "The tide at Bremen rises 3.5 metres. Boats leave at noon.",
    "bread.md": "# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n",
    "stars.txt": "Sirius is the brightest star. It is 8.6 light years away.",
}


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("collection-a")
    (root / "data").mkdir()
    (root / "documents").mkdir()
    for name, text in TEXTS.items():
        (root / "documents" / name).write_text(text, "utf-8")
    embedder = FakeEmbedder()
    with Workspace(
        root / "data", embedder=embedder, load_model=ScriptedModel().load, reader=DirectReader()
    ) as workspace:
        drive(ingest_files(workspace, "A", [root / "documents"]))
    return root


@pytest.fixture
def files(_made_once: Path) -> Path:
    """The folder of the three documents of “A”; it must not be changed."""
    return _made_once / "documents"


@pytest.fixture
def data(_made_once: Path, tmp_path: Path) -> Path:
    """A closed data folder with the collection “A”: three documents of one chunk each, version 1."""
    return Path(shutil.copytree(_made_once / "data", tmp_path / "data-of-a"))


@pytest.fixture
def ingested(data: Path) -> Iterator[Workspace]:
    """An open workspace over that data folder."""
    with Workspace(
        data, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as opened:
        yield opened
