"""Properties of verdicts: the other way round is the other verdict, and only what is certain decides."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.rows import Detectable, MetricComparison, MetricDifference
from rag.evaluation.verdicts.rows import RunChange
from rag.evaluation.verdicts.run_verdict import verdict_on
from tests.rag.evaluation.filled import run_row

ONE, TWO = run_row(1, "P"), run_row(2, "Q")
POWER = Detectable(40, 40, False, 0.2, ((0.05, 501),))
OPPOSITE = {RunChange.BETTER: RunChange.WORSE, RunChange.WORSE: RunChange.BETTER}


@st.composite
def metrics(draw: st.DrawFn) -> list[MetricComparison]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        difference = draw(st.sampled_from([-0.3, -0.1, 0.0, 0.1, 0.3]))
        p = draw(st.sampled_from([None, 0.001, 0.04, 0.2, 1.0]))
        wins = int(difference > 0)
        one = MetricDifference(
            2, 40, 40, 0.5, 0.5 + difference, difference, difference - 0.1, difference + 0.1, "", "", p, p,
            None, "", wins, 40 - int(difference != 0), int(difference < 0), "", "",
        )  # fmt: skip
        direction = draw(st.sampled_from(["higher", "lower", "none"]))
        unit = draw(st.sampled_from(["share", "cosine", "ms", "tokens"]))
        name = f"Metric {number}"
        found.append(MetricComparison(name, name, "", "", direction, unit, "score", (), (one,)))
    return found


def turned(metric: MetricComparison) -> MetricComparison:
    """Return the metric with the two runs swapped."""
    (one,) = metric.differences
    assert one.difference is not None and one.low is not None and one.high is not None
    other = replace(
        one, difference=-one.difference, low=-one.high, high=-one.low, wins=one.losses, losses=one.wins
    )
    return replace(metric, differences=(other,))


@settings(max_examples=200)
@given(metrics())
def test_the_other_way_round_is_the_opposite_verdict(found: list[MetricComparison]) -> None:
    there = verdict_on(TWO, ONE, found, POWER).change
    back = verdict_on(TWO, ONE, [turned(metric) for metric in found], POWER).change
    assert back is OPPOSITE.get(there, there)


@settings(max_examples=200)
@given(metrics())
def test_a_verdict_rests_on_certain_quality_alone(found: list[MetricComparison]) -> None:
    verdict = verdict_on(TWO, ONE, found, POWER)
    decides = [
        metric
        for metric in found
        if metric.direction != "none"
        and metric.unit in ("share", "cosine")
        and metric.differences[0].certain
        and metric.differences[0].difference
    ]
    decided = verdict.change in (RunChange.BETTER, RunChange.WORSE, RunChange.MIXED)
    assert decided == bool(decides)
    assert verdict.sentence.endswith(".") and "\n" not in verdict.sentence
    if decided and len(decides) <= 3:
        assert all(metric.label in verdict.sentence for metric in decides)
