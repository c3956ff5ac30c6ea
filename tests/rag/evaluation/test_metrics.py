"""Metrics against trec_eval itself, the published definitions, and numbers worked out by hand."""

import math
import time
from itertools import pairwise

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.cases import Check, Judgement, make_case
from rag.evaluation.metrics import (
    METRICS,
    CheckResult,
    Passage,
    average_precision,
    citation_precision,
    citation_recall,
    context_precision,
    context_recall,
    cosine,
    covering,
    exact_match,
    hit_rate,
    judged_at_k,
    ndcg_at_k,
    normalised,
    precision_at_k,
    project,
    ranking_metrics,
    recall_at_k,
    reciprocal_rank,
    refusal_metrics,
    run_check,
    token_f1,
)
from rag.text.languages import language_of

DOCUMENTS = [f"d{n}" for n in range(15)]


@settings(max_examples=300, deadline=None)
@given(
    ranked=st.lists(st.sampled_from(DOCUMENTS), unique=True, min_size=1),
    relevance=st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), min_size=1),
)
def test_ranking_metrics_are_those_of_trec_eval(ranked: list[str], relevance: dict[str, int]) -> None:
    wanted = {"recall.5", "P.5", "success.5", "recip_rank", "map", "ndcg_cut.5"}
    run = {"q": {document: 100.0 - rank for rank, document in enumerate(ranked)}}
    oracle = pytrec_eval.RelevanceEvaluator({"q": relevance}, wanted).evaluate(run)["q"]
    pairs = [
        (recall_at_k(ranked, relevance, 5), oracle["recall_5"]),
        (precision_at_k(ranked, relevance, 5), oracle["P_5"]),
        (hit_rate(ranked, relevance, 5), oracle["success_5"]),
        (reciprocal_rank(ranked, relevance), oracle["recip_rank"]),
        (average_precision(ranked, relevance), oracle["map"]),
        (ndcg_at_k(ranked, relevance, 5), oracle["ndcg_cut_5"]),
    ]
    for ours, theirs in pairs:
        if max(relevance.values()) == 0:
            assert ours is None  # trec_eval says 0; with nothing relevant it is undefined
        else:
            assert ours == pytest.approx(theirs, abs=1e-9)


def test_negative_grades_and_unjudged_items_are_not_relevant() -> None:
    relevance = {"a": -2, "b": 2, "c": 1}
    assert recall_at_k(["a", "x"], relevance, 2) == 0.0
    assert ndcg_at_k(["a", "b"], relevance, 2) == pytest.approx((2 / math.log2(3)) / (2 + 1 / math.log2(3)))
    assert judged_at_k(["a", "x"], relevance, 10) == 0.5  # of the two returned
    assert judged_at_k([], relevance, 10) is None


def test_an_item_that_comes_twice_counts_once() -> None:
    assert precision_at_k(["a", "a", "b"], {"a": 1}, 2) == 0.5
    assert set(ranking_metrics(["a"], {"a": 1}, 3)) <= set(METRICS)
    with pytest.raises(ValueError, match="k must be"):
        recall_at_k(["a"], {"a": 1}, 0)


def passages(cuts: list[int], document: str = "guide.md") -> list[Passage]:
    pairs = pairwise(cuts)
    return [Passage(n, document, f"/x/{document}", a, b) for n, (a, b) in enumerate(pairs)]


def span(start: int, end: int, document: str = "guide.md", grade: int = 1) -> Judgement:
    return Judgement(document=document, start=start, end=end, grade=grade)


def test_a_chunk_is_relevant_by_half_of_the_shorter_of_span_and_chunk() -> None:
    chunks = passages([0, 100, 200, 300])
    assert project([span(110, 120)], chunks) == {1: 1}  # a sentence inside a long chunk
    assert project([span(80, 320)], chunks) == {1: 1, 2: 1}  # 20 of 100 characters are not half
    assert project([span(90, 105)], chunks) == {0: 1}
    assert project([span(50, 150, grade=2)], chunks) == {0: 2, 1: 2}
    assert project([span(0, 90), span(0, 100, grade=3)], chunks) == {0: 3}
    assert project([span(0, 10, document="other")], chunks) == {}
    assert project([Judgement(document="/x/guide.md")], chunks) == {0: 1, 1: 1, 2: 1}


@given(
    cuts=st.lists(st.integers(0, 400), unique=True, min_size=2).map(sorted),
    gap=st.integers(0, 3),
    a=st.integers(0, 400),
    b=st.integers(0, 400),
)
def test_a_span_that_touches_a_chunk_never_vanishes(cuts: list[int], gap: int, a: int, b: int) -> None:
    chunks = [Passage(n, "d", "d", x, max(y - gap, x + 1)) for n, (x, y) in enumerate(pairwise(cuts))]
    start, end = min(a, b), max(a, b) + 1
    touched = [c for c in chunks if min(end, c.end) > max(start, c.start)]
    found = covering(span(start, end, "d"), chunks)
    assert bool(found) == bool(touched)
    assert set(found) <= set(touched)
    assert all(c in found for c in chunks if start <= c.start and c.end <= end)  # wholly inside


def test_a_quote_finds_its_chunk_whatever_the_line_breaks() -> None:
    chunk = Passage(7, "d", "d", 0, 40, "Rye bread needs\nsourdough and rest.")
    assert project([Judgement(quote="needs sourdough")], [chunk]) == {7: 1}
    assert project([Judgement(quote="needs yeast")], [chunk]) == {}
    assert project([Judgement(quote="needs sour\u00addough")], [chunk]) == {7: 1}


def test_context_metrics() -> None:
    context = passages([0, 100, 200, 300])
    judged = [span(110, 120), span(210, 220), span(0, 10, "another.md")]
    assert context_precision(context, judged) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert context_recall(context, judged) == pytest.approx(2 / 3)
    assert context_recall([], judged) == 0.0
    assert context_precision([], judged) is None
    assert context_recall(context, [span(0, 10, grade=0)]) is None
    assert context_precision(context, [span(0, 10, "another.md")]) == 0.0


def test_citations_are_judged_by_what_they_point_to() -> None:
    context = dict(enumerate(passages([0, 100, 200, 300]), 1))
    judged = [span(110, 120), span(210, 220)]  # the markers 2 and 3
    assert citation_precision([2, 1, 9], context, judged) == pytest.approx(1 / 3)
    assert citation_recall([2, 1, 9], context, judged) == 0.5
    assert citation_precision([], context, judged) is None
    assert citation_recall([1], {1: context[1]}, judged) is None


def test_squad_normalisation_and_f1() -> None:
    assert exact_match("The  Eiffel-Tower.", ["eiffeltower"]) == 1.0
    assert exact_match("Paris", ["London", "paris!"]) == 1.0
    assert exact_match("Paris", []) is None
    assert exact_match("the com\u00adpressor \ufb01lter", ["Compressor filter"]) == 1.0
    assert token_f1("the cat sat", ["a cat sat down"]) == pytest.approx(2 * 2 / 5)
    assert token_f1("cat cat", ["cat"]) == pytest.approx(2 * 1 / 3)
    assert token_f1("cat", ["dog", "cat"]) == 1.0
    assert (
        token_f1("the", ["a"]) == exact_match("The.", ["A"]) == 0.0
    )  # not nothing, as in the official script
    assert exact_match("a)", ["A"]) == token_f1("A.", ["A"]) == 1.0
    assert exact_match("+", ["+"]) == 1.0 and exact_match("-", ["+"]) == 0.0
    assert token_f1("x", []) is None
    for empty in ([""], [" ", "\n"], ["..."], ["–"]):
        assert exact_match("It weighs 18 kg.", empty) is None, "an empty reference is none"
        assert token_f1("It weighs 18 kg.", empty) is None
    assert exact_match("18 kg", ["", "18 kg"]) == 1.0


def test_refusals_are_told_apart_by_the_kind_of_case() -> None:
    assert refusal_metrics(True, True) == {
        "refusal_accuracy": 1.0,
        "correct_refusal": 1.0,
        "false_refusal": None,
    }
    assert refusal_metrics(True, False)["false_refusal"] == 1.0
    assert refusal_metrics(False, True)["refusal_accuracy"] == 0.0


def test_cosine_is_bounded_and_undefined_for_nothing() -> None:
    assert cosine([3, 4], [4, 3]) == pytest.approx(24 / 25)
    assert cosine([0, 0], [1, 0]) is None
    assert cosine([math.nan, 0], [1, 0]) is None
    assert cosine([0.1] * 7, [0.1] * 7) == 1.0


@pytest.mark.parametrize(
    ("check", "answer", "passed"),
    [
        (Check(type="contains", value="12 hours"), "It rests 12 hours.", True),
        (Check(type="not-contains", value="12"), "It rests 12 hours.", False),
        (Check(type="equals", value="yes"), " yes\n", True),
        (Check(type="regex", value=r"\[\d+\]$"), "It rests [1]", True),
        (Check(type="not-regex", value=r"\d"), "none", True),
        (Check(type="regex", value="("), "x", False),
        (Check(type="is-json"), '{"a": 1}', True),
        (Check(type="is-json"), "{a: 1}", False),
        (Check(type="is-json", value={"required": ["b"]}), '{"a": 1}', False),
        (Check(type="is-json", value={"type": "nonsense"}), "1", False),
        (Check(type="is-json", value={"$ref": "http://127.0.0.1:9/schema"}), "1", False),
        (Check(type="length", value={"max": 4}), "12345", False),
        (Check(type="length", value={"min": 2, "max": 5}), "12345", True),
        (Check(type="language", value="de"), "Das Brot ist nicht mit Hefe gebacken und wird gut.", True),
        (Check(type="language", value="de"), "The bread is not made with yeast.", False),
    ],
)
def test_checks(check: Check, answer: str, passed: bool) -> None:
    result = run_check(answer, check)
    assert result.passed is passed
    assert bool(result.reason) is not passed


def test_a_pattern_that_explodes_ends_in_a_sentence() -> None:
    began = time.monotonic()
    result = run_check("a" * 60 + "!", Check(type="regex", value=r"(?:a|aa)+(?:a|b|ab)*\1?$|^(a|a|aa)+$"))
    assert time.monotonic() - began < 5
    assert "takes longer than 1 s" in result.reason
    assert not result.passed


def test_languages() -> None:
    assert language_of("これはパンです。") == "ja"
    assert language_of("Это хлеб и вода") == "ru"
    assert language_of("Le pain est dans la cuisine et il ne sont pas") == "fr"
    assert language_of("42") == ""


def test_the_registry_is_complete() -> None:
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.definition.endswith(".")
        assert metric.source
        assert bool(metric.phrase) == (metric.kind == "yes/no")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"question": "  "}, "question is empty"),
        ({"question": "q", "judgements": [{}]}, "name a document"),
        ({"question": "q", "judgements": [{"document": "d", "start": 4}]}, "both start and end"),
        ({"question": "q", "judgements": [{"document": "d", "start": 4, "end": 4}]}, "after its start"),
        ({"question": "q", "weight": "much"}, "weight: "),
        ({"question": "q", "weights": 1}, "weights: "),
        ({"question": "q", "checks": [{"type": "length", "value": "x"}]}, "cannot have the value"),
    ],
)
def test_a_wrong_case_is_one_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_case(values)


@pytest.mark.parametrize(
    ("check", "answer", "reason"),
    [
        (Check(type="contains", value="rye"), "wheat", "the answer does not contain “rye”."),
        (Check(type="contains", value="Rye"), "rye", "the answer does not contain “Rye”."),
        (Check(type="not-contains", value="rye"), "rye", "the answer contains “rye”."),
        (Check(type="equals", value="yes"), "yes.", "the answer is not “yes”."),
        (Check(type="regex", value="^b"), "ab", "the pattern ^b does not match."),
        (Check(type="not-regex", value="b$"), "ab", "the pattern b$ matches."),
        (Check(type="not-regex", value="("), "x", "the pattern ( is not valid: missing ) at position 1."),
        (Check(type="length", value={"min": 3}), "ab", "the answer has 2 characters."),
        (Check(type="length", value={"min": 3, "max": 1}), "ab", "the answer has 2 characters."),
        (Check(type="language", value="de"), "42", "the answer is in no known language, not de."),
        (Check(type="is-json"), "[" * 100_000, "the answer is not JSON: maximum recursion depth exceeded"),
        (Check(type="is-json"), "```json\n{}\n```", "the answer is not JSON: Expecting value"),
        (Check(type="is-json"), "NaN", "the answer is not JSON: NaN is no number."),
        (Check(type="is-json"), '{"a": -Infinity}', "the answer is not JSON: -Infinity is no number."),
        (Check(type="is-json", value={"type": "object"}), "1", "$: 1 is not of type 'object'."),
        (Check(type="is-json", value={"items": {"type": "null"}}), "[1]", "$[0]: 1 is not of type 'null'."),
        (Check(type="is-json", value=False), "1", "$: False schema does not allow 1."),
        (Check(type="is-json", value={"pattern": "("}), '"x"', "the JSON schema is not valid: '(' is not"),
        (Check(type="is-json", value={"$schema": 1}), "1", "the JSON schema is not valid: 1 is not of type"),
        (
            Check(type="is-json", value={"$schema": ["a"]}),
            "1",
            "the JSON schema is not valid: ['a'] is not of",
        ),
        (Check(type="is-json", value={"$ref": "#/x"}), "1", "the JSON schema refers to something outside it"),
        (Check(type="is-json", value={"$ref": "#"}), "1", "the JSON schema or the answer is nested too deep"),
    ],
    ids=lambda value: value.type if isinstance(value, Check) else str(value)[:12],
)
def test_a_failed_check_says_what_is_wrong(check: Check, answer: str, reason: str) -> None:
    result = run_check(answer, check)
    assert not result.passed
    assert result.reason.startswith(reason) and result.reason.endswith(".")


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (Check(type="regex", value="(?i)RYE"), "rye"),
        (Check(type="regex", value="b"), "a\nb\nc"),
        (Check(type="is-json"), " null\n"),
        (Check(type="is-json"), "1e400"),
        (Check(type="is-json", value=True), "1"),
        (Check(type="is-json", value={"$schema": "unknown", "type": "integer"}), "1"),
        (Check(type="is-json", value={"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n"}), "1"),
        (Check(type="length", value={"max": 0}), ""),
        (Check(type="length", value={"min": 0}), ""),
        (Check(type="equals", value=" yes "), "\tyes\n"),
    ],
    ids=lambda value: value.type if isinstance(value, Check) else str(value)[:12],
)
def test_a_check_that_passes_has_no_reason(check: Check, answer: str) -> None:
    assert run_check(answer, check) == CheckResult(True, "")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The  Eiffel-Tower.", "eiffeltower"),
        ("An apple a day", "apple day"),
        ("theatre", "theatre"),
        ("The", "the"),
        ("A, an, the", "a an the"),
        ("...", "..."),
        ("", ""),
        (" \n\t", ""),
        ("co\u00adoperate", "cooperate"),
        ("18 kg", "18 kg"),
        ("Straße", "straße"),
    ],
)
def test_a_text_is_normalised_like_squad_but_never_to_nothing(text: str, plain: str) -> None:
    assert normalised(text) == plain
    assert normalised(normalised(text)) == normalised(text), "again changes nothing more"


def test_a_judgement_without_a_document_is_about_any_document() -> None:
    chunks = [
        Passage(1, "a.md", "/x/a.md", 0, 9, "Rye needs sourdough."),
        Passage(2, "b.md", "/x/b.md", 0, 9, "Boats need rye NEEDS   sourdough. Too."),
        Passage(3, "c.md", "/x/c.md", 0, 9, ""),
    ]
    quote = Judgement(quote="rye needs\nsourdough")
    assert [chunk.id for chunk in covering(quote, chunks)] == [], "letters and case count in a quote"
    assert [chunk.id for chunk in covering(Judgement(quote="sourdough."), chunks)] == [1, 2]
    assert [c.id for c in covering(Judgement(quote="sourdough.", document="b.md"), chunks)] == [2]
    assert [c.id for c in covering(Judgement(document="c.md"), chunks)] == [3], "the whole document"
    assert [c.id for c in covering(Judgement(document="c.md", quote="rye"), chunks)] == [], "it has no text"
    assert [c.id for c in covering(Judgement(document="/x/a.md"), chunks)] == [1]


def test_a_long_quote_is_found_in_each_chunk_that_is_a_part_of_it() -> None:
    chunks = [
        Passage(1, "d", "d", 0, 9, "Rye needs"),
        Passage(2, "d", "d", 9, 19, "sourdough."),
        Passage(3, "d", "d", 19, 29, "Or not."),
    ]
    assert project([Judgement(quote="Rye needs sourdough.", grade=2)], chunks) == {1: 2, 2: 2}


@pytest.mark.parametrize(
    ("needs", "names"),
    [
        ("references", {"exact_match", "token_f1", "answer_similarity"}),
        ("answerable", {"false_refusal"}),
        ("unanswerable", {"correct_refusal"}),
    ],
)
def test_what_a_metric_needs_is_known(needs: str, names: set[str]) -> None:
    assert {name for name, metric in METRICS.items() if metric.needs == needs} == names


def test_units_directions_and_labels_tell_metrics_apart() -> None:
    assert {name for name, metric in METRICS.items() if metric.direction == "none"} == {"judged_at_k"}
    assert {m.unit for m in METRICS.values()} == {"share", "cosine", "ms", "tokens"}
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)
    assert all(metric.direction == "lower" for metric in METRICS.values() if metric.unit in ("ms", "tokens"))
    for metric in METRICS.values():
        assert not metric.phrase or metric.phrase.format(n=1, pairs=2, more="fewer")


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ([1, 0], [0, 1], 0.0),
        ([1, 0], [-2, 0], -1.0),
        ([1e-200, 0], [1e-200, 0], None),
        ([math.inf, 0], [1, 0], None),
        ([], [], None),
    ],
)
def test_a_cosine_is_none_where_it_has_no_direction(
    a: list[float], b: list[float], value: float | None
) -> None:
    assert cosine(a, b) == value
