"""Decides who answers a question: a chosen pipeline, a roll-out, the promoted pipeline or the settings.

Tells the monitors afterwards: a rule that needs no embedding is judged after every question of a person.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Generator, Sequence
from typing import Any

from rag.asking.answer import answer_question
from rag.asking.rows import AskResult, Question
from rag.asking.traces import new_trace_id
from rag.errors import RagError
from rag.evaluation.cascades.answering import answer_with
from rag.evaluation.pipelines import named_pipeline
from rag.monitoring.alerts import check_quickly
from rag.review.rollouts import config_of, production_config
from rag.review.rows import Arm, BlindResult, RolloutKind, running_rollout
from rag.storage.tables.review import Rollout, RolloutAnswer
from rag.workspace import Workspace

Asked = Generator[Any, None, AskResult | BlindResult]
Tags = tuple[str, ...]


def ask(
    workspace: Workspace,
    question: str,
    collection: str,
    *,
    version: int | str | None = None,
    model: str | None = None,
    session_id: str = "",
    alone: bool = False,
    pipeline: str = "",
    tags: Tags = (),
) -> Asked:
    """Ask as the window and the command line do: a running roll-out or a promoted pipeline decides how.

    Args:
        workspace: Where the collection is.
        question: The question.
        collection: Its name.
        version: A dataset version that is asked as it is, outside of any roll-out.
        model: A model that is asked as it is, outside of any roll-out.
        session_id: Of earlier questions that this one follows up.
        alone: In a blind comparison only production answers, and nothing is compared.
        pipeline: "NAME", "NAME@NUMBER" or "NAME@LABEL"; it is asked as it is, outside of any roll-out.
        tags: Words that rules of a cascade go by.

    Returns:
        The result; of a blind comparison both results.

    Raises:
        RagError: The question could not be answered. The trace was saved before.
    """
    if pipeline:
        config = named_pipeline(workspace, pipeline).config
        if config.collection != collection:
            raise RagError(f"The pipeline “{pipeline}” answers “{config.collection}”, not “{collection}”.")
        result = yield from answer_with(workspace, config, question, session_id=session_id, tags=tags)
    elif version is not None or model is not None:
        chosen = Question(question, collection, version, model, session_id)
        result = yield from answer_question(workspace, chosen)
    else:
        row = running_rollout(workspace.database, collection)
        if row is None:
            result = yield from _ask_as_usual(workspace, question, collection, session_id, tags)
        else:
            with workspace.store.session() as session:
                found = session.get_one(Rollout, row.id)
            if row.kind is RolloutKind.BLIND and not alone:
                both = yield from _ask_both(
                    workspace, found, question, collection, session_id or new_trace_id(), tags
                )
                check_quickly(workspace)
                return both
            result = yield from _ask_one_arm(workspace, found, question, collection, session_id, tags)
    check_quickly(workspace)
    return result


def arm_for(rollout_id: int, trace_id: str, share: float) -> Arm:
    """Return the staging arm for this share of ids, production for the others; always the same for one id."""
    digest = hashlib.sha256(f"{rollout_id}:{trace_id}".encode()).digest()
    return Arm.STAGING if int.from_bytes(digest[:8], "big") / 2**64 < share else Arm.PRODUCTION


def _ask_as_usual(
    workspace: Workspace, question: str, collection: str, session_id: str, tags: Tags
) -> Generator[Any, None, AskResult]:
    """Ask the promoted pipeline, else as the settings say."""
    promoted = production_config(workspace, collection)
    if promoted is not None:
        return (yield from answer_with(workspace, promoted, question, collection, session_id, tags=tags))
    return (yield from answer_question(workspace, Question(question, collection, session_id=session_id)))


def _ask_one_arm(
    workspace: Workspace,
    found: Rollout,
    question: str,
    collection: str,
    session_id: str,
    tags: Tags,
) -> Generator[Any, None, AskResult]:
    """Ask the arm that the trace's id falls to; a blind roll-out that is not to compare asks production."""
    trace_id = new_trace_id()
    arm = arm_for(found.id or 0, trace_id, 0.0 if found.kind == RolloutKind.BLIND else found.share)
    if found.kind != RolloutKind.BLIND:
        _record(workspace, [RolloutAnswer(trace_id=trace_id, rollout_id=found.id or 0, arm=arm)])
    config = config_of(found, arm)
    return (yield from answer_with(workspace, config, question, collection, session_id, trace_id, tags=tags))


def _ask_both(
    workspace: Workspace,
    found: Rollout,
    question: str,
    collection: str,
    session_id: str,
    tags: Tags,
) -> Generator[Any, None, BlindResult]:
    """Ask both arms, one after the other, in an order by chance; each follows up its own earlier answers."""
    pair = secrets.token_hex(8)
    arms = [Arm.PRODUCTION, Arm.STAGING]
    if secrets.randbelow(2):
        arms.reverse()
    ids = [new_trace_id(), new_trace_id()]
    sessions = {
        Arm.PRODUCTION: session_id,
        Arm.STAGING: hashlib.sha256(f"{session_id}:staging".encode()).hexdigest()[:32],
    }
    rows = [
        RolloutAnswer(trace_id=trace_id, rollout_id=found.id or 0, arm=arm, pair=pair, position=place)
        for place, (trace_id, arm) in enumerate(zip(ids, arms, strict=True), 1)
    ]
    _record(workspace, rows)
    results = []
    for trace_id, arm in zip(ids, arms, strict=True):
        config, session_id = config_of(found, arm), sessions[arm]
        answering = answer_with(workspace, config, question, collection, session_id, trace_id, tags=tags)
        results.append((yield from answering))
    return BlindResult(pair, sessions[Arm.PRODUCTION], results[0], results[1])


def _record(workspace: Workspace, rows: Sequence[RolloutAnswer]) -> None:
    with workspace.store.session() as session:
        session.add_all(rows)
