"""Two groups of different questions compared: what a canary gives, where no question was answered by both.

Rates: Fisher's exact test, and Newcombe's interval of their difference (1998, method 10). Scores: a permutation of
the group labels, and a bootstrap of both means. Pairs are compared in rag.evaluation.statistics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from rag.evaluation.statistics import RESAMPLES, SEED
from rag.monitoring.control_limits import wilson_interval

_BLOCK = 500


def fisher(a_yes: int, a: int, b_yes: int, b: int) -> float:
    """Two-sided p that two rates a_yes / a and b_yes / b are the same: all tables as unlikely as this one."""
    yes = a_yes + b_yes
    low, high = max(0, yes - b), min(a, yes)
    logs = np.array([_log_ways(a, k) + _log_ways(b, yes - k) for k in range(low, high + 1)])
    chances = np.exp(logs - _log_ways(a + b, yes))
    observed = chances[a_yes - low]
    return float(min(1.0, chances[chances <= observed * (1 + 1e-9)].sum()))


def rate_interval(a_yes: int, a: int, b_yes: int, b: int) -> tuple[float, float]:
    """95 % interval of rate b - rate a, from Wilson's intervals of both."""
    p, q = a_yes / a, b_yes / b
    (low_p, high_p), (low_q, high_q) = wilson_interval(a_yes, a), wilson_interval(b_yes, b)
    difference = q - p
    return (
        difference - math.sqrt((q - low_q) ** 2 + (high_p - p) ** 2),
        difference + math.sqrt((high_q - q) ** 2 + (p - low_p) ** 2),
    )


def permutation(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided p of the difference of means when the labels might as well be others; 10,000 with a fixed seed."""
    values = np.concatenate([np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)])
    observed = abs(float(np.mean(b)) - float(np.mean(a)))
    generator = np.random.default_rng(SEED)
    reached, near = 0, 1e-9 * max(observed, 1.0)
    for begin in range(0, RESAMPLES, _BLOCK):
        size = min(_BLOCK, RESAMPLES - begin)
        shuffled = generator.permuted(np.tile(values, (size, 1)), axis=1)
        differences = shuffled[:, len(a) :].mean(axis=1) - shuffled[:, : len(a)].mean(axis=1)
        reached += int(np.sum(np.abs(differences) >= observed - near))
    return (reached + 1) / (RESAMPLES + 1)


def mean_interval(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """95 % percentile interval of mean b - mean a, each group resampled by itself."""
    generator = np.random.default_rng(SEED)
    found = []
    for values in (a, b):
        own = np.asarray(values, dtype=np.float64)
        means = np.empty(RESAMPLES)
        for begin in range(0, RESAMPLES, _BLOCK):
            size = min(_BLOCK, RESAMPLES - begin)
            means[begin : begin + size] = own[generator.integers(0, len(own), (size, len(own)))].mean(axis=1)
        found.append(means)
    low, high = np.quantile(found[1] - found[0], [0.025, 0.975])
    return float(low), float(high)


def _log_ways(count: int, chosen: int) -> float:
    return float(gammaln(count + 1) - gammaln(chosen + 1) - gammaln(count - chosen + 1))
