"""Decides who answers a question: a chosen pipeline, a roll-out, the promoted pipeline or the settings.

Tells the monitors afterwards: a rule that needs no embedding is judged after every question of a person.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.asking.applications.rows import Caller
from rag.asking.rows import AskResult, Question, TraceSource
from rag.asking.sessions.changes import go_on
from rag.asking.sessions.rows import Binding
from rag.asking.traces import new_trace_id
from rag.costs.budgets.limits import note_spending
from rag.errors import RagError
from rag.evaluation.cascades.answering import answer_with
from rag.evaluation.pipelines import PipelineConfig, SavedPipeline, named_pipeline
from rag.monitoring.alerts import check_quickly
from rag.review.rollouts import config_of, pipeline_of, promoted_pipeline
from rag.review.rows import Arm, BlindResult, RolloutKind, running_rollout
from rag.storage.tables.review import Rollout, RolloutAnswer
from rag.workspace import Workspace

Asked = Generator[Any, None, AskResult | BlindResult]


def ask(
    workspace: Workspace,
    question: str,
    collection: str,
    *,
    version: int | str | None = None,
    model: str | None = None,
    session_id: str = "",
    parent_id: str | None = None,
    alone: bool = False,
    pipeline: str = "",
    prompt: str = "",
    binds: bool = True,
    fresh: bool = False,
    is_confirmed: bool = False,
    tags: tuple[str, ...] = (),
    caller: Caller | None = None,
) -> Asked:
    """Ask as the window and the command line do: a running roll-out or a promoted pipeline decides how.

    Args:
        workspace: Where the collection is.
        question: The question.
        collection: Its name.
        version: A dataset version that is asked as it is, outside of any roll-out.
        model: A model that is asked as it is, outside of any roll-out.
        session_id: Of earlier questions that this one follows up.
        parent_id: The earlier question that this one follows; empty: none; None: the last one.
        alone: In a blind comparison only production answers, and nothing is compared.
        pipeline: "NAME", "NAME@NUMBER" or "NAME@LABEL"; it is asked as it is, outside of any roll-out.
        prompt: "NAME", "NAME@NUMBER" or "NAME@LABEL"; it is used outside of any roll-out.
        binds: Whether later questions of the session are answered in this way as well.
        fresh: The model is asked even when the cache has an answer.
        is_confirmed: A person has said yes to what a budget asks.
        tags: Words that rules of a cascade go by.
        caller: The program that asks through the server; None: a person asks.

    Returns the result, of a blind comparison both. Raises RagError after the trace was saved.
    """
    chosen = Binding(collection, "" if version is None else str(version), pipeline, model or "", prompt)
    session_id = go_on(workspace.store, session_id, chosen, binds)
    asked = _Asked(question, collection, session_id, parent_id, fresh, tags, caller)
    is_chosen = bool(pipeline or prompt) or version is not None or model is not None
    row = None if is_chosen else running_rollout(workspace.database, collection)
    if row is not None and row.kind is RolloutKind.BLIND and not alone:
        return (yield from _ask_both(workspace, _rollout(workspace, row.id), asked, is_confirmed))
    config: PipelineConfig | None = None
    if pipeline:
        saved = _named(workspace, pipeline, collection)
        config, wanted = saved.config, _as((saved.name, saved.number), asked.of(saved.config))
    elif is_chosen:
        wanted = asked.with_choice(version, model, prompt)
    elif row is None:
        config, wanted = _promoted(workspace, asked)
    else:
        config, wanted = _one_arm(workspace, _rollout(workspace, row.id), asked)
    result = yield from answer_with(workspace, config, wanted, is_confirmed)
    _tell_monitors(workspace)
    return result


@dataclass(frozen=True)
class _Asked:
    """A question and its place in a session, before it is known who answers it."""

    text: str
    collection: str
    session_id: str
    parent_id: str | None
    fresh: bool
    tags: tuple[str, ...]
    caller: Caller | None

    def of(self, config: PipelineConfig | None, trace_id: str = "") -> Question:
        """Return the question as a pipeline answers it, as the settings say for None."""
        if config is None:
            return self.with_choice(None, None, "")
        made = config.question(self.text, self.collection, self.session_id, trace_id, self.source)
        return replace(made, parent_id=self.parent_id, fresh=self.fresh, tags=self.tags, caller=self.caller)

    @property
    def source(self) -> TraceSource:
        """Who asks."""
        return TraceSource.PERSON if self.caller is None else TraceSource.SERVER

    def with_choice(self, version: int | str | None, model: str | None, prompt: str) -> Question:
        """Return the question as it is answered with these; empty values are what the settings say."""
        return Question(
            self.text, self.collection, version, model, self.session_id, self.source,
            prompt=prompt or Question.prompt, parent_id=self.parent_id, fresh=self.fresh, caller=self.caller,
        )  # fmt: skip


def arm_for(rollout_id: int, trace_id: str, share: float) -> Arm:
    """Return the staging arm for this share of ids, production for the others; always the same for one id."""
    digest = hashlib.sha256(f"{rollout_id}:{trace_id}".encode()).digest()
    return Arm.STAGING if int.from_bytes(digest[:8], "big") / 2**64 < share else Arm.PRODUCTION


def _named(workspace: Workspace, pipeline: str, collection: str) -> SavedPipeline:
    """Return a version of a named pipeline. Raises RagError when it answers another collection."""
    found = named_pipeline(workspace, pipeline)
    if found.config.collection != collection:
        raise RagError(f"The pipeline “{pipeline}” answers “{found.config.collection}”, not “{collection}”.")
    return found


def _rollout(workspace: Workspace, rollout_id: int) -> Rollout:
    with workspace.store.session() as session:
        return session.get_one(Rollout, rollout_id)


def _tell_monitors(workspace: Workspace) -> None:
    check_quickly(workspace)
    note_spending(workspace)


def _promoted(workspace: Workspace, asked: _Asked) -> tuple[PipelineConfig | None, Question]:
    """Return the promoted pipeline and its question; without one, the question as the settings answer it."""
    found = promoted_pipeline(workspace, asked.collection)
    if found is None:
        return None, asked.of(None)
    return found.config, _as(found.pipeline, asked.of(found.config))


def _one_arm(workspace: Workspace, found: Rollout, asked: _Asked) -> tuple[PipelineConfig, Question]:
    """Return the arm that a new trace's id falls to, and its question; a blind roll-out asks production."""
    trace_id = new_trace_id()
    arm = arm_for(found.id or 0, trace_id, 0.0 if found.kind == RolloutKind.BLIND else found.share)
    if found.kind != RolloutKind.BLIND:
        _record(workspace, [RolloutAnswer(trace_id=trace_id, rollout_id=found.id or 0, arm=arm)])
    config = config_of(found, arm)
    return config, _as(_of_arm(found, arm), asked.of(config, trace_id))


def _of_arm(found: Rollout, arm: Arm) -> tuple[str, int | None]:
    return pipeline_of(found.staging if arm is Arm.STAGING else found.production)


def _as(pipeline: tuple[str, int | None], question: Question) -> Question:
    """Return a question that says which version of which pipeline answers it."""
    return replace(question, pipeline=pipeline[0], pipeline_version=pipeline[1])


def _ask_both(
    workspace: Workspace, found: Rollout, asked: _Asked, is_confirmed: bool
) -> Generator[Any, None, BlindResult]:
    """Ask both arms, one after the other, in an order by chance; each follows up its own earlier answers."""
    pair = secrets.token_hex(8)
    arms = [Arm.PRODUCTION, Arm.STAGING]
    if secrets.randbelow(2):
        arms.reverse()
    ids = [new_trace_id(), new_trace_id()]
    staging = replace(
        asked,
        session_id=hashlib.sha256(f"{asked.session_id}:staging".encode()).hexdigest()[:32],
        parent_id=_counterpart(workspace, asked.parent_id),
    )
    places = {Arm.PRODUCTION: asked, Arm.STAGING: staging}
    rows = [
        RolloutAnswer(trace_id=trace_id, rollout_id=found.id or 0, arm=arm, pair=pair, position=place)
        for place, (trace_id, arm) in enumerate(zip(ids, arms, strict=True), 1)
    ]
    _record(workspace, rows)
    results = []
    for trace_id, arm in zip(ids, arms, strict=True):
        config = config_of(found, arm)
        # A cached answer is there at once, which would tell the two apart.
        wanted = _as(_of_arm(found, arm), replace(places[arm].of(config, trace_id), fresh=True))
        results.append((yield from answer_with(workspace, config, wanted, is_confirmed)))
    _tell_monitors(workspace)
    return BlindResult(pair, asked.session_id, results[0], results[1])


def _counterpart(workspace: Workspace, parent_id: str | None) -> str | None:
    """Return the other arm's answer to the question that is followed up; None: the other arm's last one."""
    if not parent_id:
        return parent_id
    found = workspace.database.cells(
        """SELECT other.trace_id FROM rolloutanswer mine JOIN rolloutanswer other
           ON other.pair = mine.pair AND other.trace_id != mine.trace_id
           WHERE mine.trace_id = ? AND mine.pair != ''""",
        (parent_id,),
    )
    return str(found[0][0]) if found else None


def _record(workspace: Workspace, rows: Sequence[RolloutAnswer]) -> None:
    with workspace.store.session() as session:
        session.add_all(rows)
