"""Pipelines: named ways to answer, in versions that never change. Evaluation compares them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlmodel import Session, col, select

from rag.asking.cascades.conditions import Step
from rag.asking.rows import Question, TraceSource
from rag.errors import NotFoundError, RagError
from rag.evaluation.cases import Check
from rag.evaluation.rows import PipelineKind
from rag.guardrails.policies.in_force import pinned
from rag.knowledge.collections import find_collection, find_version
from rag.knowledge.search_settings import settings_for
from rag.prompts.registry import PRODUCTION, find_prompt, is_label, user_name
from rag.prompts.required_gates import forget_requirement, refuse_ungated
from rag.prompts.rows import LabelMove
from rag.settings import GenerationSettings, RetrievalSettings, retrieval_as_written
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import Pipeline, PipelineLabel, PipelineLabelMove, PipelineVersion
from rag.workspace import Workspace


class PipelineConfig(BaseModel):
    """Everything an answer depends on besides the question.

    Attributes:
        collection: The name of the collection.
        version: Number or tag of a dataset version, or "active".
        prompt: "NAME", "NAME@LABEL" or "NAME@NUMBER".
        model: Name or path; empty: the active one.
        retrieval: How passages are searched for.
        generation: How the answer is sampled.
        checks: What every answer must satisfy, besides the checks of its case.
        kind: Whether a model answers, or passages are only searched for.
        steps: Of a cascade, in order; see rag.asking.cascades. Without any this pipeline answers itself.
        guardrails: Policies that act besides those of the collection, as "NAME", "NAME@LABEL" or
            "NAME@NUMBER"; saved with the version and fingerprint that they had, so that none can move.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    collection: Annotated[str, Field(min_length=1)]
    version: str = "active"
    prompt: str = "default"
    model: str = ""
    retrieval: RetrievalSettings = RetrievalSettings()
    generation: GenerationSettings = GenerationSettings()
    checks: tuple[Check, ...] = ()
    kind: PipelineKind = PipelineKind.ANSWER
    steps: tuple[Step, ...] = ()
    guardrails: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _a_cascade(self) -> PipelineConfig:
        if self.steps and self.kind is not PipelineKind.ANSWER:
            raise ValueError("a pipeline that only searches has no steps")
        if len(self.steps) == 1:
            raise ValueError("a cascade has at least two steps")
        if self.steps and not self.steps[-1].when.is_empty:
            raise ValueError("the last step has no rule (when): it answers what no other one does")
        return self

    @field_validator("retrieval", mode="before")
    @classmethod
    def _as_it_was_written(cls, value: Any) -> Any:
        return retrieval_as_written(value) if isinstance(value, dict) else value

    @property
    def fingerprint(self) -> str:
        """The sha256 of the configuration, 64 hex digits."""
        values = self.model_dump(mode="json")
        if self.generation.max_thinking_tokens == GenerationSettings().max_thinking_tokens:
            del values["generation"]["max_thinking_tokens"]  # saved before there was this setting: the same
        for added in ("steps", "guardrails"):
            if not values[added]:
                del values[added]  # saved before there was this key: the same
        plain = json.dumps(values, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()

    def question(
        self,
        text: str,
        collection: str = "",
        session_id: str = "",
        trace_id: str = "",
        source: TraceSource = TraceSource.PERSON,
    ) -> Question:
        """Return a question that this pipeline answers; collection "": the pipeline's own."""
        return Question(
            text,
            collection or self.collection,
            None if self.version == "active" else self.version,
            self.model or None,
            session_id,
            source,
            {
                "retrieval": self.retrieval.model_dump(mode="json"),
                "generation": self.generation.model_dump(mode="json"),
            },
            self.prompt,
            trace_id,
            guardrails=self.guardrails,
        )


@dataclass(frozen=True)
class SavedPipeline:
    """A version of a pipeline with its configuration; `id` is that of the version."""

    id: int
    name: str
    number: int
    created_ms: int
    message: str
    fingerprint: str
    config: PipelineConfig
    labels: tuple[str, ...] = ()


def make_config(values: dict[str, Any]) -> PipelineConfig:
    """Return a checked configuration. Raises RagError with the key and what is wrong with it."""
    try:
        return PipelineConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RagError(f"{place}: {str(first['msg']).removeprefix('Value error, ')}.") from error


def present_config(workspace: Workspace, collection: str) -> PipelineConfig:
    """Return the configuration that the settings give a collection's questions now."""
    return PipelineConfig(
        collection=collection,
        model=workspace.settings.models.active,
        retrieval=settings_for(workspace, collection).retrieval,
        generation=workspace.settings.generation,
    )


def save_pipeline(
    workspace: Workspace, name: str, config: PipelineConfig, message: str = ""
) -> SavedPipeline:
    """Save a version of a pipeline, which is made if it does not exist.

    A configuration equal to the newest one makes no new version. Raises RagError when the collection, dataset
    version or prompt does not exist, or a step of a cascade cannot answer.
    """
    name = name.strip()
    if not name or len(name) > 200:
        raise RagError("A pipeline needs a name of at most 200 characters.")
    find_prompt(workspace.store, config.prompt)
    config = config.model_copy(update={"guardrails": pinned(workspace.database, config.guardrails)})
    for step in config.steps:
        step_config(workspace, config, step)
    with workspace.store.session() as session:
        collection = find_collection(session, config.collection)
        if config.version != "active":
            find_version(session, collection, config.version)
        found = session.exec(select(Pipeline).where(Pipeline.name == name)).first()
        if found is None:
            found = Pipeline(name=name, created_ms=now_ms())
            session.add(found)
            session.flush()
        newest = _version(session, found, found.last_number)
        if newest is not None and newest.fingerprint == config.fingerprint:
            return _row(session, found, newest)
        found.last_number += 1
        version = PipelineVersion(
            pipeline_id=found.id or 0,
            number=found.last_number,
            created_ms=now_ms(),
            message=message.strip() or "No message",
            fingerprint=config.fingerprint,
            content=config.model_dump_json(),
        )
        session.add(found)
        session.add(version)
        audit_log.record(
            session,
            audit_log.Action.PIPELINE_VERSION_MADE,
            f"{name} {version.number}",
            version.message,
            before=newest.fingerprint if newest else "",
            after=version.fingerprint,
        )
        session.flush()
        return _row(session, found, version)


def find_pipeline(workspace: Workspace, name: str, number: int | None = None) -> SavedPipeline:
    """Return a version of a pipeline; None: the newest. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = _find(session, name)
        version = _version(session, found, found.last_number if number is None else number)
        if version is None:
            raise NotFoundError(f"The pipeline “{name}” has no version {number}.")
        return _row(session, found, version)


def named_pipeline(workspace: Workspace, reference: str) -> SavedPipeline:
    """Return the version that "NAME", "NAME@NUMBER" or "NAME@LABEL" means; NAME alone: the newest.

    Raises NotFoundError.
    """
    name, at, which = reference.rpartition("@")
    if not at:
        return find_pipeline(workspace, reference)
    if which.isdecimal():
        return find_pipeline(workspace, name, int(which))
    with workspace.store.session() as session:
        number = pipeline_labels(session, _find(session, name)).get(which)
    if number is None:
        raise NotFoundError(f"No version of the pipeline “{name}” has the label “{which}”.")
    return find_pipeline(workspace, name, number)


def step_config(workspace: Workspace, config: PipelineConfig, step: Step) -> PipelineConfig:
    """Return the configuration that a step answers with. Raises RagError when it is gone or cannot answer.

    A step that names a pipeline answers as that does, of the documents of the cascade; one that names a model
    as the cascade does, with that model.
    """
    if step.config:
        return PipelineConfig.model_validate(step.config)
    if not step.pipeline:
        return config.model_copy(update={"model": step.model or config.model, "steps": (), "checks": ()})
    found = named_pipeline(workspace, step.pipeline).config
    if found.steps:
        raise RagError(f"The step “{step.pipeline}” is a cascade. A step must be a pipeline without steps.")
    if found.kind is not PipelineKind.ANSWER:
        raise RagError(f"The step “{step.pipeline}” only searches. A step must be a pipeline that answers.")
    if found.collection != config.collection:
        raise RagError(
            f"The step “{step.pipeline}” answers “{found.collection}”, not “{config.collection}”. Choose a "
            "pipeline of the same collection."
        )
    both = tuple(dict.fromkeys((*config.guardrails, *found.guardrails)))
    return found.model_copy(update={"version": config.version, "guardrails": both})


def delete_pipeline(workspace: Workspace, name: str) -> None:
    """Delete a pipeline with its versions; its runs stay. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = _find(session, name)
        for table in ("pipelineversion", "pipelinelabel", "pipelinelabelmove"):
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE pipeline_id = ?", (found.id,))
        forget_requirement(session, "pipeline", found.id or 0)
        session.delete(found)
        audit_log.record(session, audit_log.Action.PIPELINE_DELETED, name)


# --- labels -----------------------------------------------------------------------------------------------


def move_pipeline_label(
    workspace: Workspace,
    name: str,
    label: str,
    number: int | None,
    *,
    author: str = "",
    note: str = "",
    force: bool = False,
) -> LabelMove:
    """Point a label such as production or staging to a version; None removes it. Each move is logged.

    A gate that the label production requires must have been passed by a run of that version; with `force`,
    `note` must say why it was not. Raises RagError.
    """
    if not is_label(label):
        raise RagError(
            "A label is a word of small letters, digits and hyphens, such as production or staging."
        )
    with workspace.store.session() as session:
        found = _find(session, name)
        before = pipeline_labels(session, found).get(label)
        if number is None and before is None:
            raise NotFoundError(f"No version of the pipeline “{name}” has the label “{label}”.")
        version = None if number is None else _version(session, found, number)
        if number is not None and version is None:
            raise NotFoundError(f"The pipeline “{name}” has no version {number}.")
        move = PipelineLabelMove(
            pipeline_id=found.id or 0,
            label=label,
            from_number=before,
            to_number=number,
            moved_ms=now_ms(),
            author=author or user_name(),
            note=note,
        )
        if before != number:
            if version is None:
                session.delete(session.get_one(PipelineLabel, (found.id, label)))
            else:
                if label == PRODUCTION:
                    refuse_ungated(
                        session, "pipeline", found.id or 0, name, version.id or 0, number or 0, force, note
                    )
                session.merge(
                    PipelineLabel(
                        pipeline_id=found.id or 0,
                        name=label,
                        version_id=version.id or 0,
                        moved_ms=move.moved_ms,
                    )
                )
            session.add(move)
            where = "removed" if number is None else f"to version {number}"
            after = version.fingerprint if version else ""
            moved = audit_log.Action.PIPELINE_LABEL_MOVED
            audit_log.record(session, moved, f"{name}@{label}", where, after=after)
        return LabelMove(label, before, number, move.moved_ms, move.author, note)


def pipeline_labels(session: Session, found: Pipeline) -> dict[str, int]:
    """Return the number of the version of each label."""
    rows = session.exec(
        select(PipelineLabel.name, PipelineVersion.number)
        .join(PipelineVersion, col(PipelineVersion.id) == PipelineLabel.version_id)
        .where(PipelineLabel.pipeline_id == found.id)
        .order_by(PipelineLabel.name)
    ).all()
    return dict(rows)


def diff_configs(old: PipelineConfig, new: PipelineConfig) -> tuple[tuple[str, Any, Any], ...]:
    """Return (key, old value, new value) of what differs, with keys such as "retrieval.top_k"."""
    a, b = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    return tuple((key, a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key))


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found.update(_flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value})
    return found


def _find(session: Session, name: str) -> Pipeline:
    found = session.exec(select(Pipeline).where(Pipeline.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no pipeline named “{name}”.")
    return found


def _version(session: Session, found: Pipeline, number: int) -> PipelineVersion | None:
    return session.exec(
        select(PipelineVersion).where(
            PipelineVersion.pipeline_id == found.id, PipelineVersion.number == number
        )
    ).first()


def _row(session: Session, found: Pipeline, version: PipelineVersion) -> SavedPipeline:
    labels = pipeline_labels(session, found)
    return SavedPipeline(
        version.id or 0,
        found.name,
        version.number,
        version.created_ms,
        version.message,
        version.fingerprint,
        PipelineConfig.model_validate_json(version.content),
        tuple(label for label, number in labels.items() if number == version.number),
    )


def store_pipeline(workspace: Workspace, name: str, values: dict[str, Any], message: str = "") -> int:
    """Save a version of a pipeline from values of a PipelineConfig; return its number. Raises RagError."""
    return save_pipeline(workspace, name, make_config(values), message).number


def present_pipeline(workspace: Workspace, collection: str) -> dict[str, Any]:
    """Return the values of the configuration that the settings give a collection's questions now."""
    return present_config(workspace, collection).model_dump(mode="json")
