"""A collection to look at, made once for all tests: two versions of a few small documents, without models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fakes import DirectReader, FakeEmbedder, ScriptedModel, drive

from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


@pytest.fixture(scope="session")
def notes_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data folder with the collection “Notes”, and beside it the folder “documents” it was made from.

    Version 1 has tides.txt, bread.md and stars.txt; in version 2 bread.md is changed and winter.txt is new.
    """
    made = tmp_path_factory.mktemp("notes")
    data, documents = made / "data", made / "documents"
    data.mkdir()
    documents.mkdir()
    (documents / "tides.txt").write_text("The tide at Bremen rises 3.5 metres. Boats leave at noon.", "utf-8")
    (documents / "bread.md").write_text(
        "# Bread\n\nRye bread needs sourdough and 12 hours of rest.\n", "utf-8"
    )
    (documents / "stars.txt").write_text("Sirius is the brightest star. It is 8.6 light years away.", "utf-8")
    with Workspace(
        data, "a test", embedder=FakeEmbedder(), load_model=ScriptedModel().load, reader=DirectReader()
    ) as workspace:
        drive(ingest_files(workspace, "Notes", [str(documents)]))
        (documents / "bread.md").write_text(
            "# Bread\n\nRye bread needs sourdough and 14 hours of rest.\n", "utf-8"
        )
        (documents / "winter.txt").write_text("Storms come in winter. The harbour is closed then.", "utf-8")
        drive(ingest_files(workspace, "Notes", [str(documents)]))
    return made


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An empty data folder, or one with the collection “Notes” for a test that asks for `notes`."""
    made = tmp_path / "data"
    if "notes" in request.fixturenames:
        template: Path = request.getfixturevalue("notes_template")
        shutil.copytree(template / "data", made)
    else:
        made.mkdir()
    return made


@pytest.fixture
def notes(notes_template: Path) -> Path:
    """The folder of the documents in “Notes”. A test that asks for it finds the collection in its data folder."""
    return notes_template / "documents"
