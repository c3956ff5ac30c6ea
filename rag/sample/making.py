"""Makes the sample: our own short documents, questions about them and two pipelines.

A newcomer sees an answer and a comparison of two ways to answer within minutes.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from rag.evaluation.rows import RunProgress, RunRow, list_pipelines, list_sets
from rag.knowledge.rows import IngestProgress, IngestReport
from rag.sample.rows import SAMPLE_COLLECTION, SAMPLE_PIPELINES, SAMPLE_SET
from rag.settings import GenerationSettings, RetrievalSettings
from rag.storage.data_folder import RESOURCES

if TYPE_CHECKING:
    from rag.workspace import Workspace

_SUFFIXES = (".pdf", ".docx", ".html", ".md", ".csv")


def ingest_sample(workspace: Workspace) -> Generator[IngestProgress, None, IngestReport]:
    """Ingest resources/samples into the sample collection, and add what evaluates it."""
    from rag.knowledge.ingest import ingest_files

    files = sorted(p for p in (RESOURCES / "samples").iterdir() if p.suffix in _SUFFIXES)
    report = yield from ingest_files(workspace, SAMPLE_COLLECTION, files)
    add_sample_evaluation(workspace)
    return report


def add_sample_evaluation(workspace: Workspace) -> None:
    """Add the evaluation set and two pipelines of the sample collection; what already exists stays.

    The second pipeline searches by words alone and shows the model two passages: it is cheaper, and shows
    what a comparison says.
    """
    from rag.evaluation.formats.importing import import_file
    from rag.evaluation.pipelines import present_config, save_pipeline

    if SAMPLE_SET not in {row.name for row in list_sets(workspace.database)}:
        import_file(workspace, SAMPLE_SET, RESOURCES / "samples" / "cases.jsonl")
    config = present_config(workspace, SAMPLE_COLLECTION).model_copy(
        update={"model": "", "retrieval": RetrievalSettings(), "generation": GenerationSettings()}
    )
    six, cheap = RetrievalSettings(max_passages=6), RetrievalSettings(search="BM25", max_passages=2)
    known = {row.name for row in list_pipelines(workspace.database)}
    for name, retrieval in zip(SAMPLE_PIPELINES, (six, cheap), strict=True):
        if name not in known:
            save_pipeline(
                workspace, name, config.model_copy(update={"retrieval": retrieval}), "The sample's own"
            )


def evaluate_sample(workspace: Workspace) -> Generator[RunProgress, None, tuple[RunRow, ...]]:
    """Run both pipelines over the sample's questions; the first run is the baseline."""
    from rag.evaluation.runs import start_runs

    runs: list[RunRow] = []
    for name, tags in zip(SAMPLE_PIPELINES, (("baseline",), ()), strict=True):
        runs += yield from start_runs(workspace, SAMPLE_SET, [name], tags=tags)
    return tuple(runs)
