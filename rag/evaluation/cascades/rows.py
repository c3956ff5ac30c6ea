"""Rows of the comparison of a cascade: what it saves, what that does to quality, and its thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rag.text.plurals import counted


class CostKind(StrEnum):
    """What is saved."""

    MONEY = "money"
    SECONDS = "seconds"
    TOKENS = "tokens"

    @property
    def noun(self) -> str:
        """What people call it, after "saves 62 % of the"."""
        return {CostKind.MONEY: "cost", CostKind.SECONDS: "time", CostKind.TOKENS: "tokens"}[self]


@dataclass(frozen=True)
class Savings:
    """Cost and quality of a way to answer against another one, over the cases that have both.

    Attributes:
        name: What is compared.
        baseline: What it is compared with.
        kind: Which cost.
        unit: Of the cost: a currency, "s" or "tokens".
        pairs: Cases that have a cost in both.
        unknown: Cases without a known cost in one of them; they are left out.
        baseline_cost: Mean of a case.
        cost: Mean of a case.
        saved: Share of the cost; negative: it costs more. None where nothing is known.
        saved_low: Lower end of its 95 % interval.
        saved_high: Upper end of it.
        metric: The label of the quality that is compared.
        metric_unit: Its unit.
        quality_pairs: Cases that have a value in both.
        difference: Of the means; None without a pair.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        margin: By how much it may be worse.
        p: One-sided, of "worse by the margin or more"; None with too few cases.
    """

    name: str
    baseline: str
    kind: CostKind
    unit: str
    pairs: int
    unknown: int
    baseline_cost: float | None
    cost: float | None
    saved: float | None
    saved_low: float | None
    saved_high: float | None
    metric: str
    metric_unit: str
    quality_pairs: int
    difference: float | None
    low: float | None
    high: float | None
    margin: float
    p: float | None

    @property
    def is_not_worse(self) -> bool:
        """Whether it is shown not to be worse by the margin or more (p below 0.05)."""
        return self.p is not None and self.p < 0.05

    def sentence(self) -> str:
        """Return the comparison in words.

        Such as "saves 62 % [55, 68] of the cost; token F1 −0.4 points [−1.9, +1.1]; not worse by more than 2
        points (p = 0.01)."
        """
        return f"{'; '.join((self._saved(), self._quality(), self._shown()))}.{self._left_out()}"

    def _saved(self) -> str:
        if self.saved is None:
            return f"the {self.kind.noun} cannot be compared"
        verb, sign = ("saves", 1) if self.saved >= 0 else (self._more, -1)
        share = f"{100 * abs(self.saved):.0f} %"
        ends = ""
        if self.saved_low is not None and self.saved_high is not None:
            low, high = sorted(100 * sign * end for end in (self.saved_low, self.saved_high))
            ends = f" [{low:.0f}, {high:.0f}]".replace("-", "−")
        return f"{verb} {share}{ends} of the {self.kind.noun}" if sign > 0 else f"{verb} {share}{ends} more"

    @property
    def _more(self) -> str:
        return "costs" if self.kind is CostKind.MONEY else "takes"

    def _quality(self) -> str:
        name = self.metric[:1].lower() + self.metric[1:] if self.metric[1:2].islower() else self.metric
        if self.difference is None:
            return f"{name}: no case has a value in both"
        ends = ""
        if self.low is not None and self.high is not None:
            ends = f" [{self._points(self.low)}, {self._points(self.high)}]"
        return f"{name} {self._points(self.difference)}{self._unit}{ends}"

    def _shown(self) -> str:
        margin = self._points(self.margin).lstrip("+")
        if self.p is None:
            return f"too few cases to show that it is not worse by more than {margin}{self._unit}"
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.2g}"
        what = "not worse" if self.is_not_worse else "may be worse"
        return f"{what} by more than {margin}{self._unit} ({p})"

    def _left_out(self) -> str:
        if not self.unknown:
            return ""
        return f" Left out: {counted(self.unknown, 'case')} of unknown {self.kind.noun}."

    @property
    def _unit(self) -> str:
        return " points" if self.metric_unit in ("share", "cosine") else f" {self.metric_unit}"

    def _points(self, value: float) -> str:
        scaled = 100 * value if self.metric_unit in ("share", "cosine") else value
        text = f"{scaled:+.1f}".removesuffix(".0")
        return text.replace("-", "−")


@dataclass(frozen=True)
class CurvePoint:
    """Cost and quality when answers of the small pipeline are given from a threshold on.

    Attributes:
        threshold: Of the signal; None: no answer of the small pipeline is given.
        kept: The share of answers that the small pipeline gives.
        cost: Mean of a case, of both pipelines where both are asked.
        quality: Mean over the cases.
    """

    threshold: float | None
    kept: float
    cost: float
    quality: float


@dataclass(frozen=True)
class CascadeCurve:
    """What a cascade of two pipelines would have cost and answered, by the threshold of a signal.

    The threshold is chosen on one half of the set and judged on the other: on the half that it was chosen on
    it looks better than it is.

    Attributes:
        small: The pipeline that is asked first.
        large: The one that is asked where its answer is not accepted.
        signal: Which figure of an answer decides.
        points: From no answer of the small pipeline to all of them.
        small_cost: Mean of a case when the small pipeline answers alone.
        small_quality: The same of its quality.
        large_cost: Mean of a case when the large pipeline answers alone.
        large_quality: The same of its quality.
        metric: The label of the quality.
        unit: Of the cost.
        chosen: The threshold that costs least of those that are worse by no more than the margin on the first
            half; None: there is none that saves anything.
        first: Cases of the half that it was chosen on.
        second: Of the other half.
        shown: What it does on the other half; None without a threshold.
    """

    small: str
    large: str
    signal: str
    points: tuple[CurvePoint, ...]
    small_cost: float
    small_quality: float
    large_cost: float
    large_quality: float
    metric: str
    unit: str
    chosen: float | None
    first: int
    second: int
    shown: Savings | None

    def sentence(self) -> str:
        """Return which threshold was chosen, and what it does on the half that it was not chosen on."""
        if self.chosen is None or self.shown is None:
            return (
                f"No threshold of {self.signal} saves anything on {counted(self.first, 'case')} without "
                f"being worse by more than the margin: {self.large} alone is the better choice."
            )
        return (
            f"From {self.signal} {self.chosen:.2f} on, chosen on {counted(self.first, 'case')}. On the other "
            f"{self.second:,} it {self.shown.sentence()}"
        )
