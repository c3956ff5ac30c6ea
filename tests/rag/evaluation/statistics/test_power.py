"""How many cases it takes, against a simulated table, brute force, and Connor's formula."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rag.evaluation.statistics.paired import mcnemar
from rag.evaluation.statistics.power import (
    cases_needed,
    discordant_share,
    mcnemar_power,
    smallest_detectable_difference,
)

# conventions.md, 3.3: cases -> power at +5 (15 % discordant), +10 (20 %), +15 (25 %), +20 (30 %).
POWER = {
    20: (0.01, 0.02, 0.09, 0.21),
    30: (0.03, 0.10, 0.26, 0.40),
    50: (0.06, 0.26, 0.49, 0.71),
    100: (0.21, 0.52, 0.84, 0.95),
    200: (0.37, 0.88, 1.0, 1.0),
    400: (0.72, 0.99, 1.0, 1.0),
}


@pytest.mark.parametrize("cases", POWER)
def test_power_is_that_of_the_simulated_table(cases: int) -> None:
    for expected, points in zip(POWER[cases], (5, 10, 15, 20), strict=True):
        power = mcnemar_power(cases, points / 100, (points + 10) / 100)
        error = 3 * math.sqrt(max(power * (1 - power), 0.005) / 600)  # of 600 simulations
        assert power == pytest.approx(expected, abs=error + 0.005)


def every_outcome(cases: int, difference: float, discordant: float) -> float:
    """The probability of all (better, worse, same) that the test calls significant, one by one."""
    chances = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    return sum(
        float(stats.multinomial.pmf([better, worse, cases - better - worse], cases, chances))
        for better in range(cases + 1)
        for worse in range(cases + 1 - better)
        if mcnemar(better, worse) < 0.05
    )


@pytest.mark.parametrize(
    ("cases", "difference", "discordant"),
    [(6, 0.9, 0.95), (12, 0.3, 0.5), (20, 0.2, 0.4), (35, 0.25, 1.0), (40, 0.4, 0.8), (15, 0.0, 0.6)],
)
def test_power_is_the_sum_over_every_outcome(cases: int, difference: float, discordant: float) -> None:
    expected = every_outcome(cases, difference, discordant)
    assert mcnemar_power(cases, difference, discordant) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.floats(0, 1), st.floats(0, 1))
def test_power_is_a_probability_whichever_run_is_better(cases: int, one: float, other: float) -> None:
    difference, discordant = sorted((one, other))
    power = mcnemar_power(cases, difference, discordant)
    assert 0.0 <= power <= 1.0
    assert mcnemar_power(cases, -difference, discordant) == power


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.floats(0.01, 1))
def test_without_a_difference_the_test_keeps_its_level(cases: int, discordant: float) -> None:
    """5 %, and a little more just where chi-squared takes over from the exact binomial."""
    assert mcnemar_power(cases, 0.0, discordant) <= 0.055


def test_power_grows_with_the_cases_and_with_the_difference() -> None:
    by_cases = [mcnemar_power(cases, 0.1, 0.2) for cases in (10, 40, 160, 640, 2560)]
    by_difference = [mcnemar_power(100, points / 100, 0.5) for points in (0, 10, 20, 30, 40, 50)]
    assert by_cases == sorted(by_cases) and by_cases[-1] > 0.999
    assert by_difference == sorted(by_difference) and by_difference[-1] > 0.999


def test_power_falls_the_more_the_runs_disagree_in_both_directions() -> None:
    found = [mcnemar_power(100, 0.15, discordant) for discordant in (0.15, 0.3, 0.6, 1.0)]
    assert found == sorted(found, reverse=True)


def test_there_is_no_power_without_cases_or_disagreement() -> None:
    assert mcnemar_power(0, 0.1, 0.2) == 0.0
    assert mcnemar_power(100, 0.0, 0.0) == 0.0
    assert mcnemar_power(5, 1.0, 1.0) == 0.0  # five against none: p is 0.06
    assert mcnemar_power(6, 1.0, 1.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("difference", "discordant"), [(0.3, 0.2), (-0.3, 0.2), (0.3, 1.1)])
def test_a_discordant_share_that_cannot_be_is_refused(difference: float, discordant: float) -> None:
    with pytest.raises(ValueError, match="discordant share"):
        mcnemar_power(50, difference, discordant)


def test_ten_points_of_coming_and_going_are_assumed() -> None:
    assert discordant_share(0.05) == pytest.approx(0.15)
    assert discordant_share(-0.05) == pytest.approx(0.15)
    assert discordant_share(0.0) == pytest.approx(0.10)
    assert discordant_share(0.95) == 1.0


def test_how_many_cases_are_enough() -> None:
    needed = cases_needed(0.10)
    assert needed is not None
    assert mcnemar_power(needed, 0.10, 0.20) >= 0.8
    assert mcnemar_power(needed - 5, 0.10, 0.20) < 0.81
    assert 150 < needed < 200
    assert smallest_detectable_difference(100) == pytest.approx(0.15, abs=0.011)
    assert smallest_detectable_difference(5) is None
    assert cases_needed(0.0) is None


@pytest.mark.parametrize(("difference", "discordant"), [(0.05, 0.15), (0.1, 0.2), (0.1, 0.4), (0.2, 0.3)])
def test_the_cases_needed_are_a_few_more_than_connors_formula_says(
    difference: float, discordant: float
) -> None:
    """Connor 1987, Biometrics 43: of the normal distribution, without the correction for continuity."""
    spread = 1.959964 * math.sqrt(discordant) + 0.841621 * math.sqrt(discordant - difference**2)
    needed = cases_needed(difference, discordant=discordant)
    assert needed is not None
    assert 1.0 <= needed / (spread / difference) ** 2 <= 1.2


def test_more_power_smaller_differences_and_more_disagreement_need_more_cases() -> None:
    def needed(*values: float) -> int:
        return cases_needed(*values) or 0

    assert 0 < needed(0.2) < needed(0.15) < needed(0.1) < needed(0.05)
    assert needed(0.1, 0.5) < needed(0.1, 0.8) < needed(0.1, 0.95)
    assert needed(0.1, 0.8, 0.1) < needed(0.1, 0.8, 0.3) < needed(0.1, 0.8, 0.9)
    assert needed(-0.1) == needed(0.1)


def test_what_five_thousand_cases_do_not_find_is_told_as_none() -> None:
    assert cases_needed(0.005) is None
    assert cases_needed(0.02, discordant=0.9) is None


@pytest.mark.parametrize("cases", [20, 60, 200, 1000])
def test_the_smallest_difference_is_found_and_the_next_smaller_one_is_not(cases: int) -> None:
    smallest = smallest_detectable_difference(cases)
    assert smallest is not None
    assert mcnemar_power(cases, smallest, discordant_share(smallest)) >= 0.8
    smaller = smallest - 0.01
    assert mcnemar_power(cases, smaller, discordant_share(smaller)) < 0.8


def test_more_cases_find_smaller_differences() -> None:
    found = [smallest_detectable_difference(cases) or 1.0 for cases in (10, 30, 100, 300, 1000, 5000)]
    assert found == sorted(found, reverse=True)
    assert smallest_detectable_difference(100, power=0.95) > smallest_detectable_difference(100)  # type: ignore[operator]
    assert smallest_detectable_difference(0) is None
