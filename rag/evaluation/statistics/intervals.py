"""Intervals of means where cases of one source document are not independent: whole documents are resampled.

The bootstrap needs of a document only the sum of its values and their count, so that one matrix product
serves all metrics and all runs at once. SciPy's resamples no clusters, and takes seconds for what this does
in a tenth of one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from rag.monitoring.control_limits import wilson_interval

Array = npt.NDArray[np.float64]
IntervalKind = Literal["BCa", "percentile", "none"]

RESAMPLES = 10_000
SEED = 20_240_601
LEAST_DOCUMENTS = 10  # 2**-9 is the smallest p of ten: below 0.05 also when 20 metrics are corrected for
_BLOCK = 250  # resamples at a time: 2,000 clusters take 4 MB


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


def mean_interval(
    values: Mapping[str, float], clusters: Mapping[str, str] | None = None
) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean over the cases; None with fewer than 2 of what is independent.

    The variance is that of the documents' sums of deviations (cluster-robust, arXiv:2411.00640). Scores get
    Student's t with one degree of freedom less than documents, rates Wilson's interval with as many cases as
    that variance is worth, and with as many as there are documents where all cases agree.

    Args:
        values: case key -> value.
        clusters: case key -> source document; a case without one stands alone.
    """
    known = clusters or {}
    names = tuple(known.get(key) or f"\0{key}" for key in values)
    units = tuple(values) if has_few_documents(names) else names
    observed = np.array(list(values.values()), dtype=np.float64)
    _, rows = np.unique(np.array(units), return_inverse=True)
    count = int(rows.max()) + 1 if len(rows) else 0
    if count < 2:
        return None
    mean = float(observed.mean())
    sums = np.bincount(rows, observed - mean)
    variance = float(np.sum(sums**2)) / len(observed) ** 2 * count / (count - 1)
    if np.all((observed == 0) | (observed == 1)):
        worth = min(mean * (1 - mean) / variance, float(len(observed))) if variance > 0 else float(count)
        return wilson_interval(mean * worth, worth)
    from scipy.special import stdtrit  # a third of a second to import, and only a comparison needs it

    reach = float(stdtrit(count - 1, 0.975)) * math.sqrt(variance)
    return mean - reach, mean + reach


def clustered_intervals(
    sums: Array, counts: Array, resamples: int = RESAMPLES, confidence: float = 0.95
) -> list[tuple[float | None, float | None, IntervalKind]]:
    """Return the BCa interval of each column's mean, resampling whole clusters.

    Efron 1987; DiCiccio and Efron 1996. The acceleration comes from leaving out one cluster at a time. Where
    BCa is undefined (all resamples on one side) the percentile interval is given; with fewer than 2 clusters
    none.

    Args:
        sums: (clusters, columns), the sum of the values of a cluster; 0 where a column lacks the cluster.
        counts: (clusters, columns), the number of these values.
        resamples: how many means are drawn.
        confidence: between 0 and 1.
    """
    means = _bootstrap_means(sums, counts, resamples)
    total, number = sums.sum(axis=0), counts.sum(axis=0)
    found: list[tuple[float | None, float | None, IntervalKind]] = []
    for column in range(sums.shape[1]):
        has = counts[:, column] > 0
        if has.sum() < 2:
            found.append((None, None, "none"))
            continue
        left_out = (total[column] - sums[has, column]) / (number[column] - counts[has, column])
        found.append(_bca(means[:, column], total[column] / number[column], left_out, confidence))
    return found


def _bootstrap_means(sums: Array, counts: Array, resamples: int) -> Array:
    """Return (resamples, columns); NaN where a resample holds no case of a column."""
    clusters, columns = sums.shape
    both = np.hstack([sums, counts])
    generator = np.random.default_rng(SEED)
    means = np.empty((resamples, columns))
    for begin in range(0, resamples if clusters else 0, _BLOCK):
        size = min(_BLOCK, resamples - begin)
        drawn = generator.integers(0, clusters, (size, clusters), dtype=np.int32)
        drawn += np.arange(size, dtype=np.int32)[:, None] * np.int32(clusters)
        # How often each cluster was drawn: multinomial weights, without building the resamples.
        weights = np.bincount(drawn.ravel(), minlength=size * clusters).reshape(size, clusters)
        products = weights.astype(np.float64) @ both
        with np.errstate(invalid="ignore", divide="ignore"):
            means[begin : begin + size] = products[:, :columns] / products[:, columns:]
    return means


def _bca(
    means: Array, observed: float, left_out: Array, confidence: float
) -> tuple[float, float, IntervalKind]:
    from scipy.special import ndtr, ndtri

    known = np.sort(means[np.isfinite(means)])
    alpha = (1 - confidence) / 2
    levels = np.array([alpha, 1 - alpha])
    how: IntervalKind = "percentile"
    near = 1e-12 * max(abs(observed), 1.0)  # equal but for rounding: a tie counts half
    below = np.searchsorted(known, observed - near) + np.searchsorted(known, observed + near)
    share = below / 2 / len(known)
    deviation = left_out.mean() - left_out
    spread = float(np.sum(deviation**2))
    if 0 < share < 1 and spread > 1e-24:
        bias = ndtri(share)
        acceleration = float(np.sum(deviation**3)) / (6 * spread**1.5)
        z = bias + ndtri(levels)
        scale = 1 - acceleration * z
        if np.all(scale > 0):
            levels, how = ndtr(bias + z / scale), "BCa"
    low, high = np.quantile(known, levels)
    return float(low), float(high), how
