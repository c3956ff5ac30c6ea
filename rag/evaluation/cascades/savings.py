"""Compares two ways to answer by cost and quality, on the same cases, and finds the threshold of a cascade.

The cost of a case is that of all answers that were made for it: of a cascade those that were not given as
well. An answer that an evaluation took over from another run cost what that one did.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.asking.cascades.rows import Signal
from rag.costs.usage import record_costs
from rag.errors import RagError
from rag.evaluation.cascades.rows import CascadeCurve, CostKind, CurvePoint, Savings
from rag.evaluation.metrics import METRICS
from rag.evaluation.pairing import GatheredRun, pair
from rag.evaluation.rows import RunRow, RunStatus, get_run
from rag.evaluation.runs import run_results
from rag.evaluation.statistics.intervals import ratio_interval
from rag.evaluation.statistics.paired import LEAST_PAIRS, not_worse
from rag.storage.database import Database
from rag.workspace import Workspace

METRIC = "token_f1"
MARGIN = 0.02
_MOST_POINTS = 41
# Each answer of a run with the traces that were made for it.
_TRACES = """
    WITH r AS (SELECT case_key, repeat, coalesce(nullif(reused_trace, ''), trace_id) AS given
               FROM evaluationresult WHERE run_id = ?)
    SELECT case_key, repeat, given AS id FROM r
    UNION SELECT r.case_key, r.repeat, s.trace_id FROM r JOIN cascadestep s ON s.answer_id = r.given
"""


@dataclass(frozen=True)
class _Answers:
    """A run's cases: their cost, their values, and how sure the answers are of themselves."""

    row: RunRow
    results: GatheredRun
    costs: dict[str, float]
    unit: str


def compare_costs(
    workspace: Workspace,
    run_id: int,
    baseline_id: int,
    *,
    metric: str = METRIC,
    margin: float = MARGIN,
    kind: CostKind = CostKind.MONEY,
) -> Savings:
    """Compare what a run cost and how good it was with a baseline on the same cases.

    Args:
        workspace: Where the runs are.
        run_id: The run, such as that of a cascade.
        baseline_id: The run that it is compared with, such as that of the large model alone.
        metric: The quality, a name of rag.evaluation.metrics.
        margin: By how much it may be worse, in the metric's unit.
        kind: Which cost.

    Raises:
        RagError: A run is not done, the metric does not exist, or costs are in several currencies.
    """
    _check_quality(metric, margin)
    record_costs(workspace)
    baseline, run = (_answers(workspace.database, one, kind) for one in (baseline_id, run_id))
    if baseline.unit and run.unit and baseline.unit != run.unit:
        raise RagError(
            f"Run {run_id} has costs in {run.unit}, run {baseline_id} in {baseline.unit}. Compare them by "
            "tokens."
        )
    pairing = pair(baseline.results, run.results)
    costs = {pairing.names[key]: cost for key, cost in run.costs.items() if key in pairing.names}
    both = [key for key in baseline.results.outcomes if key in pairing.run.outcomes]
    return _savings(
        (run.row.label, baseline.row.label),
        (pairing.run, baseline.results),
        (_only(costs, both), _only(baseline.costs, both)),
        kind,
        baseline.unit or run.unit,
        metric,
        margin,
        len(both),
    )


def threshold_curve(
    workspace: Workspace,
    small_id: int,
    large_id: int,
    *,
    signal: Signal = Signal.SUPPORT,
    metric: str = METRIC,
    margin: float = MARGIN,
    kind: CostKind = CostKind.MONEY,
) -> CascadeCurve:
    """Return what a cascade of two pipelines would have cost and answered, by the threshold of a signal.

    Nothing is asked again: where the small pipeline's answer is below the threshold, the large one's counts.

    Args:
        workspace: Where the runs are.
        small_id: A run of the pipeline that is asked first.
        large_id: A run of the other one, on the same set.
        signal: What decides.
        metric: The quality.
        margin: By how much the cascade may be worse than the large pipeline alone.
        kind: Which cost.

    Raises:
        RagError: The runs cannot be compared, or their costs are not known.
    """
    _check_quality(metric, margin)
    record_costs(workspace)
    large, small = (_answers(workspace.database, one, kind) for one in (large_id, small_id))
    pairing = pair(large.results, small.results)
    sure = {
        pairing.names[key]: value
        for key, value in _signals(workspace.database, small_id, signal).items()
        if key in pairing.names
    }
    small_cost = {pairing.names[key]: cost for key, cost in small.costs.items() if key in pairing.names}
    small_value, large_value = pairing.run.means(metric), large.results.means(metric)
    known = (small_cost, large.costs, small_value, large_value)
    keys = [key for key in large.results.outcomes if all(key in values for values in known)]
    if len(keys) < 2 * LEAST_PAIRS:
        raise RagError(
            f"{len(keys)} cases have a value of {metric} and a known {kind.noun} in both runs. A threshold "
            f"needs {2 * LEAST_PAIRS}: half of them to choose it on, half to judge it."
        )
    table = _Table(keys, sure, *known, large.results.clusters)
    first, second = _halves(keys, large.results.clusters)
    chosen = _choose(table.of(first), margin, METRICS[metric].direction == "lower")
    shown = None
    if chosen is not None:
        names = (f"the cascade from {signal} {chosen:.2f} on", large.row.label)
        shown = table.of(second).savings(names, chosen, kind, large.unit, metric, margin)
    return CascadeCurve(
        small.row.label, large.row.label, signal, tuple(table.point(t) for t in table.thresholds()),
        _mean(small_cost, keys), _mean(small_value, keys), _mean(large.costs, keys), _mean(large_value, keys),
        METRICS[metric].label, large.unit, chosen, len(first), len(second), shown,
    )  # fmt: skip


# --- the answers of a run ---------------------------------------------------------------------------------


def _answers(database: Database, run_id: int, kind: CostKind) -> _Answers:
    row = get_run(database, run_id)
    if row.status is not RunStatus.DONE:
        raise RagError(f"Run {run_id} is {row.status}. Resume it before you compare what it cost.")
    costs, unit = _costs(database, run_id, kind)
    return _Answers(row, run_results(database, row), costs, unit)


def _costs(database: Database, run_id: int, kind: CostKind) -> tuple[dict[str, float], str]:
    """Return the mean cost of each case, without those of which any part is unknown, and its unit."""
    if kind is CostKind.TOKENS:
        query = f"""SELECT a.case_key, a.repeat,
            sum(t.prompt_tokens + t.completion_tokens + t.thinking_tokens), 0, 'tokens', 'tokens'
            FROM ({_TRACES}) a JOIN trace t ON t.id = a.id GROUP BY 1, 2"""
    elif kind is CostKind.SECONDS:
        query = f"""SELECT a.case_key, a.repeat, sum(c.seconds), sum(c.basis = 'unknown' AND c.seconds = 0),
            's', 's' FROM ({_TRACES}) a JOIN cost c ON c.trace_id = a.id GROUP BY 1, 2"""
    else:
        query = f"""SELECT a.case_key, a.repeat, sum(c.amount), sum(c.amount IS NULL),
            min(nullif(c.currency, '')), max(nullif(c.currency, ''))
            FROM ({_TRACES}) a JOIN cost c ON c.trace_id = a.id GROUP BY 1, 2"""
    found: defaultdict[str, list[float | None]] = defaultdict(list)
    units: set[str] = set()
    for key, _, amount, unknown, lowest, highest in database.cells(query, (run_id,)):
        found[key].append(None if unknown or amount is None else float(amount))
        units |= {unit for unit in (lowest, highest) if unit}
    if len(units) > 1:
        raise RagError(
            f"Run {run_id} has costs in {' and '.join(sorted(units))}. Compare it by tokens instead."
        )
    known = {
        key: sum(value for value in values if value is not None) / len(values)
        for key, values in found.items()
        if None not in values
    }
    return known, next(iter(units), "")


def _signals(database: Database, run_id: int, signal: Signal) -> dict[str, float]:
    """Return a signal of each case's answers, the mean of its repeats; without those that have none."""
    column = {
        Signal.SUPPORT: "1 - (SELECT max(score) FROM claim c WHERE c.trace_id = t.id)",
        Signal.RETRIEVAL: "min(max(t.best_score, 0.0), 1.0)",
        Signal.CONFIDENCE: "exp(min(t.mean_logprob, 0.0))",
    }[signal]
    rows = database.cells(
        f"""SELECT r.case_key, avg({column}) FROM evaluationresult r JOIN trace t ON t.id = r.trace_id
            WHERE r.run_id = ? GROUP BY 1""",
        (run_id,),
    )
    return {key: float(value) for key, value in rows if value is not None}


# --- cost and quality -------------------------------------------------------------------------------------


def _savings(
    names: tuple[str, str],
    results: tuple[GatheredRun, GatheredRun],
    costs: tuple[Mapping[str, float], Mapping[str, float]],
    kind: CostKind,
    unit: str,
    metric: str,
    margin: float,
    cases: int,
) -> Savings:
    """Compare the first of each pair with the second, the baseline."""
    (run, baseline), (own, other) = results, costs
    keys = [key for key in other if key in own]
    mean_own, mean_other = (_mean(values, keys) if keys else None for values in (own, other))
    saved = 1 - mean_own / mean_other if mean_own is not None and mean_other else None
    ends = ratio_interval(_only(other, keys), _only(own, keys), baseline.clusters)
    quality = not_worse(metric, baseline.values, run.values, baseline.clusters, margin)
    return Savings(
        *names, kind, unit, len(keys), cases - len(keys), mean_other, mean_own, saved,
        1 - ends.high if ends else None, 1 - ends.low if ends else None, METRICS[metric].label,
        METRICS[metric].unit, quality.pairs, quality.difference, quality.low, quality.high, margin, quality.p,
    )  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """Costs and values of the cases of two pipelines, and how sure the small one is of each."""

    keys: Sequence[str]
    sure: Mapping[str, float]
    small_cost: Mapping[str, float]
    large_cost: Mapping[str, float]
    small_value: Mapping[str, float]
    large_value: Mapping[str, float]
    clusters: Mapping[str, str]

    def of(self, keys: Sequence[str]) -> _Table:
        """Return the table of some of the cases."""
        return _Table(
            keys,
            self.sure,
            self.small_cost,
            self.large_cost,
            self.small_value,
            self.large_value,
            self.clusters,
        )

    def thresholds(self) -> list[float | None]:
        """Return the thresholds that make a difference, at most 41 of them; None is above all."""
        known = sorted({self.sure[key] for key in self.keys if key in self.sure})
        if len(known) > _MOST_POINTS:
            places = np.linspace(0, len(known) - 1, _MOST_POINTS).round().astype(int)
            known = [known[place] for place in dict.fromkeys(places.tolist())]
        return [None, *reversed(known)]

    def accepts(self, key: str, threshold: float | None) -> bool:
        """Return whether the small pipeline's answer is given."""
        return threshold is not None and self.sure.get(key, -1.0) >= threshold

    def cost(self, key: str, threshold: float | None) -> float:
        """Return what the case costs: where the small answer is not given, both were paid."""
        given = self.accepts(key, threshold)
        return self.small_cost[key] + (0.0 if given else self.large_cost[key])

    def value(self, key: str, threshold: float | None) -> float:
        """Return the quality of the answer that is given."""
        return (self.small_value if self.accepts(key, threshold) else self.large_value)[key]

    def point(self, threshold: float | None) -> CurvePoint:
        """Return the means at a threshold."""
        count = len(self.keys)
        return CurvePoint(
            threshold,
            sum(self.accepts(key, threshold) for key in self.keys) / count,
            sum(self.cost(key, threshold) for key in self.keys) / count,
            sum(self.value(key, threshold) for key in self.keys) / count,
        )

    def savings(
        self, names: tuple[str, str], threshold: float, kind: CostKind, unit: str, metric: str, margin: float
    ) -> Savings:
        """Compare the cascade at a threshold with the large pipeline alone."""
        cascade = {key: [self.value(key, threshold)] for key in self.keys}
        alone = {key: [self.large_value[key]] for key in self.keys}
        results = (
            GatheredRun(names[0], {metric: cascade}, clusters=self.clusters),
            GatheredRun(names[1], {metric: alone}, clusters=self.clusters),
        )
        costs = ({key: self.cost(key, threshold) for key in self.keys}, _only(self.large_cost, self.keys))
        return _savings(names, results, costs, kind, unit, metric, margin, len(self.keys))


def _choose(table: _Table, margin: float, lower_is_better: bool) -> float | None:
    """Return the cheapest threshold that is worse by no more than the margin; None: none saves anything."""
    alone = _mean(table.large_value, table.keys)
    found: list[tuple[float, float]] = []
    for threshold in table.thresholds():
        if threshold is None:
            continue
        point = table.point(threshold)
        worse = point.quality - alone if lower_is_better else alone - point.quality
        if worse <= margin and point.cost < _mean(table.large_cost, table.keys):
            found.append((point.cost, threshold))
    return min(found)[1] if found else None


def _halves(keys: Sequence[str], clusters: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Divide the cases by their documents, always in the same way: one document stays in one half."""
    names = sorted({clusters.get(key) or f"\0{key}" for key in keys}, key=_by_chance)
    first: set[str] = set()
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_name[clusters.get(key) or f"\0{key}"].append(key)
    taken = 0
    for name in names:
        if taken + len(by_name[name]) <= len(keys) // 2:
            first.add(name)
            taken += len(by_name[name])
    if taken < LEAST_PAIRS or len(keys) - taken < LEAST_PAIRS:  # few documents with many cases
        ordered = sorted(keys, key=_by_chance)
        chosen = set(ordered[: len(keys) // 2])
    else:
        chosen = {key for name in first for key in by_name[name]}
    return [key for key in keys if key in chosen], [key for key in keys if key not in chosen]


def _by_chance(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


def _mean(values: Mapping[str, float], keys: Sequence[str]) -> float:
    return sum(values[key] for key in keys) / len(keys)


def _only(values: Mapping[str, float], keys: Sequence[str]) -> dict[str, float]:
    return {key: values[key] for key in keys if key in values}


def _check_quality(metric: str, margin: float) -> None:
    if metric not in METRICS or METRICS[metric].direction == "none":
        known = ", ".join(name for name, one in METRICS.items() if one.direction != "none")
        raise RagError(f"“{metric}” is not a quality that can be compared. Choose one of: {known}.")
    if not margin > 0:
        raise RagError(
            "The margin must be above 0: no number of cases shows that two runs are exactly the same."
        )
