"""What holds of every metric: bounds, orders, and values that are None instead of invented."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rag.evaluation.cases import Check, Judgement
from rag.evaluation.metrics import (
    METRICS,
    Passage,
    average_precision,
    citation_precision,
    citation_recall,
    context_precision,
    context_recall,
    cosine,
    exact_match,
    hit_rate,
    ndcg_at_k,
    precision_at_k,
    ranking_metrics,
    recall_at_k,
    reciprocal_rank,
    refusal_metrics,
    run_check,
    token_f1,
)

ITEMS = st.sampled_from([f"d{number}" for number in range(12)])
RANKED = st.lists(ITEMS, max_size=12)
GRADES = st.dictionaries(ITEMS, st.integers(-1, 3), max_size=12)
WORDS = st.lists(st.sampled_from("rye bread needs sourdough and 12 hours of rest the a".split()), max_size=12)


@settings(max_examples=150, deadline=None)
@given(ranked=RANKED, grades=GRADES, k=st.integers(1, 15))
def test_every_ranking_metric_is_a_share_or_none(ranked: list[str], grades: dict[str, int], k: int) -> None:
    for name, value in ranking_metrics(ranked, grades, k).items():
        assert value is None or 0 <= value <= 1, name


@settings(max_examples=100, deadline=None)
@given(ranked=RANKED, grades=GRADES, k=st.integers(1, 15))
def test_without_a_relevant_item_nothing_can_be_measured(
    ranked: list[str], grades: dict[str, int], k: int
) -> None:
    none = {item: min(grade, 0) for item, grade in grades.items()}
    assert recall_at_k(ranked, none, k) is None
    assert precision_at_k(ranked, none, k) is None
    assert hit_rate(ranked, none, k) is None
    assert reciprocal_rank(ranked, none) is None
    assert average_precision(ranked, none) is None
    assert ndcg_at_k(ranked, none, k) is None


@settings(max_examples=100, deadline=None)
@given(ranked=st.lists(ITEMS, unique=True, min_size=1), grades=GRADES, k=st.integers(1, 11))
def test_more_places_never_lower_recall_or_the_hit_rate(
    ranked: list[str], grades: dict[str, int], k: int
) -> None:
    for metric in (recall_at_k, hit_rate):
        few, many = metric(ranked, grades, k), metric(ranked, grades, k + 1)
        assert (few is None) == (many is None)
        assert few is None or many is None or few <= many


@settings(max_examples=100, deadline=None)
@given(ranked=st.lists(ITEMS, unique=True, min_size=2, max_size=12), grades=GRADES, data=st.data())
def test_moving_a_relevant_item_up_never_lowers_a_ranking_metric(
    ranked: list[str], grades: dict[str, int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(ranked) - 1))
    above, item = ranked[place - 1], ranked[place]
    if grades.get(item, 0) <= max(grades.get(above, 0), 0):
        return
    better = [*ranked[: place - 1], item, above, *ranked[place + 1 :]]
    for name in ("mrr", "map", "ndcg_at_k", "recall_at_k", "precision_at_k", "hit_rate"):
        before, after = ranking_metrics(ranked, grades, 5)[name], ranking_metrics(better, grades, 5)[name]
        assert before is None or after is None or before <= after + 1e-12, name


@settings(max_examples=60, deadline=None)
@given(grades=st.dictionaries(ITEMS, st.integers(1, 3), min_size=1))
def test_the_ideal_ranking_is_worth_one(grades: dict[str, int]) -> None:
    ideal = sorted(grades, key=lambda item: -grades[item])
    assert ndcg_at_k(ideal, grades, 12) == pytest.approx(1)
    assert average_precision(ideal, grades) == pytest.approx(1)
    assert reciprocal_rank(ideal, grades) == 1


@pytest.mark.parametrize("metric", [recall_at_k, precision_at_k, hit_rate])
def test_a_cut_off_below_one_is_a_mistake(metric: object) -> None:
    with pytest.raises(ValueError, match="k must be 1"):
        metric(["a"], {"a": 1}, 0)  # type: ignore[operator]


# --- answers ----------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(answer=WORDS, reference=WORDS)
def test_token_f1_is_symmetric_and_a_share(answer: list[str], reference: list[str]) -> None:
    assume(answer and reference)  # a reference without a word is undefined
    first = token_f1(" ".join(answer), [" ".join(reference)])
    second = token_f1(" ".join(reference), [" ".join(answer)])
    assert first == pytest.approx(second)
    assert first is not None and 0 <= first <= 1


@settings(max_examples=60, deadline=None)
@given(words=WORDS)
def test_an_answer_matches_itself_whatever_its_order_for_f1(words: list[str]) -> None:
    text = " ".join(words)
    assume(text)
    assert exact_match(text, [text]) == 1
    assert token_f1(" ".join(reversed(words)), [text]) == pytest.approx(1)


@settings(max_examples=60, deadline=None)
@given(answer=WORDS, references=st.lists(WORDS, min_size=1, max_size=3))
def test_the_best_reference_counts(answer: list[str], references: list[list[str]]) -> None:
    texts = [" ".join(reference) for reference in references]
    assume(any(texts))
    single = [token_f1(" ".join(answer), [text]) for text in texts]
    assert token_f1(" ".join(answer), texts) == max(value for value in single if value is not None)


def test_without_a_reference_nothing_can_be_compared() -> None:
    assert exact_match("Noon", []) is None
    assert token_f1("Noon", []) is None


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("At noon.", "at noon"), ("The noon", "noon"), ("  NOON ", "noon"), ("An hour!", "hour")],
)
def test_case_articles_and_punctuation_do_not_count(answer: str, reference: str) -> None:
    assert exact_match(answer, [reference]) == 1


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("should", [True, False])
def test_refusals_are_right_or_wrong_by_the_kind_of_case(refused: bool, should: bool) -> None:
    found = refusal_metrics(refused, should)
    known = {name: value for name, value in found.items() if value is not None}
    assert set(known.values()) <= {0.0, 1.0}
    assert found["refusal_accuracy"] == float(refused == should)


@settings(max_examples=60, deadline=None)
@given(
    a=st.lists(st.floats(-10, 10), min_size=3, max_size=3),
    b=st.lists(st.floats(-10, 10), min_size=3, max_size=3),
)
def test_cosine_is_symmetric_and_bounded(a: list[float], b: list[float]) -> None:
    import numpy as np

    first, second = np.array(a, dtype=np.float32), np.array(b, dtype=np.float32)
    value = cosine(first, second)
    assert value == cosine(second, first) or (
        value is not None and math.isclose(value, cosine(second, first) or 0)
    )
    assert value is None or -1.000001 <= value <= 1.000001


# --- context and citations --------------------------------------------------------------------------------


def passage(number: int, start: int = 0, end: int = 100) -> Passage:
    return Passage(number, f"doc{number}.txt", f"doc{number}.txt", start, end, f"text {number}")


CONTEXT = [passage(1), passage(2), passage(3)]
JUDGED = [Judgement(document="doc1.txt"), Judgement(document="doc3.txt")]


def test_context_metrics_count_the_judged_passages() -> None:
    assert context_recall(CONTEXT, JUDGED) == 1
    assert context_recall(CONTEXT[:1], JUDGED) == 0.5
    assert context_recall([], JUDGED) == 0
    assert context_recall(CONTEXT, []) is None
    first = context_precision([passage(1), passage(3), passage(2)], JUDGED)
    last = context_precision([passage(2), passage(1), passage(3)], JUDGED)
    assert first == 1 and last is not None and last < 1


def test_citations_are_right_by_the_passage_they_name() -> None:
    shown = dict(enumerate(CONTEXT, 1))
    assert citation_precision([1, 3], shown, JUDGED) == 1
    assert citation_precision([1, 2], shown, JUDGED) == 0.5
    assert citation_recall([1], shown, JUDGED) == 0.5
    assert citation_recall([1, 3], shown, JUDGED) == 1
    assert citation_precision([9], shown, JUDGED) == 0, "a passage that is not there supports nothing"


# --- checks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "good", "bad"),
    [
        ("contains", "noon", "At noon.", "At dawn."),
        ("not-contains", "noon", "At dawn.", "At noon."),
        ("equals", "noon", "noon", "At noon."),
        ("regex", r"\d+ metres", "3 metres", "three metres"),
        ("not-regex", r"\d", "three", "3"),
    ],
)
def test_a_check_tells_good_from_bad_with_a_reason(kind: str, value: str, good: str, bad: str) -> None:
    check = Check(type=kind, value=value)  # type: ignore[arg-type]
    assert run_check(good, check).passed and run_check(good, check).reason == ""
    assert not run_check(bad, check).passed and run_check(bad, check).reason


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "yes", "{'a': 1}"])
def test_what_is_no_json_is_told(text: str) -> None:
    found = run_check(text, Check(type="is-json"))
    assert not found.passed
    assert found.reason


def test_json_is_held_to_its_schema() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    check = Check(type="is-json", value=schema)
    assert run_check('{"a": 1}', check).passed
    assert not run_check('{"a": "x"}', check).passed
    assert not run_check("{}", check).passed


def test_every_metric_of_the_registry_can_be_explained() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label and metric.definition and metric.source
        assert metric.direction in ("higher", "lower", "none")
        assert metric.unit
