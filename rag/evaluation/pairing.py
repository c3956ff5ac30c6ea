"""Gathers the values of runs, and pairs the cases of two runs by what they ask and expect.

A key alone does not say that two runs were asked the same: an edited case keeps its key. Cases are paired
where question, references, judgements and checks are equal. A case that has another content under the same
key has changed, and belongs into no comparison of pipelines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from rag.evaluation.cases import Case
from rag.evaluation.metrics import METRICS
from rag.evaluation.rows import NO_ANSWER, CaseOutcome
from rag.evaluation.statistics.paired import RunValues

T = TypeVar("T")


@dataclass(frozen=True)
class GatheredRun:
    """The values of a run by metric and case, as gates and comparisons need them.

    Attributes:
        name: What people read.
        values: Of each metric, by case key, the values of its repeats.
        outcomes: How each case ended, by its key.
        clusters: The source document of each case, by its key.
        tags: The tags of each case, by its key.
        cases: What each case asked and expected, by its key; empty when the set was deleted since.
        reasons: Why a case did not end "ok", by its key.
        stale: The judgements of each case that the dataset version does not contain, by its key.
    """

    name: str
    values: RunValues
    outcomes: Mapping[str, CaseOutcome] = field(default_factory=dict)
    clusters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cases: Mapping[str, Case] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    stale: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def means(self, metric: str) -> dict[str, float]:
        """Return the mean of each case's repeats, without the cases that have no value."""
        found = {}
        for key, repeats in self.values.get(metric, {}).items():
            known = [value for value in repeats if value is not None and math.isfinite(value)]
            if known:
                found[key] = sum(known) / len(known)
        return found

    def missing(self, metric: str) -> list[str]:
        """Return the cases that should have a value of the metric and have none.

        That is those that ended in an error or a timeout, and of metrics that need judgements those whose
        judgements were not found. A case to which the metric does not apply is not missing.
        """
        known = self.means(metric)
        needs = METRICS[metric].needs
        return [
            key
            for key, outcome in self.outcomes.items()
            if key not in known
            and (
                (outcome in NO_ANSWER and _applies(needs, self.cases.get(key)))
                or (needs == "judgements" and key in self.stale)
            )
        ]


def _applies(needs: str, case: Case | None) -> bool:
    """Return whether a case can have a value of a metric with such needs; a case that is unknown could."""
    if case is None or not needs:
        return True
    if needs == "judgements":
        return any(judgement.grade > 0 for judgement in case.judgements)
    if needs == "references":
        return bool(case.right_answers)
    return case.should_refuse == (needs == "unanswerable")


@dataclass(frozen=True)
class Pairing:
    """A run beside the one that it is compared with.

    Attributes:
        run: The run with the keys of the first one, without the cases that have changed.
        names: The key that each case of the run has in the comparison, by its own.
        changed: The keys whose case asks or expects something else than in the first run.
        added: The keys that only this run has.
        removed: The keys that only the first run has.
        is_by_key: Whether a set was deleted, so that keys are all that is known of the cases.
    """

    run: GatheredRun
    names: Mapping[str, str]
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    is_by_key: bool = False


def pair(first: GatheredRun, other: GatheredRun) -> Pairing:
    """Pair the cases of a run with those of the first one, by content."""
    mine, theirs = list(other.outcomes), list(first.outcomes)
    if not (first.cases and other.cases):
        return Pairing(
            other,
            {key: key for key in mine},
            added=tuple(key for key in mine if key not in first.outcomes),
            removed=tuple(key for key in theirs if key not in other.outcomes),
            is_by_key=first.cases != other.cases,
        )
    names = _names(first, other)
    partners = set(names.values())
    changed = tuple(key for key in mine if key not in names and key in first.outcomes and key not in partners)
    added = tuple(key for key in mine if key not in names and key not in changed)
    removed = tuple(key for key in theirs if key not in partners and key not in changed)
    taken = {*names.values(), *changed}
    shown = {**names, **{key: key if key not in taken else f"{key} (another case)" for key in added}}
    kept = {own: name for own, name in shown.items() if own in names}
    return Pairing(_renamed(other, kept), {**shown, **{key: key for key in changed}}, changed, added, removed)


def _names(first: GatheredRun, other: GatheredRun) -> dict[str, str]:
    """Return the key in the first run of each case that both have, by its key in the other."""
    contents = {key: first.cases[key].asked for key in first.outcomes if key in first.cases}
    names = {
        key: key
        for key in other.outcomes
        if key in contents and key in other.cases and other.cases[key].asked == contents[key]
    }
    free: dict[str, list[str]] = {}
    for key, content in contents.items():
        if key not in names:
            free.setdefault(content, []).append(key)
    for key in other.outcomes:
        if key not in names and key in other.cases and (found := free.get(other.cases[key].asked)):
            names[key] = found.pop(0)
    return names


def _renamed(run: GatheredRun, names: Mapping[str, str]) -> GatheredRun:
    """Return the run with only these cases, under these names."""

    def only(values: Mapping[str, T]) -> dict[str, T]:
        return {names[key]: value for key, value in values.items() if key in names}

    return replace(
        run,
        values={metric: only(by_case) for metric, by_case in run.values.items()},
        outcomes=only(run.outcomes),
        clusters=only(run.clusters),
        tags=only(run.tags),
        cases=only(run.cases),
        reasons=only(run.reasons),
        stale=only(run.stale),
    )
