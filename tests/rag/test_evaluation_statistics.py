"""Statistics against scipy, published examples, the power table of conventions.md, and simulation."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rag.evaluation.statistics import (
    cases_needed,
    clustered_intervals,
    cohens_d_z,
    cohens_kappa,
    compare_many,
    compare_runs,
    has_few_documents,
    holm,
    mcnemar,
    mcnemar_power,
    mean_interval,
    rogan_gladen,
    score_cases_needed,
    score_detectable_difference,
    sign_flip,
    smallest_detectable_difference,
    summary,
    wilcoxon,
)


def run(metric: str, values: list[float | None]) -> dict[str, dict[str, list[float | None]]]:
    return {metric: {f"c{n}": [value] for n, value in enumerate(values)}}


@given(st.integers(0, 24), st.integers(0, 24))
def test_mcnemar_is_the_binomial_test_while_few_disagree(better: int, worse: int) -> None:
    if 0 < better + worse < 25:
        expected = stats.binomtest(better, better + worse, 0.5).pvalue
        assert mcnemar(better, worse) == pytest.approx(expected)


def test_mcnemar_beyond_that_is_chi_squared() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(40, 20) == pytest.approx(stats.chi2.sf(19**2 / 60, 1))
    assert mcnemar(20, 40) == mcnemar(40, 20)


@settings(max_examples=50, deadline=None)
@given(st.integers(6, 120), st.integers(0, 10**6))
def test_wilcoxon_without_ties_is_scipys(count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(0.3, 1, count)
    method = "exact" if count <= 50 else "asymptotic"
    expected = stats.wilcoxon(values, method=method, correction=False).pvalue
    assert wilcoxon(values) == pytest.approx(expected, rel=1e-6)


def test_wilcoxon_with_ties_is_the_exact_permutation() -> None:
    values = np.array([1, 1, -1, 2, 2, 0, 3, 0.5])
    ranks = stats.rankdata(np.abs(values[values != 0]))
    observed = ranks[values[values != 0] > 0].sum()
    middle = ranks.sum() / 2
    sums = [sum(r for n, r in enumerate(ranks) if pattern >> n & 1) for pattern in range(2 ** len(ranks))]
    expected = np.mean([abs(s - middle) >= abs(observed - middle) for s in sums])
    assert wilcoxon(values) == pytest.approx(expected)
    assert wilcoxon([0, 0, 0]) == 1.0


def test_many_ties_beyond_fifty_have_scipys_variance() -> None:
    values = np.random.default_rng(3).integers(-2, 4, 300)
    expected = stats.wilcoxon(values, method="asymptotic", correction=False).pvalue
    assert wilcoxon(values) == pytest.approx(expected, rel=1e-6)


def test_sign_flips_are_exact_for_few_and_near_it_for_many() -> None:
    assert sign_flip([1, 2, 3, 4, 5, 6]) == pytest.approx(2 / 64)
    assert sign_flip([0, 0]) == 1.0
    values = np.random.default_rng(1).normal(0.5, 1, 16)
    exact = stats.permutation_test(
        (values, np.zeros(16)), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip(values) == pytest.approx(exact, abs=0.01)


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


def test_holm() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_d_z_and_kappa() -> None:
    assert cohens_d_z([1, 2, 3]) == pytest.approx(2.0)
    assert cohens_d_z([1, 1]) is None
    # Cohen's kappa, a known example: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert cohens_kappa(["y"], ["y"]) is None


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


def test_how_many_cases_are_enough() -> None:
    needed = cases_needed(0.10)
    assert needed is not None
    assert mcnemar_power(needed, 0.10, 0.20) >= 0.8
    assert mcnemar_power(needed - 5, 0.10, 0.20) < 0.81
    assert 150 < needed < 200
    assert smallest_detectable_difference(100) == pytest.approx(0.15, abs=0.011)
    assert smallest_detectable_difference(5) is None
    assert cases_needed(0.0) is None
    assert score_cases_needed(0.5) == 32  # the textbook's 31.4
    assert score_detectable_difference(32, 1.0) == pytest.approx(0.495, abs=0.001)


def test_rogan_gladen_corrects_and_covers() -> None:
    found = rogan_gladen(40, 100, 45, 50, 40, 50)
    assert found is not None
    assert found.rate == pytest.approx((0.4 + 0.8 - 1) / (0.9 + 0.8 - 1))
    assert found.low < found.rate < found.high
    assert rogan_gladen(40, 100, 10, 50, 40, 50) is None  # no better than chance
    generator = np.random.default_rng(2)
    covered = 0
    for _ in range(1000):
        positives = generator.binomial(200, 0.3 * 0.9 + 0.7 * 0.15)
        estimate = rogan_gladen(
            positives, 200, generator.binomial(60, 0.9), 60, generator.binomial(60, 0.85), 60
        )
        covered += estimate is not None and estimate.low <= 0.3 <= estimate.high
    assert 0.93 <= covered / 1000 <= 0.98


def test_repeats_are_averaged_and_cases_paired_by_key() -> None:
    a = {"token_f1": {"x": [0.0, 1.0], "y": [0.5], "only": [1.0], "none": [None]}}
    b = {"token_f1": {"y": [0.75], "x": [1.0, None], "new": [1.0], "none": [1.0]}}
    (found,) = compare_runs(a, b)
    assert (found.pairs, found.only_a, found.only_b) == (2, ("only",), ("new", "none"))
    assert found.difference == pytest.approx((0.5 + 0.25) / 2)
    assert (found.warning, found.p, found.low) == ("insufficient_pairs", None, None)


def test_a_yes_no_metric_is_told_in_cases() -> None:
    a = run("exact_match", [1.0] * 50 + [0.0] * 60)
    b = run("exact_match", [1.0] * 49 + [0.0] + [1.0] * 7 + [0.0] * 53)
    (found,) = compare_runs(a, b)
    assert (found.wins, found.losses, found.ties) == (7, 1, 102)
    assert found.test == "McNemar"
    assert found.p == pytest.approx(0.0703125)
    assert found.effect == 7.0
    assert found.sentence() == "B answers 6 of 110 more, p = 0.07"
    said = "No difference in quality is certain (the nearest: B answers 6 of 110 more, p = 0.07)."
    assert summary([found]) == said
    better = run("exact_match", [1.0] * 60 + [0.0] * 50)
    assert summary(compare_runs(a, better)) == "B answers 10 of 110 more, p = 0.002."


def test_lower_is_better_where_the_metric_says_so() -> None:
    (found,) = compare_runs(run("total_ms", [100.0 + n for n in range(12)]), run("total_ms", [90.0] * 12))
    assert (found.wins, found.losses) == (12, 0)
    assert found.kind == "score"
    assert found.p == pytest.approx(2 / 2**12)
    assert "Time 15.5 ms lower (−" in found.sentence()


def test_quality_is_told_before_costs() -> None:
    a = {
        **run("exact_match", [1.0] * 20 + [0.0] * 20),
        **run("prompt_tokens", [900.0 + n for n in range(40)]),
    }
    b = {**run("exact_match", [1.0] * 21 + [0.0] * 19), **run("prompt_tokens", [500.0] * 40)}
    assert summary(compare_runs(a, b)) == (
        "No difference in quality is certain (the nearest: B answers 1 of 40 more, p = 1); "
        "Prompt tokens 420 lower (−423 to −416) over 40 cases, p < 0.001."
    )


def test_metrics_that_never_differ_are_not_corrected_for() -> None:
    a, b = run("exact_match", [0.0] * 40), run("exact_match", [0.0] * 33 + [1.0] * 7)
    alone = compare_runs(a, b)[0]
    same = {name: run("x", [1.0] * 40)["x"] for name in ("hit_rate", "recall_at_k", "refusal_accuracy")}
    among = {one.metric: one for one in compare_runs({**a, **same}, {**b, **same})}
    assert among["exact_match"].p_holm == alone.p == pytest.approx(2 / 2**7)
    assert among["hit_rate"].p_holm == 1.0


def test_cases_of_one_document_are_permuted_together() -> None:
    """120 cases of twelve documents are no 120 observations."""
    a, b = run("exact_match", [0.0] * 120), run("exact_match", [1.0] * 120)
    assert (compare_runs(a, b)[0].p or 1) < 1e-6
    (found,) = compare_runs(a, b, {f"c{n}": f"d{n % 12}" for n in range(120)})
    assert found.test == "sign-flip permutation of documents"
    assert found.p == pytest.approx(2 / 2**12)
    assert (found.clusters, found.warning) == (12, "")


@pytest.mark.parametrize("documents", [1, 2, 5])
def test_of_few_documents_the_cases_are_tested_and_that_is_said(documents: int) -> None:
    """Five documents have no sign pattern rarer than 1 in 16: nothing could ever be found about them."""
    clusters = {f"c{n}": f"d{n % documents}" for n in range(40)}
    a, b = run("exact_match", [0.0] * 40), run("exact_match", [0.0] * 30 + [1.0] * 10)
    (found,) = compare_runs(a, b, clusters)
    assert (found.test, found.p) == ("McNemar", pytest.approx(2 / 2**10))
    assert (found.clusters, found.warning) == (documents, "few_documents")
    assert found.low is not None and 0 < found.low < 0.25 < (found.high or 0) < 0.5


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


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=6, max_size=30))
def test_swapping_the_runs_mirrors_the_comparison(pairs: list[tuple[float, float]]) -> None:
    a, b = run("token_f1", [x for x, _ in pairs]), run("token_f1", [y for _, y in pairs])
    (there,), (back,) = compare_runs(a, b), compare_runs(b, a)
    assert there.difference == pytest.approx(-(back.difference or 0), abs=1e-12)
    assert there.p == pytest.approx(back.p)
    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert there.low is not None and there.high is not None and there.low <= there.high


def test_nothing_in_common_is_no_crash() -> None:
    (found,) = compare_runs(run("token_f1", [None, None]), run("token_f1", [1.0, 1.0]))
    assert (found.pairs, found.difference, found.warning) == (0, None, "insufficient_pairs")
    assert compare_many(run("token_f1", [1.0]), []) == ()
    assert summary([]).startswith("0 cases")


def test_two_thousand_cases_of_four_pipelines_take_well_under_a_second() -> None:
    generator = np.random.default_rng(0)
    names = [f"m{n}" for n in range(12)]

    def values() -> dict[str, dict[str, list[float | None]]]:
        return {
            name: {
                f"c{case}": [value]
                for case, value in enumerate(
                    (generator.random(2000) < 0.5).astype(float).tolist()
                    if number < 6
                    else generator.random(2000).tolist()
                )
            }
            for number, name in enumerate(names)
        }

    runs = [values() for _ in range(4)]
    clusters = {f"c{n}": f"d{n // 2}" for n in range(2000)}
    for known in ({}, clusters):
        began = time.perf_counter()
        found = compare_many(runs[0], runs[1:], known)
        taken = time.perf_counter() - began
        print(f"{len(known) or 2000} {taken:.2f} s")
        assert [len(part) for part in found] == [12, 12, 12]
        assert taken < 3  # 0.5 s on two idle cores; others may be at work
