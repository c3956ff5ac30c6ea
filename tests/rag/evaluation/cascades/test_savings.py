"""Cost beside quality: every answer that was made counts, unknown costs are left out, halves are kept apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_rows import row

from rag.asking.cascades.rows import Signal
from rag.errors import RagError
from rag.evaluation.cascades.rows import CostKind
from rag.evaluation.cascades.savings import _halves, compare_costs, threshold_curve
from rag.evaluation.rows import CaseOutcome, RunStatus
from rag.storage.tables.costs import Cost
from rag.storage.tables.evaluation import EvaluationResult, EvaluationRun
from rag.storage.tables.traces import CascadeStep, Claim, Trace
from rag.workspace import Workspace


@dataclass
class Answer:
    """An answer of a run: its figures, and the costs of the answers that were not given before it."""

    quality: float
    cost: float | None
    earlier: list[float] = field(default_factory=list)
    support: float | None = None
    reused: str = ""
    currency: str = "EUR"


def add_run(workspace: Workspace, answers: list[Answer], status: RunStatus = RunStatus.DONE) -> int:
    """Store a run whose n-th case is "cN"; its traces are called "RUN-N" and, of earlier steps, "RUN-N-S"."""
    with workspace.store.session() as session:
        run = row(EvaluationRun, status=status, kind="answer", case_count=len(answers), repeats=1, name="run")
        session.add(run)
        session.flush()
        for number, answer in enumerate(answers):
            name = f"{run.id}-{number}"  # type: ignore[attr-defined]
            session.add(
                row(
                    EvaluationResult,
                    run_id=run.id,
                    case_key=f"c{number}",
                    outcome=CaseOutcome.OK,
                    trace_id=name,  # type: ignore[attr-defined]
                    metrics=json.dumps({"token_f1": answer.quality}),
                    reused_trace=answer.reused,
                )
            )
            if answer.support is not None:
                session.add(row(Claim, trace_id=name, verdict="check", score=1 - answer.support))
            for place, cost in enumerate([answer.cost, *answer.earlier]):
                trace = f"{name}-{place}" if place else name
                session.add(row(Trace, id=trace, status="done", prompt_tokens=100, completion_tokens=10))
                session.add(CascadeStep(trace_id=trace, answer_id=name, position=place + 1, name="s"))
                session.add(
                    Cost(
                        trace_id=trace,
                        layer="answering",
                        created_ms=0,
                        amount=cost,
                        seconds=cost or 0.0,
                        currency=answer.currency if cost is not None else "",
                        basis="estimate" if cost is not None else "unknown",
                    )
                )
        return int(run.id)  # type: ignore[attr-defined]


def test_the_cost_of_a_cascade_is_that_of_every_answer_it_made(ingested: Workspace) -> None:
    large = add_run(ingested, [Answer(0.8, 10.0 + n % 3) for n in range(60)])
    quick = [Answer(0.8 + (n % 3 - 1) / 100, 2.0 + n % 2) for n in range(45)]
    escalated = [Answer(0.8, 10.0, earlier=[2.0]) for _ in range(15)]
    found = compare_costs(ingested, add_run(ingested, [*quick, *escalated]), large)
    assert found.baseline_cost == pytest.approx(11.0)
    assert found.cost == pytest.approx((sum(2.0 + n % 2 for n in range(45)) + 15 * 12.0) / 60)
    assert found.saved is not None and found.saved_low is not None and found.saved_high is not None
    assert found.saved_low < found.saved < found.saved_high < 1
    assert (found.pairs, found.unknown, found.unit, found.quality_pairs) == (60, 0, "EUR", 60)
    assert found.is_not_worse
    assert "; not worse by more than 2 points (p < 0.001)." in found.sentence()
    tokens = compare_costs(ingested, 2, large, kind=CostKind.TOKENS)
    assert tokens.cost == pytest.approx(110 * 75 / 60) and tokens.baseline_cost == 110
    assert tokens.sentence().startswith("takes 25 %")


def test_the_same_answers_save_nothing_and_the_large_alone_is_not_shown_to_be_worse(
    ingested: Workspace,
) -> None:
    answers = [Answer(n % 5 / 5, 1.0 + n % 4) for n in range(40)]
    first, second = add_run(ingested, answers), add_run(ingested, answers)
    found = compare_costs(ingested, second, first)
    assert (found.saved, found.difference) == (0.0, 0.0)


def test_unknown_costs_are_left_out_and_counted(ingested: Workspace) -> None:
    large = add_run(ingested, [Answer(0.5, 10.0) for _ in range(20)])
    other = add_run(ingested, [Answer(0.5, None if n < 5 else 5.0 + n % 2) for n in range(20)])
    found = compare_costs(ingested, other, large)
    assert (found.pairs, found.unknown) == (15, 5)
    assert found.sentence().endswith("Left out: 5 cases of unknown cost.")
    none = add_run(ingested, [Answer(0.5, None) for _ in range(20)])
    assert compare_costs(ingested, none, large).sentence().startswith("the cost cannot be compared; ")


def test_an_answer_that_was_taken_over_costs_what_the_first_one_did(ingested: Workspace) -> None:
    first = add_run(ingested, [Answer(0.5, 7.0) for _ in range(8)])
    again = add_run(ingested, [Answer(0.5, 0.0, reused=f"{first}-{n}") for n in range(8)])
    found = compare_costs(ingested, again, first)
    assert (found.cost, found.saved) == (7.0, 0.0)


def test_costs_in_several_currencies_are_not_added(ingested: Workspace) -> None:
    mixed = add_run(ingested, [Answer(0.5, 1.0, currency="EUR"), Answer(0.5, 1.0, currency="USD")])
    with pytest.raises(RagError, match="EUR and USD"):
        compare_costs(ingested, mixed, mixed)
    euro, dollar = (add_run(ingested, [Answer(0.5, 1.0, currency=name)] * 6) for name in ("EUR", "USD"))
    with pytest.raises(RagError, match="Compare them by tokens"):
        compare_costs(ingested, euro, dollar)


def test_what_cannot_be_compared_is_refused_with_a_sentence(ingested: Workspace) -> None:
    done = add_run(ingested, [Answer(0.5, 1.0)] * 6)
    with pytest.raises(RagError, match="Resume it"):
        compare_costs(ingested, add_run(ingested, [], RunStatus.CANCELLED), done)
    with pytest.raises(RagError, match="“recall” is not a quality"):
        compare_costs(ingested, done, done, metric="recall")
    with pytest.raises(RagError, match="margin must be above 0"):
        compare_costs(ingested, done, done, margin=0)
    with pytest.raises(RagError, match="6 cases have a value of token_f1"):
        threshold_curve(ingested, done, done)


def runs_of_two_sizes(workspace: Workspace, cases: int = 80) -> tuple[int, int]:
    """The small model is as good as the large one where it is supported (two of three), else bad."""
    small = [
        Answer(0.9 if n % 3 else 0.1, 1.0, support=0.9 - n / 1000 if n % 3 else 0.2 + n / 1000)
        for n in range(cases)
    ]
    large = [Answer(0.9 + (n % 2) / 100, 10.0) for n in range(cases)]
    return add_run(workspace, small), add_run(workspace, large)


def test_a_threshold_is_chosen_on_one_half_and_judged_on_the_other(ingested: Workspace) -> None:
    small, large = runs_of_two_sizes(ingested)
    found = threshold_curve(ingested, small, large, signal=Signal.SUPPORT)
    assert found.first == found.second == 40
    assert found.chosen is not None and 0.3 < found.chosen <= 0.9
    assert found.shown is not None and found.shown.pairs == 40
    assert found.shown.saved == pytest.approx(0.55, abs=0.15)  # 1 + a third of 10, instead of 10
    assert found.shown.is_not_worse
    assert found.sentence().startswith(
        f"From support {found.chosen:.2f} on, chosen on 40 cases. On the other 40 it saves"
    )


def test_the_curve_goes_from_none_of_the_small_answers_to_all(ingested: Workspace) -> None:
    small, large = runs_of_two_sizes(ingested)
    found = threshold_curve(ingested, small, large)
    first, last = found.points[0], found.points[-1]
    assert (first.threshold, first.kept, first.cost) == (None, 0.0, pytest.approx(11.0))
    assert first.quality == pytest.approx(found.large_quality)
    assert (last.kept, last.cost, last.quality) == (
        1.0,
        pytest.approx(1.0),
        pytest.approx(found.small_quality),
    )
    assert [point.kept for point in found.points] == sorted(point.kept for point in found.points)
    assert len(found.points) <= 42


def test_where_the_small_pipeline_is_never_good_no_threshold_is_chosen(ingested: Workspace) -> None:
    small = add_run(ingested, [Answer(0.1, 1.0, support=n / 40) for n in range(40)])
    large = add_run(ingested, [Answer(0.9, 10.0) for _ in range(40)])
    found = threshold_curve(ingested, small, large)
    assert (found.chosen, found.shown) == (None, None)
    assert "alone is the better choice" in found.sentence()


@given(st.lists(st.integers(0, 30), min_size=12, max_size=60))
def test_halves_share_no_case_and_documents_are_not_torn_where_there_are_enough(documents: list[int]) -> None:
    keys = [f"c{n}" for n in range(len(documents))]
    clusters = {key: f"d{document}" for key, document in zip(keys, documents, strict=True)}
    first, second = _halves(keys, clusters)
    assert sorted([*first, *second]) == sorted(keys)
    assert min(len(first), len(second)) >= 6
    if len(set(documents)) == len(documents):
        assert abs(len(first) - len(second)) <= 1
    assert _halves(keys, clusters) == (first, second)
