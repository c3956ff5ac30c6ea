"""Fixtures of evaluation."""

from pathlib import Path

import pytest

from rag.workspace import Workspace
from tests.rag.evaluation.filled import fill


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    """A workspace with a collection, a set and two pipelines; see tests.rag.evaluation.filled."""
    return fill(workspace, documents)
