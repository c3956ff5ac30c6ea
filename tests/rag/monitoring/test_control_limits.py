"""Limits and two-sample tests keep their error rates at any size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, ks_2samp, kstwobign

from rag.monitoring.control_limits import (
    ALPHA,
    beta_binomial,
    energy_test,
    ks_test,
    median_limits,
    rate_limits,
    wilson_interval,
)
from rag.monitoring.rows import (
    beyond,
)


def false_alarms(reference: int, window: int, rate: float) -> float:
    """The exact chance that a window with the same rate as the reference is beyond its limits."""
    counts = np.arange(window + 1)
    chances = binom.pmf(counts, window, rate)
    total = 0.0
    for k in range(reference + 1):
        limits = rate_limits(k, reference, window)
        outside = np.array([beyond(c / window, limits.low, limits.high) for c in counts])
        total += binom.pmf(k, reference, rate) * chances[outside].sum()
    return total


@pytest.mark.parametrize(("reference", "window"), [(20, 20), (50, 200), (200, 50)])
@pytest.mark.parametrize("rate", [0.005, 0.05, 0.3, 0.5])
def test_limits_of_a_rate_keep_their_false_alarm_rate_at_any_size(
    reference: int, window: int, rate: float
) -> None:
    assert false_alarms(reference, window, rate) <= 0.003


def test_limits_of_a_rate_that_pretend_to_know_it_alarm_far_more_often() -> None:
    """The usual p ± 3 sigma: what the test above would say of it."""
    alarms = 0.0
    for k in range(51):
        p = k / 50
        high = p + 3 * np.sqrt(p * (1 - p) / 50)
        alarms += binom.pmf(k, 50, 0.05) * binom.sf(np.floor(high * 50 + 1e-9), 50, 0.05)
    assert alarms > 0.03


def test_a_rate_that_really_rises_is_found() -> None:
    limits = rate_limits(10, 200, 50)
    assert limits.low is None
    assert limits.high is not None
    assert binom.sf(limits.high * 50, 50, 0.3) > 0.85


@pytest.mark.parametrize("draw", ["exponential", "normal", "standard_cauchy"])
def test_limits_of_a_median_hold_for_any_distribution(draw: str) -> None:
    generator = np.random.default_rng(3)
    rounds, alarms = 2500, 0
    for _ in range(rounds):
        old, new = (getattr(generator, draw)(size=n) for n in (100, 21))
        limits = median_limits(old, 21)
        alarms += beyond(float(np.sort(new)[10]), limits.low, limits.high)
    assert alarms / rounds < ALPHA + 3 * np.sqrt(ALPHA / rounds)


def test_too_small_a_reference_gives_no_limits() -> None:
    assert rate_limits(3, 19, 50).high is None
    assert median_limits([1.0] * 19, 50).high is None
    assert median_limits(list(map(float, range(20))), 5).high is None  # the largest of 20 is no limit for 5


def test_the_beta_binomial_is_a_distribution_and_wilsons_interval_is_known() -> None:
    assert beta_binomial(50, 0.5, 200.5).sum() == pytest.approx(1)
    assert beta_binomial(3, 1, 1) == pytest.approx([0.25] * 4)
    assert wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson_interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """By its definition, slowly."""
    pairs = lambda x, y: np.mean([np.linalg.norm(p - q) for p in x for q in y])  # noqa: E731
    return float(2 * pairs(a, b) - pairs(a, a) - pairs(b, b))


def test_the_energy_distance_is_that_of_its_definition() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.normal(size=(n, 5)).astype(np.float32) for n in (12, 7))
    assert energy_test(a, b, 19)[0] == pytest.approx(energy_distance(a, b), rel=1e-5)
    with pytest.raises(ValueError, match="empty"):
        energy_test(a, b[:0])


def test_the_energy_test_is_exact_without_drift_and_sees_a_change_of_spread() -> None:
    generator = np.random.default_rng(1)
    p_values = []
    for round_ in range(300):
        a, b = (generator.normal(size=(20, 8)).astype(np.float32) for _ in range(2))
        p_values.append(energy_test(a, b, 99, seed=round_)[1])
    for level in (0.05, 0.2, 0.5):
        assert abs(np.mean(np.array(p_values) <= level) - level) < 3 * np.sqrt(level * (1 - level) / 300)
    wide = (2.5 * generator.normal(size=(60, 8))).astype(np.float32)
    narrow = generator.normal(size=(60, 8)).astype(np.float32)
    assert energy_test(narrow, wide)[1] <= 0.002
    assert min(p_values) >= 1 / 100


def test_the_ks_test_is_the_known_one() -> None:
    a, b = [0.1, 0.2, 0.3, 0.4], [0.35, 0.5, 0.6, 0.7]
    statistic, p = ks_test(a, b)
    assert statistic == 0.75
    assert p == pytest.approx(ks_2samp(a, b, method="exact").pvalue)
    generator = np.random.default_rng(2)
    alarms = [ks_test(generator.random(30), generator.random(30))[1] < 0.05 for _ in range(300)]
    assert np.mean(alarms) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    large = ks_test(list(np.linspace(0, 1, 4000)), list(np.linspace(0.03, 1.03, 4000)))
    assert large[1] == pytest.approx(kstwobign.sf(large[0] * np.sqrt(2000)), rel=0.3)


@given(st.integers(0, 60), st.integers(20, 60), st.integers(1, 80))
def test_limits_of_a_rate_are_shares_around_it(count: int, total: int, window: int) -> None:
    count = min(count, total)
    limits = rate_limits(count, total, window)
    assert limits.centre == count / total
    assert limits.low is None or 0 < limits.low <= 1
    assert limits.high is None or 0 <= limits.high < 1
    if limits.low is not None and limits.high is not None:
        assert limits.low <= limits.high


@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=80), st.integers(1, 60))
def test_limits_of_a_median_are_values_of_the_reference(reference: list[float], window: int) -> None:
    limits = median_limits(reference, window)
    assert limits.centre in reference
    for side in (limits.low, limits.high):
        assert side is None or side in reference


@given(st.integers(0, 200), st.integers(1, 200))
def test_wilsons_interval_contains_the_rate_and_narrows_with_more_questions(count: int, total: int) -> None:
    count = min(count, total)
    low, high = wilson_interval(count, total)
    assert 0 <= low <= count / total + 1e-9 and count / total - 1e-9 <= high <= 1
    more_low, more_high = wilson_interval(4 * count, 4 * total)
    assert more_high - more_low <= high - low + 1e-9
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_an_empty_sample_cannot_be_tested() -> None:
    with pytest.raises(ValueError, match="empty"):
        energy_test(np.zeros((0, 2), dtype=np.float32), np.ones((3, 2), dtype=np.float32))
