"""A data folder with answers to review, for the panels of Review."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import ask_once
from fakes import drive
from PySide6.QtCore import QSettings

from app.console import Console
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

ANSWERS = {
    "How long does rye bread rest?": "Rye bread rests for 12 hours [1].",
    "How bright is Sirius?": "Sirius is the brightest star [1].",
    "How high is the tide at Bremen?": "The tide rises 3.5 metres [1].",
}


@pytest.fixture
def notes(console: Console, open_workspace: Workspace, documents: Path) -> Iterator[Workspace]:
    """The collection Notes, of which nothing was asked, and a reviewer called Ann."""
    QSettings().setValue("people/name", "Ann")
    drive(ingest_files(open_workspace, "Notes", [documents]))
    yield open_workspace


@pytest.fixture
def answers(notes: Workspace) -> list[str]:
    """Three answers; returns the ids of their traces."""
    return [ask_once(notes, question, answer) for question, answer in ANSWERS.items()]
