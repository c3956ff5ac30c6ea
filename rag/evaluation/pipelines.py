"""Pipelines: named ways to answer, in versions that never change. Two of them compared is what evaluation is for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session, col, select

from rag.asking.rows import Question, TraceSource
from rag.errors import NotFoundError, RagError
from rag.evaluation.cases import Check
from rag.knowledge.collections import find_collection, find_version
from rag.prompts.registry import PRODUCTION, find_prompt, is_label, user_name
from rag.prompts.required_gates import forget_requirement, refuse_ungated
from rag.prompts.rows import LabelMove
from rag.settings import GenerationSettings, RetrievalSettings
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.evaluation import Pipeline, PipelineLabel, PipelineLabelMove, PipelineVersion
from rag.workspace import Workspace


class PipelineConfig(BaseModel):
    """All that an answer depends on besides the question.

    version: number or tag of a dataset version, or "active". prompt: "NAME", "NAME@LABEL" or "NAME@NUMBER". model:
    name or path; empty: the active one. checks: applied to every answer, besides those of its case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    collection: Annotated[str, Field(min_length=1)]
    version: str = "active"
    prompt: str = "default"
    model: str = ""
    retrieval: RetrievalSettings = RetrievalSettings()
    generation: GenerationSettings = GenerationSettings()
    checks: tuple[Check, ...] = ()
    kind: Literal["answer", "retrieval"] = "answer"  # retrieval: no model is asked

    @property
    def fingerprint(self) -> str:
        """sha256 of the configuration, 64 hex digits."""
        plain = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
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
        )


@dataclass(frozen=True)
class PipelineRow:
    id: int  # of the version
    name: str
    number: int
    created_ms: int
    message: str
    fingerprint: str
    config: PipelineConfig
    labels: tuple[str, ...] = ()


def make_config(values: dict[str, Any]) -> PipelineConfig:
    """A checked configuration. Raises RagError with the key and what is wrong with it."""
    try:
        return PipelineConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RagError(f"{place}: {str(first['msg']).removeprefix('Value error, ')}.") from error


def present_config(workspace: Workspace, collection: str) -> PipelineConfig:
    """The configuration that answers a collection's questions now."""
    return PipelineConfig(
        collection=collection,
        model=workspace.settings.models.active,
        retrieval=workspace.settings.retrieval,
        generation=workspace.settings.generation,
    )


def save_pipeline(workspace: Workspace, name: str, config: PipelineConfig, message: str = "") -> PipelineRow:
    """A new version of a pipeline, which is made if there is none of that name; the same again is the same one.

    Raises RagError when its collection, dataset version or prompt does not exist.
    """
    name = name.strip()
    if not name or len(name) > 200:
        raise RagError("A pipeline needs a name of at most 200 characters.")
    find_prompt(workspace.store, config.prompt)
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
        audit_log.record(session, "pipeline version made", f"{name} {version.number}", version.message)
        session.flush()
        return _row(session, found, version)


def find_pipeline(workspace: Workspace, name: str, number: int | None = None) -> PipelineRow:
    """A version of a pipeline; None: the newest."""
    with workspace.store.session() as session:
        found = _find(session, name)
        version = _version(session, found, found.last_number if number is None else number)
        if version is None:
            raise NotFoundError(f"The pipeline “{name}” has no version {number}.")
        return _row(session, found, version)


def named_pipeline(workspace: Workspace, reference: str) -> PipelineRow:
    """A version of "NAME", "NAME@NUMBER" or "NAME@LABEL"; NAME alone means the newest."""
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


def list_pipelines(workspace: Workspace) -> list[PipelineRow]:
    """The newest version of each, by name."""
    with workspace.store.session() as session:
        rows = session.exec(
            select(Pipeline, PipelineVersion)
            .where(PipelineVersion.pipeline_id == Pipeline.id, PipelineVersion.number == Pipeline.last_number)
            .order_by(Pipeline.name)
        ).all()
        return [_row(session, found, version) for found, version in rows]


def pipeline_versions(workspace: Workspace, name: str) -> list[PipelineRow]:
    """Newest first."""
    with workspace.store.session() as session:
        found = _find(session, name)
        rows = session.exec(
            select(PipelineVersion)
            .where(PipelineVersion.pipeline_id == found.id)
            .order_by(col(PipelineVersion.number).desc())
        ).all()
        return [_row(session, found, row) for row in rows]


def delete_pipeline(workspace: Workspace, name: str) -> None:
    with workspace.store.session() as session:
        found = _find(session, name)
        for table in ("pipelineversion", "pipelinelabel", "pipelinelabelmove"):
            session.connection().exec_driver_sql(f"DELETE FROM {table} WHERE pipeline_id = ?", (found.id,))
        forget_requirement(session, "pipeline", found.id or 0)
        session.delete(found)
        audit_log.record(session, "pipeline deleted", name)


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

    A gate that the label production waits for must have been passed by a run of that version, or force must say why
    in note. Raises RagError.
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
            audit_log.record(session, "pipeline label moved", f"{name}@{label}", where)
        return LabelMove(label, before, number, move.moved_ms, move.author, note)


def pipeline_labels(session: Session, found: Pipeline) -> dict[str, int]:
    """label -> number of its version."""
    rows = session.exec(
        select(PipelineLabel.name, PipelineVersion.number)
        .join(PipelineVersion, col(PipelineVersion.id) == PipelineLabel.version_id)
        .where(PipelineLabel.pipeline_id == found.id)
        .order_by(PipelineLabel.name)
    ).all()
    return dict(rows)


def diff_configs(old: PipelineConfig, new: PipelineConfig) -> tuple[tuple[str, Any, Any], ...]:
    """(key, old value, new value) of what differs, keys as "retrieval.top_k"."""
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


def _row(session: Session, found: Pipeline, version: PipelineVersion) -> PipelineRow:
    labels = pipeline_labels(session, found)
    return PipelineRow(
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
    """A new version of a pipeline; returns its number. values: of rag.evaluation.pipelines.PipelineConfig."""
    return save_pipeline(workspace, name, make_config(values), message).number


def present_pipeline(workspace: Workspace, collection: str) -> dict[str, Any]:
    """The configuration that answers a collection's questions now."""
    return present_config(workspace, collection).model_dump(mode="json")
