"""Pipelines are stored configurations that answer as they say."""

import hashlib
import json
from pathlib import Path

import pytest
from fakes import ScriptedModel, drive

from rag.asking.answer import answer_question
from rag.asking.rows import get_trace
from rag.errors import NotFoundError, RagError
from rag.evaluation import pipelines
from rag.evaluation.rows import list_pipeline_versions, list_pipelines
from rag.knowledge.ingest import ingest_files
from rag.prompts.registry import save_prompt
from rag.settings import GenerationSettings, preset
from rag.workspace import Workspace


@pytest.fixture
def filled(workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(workspace, "A", [documents]))
    return workspace


# --- pipelines --------------------------------------------------------------------------------------------


def test_a_configuration_is_versioned_and_the_same_again_is_the_same(filled: Workspace) -> None:
    config = pipelines.present_config(filled, "A")
    first = pipelines.save_pipeline(filled, "base", config, "As it is")
    assert pipelines.save_pipeline(filled, "base", config).id == first.id
    changed = pipelines.make_config({**config.model_dump(), "retrieval": {"candidates": 7}})
    second = pipelines.save_pipeline(filled, "base", changed)
    assert (second.number, second.config.retrieval.candidates) == (2, 7)
    assert pipelines.find_pipeline(filled, "base", 1).config == config
    assert [row.number for row in list_pipeline_versions(filled.database, "base")] == [2, 1]
    assert [row.number for row in list_pipelines(filled.database)] == [2]
    assert pipelines.diff_configs(config, changed) == (
        ("retrieval.candidates", config.retrieval.candidates, 7),
    )
    pipelines.delete_pipeline(filled, "base")
    assert list_pipelines(filled.database) == []


def test_a_pipeline_answers_as_it_says(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    save_prompt(filled.store, "short", "Two words.", "{{ question }}")
    values = {"collection": "A", "version": "1", "prompt": "short@1", "generation": {"max_answer_tokens": 9}}
    config = pipelines.make_config(values)
    result = drive(answer_question(filled, config.question("What does rye bread need?")))
    trace = get_trace(filled.database, result.trace_id)
    assert (trace.prompt_name, trace.prompt_version, trace.version_number) == ("short", 1, 1)
    assert '"max_answer_tokens":9' in trace.settings
    assert isinstance(filled.loaded_model, ScriptedModel)
    assert "Two words." in filled.loaded_model.prompts[-1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"collection": "none"}, "no collection named"),
        ({"collection": "A", "version": "9"}, "no version 9"),
        ({"collection": "A", "prompt": "gone"}, "no prompt named"),
    ],
)
def test_a_pipeline_of_what_is_not_there_is_refused(
    filled: Workspace, values: dict[str, object], message: str
) -> None:
    with pytest.raises(NotFoundError, match=message):
        pipelines.save_pipeline(filled, "p", pipelines.make_config(values))
    assert list_pipelines(filled.database) == []


def test_a_wrong_configuration_is_one_sentence(filled: Workspace) -> None:
    for values, message in (
        ({}, "collection: Field required"),
        ({"collection": "A", "retrieval": {"candidates": -1}}, "retrieval.candidates"),
        ({"collection": "A", "speed": 1}, "speed"),
    ):
        with pytest.raises(RagError, match=message):
            pipelines.make_config(values)
    with pytest.raises(NotFoundError, match="no pipeline named"):
        pipelines.find_pipeline(filled, "none")


def test_a_configuration_of_an_older_program_searches_as_it_did() -> None:
    written = {"search": "hybrid", "candidates": 40, "rrf_k": 60, "max_passages": 4, "min_similarity": 0.3}
    old = pipelines.make_config({"collection": "A", "retrieval": written})
    assert old.retrieval == preset("Classic").model_copy(update={"max_passages": 4})
    new = pipelines.make_config({"collection": "A", "retrieval": {"max_passages": 4}})
    assert new.retrieval == preset("Balanced").model_copy(update={"max_passages": 4})
    assert pipelines.make_config(new.model_dump(mode="json")) == new


def test_a_pipeline_of_before_the_budget_of_thinking_is_still_the_same() -> None:
    config = pipelines.PipelineConfig(collection="A")
    values = config.model_dump(mode="json")
    del values["generation"]["max_thinking_tokens"]
    assert values.pop("steps") == []  # nor were there cascades
    assert values.pop("guardrails") == []  # nor policies
    plain = json.dumps(values, sort_keys=True, ensure_ascii=False)
    assert config.fingerprint == hashlib.sha256(plain.encode()).hexdigest()
    other = config.model_copy(update={"generation": GenerationSettings(max_thinking_tokens=9)})
    assert other.fingerprint != config.fingerprint
