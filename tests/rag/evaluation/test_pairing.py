"""Cases of two runs are paired by what they ask and expect, not by their key."""

from rag.evaluation.cases import Case, Check, Judgement
from rag.evaluation.comparison import compare
from rag.evaluation.gates.runs import gate_run
from rag.evaluation.pairing import GatheredRun, pair
from rag.evaluation.rows import CaseOutcome
from rag.evaluation.sets import change_set, delete_set
from rag.workspace import Workspace
from tests.rag.evaluation.filled import CASES, start


def run_of(name: str, **cases: Case) -> GatheredRun:
    """A run whose cases have these keys."""
    return GatheredRun(
        name,
        {"mrr": {key: [1.0] for key in cases}},
        dict.fromkeys(cases, CaseOutcome.OK),
        cases={key: case.model_copy(update={"key": key}) for key, case in cases.items()},
    )


ONE, TWO, THREE = (Case(question=text, references=("a",)) for text in ("One?", "Two?", "Three?"))


def test_what_is_asked_and_expected_makes_a_case() -> None:
    other = ONE.model_copy(update={"tags": ("x",), "weight": 2.0, "key": "k", "origin": "generated"})
    assert other.asked == ONE.asked
    for change in (
        {"question": "Other?"},
        {"references": ("b",)},
        {"judgements": (Judgement(document="d"),)},
        {"should_refuse": True},
        {"checks": (Check(type="contains", value="x"),)},
    ):
        assert ONE.model_copy(update=change).asked != ONE.asked, change


def test_an_edited_case_is_left_out_and_a_renamed_one_is_paired() -> None:
    found = pair(run_of("a", x=ONE, y=TWO, gone=THREE), run_of("b", x=TWO, z=ONE, new=Case(question="New?")))
    # x of the second run is y of the first; z is x.
    assert dict(found.names) == {"x": "y", "z": "x", "new": "new"}
    assert set(found.run.values["mrr"]) == {"y", "x"}
    assert (found.changed, found.added, found.removed) == ((), ("new",), ("gone",))
    edited = pair(run_of("a", x=ONE, y=TWO), run_of("b", x=THREE, y=TWO))
    assert edited.changed == ("x",) and set(edited.run.values["mrr"]) == {"y"}


def test_equal_cases_under_several_keys_keep_their_keys() -> None:
    found = pair(run_of("a", x=ONE, y=ONE), run_of("b", y=ONE, x=ONE))
    assert dict(found.names) == {"x": "x", "y": "y"}
    added = pair(run_of("a", x=ONE), run_of("b", x=TWO, y=ONE))
    assert dict(added.names) == {"y": "x", "x": "x (another case)"}, "two cases never share a name"


def test_runs_of_a_deleted_set_are_paired_by_key_and_that_is_said(filled: Workspace) -> None:
    first, second = run_of("a", x=ONE), GatheredRun("b", {"mrr": {"x": [1.0]}}, {"x": CaseOutcome.OK})
    assert pair(first, second).is_by_key and not pair(second, second).is_by_key
    (run,) = start(filled, "R")
    delete_set(filled, "S")
    assert compare(filled.database, [run.id]).metrics


def test_a_comparison_leaves_edited_cases_out_and_names_them(filled: Workspace) -> None:
    (first,) = start(filled, "R")
    edited = CASES[0].model_copy(update={"judgements": (Judgement(document="stars.txt"),)})
    change_set(filled, "S", put=[edited])
    (second,) = start(filled, "R")
    report = compare(filled.database, [first.id, second.id])
    assert report.changed == ((second.id, ("bread",)),)
    assert report.cases[0].key == "bread" and report.cases[0].is_changed and report.cases[0].size == 0
    assert any("1 case was edited and is left out" in warning for warning in report.warnings)
    recall = next(metric for metric in report.metrics if metric.name == "recall_at_k")
    assert recall.differences[0].pairs == 1, "of two judged cases one is the same"
    assert recall.means[1].count == 2, "the run's own mean has all its cases"
    found = gate_run(filled, second.id, "floors: {hit_rate: 0}\n", first.id)
    assert not found.passed and found.is_changed_only
    assert gate_run(filled, second.id, "floors: {hit_rate: 0}\n", first.id, allow_changed=True).passed


def test_missing_values_are_those_that_a_case_should_have() -> None:
    judged = Case(question="q", judgements=(Judgement(document="d"),))
    run = GatheredRun(
        "run",
        {"recall_at_k": {"ok": [1.0]}, "token_f1": {}},
        {
            "ok": CaseOutcome.OK,
            "late": CaseOutcome.TIMEOUT,
            "bare": CaseOutcome.ERROR,
            "stale": CaseOutcome.OK,
        },
        cases={"ok": judged, "late": judged, "bare": Case(question="q"), "stale": judged},
        stale={"stale": ("d",)},
    )
    assert run.missing("recall_at_k") == ["late", "stale"]
    assert run.missing("token_f1") == [], "no case has a reference"
    assert run.missing("faithfulness") == ["late", "bare"], "any answer could have it"
