"""The sample collection: our own short documents, so that a newcomer sees an answer within minutes."""

from __future__ import annotations

import tomllib
from collections.abc import Generator
from typing import TYPE_CHECKING

from rag.data_folder import RESOURCES
from rag.events import IngestProgress, IngestReport

if TYPE_CHECKING:
    from rag.workspace import Workspace

SAMPLE_COLLECTION = "Sample: Aurora 3 weather station"
_SUFFIXES = (".pdf", ".docx", ".html", ".md", ".csv")


def ingest_sample(workspace: Workspace) -> Generator[IngestProgress, None, IngestReport]:
    """Ingest resources/samples into the sample collection."""
    from rag.ingest import ingest_files  # the window asks for the questions alone

    files = sorted(p for p in (RESOURCES / "samples").iterdir() if p.suffix in _SUFFIXES)
    return (yield from ingest_files(workspace, SAMPLE_COLLECTION, files))


def sample_questions() -> list[str]:
    data = tomllib.loads((RESOURCES / "samples" / "questions.toml").read_text("utf-8"))
    return [str(item["text"]) for item in data["question"]]
