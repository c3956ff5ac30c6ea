"""What an opened data folder needs before it is used: what a kill interrupted is finished or undone."""

from __future__ import annotations

from collections.abc import Generator

from rag.errors import RagError
from rag.governance.erasure import finish_erasure
from rag.knowledge.index_sync import repair_indexes
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


def start_up(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Finish or undo what a kill interrupted; returns what there is to say about it."""
    notices = yield from finish_erasure(workspace)
    notices += yield from repair_indexes(workspace)
    return notices


def check_starters() -> list[str]:
    """Sentences about starter models that are missing or not what they should be; empty when all is well."""
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
