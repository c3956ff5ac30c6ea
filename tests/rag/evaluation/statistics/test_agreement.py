"""Agreement of two raters and the rate behind a judge's, against published values and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.statistics.agreement import cohens_kappa, rogan_gladen
from rag.monitoring.control_limits import wilson_interval

RATINGS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40)


def raters(both: int, first_alone: int, second_alone: int, neither: int) -> tuple[list[str], list[str]]:
    """Two raters' yes and no, from the four cells of their table."""
    first = ["y"] * (both + first_alone) + ["n"] * (second_alone + neither)
    second = ["y"] * both + ["n"] * first_alone + ["y"] * second_alone + ["n"] * neither
    return first, second


def test_kappa_of_a_known_example() -> None:
    # Cohen's kappa, a known example: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert cohens_kappa(["y"], ["y"]) is None


@pytest.mark.parametrize(("cells", "expected"), [((45, 15, 25, 15), 0.1304), ((25, 35, 5, 35), 0.2593)])
def test_equal_agreement_is_worth_less_where_chance_agrees_more(
    cells: tuple[int, int, int, int], expected: float
) -> None:
    """Both tables agree in 60 of 100 cases: the pair of examples that textbooks give."""
    assert cohens_kappa(*raters(*cells)) == pytest.approx(expected, abs=1e-4)


def test_kappa_runs_from_minus_one_to_one() -> None:
    assert cohens_kappa("ynyn", "ynyn") == 1.0
    assert cohens_kappa("ynyn", "nyny") == -1.0
    assert cohens_kappa(*raters(25, 25, 25, 25)) == pytest.approx(0.0)


def test_kappa_needs_cases_and_as_many_of_both() -> None:
    assert cohens_kappa([], []) is None
    with pytest.raises(ValueError, match="the same cases"):
        cohens_kappa(["y", "n"], ["y"])


@settings(deadline=None)
@given(RATINGS)
def test_kappa_does_not_depend_on_who_is_first_nor_on_the_labels_names(
    ratings: list[tuple[str, str]],
) -> None:
    first, second = [a for a, _ in ratings], [b for _, b in ratings]
    found = cohens_kappa(first, second)
    assert cohens_kappa(second, first) == (None if found is None else pytest.approx(found))
    renamed = cohens_kappa([a + "!" for a in first], [b + "!" for b in second])
    assert renamed == (None if found is None else pytest.approx(found))
    if found is not None:
        assert -1.0 - 1e-9 <= found <= 1.0 + 1e-9


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


def test_a_judge_without_errors_is_believed() -> None:
    """Known perfectly well: what is left is the uncertainty of the judged cases, near Wilson's interval."""
    found = rogan_gladen(30, 100, 10**6, 10**6, 10**6, 10**6)
    assert found is not None
    assert found.rate == pytest.approx(0.3)
    low, high = wilson_interval(30, 100)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_the_fewer_labels_measured_the_judge_the_wider_the_interval() -> None:
    widths = []
    for labels in (20, 200, 2000):
        found = rogan_gladen(80, 200, labels * 9 // 10, labels, labels * 8 // 10, labels)
        assert found is not None
        assert found.rate == pytest.approx((0.4 - 0.2) / 0.7)
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2]


def test_a_rate_below_the_judges_false_alarms_is_none_at_all() -> None:
    """18 % positives from a judge that is wrong about 20 % of the negatives: less than none."""
    found = rogan_gladen(18, 100, 45, 50, 40, 50)
    assert found is not None
    assert (found.rate, found.low) == (0.0, 0.0)
    assert 0.0 < found.high < 0.3
    all_of_them = rogan_gladen(100, 100, 45, 50, 40, 50)
    assert all_of_them is not None
    assert (all_of_them.rate, all_of_them.high) == (1.0, 1.0)


@pytest.mark.parametrize(
    "numbers",
    [(0, 0, 5, 5, 5, 5), (5, 9, 0, 0, 5, 5), (5, 9, 5, 5, 0, 0), (5, 10, 5, 10, 5, 10), (1, 2, 1, 1, 0, 9)],
)
def test_nothing_is_corrected_without_cases_labels_or_a_judge_that_beats_chance(
    numbers: tuple[int, int, int, int, int, int],
) -> None:
    assert rogan_gladen(*numbers) is None


@pytest.mark.parametrize("numbers", [(3, 2, 1, 1, 1, 1), (1, 2, 2, 1, 1, 1), (1, 2, 1, 1, 2, 1)])
def test_a_part_larger_than_its_whole_is_refused(numbers: tuple[int, int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="larger than its whole"):
        rogan_gladen(*numbers)


@settings(deadline=None)
@given(*[st.tuples(st.integers(0, 60), st.integers(0, 60)) for _ in range(3)])
def test_a_corrected_rate_stays_a_rate(
    judged: tuple[int, int], positive: tuple[int, int], negative: tuple[int, int]
) -> None:
    found = rogan_gladen(*sorted(judged), *sorted(positive), *sorted(negative))
    if found is not None:
        assert 0.0 <= found.low <= found.high <= 1.0
        assert 0.0 <= found.rate <= 1.0
        assert not math.isnan(found.rate)
