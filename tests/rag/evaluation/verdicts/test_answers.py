"""What is known of an answer, and why two answers to a case scored differently."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rag.evaluation.cases import Case, Judgement
from rag.evaluation.comparison import compare
from rag.evaluation.rows import CaseOutcome, ResultRow
from rag.evaluation.verdicts.answers import explain_change, mark_of
from rag.evaluation.verdicts.rows import AnswerMark, ShownPassage
from rag.workspace import Workspace
from tests.rag.evaluation.filled import model, start

CASE = Case(key="bread", question="What does rye bread need?", references=("sourdough",))
REFUSE = CASE.model_copy(update={"should_refuse": True})


def result(trace: str = "a", **values: Any) -> ResultRow:
    known: dict[str, Any] = {
        "outcome": CaseOutcome.OK, "metrics": {}, "checks": (), "answer": "Sourdough.", "verdict": None, "error": "",
    }  # fmt: skip
    known |= values
    return ResultRow(
        1, 1, "bread", 0, known["outcome"], trace, known["metrics"], known["checks"], "", None, 0, 0, "",
        known["error"], "", known["answer"], known["verdict"],
    )  # fmt: skip


def passage(trace: str, name: str, marker: int = 1, start: int = 0, text: str = "") -> ShownPassage:
    text = text or f"Text of {name}."
    return ShownPassage(trace, marker, name, f"/d/{name}", "Page 2", start, start + len(text), text)


@pytest.mark.parametrize(
    ("values", "case", "mark", "why"),
    [
        ({}, CASE, AnswerMark.RAN, "nothing says yet"),
        ({"outcome": CaseOutcome.ERROR, "error": "No memory."}, CASE, AnswerMark.ERROR, "No memory."),
        ({"outcome": CaseOutcome.TIMEOUT}, CASE, AnswerMark.TIMEOUT, ""),
        ({"verdict": False, "metrics": {"exact_match": 1.0}}, CASE, AnswerMark.WRONG, "a person called it wrong"),
        ({"verdict": True, "outcome": CaseOutcome.REFUSED}, CASE, AnswerMark.RIGHT, "a person called it right"),
        ({"outcome": CaseOutcome.REFUSED}, CASE, AnswerMark.DECLINED, "although the documents answer this"),
        ({"metrics": {"correct_refusal": 1.0}}, REFUSE, AnswerMark.RIGHT, "as it should"),
        ({"metrics": {"correct_refusal": 0.0}}, REFUSE, AnswerMark.WRONG, "it should have declined"),
        (
            {"outcome": CaseOutcome.ASSERTION_FAILED, "checks": (("contains", False, "no “rye” in it"),)},
            CASE, AnswerMark.CHECK_FAILED, "no “rye” in it",
        ),
        ({"metrics": {"judge": 0.0, "exact_match": 1.0}}, CASE, AnswerMark.WRONG, "the judge called it wrong"),
        ({"metrics": {"exact_match": 1.0}}, CASE, AnswerMark.RIGHT, "equals a reference answer"),
        ({"checks": (("contains", True, ""),)}, CASE, AnswerMark.CHECKS_PASSED, "passes 1 check"),
    ],
)  # fmt: skip
def test_an_answer_is_marked_by_what_judged_it(
    values: dict[str, Any], case: Case, mark: AnswerMark, why: str
) -> None:
    found, reason = mark_of(result(**values), case)
    assert found is mark
    assert why in reason


def test_a_relevant_passage_that_was_lost_is_named_before_others() -> None:
    case = CASE.model_copy(update={"judgements": (Judgement(document="bread.md"),)})
    before = [passage("a", "bread.md"), passage("a", "stars.txt", 2)]
    after = [passage("b", "tides.txt")]
    reasons = explain_change(
        case, result("a"), result("b", answer="Water."), {"a": before, "b": after}, {"a": 0, "b": 2}
    )
    assert reasons == (
        "lost 1 relevant passage (bread.md, Page 2), and 1 other",
        "gained 1 passage (tides.txt, Page 2)",
        "2 flagged sentences instead of 0",
        "the answer differs",
    )


def test_a_judged_span_counts_where_the_passage_overlaps_it() -> None:
    judged = Judgement(document="/d/bread.md", start=100, end=120, quote="not in it word for word")
    case = CASE.model_copy(update={"judgements": (judged,)})
    near, far = passage("b", "bread.md", start=110), passage("b", "bread.md", 2, start=500, text="Elsewhere.")
    gained = explain_change(case, result("a"), result("b"), {"b": [near, far]}, {})[0]
    assert gained == "gained 1 relevant passage (bread.md, Page 2), and 1 other"


def test_the_same_passages_in_another_order_are_told() -> None:
    one, two = passage("a", "bread.md"), passage("a", "stars.txt", 2)
    turned = [replace(two, trace_id="b", marker=1), replace(one, trace_id="b", marker=2)]
    reasons = explain_change(None, result("a"), result("b"), {"a": [one, two], "b": turned}, {})
    assert reasons == ("the same passages in another order", "the answer is the same")


def test_a_changed_mark_comes_first_with_its_reason() -> None:
    wrong = result("b", metrics={"judge": 0.0}, answer="Water.")
    reasons = explain_change(CASE, result("a", metrics={"judge": 1.0}), wrong, {}, {})
    assert reasons[0] == "right before, wrong now (the judge called it wrong)"


def test_nothing_is_said_of_the_answer_where_there_is_none() -> None:
    failed = result("b", outcome=CaseOutcome.ERROR, error="No memory.", answer="")
    assert explain_change(CASE, result("a"), failed, {}, {}) == ("ran before, error now (No memory.)",)


def test_a_comparison_of_stored_runs_is_explained(filled: Workspace) -> None:
    model(filled).answer = "sourdough"
    (first,) = start(filled)
    model(filled).answer = "Patience and metres [1]."
    (second,) = start(filled)
    (search,) = start(filled, "R")
    found = compare(filled.database, [first.id, second.id])
    bread = next(case for case in found.cases if case.key == "bread")
    assert bread.references == ("sourdough",) and not bread.should_refuse
    assert [answer.mark for answer in bread.answers if answer] == [AnswerMark.RIGHT, AnswerMark.CHECK_FAILED]
    assert bread.reasons[0].startswith("right before, check failed now")
    assert bread.reasons[-1] == "the answer differs"
    assert not any("lost" in reason for reason in bread.reasons), "both saw the same passages"
    assert len(found.verdicts) == 1 and found.verdicts[0].sentence.startswith("Cannot tell: ")
    turned = compare(filled.database, [second.id, first.id])
    assert turned.verdicts[0].run_id == first.id, "the first of the list is the baseline"
    assert compare(filled.database, [search.id]).verdicts == ()


@pytest.mark.parametrize(
    ("values", "case", "mark"),
    [
        ({"verdict": True, "outcome": CaseOutcome.ERROR}, CASE, AnswerMark.ERROR),
        ({"verdict": True, "outcome": CaseOutcome.TIMEOUT}, CASE, AnswerMark.TIMEOUT),
        ({"verdict": False, "metrics": {"correct_refusal": 1.0}}, REFUSE, AnswerMark.WRONG),
        ({"outcome": CaseOutcome.REFUSED, "metrics": {"correct_refusal": 1.0}}, REFUSE, AnswerMark.RIGHT),
        ({"outcome": CaseOutcome.REFUSED, "metrics": {"judge": 1.0}}, CASE, AnswerMark.DECLINED),
        ({"outcome": CaseOutcome.REFUSED}, REFUSE, AnswerMark.DECLINED),
        (
            {"checks": (("a", True, ""), ("b", False, "no b")), "metrics": {"judge": 1.0}},
            CASE,
            AnswerMark.CHECK_FAILED,
        ),
        ({"checks": (("a", True, ""),), "metrics": {"judge": 0.0}}, CASE, AnswerMark.WRONG),
        ({"checks": (("a", True, ""),), "metrics": {"exact_match": 1.0}}, CASE, AnswerMark.RIGHT),
        ({"checks": (("a", True, ""),), "metrics": {"exact_match": 0.0}}, CASE, AnswerMark.CHECKS_PASSED),
        ({"metrics": {"exact_match": 0.0, "token_f1": 0.9}}, CASE, AnswerMark.RAN),
        ({"metrics": {"judge": 1.0}}, None, AnswerMark.RIGHT),
        ({"metrics": {"correct_refusal": 0.0}}, None, AnswerMark.RAN),
        ({"metrics": {"correct_refusal": 0.0}}, CASE, AnswerMark.RAN),
    ],
)
def test_of_several_judgements_the_surest_counts(
    values: dict[str, Any], case: Case | None, mark: AnswerMark
) -> None:
    assert mark_of(result(**values), case)[0] is mark


def test_several_checks_are_counted() -> None:
    checks = (("a", True, ""), ("b", True, ""))
    assert mark_of(result(checks=checks), CASE)[1] == "it passes 2 checks of the case"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["a"], "lost 1 passage (a, Page 2)"),
        (["a", "b"], "lost 2 passages (a, Page 2, b, Page 2)"),
        (["a", "b", "c", "d"], "lost 4 passages (a, Page 2, b, Page 2 and 2 more)"),
        (["a", "a", "a"], "lost 3 passages (a, Page 2)"),
    ],
)
def test_passages_are_named_once_and_many_are_counted(names: list[str], says: str) -> None:
    before = [passage("a", name, n, text=f"Text {n}.") for n, name in enumerate(names, 1)]
    assert explain_change(CASE, result("a"), result("b"), {"a": before}, {}) == (
        says,
        "the answer is the same",
    )


@pytest.mark.parametrize(
    ("judgement", "is_relevant"),
    [
        (Judgement(document="bread.md"), True),
        (Judgement(document="/d/bread.md"), True),
        (Judgement(document="bread.md", grade=0), False),
        (Judgement(document="bread.md", grade=-1), False),
        (Judgement(document="tides.txt"), False),
        (Judgement(quote="of  bread.md."), True),
        (Judgement(quote="of tides.txt."), False),
        (Judgement(document="bread.md", quote="not in it"), False),
        (Judgement(document="tides.txt", quote="Text of bread.md."), False),
        (Judgement(document="bread.md", start=0, end=1), True),
        (Judgement(document="bread.md", start=17, end=99), False),
        (Judgement(document="bread.md", start=16, end=17), True),
    ],
)
def test_a_passage_is_relevant_where_a_judgement_covers_it(judgement: Judgement, is_relevant: bool) -> None:
    case = CASE.model_copy(update={"judgements": (judgement,)})
    said = explain_change(case, result("a"), result("b"), {"b": [passage("b", "bread.md")]}, {})[0]
    assert said == f"gained 1 {'relevant ' if is_relevant else ''}passage (bread.md, Page 2)"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (0, 1, "1 flagged sentence instead of 0"),
        (3, 0, "0 flagged sentences instead of 3"),
        (2, 2, None),
        (None, 2, None),
        (2, None, None),
    ],
)
def test_flags_are_told_where_both_are_known_and_differ(
    before: int | None, after: int | None, says: str | None
) -> None:
    flags = {trace: count for trace, count in (("a", before), ("b", after)) if count is not None}
    reasons = explain_change(CASE, result("a"), result("b"), {}, flags)
    assert reasons == ((says, "the answer is the same") if says else ("the answer is the same",))


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("Rye.", " Rye.\n", "the answer is the same"),
        ("Rye bread.", "Rye\nbread.", "the answer is the same"),
        ("Rye.", "rye.", "the answer differs"),
        ("", "", "the answer is the same"),
    ],
)
def test_white_space_is_no_difference_between_answers(first: str, last: str, says: str) -> None:
    reasons = explain_change(None, result("a", answer=first), result("b", answer=last), {}, {})
    assert reasons == (says,)


def test_one_document_that_is_shown_elsewhere_was_lost_and_gained() -> None:
    before, after = [passage("a", "bread.md", text="One.")], [passage("b", "bread.md", text="Two.")]
    assert explain_change(CASE, result("a"), result("b"), {"a": before, "b": after}, {})[:2] == (
        "lost 1 passage (bread.md, Page 2)", "gained 1 passage (bread.md, Page 2)",
    )  # fmt: skip
