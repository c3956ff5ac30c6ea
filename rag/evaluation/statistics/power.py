"""How many cases it takes to find a difference of two rates, and which difference so many cases can find.

The power of McNemar's test at 0.05 is summed over every outcome, not approximated, because small sets are the
rule.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from rag.evaluation.statistics.paired import mcnemar

_ALPHA = 0.05
_MOST_CASES = 5000
_NEGLIGIBLE = 1e-9  # outcomes less likely than this add nothing that a person would see


def mcnemar_power(cases: int, difference: float, discordant: float) -> float:
    """Return the probability that McNemar's test at 0.05 finds a difference of two rates.

    Args:
        cases: how many independent cases both runs answer.
        difference: of the rates, -1 to 1.
        discordant: share of cases in which the runs disagree, from the size of the difference to 1.

    Raises:
        ValueError: where discordant is out of that range.
    """
    from scipy.stats import binom  # half a second to import, and only some calls need it

    if not abs(difference) <= discordant <= 1:
        raise ValueError("the discordant share lies between the difference and 1")
    if cases < 1 or discordant < _NEGLIGIBLE:  # below, the share of the better run cannot be computed
        return 0.0
    share_of_better = (discordant + abs(difference)) / 2 / discordant
    disagreeing = np.arange(cases + 1)
    weights = binom.pmf(disagreeing, cases, discordant)
    likely = weights > _NEGLIGIBLE
    disagreeing, weights = disagreeing[likely], weights[likely]
    most_worse = np.array([_most_worse(int(number)) for number in disagreeing])
    # Significant either way: at most so many are worse, or at most so many are better.
    found = binom.sf(disagreeing - most_worse - 1, disagreeing, share_of_better)
    found += binom.cdf(most_worse, disagreeing, share_of_better)
    return min(float(weights @ found), 1.0)


@lru_cache(maxsize=8192)
def _most_worse(discordant: int) -> int:
    """Return the most losses of so many discordant pairs at which McNemar's test is below 0.05; -1: none."""
    low, high = -1, (discordant - 1) // 2
    while low < high:
        middle = (low + high + 1) // 2
        if mcnemar(middle, discordant - middle) < _ALPHA:
            low = middle
        else:
            high = middle - 1
    return low


def discordant_share(difference: float) -> float:
    """Return the share assumed where none was measured: the difference and 10 points of coming and going."""
    return min(1.0, abs(difference) + 0.10)


def smallest_detectable_difference(cases: int, power: float = 0.8) -> float | None:
    """Return the smallest difference of two rates that so many independent cases find with this power.

    It is searched in steps of one point; None: not even 90 points.
    """
    return next(
        (p / 100 for p in range(1, 91) if mcnemar_power(cases, p / 100, discordant_share(p / 100)) >= power),
        None,
    )


def cases_needed(difference: float, power: float = 0.8, discordant: float | None = None) -> int | None:
    """Return how many independent cases find such a difference of two rates; None: 5,000 are not enough."""
    share = discordant_share(difference) if discordant is None else discordant
    low, high = 1, _MOST_CASES
    if difference == 0 or mcnemar_power(high, difference, share) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        if mcnemar_power(middle, difference, share) >= power:
            high = middle
        else:
            low = middle + 1
    return low
