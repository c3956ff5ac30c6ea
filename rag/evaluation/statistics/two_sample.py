"""Two groups of different questions compared: what a canary gives, where no question was answered by both.

Rates: Fisher's exact test, and Newcombe's interval of their difference (1998, method 10). Scores: a
permutation of the group labels, and a bootstrap of both means. Pairs are compared in statistics.paired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.evaluation.statistics.paired import RESAMPLES, SEED
from rag.monitoring.control_limits import wilson_interval

Array = npt.NDArray[np.float64]

_BLOCK = 500  # resamples at a time: 2,000 values a side take 16 MB


def fisher(a_yes: int, a: int, b_yes: int, b: int) -> float:
    """Return the two-sided p that two rates a_yes / a and b_yes / b are the same: Fisher's exact test."""
    from scipy.stats import fisher_exact  # more than half a second to import, and only a test needs it

    return float(fisher_exact([[a_yes, a - a_yes], [b_yes, b - b_yes]]).pvalue)


def rate_interval(a_yes: int, a: int, b_yes: int, b: int) -> tuple[float, float]:
    """Return the 95 % interval of rate b - rate a, from Wilson's intervals of both (Newcombe 1998)."""
    p, q = a_yes / a, b_yes / b
    (low_p, high_p), (low_q, high_q) = wilson_interval(a_yes, a), wilson_interval(b_yes, b)
    difference = q - p
    return (
        difference - math.sqrt((q - low_q) ** 2 + (high_p - p) ** 2),
        difference + math.sqrt((high_q - q) ** 2 + (p - low_p) ** 2),
    )


def permutation(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the two-sided p of the difference of means when the labels might as well be others.

    All labellings where there are at most 10,000 of them, else 10,000 with a fixed seed. Raises ValueError
    where a group has fewer than two values.
    """
    from scipy.stats import permutation_test

    def distance(first: Array, second: Array, axis: int) -> Array:
        # Rounded: sums of the same values in another order must tie.
        rounded: Array = np.abs(_mean_difference(first, second, axis)).round(9)
        return rounded

    # One-sided for the distance: SciPy's two-sided p doubles the smaller tail, which is another test.
    found = permutation_test(
        (a, b),
        distance,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_BLOCK,
        alternative="greater",
        random_state=np.random.default_rng(SEED),
    )
    return float(found.pvalue)


def mean_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % percentile interval of mean b - mean a, each group resampled by itself.

    Raises ValueError where a group has fewer than two values.
    """
    from scipy.stats import bootstrap

    found = bootstrap(
        (a, b),
        _mean_difference,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_BLOCK,
        method="percentile",
        random_state=np.random.default_rng(SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def _mean_difference(first: Array, second: Array, axis: int) -> Array:
    difference: Array = second.mean(axis=axis) - first.mean(axis=axis)
    return difference
