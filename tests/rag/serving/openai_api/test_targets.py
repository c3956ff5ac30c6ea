"""Collections and pipelines are models, by their whole name or by a short one that says which is meant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serving_parts import COLLECTION, Served

from rag.evaluation.pipelines import PipelineConfig, delete_pipeline, make_config, save_pipeline
from rag.review.rollouts import production_config
from rag.serving.openai_api.errors import ApiError
from rag.serving.openai_api.targets import (
    find_embedder,
    find_target,
    is_cascade,
    list_embedders,
    list_targets,
    model_object,
)


@pytest.fixture
def pipelines(served: Served) -> Iterator[None]:
    small = PipelineConfig(collection=COLLECTION)
    save_pipeline(served.workspace, "short", small.model_copy(update={"generation": _generation(1024)}))
    save_pipeline(served.workspace, COLLECTION, small)
    save_pipeline(served.workspace, "finder", make_config({"collection": COLLECTION, "kind": "retrieval"}))
    yield
    delete_pipeline(served.workspace, COLLECTION)  # other tests mean the collection by this name


def _generation(context: int) -> object:
    return PipelineConfig(collection=COLLECTION).generation.model_copy(update={"context": context})


@pytest.mark.usefixtures("pipelines")
def test_what_answers_is_listed_with_its_context_and_what_only_searches_is_not(served: Served) -> None:
    found = {target.id: target for target in list_targets(served.workspace)}
    assert {"collection/Kitchen", "pipeline/Kitchen", "pipeline/short"} <= set(found)
    assert "pipeline/finder" not in found
    assert (found["pipeline/short"].context, found["collection/Kitchen"].context) == (1024, 4096)
    shown = model_object(found["pipeline/short"])
    assert shown["object"] == "model" and shown["context_length"] == 1024 and shown["created"] > 1_600_000_000


@pytest.mark.usefixtures("pipelines")
def test_a_short_name_must_say_which_is_meant(served: Served) -> None:
    assert find_target(served.workspace, "short").pipeline == "short"
    assert find_target(served.workspace, "pipeline/short@1").pipeline == "short@1"
    assert find_target(served.workspace, "short@1").context == 1024
    assert find_target(served.workspace, "collection/Kitchen").pipeline == ""
    with pytest.raises(ApiError, match="collection and a pipeline"):
        find_target(served.workspace, "Kitchen")
    for name in ("nobody", "short@9", "nobody@1", "pipeline/", ""):
        with pytest.raises(ApiError) as refused:
            find_target(served.workspace, name)
        assert (refused.value.status, refused.value.code) == (404, "model_not_found")


def test_without_a_cascade_everything_is_streamed(served: Served) -> None:
    target = find_target(served.workspace, "collection/Kitchen")
    assert production_config(served.workspace, COLLECTION) is None and not is_cascade(
        served.workspace, target
    )


def test_embedders_are_found_by_name_and_by_collection(served: Served) -> None:
    assert list_embedders(served.workspace) == {"embedder/fake": ""}
    for name in ("embedder/fake", "fake", "collection/Kitchen"):
        assert find_embedder(served.workspace, name)[0] is served.workspace.embedder
    assert find_embedder(served.workspace, "collection/Kitchen")[1] == COLLECTION


@pytest.mark.parametrize(
    "name",
    ["nobody", "", "/", "collection/", "collection/nobody", "pipeline/Kitchen", "kitchen", "Kitchen/", "embedder/fake"],
)  # fmt: skip
def test_a_name_that_nothing_has_is_a_sentence_with_a_way_out(served: Served, name: str) -> None:
    with pytest.raises(ApiError) as refused:
        find_target(served.workspace, name)
    assert str(refused.value) == f"There is no collection or pipeline “{name}”. GET /v1/models lists them."
    assert (refused.value.param, refused.value.code, refused.value.status) == (
        "model", "model_not_found", 404,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["Kitchen", "collection/Kitchen"])
def test_a_collection_is_found_with_its_prefix_and_without(served: Served, name: str) -> None:
    found = find_target(served.workspace, name)
    assert (found.id, found.collection, found.pipeline) == ("collection/Kitchen", COLLECTION, "")


def test_what_is_listed_is_found_by_its_id_and_shown_as_a_model(served: Served) -> None:
    for target in list_targets(served.workspace):
        assert find_target(served.workspace, target.id) == target
        assert model_object(target) == {
            "id": target.id,
            "object": "model",
            "created": target.created_s,
            "owned_by": "ragdeck",
            "context_length": target.context,
            "x_ragdeck": {"collection": target.collection, "pipeline": target.pipeline},
        }


def test_the_context_of_a_collection_is_that_of_the_settings(served: Served) -> None:
    served.workspace.change_settings({"generation": {"context": 2048}})
    try:
        assert find_target(served.workspace, COLLECTION).context == 2048
    finally:
        served.workspace.change_settings({"generation": {"context": 4096}})


@pytest.mark.parametrize("name", ["nobody", "embedder/nobody", "", "pipeline/nobody"])
def test_an_embedder_that_there_is_not_is_a_sentence(served: Served, name: str) -> None:
    with pytest.raises(ApiError, match="There is no collection or pipeline"):
        find_embedder(served.workspace, name)


@pytest.mark.usefixtures("pipelines")
def test_a_pipeline_that_only_searches_embeds_nothing_by_its_name(served: Served) -> None:
    with pytest.raises(ApiError, match="“finder”"):
        find_embedder(served.workspace, "finder")
    assert find_embedder(served.workspace, "short") == (served.workspace.embedder, COLLECTION)


@pytest.mark.parametrize(
    ("steps", "is_one"),
    [
        ([], False),
        ([{"pipeline": "short", "accept": {"at_least": {"retrieval": 1.0}}}, {"pipeline": "short"}], True),
    ],
)
@pytest.mark.usefixtures("pipelines")
def test_only_a_pipeline_with_steps_is_a_cascade(
    served: Served, steps: list[dict[str, object]], is_one: bool
) -> None:
    save_pipeline(served.workspace, "stepped", make_config({"collection": COLLECTION, "steps": steps}))
    try:
        assert is_cascade(served.workspace, find_target(served.workspace, "stepped")) is is_one
    finally:
        delete_pipeline(served.workspace, "stepped")
