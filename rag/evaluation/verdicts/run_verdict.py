"""Says in one sentence whether a run is better or worse than its baseline, or why nobody can tell.

Only differences that stay significant after Holm's correction for all metrics count, and only those of
quality: a run that is faster is not better, but the sentence says that it is faster.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.evaluation.rows import Detectable, MetricComparison, MetricDifference, RunRow
from rag.evaluation.statistics.paired import LEAST_PAIRS
from rag.evaluation.verdicts.rows import RunChange, RunVerdict
from rag.text.plurals import counted

_COST_UNITS = ("ms", "tokens")
_MOST_NAMED = 3  # metrics in the sentence; the others are counted

# A metric and how the run differs in it.
_Change = tuple[MetricComparison, MetricDifference]


def verdict_on(
    run: RunRow, baseline: RunRow, metrics: Sequence[MetricComparison], detectable: Detectable
) -> RunVerdict:
    """Return what the comparison of a run with its baseline says."""
    changes = [
        (metric, one) for metric in metrics for one in metric.differences
        if one.run_id == run.id and metric.direction != "none"
    ]  # fmt: skip
    quality = [(m, d) for m, d in changes if m.unit not in _COST_UNITS]
    tested = [(m, d) for m, d in quality if d.p_holm is not None]
    who = f"run {run.id} ({run.label}) against run {baseline.id} ({baseline.label})"
    if not tested:
        most = max((d.pairs for _, d in quality), default=0)
        return RunVerdict(
            run.id, RunChange.UNCERTAIN,
            f"Cannot tell: {who} shares {counted(most, 'measured case')}, and a comparison needs at least "
            f"{LEAST_PAIRS}.",
        )  # fmt: skip
    certain = sorted(((m, d) for m, d in tested if d.certain and d.difference), key=_sureness)
    good, bad = [c for c in certain if _is_better(*c)], [c for c in certain if not _is_better(*c)]
    costs = _costs([(m, d) for m, d in changes if m.unit in _COST_UNITS and d.certain and d.difference])
    if good or bad:
        change = RunChange.MIXED if good and bad else RunChange.BETTER if good else RunChange.WORSE
        parts = [f"{verb} on {_named(some)}" for verb, some in (("better", good), ("worse", bad)) if some]
        pairs = max(d.pairs for _, d in certain)
        head = {RunChange.MIXED: "Better and worse", RunChange.BETTER: "Better", RunChange.WORSE: "Worse"}
        said = f"{head[change]}: {who} is {' and '.join(parts)}, over {counted(pairs, 'case')}."
        return RunVerdict(run.id, change, said + costs)
    if not any(d.difference or d.wins or d.losses for _, d in tested):
        pairs = max(d.pairs for _, d in tested)
        said = f"No difference: {who} measures the same in all of {counted(pairs, 'case')}."
        return RunVerdict(run.id, RunChange.SAME, said + costs)
    said = f"Cannot tell: no difference in quality of {who} is certain.{_nearest(tested)}"
    return RunVerdict(run.id, RunChange.UNCERTAIN, f"{said}{_power(detectable)}{costs}")


def _is_better(metric: MetricComparison, one: MetricDifference) -> bool:
    return ((one.difference or 0.0) > 0) == (metric.direction != "lower")


def _sureness(change: _Change) -> tuple[float, float]:
    return change[1].p_holm or 0.0, -abs(change[1].difference or 0.0)


def _named(changes: Sequence[_Change]) -> str:
    """Return the surest metrics, each with its difference, and how many more there are."""
    shown = [f"{m.label} ({_amount(d.difference or 0.0, m.unit)})" for m, d in changes[:_MOST_NAMED]]
    more = len(changes) - len(shown)
    if more:
        shown.append(counted(more, "more metric"))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _nearest(tested: Sequence[_Change]) -> str:
    metric, one = min(tested, key=lambda c: (c[1].p or 0.0, -abs(c[1].difference or 0.0)))
    if not one.difference or one.p_holm is None:
        return ""
    between = (
        f", 95 % interval {_amount(one.low, metric.unit)} to {_amount(one.high, metric.unit)}"
        if one.low is not None and one.high is not None
        else ""
    )
    return (
        f" The nearest is {metric.label}, {_amount(one.difference, metric.unit)} over "
        f"{counted(one.pairs, 'case')}{between}, p = {one.p_holm:.2g} after the correction for "
        f"{counted(len(tested), 'metric')}."
    )


def _power(detectable: Detectable) -> str:
    """Return what so many cases can show at all."""
    if detectable.difference is None:
        return f" {counted(detectable.cases, 'case')} cannot show any difference reliably: add cases."
    smaller = next((d for d in detectable.needed if d[1] and d[0] < detectable.difference), None)
    enough = f"; {smaller[1]:,} would show {100 * smaller[0]:.0f}" if smaller else ""
    return (
        f" {counted(detectable.cases, 'case')} can show differences of "
        f"{100 * detectable.difference:.0f} points or more{enough}."
    )


def _costs(changes: Sequence[_Change]) -> str:
    """Return in what the run certainly costs more or less."""
    parts = [f"{m.label.lower()} {_amount(d.difference or 0.0, m.unit)}" for m, d in changes]
    return f" Its costs differ too: {', '.join(parts)} a case." if parts else ""


def _amount(value: float, unit: str) -> str:
    if unit == "ms":
        text = f"{value / 1000:+,.2f} s"
    elif unit == "tokens":
        text = f"{value:+,.0f}"
    else:
        text = f"{value:+.2f}" if abs(value) >= 0.005 or not value else f"{value:+.4f}"
    return text.replace("-", "−")
