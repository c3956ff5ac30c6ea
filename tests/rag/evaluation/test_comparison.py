"""Comparisons count as one does by hand."""

import pytest

from rag.errors import NotFoundError, RagError
from rag.evaluation import runs
from rag.evaluation.cases import Case, Judgement
from rag.evaluation.comparison import compare, compare_evaluations, set_power
from rag.evaluation.rows import list_runs
from rag.evaluation.sets import change_set, create_set, delete_set
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


def answers(workspace: Workspace, *texts: str) -> list[int]:
    """Run the pipeline once for each answer that the model gives; return the runs."""
    made = []
    for text in texts:
        model(workspace).answer = text
        made.append(start(workspace)[0].id)
    return made


@pytest.mark.parametrize("ids", [[99], [99, 98]])
def test_a_run_that_does_not_exist_is_told(filled: Workspace, ids: list[int]) -> None:
    with pytest.raises(NotFoundError, match="99"):
        compare(filled.database, ids)


def test_a_set_that_does_not_exist_shows_nothing(filled: Workspace) -> None:
    with pytest.raises(NotFoundError, match="no evaluation set named “nope”"):
        set_power(filled, "nope")
    create_set(filled, "Empty")
    found = set_power(filled, "Empty")
    assert (found.cases, found.clusters, found.difference) == (0, 0, None)


def test_the_first_run_is_what_the_others_are_compared_with(filled: Workspace) -> None:
    first, second, third = answers(filled, "sourdough metres", "Patience", "Patience")
    report = compare(filled.database, [first, second, third])
    for metric in report.metrics:
        assert [mean.run_id for mean in metric.means] == [first, second, third]
        assert {one.run_id for one in metric.differences} <= {second, third}
    assert [verdict.run_id for verdict in report.verdicts] == [second, third]
    assert [sentence.split(":")[0] for sentence in report.sentences] == [
        f"Run {second} against run {first}", f"Run {third} against run {first}",
    ]  # fmt: skip
    assert [run_id for run_id, _ in report.failures] == [first, second, third]
    assert all(tag.run_id != first for tag in report.tags)
    same = compare(filled.database, [second, third])
    assert all(case.change == case.size == 0 for case in same.cases), "the same answers are no change"


def test_turned_round_every_difference_has_the_other_sign(filled: Workspace) -> None:
    first, second = answers(filled, "sourdough metres", "Patience")
    there, back = compare(filled.database, [first, second]), compare(filled.database, [second, first])
    assert [metric.name for metric in there.metrics] == [metric.name for metric in back.metrics]
    for one, other in zip(there.metrics, back.metrics, strict=True):
        assert one.means == other.means[::-1]
        for a, b in zip(one.differences, other.differences, strict=True):
            assert (a.wins, a.ties, a.losses) == (b.losses, b.ties, b.wins)
            assert (a.difference or 0) == pytest.approx(-(b.difference or 0))
    changes = {case.key: case.change for case in there.cases}
    assert changes == {case.key: pytest.approx(-case.change) for case in back.cases}


def test_the_cases_that_changed_most_come_first(filled: Workspace) -> None:
    first, second = answers(filled, "sourdough metres", "3.5 metres")
    cases = compare(filled.database, [first, second]).cases
    sizes = [case.size for case in cases]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 0
    assert {case.key for case in cases} == {"bread", "tide", "moon"}
    assert next(case for case in cases if case.key == "moon").should_refuse


def test_an_edited_case_is_left_out_and_said(filled: Workspace) -> None:
    (first,) = answers(filled, "sourdough metres")
    edited = CASES[0].model_copy(update={"references": ("yeast",)})
    change_set(filled, "S", put=[edited])
    (second,) = answers(filled, "Patience")
    report = compare(filled.database, [first, second])
    assert report.changed == ((second, ("bread",)),)
    assert (
        f"1 case was edited and is left out of the comparison of run {second} with run {first}: bread."
        in (report.warnings)
    )
    top = report.cases[0]
    assert (top.key, top.is_changed, top.change, top.size, top.reasons) == ("bread", True, 0.0, 0.0, ())
    assert not any(case.is_changed for case in report.cases[1:])
    exact = next(metric for metric in report.metrics if metric.name == "exact_match")
    assert [one.pairs for one in exact.differences] == [1], "only the tide is left that has a reference"
    change_set(filled, "S", put=[CASES[1].model_copy(update={"tags": ("sea",), "weight": 2.0})])
    (third,) = answers(filled, "Patience")
    assert compare(filled.database, [second, third]).changed == (), "a tag is no edit"


def test_a_case_that_one_run_lacks_has_one_answer(filled: Workspace) -> None:
    (first,) = answers(filled, "sourdough metres")
    change_set(filled, "S", put=[Case(key="new", question="New?", tags=("late",))], remove=["moon"])
    (second,) = answers(filled, "sourdough metres")
    report = compare(filled.database, [first, second])
    cases = {case.key: case for case in report.cases}
    assert [answer is None for answer in cases["moon"].answers] == [False, True]
    assert [answer is None for answer in cases["new"].answers] == [True, False]
    assert cases["new"].question == "New?" and cases["new"].tags == ("late",)
    assert (cases["moon"].change, cases["moon"].size) == (0.0, 0.0)
    assert cases["moon"].reasons == cases["new"].reasons == ()
    assert "late" not in {tag.tag for tag in report.tags}, "there is nothing to compare it with"


def test_runs_of_a_deleted_set_are_paired_by_their_keys(filled: Workspace) -> None:
    first, second = answers(filled, "sourdough metres", "Patience")
    change_set(filled, "S", put=[CASES[0].model_copy(update={"references": ("yeast",)})])
    (third,) = answers(filled, "Patience")
    before = compare(filled.database, [first, second])
    delete_set(filled, "S")
    report = compare(filled.database, [first, second])
    assert not any("deleted" in text for text in report.warnings), "both are on the same version"
    (warning,) = [text for text in compare(filled.database, [first, third]).warnings if "deleted" in text]
    assert warning.startswith(
        f"The set of run {first} or {third} was deleted. Their cases are paired by their"
    )
    assert {case.key for case in report.cases} == {"bread", "tide", "moon"}
    assert {case.question for case in report.cases} == {case.question for case in CASES}
    assert report.tags == () and not any(case.tags for case in report.cases)
    assert [m.means[0].mean for m in report.metrics] == [m.means[0].mean for m in before.metrics]


def test_times_of_questions_that_were_asked_at_once_are_not_compared(filled: Workspace) -> None:
    (one,) = start(filled, "R", parallel=1)
    (many,) = start(filled, "R", parallel=3)
    says = "Times are only known for runs whose questions were asked one by one."
    assert says in compare(filled.database, [one.id, many.id]).warnings
    assert says not in compare(filled.database, [one.id]).warnings
    assert says not in compare(filled.database, [many.id]).warnings


def test_a_judgement_that_is_not_found_is_told_with_what_to_run(filled: Workspace) -> None:
    lost = CASES[0].model_copy(update={"judgements": (Judgement(document="gone.md"),)})
    change_set(filled, "S", put=[lost])
    (run,) = answers(filled, "sourdough")
    report = compare(filled.database, [run])
    assert report.stale == ((run, "bread", "gone.md"),)
    (warning,) = [text for text in report.warnings if "judgement" in text]
    assert warning.startswith(f"1 judgement of run {run} in 1 case was not found in version 1 of A, ")
    assert "bread: gone.md. Run `ragdeck sets check “S” -c “A”`" in warning
    hit = next(metric for metric in report.metrics if metric.name == "hit_rate")
    assert (hit.means[0].count, hit.means[0].failed) == (1, 1), "a case is left out and counted"


@pytest.mark.parametrize(
    ("cases", "clusters", "few"),
    [(1, 1, False), (3, 1, True), (40, 40, False)],
)
def test_the_power_of_a_set_depends_on_its_size(
    filled: Workspace, cases: int, clusters: int, few: bool
) -> None:
    create_set(filled, "T")
    made = [Case(key=str(n), question=f"Question {n}?", cluster=f"{n % clusters}.md") for n in range(cases)]
    change_set(filled, "T", put=made)
    found = set_power(filled, "T")
    assert (found.cases, found.clusters, found.few_documents) == (cases, clusters, few)
    assert set_power(filled, "T") == found
    assert found.difference is None or 0 < found.difference < 1
    assert (found.difference is not None) == (cases >= 40)
