"""Two runs compared case by case: against scipy and published examples, and what is said of them."""

import itertools
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rag.evaluation.statistics.paired import (
    Comparison,
    cohens_d_z,
    compare_many,
    compare_runs,
    difference_interval,
    holm,
    mcnemar,
    not_worse,
    sign_test,
    summary,
    wilcoxon,
)

SHARES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=6, max_size=30)
TIED = st.lists(st.integers(-4, 4), min_size=1, max_size=11)


def run(metric: str, values: list[float | None]) -> dict[str, dict[str, list[float | None]]]:
    """Return a run of one metric: one value a case."""
    return {metric: {f"c{n}": [value] for n, value in enumerate(values)}}


def test_scipy_is_not_imported_before_something_is_computed() -> None:
    """Its import takes half a second, which the start of the engine and of every command would wait for."""
    names = ("agreement", "intervals", "paired", "power", "two_sample")
    imports = "; ".join(f"import rag.evaluation.statistics.{name}" for name in names)
    code = f"import sys; {imports}; print(sorted(name for name in sys.modules if name.startswith('scipy')))"
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- tests of significance --------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 24), st.integers(0, 24))
def test_mcnemar_is_the_binomial_test_while_few_disagree(better: int, worse: int) -> None:
    if 0 < better + worse < 25:
        expected = stats.binomtest(better, better + worse, 0.5).pvalue
        assert mcnemar(better, worse) == pytest.approx(expected)


def test_mcnemar_beyond_that_is_chi_squared() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(40, 20) == pytest.approx(stats.chi2.sf(19**2 / 60, 1))
    assert mcnemar(20, 40) == mcnemar(40, 20)
    assert mcnemar(121, 59) == pytest.approx(5.45e-6, rel=0.01)  # chi-squared 20.67, a textbook's example
    assert mcnemar(30, 30) == 1.0


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_does_not_depend_on_the_side_and_falls_the_further_they_are_apart(
    one: int, other: int
) -> None:
    p = mcnemar(one, other)
    assert 0.0 < p <= 1.0
    assert mcnemar(other, one) == p
    less, more = sorted((one, other))
    if less:
        assert mcnemar(less - 1, more + 1) <= p


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(0, 40))
def test_the_sign_test_counts_the_outcomes_as_far_from_the_middle(one: int, other: int) -> None:
    picks = one + other
    far = [n for n in range(picks + 1) if abs(2 * n - picks) >= abs(one - other)]
    assert sign_test(one, other) == pytest.approx(sum(math.comb(picks, n) for n in far) / 2**picks)


def test_the_sign_test_of_known_counts() -> None:
    assert sign_test(9, 1) == pytest.approx(22 / 1024)
    assert sign_test(0, 0) == sign_test(5, 5) == 1.0
    assert sign_test(5, 0) == pytest.approx(0.0625)  # the fewest pairs that can reach 0.05 are six
    assert sign_test(6, 0) == pytest.approx(0.03125)


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


# Differences of height of Darwin's cross- and self-fertilised maize, in eighths of an inch (Fisher 1935).
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def test_wilcoxon_of_darwins_maize() -> None:
    assert wilcoxon(MAIZE) == pytest.approx(0.041259765625)
    assert wilcoxon([5.0]) == 1.0
    assert wilcoxon([]) == 1.0


@settings(max_examples=60, deadline=None)
@given(TIED)
def test_wilcoxon_of_few_is_the_enumeration_of_all_signs(differences: list[int]) -> None:
    values = [n for n in differences if n]
    doubled = [int(2 * rank) for rank in stats.rankdata(np.abs(values))] if values else []
    observed = abs(sum(math.copysign(rank, value) for rank, value in zip(doubled, values, strict=True)))
    sums = [
        abs(sum(sign * rank for sign, rank in zip(signs, doubled, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(values))
    ]
    assert wilcoxon(differences) == pytest.approx(sum(s >= observed for s in sums) / len(sums))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-30, 30), max_size=70))
def test_wilcoxon_ignores_the_side_the_unit_the_order_and_what_did_not_change(differences: list[int]) -> None:
    p = wilcoxon(differences)
    assert 0.0 < p <= 1.0
    assert wilcoxon([-n for n in differences]) == pytest.approx(p)
    assert wilcoxon([n / 8 for n in differences]) == pytest.approx(p)
    assert wilcoxon(differences[::-1]) == pytest.approx(p)
    assert wilcoxon([*differences, 0, 0, 0]) == pytest.approx(p)


def test_differences_that_are_equal_but_for_rounding_tie() -> None:
    rounded = [0.3 - 0.2, 0.2 - 0.1, 0.1, 0.4 - 0.3, 0.6 - 0.5, -(0.7 - 0.6), 0.2 - 0.4]
    assert len(set(rounded)) > 2
    assert wilcoxon(rounded) == wilcoxon([1, 1, 1, 1, 1, -1, -2])
    assert wilcoxon([0.1 + 0.2 - 0.3]) == 1.0


def test_the_normal_distribution_takes_over_from_the_exact_one_without_a_jump() -> None:
    values = np.random.default_rng(6).normal(0.25, 1, 51)
    exact = stats.wilcoxon(values, method="exact").pvalue
    assert wilcoxon(values) == pytest.approx(exact, abs=0.003)
    ranks = stats.rankdata(np.abs(values))
    z = (ranks[values > 0].sum() - 51 * 52 / 4) / math.sqrt(51 * 52 * 103 / 24)
    assert wilcoxon(values) == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_holm() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([None, None]) == [None, None]
    assert holm([0.04, 0.03, 0.02, 0.01]) == pytest.approx([0.06, 0.06, 0.06, 0.04])  # R's p.adjust


@given(st.lists(st.none() | st.floats(0, 1), max_size=12), st.randoms())
def test_holm_corrects_at_least_as_much_as_nothing_and_at_most_as_much_as_bonferroni(
    p_values: list[float | None], chance: object
) -> None:
    found = holm(p_values)
    family = sum(p is not None for p in p_values)
    for p, corrected in zip(p_values, found, strict=True):
        assert (p is None) == (corrected is None)
        if p is not None and corrected is not None:
            assert p <= corrected <= min(1.0, p * family)
    order = list(range(len(p_values)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    assert holm([p_values[n] for n in order]) == [found[n] for n in order]
    known = sorted((p, q) for p, q in zip(p_values, found, strict=True) if p is not None and q is not None)
    assert [q for _, q in known] == sorted(q for _, q in known)


def test_d_z() -> None:
    assert cohens_d_z([1, 2, 3]) == pytest.approx(2.0)
    assert cohens_d_z([1, 1]) is None
    assert cohens_d_z([]) is None
    assert cohens_d_z([0.4]) is None
    assert cohens_d_z([0.1 + 0.2, 0.3, 0.3]) is None  # equal but for rounding


def test_d_z_is_students_t_over_the_root_of_the_number() -> None:
    expected = stats.ttest_1samp(MAIZE, 0).statistic / math.sqrt(15)
    assert cohens_d_z(MAIZE) == pytest.approx(expected)
    assert cohens_d_z([-n / 8 for n in MAIZE]) == pytest.approx(-expected)


# --- comparisons ------------------------------------------------------------------------------------------


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


def test_sign_flips_are_exact_for_few_documents_and_near_it_for_many() -> None:
    """Two cases a document; what a document's signs are flipped with is the sum of its differences."""

    def p(values: list[float]) -> float | None:
        a, b = (
            run("token_f1", [0.0] * 2 * len(values)),
            run("token_f1", [v for v in values for _ in range(2)]),
        )
        (found,) = compare_runs(a, b, {f"c{n}": f"d{n // 2}" for n in range(2 * len(values))})
        assert found.test == "sign-flip permutation of documents"
        return found.p

    assert p([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == pytest.approx(2 / 1024)
    assert p([1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0]) == pytest.approx(2 / 64)  # a sum of 0 changes nothing
    assert p([0.0] * 12) == 1.0
    values = np.random.default_rng(1).normal(0.5, 1, 16)
    exact = stats.permutation_test(
        (values, np.zeros(16)), lambda a, b: np.mean(a - b), permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert p(values.tolist()) == pytest.approx(exact, abs=0.01)
    assert p([1.0] * 40) == pytest.approx(1 / 10_001)  # never 0: the observed signs are a pattern, too


@settings(max_examples=30, deadline=None)
@given(SHARES)
def test_a_difference_of_shares_stays_between_its_bounds(pairs: list[tuple[float, float]]) -> None:
    (found,) = compare_runs(
        run("token_f1", [x for x, _ in pairs]),
        run("token_f1", [y for _, y in pairs]),
        {f"c{n}": f"d{n // 2}" for n in range(len(pairs))},
    )
    differences = [y - x for x, y in pairs]
    assert found.difference is not None and found.low is not None and found.high is not None
    assert found.p is not None and found.p_holm is not None
    assert found.difference == pytest.approx(np.mean(differences), abs=1e-9)
    assert -1.0 - 1e-9 <= found.low <= found.difference + 1e-9
    assert found.difference - 1e-9 <= found.high <= 1.0 + 1e-9
    assert 0.0 < found.p <= found.p_holm <= 1.0
    assert found.wins + found.ties + found.losses == found.pairs == len(pairs)


def test_equal_runs_show_nothing_and_what_other_cases_could_still_show() -> None:
    values: list[float | None] = [0.1 * (n % 7) for n in range(30)]
    (found,) = compare_runs(run("token_f1", values), run("token_f1", values))
    assert found.difference == 0.0 and found.low is not None and found.high is not None
    assert 0.03 < found.high < 0.08 and found.low == pytest.approx(-found.high)
    assert (found.p, found.p_holm, found.effect, found.ties) == (1.0, 1.0, None, 30)
    assert not found.certain
    same = run("token_f1", values)
    assert difference_interval("token_f1", same, same, None, 0.95) == (30, 0.0, 0.0, 0.0), "for a gate"


def test_values_that_are_no_numbers_count_as_missing() -> None:
    a = {"mrr": {"x": [math.nan], "y": [0.5], "z": [math.inf, 0.5], "w": []}}
    b = {"mrr": {"x": [1.0], "y": [None, math.nan], "z": [1.0], "w": [1.0]}}
    (found,) = compare_runs(a, b)
    assert (found.pairs, found.only_a, found.only_b) == (1, ("y",), ("x", "w"))
    assert found.difference == pytest.approx(0.5)


def test_the_order_of_the_cases_does_not_matter() -> None:
    generator = np.random.default_rng(14)
    a, b = (run("mrr", generator.random(40).tolist()) for _ in range(2))
    turned = {"mrr": dict(reversed(b["mrr"].items()))}
    clusters = {f"c{n}": f"d{n // 2}" for n in range(40)}
    assert compare_runs(a, turned, clusters) == compare_runs(a, b, clusters)


def test_a_metric_of_one_run_alone_is_not_compared() -> None:
    a = {**run("mrr", [0.5] * 8), **run("token_f1", [0.5] * 8)}
    assert [c.metric for c in compare_runs(a, run("mrr", [0.6] * 8))] == ["mrr"]
    assert compare_runs(a, {}) == ()


def test_a_case_without_a_document_stands_alone() -> None:
    a, b = run("mrr", [0.0] * 24), run("mrr", [0.1 * (n % 9) for n in range(24)])
    (found,) = compare_runs(a, b, {f"c{n}": "" for n in range(24)})
    assert (found.clusters, found.test) == (24, "Wilcoxon signed rank")
    assert found == compare_runs(a, b)[0]


@pytest.mark.parametrize(
    ("pairs", "warning"), [(5, "insufficient_pairs"), (6, "few_pairs"), (9, "few_pairs"), (10, "")]
)
def test_it_is_said_how_far_so_few_pairs_can_be_trusted(pairs: int, warning: str) -> None:
    (found,) = compare_runs(run("mrr", [0.1] * pairs), run("mrr", [0.2 + 0.01 * n for n in range(pairs)]))
    assert found.warning == warning
    assert (found.p is None) == (found.low is None) == (pairs < 6)
    assert found.interval == ("" if pairs < 6 else f"Wilson with Student's t, {pairs} cases")


def test_repeats_that_disagree_make_a_score_of_a_yes_no() -> None:
    a = {"exact_match": {f"c{n}": [0.0, 0.0] for n in range(12)}}
    agreeing = {"exact_match": {f"c{n}": [1.0, 1.0] for n in range(12)}}
    disagreeing = {"exact_match": {**agreeing["exact_match"], "c0": [0.0, 1.0]}}
    (yes_no,), (score,) = compare_runs(a, agreeing), compare_runs(a, disagreeing)
    assert (yes_no.kind, yes_no.test, yes_no.effect_name) == ("yes/no", "McNemar", "odds of discordance")
    assert (score.kind, score.test, score.effect_name) == ("score", "Wilcoxon signed rank", "Cohen's d_z")
    assert yes_no.effect is None  # 12 better, none worse


def test_runs_compared_together_are_compared_as_each_alone() -> None:
    generator = np.random.default_rng(15)
    base, first, second = (
        {
            **run("mrr", generator.random(60).tolist()),
            **run("hit_rate", generator.integers(0, 2, 60).tolist()),
        }
        for _ in range(3)
    )
    clusters = {f"c{n}": f"d{n // 3}" for n in range(60)}
    together = compare_many(base, [first, second], clusters)
    alone = [compare_runs(base, other, clusters) for other in (first, second)]
    for one, other in zip(itertools.chain(*together), itertools.chain(*alone), strict=True):
        assert (one.metric, one.difference, one.test) == (other.metric, other.difference, other.test)
        assert (one.p, one.low, one.high) == pytest.approx((other.p, other.low, other.high), abs=1e-12)


def test_an_interval_of_choice_is_that_of_the_comparison_at_95_per_cent() -> None:
    generator = np.random.default_rng(16)
    a, b = (run("mrr", generator.random(50).tolist()) for _ in range(2))
    clusters = {f"c{n}": f"d{n // 2}" for n in range(50)}
    (compared,) = compare_runs(a, b, clusters)
    pairs, difference, low, high = difference_interval("mrr", a, b, clusters, 0.95)
    assert (pairs, difference) == (50, pytest.approx(compared.difference))
    assert (low, high) == (pytest.approx(compared.low), pytest.approx(compared.high))
    widths = []
    for confidence in (0.5, 0.8, 0.95, 0.99):
        _, _, low, high = difference_interval("mrr", a, b, clusters, confidence)
        assert low is not None and high is not None and low < difference < high
        widths.append(high - low)
    assert widths == sorted(widths)


def test_an_interval_of_nothing_and_of_one_case() -> None:
    a, b = run("mrr", [0.25]), run("mrr", [0.75])
    assert difference_interval("mrr", a, b, None, 0.9) == (1, 0.5, None, None)
    assert difference_interval("map", a, b, None, 0.9) == (0, None, None, None)
    assert difference_interval("mrr", a, run("mrr", [None]), None, 0.9) == (0, None, None, None)


# --- what is said -----------------------------------------------------------------------------------------


def sentence(metric: str, a: list[float | None], b: list[float | None]) -> str:
    return compare_runs(run(metric, a), run(metric, b))[0].sentence("Short")


def test_a_comparison_is_told_in_the_unit_of_its_metric() -> None:
    steps: list[float | None] = [float(n) for n in range(12)]
    slower: list[float | None] = [2000.0 + n for n in range(12)]
    assert sentence("total_ms", steps, slower) == (
        "Time 2.00 s higher (+2.00 s to +2.00 s) over 12 cases, p < 0.001"
    )
    assert sentence("completion_tokens", slower, steps) == (
        "Answer tokens 2,000 lower (−2,000 to −2,000) over 12 cases, p < 0.001"
    )
    assert sentence("mrr", [0.5] * 12, [0.75] * 12) == (
        "MRR 0.25 higher (+0.25 to +0.25) over 12 cases, p < 0.001"
    )
    assert sentence("mrr", [0.5] * 12, [0.5] * 12) == "MRR unchanged over 12 cases, p = 1"
    assert sentence("mrr", [0.5] * 3, [0.75] * 3) == "MRR 0.25 higher over 3 cases, too few to test"
    assert sentence("mrr", [None] * 3, [0.75] * 3) == "MRR: no case has a value in both runs"


def test_a_yes_no_is_told_with_the_name_of_the_run() -> None:
    assert sentence("exact_match", [1.0] * 7 + [0.0], [0.0] * 8) == "Short answers 7 of 8 fewer, p = 0.016"
    assert sentence("exact_match", [0.0] * 8, [0.0] * 8) == "Short answers 0 of 8 more or fewer, p = 1"
    assert sentence("exact_match", [0.0] * 4, [1.0] * 4) == "Short answers 4 of 4 more, too few to test"


def test_a_metric_of_ones_own_is_told_by_its_name() -> None:
    (found,) = compare_runs(run("tone", [0.25] * 8), run("tone", [0.75] * 8))
    assert found.sentence().startswith("tone 0.5 higher (+0.5 to +0.5) over 8 cases")
    assert (found.wins, found.is_cost) == (8, False)


def one_of(metric: str, a: float, b: float) -> Comparison:
    return compare_runs(run(metric, [a] * 20), run(metric, [b] * 20))[0]


def test_only_time_and_tokens_are_costs() -> None:
    assert [m for m in ("mrr", "total_ms", "prompt_tokens", "judge") if one_of(m, 0.0, 1.0).is_cost] == [
        "total_ms",
        "prompt_tokens",
    ]


def test_a_summary_names_what_is_certain_and_what_cannot_be_said() -> None:
    assert one_of("mrr", 0.0, 0.5).certain
    assert summary([one_of("mrr", 0.5, 0.5)]) == "No difference in quality is certain."
    assert summary([one_of("total_ms", 5.0, 5.0)]) == "No difference is certain."
    assert (
        summary([one_of("judged_at_k", 0.0, 1.0)]) == "No difference is certain."
    )  # neither better nor worse
    few = compare_runs(run("mrr", [0.5] * 4), run("mrr", [0.7] * 4))
    assert summary(few) == "4 cases have a value in both runs; a comparison needs at least 6."
    told = summary([one_of("total_ms", 5.0, 9.0), one_of("mrr", 0.0, 0.5)], "Short")
    assert told.startswith("MRR 0.5 higher") and told.index("MRR") < told.index("Time 4 ms higher")


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


# --- non-inferiority --------------------------------------------------------------------------------------


def worse_by(loss: float, spread: float, cases: int, seed: int = 1) -> tuple[dict, dict]:
    generator = np.random.default_rng(seed)
    first = generator.uniform(0.4, 0.6, cases)
    second = first - loss + generator.normal(0, spread, cases)
    return run("token_f1", list(first)), run("token_f1", list(second))


def test_not_worse_is_shown_by_a_small_difference_of_many_cases_alone() -> None:
    found = not_worse("token_f1", *worse_by(0.0, 0.05, 200), None, 0.02)
    assert found.p is not None and found.p < 0.001 and found.pairs == 200
    few = not_worse("token_f1", *worse_by(0.0, 0.15, 8), None, 0.02)
    assert few.p is not None and few.p > 0.05
    assert not_worse("token_f1", *worse_by(0.0, 0.05, 5), None, 0.02).p is None
    worse = not_worse("token_f1", *worse_by(0.05, 0.05, 200), None, 0.02)
    assert worse.p is not None and worse.p > 0.999
    assert worse.worse == pytest.approx(0.05, abs=0.01)


def test_p_of_not_worse_agrees_with_the_interval_that_is_shown() -> None:
    a, b = worse_by(0.004, 0.05, 60)
    for margin in np.linspace(0.001, 0.05, 25):
        found = not_worse("token_f1", a, b, None, float(margin))
        assert found.p is not None and found.low is not None
        assert (found.p < 0.025) == (-found.low < margin)  # the 95 % interval leaves out 2.5 % on each side


def test_for_a_metric_of_which_less_is_better_worse_is_more() -> None:
    a = run("total_ms", [100.0 + n for n in range(30)])
    b = run("total_ms", [130.0 + n + n % 3 for n in range(30)])
    found, other = not_worse("total_ms", a, b, None, 50.0), not_worse("total_ms", b, a, None, 10.0)
    assert found.worse == pytest.approx(31) and other.worse == pytest.approx(-31)
    assert found.p is not None and other.p is not None and found.p < 0.01 and other.p < 0.01
    beyond = not_worse("total_ms", a, b, None, 20.0)
    assert beyond.p is not None and beyond.p > 0.99


def test_a_run_that_is_worse_by_the_margin_is_rarely_called_not_worse() -> None:
    wrong = 0
    for seed in range(100):
        p = not_worse("token_f1", *worse_by(0.02, 0.05, 40, seed), None, 0.02).p
        wrong += p is not None and p < 0.05
    assert wrong <= 10  # 5 are expected; 11 or more would happen in 1 of 90 such tests


def test_runs_that_are_the_same_in_every_case_are_not_shown_to_be_the_same_everywhere() -> None:
    same = run("exact_match", [1.0] * 10)
    found = not_worse("exact_match", same, same, None, 0.02)
    assert found.difference == 0.0 and found.p is not None and found.p > 0.05
    many = run("exact_match", [1.0] * 2000)
    assert (not_worse("exact_match", many, many, None, 0.02).p or 0) < 0.001
