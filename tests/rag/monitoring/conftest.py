"""A workspace with a reference period, and one with documents."""

from pathlib import Path

import pytest
from fakes import drive
from stored_traces import DAY, add_traces

from rag.knowledge.ingest import ingest_files
from rag.monitoring.alerts import (
    set_reference,
)
from rag.storage.store import now_ms
from rag.workspace import Workspace


@pytest.fixture
def watched(workspace: Workspace) -> Workspace:
    """A reference period of 200 questions, ten to seven days ago, one in ten of them flagged."""
    begin = now_ms() - 10 * DAY
    add_traces(
        workspace,
        200,
        begin,
        flag_count=lambda n: int(n % 10 == 0),
        total_ms=lambda n: 1000.0 + n,
        best_score=lambda n: 0.4 + 0.001 * n,
    )
    set_reference(workspace, "", "11d", "7d", "all was well")
    return workspace


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace
