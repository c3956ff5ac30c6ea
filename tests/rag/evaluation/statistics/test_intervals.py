"""Intervals of means against scipy, simulation, and what must hold whatever the values are."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rag.evaluation.statistics.intervals import (
    case_means,
    clustered_intervals,
    has_few_documents,
    mean_interval,
)
from rag.monitoring.control_limits import wilson_interval

CLUSTERS = st.lists(st.lists(st.floats(-1, 1), min_size=1, max_size=4), min_size=2, max_size=20)


def sums_and_counts(clusters: list[list[float]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One column: the sum of each cluster's values, and how many they are."""
    return np.array([[sum(c)] for c in clusters]), np.array([[float(len(c))] for c in clusters])


# --- the clustered bootstrap ------------------------------------------------------------------------------


def test_bca_is_scipys() -> None:
    values = np.random.default_rng(5).exponential(1, 60) - 0.7
    ((low, high, how),) = clustered_intervals(values[:, None], np.ones((60, 1)))
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=40_000, method="BCa", rng=1
    ).confidence_interval
    assert how == "BCa"
    assert low == pytest.approx(expected.low, abs=0.02)
    assert high == pytest.approx(expected.high, abs=0.02)
    normal = 1.96 * values.std(ddof=1) / math.sqrt(60)
    assert high - low == pytest.approx(2 * normal, rel=0.15)


def test_bca_falls_back_to_percentiles_and_to_nothing() -> None:
    assert clustered_intervals(np.full((8, 1), 0.1), np.ones((8, 1)))[0] == (
        pytest.approx(0.1),
        pytest.approx(0.1),
        "percentile",
    )
    assert clustered_intervals(np.ones((1, 1)), np.ones((1, 1)))[0] == (None, None, "none")


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Cases of a document share its effect: clustered intervals cover it, intervals over cases do not."""
    generator = np.random.default_rng(11)
    clustered, naive = 0, 0
    for _ in range(150):
        effect = generator.normal(0, 1, 30)
        values = effect[:, None] + generator.normal(0, 0.5, (30, 5))
        ((low, high, _how),) = clustered_intervals(values.sum(axis=1)[:, None], np.full((30, 1), 5.0), 2000)
        clustered += low <= 0 <= high  # type: ignore[operator]
        ((low, high, _how),) = clustered_intervals(values.reshape(-1, 1), np.ones((150, 1)), 2000)
        naive += low <= 0 <= high  # type: ignore[operator]
    assert 0.88 <= clustered / 150 <= 0.99
    assert naive / 150 < 0.75


@settings(max_examples=40, deadline=None)
@given(CLUSTERS)
def test_a_clustered_interval_stays_between_the_clusters_means(
    clusters: list[list[float]],
) -> None:
    sums, counts = sums_and_counts(clusters)
    ((low, high, how),) = clustered_intervals(sums, counts, 500)
    means = (sums / counts).ravel()
    assert low is not None and high is not None and how in ("BCa", "percentile")
    assert means.min() - 1e-9 <= low <= high <= means.max() + 1e-9


@settings(max_examples=25, deadline=None)
@given(CLUSTERS)
def test_a_clustered_interval_of_the_opposite_is_mirrored(clusters: list[list[float]]) -> None:
    sums, counts = sums_and_counts(clusters)
    ((low, high, _),) = clustered_intervals(sums, counts, 500, 0.8)
    ((mirrored_low, mirrored_high, _),) = clustered_intervals(-sums, counts, 500, 0.8)
    assert low is not None and high is not None
    assert mirrored_low == pytest.approx(-high, abs=1e-9)
    assert mirrored_high == pytest.approx(-low, abs=1e-9)


def test_more_confidence_is_a_wider_interval_around_the_narrower_one() -> None:
    values = np.random.default_rng(3).exponential(1, (40, 1))
    found = [clustered_intervals(values, np.ones((40, 1)), confidence=c)[0] for c in (0.5, 0.8, 0.95, 0.99)]
    lows, highs = [low or 0.0 for low, _, _ in found], [high or 0.0 for _, high, _ in found]
    assert lows == sorted(lows, reverse=True) and highs == sorted(highs)
    assert lows[0] < values.mean() < highs[0]


def test_a_column_is_resampled_as_if_it_were_alone() -> None:
    generator = np.random.default_rng(4)
    sums, counts = generator.normal(0, 1, (25, 3)), generator.integers(1, 5, (25, 3)).astype(float)
    together = clustered_intervals(sums, counts)
    for column in range(3):
        (alone,) = clustered_intervals(sums[:, [column]], counts[:, [column]])
        assert together[column][:2] == pytest.approx(alone[:2])
        assert together[column][2] == alone[2] == "BCa"


def test_a_column_that_lacks_clusters_is_resampled_with_those_it_has() -> None:
    """Resamples without any of its clusters are left out; one cluster alone gives no interval."""
    sums, counts = np.zeros((12, 2)), np.zeros((12, 2))
    sums[:3, 0], counts[:3, 0] = [1.0, 2.0, 6.0], [1.0, 1.0, 2.0]
    sums[5, 1], counts[5, 1] = 1.0, 1.0
    (low, high, _), none = clustered_intervals(sums, counts)
    assert low is not None and high is not None and 1.0 <= low < 2.25 < high <= 3.0
    assert none == (None, None, "none")


def test_nothing_to_resample_is_no_crash() -> None:
    assert clustered_intervals(np.zeros((0, 1)), np.zeros((0, 1))) == [(None, None, "none")]
    assert clustered_intervals(np.zeros((0, 0)), np.zeros((0, 0))) == []
    assert clustered_intervals(np.zeros((3, 0)), np.zeros((3, 0))) == []


def test_a_skewed_mean_has_an_interval_that_leans_the_same_way() -> None:
    """BCa, not symmetric: with a long tail upwards there is more room above than below."""
    values = np.random.default_rng(5).exponential(1, (40, 1)) ** 2
    ((low, high, how),) = clustered_intervals(values, np.ones((40, 1)))
    assert how == "BCa" and low is not None and high is not None
    assert high - values.mean() > 1.2 * (values.mean() - low)


# --- what is independent ----------------------------------------------------------------------------------


def test_cases_that_stand_alone_do_not_make_up_for_few_documents() -> None:
    five = [f"d{n % 5}" for n in range(36)]
    assert has_few_documents(five)
    assert has_few_documents([*five, *(f"alone{n}" for n in range(8))])
    assert not has_few_documents([f"d{n % 12}" for n in range(36)])
    assert not has_few_documents([f"d{n}" for n in range(7)])  # all alone: nothing depends on anything
    assert not has_few_documents([])


@pytest.mark.parametrize(("cases_each", "rate"), [(1, 0.5), (1, 0.9), (4, 0.7)])
def test_the_interval_of_a_rate_holds_the_truth(cases_each: int, rate: float) -> None:
    """Simulated: 30 documents, whose own rates differ where they have several cases."""
    generator, held, rounds = np.random.default_rng(4), 0, 400
    clusters = {f"c{n}": f"d{n // cases_each}" for n in range(30 * cases_each)}
    for _ in range(rounds):
        own = generator.beta(4 * rate, 4 * (1 - rate), 30) if cases_each > 1 else np.full(30, rate)
        values = (generator.random((30, cases_each)) < own[:, None]).astype(float).ravel()
        low, high = mean_interval({f"c{n}": float(v) for n, v in enumerate(values)}, clusters) or (1, 0)
        held += low <= rate <= high
    assert 0.92 <= held / rounds <= 0.985


def test_the_interval_of_a_mean() -> None:
    values = {f"c{n}": float(n % 7) for n in range(40)}
    numbers = np.array(list(values.values()))
    known = stats.t.interval(0.95, 39, numbers.mean(), stats.sem(numbers))
    assert mean_interval(values) == pytest.approx(known)
    assert mean_interval({"one": 0.5}) is None
    assert mean_interval({}) is None
    low, high = mean_interval({f"c{n}": 1.0 for n in range(20)}) or (0, 0)
    assert (low, high) == (pytest.approx(0.8389, abs=1e-4), 1.0)  # Wilson's, of 20 of 20


def test_documents_count_as_many_as_equally_large_ones_would() -> None:
    """One document of 30 cases and nine of one case each are worth 39^2 / 909 = 1.7 documents."""
    assert has_few_documents(["large"] * 30 + [f"d{n}" for n in range(9)])
    assert not has_few_documents([f"d{n}" for n in range(10)] * 4)  # ten are enough
    assert has_few_documents([f"d{n}" for n in range(9)] * 4)  # nine are not
    assert not has_few_documents(["alone"])
    assert has_few_documents(["same", "same"])


def test_repeats_become_their_mean_and_cases_without_a_value_go() -> None:
    values = {
        "one": [0.5],
        "three": [0.0, 1.0, 0.5],
        "some": [None, 1.0, math.nan],
        "none": [None],
        "not a number": [math.nan],
        "endless": [math.inf, -math.inf],
        "empty": [],
    }
    assert case_means(values) == {"one": 0.5, "three": 0.5, "some": 1.0}
    assert case_means({}) == {}


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_a_rate_of_independent_cases_has_wilsons_interval(answers: list[bool]) -> None:
    """As many cases as the variance says they are worth: all but one of them, unless all agree."""
    found = mean_interval({f"c{n}": float(yes) for n, yes in enumerate(answers)})
    count, right = len(answers), sum(answers)
    worth = count if right in (0, count) else count - 1
    assert found == pytest.approx(wilson_interval(right / count * worth, worth))
    assert found is not None
    assert 0.0 <= found[0] <= right / count + 1e-12
    assert right / count - 1e-12 <= found[1] <= 1.0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40), st.integers(1, 4))
def test_the_interval_of_a_mean_is_around_it_and_follows_a_change_of_unit(
    values: list[float], each: int
) -> None:
    clusters = {f"c{n}": f"d{n // each}" for n in range(len(values))}
    found = mean_interval({f"c{n}": 2 + v for n, v in enumerate(values)}, clusters)
    if found is None:
        assert len(set(clusters.values())) < 2
        return
    low, high = found
    mean = 2 + sum(values) / len(values)
    assert (low + high) / 2 == pytest.approx(mean)
    scaled = mean_interval({f"c{n}": 10 * (2 + v) for n, v in enumerate(values)}, clusters)
    assert scaled == pytest.approx((10 * low, 10 * high))


def test_cases_of_one_document_widen_the_interval() -> None:
    values = {f"c{n}": float(n // 4 % 2) + 0.01 * (n % 4) for n in range(80)}
    alone = mean_interval(values)
    clustered = mean_interval(values, {f"c{n}": f"d{n // 4}" for n in range(80)})
    assert alone is not None and clustered is not None
    assert clustered[1] - clustered[0] > 1.8 * (alone[1] - alone[0])


def test_cases_of_few_documents_are_taken_one_by_one() -> None:
    values = {f"c{n}": 0.1 * (n % 9) for n in range(40)}
    assert mean_interval(values, {f"c{n}": f"d{n % 3}" for n in range(40)}) == mean_interval(values)
    assert mean_interval(values, dict.fromkeys(values, "")) == mean_interval(values)


def test_scores_that_are_all_the_same_have_an_interval_without_width() -> None:
    assert mean_interval({f"c{n}": 0.25 for n in range(8)}) == (0.25, 0.25)
