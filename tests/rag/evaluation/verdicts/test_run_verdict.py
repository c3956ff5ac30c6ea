"""The one sentence about a run: better, worse, both, the same, or why nobody can tell."""

from __future__ import annotations

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
