"""Groups of different questions against scipy, published tables, enumeration, and simulation."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import fisher_exact

from rag.evaluation.statistics.two_sample import fisher, mean_interval, permutation, rate_interval

COUNTS = st.integers(1, 40).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


# --- rates ------------------------------------------------------------------------------------------------


def test_fisher_agrees_with_scipy() -> None:
    generator = random.Random(1)
    for _ in range(200):
        a, b = generator.randint(1, 40), generator.randint(1, 40)
        x, y = generator.randint(0, a), generator.randint(0, b)
        assert fisher(x, a, y, b) == pytest.approx(fisher_exact([[x, a - x], [y, b - y]])[1])


@pytest.mark.parametrize(("guessed", "p"), [(4, 2 / 70), (3, 34 / 70), (2, 1.0)])
def test_fisher_of_the_lady_who_tastes_tea(guessed: int, p: float) -> None:
    """Fisher 1935: four cups with the milk first, four with the tea; 70 ways to choose four."""
    assert fisher(guessed, 4, 4 - guessed, 4) == pytest.approx(p)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_fisher_does_not_depend_on_the_order_nor_on_what_counts_as_yes(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    p = fisher(*a, *b)
    assert 0.0 < p <= 1.0
    assert fisher(*b, *a) == pytest.approx(p)
    assert fisher(a[1] - a[0], a[1], b[1] - b[0], b[1]) == pytest.approx(p)


def test_fisher_finds_nothing_where_all_or_none_said_yes() -> None:
    assert fisher(0, 20, 0, 30) == 1.0
    assert fisher(20, 20, 30, 30) == 1.0
    assert fisher(10, 20, 15, 30) == pytest.approx(1.0)


# Newcombe 1998, Statistics in Medicine 17, table II, method 10: two rates, interval of the first - the second.
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("rates", "interval"), NEWCOMBE)
def test_the_interval_of_two_rates_is_that_of_newcombes_paper(
    rates: tuple[int, int, int, int], interval: tuple[float, float]
) -> None:
    first, of_first, second, of_second = rates
    assert rate_interval(second, of_second, first, of_first) == pytest.approx(interval, abs=1e-4)


@settings(deadline=None)
@given(COUNTS, COUNTS)
def test_the_interval_of_two_rates_contains_their_difference_and_mirrors(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    low, high = rate_interval(*a, *b)
    difference = b[0] / b[1] - a[0] / a[1]
    assert -1.0 - 1e-9 <= low <= difference + 1e-9
    assert difference - 1e-9 <= high <= 1.0 + 1e-9
    assert rate_interval(*b, *a) == (pytest.approx(-high), pytest.approx(-low))


def test_a_rate_of_nothing_has_no_interval() -> None:
    with pytest.raises(ZeroDivisionError):
        rate_interval(0, 0, 1, 2)


# --- scores -----------------------------------------------------------------------------------------------


def test_a_large_difference_is_found_and_none_is_not() -> None:
    a, b = [1.0, 2.0, 3.0, 2.0] * 10, [3.0, 4.0, 5.0, 4.0] * 10
    assert permutation(a, b) < 0.001
    assert permutation(a, a) == 1.0
    low, high = mean_interval(a, b)
    assert 1.6 < low < 2.0 < high < 2.4


def enumerated(a: list[float], b: list[float]) -> float:
    """The share of all labellings whose means are as far apart, in fractions of whole numbers."""
    values, far = a + b, abs(sum(b) * len(a) - sum(a) * len(b))
    reached = [
        abs((sum(values) - sum(chosen)) * len(a) - sum(chosen) * len(b)) >= far
        for chosen in itertools.combinations(values, len(a))
    ]
    return sum(reached) / len(reached)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-4, 4), min_size=2, max_size=6), st.lists(st.integers(-4, 4), min_size=2, max_size=6)
)
def test_a_permutation_of_few_is_the_enumeration_of_all(a: list[int], b: list[int]) -> None:
    """In tenths, whose sums differ in the last digit by their order: they must tie all the same."""
    expected = enumerated(a, b)
    assert permutation([n / 10 for n in a], [n / 10 for n in b]) == pytest.approx(expected)


def test_a_permutation_of_many_is_near_students_t() -> None:
    generator = np.random.default_rng(8)
    for shift in (0.0, 0.2, 0.4):
        a, b = generator.normal(0, 1, 60), generator.normal(shift, 1, 80)
        assert permutation(a.tolist(), b.tolist()) == pytest.approx(stats.ttest_ind(a, b).pvalue, abs=0.015)


def test_a_permutation_does_not_depend_on_the_order_of_the_groups_nor_on_the_zero_point() -> None:
    generator = np.random.default_rng(9)
    a, b = generator.exponential(1, 25), generator.exponential(1.5, 40)
    p = permutation(a.tolist(), b.tolist())
    assert permutation(a.tolist(), b.tolist()) == p  # the seed is fixed
    assert permutation(b.tolist(), a.tolist()) == pytest.approx(p, abs=0.015)
    assert permutation((a + 7).tolist(), (b + 7).tolist()) == pytest.approx(p, abs=1e-9)


def test_a_permutation_of_many_is_never_zero() -> None:
    assert permutation([0.0] * 30, [1.0] * 30) == pytest.approx(1 / 10_001)
    assert permutation([0.5] * 30, [0.5] * 25) == 1.0


def test_a_permutation_is_seldom_significant_where_nothing_differs() -> None:
    """Skewed values, and more of one group than of the other: the level holds at any distribution."""
    generator = np.random.default_rng(10)
    found = [
        permutation(generator.exponential(1, 4).tolist(), generator.exponential(1, 7).tolist()) <= 0.05
        for _ in range(200)
    ]
    assert 0.005 <= np.mean(found) <= 0.1


def test_the_interval_of_two_means_is_near_that_of_the_normal_distribution() -> None:
    generator = np.random.default_rng(12)
    a, b = generator.normal(5, 1, 200), generator.normal(5.5, 2, 300)
    low, high = mean_interval(a.tolist(), b.tolist())
    half = 1.96 * np.sqrt(a.var(ddof=1) / 200 + b.var(ddof=1) / 300)
    assert low == pytest.approx(b.mean() - a.mean() - half, abs=0.03)
    assert high == pytest.approx(b.mean() - a.mean() + half, abs=0.03)
    assert mean_interval(a.tolist(), b.tolist()) == (low, high)  # the seed is fixed


@settings(max_examples=25, deadline=None)
@given(*[st.lists(st.floats(0, 1), min_size=2, max_size=25) for _ in range(2)])
def test_the_interval_of_two_means_stays_where_their_values_are(a: list[float], b: list[float]) -> None:
    low, high = mean_interval(a, b)
    assert min(b) - max(a) - 1e-9 <= low <= high <= max(b) - min(a) + 1e-9


def test_two_means_without_spread_have_an_interval_without_width() -> None:
    assert mean_interval([0.25] * 20, [0.75] * 30) == (pytest.approx(0.5), pytest.approx(0.5))


@pytest.mark.parametrize("compare", [permutation, mean_interval])
def test_a_group_of_one_is_refused(compare: object) -> None:
    for a, b in (([1.0], [1.0, 2.0]), ([1.0, 2.0], [])):
        with pytest.raises(ValueError, match="two or more"):
            compare(a, b)  # type: ignore[operator]
