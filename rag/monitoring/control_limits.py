"""Two-sample tests and control limits, with numpy alone where an answer waits for them.

PSI is left out on purpose: with 50 values a side it passes its usual limit of 0.1 in 97 % of cases without
any change. What is here holds its error rate at any size, and says so when there is too little to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]

ALPHA = 0.0027  # false alarms of both limits together: that of Shewhart's three sigma
FEWEST = 20  # values a side for a test, values in a reference period for limits
Z_95 = 1.959963984540054  # of the normal distribution, two-sided
_MOST = 500  # values a side for the permutation test: the matrix of distances grows with the square


@dataclass(frozen=True)
class ControlLimits:
    """The values between which a window is like its reference; None where the reference is too short."""

    low: float | None
    high: float | None
    centre: float


def energy_test(a: Vectors, b: Vectors, permutations: int = 999, seed: int = 0) -> tuple[float, float]:
    """Return the energy distance of two samples (n, d) and (m, d), and its permutation p value.

    2 E|A-B| - E|A-A'| - E|B-B'| with Euclidean distances; zero exactly when both come from one distribution.
    Permuting the labels makes p exact at any size (Székely and Rizzo 2013, "Energy statistics", J. Stat.
    Plan. Inference 143). More than 500 values a side: the last 500. Raises ValueError when a sample is empty.
    """
    if not len(a) or not len(b):
        raise ValueError("a sample is empty")
    a, b = a[-_MOST:], b[-_MOST:]
    both = np.concatenate([a, b]).astype(np.float64)
    square = (both**2).sum(1)
    distances = np.sqrt(np.maximum(square[:, None] + square[None, :] - 2 * both @ both.T, 0))
    np.fill_diagonal(distances, 0.0)
    generator = np.random.default_rng(seed)
    labels = np.zeros((permutations + 1, len(both)))
    labels[:, : len(a)] = 1.0
    labels[1:] = generator.permuted(labels[1:], axis=1)
    sums = labels @ distances
    within_a = (sums * labels).sum(1)
    across = sums.sum(1) - within_a
    within_b = distances.sum() - within_a - 2 * across
    n, m = len(a), len(b)
    statistics = 2 * across / (n * m) - within_a / n**2 - within_b / m**2
    as_extreme = int((statistics[1:] >= statistics[0] - 1e-12).sum())
    return float(statistics[0]), (1 + as_extreme) / (1 + permutations)


def ks_test(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Return the two-sample Kolmogorov-Smirnov statistic and its p value, exact up to 10,000 values."""
    from scipy.stats import ks_2samp  # half a second to import, and only a test needs it

    found = ks_2samp(a, b)
    return float(found.statistic), float(found.pvalue)


def rate_limits(
    reference_count: int, reference_total: int, window: int, alpha: float = ALPHA
) -> ControlLimits:
    """Return limits for the rate in a window of so many questions, given what the reference period had.

    A p chart with probability limits (Montgomery, Introduction to Statistical Quality Control, chapter 7),
    where the usual p ± 3 sigma fails: near 0 and for few questions. The reference rate is itself an estimate,
    so the count in the window is beta-binomial (Jeffreys prior), not binomial. No limits below 20 questions
    of reference.
    """
    centre = reference_count / reference_total if reference_total else 0.0
    if reference_total < FEWEST or window < 1:
        return ControlLimits(None, None, centre)
    chances = beta_binomial(window, reference_count + 0.5, reference_total - reference_count + 0.5)
    low, high = _between(chances, alpha)
    return ControlLimits(low / window if low > 0 else None, high / window if high < window else None, centre)


def median_limits(reference: Sequence[float], window: int, alpha: float = ALPHA) -> ControlLimits:
    """Return limits for the (lower) median of a window of so many questions, whatever their distribution.

    How many of m reference values lie below the j-th smallest of n new ones is beta-binomial(m, j, n - j + 1)
    when nothing changed, so order statistics of the reference are exact limits: a precedence chart
    (Chakraborti, van der Laan, van de Wiel 2004, "A class of distribution-free control charts", Appl.
    Statist. 53). Latencies and tokens are too skewed for mean ± 3 sigma. A side for which the reference is
    too small is None.
    """
    values = np.sort(np.asarray(reference, dtype=np.float64))
    centre = lower_median(values) if len(values) else 0.0
    if len(values) < FEWEST or window < 1:
        return ControlLimits(None, None, centre)
    rank = (window + 1) // 2
    below, above = _between(beta_binomial(len(values), rank, window - rank + 1), alpha)
    low = float(values[below - 1]) if below > 0 else None
    high = float(values[above]) if above < len(values) else None
    return ControlLimits(low, high, centre)


def lower_median(values: Sequence[float] | Numbers) -> float:
    """Return the middle value, the lower of two: always one that occurred, as the limits assume."""
    return float(np.sort(np.asarray(values, dtype=np.float64))[(len(values) - 1) // 2])


def beta_binomial(n: int, a: float, b: float) -> Numbers:
    """Return the probabilities (n + 1,) of 0 to n successes when the rate is Beta(a, b)."""
    log = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        + math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + a + b)
        + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        for k in range(n + 1)
    ]  # fmt: skip
    chances: Numbers = np.exp(np.array(log))
    return chances


def wilson_interval(count: float, total: float, z: float = Z_95) -> tuple[float, float]:
    """Return the 95 % interval of the rate count / total (Wilson 1927); (0, 1) without any observation.

    total may be what dependent observations are worth, which need not be a whole number.
    """
    if total == 0:
        return 0.0, 1.0
    rate, square = count / total, z * z
    middle = (rate + square / (2 * total)) / (1 + square / total)
    half = z / (1 + square / total) * math.sqrt(rate * (1 - rate) / total + square / (4 * total**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _between(chances: Numbers, alpha: float) -> tuple[int, int]:
    """Return the smallest and largest count that raise no alarm: each tail beyond has alpha / 2 at most."""
    below = np.cumsum(chances) - chances  # P(K < k)
    above = 1 - np.cumsum(chances)  # P(K > k)
    low = int(np.flatnonzero(below <= alpha / 2 + 1e-12).max())
    high = int(np.flatnonzero(above <= alpha / 2 + 1e-12).min())
    return low, high
