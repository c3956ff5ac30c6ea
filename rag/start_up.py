"""Prepares an opened data folder for use: what a kill interrupted is finished or undone."""

from __future__ import annotations

from collections.abc import Generator

from rag.errors import RagError
from rag.governance.erasure import finish_erasure, is_erasing
from rag.knowledge.index_sync import needs_repair, repair_indexes
from rag.knowledge.rows import VersionProgress
from rag.models.embedding import check_starter_embedder, file_sha256, starter_embedder_folder
from rag.models.language_model import (
    HOW_TO_GET_LLAMA,
    STARTER_PACKAGE,
    STARTER_SHA256,
    llama_available,
    starter_model_path,
)
from rag.workspace import Workspace


def needs_start_up(workspace: Workspace) -> bool:
    """Return whether anything was interrupted or an index is behind. It looks at the tables alone."""
    return is_erasing(workspace) or needs_repair(workspace)


def start_up(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Finish or undo what a kill interrupted; return what there is to say about it."""
    notices = yield from finish_erasure(workspace)
    notices += yield from repair_indexes(workspace)
    return notices


def check_starters() -> list[str]:
    """Return a sentence for each starter model that is missing or damaged, and for a missing llama.cpp."""
    problems = []
    try:
        check_starter_embedder(starter_embedder_folder())
    except RagError as error:
        problems.append(str(error))
    try:
        if file_sha256(starter_model_path()) != STARTER_SHA256:
            problems.append(f"The starter model is damaged; install {STARTER_PACKAGE} again.")
    except RagError as error:
        problems.append(str(error))
    if not llama_available():
        problems.append(HOW_TO_GET_LLAMA)
    return problems
