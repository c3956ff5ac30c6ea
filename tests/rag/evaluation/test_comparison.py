"""Comparisons count as one does by hand."""

import pytest

from rag.evaluation.cases import Case
from rag.evaluation.comparison import compare
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
