"""Compares runs: what differs, how certain that is, and which cases changed most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.metrics import METRICS, Metric
from rag.evaluation.pairing import GatheredRun, Pairing, pair
from rag.evaluation.rows import (
    CaseAnswer,
    CaseComparison,
    CaseOutcome,
    Detectable,
    MetricComparison,
    MetricDifference,
    MetricMean,
    ResultRow,
    RunComparison,
    RunRow,
    RunStatus,
    TagComparison,
    get_run,
    list_results,
)
from rag.evaluation.runs import gather, run_cases
from rag.evaluation.sets import set_cases
from rag.evaluation.statistics.intervals import (
    LEAST_DOCUMENTS,
    case_means,
    has_few_documents,
    mean_interval,
)
from rag.evaluation.statistics.paired import Comparison, compare_many, summary
from rag.evaluation.statistics.power import cases_needed, smallest_detectable_difference
from rag.evaluation.verdicts.answers import explain_change, mark_of
from rag.evaluation.verdicts.rows import list_shown_passages, read_flag_counts
from rag.evaluation.verdicts.run_verdict import verdict_on
from rag.storage.database import Database
from rag.text.plurals import counted, named
from rag.workspace import Workspace

_DIFFERENCES = (0.05, 0.10, 0.15, 0.20)
_MOST_RUNS = 8
_QUALITY_UNITS = ("share", "cosine")


def compare_evaluations(workspace: Workspace, run_ids: list[int]) -> RunComparison:
    """Compare runs for the window; see compare."""
    return compare(workspace.database, run_ids)


def set_power(workspace: Workspace, set_name: str) -> Detectable:
    """Return what the newest version of a set can show. Raises NotFoundError."""
    return _detectable({case.key: case for case in set_cases(workspace.database, set_name)})


def compare(database: Database, run_ids: Sequence[int]) -> RunComparison:
    """Compare runs with the first of them; one run alone gives its means. Raises RagError."""
    ids = list(dict.fromkeys(run_ids))
    if not 1 <= len(ids) <= _MOST_RUNS:
        raise RagError(f"Choose 1 to {_MOST_RUNS} runs to compare.")
    runs = [get_run(database, run_id) for run_id in ids]
    found = [list_results(database, run_id) for run_id in ids]
    by_version = {run.set_version_id: run_cases(database, run) for run in runs}
    gathered = [
        gather(run, results, by_version[run.set_version_id]) for run, results in zip(runs, found, strict=True)
    ]
    pairings = [pair(gathered[0], other) for other in gathered[1:]]
    comparable = [gathered[0], *(pairing.run for pairing in pairings)]
    cases = _known_cases(gathered, pairings)
    clusters = {key: case.source_cluster for key, case in cases.items()}
    detectable = _detectable(gathered[0].cases or cases)
    compared = compare_many(gathered[0].values, [g.values for g in comparable[1:]], clusters)
    metrics = _metrics(runs, gathered, compared)
    named = _in_names(found, pairings)
    return RunComparison(
        runs=tuple(runs),
        metrics=metrics,
        tags=_by_tag(runs, [_numbers(results) for results in comparable], cases),
        cases=_explained(database, _cases(runs, named, pairings, cases), named, cases),
        failures=tuple(
            (run.id, dict(Counter(g.outcomes.values()))) for run, g in zip(runs, gathered, strict=True)
        ),
        sentences=tuple(
            f"Run {run.id} against run {runs[0].id}: {summary(result, run.label)}"
            for run, result in zip(runs[1:], compared, strict=True)
        ),
        warnings=(
            *_case_warnings(runs, gathered, pairings),
            *_warnings(runs, detectable.few_documents),
        ),
        changed=tuple((run.id, p.changed) for run, p in zip(runs[1:], pairings, strict=True) if p.changed),
        stale=tuple(
            (run.id, key, label)
            for run, results in zip(runs, gathered, strict=True)
            for key, labels in results.stale.items()
            for label in labels
        ),
        detectable=detectable,
        verdicts=tuple(verdict_on(run, runs[0], metrics, detectable) for run in runs[1:]),
    )


def _known_cases(gathered: Sequence[GatheredRun], pairings: Sequence[Pairing]) -> dict[str, Case]:
    """Return the cases of all runs under the keys of the comparison; the first run's stand before others."""
    cases = dict(gathered[0].cases)
    for run, pairing in zip(gathered[1:], pairings, strict=True):
        for key, case in run.cases.items():
            cases.setdefault(pairing.names.get(key, key), case)
    return cases


def _in_names(found: Sequence[Sequence[ResultRow]], pairings: Sequence[Pairing]) -> list[Sequence[ResultRow]]:
    """Return the answers of all runs under the keys of the comparison."""
    renamed = [
        [replace(r, case_key=pairing.names.get(r.case_key, r.case_key)) for r in results]
        for results, pairing in zip(found[1:], pairings, strict=True)
    ]
    return [found[0], *renamed]


# Of each metric, by case key: the mean over its repeats.
_Means = dict[str, dict[str, float]]


def _numbers(results: GatheredRun) -> _Means:
    return {metric: case_means(by_case) for metric, by_case in results.values.items()}


def _metrics(
    runs: Sequence[RunRow],
    gathered: Sequence[GatheredRun],
    compared: Sequence[Sequence[Comparison]],
) -> tuple[MetricComparison, ...]:
    values = [_numbers(results) for results in gathered]
    differences: dict[str, list[MetricDifference]] = {}
    for run, comparisons in zip(runs[1:], compared, strict=True):
        for one in comparisons:
            differences.setdefault(one.metric, []).append(_difference(run, one))
    return tuple(
        MetricComparison(
            name=metric.name,
            label=metric.label,
            definition=metric.definition,
            source=metric.source,
            direction=metric.direction,
            unit=metric.unit,
            kind=metric.kind,
            means=tuple(
                _mean(run, results, metric, means.get(metric.name, {}))
                for run, results, means in zip(runs, gathered, values, strict=True)
            ),
            differences=tuple(differences.get(metric.name, ())),
        )
        for metric in METRICS.values()
        if any(means.get(metric.name) for means in values)
    )


def _mean(run: RunRow, results: GatheredRun, metric: Metric, known: Mapping[str, float]) -> MetricMean:
    count = len(known)
    mean = sum(known.values()) / count if count else None
    interval = mean_interval(known, results.clusters, metric.unit)
    low, high, how = (interval.low, interval.high, interval.method) if interval else (None, None, "")
    failed = len(results.missing(metric.name))
    return MetricMean(run.id, count, len(results.outcomes) - count, mean, low, high, how, failed)


def _difference(run: RunRow, one: Comparison) -> MetricDifference:
    return MetricDifference(
        run_id=run.id,
        pairs=one.pairs,
        clusters=one.clusters,
        mean_first=one.mean_a,
        mean=one.mean_b,
        difference=one.difference,
        low=one.low,
        high=one.high,
        interval=one.interval,
        test=one.test,
        p=one.p,
        p_holm=one.p_holm,
        effect=one.effect,
        effect_name=one.effect_name,
        wins=one.wins,
        ties=one.ties,
        losses=one.losses,
        warning=one.warning,
        sentence=one.sentence(run.label) + ".",
    )


def _by_tag(
    runs: Sequence[RunRow], values: Sequence[_Means], cases: Mapping[str, Case]
) -> tuple[TagComparison, ...]:
    keys: dict[str, list[str]] = {}
    for key, case in cases.items():
        for tag in case.tags:
            keys.setdefault(tag, []).append(key)
    found = []
    for tag in sorted(keys):
        for run, means in zip(runs[1:], values[1:], strict=True):
            for name in METRICS:
                first, own = values[0].get(name, {}), means.get(name, {})
                pairs = [(first[key], own[key]) for key in keys[tag] if key in first and key in own]
                if pairs:
                    found.append(_tag(tag, name, run.id, pairs))
    return tuple(found)


def _tag(tag: str, name: str, run_id: int, pairs: Sequence[tuple[float, float]]) -> TagComparison:
    sign = -1 if METRICS[name].direction == "lower" else 1
    return TagComparison(
        tag,
        name,
        run_id,
        len(pairs),
        sum(a for a, _ in pairs) / len(pairs),
        sum(b for _, b in pairs) / len(pairs),
        sum(sign * (b - a) > 0 for a, b in pairs),
        sum(sign * (b - a) < 0 for a, b in pairs),
    )


def _cases(
    runs: Sequence[RunRow],
    found: Sequence[Sequence[ResultRow]],
    pairings: Sequence[Pairing],
    cases: Mapping[str, Case],
) -> tuple[CaseComparison, ...]:
    gathered = [gather(run, results, {}) for run, results in zip(runs, found, strict=True)]
    changed = {key for pairing in pairings for key in pairing.changed}
    first_results = []
    for results in found:
        first: dict[str, ResultRow] = {}
        for result in results:
            first.setdefault(result.case_key, result)
        first_results.append(first)
    keys = dict.fromkeys(key for first in first_results for key in first)
    by_case = [_turned(_numbers(results)) for results in gathered]
    compared = []
    for key in keys:
        answers = tuple(
            _answer(run, first[key], results.outcomes[key], own.get(key, {}), cases.get(key))
            if key in first
            else None
            for run, first, results, own in zip(runs, first_results, gathered, by_case, strict=True)
        )
        change, size = (0.0, 0.0) if key in changed else _change(answers)
        case = cases.get(key)
        question = next((first[key].question for first in first_results if key in first), "")
        compared.append(
            CaseComparison(
                key,
                case.question if case else question,
                case.tags if case else (),
                change,
                size,
                answers,
                key in changed,
                case.references if case else (),
                case.should_refuse if case else False,
            )
        )
    return tuple(sorted(compared, key=lambda c: (not c.is_changed, -c.size)))


def _turned(means: _Means) -> dict[str, dict[str, float]]:
    """Return the values by case key, then by metric."""
    found: dict[str, dict[str, float]] = {}
    for metric, by_case in means.items():
        for key, value in by_case.items():
            found.setdefault(key, {})[metric] = value
    return found


def _answer(
    run: RunRow, result: ResultRow, outcome: CaseOutcome, values: dict[str, float], case: Case | None
) -> CaseAnswer:
    mark, why = mark_of(result, case)
    return CaseAnswer(run.id, outcome, result.answer, result.error, result.trace_id, values, mark, why)


def _explained(
    database: Database,
    compared: Sequence[CaseComparison],
    found: Sequence[Sequence[ResultRow]],
    cases: Mapping[str, Case],
) -> tuple[CaseComparison, ...]:
    """Return the cases with why the last run differs from the first; edited ones are not compared."""
    if len(found) < 2:
        return tuple(compared)
    # Turned round, so that of several repeats the first one stays, whose answer is shown.
    first, last = ({result.case_key: result for result in reversed(run)} for run in (found[0], found[-1]))
    traces = [result.trace_id for run in (first, last) for result in run.values()]
    passages = list_shown_passages(database, traces)
    flags = read_flag_counts(database, traces)

    def reasons(key: str) -> tuple[str, ...]:
        return explain_change(cases.get(key), first[key], last[key], passages, flags)

    return tuple(
        replace(one, reasons=reasons(one.key))
        if one.key in first and one.key in last and not one.is_changed
        else one
        for one in compared
    )


_SIGNS = {
    name: -1 if metric.direction == "lower" else 1
    for name, metric in METRICS.items()
    if metric.unit in _QUALITY_UNITS and metric.direction != "none"
}


def _change(answers: Sequence[CaseAnswer | None]) -> tuple[float, float]:
    """Return how much better the last run is, and how much it differs; 0 where one run lacks the case."""
    first, last = answers[0], answers[-1]
    if first is None or last is None:
        return 0.0, 0.0
    total = size = 0.0
    count = 0
    for name, value in first.values.items():
        if name in _SIGNS and name in last.values:
            difference = last.values[name] - value
            total += _SIGNS[name] * difference
            size += abs(difference)
            count += 1
    differs = float(first.outcome != last.outcome)
    return (total / count, size / count + differs) if count else (0.0, differs)


def _case_warnings(
    runs: Sequence[RunRow], gathered: Sequence[GatheredRun], pairings: Sequence[Pairing]
) -> list[str]:
    """Return what a reader must know about cases that changed, and about judgements that were not found."""
    found = []
    for run, pairing in zip(runs[1:], pairings, strict=True):
        # Of two runs without cases it is known that they are the same where their versions are.
        unknown = (
            not (gathered[0].cases or pairing.run.cases) and run.set_fingerprint != runs[0].set_fingerprint
        )
        if pairing.is_by_key or unknown:
            found.append(
                f"The set of run {runs[0].id} or {run.id} was deleted. Their cases are paired by their keys, "
                "and it is not known whether they are the same."
            )
        if pairing.changed:
            count = counted(len(pairing.changed), "case was edited and is", "cases were edited and are")
            found.append(
                f"{count} left out of the comparison of run {run.id} with run {runs[0].id}: "
                f"{named(pairing.changed)}."
            )
    for run, results in zip(runs, gathered, strict=True):
        if results.stale:
            number = sum(map(len, results.stale.values()))
            count = counted(number, "judgement", "judgements")
            listed = [f"{key}: {labels[0]}" for key, labels in results.stale.items()]
            found.append(
                f"{count} of run {run.id} in {counted(len(results.stale), 'case')} "
                f"{'was' if number == 1 else 'were'} not found in version "
                f"{run.version_number} of {run.collection}, so that ranking metrics leave them out: "
                f"{named(listed)}. Run `ragdeck sets check “{run.set_name}” -c “{run.collection}”` to see "
                "what they could be."
            )
    return found


def _warnings(runs: Sequence[RunRow], few_documents: bool) -> tuple[str, ...]:
    found = []
    first = runs[0]
    for run in runs[1:]:
        if run.set_fingerprint != first.set_fingerprint:
            found.append(
                f"Run {run.id} is on version {run.set_number} of “{run.set_name}”, run {first.id} on version "
                f"{first.set_number} of “{first.set_name}”. Only the cases that both have are compared."
            )
    for run in runs:
        if run.status is not RunStatus.DONE:
            found.append(f"Run {run.id} is {run.status} with {run.done_count} of {run.total} answers.")
    if len({run.parallel == 1 for run in runs}) > 1:
        found.append("Times are only known for runs whose questions were asked one by one.")
    if few_documents:
        found.append(
            f"Most cases come from fewer than {LEAST_DOCUMENTS} documents. Intervals and p are valid for "
            "other questions about these documents, not for other documents."
        )
    return tuple(found)


def _detectable(cases: Mapping[str, Case]) -> Detectable:
    names = [case.source_cluster for case in cases.values()]
    return _power(len(names), len(set(names)), has_few_documents(names))


@lru_cache(maxsize=64)
def _power(cases: int, clusters: int, few_documents: bool) -> Detectable:
    """Return what so many cases can show, as if they were independent."""
    needed = tuple((difference, cases_needed(difference)) for difference in _DIFFERENCES)
    smallest = smallest_detectable_difference(cases) if cases else None
    return Detectable(cases, clusters, few_documents, smallest, needed)
