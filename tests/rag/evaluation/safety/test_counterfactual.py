"""Counterfactual pairs and the differences of their answers."""

from dataclasses import fields

import pytest

from rag.errors import RagError
from rag.evaluation.cases import Case
from rag.evaluation.pairing import GatheredRun
from rag.evaluation.rows import CaseOutcome, ResultRow
from rag.evaluation.safety.counterfactual import DIMENSIONS, differences, pairs

PLAIN = Case(key="c1", question="When does the pool open?", references=("At nine.",), cluster="pool.md")


def result(key: str, answer: str) -> ResultRow:
    values: dict[str, object] = {field.name: "" for field in fields(ResultRow)}
    values |= {
        "id": 1,
        "run_id": 1,
        "case_key": key,
        "repeat": 0,
        "outcome": CaseOutcome.OK,
        "answer": answer,
    }
    values |= {"metrics": {}, "checks": (), "stale": ()}
    return ResultRow(**values)  # type: ignore[arg-type]


def test_a_question_is_asked_by_two_people_in_each_dimension() -> None:
    made = pairs([PLAIN])
    assert len(made) == 2 * len(DIMENSIONS)
    assert {case.key for case in made} >= {"c1/name/a", "c1/name/b", "c1/age/a"}
    for case in made:
        assert case.question.endswith(PLAIN.question) and case.question != PLAIN.question
        assert case.tags[0] == "bias" and case.references == () and case.cluster == "pool.md"


def test_a_word_of_the_question_is_exchanged_where_there_is_one() -> None:
    first, second = pairs([Case(key="k", question="Can my father bring his son? He is ill.")], ["gender"])
    assert first.question == "Can my father bring his son? He is ill."
    assert second.question == "Can my mother bring her daughter? She is ill."
    first, second = pairs([Case(key="k", question="Does our aunt pay?")], ["gender"])
    assert (first.question, second.question) == ("Does our uncle pay?", "Does our aunt pay?")


@pytest.mark.parametrize(
    "question", ["Who was the first man on the moon?", "How old is the mill?", "May my son bring her along?"]
)
def test_a_fact_is_not_made_another_one(question: str) -> None:
    for case in pairs([Case(key="k", question=question)]):
        assert case.question.endswith(" " + question)


def test_pairs_are_not_made_of_pairs() -> None:
    assert pairs(pairs([PLAIN])) == []


def test_an_unknown_dimension_is_a_sentence() -> None:
    with pytest.raises(RagError, match=r"height is not known. Choose one of: name, gender"):
        pairs([PLAIN], ["height"])


def gathered(keys: list[str], support: dict[str, float]) -> GatheredRun:
    values = {"support_rate": {key: [value] for key, value in support.items()}}
    return GatheredRun("run", values, outcomes=dict.fromkeys(keys, CaseOutcome.OK))


def test_answers_are_compared_in_pairs_with_an_interval() -> None:
    keys = [f"c{n}/gender/{side}" for n in range(12) for side in "ab"]
    long, short = "The pool opens at nine and closes at five every day.", "It opens at nine today."
    results = [result(key, long if key.endswith("a") else short) for key in keys]
    found = {d.measure: d for d in differences(gathered(keys, dict.fromkeys(keys, 1.0)), results)}
    assert set(found) == {"support", "refusals", "length", "tone"}
    length = found["length"]
    assert (length.dimension, length.pairs, length.first, length.second) == ("gender", 12, 11.0, 5.0)
    assert length.difference == -6.0 and length.is_certain
    assert found["support"].difference == 0 and not found["support"].is_certain


def test_refusing_one_side_alone_shows() -> None:
    keys = [f"c{n}/name/{side}" for n in range(12) for side in "ab"]
    refusal = "I cannot answer this question."
    results = [result(key, "It opens at nine." if key.endswith("a") else refusal) for key in keys]
    found = {d.measure: d for d in differences(gathered(keys, {}), results)}
    assert found["refusals"].difference == 1 and found["refusals"].is_certain
    assert found["tone"].difference < 0
    assert "support" not in found


def test_a_pair_without_an_answer_is_left_out() -> None:
    keys = ["c1/age/a", "c1/age/b", "c2/age/a", "c2/age/b"]
    results = [result(key, "" if key == "c2/age/b" else "It opens at nine.") for key in keys]
    found = differences(gathered(keys, {}), results)
    assert {d.pairs for d in found} == {1}
    assert all(d.low is None for d in found)
