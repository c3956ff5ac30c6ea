"""The one sentence about a run: better, worse, both, the same, or why nobody can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.evaluation.rows import Detectable, MetricComparison, MetricDifference
from rag.evaluation.verdicts.rows import RunChange, RunVerdict
from rag.evaluation.verdicts.run_verdict import verdict_on
from tests.rag.evaluation.filled import run_row


def metric(
    name: str,
    difference: float | None,
    p_holm: float | None,
    *,
    direction: str = "higher",
    unit: str = "share",
    pairs: int = 40,
) -> MetricComparison:
    """A metric of run 2 against run 1, as a comparison would give it."""
    some = bool(difference)
    one = MetricDifference(
        2, pairs, pairs, 0.5, 0.5 + (difference or 0), difference, (difference or 0) - 0.05,
        (difference or 0) + 0.05, "", "", p_holm, p_holm, None, "", int(some), pairs - some, 0, "", "",
    )  # fmt: skip
    return MetricComparison(name, name, "", "", direction, unit, "score", (), (one,))


def said(*metrics: MetricComparison, smallest: float | None = 0.21, cases: int = 40) -> RunVerdict:
    needed = ((0.05, 501), (0.1, 130))
    one, two = run_row(1, "P"), run_row(2, "Q")
    return verdict_on(two, one, metrics, Detectable(cases, cases, False, smallest, needed))


def test_a_certain_gain_is_better_and_names_its_metrics() -> None:
    found = said(metric("Token F1", 0.2, 0.001), metric("MRR", 0.01, 0.7))
    assert found == RunVerdict(
        2, RunChange.BETTER,
        "Better: run 2 (Q 1) against run 1 (P 1) is better on Token F1 (+0.20), over 40 cases.",
    )  # fmt: skip


def test_less_of_what_should_be_low_is_better() -> None:
    assert said(metric("False refusals", -0.2, 0.01, direction="lower")).change is RunChange.BETTER
    assert said(metric("False refusals", 0.2, 0.01, direction="lower")).change is RunChange.WORSE


def test_gains_and_losses_are_both_told_the_surest_first_and_many_are_counted() -> None:
    losses = [metric(f"Loss {n}", -0.1 * n, 0.001 * n) for n in range(1, 6)]
    found = said(metric("Gain", 0.3, 0.02), *reversed(losses))
    assert found.change is RunChange.MIXED
    assert (
        "better on Gain (+0.30) and worse on Loss 1 (−0.10), Loss 2 (−0.20), Loss 3 (−0.30) and 2 more"
        in (found.sentence)
    )


def test_time_alone_makes_no_run_better_but_is_told() -> None:
    found = said(metric("MRR", 0.0, 1.0), metric("Time", -1500.0, 0.001, direction="lower", unit="ms"))
    assert found.change is RunChange.SAME
    assert found.sentence.endswith(
        "measures the same in all of 40 cases. Its costs differ too: time −1.50 s a case."
    )


def test_too_few_cases_cannot_tell_and_say_how_many_are_needed() -> None:
    found = said(metric("Token F1", 0.5, None, pairs=4), smallest=None, cases=4)
    assert found.change is RunChange.UNCERTAIN
    assert "shares 4 measured cases, and a comparison needs at least 6" in found.sentence


def test_an_uncertain_difference_names_the_nearest_its_interval_and_what_would_be_seen() -> None:
    found = said(metric("Token F1", 0.03, 0.4), metric("MRR", 0.01, 0.9))
    assert found.change is RunChange.UNCERTAIN
    for part in (
        "The nearest is Token F1, +0.03 over 40 cases, 95 % interval −0.02 to +0.08",
        "p = 0.4 after the correction for 2 metrics",
        "40 cases can show differences of 21 points or more; 501 would show 5.",
    ):
        assert part in found.sentence


def test_a_metric_without_a_better_side_decides_nothing() -> None:
    assert said(metric("Judged@k", 0.9, 0.0001, direction="none")).change is RunChange.UNCERTAIN


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.2, "share", "+0.20"),
        (-0.2, "share", "−0.20"),
        (0.0049, "share", "+0.0049"),
        (-0.005, "cosine", "−0.01"),
        (1500.0, "ms", "+1.50 s"),
        (-2_345_678.0, "ms", "−2,345.68 s"),
        (1234.5, "tokens", "+1,234"),
        (-7.0, "tokens", "−7"),
    ],
)
def test_amounts_have_a_sign_and_their_unit(value: float, unit: str, text: str) -> None:
    if unit in ("ms", "tokens"):
        found = said(metric("MRR", 0.0, 1.0), metric("Cost", value, 0.001, direction="lower", unit=unit))
        assert found.sentence.endswith(f" Its costs differ too: cost {text} a case.")
    else:
        assert f"Quality ({text})" in said(metric("Quality", value, 0.001, unit=unit)).sentence


@pytest.mark.parametrize(
    ("smallest", "cases", "says"),
    [
        (None, 1, "1 case cannot show any difference reliably: add cases."),
        (None, 1200, "1,200 cases cannot show any difference reliably: add cases."),
        (0.21, 40, "40 cases can show differences of 21 points or more; 501 would show 5."),
        (0.05, 501, "501 cases can show differences of 5 points or more."),
        (0.07, 300, "300 cases can show differences of 7 points or more; 501 would show 5."),
    ],
)
def test_what_so_many_cases_can_show_is_told_where_nothing_is_certain(
    smallest: float | None, cases: int, says: str
) -> None:
    uncertain = metric("Token F1", 0.03, 0.4)
    found = said(uncertain, smallest=smallest, cases=cases)
    assert found.change is RunChange.UNCERTAIN and found.sentence.endswith(says)
    certain = said(metric("Token F1", 0.3, 0.001), smallest=smallest, cases=cases)
    assert says not in certain.sentence


def test_a_verdict_is_about_its_run_alone() -> None:
    other = replace(metric("Token F1", 0.3, 0.001).differences[0], run_id=3)
    both = replace(
        metric("Token F1", -0.3, 0.001), differences=(other, metric("", -0.3, 0.001).differences[0])
    )
    assert said(both).change is RunChange.WORSE
    alone = said(replace(both, differences=(other,)))
    assert (alone.run_id, alone.change) == (2, RunChange.UNCERTAIN)
    assert "shares 0 measured cases" in alone.sentence


def test_one_measured_case_is_one_case() -> None:
    assert "shares 1 measured case, and" in said(metric("MRR", 0.5, None, pairs=1)).sentence
    assert "shares 0 measured cases, and" in said().sentence


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (1, "M1 (−0.10)"),
        (2, "M1 (−0.10) and M2 (−0.10)"),
        (3, "M1 (−0.10), M2 (−0.10) and M3 (−0.10)"),
        (4, "M1 (−0.10), M2 (−0.10), M3 (−0.10) and 1 more metric"),
        (9, "M1 (−0.10), M2 (−0.10), M3 (−0.10) and 6 more metrics"),
    ],
)
def test_metrics_are_listed_and_counted(count: int, names: str) -> None:
    found = said(*(metric(f"M{n}", -0.1, 0.001 * n) for n in range(1, count + 1)))
    assert found.sentence.endswith(f" is worse on {names}, over 40 cases.")


def test_of_equally_sure_metrics_the_larger_difference_comes_first() -> None:
    found = said(metric("Small", 0.1, 0.01), metric("Large", 0.4, 0.01), metric("Surest", 0.05, 0.001))
    assert "better on Surest (+0.05), Large (+0.40) and Small (+0.10)" in found.sentence


def test_cases_that_cancel_each_other_out_are_not_the_same() -> None:
    even = metric("MRR", 0.0, 1.0)
    moved = replace(even, differences=(replace(even.differences[0], wins=3, losses=3),))
    assert said(even).change is RunChange.SAME
    found = said(moved)
    assert found.change is RunChange.UNCERTAIN
    assert "The nearest is" not in found.sentence, "there is no difference to name"


def test_an_interval_that_is_not_known_is_not_told() -> None:
    near = metric("MRR", 0.03, 0.4)
    found = said(replace(near, differences=(replace(near.differences[0], low=None),)))
    assert (
        "The nearest is MRR, +0.03 over 40 cases, p = 0.4 after the correction for 1 metric."
        in found.sentence
    )
    assert "interval" not in found.sentence


def test_costs_that_are_uncertain_or_zero_are_not_told() -> None:
    quality = metric("MRR", 0.3, 0.001)
    for p, value in ((0.5, 900.0), (None, 900.0), (0.001, 0.0)):
        cost = metric("Time", value, p, direction="lower", unit="ms")
        assert said(quality, cost) == said(quality)
