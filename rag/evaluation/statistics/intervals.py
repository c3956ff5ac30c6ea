"""Intervals of means where cases of one source document are not independent: documents are what is drawn.

A normal interval of a share reaches below 0 or above 1, which no share can, and with few documents it holds
the truth too seldom; so does the bootstrap of few documents (benchmarks.intervals). Wilson's interval does
neither when it is given how many independent cases the documents are worth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rag.monitoring.control_limits import Z_95, wilson_interval

Array = npt.NDArray[np.float64]

LEAST_DOCUMENTS = 10  # 2**-9 is the smallest p of ten: below 0.05 also when 20 metrics are corrected for
# The smallest and the largest value of a metric, by its unit; a difference of two reaches as far both ways.
RANGES = {"share": (0.0, 1.0), "cosine": (-1.0, 1.0)}
_MOST_CASES = 1e12  # that a tiny variance may be worth: squares of more overflow
_SAME = "every case has the same value"


def case_means(values: Mapping[str, Sequence[float | None]]) -> dict[str, float]:
    """Return the mean of each case's repeats, leaving out a case without any value.

    Repeats are no new cases: they tell nothing about other questions.
    """
    means = {}
    for key, repeats in values.items():
        if len(repeats) == 1:  # nearly always, and many times
            value = repeats[0]
            if value is not None and math.isfinite(value):
                means[key] = value
            continue
        known = [value for value in repeats if value is not None and math.isfinite(value)]
        if known:
            means[key] = sum(known) / len(known)
    return means


def has_few_documents(names: Sequence[str]) -> bool:
    """Return whether cases of these documents (one name a case) must be tested one by one.

    Documents count as many as equally large ones would: (sum of n)^2 / sum of n^2 (Kish 1965), so that a few
    cases that stand alone do not make up for five documents that contain all others.
    """
    sizes = np.array(list(Counter(names).values()), dtype=np.float64)
    if not len(sizes) or sizes.max() == 1:
        return False
    return bool(sizes.sum() ** 2 / np.sum(sizes**2) < LEAST_DOCUMENTS)


@dataclass(frozen=True)
class Interval:
    """An interval, and how it was made, for people."""

    low: float
    high: float
    method: str


def mean_interval(
    values: Mapping[str, float],
    clusters: Mapping[str, str] | None = None,
    unit: str = "share",
    confidence: float = 0.95,
) -> Interval | None:
    """Return the interval of the mean over the cases; None with fewer than 2 of what is independent.

    It stays inside the range of the unit: Wilson's interval for shares and cosines, an interval of the
    logarithm for times and tokens, which are never negative.

    Args:
        values: case key -> value.
        clusters: case key -> source document; a case without one stands alone.
        unit: Of the metric, see rag.evaluation.metrics.
        confidence: Between 0 and 1.
    """
    sample = _sample(values, clusters)
    if sample is None:
        return None
    if unit in RANGES:
        return _within(sample, *RANGES[unit], confidence)
    mean, reach = sample.mean, _student(sample, confidence) * sample.error
    if mean <= 0 or not reach:
        return Interval(mean, mean, _SAME)
    factor = math.exp(reach / mean)
    return Interval(mean / factor, mean * factor, f"Student's t of the logarithm, {sample.drawn}")


def difference_interval(
    values: Mapping[str, float],
    clusters: Mapping[str, str] | None = None,
    unit: str = "share",
    confidence: float = 0.95,
    is_yes_no: bool = False,
) -> Interval | None:
    """Return the interval of a mean difference of pairs; like mean_interval, in the range of differences.

    Where few cases differ their variance says little, and where none does it is 0, which is not to say that
    no other case would. So it is counted as if half of another case differed by as much as those that do; a
    yes/no, and a share or cosine of which no case differs, by 1 (after Agresti and Min 2005, see
    benchmarks.intervals). The more cases differ, the less that counts.
    """
    sample = _sample(values, clusters)
    if sample is None:
        return None
    squares = [value**2 for value in values.values() if value]
    by = 1.0 if is_yes_no or (not squares and unit in RANGES) else sum(squares) / max(len(squares), 1)
    by *= 0.5 * (1 - len(squares) / sample.cases)
    sample = replace(sample, error=math.sqrt(sample.error**2 + by / sample.cases**2))
    if unit in RANGES:
        reach = RANGES[unit][1] - RANGES[unit][0]
        return _within(sample, -reach, reach, confidence)
    half = _student(sample, confidence) * sample.error
    if not half:
        return Interval(sample.mean, sample.mean, _SAME)
    return Interval(sample.mean - half, sample.mean + half, f"Student's t, {sample.drawn}")


def ratio_interval(
    first: Mapping[str, float],
    second: Mapping[str, float],
    clusters: Mapping[str, str] | None = None,
    confidence: float = 0.95,
) -> Interval | None:
    """Return the interval of the ratio of two means of pairs, second to first; None where there is none.

    Of positive values, such as costs: the interval of the logarithm, linearised case by case (delta method).

    Args:
        first: case key -> value; its mean must be above 0.
        second: The same cases.
        clusters: case key -> source document; a case without one stands alone.
        confidence: Between 0 and 1.
    """
    keys = [key for key in first if key in second]
    mean_a, mean_b = (sum(values[key] for key in keys) / max(len(keys), 1) for values in (first, second))
    if mean_a <= 0 or mean_b <= 0:
        return None
    sample = _sample({key: second[key] / mean_b - first[key] / mean_a for key in keys}, clusters)
    if sample is None:
        return None
    ratio, factor = mean_b / mean_a, math.exp(min(_student(sample, confidence) * sample.error, 700.0))
    return Interval(ratio / factor, ratio * factor, f"Student's t of the logarithm, {sample.drawn}")


@dataclass(frozen=True)
class _Sample:
    """What an interval needs of the cases.

    Attributes:
        mean: Over the cases.
        error: Its standard error, from the documents' sums of deviations (cluster-robust, arXiv:2411.00640).
        cases: How many there are.
        units: How many independent ones: documents, or cases where the documents are too few.
        is_rate: Whether every value is 0 or 1.
        drawn: What was taken as independent, for people.
    """

    mean: float
    error: float
    cases: int
    units: int
    is_rate: bool
    drawn: str


def _sample(values: Mapping[str, float], clusters: Mapping[str, str] | None) -> _Sample | None:
    known = clusters or {}
    names = tuple(known.get(key) or f"\0{key}" for key in values)
    few = has_few_documents(names)
    observed = np.array(list(values.values()), dtype=np.float64)
    _, rows = np.unique(np.array(tuple(values) if few else names), return_inverse=True)
    count = int(rows.max()) + 1 if len(rows) else 0
    if count < 2:
        return None
    mean = float(observed.mean())
    sums = np.bincount(rows, observed - mean)
    variance = float(np.sum(sums**2)) / len(observed) ** 2 * count / (count - 1)
    if np.ptp(observed) < 1e-12:  # what rounding leaves is no variance
        variance = 0.0
    is_rate = bool(np.all((observed == 0) | (observed == 1)))
    drawn = f"{count:,} cases" if few or count == len(observed) else f"{count:,} documents"
    return _Sample(mean, math.sqrt(variance), len(observed), count, is_rate, drawn)


def _within(sample: _Sample, least: float, most: float, confidence: float) -> Interval:
    """Return Wilson's interval, with as many cases as the variance says that they are worth.

    The values are read as shares of the way from `least` to `most`, whose variance can be no more than that
    of a yes/no with the same mean. Student's t takes the place of the normal distribution, since the variance
    is estimated; of independent yes/no cases it is known.
    """
    span = most - least
    share = min(max((sample.mean - least) / span, 0.0), 1.0)
    variance = (sample.error / span) ** 2
    if not variance and 0 < share < 1:
        return Interval(sample.mean, sample.mean, _SAME)
    worth = min(share * (1 - share) / variance, _MOST_CASES) if variance else float(sample.units)
    independent = sample.is_rate and sample.units == sample.cases and least == 0
    if sample.is_rate and least == 0:
        worth = min(worth, float(sample.cases))
    z = _normal(confidence) if independent else _student(sample, confidence)
    low, high = wilson_interval(share * worth, worth, z)
    name = "Wilson" if independent else "Wilson with Student's t"
    return Interval(least + low * span, least + high * span, f"{name}, {sample.drawn}")


def _student(sample: _Sample, confidence: float) -> float:
    from scipy.special import stdtrit  # a third of a second to import, and only a comparison needs it

    return float(stdtrit(sample.units - 1, (1 + confidence) / 2))


def _normal(confidence: float) -> float:
    from scipy.special import ndtri

    return Z_95 if confidence == 0.95 else float(ndtri((1 + confidence) / 2))
