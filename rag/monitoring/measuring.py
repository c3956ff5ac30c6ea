"""Compares a window of questions with limits. It only reads, so that it works beside another process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.asking.rows import TraceRow
from rag.models.endpoints.rows import list_changes
from rag.monitoring.control_limits import (
    FEWEST,
    ControlLimits,
    lower_median,
    median_limits,
    rate_limits,
    wilson_interval,
)
from rag.monitoring.rows import (
    COUNTED,
    MEASURES,
    AlertRow,
    AlertState,
    ChartPoint,
    Comparison,
    Condition,
    Measure,
    MeasureKind,
    MeasureSummary,
    ReferenceRow,
    Scope,
    beyond,
    find_reference,
    list_measured,
    list_reference_periods,
    values_of,
)
from rag.storage.database import Database
from rag.text.plurals import counted

_MOST_REFERENCE = 1000  # questions: more would not move a limit, and every answer waits for them
NO_REFERENCE = "no reference period is chosen"

Asks = Callable[[Scope, int], list[TraceRow]]


@dataclass(frozen=True)
class RuleJudgement:
    """What the figures of a rule say now."""

    condition: Condition
    value: float | None
    count: int
    limit: float | None
    sentence: str


def remembering(database: Database) -> Asks:
    """Return a reader of the newest questions of a scope that reads the same scope once for all rules."""
    known: dict[tuple[Scope, int], list[TraceRow]] = {}

    def asks(scope: Scope, limit: int) -> list[TraceRow]:
        if (scope, limit) not in known:
            known[scope, limit] = list_measured(database, scope, limit)
        return known[scope, limit]

    return asks


def judge(database: Database, rule: AlertRow, asks: Asks) -> RuleJudgement:
    """Compare the window of a rule, other than one of drift, with its threshold or control limit."""
    measure = MEASURES[rule.measure]
    if measure.kind is MeasureKind.CHANGE:
        return _judge_changes(database, rule)
    reference = None
    scope = rule.scope
    if rule.threshold is None:
        reference = find_reference(database, rule.collection)
        if reference is None:
            only = " for all collections" if list_reference_periods(database) else ""
            return RuleJudgement(Condition.NOT_ENOUGH_DATA, None, 0, None, NO_REFERENCE + only)
        scope = after(scope, reference)
    values = values_of(measure, asks(scope, rule.window))
    count = len(values)
    if count < rule.minimum:
        since = " since the reference period" if reference else ""
        sentence = f"not enough questions{since} ({count} of {rule.minimum})"
        return RuleJudgement(Condition.NOT_ENOUGH_DATA, None, count, None, sentence)
    value = figure(measure, values)
    if reference is None:
        low, high = (rule.threshold, None) if rule.comparison == Comparison.BELOW else (None, rule.threshold)
    else:
        past = values_of(measure, asks(period_scope(rule.collection, reference), _MOST_REFERENCE))
        if len(past) < FEWEST:
            sentence = f"not enough questions in the reference period ({len(past)} of {FEWEST})"
            return RuleJudgement(Condition.NOT_ENOUGH_DATA, value, count, None, sentence)
        limits = limits_for(measure, past, count)
        low, high = (limits.low, None) if rule.comparison == Comparison.BELOW else (None, limits.high)
    limit = low if rule.comparison == Comparison.BELOW else high
    if limit is None:
        sentence = (
            f"{measure.shown(value)} of {counted(count, 'question')}; the reference is too short for a limit"
        )
        return RuleJudgement(Condition.OK, value, count, None, sentence)
    outside = beyond(value, low, high)
    relation = (
        f"{rule.comparison} {measure.shown(limit)}"
        if outside
        else f"not {rule.comparison} {measure.shown(limit)}"
    )
    return RuleJudgement(
        Condition.BEYOND if outside else Condition.OK,
        value,
        count,
        limit,
        f"{measure.shown(value)}, {relation}, {counted(count, 'question')}",
    )


def _judge_changes(database: Database, rule: AlertRow) -> RuleJudgement:
    """Say whether an endpoint changed since the rule was calm or acknowledged; until then it fires on."""
    since_ms = 0 if rule.state is AlertState.FIRING else rule.since_ms
    found = list_changes(database, since_ms)
    if not found:
        return RuleJudgement(Condition.OK, 0.0, 0, None, "no endpoint has changed")
    return RuleJudgement(Condition.BEYOND, float(len(found)), len(found), 0.0, found[0].sentence())


def summaries(database: Database, scope: Scope, window: int, minimum: int = FEWEST) -> list[MeasureSummary]:
    """Return every counted measure over the newest questions of a scope, with its chart of windows."""
    asks = remembering(database)
    reference = find_reference(database, scope.collection)
    everything = asks(scope, 10_000)
    past = asks(period_scope(scope.collection, reference), _MOST_REFERENCE) if reference else []
    return [_summary(measure, everything, past, reference, window, minimum) for measure in COUNTED]


def _summary(
    measure: Measure,
    everything: Sequence[TraceRow],
    past: Sequence[TraceRow],
    reference: ReferenceRow | None,
    window: int,
    minimum: int,
) -> MeasureSummary:
    newest = [ask for ask in everything if reference is None or ask.created_ms >= reference.end_ms][:window]
    values, old = values_of(measure, newest), values_of(measure, past)
    enough = len(values) >= minimum
    limits = limits_for(measure, old, len(values)) if reference and enough else ControlLimits(None, None, 0.0)
    value = figure(measure, values) if values else None
    interval = (
        wilson_interval(int(sum(values)), len(values))
        if measure.kind == MeasureKind.RATE and values
        else None
    )
    return MeasureSummary(
        key=measure.key,
        value=value,
        count=len(values),
        interval=interval,
        reference=figure(measure, old) if old else None,
        reference_count=len(old),
        low=limits.low,
        high=limits.high,
        sentence=_sentence(measure, value, len(values), len(old), limits, reference, minimum),
        points=_points(measure, everything, old, reference, window, minimum),
    )


def _sentence(
    measure: Measure,
    value: float | None,
    count: int,
    reference_count: int,
    limits: ControlLimits,
    reference: ReferenceRow | None,
    minimum: int,
) -> str:
    if value is None or count < minimum:
        return f"not enough questions ({count} of {minimum})"
    if reference is None:
        return NO_REFERENCE
    if reference_count < FEWEST:
        return f"not enough questions in the reference period ({reference_count} of {FEWEST})"
    if beyond(value, limits.low, limits.high):
        high = limits.high is not None and value > limits.high
        bound = limits.high if high else limits.low
        return f"{'above' if high else 'below'} the limit of {measure.shown(bound)}"
    return "within the limits"


def _points(
    measure: Measure,
    everything: Sequence[TraceRow],
    old: Sequence[float],
    reference: ReferenceRow | None,
    window: int,
    minimum: int,
) -> tuple[ChartPoint, ...]:
    """Return windows one after the other, oldest first; the newest of them is what the summary shows.

    A window has questions since the reference period or older ones, never both: the reference period makes
    the limits and is not judged by them. A window with fewer than the minimum of values is left out.
    """
    new = [ask for ask in everything if reference is None or ask.created_ms >= reference.end_ms]
    limits: dict[int, ControlLimits] = {}
    points = []
    for asks, judged in ((new, reference is not None), (everything[len(new) :], False)):
        for begin in range(0, len(asks), window):
            part = [ask for ask in asks[begin : begin + window] if measure.of(ask) is not None]
            values = values_of(measure, part)
            count = len(values)
            if count < min(minimum, window):
                continue
            if count not in limits:
                known = len(old) >= FEWEST
                limits[count] = limits_for(measure, old, count) if known else ControlLimits(None, None, 0.0)
            low, high, value = limits[count].low, limits[count].high, figure(measure, values)
            outside = judged and beyond(value, low, high)
            points.append(
                ChartPoint(part[-1].created_ms, part[0].created_ms, value, count, outside, low, high)
            )
    return tuple(reversed(points))


def figure(measure: Measure, values: Sequence[float]) -> float:
    """Return the rate or the median. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values) if measure.kind == MeasureKind.RATE else lower_median(values)


def limits_for(measure: Measure, reference: Sequence[float], window: int) -> ControlLimits:
    """Return the control limits of a measure for a window of so many values."""
    if measure.kind == MeasureKind.RATE:
        return rate_limits(int(sum(reference)), len(reference), window)
    return median_limits(reference, window)


def period_scope(collection: str, reference: ReferenceRow) -> Scope:
    """Return the scope of a reference period.

    It is by collection alone, so that a new model or prompt is compared with what was before it.
    """
    return Scope(collection, since_ms=reference.start_ms, until_ms=reference.end_ms)


def after(scope: Scope, reference: ReferenceRow) -> Scope:
    """Return the part of a scope after a reference period: a window never shares questions with it."""
    return replace(scope, since_ms=max(reference.end_ms, scope.since_ms or 0))
