"""Stores answers that may be given again, finds them, and keeps their number and age within the settings.

An answer is found by the hash of its question and its space (see keys), or, where a person allows that, as
the nearest earlier question of the same space that agrees in every detail (see agreement). One that a person
did not like is not given again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlmodel import Session, select

from rag.asking.cache.agreement import differences
from rag.asking.cache.keys import Space
from rag.asking.cache.rows import HitKind, oldest_ms
from rag.errors import RagError
from rag.knowledge.collections import open_version
from rag.models.catalogue import find_model
from rag.models.endpoints.rows import endpoint_named_by, find_endpoint
from rag.prompts.registry import find_prompt
from rag.settings import Settings
from rag.storage import audit_log
from rag.storage.store import now_ms
from rag.storage.tables.cache import CachedAnswer, CacheHit
from rag.storage.tables.knowledge import Collection, DatasetVersion
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

MEASURED_FROM = 0.6  # cosine from which a similar question is looked at, to choose a threshold by
_LOOKED_AT = 20  # nearest questions whose details are compared

# Answers that may be given: of a finished trace, young enough, and without a thumb down on them.
_GIVEN = """FROM cachedanswer c JOIN trace t ON t.id = c.trace_id
    WHERE t.status = 'done' AND c.created_ms >= ? AND NOT EXISTS (
        SELECT 1 FROM feedback f WHERE NOT f.is_up AND (f.trace_id = c.trace_id OR f.trace_id IN
            (SELECT h.trace_id FROM cachehit h WHERE h.source_trace = c.trace_id AND h.kind != 'near')))"""


@dataclass(frozen=True)
class Place:
    """Where a question is looked for: its space, and the version and prompt that it would be answered by."""

    space: Space
    collection: Collection
    version: DatasetVersion


@dataclass(frozen=True)
class Found:
    """An answer of before; similarity is None for the same question."""

    trace_id: str
    kind: HitKind
    answered_ms: int
    detector: str
    similarity: float | None = None


def place_of(
    workspace: Workspace,
    settings: Settings,
    collection: str,
    version: int | str | None,
    model: str,
    prompt: str,
    guardrails: str = "",
) -> Place | None:
    """Return where a question is looked for; None when something is missing, which asking will say.

    Args:
        workspace: The open data folder.
        settings: With which the question would be answered.
        collection: Its name.
        version: Number or tag of a version; None: the active one.
        model: Name or path of the model; "" for the active one.
        prompt: Which prompt template, as in Question.
        guardrails: Fingerprint of the policies that act; "" for none.
    """
    try:
        found, opened = open_version(workspace, collection, version)
        template = find_prompt(workspace.store, prompt)
        identity = _model_identity(workspace, model)
    except RagError:
        return None
    if not identity:
        return None
    space = Space(
        found.id or 0,
        opened.fingerprint,
        settings.retrieval.model_dump_json(),
        template.fingerprint,
        identity,
        settings.generation.model_dump_json(),
        guardrails,
    )
    return Place(space, found, opened)


def find_same(workspace: Workspace, place: Place, question: str) -> Found | None:
    """Return the answer to the same question in the same space."""
    with workspace.store.session() as session:
        row = (
            session.connection()
            .exec_driver_sql(
                f"SELECT c.trace_id, c.created_ms, c.detector {_GIVEN} AND c.question_key = ?",
                (oldest_ms(workspace.settings.cache.max_age_days), place.space.key_of(question)),
            )
            .first()
        )
    return Found(row[0], HitKind.EXACT, row[1], row[2]) if row else None


def find_similar(
    workspace: Workspace, place: Place, question: str, vector: npt.NDArray[np.float32]
) -> Found | None:
    """Return the nearest earlier question of the space that agrees in every detail, however near it is.

    A refusal is not given to other words: they may find what the first did not.
    """
    with workspace.store.session() as session:
        rows = (
            session.connection()
            .exec_driver_sql(
                f"""SELECT c.trace_id, c.created_ms, c.detector, c.vector, t.question {_GIVEN}
                    AND c.space = ? AND c.embedder = ? AND c.vector IS NOT NULL AND t.outcome != 'refused'""",
                (
                    oldest_ms(workspace.settings.cache.max_age_days),
                    place.space.key(),
                    workspace.embedder.fingerprint,
                ),
            )
            .fetchall()
        )
    if not rows:
        return None
    cosines = np.stack([np.frombuffer(row[3], dtype="<f4") for row in rows]) @ vector
    for place_in in np.argsort(-cosines)[:_LOOKED_AT]:
        if cosines[place_in] < MEASURED_FROM:
            break
        trace_id, created_ms, detector, _, other = rows[place_in]
        if not differences(question, other):
            return Found(trace_id, HitKind.SIMILAR, created_ms, detector, float(cosines[place_in]))
    return None


def question_vector(workspace: Workspace, question: str) -> npt.NDArray[np.float32]:
    """Return the vector by which a question is compared with earlier ones."""
    vector: npt.NDArray[np.float32] = workspace.encode([question])[0]
    return vector


def remember(
    workspace: Workspace,
    place: Place,
    trace: Trace,
    detector: str,
    vector: npt.NDArray[np.float32] | None,
) -> None:
    """Store that an answer may be given again; a newer answer to the same question replaces the older one."""
    moment = now_ms()
    values: dict[str, Any] = {
        "question_key": place.space.key_of(trace.question),
        "space": place.space.key(),
        "collection_id": place.collection.id,
        "version_id": place.version.id,
        "trace_id": trace.id,
        "detector": detector,
        "embedder": workspace.embedder.fingerprint if vector is not None else "",
        "vector": vector.astype("<f4").tobytes() if vector is not None else None,
        "created_ms": trace.created_ms,
        "used_ms": moment,
    }
    with workspace.store.session() as session:
        known = session.exec(
            select(CachedAnswer).where(CachedAnswer.question_key == values["question_key"])
        ).first()
        entry = known or CachedAnswer(**values)
        for name, value in values.items():
            setattr(entry, name, value)
        session.add(entry)
        session.flush()
        _hold_limits(session, workspace.settings)


def record_hit(workspace: Workspace, found: Found, trace_id: str, place: Place, saves: bool = True) -> None:
    """Store that an answer was given again, and what that saved; saves=False: it could have been."""
    with workspace.store.session() as session:
        source = session.get(Trace, found.trace_id)
        if source is None:
            return  # erased or deleted in the meantime
        session.add(
            CacheHit(
                trace_id=trace_id,
                source_trace=found.trace_id,
                kind=found.kind if saves else HitKind.NEAR,
                space=place.space.key(),
                similarity=found.similarity,
                created_ms=now_ms(),
                prompt_tokens=source.prompt_tokens if saves else 0,
                completion_tokens=source.completion_tokens + source.thinking_tokens if saves else 0,
                saved_ms=source.total_ms or 0.0 if saves else 0.0,
            )
        )
        if saves:
            session.connection().exec_driver_sql(
                "UPDATE cachedanswer SET used_ms = ? WHERE trace_id = ?", (now_ms(), found.trace_id)
            )


def clear_cache(workspace: Workspace, collection: str = "") -> int:
    """Forget the answers that may be given again, of one collection or of all; return how many.

    Traces and what is known of earlier hits stay. Raises NotFoundError for a collection that there is not.
    """
    where, values = "1", ()  # type: tuple[str, tuple[int, ...]]
    if collection:
        missing = f"There is no collection named “{collection}”."
        where, values = "collection_id = ?", (workspace.database.id_of("collection", collection, missing),)
    with workspace.store.session() as session:
        gone = (
            session.connection().exec_driver_sql(f"DELETE FROM cachedanswer WHERE {where}", values).rowcount
        )
        audit_log.record(
            session, audit_log.Action.ANSWER_CACHE_CLEARED, collection or "all collections", f"{gone} answers"
        )
    return gone


def forget_answer(session: Session, trace_id: str) -> int:
    """Forget the answer of a trace, in the caller's transaction; return 1 when there was one."""
    raw = session.connection()
    return raw.exec_driver_sql("DELETE FROM cachedanswer WHERE trace_id = ?", (trace_id,)).rowcount


def _hold_limits(session: Session, settings: Settings) -> None:
    """Delete answers that are too old, and those not used for the longest time when there are too many."""
    raw = session.connection()
    raw.exec_driver_sql(
        "DELETE FROM cachedanswer WHERE created_ms < ?", (oldest_ms(settings.cache.max_age_days),)
    )
    raw.exec_driver_sql(
        """DELETE FROM cachedanswer WHERE id IN (
               SELECT id FROM cachedanswer ORDER BY used_ms DESC, id DESC LIMIT -1 OFFSET ?)""",
        (settings.cache.max_answers,),
    )


def _model_identity(workspace: Workspace, wanted: str) -> str:
    """Return which model answers, without loading it.

    Of a file it is the file as it is now and its chat template, of an endpoint its address and model. A file
    with the same path, size and time is the same, as in rag.models.catalogue. "" when it is not there.
    """
    path = (
        find_model(workspace.database, workspace.settings, wanted)
        if wanted
        else workspace.active_model_path()
    )
    if name := endpoint_named_by(path):
        return find_endpoint(workspace.database, name).identity
    try:
        stat = path.stat()
    except OSError:
        return ""
    template = workspace.settings.models.chat_template_of(path.stem)
    return f"{os.path.realpath(path)}:{stat.st_size}:{stat.st_mtime_ns}:{template}"
