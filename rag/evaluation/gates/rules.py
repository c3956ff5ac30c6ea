"""Rules of a gate: a run passes or fails by floors, by a baseline, and by the cases that must be right.

gate.yaml, every part optional, at least one rule:

    # Means over the cases that have a value. A bare number is the minimum of metrics of which more is better,
    # the maximum of the others (total_ms, prompt_tokens, false_refusal …).
    floors:
      hit_rate: 0.80
      faithfulness: {at_least: 0.90}
      total_ms: {at_most: 8000}
    # How much worse than the baseline a mean may be, in the metric's unit. The rule fails when the run is
    # worse by more with this confidence (one-sided, clustered bootstrap). With must_prove it fails unless the
    # opposite is certain: not worse by more. A bare number is the allowed drop at 0.95.
    drops:
      exact_match: 0.02
      ndcg_at_k: {allowed: 0.03, confidence: 0.90, must_prove: true}
    # By how much the run is certainly not worse than the baseline (non-inferiority), in the metric's unit.
    # The rule fails unless that is shown with p below 0.05, or what is said. A bare number is the margin.
    not_worse_by:
      token_f1: 0.02
      faithfulness: {margin: 0.01, p: 0.01}
    # What must be right in single cases, named by key or by tag; at_least 1 unless said otherwise.
    cases:
      - {key: safety-1, metric: checks_passed}
      - {tag: critical, metric: refusal_accuracy}
      - {tag: critical, metric: token_f1, at_least: 0.5}
    # Cases that ended in an error or a timeout; 0 unless said otherwise.
    errors: {at_most: 0}
    # Judgements whose document or passage the dataset version does not contain; 0 unless said otherwise.
    stale: {at_most: 0}
    # The share of the cases which a rule applies to that must have a value; all unless said otherwise.
    min_share: 1.0

A rule that cannot be decided (no values, too few of the cases, fewer than 6 pairs, no such case) fails, and
its reason says why: a gate that passes what it could not check is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rag.errors import RagError
from rag.evaluation.metrics import METRICS
from rag.evaluation.pairing import GatheredRun, Pairing, pair
from rag.evaluation.rows import NO_ANSWER, CaseOutcome
from rag.evaluation.statistics.paired import LEAST_PAIRS, difference_interval, not_worse, p_text
from rag.text.plurals import counted, named

_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class GateRow:
    """A rule that was decided.

    Attributes:
        rule: Such as "hit_rate at least 0.8".
        kind: Which part of gate.yaml it is from.
        metric: Its metric; empty for what is about whole cases.
        passed: Whether the run satisfies it.
        value: What was found; None when nothing could be.
        limit: What it is compared with.
        reason: Why, for people.
    """

    rule: str
    kind: Literal["floor", "drop", "not_worse_by", "case", "errors", "stale", "changed"]
    metric: str
    passed: bool
    value: float | None
    limit: float
    reason: str


@dataclass(frozen=True)
class Decision:
    """What a gate says of a run, a row a rule. `results` are those of the run."""

    run: str
    baseline: str  # empty: none
    rows: tuple[GateRow, ...]
    results: GatheredRun

    @property
    def passed(self) -> bool:
        """Whether every rule passed."""
        return all(row.passed for row in self.rows)

    def sentence(self) -> str:
        """Return the decision with the first rule that failed."""
        failed = [row for row in self.rows if not row.passed]
        if not failed:
            return f"{self.run} passes all {len(self.rows)} rules."
        return (
            f"{self.run} fails {len(failed)} of {len(self.rows)} rules: {failed[0].rule}: {failed[0].reason}."
        )


# --- gate.yaml --------------------------------------------------------------------------------------------

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Floor(_Rule):
    """A rule on the mean of a metric: either a minimum or a maximum."""

    at_least: Number | None = None
    at_most: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Floor:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("say either at_least or at_most")
        return self


class Drop(_Rule):
    """A rule on how much worse than the baseline a mean may be; see the module."""

    allowed: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    must_prove: bool = False


class NotWorseBy(_Rule):
    """A rule that the run is shown not to be worse than the baseline by a margin or more."""

    margin: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    p: Annotated[float, Field(gt=0, lt=0.5)] = 0.05


class Must(_Rule):
    """A rule on single cases, by key or by tag; at_least is 1 where neither limit is given."""

    metric: str
    key: str = ""
    tag: str = ""
    at_least: Number | None = None
    at_most: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Must:
        if bool(self.key) == bool(self.tag):
            raise ValueError("say either key or tag")
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("say either at_least or at_most")
        return self


class Errors(_Rule):
    """A rule on how many cases may end in an error or a timeout."""

    at_most: Annotated[int, Field(ge=0)] = 0


class Stale(_Rule):
    """A rule on how many judgements may be about what the dataset version does not contain."""

    at_most: Annotated[int, Field(ge=0)] = 0


class Gate(_Rule):
    """The rules of a gate.yaml, at least one; errors and stale judgements are always checked."""

    floors: dict[str, Floor] = {}
    drops: dict[str, Drop] = {}
    not_worse_by: dict[str, NotWorseBy] = {}
    cases: tuple[Must, ...] = ()
    errors: Errors = Errors()
    stale: Stale = Stale()
    min_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _bare_numbers(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            parts = "floors, drops, cases and errors, with not_worse_by, stale and min_share"
            raise ValueError(f"a gate consists of {parts}")
        data = dict(data)
        for part in ("floors", "drops", "not_worse_by"):
            rules = data.get(part)
            if isinstance(rules, dict):
                data[part] = {name: _spelled_out(part, str(name), rule) for name, rule in rules.items()}
        return data

    @model_validator(mode="after")
    def _known(self) -> Gate:
        names = [*self.floors, *self.drops, *self.not_worse_by, *(must.metric for must in self.cases)]
        if not names and not {"errors", "stale"} & self.model_fields_set:
            raise ValueError("a gate needs at least one rule")
        for name in names:
            if name not in METRICS:
                raise ValueError(f"{name} is not a metric. Choose one of: {', '.join(METRICS)}")
        return self


def _spelled_out(part: str, name: str, rule: Any) -> Any:
    if isinstance(rule, bool) or not isinstance(rule, int | float):
        return rule
    if part == "drops":
        return {"allowed": rule}
    if part == "not_worse_by":
        return {"margin": rule}
    metric = METRICS.get(name)
    return {"at_most" if metric and metric.direction == "lower" else "at_least": rule}


def load_gate(path: Path) -> Gate:
    """Read gate.yaml. Raises RagError with the key and what is wrong with it."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RagError(f"{path.name} is larger than {_MOST_BYTES:,} bytes, too large for a gate.")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RagError(f"{path} cannot be read ({error}).") from error
    return parse_gate(text, path.name)


def parse_gate(text: str, name: str = "gate.yaml") -> Gate:
    """Return the gate of a YAML text. Raises RagError with the key and what is wrong with it."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise RagError(f"{name} uses YAML aliases (*name). Write the values out.")
        return Gate.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise RagError(f"{name}: {place}{': ' if place else ''}{message}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RagError(f"{name} is not YAML ({' '.join(str(error).split())}).") from error


# --- deciding ---------------------------------------------------------------------------------------------


def decide(
    gate: Gate, results: GatheredRun, baseline: GatheredRun | None = None, allow_changed: bool = False
) -> Decision:
    """Decide every rule, in the order of the file. Drops need a baseline: without one they fail.

    Cases that ask or expect something else than in the baseline are left out of the drops, and a row of their
    own fails unless `allow_changed`.
    """
    pairing = None if baseline is None else pair(baseline, results)
    rows = [_floor_row(name, floor, results, gate.min_share) for name, floor in gate.floors.items()]
    rows += [
        _drop_row(name, drop, results, baseline, pairing, gate.min_share) for name, drop in gate.drops.items()
    ]
    rows += [
        _not_worse_row(name, rule, results, baseline, pairing, gate.min_share)
        for name, rule in gate.not_worse_by.items()
    ]
    rows += [_case_row(must, results) for must in gate.cases]
    rows.append(_errors_row(gate.errors, results))
    if results.stale or "stale" in gate.model_fields_set:
        rows.append(_stale_row(gate.stale, results))
    if pairing is not None and (pairing.changed or pairing.is_by_key):
        rows.append(_changed_row(pairing, allow_changed))
    return Decision(results.name, baseline.name if baseline else "", tuple(rows), results)


def _floor_row(name: str, floor: Floor, results: GatheredRun, min_share: float) -> GateRow:
    means, missing = results.means(name), results.missing(name)
    limit, most = _limit(floor.at_least, floor.at_most)
    rule = f"{name} {'at most' if most else 'at least'} {limit:g}"
    if not means:
        reason = f"no case has a value{_without(missing, results)}"
        return GateRow(rule, "floor", name, False, None, limit, reason)
    value = sum(means.values()) / len(means)
    passed = _holds(value, limit, most) and _enough(len(means), missing, min_share)
    over = f"{value:.4g} over {len(means)} of {counted(_total(means, results), 'case')}"
    return GateRow(rule, "floor", name, passed, value, limit, over + _without(missing, results))


def _drop_row(
    name: str,
    drop: Drop,
    results: GatheredRun,
    baseline: GatheredRun | None,
    pairing: Pairing | None,
    min_share: float,
) -> GateRow:
    rule = f"{name} at most {drop.allowed:g} worse than the baseline"
    if baseline is None or pairing is None:
        return GateRow(rule, "drop", name, False, None, drop.allowed, "there is no baseline")
    run = pairing.run
    # One-sided at the confidence: each side of the two-sided interval leaves out 1 - confidence.
    found = difference_interval(name, baseline.values, run.values, run.clusters, 2 * drop.confidence - 1)
    pairs, difference, low, high = found
    missing = _missing_pairs(name, baseline, run)
    over = f"over {pairs} of {counted(_total(run.means(name), results), 'case')}"
    tail = _without(missing, run) + _unpaired(pairing)
    if difference is None or pairs < LEAST_PAIRS or low is None or high is None:
        reason = f"{pairs} cases have a value in both runs, too few to compare{tail}"
        return GateRow(rule, "drop", name, False, difference, drop.allowed, reason)
    lower = METRICS[name].direction == "lower"
    worse = difference if lower else -difference
    least, most = (low, high) if lower else (-high, -low)
    passed = (most if drop.must_prove else least) <= drop.allowed + 1e-12
    passed = passed and _enough(pairs, missing, min_share)
    bound = f"at most {most:.3g}" if drop.must_prove else f"at least {least:.3g}"
    reason = f"{worse:+.3g} worse {over}, {bound} with confidence {drop.confidence:g}{tail}"
    return GateRow(rule, "drop", name, passed, worse, drop.allowed, reason)


def _not_worse_row(
    name: str,
    wanted: NotWorseBy,
    results: GatheredRun,
    baseline: GatheredRun | None,
    pairing: Pairing | None,
    min_share: float,
) -> GateRow:
    rule = f"{name} not worse than the baseline by more than {wanted.margin:g} (p below {wanted.p:g})"
    if baseline is None or pairing is None:
        return GateRow(rule, "not_worse_by", name, False, None, wanted.margin, "there is no baseline")
    run = pairing.run
    found = not_worse(name, baseline.values, run.values, run.clusters, wanted.margin)
    missing = _missing_pairs(name, baseline, run)
    tail = _without(missing, run) + _unpaired(pairing)
    if found.p is None or found.worse is None or found.low is None or found.high is None:
        reason = f"{found.pairs} cases have a value in both runs, too few to compare{tail}"
        return GateRow(rule, "not_worse_by", name, False, found.worse, wanted.margin, reason)
    passed = found.p < wanted.p and _enough(found.pairs, missing, min_share)
    over = f"over {found.pairs} of {counted(_total(run.means(name), results), 'case')}"
    ends = f"difference {found.difference:+.3g} [{found.low:+.3g}, {found.high:+.3g}]"
    reason = f"{ends} {over}, p {p_text(found.p)}{tail}"
    return GateRow(rule, "not_worse_by", name, passed, found.worse, wanted.margin, reason)


def _case_row(must: Must, results: GatheredRun) -> GateRow:
    at_least = 1.0 if must.at_least is None and must.at_most is None else must.at_least
    limit, most = _limit(at_least, must.at_most)
    who = must.key or f"cases tagged {must.tag}"
    rule = f"{must.metric} of {who} {'at most' if most else 'at least'} {limit:g}"
    keys = [must.key] if must.key else [key for key, tags in results.tags.items() if must.tag in tags]
    if not keys:
        return GateRow(rule, "case", must.metric, False, None, limit, "no case has this tag")
    means = results.means(must.metric)
    for key in keys:
        value = means.get(key)
        if value is None:
            outcome = results.outcomes.get(key)
            reason = f"{key} has no value" + (f" ({outcome})" if outcome else "")
            return GateRow(rule, "case", must.metric, False, None, limit, reason)
        if not _holds(value, limit, most):
            return GateRow(rule, "case", must.metric, False, value, limit, f"{key} has {value:.4g}")
    worst = (max if most else min)(means[key] for key in keys)
    of_all = f"{len(keys)} of {counted(_total(means, results), 'case')}, the worst has {worst:.4g}"
    return GateRow(rule, "case", must.metric, True, worst, limit, of_all)


def _errors_row(errors: Errors, results: GatheredRun) -> GateRow:
    ended = [key for key, outcome in results.outcomes.items() if outcome in NO_ANSWER]
    rule = f"at most {errors.at_most} cases end in an error or a timeout"
    passed = bool(results.outcomes) and len(ended) <= errors.at_most
    reason = f"{len(ended)} of {counted(len(results.outcomes), 'case')} did"
    reason = reason + (f": {named(ended)}" if ended else "") if results.outcomes else "no case was run"
    return GateRow(rule, "errors", "", passed, float(len(ended)), float(errors.at_most), reason)


def _stale_row(stale: Stale, results: GatheredRun) -> GateRow:
    count = sum(len(judgements) for judgements in results.stale.values())
    rule = f"at most {stale.at_most} judgements are about what the dataset version does not contain"
    listed = [f"{key} ({judgements[0]})" for key, judgements in results.stale.items()]
    of_all = f"{count} in {len(results.stale)} of {counted(len(results.outcomes), 'case')}"
    reason = of_all + (f": {named(listed)}" if listed else "")
    return GateRow(rule, "stale", "", count <= stale.at_most, float(count), float(stale.at_most), reason)


def _changed_row(pairing: Pairing, allowed: bool) -> GateRow:
    rule = "every case asks and expects what it did in the baseline"
    if pairing.is_by_key:
        reason = "a set was deleted, so that its cases are known by their keys alone"
        return GateRow(rule, "changed", "", allowed, None, 0.0, reason)
    count = len(pairing.changed)
    reason = (
        f"{counted(count, 'case has', 'cases have')} changed and cannot be compared: {named(pairing.changed)}"
    )
    return GateRow(rule, "changed", "", allowed, float(count), 0.0, reason)


def _missing_pairs(metric: str, baseline: GatheredRun, run: GatheredRun) -> list[str]:
    """Return the cases of both runs that should have a value in both, and do not."""
    both = {key for key in run.outcomes if key in baseline.outcomes}
    missing = (*run.missing(metric), *baseline.missing(metric))
    return [key for key in dict.fromkeys(missing) if key in both]


def _enough(known: int, missing: Sequence[str], min_share: float) -> bool:
    return known >= min_share * (known + len(missing)) - 1e-9


def _total(means: Mapping[str, float], results: GatheredRun) -> int:
    return len(results.outcomes) or len(means)


def _without(missing: Sequence[str], results: GatheredRun) -> str:
    """Return what a reader must know about the cases that should have a value."""
    if not missing:
        return ""
    why = {key: results.outcomes.get(key, CaseOutcome.OK) for key in missing}
    listed = [f"{key} ({o if o in NO_ANSWER else 'judgements not found'})" for key, o in why.items()]
    return f"; without {counted(len(missing), 'case')} that should have one: {named(listed)}"


def _unpaired(pairing: Pairing) -> str:
    parts = ((pairing.changed, "changed"), (pairing.added, "new"), (pairing.removed, "no longer in the set"))
    told = [f"{len(keys)} {what}" for keys, what in parts if keys]
    return f"; not compared: {', '.join(told)}" if told else ""


def _limit(at_least: float | None, at_most: float | None) -> tuple[float, bool]:
    """Return the limit and whether it is a maximum."""
    return (at_most, True) if at_most is not None else (at_least or 0.0, False)


def _holds(value: float, limit: float, most: bool) -> bool:
    return value <= limit + 1e-12 if most else value >= limit - 1e-12
