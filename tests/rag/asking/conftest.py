"""A workspace with documents, and one with a question that was asked."""

from pathlib import Path

import pytest
from fakes import drive

from rag.asking.answer import answer_question
from rag.asking.rows import Question
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


@pytest.fixture
def asked(workspace: Workspace, documents: Path) -> tuple[Workspace, str]:
    drive(ingest_files(workspace, "A", [documents]))
    result = drive(answer_question(workspace, Question("What does rye bread need?", "A")))
    return workspace, result.trace_id
