"""Metrics of runs as lines of a table, and their values as people read them."""

from __future__ import annotations

from dataclasses import dataclass

from rag.evaluation.rows import MetricComparison, MetricDifference, MetricMean, RunComparison, RunRow


@dataclass(frozen=True)
class MetricLine:
    """A metric of the first run, or of another run against the first."""

    metric: MetricComparison
    run: RunRow
    first: MetricMean | None
    own: MetricMean | None
    difference: MetricDifference | None


def metric_lines(found: RunComparison) -> list[MetricLine]:
    """Return a line for each metric and each run but the first, or the means of a single run."""
    lines = []
    for metric in found.metrics:
        means = {mean.run_id: mean for mean in metric.means}
        differences = {one.run_id: one for one in metric.differences}
        first = means.get(found.runs[0].id)
        lines += [
            MetricLine(metric, run, first, means.get(run.id), differences.get(run.id))
            for run in found.runs[1:] or found.runs
        ]
    return lines


def number(value: float | None, unit: str = "") -> str:
    """Return a metric's value as people read it."""
    if value is None:
        return "–"
    if unit == "ms":
        return f"{value / 1000:,.2f} s"
    if unit in ("tokens", "characters", "count"):
        return f"{value:,.0f}"
    return f"{value:.3f}"


def signed(value: float | None, unit: str) -> str:
    """Return a difference as people read it."""
    if value is None:
        return "–"
    return ("+" if value >= 0 else "−") + number(abs(value), unit)


def between(line: MetricLine) -> str:
    """Return the interval of the difference, or of the mean where there is one run only."""
    found = line.difference
    if found is None:
        return mean_interval(line.own, line.metric.unit) or "–"
    if found.low is None or found.high is None:
        return "–"
    return f"{signed(found.low, line.metric.unit)} to {signed(found.high, line.metric.unit)}"


def mean_interval(mean: MetricMean | None, unit: str) -> str:
    """Return the interval of a mean, empty where there is none."""
    if mean is None or mean.low is None or mean.high is None:
        return ""
    return f"{number(mean.low, unit)} to {number(mean.high, unit)}"


def mean_of(mean: MetricMean | None) -> float | None:
    """Return the value of a mean, None where no case has one."""
    return None if mean is None else mean.mean


def better_colour(line: MetricLine) -> str | None:
    """Return a colour for a difference that is certain."""
    found = line.difference
    if found is None or not found.certain or not found.difference or line.metric.direction == "none":
        return None
    good = (found.difference > 0) == (line.metric.direction != "lower")
    return "good" if good else "bad"


def definition(line: MetricLine) -> str:
    """Return what a metric is, which side is better, and where it is from."""
    metric = line.metric
    better = {"higher": "Higher is better.", "lower": "Lower is better."}.get(metric.direction, "")
    return f"{metric.definition}\n{better}\nSource: {metric.source}".replace("\n\n", "\n")
