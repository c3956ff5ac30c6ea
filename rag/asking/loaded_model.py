"""Loads, unloads and tries the model that answers."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from rag.asking.rows import AnswerRestarted, PromptProgress, TokenStreamed
from rag.errors import RagError
from rag.models import reasoning
from rag.models.catalogue import describe_model, find_model
from rag.models.chat_model import PromptRead, Token
from rag.models.chat_template import BUILT_IN
from rag.models.endpoints.border import TYPED_HERE
from rag.models.endpoints.rows import endpoint_named_by
from rag.models.language_model import LanguageModel
from rag.models.reasoning import Written, write
from rag.models.rows import ModelEntry, ModelState, ModelTest, resident_bytes
from rag.workspace import Workspace


def model_state(workspace: Workspace) -> ModelState:
    """Return what is known of the loaded model; an empty state when none is loaded."""
    model = workspace.loaded_model
    return ModelState() if model is None else _state(model)


def load_model(workspace: Workspace, path: str = "") -> ModelState:
    """Load a model and make it the one that answers; an endpoint needs no loading."""
    from rag.models.language_model import gpu_supported

    if name := endpoint_named_by(path):
        workspace.endpoints.find(name)
        workspace.change_settings({"models": {"active": path}})
        return model_state(workspace)
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
) -> Generator[PromptProgress | TokenStreamed | AnswerRestarted, None, ModelTest]:
    """Answer a prompt without passages, to see that a model works and how fast it is."""
    model = workspace.chat_model(collection=TYPED_HERE)
    rendered = model.render_chat([{"role": "user", "content": prompt}])
    tokens = model.tokenize_prompt(rendered)
    read = len(tokens) or model.prompt_size(rendered)
    began = time.perf_counter()
    first, cached = 0.0, 0
    written = Written()
    for event in write(model, rendered, workspace.settings.generation, written, tokens):
        if isinstance(event, PromptRead):
            cached = event.tokens_cached
            yield PromptProgress("", event.tokens_done, event.tokens_total, cached)
        elif isinstance(event, Token):
            first = first or time.perf_counter()
            count = written.thinking_tokens if event.is_thinking else len(written.logprobs)
            yield TokenStreamed("", event.text, count, event.is_thinking)
        elif isinstance(event, reasoning.AnswerRestarted):
            yield AnswerRestarted("")
    end = time.perf_counter()
    first = first or end
    read_s, write_s = max(first - began, 1e-6), max(end - first, 1e-6)
    answered = model.count_tokens(written.answer) if model.endpoint else len(written.logprobs)
    return ModelTest(
        written.answer,
        read,
        answered,
        (read - cached) / read_s,
        max(answered + written.thinking_tokens - 1, 0) / write_s,
        written.thinking,
        written.thinking_tokens,
    )


def choose_template(workspace: Workspace, model: str, template: str) -> ModelEntry:
    """Use a built-in chat template for a model from now on; "" uses the one of its file.

    Raises RagError when there is no such model or template.
    """
    if template and template not in BUILT_IN:
        raise RagError(
            f"There is no chat template “{template}”. The built-in ones are {', '.join(BUILT_IN)}."
        )
    path = find_model(workspace.database, workspace.settings, model)
    if endpoint_named_by(path):
        raise RagError("An endpoint's server renders the conversation itself: it takes no chat template.")
    models = workspace.settings.models
    chosen = models.with_chat_template(path.stem, template)
    settings = workspace.change_settings({"models": {"chat_templates": chosen}})
    return describe_model(path, settings.models, "added")


def _state(model: LanguageModel, memory_bytes: int = 0, load_ms: float = 0.0) -> ModelState:
    return ModelState(
        name=model.name,
        path=str(model.path),
        context=model.context,
        memory_bytes=memory_bytes,
        load_ms=load_ms,
        gpu=model.settings.gpu_layers != 0,
    )
