"""Comparisons count as one does by hand."""

import pytest

from rag.errors import RagError
from rag.evaluation import runs
from rag.evaluation.cases import Case
from rag.evaluation.comparison import compare, compare_evaluations, set_power
from rag.evaluation.rows import list_runs
from rag.evaluation.sets import change_set
from rag.workspace import Workspace
from tests.rag.evaluation.filled import CASES, model, save, start


def test_a_comparison_counts_as_by_hand(filled: Workspace) -> None:
    keys = [f"c{n:02}" for n in range(8)]
    change_set(
        filled,
        "S",
        put=[
            Case(
                key=k,
                question=f"What does rye bread need, case {k}?",
                references=("sourdough",),
                tags=("half",) if k < "c04" else (),
            )
            for k in keys
        ],
        remove=[case.key for case in CASES],
    )
    model(filled).answer = "Sourdough"
    (a,) = start(filled)
    model(filled).answer = "Patience"
    save(filled, "P", generation={"max_answer_tokens": 99})
    (b,) = start(filled)
    report = compare(filled.database, [a.id, b.id])
    exact = next(m for m in report.metrics if m.name == "exact_match")
    assert [mean.mean for mean in exact.means] == [1.0, 0.0]
    (difference,) = exact.differences
    assert (difference.pairs, difference.wins, difference.ties, difference.losses) == (8, 0, 0, 8)
    assert difference.difference == -1.0 and difference.test == "McNemar"
    assert difference.p == pytest.approx(2 * 0.5**8)
    assert difference.p_holm is not None and difference.p_holm >= difference.p
    assert report.sentences[0].count("P 2 answers 8 of 8 fewer") == 1
    tag = next(t for t in report.tags if t.metric == "exact_match")
    assert (tag.tag, tag.pairs, tag.mean_first, tag.mean, tag.losses) == ("half", 4, 1.0, 0.0, 4)
    case = report.cases[0]
    assert case.change < 0 < case.size
    assert [answer.answer for answer in case.answers if answer] == ["Sourdough", "Patience"]
    assert report.detectable.cases == 8 and report.detectable.needed[0][0] == 0.05
    assert dict(report.failures)[a.id] == {"ok": 8}
    alone = compare(filled.database, [a.id])
    assert alone.sentences == () and alone.metrics[0].differences == ()


def test_runs_that_cannot_be_compared_fairly_come_with_warnings(filled: Workspace) -> None:
    (first,) = start(filled)
    change_set(filled, "S", remove=["moon"])
    (second,) = start(filled, parallel=1)
    events = runs.start_runs(filled, "S", ["P"], parallel=1)
    next(events)
    events.close()
    third = list_runs(filled.database)[0]
    warnings = compare(filled.database, [first.id, second.id, third.id]).warnings
    expected = f"Run {second.id} is on version 2 of “S”, run {first.id} on version 1 of “S”."
    assert any(warning.startswith(expected) for warning in warnings)
    assert f"Run {third.id} is cancelled with 0 of 2 answers." in warnings


def test_a_comparison_has_one_to_eight_runs(filled: Workspace) -> None:
    (run,) = start(filled, "R")
    for ids in ([], list(range(1, 10))):
        with pytest.raises(RagError, match="Choose 1 to 8 runs"):
            compare(filled.database, ids)
    assert len(compare(filled.database, [run.id, run.id]).runs) == 1, "a run is compared once"
    assert compare_evaluations(filled, [run.id]).metrics == compare(filled.database, [run.id]).metrics


def test_the_power_of_a_set_is_known_before_a_run(filled: Workspace) -> None:
    found = set_power(filled, "S")
    assert (found.cases, found.difference) == (3, None), "three cases show nothing"
    assert [difference for difference, _ in found.needed] == [0.05, 0.1, 0.15, 0.2]
    assert all(a[1] >= b[1] for a, b in zip(found.needed, found.needed[1:], strict=False) if a[1] and b[1])
