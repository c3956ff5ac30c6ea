"""Answers a question by a pipeline, whether it is a cascade or not.

A cascade's steps are stored as references, such as "NAME@production". In a run or a roll-out nothing may
move, so there each step has its whole configuration beside its reference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rag.asking.cache.answering import answer_or_recall
from rag.asking.cascades.conditions import Step
from rag.asking.cascades.running import StepToAsk, answer_cascade
from rag.asking.rows import AskResult, Question
from rag.costs.budgets.limits import before_asking, budget_left
from rag.evaluation.pipelines import PipelineConfig, step_config
from rag.models.catalogue import find_model, model_identity
from rag.prompts.registry import find_prompt
from rag.storage.database import Database
from rag.workspace import Workspace


def answer_with(
    workspace: Workspace, config: PipelineConfig | None, question: Question, is_confirmed: bool = False
) -> Generator[Any, None, AskResult]:
    """Answer a question if the budgets allow it, by the steps of its pipeline when that is a cascade.

    Args:
        workspace: Where the collection is.
        config: The pipeline; None: as the settings say.
        question: What this pipeline is asked. The steps of a cascade are always asked afresh.
        is_confirmed: A person has said yes to what a budget asks.
    """

    def allowed(asked: Question) -> list[str]:
        return before_asking(workspace, asked.model or "", asked.pipeline, asked.source, is_confirmed)

    question = replace(question, is_confirmed=is_confirmed or question.is_confirmed)
    if config is not None and config.steps:
        steps = steps_to_ask(workspace, config, question)
        return (
            yield from answer_cascade(workspace, steps, budget=partial(_left, workspace), allowed=allowed)
        )
    warnings = allowed(question)
    result = yield from answer_or_recall(workspace, question)
    return replace(result, notices=(*warnings, *result.notices))


def _left(workspace: Workspace, question: Question) -> float | None:
    return budget_left(workspace, question.model or "", question.pipeline, question.source)


def steps_to_ask(workspace: Workspace, config: PipelineConfig, question: Question) -> list[StepToAsk]:
    """Return the steps of a cascade, ready to be asked a question of the cascade. Raises RagError."""
    ready = []
    for step in config.steps:
        own = step_config(workspace, config, step).question(
            question.text, question.collection, question.session_id, question.trace_id, question.source
        )
        seed = question.overrides["generation"]["seed"]
        overrides = {**own.overrides, "generation": {**own.overrides["generation"], "seed": seed}}
        asked = replace(
            own,
            overrides=overrides,
            tags=question.tags,
            is_confirmed=question.is_confirmed,
            parent_id=question.parent_id,
            pipeline=question.pipeline,
            caller=question.caller,
        )
        ready.append(StepToAsk(step.name, asked, step.when, step.accept))
    return ready


def pinned_steps(workspace: Workspace, config: PipelineConfig) -> tuple[Step, ...]:
    """Return the steps with their whole configurations, in which nothing can move. Raises RagError.

    Prompts are named by number and models by path. The dataset version is the cascade's.
    """
    return tuple(
        step.model_copy(update={"config": _pinned(workspace, config, step).model_dump(mode="json")})
        for step in config.steps
    )


def model_files(workspace: Workspace, config: PipelineConfig) -> list[Path]:
    """Return the files of the models of a pipeline, in the order of its steps. Raises NotFoundError."""
    steps = [step_config(workspace, config, step) for step in config.steps] or [config]
    return [_model_path(workspace, one.model) for one in steps]


def models_identity(database: Database, paths: list[Path]) -> str:
    """Return the identity of a model, or of several: 64 hex digits. Raises NotFoundError."""
    sums = [model_identity(database, path) for path in paths]
    return sums[0] if len(sums) == 1 else hashlib.sha256(" ".join(sums).encode()).hexdigest()


def _pinned(workspace: Workspace, config: PipelineConfig, step: Step) -> PipelineConfig:
    found = step_config(workspace, config, step)
    template = find_prompt(workspace.store, found.prompt)
    values = {
        "collection": config.collection,
        "version": config.version,
        "prompt": f"{template.name}@{template.version}",
        "model": str(_model_path(workspace, found.model)),
    }
    return found.model_copy(update=values)


def _model_path(workspace: Workspace, model: str) -> Path:
    if model:
        return find_model(workspace.database, workspace.settings, model)
    return workspace.active_model_path()
