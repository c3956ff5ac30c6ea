"""Loads, unloads and tries the model that answers."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from rag.asking.rows import PromptProgress, TokenStreamed
from rag.errors import RagError
from rag.models.language_model import GenerationEnd, LanguageModel, PromptRead, Token
from rag.models.rows import ModelState, ModelTest, resident_bytes
from rag.workspace import Workspace


def model_state(workspace: Workspace) -> ModelState:
    """Return what is known of the loaded model; an empty state when none is loaded."""
    model = workspace.loaded_model
    return ModelState() if model is None else _state(model)


def load_model(workspace: Workspace, path: str = "") -> ModelState:
    """Load a model and make it the one that answers."""
    from rag.models.language_model import gpu_supported

    generation = workspace.settings.generation
    if generation.gpu_layers and not gpu_supported():
        raise RagError(
            "This llama.cpp was built for the processor alone. Set GPU layers to 0, or install a GPU build."
        )
    before, began = resident_bytes(), time.perf_counter()
    model = workspace.language_model(Path(path) if path else None, generation)
    state = _state(model, max(resident_bytes() - before, 0), (time.perf_counter() - began) * 1000)
    if path and path != workspace.settings.models.active:
        workspace.change_settings({"models": {"active": path}})
    return state


def unload_model(workspace: Workspace) -> ModelState:
    """Free the memory of the loaded model."""
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


def _state(model: LanguageModel, memory_bytes: int = 0, load_ms: float = 0.0) -> ModelState:
    return ModelState(
        name=model.name,
        path=str(model.path),
        context=model.context,
        memory_bytes=memory_bytes,
        load_ms=load_ms,
        gpu=model.settings.gpu_layers != 0,
    )
