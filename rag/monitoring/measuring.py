"""Measures of a window of asks, held against limits. Reads alone, so that it works while another holds the lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.asking.rows import TraceRow
from rag.monitoring.control_limits import (
    FEWEST,
    Limits,
    lower_median,
    median_limits,
    rate_limits,
    wilson_interval,
)
from rag.monitoring.rows import (
    COUNTED,
    MEASURES,
    AlertRow,
    ChartPoint,
    Measure,
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

_MOST_REFERENCE = 1000  # asks: more would not move a limit, and every answer waits for them
NO_REFERENCE = "no reference period is chosen"

Asks = Callable[[Scope, int], list[TraceRow]]


@dataclass(frozen=True)
class Judgement:
    """What a rule says now. condition: "ok", "beyond" or "not enough data"."""

    condition: str
    value: float | None
    count: int
    limit: float | None
    sentence: str


def remembering(database: Database) -> Asks:
    """The newest asks of a scope; the same scope is read once, for all the rules that look at it."""
    known: dict[tuple[Scope, int], list[TraceRow]] = {}

    def asks(scope: Scope, limit: int) -> list[TraceRow]:
        if (scope, limit) not in known:
            known[scope, limit] = list_measured(database, scope, limit)
        return known[scope, limit]

    return asks


def judge(database: Database, rule: AlertRow, asks: Asks) -> Judgement:
    """Hold the window of a rule (not one of drift) against its threshold or control limit."""
    measure = MEASURES[rule.measure]
    reference = None
    scope = rule.scope
    if rule.threshold is None:
        reference = find_reference(database, rule.collection)
        if reference is None:
            only = " for all collections" if list_reference_periods(database) else ""
            return Judgement("not enough data", None, 0, None, NO_REFERENCE + only)
        scope = after(scope, reference)
    values = values_of(measure, asks(scope, rule.window))
    count = len(values)
    if count < rule.minimum:
        since = " since the reference period" if reference else ""
        sentence = f"not enough asks{since} ({count} of {rule.minimum})"
        return Judgement("not enough data", None, count, None, sentence)
    value = figure(measure, values)
    if reference is None:
        low, high = (rule.threshold, None) if rule.comparison == "below" else (None, rule.threshold)
    else:
        past = values_of(measure, asks(period_scope(rule.collection, reference), _MOST_REFERENCE))
        if len(past) < FEWEST:
            sentence = f"not enough asks in the reference period ({len(past)} of {FEWEST})"
            return Judgement("not enough data", value, count, None, sentence)
        limits = limits_for(measure, past, count)
        low, high = (limits.low, None) if rule.comparison == "below" else (None, limits.high)
    limit = low if rule.comparison == "below" else high
    if limit is None:
        sentence = f"{measure.shown(value)} of {count} asks; the reference is too short for a limit"
        return Judgement("ok", value, count, None, sentence)
    outside = beyond(value, low, high)
    relation = (
        f"{rule.comparison} {measure.shown(limit)}"
        if outside
        else f"not {rule.comparison} {measure.shown(limit)}"
    )
    return Judgement(
        "beyond" if outside else "ok",
        value,
        count,
        limit,
        f"{measure.shown(value)}, {relation}, {count} asks",
    )


def summaries(database: Database, scope: Scope, window: int, minimum: int = FEWEST) -> list[MeasureSummary]:
    """Every counted measure over the newest asks of a scope, and the chart of windows before."""
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
    limits = limits_for(measure, old, len(values)) if reference and enough else Limits(None, None, 0.0)
    value = figure(measure, values) if values else None
    interval = wilson_interval(int(sum(values)), len(values)) if measure.kind == "rate" and values else None
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
    limits: Limits,
    reference: ReferenceRow | None,
    minimum: int,
) -> str:
    if value is None or count < minimum:
        return f"not enough asks ({count} of {minimum})"
    if reference is None:
        return NO_REFERENCE
    if reference_count < FEWEST:
        return f"not enough asks in the reference period ({reference_count} of {FEWEST})"
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
    """Windows one after the other, oldest first; the newest of them is what the summary shows.

    A window is of asks since the reference period or of older ones, never of both: the reference period makes the
    limits and is not judged by them. A window with fewer than the minimum of values is left out.
    """
    new = [ask for ask in everything if reference is None or ask.created_ms >= reference.end_ms]
    limits: dict[int, Limits] = {}
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
                limits[count] = limits_for(measure, old, count) if known else Limits(None, None, 0.0)
            low, high, value = limits[count].low, limits[count].high, figure(measure, values)
            outside = judged and beyond(value, low, high)
            points.append(
                ChartPoint(part[-1].created_ms, part[0].created_ms, value, count, outside, low, high)
            )
    return tuple(reversed(points))


def figure(measure: Measure, values: Sequence[float]) -> float:
    """The rate, or the median. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values) if measure.kind == "rate" else lower_median(values)


def limits_for(measure: Measure, reference: Sequence[float], window: int) -> Limits:
    if measure.kind == "rate":
        return rate_limits(int(sum(reference)), len(reference), window)
    return median_limits(reference, window)


def period_scope(collection: str, reference: ReferenceRow) -> Scope:
    """The reference is by collection alone: a new model or prompt is to be held against what was before it."""
    return Scope(collection, since_ms=reference.start_ms, until_ms=reference.end_ms)


def after(scope: Scope, reference: ReferenceRow) -> Scope:
    """A window never shares asks with the reference that it is held against."""
    return replace(scope, since_ms=max(reference.end_ms, scope.since_ms or 0))
