"""A data folder whose questions have a history, for the panels of Monitors."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import ask_once, copy_trace
from fakes import drive

from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

BREAD = "How long does rye bread rest?"


@pytest.fixture
def notes(open_workspace: Workspace, documents: Path) -> Workspace:
    """The collection Notes, of which nothing was asked."""
    drive(ingest_files(open_workspace, "Notes", [documents]))
    return open_workspace


@pytest.fixture
def history(notes: Workspace) -> Workspace:
    """One answer, and 60 like it over ten days; the last twenty took 9 s instead of 2."""
    trace = ask_once(notes, BREAD)
    copy_trace(
        notes,
        trace,
        60,
        total_ms=lambda number: (9000.0 if number >= 40 else 2000.0) + number,
        question=lambda number: f"Which invoice is number {number}?" if number >= 40 else BREAD,
    )
    return notes
