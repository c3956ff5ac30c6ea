"""Checks alert rules, after every answer and in `monitor --check`, and sets the reference period."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from rag.asking.applications.rows import application_named_by
from rag.errors import NotFoundError, RagError
from rag.knowledge.rows import VersionProgress
from rag.models.endpoints.rows import ENDPOINT_CHANGE
from rag.monitoring.drift import drift_of
from rag.monitoring.measuring import RuleJudgement, judge, remembering
from rag.monitoring.rows import (
    MEASURES,
    AlertRow,
    AlertState,
    Comparison,
    Condition,
    DriftSubject,
    MeasureKind,
    Scope,
    list_alerts,
    list_measured,
)
from rag.storage import audit_log
from rag.storage.database import Database
from rag.storage.store import now_ms
from rag.storage.tables.knowledge import Collection
from rag.storage.tables.monitoring import AlertRule, ReferencePeriod
from rag.workspace import Workspace

_EDITABLE = (
    "name", "measure", "collection", "model", "prompt", "comparison", "threshold", "window", "minimum",
    "enabled", "note",
)  # fmt: skip
_RELATIVE = re.compile(r"(\d+)\s*(h|d|w)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_HOURS = {"h": 1, "d": 24, "w": 168}
_QUICK = (
    MeasureKind.RATE,
    MeasureKind.VALUE,
    MeasureKind.CHANGE,
)  # kinds that need no embedding, so that every answer checks them


def next_state(state: AlertState, condition: Condition) -> AlertState:
    """Return the state of a rule after a judgement.

    What is acknowledged stays so as long as it lasts; after it has been calm it fires again.
    """
    if condition == Condition.BEYOND:
        return AlertState.ACKNOWLEDGED if state == AlertState.ACKNOWLEDGED else AlertState.FIRING
    return AlertState.OK if condition == Condition.OK else AlertState.NOT_ENOUGH_DATA


def check_quickly(workspace: Workspace) -> list[AlertRow]:
    """Judge every rule that needs no embedding, store the states, and return the rules that fire now."""
    database = workspace.database
    asks = remembering(database)
    found = {
        rule.id: judge(database, rule, asks)
        for rule in list_alerts(database)
        if rule.enabled and kind_of(rule) in _QUICK
    }
    _write(workspace, found)
    return list_alerts(database, firing_only=True)


def judged_now(database: Database) -> list[AlertRow]:
    """Return every rule as it is now, without storing anything. Drift stays as it was last judged."""
    asks = remembering(database)
    rows = []
    for rule in list_alerts(database):
        if rule.enabled and kind_of(rule) in _QUICK:
            found = judge(database, rule, asks)
            rule = replace(
                rule, state=next_state(rule.state, found.condition), value=found.value, count=found.count,
                limit=found.limit, sentence=found.sentence,
            )  # fmt: skip
        rows.append(rule)
    return rows


def kind_of(rule: AlertRow) -> MeasureKind | None:
    """Return the kind of a rule's measure; None for a measure that this version does not know."""
    measure = MEASURES.get(rule.measure)
    return measure.kind if measure else None


def check_alerts(workspace: Workspace) -> Generator[VersionProgress, None, list[AlertRow]]:
    """Judge every rule, drift included, and return all rules as they are then."""
    check_quickly(workspace)
    found = {}
    for rule in list_alerts(workspace.database):
        if rule.enabled and kind_of(rule) == MeasureKind.DRIFT:
            found[rule.id] = yield from _judge_drift(workspace, rule)
    _write(workspace, found)
    return list_alerts(workspace.database)


def _judge_drift(workspace: Workspace, rule: AlertRow) -> Generator[VersionProgress, None, RuleJudgement]:
    what = DriftSubject.QUESTIONS if rule.measure == "question_drift" else DriftSubject.SCORES
    result = yield from drift_of(workspace, what, rule.scope, rule.window, rule.minimum)
    if result.p is None:
        return RuleJudgement(Condition.NOT_ENOUGH_DATA, None, result.count, None, result.sentence)
    threshold = 0.01 if rule.threshold is None else rule.threshold
    condition = Condition.BEYOND if result.p < threshold else Condition.OK
    return RuleJudgement(condition, result.p, result.count, threshold, result.sentence)


def _write(workspace: Workspace, found: dict[int, RuleJudgement]) -> None:
    """Store judgements in one transaction, without rules that did not change: most answers write nothing."""
    rows = {rule.id: rule for rule in list_alerts(workspace.database)}
    moment = now_ms()
    changed = [
        (rule_id, judgement)
        for rule_id, judgement in found.items()
        if rule_id in rows
        and (rows[rule_id].state, rows[rule_id].sentence)
        != (next_state(rows[rule_id].state, judgement.condition), judgement.sentence)
    ]
    if not changed:
        return
    with workspace.store.session() as session:
        for rule_id, judgement in changed:
            rule = session.get(AlertRule, rule_id)
            if rule is None or not rule.enabled:
                continue  # removed or switched off in the meantime
            # Read again: a person may have acknowledged it in the meantime.
            state = next_state(AlertState(rule.state), judgement.condition)
            if rule.state != state:
                rule.since_ms = moment
                if state == AlertState.FIRING:
                    audit_log.record(session, audit_log.Action.ALERT_FIRED, rule.name, judgement.sentence)
                if state != AlertState.ACKNOWLEDGED:
                    rule.acknowledged = ""
            rule.state, rule.checked_ms = state, moment
            rule.value, rule.count, rule.limit = judgement.value, judgement.count, judgement.limit
            rule.sentence = judgement.sentence
            session.add(rule)


# --- rules ------------------------------------------------------------------------------------------------


def add_rule(workspace: Workspace, values: dict[str, Any]) -> AlertRow:
    """Make a rule and judge it.

    Args:
        workspace: Where the rule is stored.
        values: name and measure, and optionally comparison, threshold (None: the control limit), window,
            minimum, collection, model, prompt, enabled and note.

    Raises:
        RagError: The one thing to put right.
    """
    measure = MEASURES.get(values.get("measure", ""))
    worse = measure.worse if measure else Comparison.ABOVE
    defaults = {"name": "", "measure": "", "comparison": worse, "window": 50, "minimum": 20}
    rule = AlertRule(**{**defaults, **_known(values)})
    with workspace.store.session() as session:
        _validate(session, rule)
        session.add(rule)
        audit_log.record(session, audit_log.Action.ALERT_RULE_ADDED, rule.name)
    check_quickly(workspace)
    return _row(workspace, rule.name)


def change_rule(workspace: Workspace, name: str, values: dict[str, Any]) -> AlertRow:
    """Change some fields of a rule, and judge it again whatever its state was. Raises RagError."""
    with workspace.store.session() as session:
        rule = _find(session, name)
        for key, value in _known(values).items():
            setattr(rule, key, value)
        _validate(session, rule)
        rule.state, rule.sentence, rule.acknowledged = AlertState.NOT_ENOUGH_DATA, "", ""
        session.add(rule)
        audit_log.record(session, audit_log.Action.ALERT_RULE_CHANGED, rule.name, ", ".join(sorted(values)))
        new_name = rule.name
    check_quickly(workspace)
    return _row(workspace, new_name)


def remove_rule(workspace: Workspace, name: str) -> None:
    """Delete a rule. Raises NotFoundError."""
    with workspace.store.session() as session:
        session.delete(_find(session, name))
        audit_log.record(session, audit_log.Action.ALERT_RULE_REMOVED, name)


def acknowledge(workspace: Workspace, name: str, note: str) -> AlertRow:
    """Say what is done about a firing alert: it fails no check until it was calm again. Raises RagError."""
    with workspace.store.session() as session:
        rule = _find(session, name)
        if rule.state not in (AlertState.FIRING, AlertState.ACKNOWLEDGED):
            raise RagError(f"“{name}” is not firing ({rule.state}), so there is nothing to acknowledge.")
        if not note.strip():
            raise RagError("Write a note that says what is known or done about it.")
        rule.state, rule.acknowledged = AlertState.ACKNOWLEDGED, note.strip()
        if rule.measure == ENDPOINT_CHANGE:  # a change happens once: only a later one fires again
            rule.since_ms = now_ms()
        session.add(rule)
        audit_log.record(session, audit_log.Action.ALERT_ACKNOWLEDGED, name)
    return _row(workspace, name)


# --- the reference period ---------------------------------------------------------------------------------


def set_reference(
    workspace: Workspace, collection: str, start: str | int, end: str | int = "", note: str = ""
) -> int:
    """Choose the period that limits and drift tests compare with, and return how many questions it has.

    A time is Unix milliseconds, a date ("2026-03-01", "2026-03-01 12:00", local time) or an age ("14d"; also
    h, w).

    Args:
        workspace: Where the period is stored.
        collection: Its name; empty: for all collections without a period of their own.
        start: When the period begins.
        end: When it ends; empty: now. A date without a time includes the whole day.
        note: Why this period.

    Raises:
        RagError: A time cannot be read, the period is empty, or there is no such collection.
    """
    start_ms = moment_ms(start)
    end_ms = min(moment_ms(end, end_of_day=True) if end != "" else now_ms(), now_ms())
    if start_ms >= end_ms:
        raise RagError("The reference period must begin before it ends.")
    with workspace.store.session() as session:
        _check_collection(session, collection)
        session.merge(ReferencePeriod(collection=collection, start_ms=start_ms, end_ms=end_ms, note=note))
        audit_log.record(session, audit_log.Action.REFERENCE_PERIOD_SET, collection or "all collections")
    check_quickly(workspace)
    return len(
        list_measured(workspace.database, Scope(collection, since_ms=start_ms, until_ms=end_ms), 100_000)
    )


def clear_reference(workspace: Workspace, collection: str) -> None:
    """Delete a reference period. Raises NotFoundError."""
    with workspace.store.session() as session:
        found = session.get(ReferencePeriod, collection)
        if found is None:
            raise NotFoundError("There is no such reference period.")
        session.delete(found)
        audit_log.record(session, audit_log.Action.REFERENCE_PERIOD_REMOVED, collection or "all collections")
    check_quickly(workspace)


def moment_ms(text: str | int, end_of_day: bool = False) -> int:
    """Return the Unix milliseconds of a moment as a person writes it. Raises RagError.

    A date without a time is the beginning of the day, or its end if end_of_day.
    """
    if isinstance(text, int):
        return text
    relative = _RELATIVE.fullmatch(text.strip())
    if relative:
        return now_ms() - int(relative.group(1)) * _HOURS[relative.group(2).lower()] * 3_600_000
    try:
        moment = datetime.fromisoformat(text.strip())
        if end_of_day and _DAY.fullmatch(text.strip()):
            moment += timedelta(days=1)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise RagError(
            f"“{text}” is not a time. Write a date such as 2026-03-01, or an age such as 14d (h, d or w)."
        ) from None


def _known(values: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - set(_EDITABLE))
    if unknown:
        raise RagError(f"A rule has no field {unknown[0]}. Its fields are: {', '.join(_EDITABLE)}.")
    return values


def _validate(session: Session, rule: AlertRule) -> None:
    """Raise RagError with the one thing to put right."""
    rule.name = rule.name.strip()
    if not rule.name:
        raise RagError("A rule needs a name.")
    with session.no_autoflush:
        other = session.exec(select(AlertRule).where(AlertRule.name == rule.name)).first()
        if other is not None and other.id != rule.id:
            raise RagError(f"There already is a rule “{rule.name}”. Choose another name.")
        _check_collection(session, rule.collection)
    measure = MEASURES.get(rule.measure)
    if measure is None:
        raise RagError(f"There is no measure “{rule.measure}”. Choose one of: {', '.join(MEASURES)}.")
    if rule.comparison not in set(Comparison):
        raise RagError("The comparison of a rule is “above” or “below”.")
    if measure.kind == MeasureKind.DRIFT and (rule.threshold is None or rule.comparison != Comparison.BELOW):
        raise RagError(
            "A drift rule fires below a p value: give a threshold such as 0.01 and the comparison “below”."
        )
    if measure.kind != MeasureKind.VALUE and rule.threshold is not None and not 0 <= rule.threshold <= 1:
        raise RagError(f"The threshold of {measure.title.lower()} is a share between 0 and 1.")
    if not 5 <= rule.window <= 1000:
        raise RagError("A window has 5 to 1,000 questions.")
    if not 5 <= rule.minimum <= rule.window:
        raise RagError(
            "The minimum is at least 5 questions, because fewer say nothing, and at most the window."
        )


def _check_collection(session: Session, name: str) -> None:
    application = application_named_by(name)
    if application:
        known = session.connection().exec_driver_sql(
            "SELECT 1 FROM trace WHERE application = ? LIMIT 1", (application,)
        )
        if known.first() is None:
            raise NotFoundError(f"No trace of an application named “{application}” was received.")
    elif name and session.exec(select(Collection).where(Collection.name == name)).first() is None:
        raise NotFoundError(f"There is no collection named “{name}”.")


def _find(session: Session, name: str) -> AlertRule:
    found = session.exec(select(AlertRule).where(AlertRule.name == name)).first()
    if found is None:
        raise NotFoundError(f"There is no rule “{name}”. Run `ragdeck monitor rules` to see all rules.")
    return found


def _row(workspace: Workspace, name: str) -> AlertRow:
    return next(row for row in list_alerts(workspace.database) if row.name == name)
