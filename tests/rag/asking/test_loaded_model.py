"""The model that answers is loaded, tried and unloaded."""

from pathlib import Path

import pytest
from fakes import FakeEmbedder, ScriptedModel, drive

from rag.asking.loaded_model import load_model, model_state, try_model, unload_model
from rag.asking.rows import PromptProgress, TokenStreamed
from rag.errors import RagError
from rag.models.rows import ModelState
from rag.workspace import Workspace


def test_the_state_is_that_of_the_loaded_model(workspace: Workspace) -> None:
    state = model_state(workspace)
    assert (state.name, state.context, state.gpu) == ("scripted", 4096, False)
    assert unload_model(workspace) == model_state(workspace) == ModelState()
    assert workspace.loaded_model is None


def test_a_loaded_model_is_the_one_that_answers_from_then_on(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    state = load_model(workspace, str(path))
    assert state.path == str(path) == workspace.settings.models.active
    assert state.load_ms >= 0 and state.memory_bytes >= 0
    assert workspace.active_model_path() == path
    load_model(workspace)
    assert workspace.settings.models.active == str(path)


def test_a_model_that_cannot_be_loaded_is_not_made_the_active_one(folder: Path, tmp_path: Path) -> None:
    def refuse(path: Path, settings: object) -> ScriptedModel:
        raise RagError(f"{path.name} is damaged.")

    with Workspace(folder, embedder=FakeEmbedder(), load_model=refuse) as workspace:
        with pytest.raises(RagError, match="is damaged"):
            load_model(workspace, str(tmp_path / "bad.gguf"))
        assert workspace.settings.models.active == ""


def test_trying_a_model_streams_an_answer_without_passages(workspace: Workspace) -> None:
    events = []
    steps = try_model(workspace, "Say something.")
    try:
        while True:
            events.append(next(steps))
    except StopIteration as end:
        found = end.value
    assert found.text == "Rye bread needs sourdough [1]."
    assert "".join(e.text for e in events if isinstance(e, TokenStreamed)) == found.text
    assert next(e.tokens_done for e in events if isinstance(e, PromptProgress)) == 0
    assert found.completion_tokens == 5
    model = workspace.loaded_model
    assert isinstance(model, ScriptedModel)
    assert model.prompts == ["user: Say something."]
    model.error = RagError("Out of memory.")
    with pytest.raises(RagError, match="Out of memory"):
        drive(try_model(workspace, "Again."))
