"""Cases: what is checked, and what makes two of them the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.cases import Case, Check, Judgement, free_key, make_case


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "question: Field required"),
        ({"question": "  "}, "the question is empty"),
        ({"question": "q", "weight": 0}, "weight"),
        ({"question": "q", "weight": float("nan")}, "weight"),
        ({"question": "q", "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"question": "q", "judgements": [{}]}, "must name a document or quote a passage"),
        ({"question": "q", "judgements": [{"document": "d", "start": 1}]}, "both start and end, or neither"),
        ({"question": "q", "judgements": [{"document": "d", "start": 5, "end": 5}]}, "must come after its start"),
        ({"question": "q", "judgements": [{"quote": "x", "start": 1, "end": 2}]}, "must name its document"),
        ({"question": "q", "checks": [{"type": "length", "value": {"least": 1}}]}, "cannot have the value"),
        ({"question": "q", "checks": [{"type": "length", "value": {"max": -1}}]}, "cannot have the value"),
        ({"question": "q", "checks": [{"type": "contains", "value": ""}]}, "cannot have the value"),
        ({"question": "q", "checks": [{"type": "is-json", "value": "text"}]}, "cannot have the value"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_case_is_one_sentence(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as found:
        make_case(values)
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_good_values_are_a_case() -> None:
    case = make_case(
        {
            "question": "q",
            "checks": [{"type": "length", "value": {"min": 1, "max": 9}}, {"type": "is-json"}],
            "judgements": [{"document": "d", "start": 0, "end": 3, "grade": -1}],
        }
    )
    assert case.checks == (Check(type="length", value={"min": 1, "max": 9}), Check(type="is-json"))
    assert case.origin == "hand"


def test_the_origin_does_not_make_a_case_another_one() -> None:
    one, other = Case(key="k", question="q"), Case(key="k", question="q", origin="file:a.csv")
    assert one.content == other.content
    assert one.fingerprint == other.fingerprint
    assert len(one.fingerprint) == 64
    assert Case(key="k", question="q", tags=("x",)).fingerprint != one.fingerprint


def test_a_case_is_resampled_with_its_document() -> None:
    relevant = (Judgement(document="a", grade=0), Judgement(document="b"))
    assert Case(key="k", question="q", cluster="c", judgements=relevant).source_cluster == "c"
    assert Case(key="k", question="q", judgements=relevant).source_cluster == "b"
    assert Case(key="k", question="q").source_cluster == "k"


@given(st.text(min_size=1).filter(str.strip), st.integers(0, 4))
def test_a_free_key_is_never_taken_and_always_the_same(question: str, number: int) -> None:
    case, taken = Case(question=question), set[str]()
    for _ in range(number):
        taken.add(free_key(case, taken))
    key = free_key(case, taken)
    assert len(taken) == number
    assert key not in taken
    assert key == free_key(case, taken)
