"""Every assertion of promptfoo becomes a check that means the same, or is left with its reason."""

import pytest

from rag.evaluation.cases import Check
from rag.evaluation.formats.assertions import Expected, take_assertion
from rag.evaluation.formats.entries import Account
from rag.evaluation.metrics import run_check


def taken(**item: object) -> tuple[Expected, dict[str, str]]:
    expected, account = Expected(), Account()
    take_assertion(item, expected, account)
    return expected, account.left


@pytest.mark.parametrize(
    ("kind", "value", "right", "wrong"),
    [
        ("contains", 18, "it weighs 18 kg", "it weighs 31 kg"),
        ("icontains", "6 BAR", "at 6 bar", "at 7 bar"),
        ("not-icontains", "sorry", "fine", "SORRY, no"),
        ("starts-with", "Yes.", "Yes. It is", "Oh Yes."),
        ("not-equals", "no", "not so", " no "),
        ("contains-any", ["a.b", "c"], "has a.b", "has axb"),
        ("not-contains-any", ["x", "y"], "neither", "has y"),
        ("contains-all", ["two", "one"], "one\nand two", "only one"),
        ("icontains-all", ["TWO", "one"], "One and two", "only one"),
        ("not-contains-all", ["two", "one"], "only one", "two and one"),
        ("icontains-any", ["YES", "ja"], "Ja!", "no"),
    ],
)
def test_a_check_means_what_the_assertion_does(kind: str, value: object, right: str, wrong: str) -> None:
    expected, left = taken(type=kind, value=value)
    (check,) = (Check.model_validate(one) for one in expected.checks)
    assert run_check(right, check).passed and not run_check(wrong, check).passed
    assert left == {}


def test_what_has_no_check_is_left_with_its_reason() -> None:
    for kind, reason in (
        ("llm-rubric", "grades"),
        ("javascript", "not run"),
        ("latency", "gate"),
        ("odd", "no such"),
    ):
        expected, left = taken(type=kind, value="x")
        assert (expected.checks, expected.references) == ([], [])
        assert reason in left[f"assertion {kind}"]
    _, left = taken(type="contains", value="file://x.txt")
    assert "not read" in left["assertion contains of a file"]


def test_right_answers_and_refusals_are_taken_and_their_limits_left() -> None:
    expected, left = taken(type="similar", value=["a", " "], threshold=0.8)
    assert expected.references == ["a"]
    assert left == {
        "threshold of the assertion similar": "a check passes or fails, and similarity is a metric"
    }
    assert taken(type="is-refusal")[0].should_refuse
    assert taken(type="factuality", value="it is so")[0].references == ["it is so"]


def test_a_set_of_assertions_counts_as_all_of_them() -> None:
    inner = [{"type": "contains", "value": "a"}, {"type": "is-json"}]
    expected, left = taken(**{"type": "assert-set", "assert": inner, "threshold": 0.5})
    assert [one["type"] for one in expected.checks] == ["contains", "is-json"]
    assert list(left) == ["threshold of the assertion assert-set"]


@pytest.mark.parametrize("item", [5, {}, {"type": 1}, {"type": "similar", "value": [1]}])
def test_what_is_no_assertion_is_said(item: object) -> None:
    with pytest.raises(ValueError, match=r"assertion needs a type|not a list of texts"):
        take_assertion(item, Expected(), Account())
