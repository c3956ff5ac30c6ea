"""Roll-outs: another pipeline in use, beside the one that answers, until it is known which is better.

Canary: a share of the asks goes to staging, by a hash of the ask's id. Blind: both answer, in an order by chance,
and the person picks without knowing which is which. Both configurations are frozen at the start. Promotion makes
staging what answers: where the prompt alone differs its label `production` moves, else the collection keeps the
pipeline as its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session, col, select

from rag.errors import NotFoundError, RagError
from rag.evaluation.pipelines import (
    PipelineConfig,
    diff_configs,
    find_pipeline,
    present_config,
)
from rag.knowledge.collections import find_collection
from rag.prompts.registry import PRODUCTION, find_prompt, move_label
from rag.review.rows import (
    KINDS,
    Revealed,
    RolloutRow,
)
from rag.review.rows import rollout as rollout_row
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.review import ProductionPipeline, Rollout, RolloutAsk
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
    """Begin one; collection "" means all. Staging is a pipeline, or what answers now with another prompt
    ("NAME@NUMBER"). production "": what answers now. Raises RagError when one runs there already.
    """
    if kind not in KINDS:
        raise RagError(f"“{kind}” is no kind of roll-out; choose one of: {', '.join(KINDS)}.")
    if not 0.0 <= share <= 1.0:
        raise RagError("The share of a canary lies between 0 and 1.")
    if bool(staging) == bool(prompt):
        raise RagError("Name the staging pipeline, or the prompt version that is to be tried.")
    now = _present(workspace, collection)
    first_name, first = NOW, now
    if production:
        row = find_pipeline(workspace, production, production_number)
        first_name, first = f"{row.name} {row.number}", row.config
    if staging:
        row = find_pipeline(workspace, staging, staging_number)
        second_name, second = f"{row.name} {row.number}", row.config
    else:
        second_name, second = f"prompt {prompt}", first.model_copy(update={"prompt": prompt})
    first, second = (_frozen(workspace, config, collection) for config in (first, second))
    if not diff_configs(first, second):
        raise RagError("Both pipelines are the same, so there is nothing to compare.")
    with workspace.store.session() as session:
        found = find_collection(session, collection) if collection else None
        running = session.exec(select(Rollout).where(Rollout.state == "running")).all()
        if any(found is None or other.collection_id in (None, found.id) for other in running):
            raise RagError("A roll-out runs there already; promote or stop it first.")
        made = Rollout(
            collection_id=found.id if found else None, collection=collection, kind=kind,
            share=1.0 if kind == "blind" else share, production=first_name,
            production_config=first.model_dump_json(), staging=second_name,
            staging_config=second.model_dump_json(), created_ms=now_ms(), note=note.strip(),
        )  # fmt: skip
        session.add(made)
        audit_log.record(
            session, "roll-out started", second_name, f"{kind} in {collection or 'all collections'}"
        )
        session.flush()
        number = made.id or 0
    return rollout_row(workspace.database, number)


def what_moves(workspace: Workspace, rollout_id: int) -> str:
    """What promoting it would change, in one sentence."""
    with workspace.store.session() as session:
        return _plan(session, _running(session, rollout_id)).sentence


def promote(workspace: Workspace, rollout_id: int) -> str:
    """Make staging what answers, and end the roll-out; returns what was moved."""
    with workspace.store.session() as session:
        found = _running(session, rollout_id)
        plan = _plan(session, found)
        if not plan.prompt:
            session.merge(
                ProductionPipeline(
                    collection_id=found.collection_id or ALL, name=found.staging, config=found.staging_config,
                    moved_ms=now_ms(), rollout_id=found.id or 0,
                )
            )  # fmt: skip
            _end(session, found, "promoted", plan.sentence)
    if plan.prompt:
        # The label first: were the program to end between the two, promoting again moves nothing and ends it.
        move_label(workspace.store, plan.prompt, PRODUCTION, plan.number, note=f"Roll-out {rollout_id}")
        with workspace.store.session() as session:
            _end(session, _running(session, rollout_id), "promoted", plan.sentence)
    return plan.sentence


def stop(workspace: Workspace, rollout_id: int) -> None:
    """End it; what answered before goes on answering."""
    with workspace.store.session() as session:
        _end(session, _running(session, rollout_id), "stopped", "")


def release_production(workspace: Workspace, collection: str = "") -> bool:
    """Let the settings answer a collection (or all) again, without a pipeline of its own; False: it had none."""
    with workspace.store.session() as session:
        key = (find_collection(session, collection).id or 0) if collection else ALL
        found = session.get(ProductionPipeline, key)
        if found is not None:
            session.delete(found)
            audit_log.record(
                session, "production pipeline removed", collection or "all collections", found.name
            )
        return found is not None


# --- blind comparisons ------------------------------------------------------------------------------------


def pick(workspace: Workspace, pair: str, choice: str) -> Revealed:
    """Store which answer of a blind comparison is better: "first", "second" or "no difference"; says which was which."""
    places = {"first": 1, "second": 2, "no difference": 0}
    if choice not in places:
        raise RagError("Pick “first”, “second” or “no difference”.")
    with workspace.store.session() as session:
        rows = session.exec(
            select(RolloutAsk).where(RolloutAsk.pair == pair).order_by(col(RolloutAsk.position))
        ).all()
        if not pair or len(rows) != 2:
            raise NotFoundError("There is no blind comparison with this id, or it was cancelled half-way.")
        states = session.connection().exec_driver_sql(
            "SELECT count(*) FROM trace WHERE id IN (?, ?) AND status IN ('done', 'nothing found')",
            (rows[0].trace_id, rows[1].trace_id),
        )
        if states.scalar_one() != 2:
            raise RagError("One of the two answers is not there, so they cannot be compared.")
        if rows[0].picked:
            raise RagError("This comparison was decided already; it is known which answer is which.")
        found = session.get_one(Rollout, rows[0].rollout_id)
        for row in rows:
            same = not places[choice]
            row.picked = "no difference" if same else "this" if row.position == places[choice] else "other"
            session.add(row)
        audit_log.record(session, "blind answers compared", pair[:8], choice)
        names = [found.staging if row.arm == "staging" else found.production for row in rows]
        return Revealed(names[0], names[1], rows[0].arm == "staging")


# --- helpers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What a promotion moves: the label of a prompt to a number, or the collection's pipeline."""

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


def _end(session: Session, found: Rollout, state: str, outcome: str) -> None:
    found.state, found.ended_ms, found.outcome = state, now_ms(), outcome
    session.add(found)
    audit_log.record(session, f"roll-out {state}", found.staging, outcome)


def _running(session: Session, rollout_id: int) -> Rollout:
    found = session.get(Rollout, rollout_id)
    if found is None:
        raise NotFoundError(f"There is no roll-out {rollout_id}; `ragdeck rollout status` lists them.")
    if found.state != "running":
        raise RagError(f"The roll-out {rollout_id} was {found.state} already.")
    return found


def config_of(found: Rollout, arm: str) -> PipelineConfig:
    """Return the configuration that one arm of a roll-out answers with."""
    text = found.staging_config if arm == "staging" else found.production_config
    return PipelineConfig.model_validate_json(text)


def production_config(workspace: Workspace, collection: str) -> PipelineConfig | None:
    """Return the pipeline that was promoted for a collection, else for all; None: the settings answer."""
    with workspace.store.session() as session:
        found = session.get(ProductionPipeline, find_collection(session, collection).id or -1)
        found = found or session.get(ProductionPipeline, ALL)
        return PipelineConfig.model_validate_json(found.config) if found else None


def _present(workspace: Workspace, collection: str) -> PipelineConfig:
    """What answers now: a promoted pipeline, else the settings."""
    if collection:
        return production_config(workspace, collection) or present_config(workspace, collection)
    with workspace.store.session() as session:
        found = session.get(ProductionPipeline, ALL)
    return PipelineConfig.model_validate_json(found.config) if found else present_config(workspace, "(all)")


def _frozen(workspace: Workspace, config: PipelineConfig, collection: str) -> PipelineConfig:
    """With the prompt by number, and checked that it can answer here."""
    if config.kind != "answer":
        raise RagError("A pipeline that only searches gives no answer; choose one that answers.")
    if not collection and config.version != "active":
        raise RagError(
            f"This pipeline asks version {config.version} of one collection; a roll-out for all collections needs one "
            "that asks the active version."
        )
    template = find_prompt(workspace.store, config.prompt)
    if collection and config.collection not in (collection, "(all)"):
        raise RagError(f"This pipeline answers “{config.collection}”, not “{collection}”.")
    return config.model_copy(
        update={"prompt": f"{template.name}@{template.version}", "collection": collection or "(all)"}
    )
