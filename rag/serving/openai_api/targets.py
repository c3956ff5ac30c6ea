"""What clients see as models: each collection and each pipeline, and embedders for embeddings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rag.errors import NotFoundError
from rag.evaluation.pipelines import PipelineConfig, named_pipeline
from rag.evaluation.rows import PipelineKind, list_pipelines
from rag.knowledge.rows import list_collections
from rag.models.embedding import Embedder
from rag.review.rollouts import config_of, production_config
from rag.review.rows import Arm, running_rollout
from rag.serving.openai_api.errors import ApiError
from rag.storage.tables.review import Rollout
from rag.workspace import Workspace

COLLECTION, PIPELINE, EMBEDDER = "collection/", "pipeline/", "embedder/"


@dataclass(frozen=True)
class Target:
    """Something that answers.

    Attributes:
        id: What clients call it, such as "collection/Kitchen".
        collection: The collection that is searched.
        pipeline: "NAME", "NAME@NUMBER" or "NAME@LABEL"; "" for a collection as the settings answer it.
        context: Length of the model's context, in tokens.
        created_s: When it was made, in Unix seconds.
    """

    id: str
    collection: str
    pipeline: str
    context: int
    created_s: int


def list_targets(workspace: Workspace) -> list[Target]:
    """Return everything that answers, collections first."""
    found = [
        Target(COLLECTION + row.name, row.name, "", _context(workspace, row.name), row.created_ms // 1000)
        for row in list_collections(workspace.database)
        if row.active_version_id is not None
    ]
    for row in list_pipelines(workspace.database):
        config = json.loads(row.config)
        if config.get("kind", PipelineKind.ANSWER) == PipelineKind.ANSWER:
            context = int(config.get("generation", {}).get("context", 0))
            found.append(
                Target(PIPELINE + row.name, config["collection"], row.name, context, row.created_ms // 1000)
            )
    return found


def find_target(workspace: Workspace, name: str) -> Target:
    """Return what a client calls by this name, with its prefix or, where one thing has it, without.

    Raises ApiError.
    """
    targets = list_targets(workspace)
    found = [one for one in targets if name in (one.id, one.id.partition("/")[2])]
    if len(found) == 1 or (found and found[0].id == name):
        return next((one for one in found if one.id == name), found[0])
    reference = name.removeprefix(PIPELINE)
    if not found and "@" in reference:
        try:
            saved = named_pipeline(workspace, reference)
        except NotFoundError as error:
            raise _unknown(str(error)) from error
        config = saved.config
        return Target(
            PIPELINE + reference,
            config.collection,
            reference,
            config.generation.context,
            saved.created_ms // 1000,
        )
    if found:
        raise ApiError(
            f"“{name}” is a collection and a pipeline. Ask for {found[0].id} or {found[1].id}.", "model"
        )
    raise _unknown(f"There is no collection or pipeline “{name}”. GET /v1/models lists them.")


def is_cascade(workspace: Workspace, target: Target) -> bool:
    """Return whether steps may be asked whose answers are not given: such are not streamed."""
    if target.pipeline:
        return bool(named_pipeline(workspace, target.pipeline).config.steps)
    configs: list[PipelineConfig | None]
    if row := running_rollout(workspace.database, target.collection):
        with workspace.store.session() as session:
            rollout = session.get_one(Rollout, row.id)
        configs = [config_of(rollout, arm) for arm in Arm]
    else:
        configs = [production_config(workspace, target.collection)]
    return any(config is not None and config.steps for config in configs)


def list_embedders(workspace: Workspace) -> dict[str, str]:
    """Return the names of embedders with a collection that each is of, "" for the default one."""
    found = {EMBEDDER + workspace.embedder.name: ""}
    for row in list_collections(workspace.database):
        found.setdefault(EMBEDDER + row.embedder_name, row.name)
    return found


def find_embedder(workspace: Workspace, name: str) -> tuple[Embedder, str]:
    """Return an embedder by its name or that of a collection, and the collection whose texts it is given.

    Raises ApiError.
    """
    known = list_embedders(workspace)
    bare = {key.partition("/")[2]: collection for key, collection in known.items()}
    collection = known.get(name, bare.get(name))
    if collection is None:
        collection = find_target(workspace, name).collection
    if not collection:
        return workspace.embedder, ""
    rows = workspace.database.query(
        """SELECT v.embedder, v.embedder_name FROM collection c
           JOIN datasetversion v ON v.id = c.active_version_id WHERE c.name = ?""",
        (collection,),
    )
    if not rows:
        raise _unknown(f"The collection “{collection}” has no version yet.")
    return workspace.embedder_of(rows[0][0], rows[0][1], collection), collection


def model_object(target: Target) -> dict[str, Any]:
    """Return a target as /v1/models lists it."""
    return {
        "id": target.id,
        "object": "model",
        "created": target.created_s,
        "owned_by": "ragdeck",
        "context_length": target.context,
        "x_ragdeck": {"collection": target.collection, "pipeline": target.pipeline},
    }


def _context(workspace: Workspace, collection: str) -> int:
    config = production_config(workspace, collection)
    return (config.generation if config else workspace.settings.generation).context


def _unknown(sentence: str) -> ApiError:
    return ApiError(sentence, "model", "model_not_found", 404)
