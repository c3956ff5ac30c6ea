"""Roll-outs: another pipeline in use next to the one that answers, until it is known which is better.

Canary: a share of the questions goes to staging, by a hash of the trace's id. Blind: both answer, in a random
order, and the person picks without knowing which is which. Both configurations are frozen at the start.
Promotion makes staging the pipeline that answers: where only the prompt differs its label `production` moves,
otherwise the collection gets the pipeline as its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from rag.errors import NotFoundError, RagError
from rag.evaluation.cascades.answering import pinned_steps
from rag.evaluation.pipelines import (
    PipelineConfig,
    diff_configs,
    find_pipeline,
    present_config,
)
from rag.evaluation.rows import PipelineKind
from rag.knowledge.collections import find_collection
from rag.prompts.registry import PRODUCTION, find_prompt, move_label
from rag.review.rows import Arm, Choice, Picked, Revealed, RolloutKind, RolloutRow, RolloutState, get_rollout
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.review import ProductionPipeline, Rollout, RolloutAnswer
from rag.workspace import Workspace

ALL = 0  # the key of "all collections" in ProductionPipeline
NOW = "what answers now"


# --- starting and ending ----------------------------------------------------------------------------------


def start_rollout(
    workspace: Workspace,
    kind: str,
    *,
    collection: str = "",
    staging: str = "",
    staging_number: int | None = None,
    prompt: str = "",
    production: str = "",
    production_number: int | None = None,
    share: float = 0.1,
    note: str = "",
) -> RolloutRow:
    """Start a roll-out.

    Args:
        workspace: Where the pipelines are.
        kind: One of RolloutKind.
        collection: Its name; "": all.
        staging: The pipeline that is tried; "": what answers now, with `prompt`.
        staging_number: Its version; None: the newest.
        prompt: The prompt that is tried, "NAME@NUMBER"; "": `staging` is.
        production: The pipeline in use; "": what answers now.
        production_number: Its version; None: the newest.
        share: Of the questions that a canary sends to staging, 0 to 1.
        note: What it is for.

    Raises:
        RagError: A value is refused, both are the same, or a roll-out is already running there.
    """
    if kind not in set(RolloutKind):
        raise RagError(f"“{kind}” is not a kind of roll-out. Choose one of: {', '.join(RolloutKind)}.")
    if not 0.0 <= share <= 1.0:
        raise RagError("The share of a canary must be between 0 and 1.")
    if bool(staging) == bool(prompt):
        raise RagError("Name either the staging pipeline or the prompt version to try.")
    first = NOW, _present(workspace, collection)
    if production:
        first = _named(workspace, production, production_number)
    second = f"prompt {prompt}", first[1].model_copy(update={"prompt": prompt})
    if staging:
        second = _named(workspace, staging, staging_number)
    made = Rollout(
        kind=kind,
        collection=collection,
        share=1.0 if kind == RolloutKind.BLIND else share,
        production=first[0],
        production_config=_frozen(workspace, first[1], collection).model_dump_json(),
        staging=second[0],
        staging_config=_frozen(workspace, second[1], collection).model_dump_json(),
        created_ms=now_ms(),
        note=note.strip(),
    )
    return get_rollout(workspace.database, _start(workspace, made))


def _start(workspace: Workspace, made: Rollout) -> int:
    """Store a roll-out; return its number. Raises RagError without a difference, or when one is running."""
    if made.production_config == made.staging_config:
        raise RagError("Both pipelines are the same. There is nothing to compare.")
    collection = made.collection
    with workspace.store.session() as session:
        found = find_collection(session, collection) if collection else None
        running = session.exec(select(Rollout).where(Rollout.state == RolloutState.RUNNING)).all()
        if any(found is None or other.collection_id in (None, found.id) for other in running):
            raise RagError("A roll-out is already running there. Promote or stop it first.")
        made.collection_id = found.id if found else None
        session.add(made)
        where = f"{made.kind} in {collection or 'all collections'}"
        audit_log.record(session, audit_log.Action.ROLL_OUT_STARTED, made.staging, where)
        session.flush()
        return made.id or 0


def preview_promotion(workspace: Workspace, rollout_id: int) -> str:
    """Return what promoting a roll-out would change, in one sentence. Raises RagError."""
    with workspace.store.session() as session:
        return _plan(session, _running(session, rollout_id)).sentence


def promote_rollout(workspace: Workspace, rollout_id: int) -> str:
    """Make staging the pipeline that answers, and end the roll-out; return what changed. Raises RagError."""
    with workspace.store.session() as session:
        found = _running(session, rollout_id)
        plan = _plan(session, found)
        if not plan.prompt:
            session.merge(
                ProductionPipeline(
                    collection_id=found.collection_id or ALL,
                    name=found.staging,
                    config=found.staging_config,
                    moved_ms=now_ms(),
                    rollout_id=found.id or 0,
                )
            )
            _end(session, found, RolloutState.PROMOTED, plan.sentence)
    if plan.prompt:
        # The label first: if the program ends between the two, promoting again moves nothing and ends it.
        move_label(workspace.store, plan.prompt, PRODUCTION, plan.number, note=f"Roll-out {rollout_id}")
        with workspace.store.session() as session:
            _end(session, _running(session, rollout_id), RolloutState.PROMOTED, plan.sentence)
    return plan.sentence


def stop_rollout(workspace: Workspace, rollout_id: int) -> None:
    """End a roll-out; the pipeline in use continues to answer. Raises RagError."""
    with workspace.store.session() as session:
        _end(session, _running(session, rollout_id), RolloutState.STOPPED, "")


def release_production(workspace: Workspace, collection: str = "") -> bool:
    """Let the settings answer a collection, or all, again; return False if it had no promoted pipeline."""
    with workspace.store.session() as session:
        key = (find_collection(session, collection).id or 0) if collection else ALL
        found = session.get(ProductionPipeline, key)
        if found is not None:
            session.delete(found)
            audit_log.record(
                session,
                audit_log.Action.PRODUCTION_PIPELINE_REMOVED,
                collection or "all collections",
                found.name,
            )
        return found is not None


# --- blind comparisons ------------------------------------------------------------------------------------


def pick_answer(workspace: Workspace, pair: str, choice: str) -> Revealed:
    """Store which answer of a blind comparison is better, one of Choice, and return which was which.

    Raises RagError when there is no such pair, an answer is missing, or it has already been decided.
    """
    places = {Choice.FIRST: 1, Choice.SECOND: 2, Choice.NO_DIFFERENCE: 0}
    if choice not in set(Choice):
        raise RagError("Pick “first”, “second” or “no difference”.")
    place = places[Choice(choice)]
    with workspace.store.session() as session:
        rows = session.exec(
            select(RolloutAnswer).where(RolloutAnswer.pair == pair).order_by(col(RolloutAnswer.position))
        ).all()
        if not pair or len(rows) != 2:
            raise NotFoundError("There is no blind comparison with this id, or it was cancelled halfway.")
        states = session.connection().exec_driver_sql(
            "SELECT count(*) FROM trace WHERE id IN (?, ?) AND status IN ('done', 'nothing found')",
            (rows[0].trace_id, rows[1].trace_id),
        )
        if states.scalar_one() != 2:
            raise RagError("One of the two answers is missing, so they cannot be compared.")
        if rows[0].picked:
            raise RagError("This comparison has already been decided.")
        found = session.get_one(Rollout, rows[0].rollout_id)
        for row in rows:
            chosen = Picked.THIS if row.position == place else Picked.OTHER
            row.picked = chosen if place else Picked.NO_DIFFERENCE
            session.add(row)
        audit_log.record(session, audit_log.Action.BLIND_ANSWERS_COMPARED, pair[:8], choice)
        names = [found.staging if row.arm == Arm.STAGING else found.production for row in rows]
        return Revealed(names[0], names[1], rows[0].arm == Arm.STAGING)


# --- helpers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What a promotion changes: a prompt's label moves to a number, or the collection gets a pipeline."""

    sentence: str
    prompt: str = ""
    number: int = 0


def _plan(session: Session, found: Rollout) -> _Plan:
    old = PipelineConfig.model_validate_json(found.production_config)
    new = PipelineConfig.model_validate_json(found.staging_config)
    keys = {key for key, _, _ in diff_configs(old, new)}
    name, _, number = new.prompt.partition("@")
    pinned = session.exec(
        select(ProductionPipeline).where(
            col(ProductionPipeline.collection_id).in_((found.collection_id or ALL, ALL))
        )
    ).first()
    where = f"“{found.collection}”" if found.collection else "every collection"
    if (
        found.production == NOW
        and pinned is None
        and keys == {"prompt"}
        and old.prompt.partition("@")[0] == name
    ):
        return _Plan(
            f"The label {PRODUCTION} of the prompt “{name}” moves to version {number}, wherever it is used.",
            name,
            int(number),
        )
    return _Plan(f"“{found.staging}” becomes the pipeline that answers {where}.")


def _end(session: Session, found: Rollout, state: RolloutState, outcome: str) -> None:
    found.state, found.ended_ms, found.outcome = state, now_ms(), outcome
    session.add(found)
    audit_log.record(session, audit_log.Action(f"roll-out {state}"), found.staging, outcome)


def _running(session: Session, rollout_id: int) -> Rollout:
    found = session.get(Rollout, rollout_id)
    if found is None:
        raise NotFoundError(
            f"There is no roll-out {rollout_id}. Run `ragdeck rollout status` to see them all."
        )
    if found.state != RolloutState.RUNNING:
        raise RagError(f"Roll-out {rollout_id} has already been {found.state}.")
    return found


def config_of(found: Rollout, arm: Arm) -> PipelineConfig:
    """Return the configuration that one arm of a roll-out answers with."""
    text = found.staging_config if arm is Arm.STAGING else found.production_config
    return PipelineConfig.model_validate_json(text)


def pipeline_of(called: str) -> tuple[str, int | None]:
    """Return the pipeline and version that a roll-out calls "NAME NUMBER"; ("", None) for anything else."""
    name, _, number = called.rpartition(" ")
    return (name, int(number)) if name and number.isdecimal() else ("", None)


@dataclass(frozen=True)
class Promoted:
    """A pipeline that answers because a roll-out promoted it: its name and version, and its configuration."""

    pipeline: tuple[str, int | None]
    config: PipelineConfig


def promoted_pipeline(workspace: Workspace, collection: str) -> Promoted | None:
    """Return the pipeline that was promoted for a collection, else for all; None: the settings answer."""
    with workspace.store.session() as session:
        found = session.get(ProductionPipeline, find_collection(session, collection).id or -1)
        found = found or session.get(ProductionPipeline, ALL)
        if found is None:
            return None
        return Promoted(pipeline_of(found.name), PipelineConfig.model_validate_json(found.config))


def production_config(workspace: Workspace, collection: str) -> PipelineConfig | None:
    """Return the configuration of the pipeline that was promoted for a collection, else for all."""
    found = promoted_pipeline(workspace, collection)
    return found.config if found else None


def _named(workspace: Workspace, name: str, number: int | None) -> tuple[str, PipelineConfig]:
    """Return what a version of a pipeline is called, and its configuration. Raises NotFoundError."""
    row = find_pipeline(workspace, name, number)
    return f"{row.name} {row.number}", row.config


def _present(workspace: Workspace, collection: str) -> PipelineConfig:
    """Return the configuration that answers now: a promoted pipeline, else the settings."""
    if collection:
        return production_config(workspace, collection) or present_config(workspace, collection)
    with workspace.store.session() as session:
        found = session.get(ProductionPipeline, ALL)
    return PipelineConfig.model_validate_json(found.config) if found else present_config(workspace, "(all)")


def _frozen(workspace: Workspace, config: PipelineConfig, collection: str) -> PipelineConfig:
    """Return a configuration with the prompt by number. Raises RagError when it cannot answer here."""
    if config.kind is not PipelineKind.ANSWER:
        raise RagError("A pipeline that only searches gives no answers. Choose one that answers.")
    if not collection and config.version != "active":
        raise RagError(
            f"This pipeline uses version {config.version} of one collection. A roll-out for all collections "
            "needs one that uses the active version."
        )
    template = find_prompt(workspace.store, config.prompt)
    if collection and config.collection not in (collection, "(all)"):
        raise RagError(f"This pipeline answers “{config.collection}”, not “{collection}”.")
    return config.model_copy(
        update={
            "prompt": f"{template.name}@{template.version}",
            "collection": collection or "(all)",
            "steps": pinned_steps(workspace, config),
        }
    )
