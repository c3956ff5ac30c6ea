"""Rules on questions and answers: what they let through, and the reason that a person reads."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rag.asking.cascades.conditions import Accept, QuestionRule, Step, classes_of, signal_of, why_unsupported
from rag.asking.cascades.rows import QuestionClass, Signal
from rag.asking.rows import Question
from rag.grounding.rows import ClaimResult, Outcome, SilentFailure, Verdict
from rag.storage.tables.traces import Trace

ENGLISH = Question("What does the rye bread of the bakery need?", "A", tags=("food",))


def trace(**values: Any) -> Trace:
    usual = {"id": "t", "session_id": "s", "created_ms": 0, "status": "done", "question": "q", "answer": "a"}
    return Trace(**{**usual, "outcome": Outcome.ANSWERED, **values})


def claims(*verdicts: Verdict, score: float | None = 0.1) -> list[ClaimResult]:
    return [ClaimResult("s", 0, 1, verdict, score) for verdict in verdicts]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({}, ""),
        ({"languages": ("en", "de")}, ""),
        ({"languages": ("de",)}, "the question is in English"),
        ({"min_words": 9}, ""),
        ({"min_words": 10}, "the question has 9 words, fewer than 10"),
        ({"max_words": 8}, "the question has 9 words, more than 8"),
        ({"collections": ("A",)}, ""),
        ({"collections": ("B",)}, "the question is about “A”"),
        ({"tags": ("food", "law")}, ""),
        ({"tags": ("law",)}, "the question does not have the tag law"),
        ({"classes": ("plain",)}, ""),
        ({"classes": ("list",)}, "the question is of the class plain"),
    ],
)
def test_a_rule_on_a_question_says_what_does_not_fit(rule: dict[str, Any], reason: str) -> None:
    assert QuestionRule(**rule).refusal(ENGLISH) == reason


def test_a_question_whose_language_is_unknown_fits_no_language() -> None:
    assert QuestionRule(languages=("en",)).refusal(Question("Xyzzy?", "A")) == "its language is not clear"


def test_a_budget_counts_only_where_there_is_one() -> None:
    rule = QuestionRule(budget_left=1)
    assert (
        rule.refusal(ENGLISH)
        == rule.refusal(ENGLISH, lambda q: None)
        == rule.refusal(ENGLISH, lambda q: 1)
        == ""
    )
    assert rule.refusal(ENGLISH, lambda q: -2) == "only 0.00 of the budget is left"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("And what about it?", [QuestionClass.FOLLOW_UP]),
        ("List all the kinds of bread in the bakery", [QuestionClass.LIST]),
        ("Who repaired the pump with the number QX-4711 yesterday?", [QuestionClass.IDENTIFIER]),
        ("Why does sourdough rest for hours before baking?", [QuestionClass.PLAIN]),
    ],
)
def test_questions_are_of_simple_classes(text: str, kinds: list[QuestionClass]) -> None:
    assert list(classes_of(text)) == kinds


@pytest.mark.parametrize(
    ("found", "verdicts", "reason"),
    [
        ({}, [Verdict.SUPPORTED, Verdict.SUPPORTED], ""),
        ({}, [Verdict.SUPPORTED, Verdict.NOT_CHECKABLE], ""),
        ({}, [Verdict.SUPPORTED, Verdict.UNSUPPORTED], "1 sentence unsupported"),
        ({}, [Verdict.CHECK, Verdict.NO_EVIDENCE], "2 sentences unsupported"),
        ({}, [Verdict.CONTRADICTED, Verdict.UNSUPPORTED], "1 sentence contradicted"),
        ({}, [Verdict.NOT_CHECKABLE], "it has no sentence that could be checked"),
        ({"outcome": Outcome.REFUSED}, [], "the model declined to answer"),
        ({"check_error": "no memory"}, [], "its sentences could not be checked: no memory"),
        ({"status": "nothing found"}, [], "nothing was found"),
        (
            {"silent_failures": json.dumps([SilentFailure.CUT_OFF])},
            [Verdict.SUPPORTED],
            "cut off: the answer ends at the token limit",
        ),
    ],
)
def test_an_answer_is_supported_when_every_sentence_is_and_nothing_silent_failed(
    found: dict[str, Any], verdicts: list[Verdict], reason: str
) -> None:
    assert why_unsupported(trace(**found), claims(*verdicts)) == reason


def test_a_signal_below_its_threshold_or_unknown_is_refused() -> None:
    accept = Accept(at_least={Signal.RETRIEVAL: 0.5})
    assert accept.refusal(ENGLISH, trace(best_score=0.5), []) == ""
    assert accept.refusal(ENGLISH, trace(best_score=0.4), []) == "retrieval 0.40, below 0.50"
    assert accept.refusal(ENGLISH, trace(), []) == "its retrieval is not known"


def test_all_conditions_must_hold() -> None:
    accept = Accept(supported=True, at_least={Signal.SUPPORT: 0.8}, question=QuestionRule(languages=("en",)))
    assert accept.refusal(ENGLISH, trace(), claims(Verdict.SUPPORTED)) == ""
    assert (
        accept.refusal(ENGLISH, trace(), claims(Verdict.SUPPORTED, score=0.3)) == "support 0.70, below 0.80"
    )
    assert accept.refusal(ENGLISH, trace(), claims(Verdict.CHECK)) == "1 sentence unsupported"
    german = Question("Was braucht das Brot, das der Bäcker mit der Hefe macht?", "A")
    assert accept.refusal(german, trace(), claims(Verdict.SUPPORTED)) == "the question is in German"


@given(st.floats(-1.5, 1.5), st.floats(-50, 1), st.lists(st.floats(0, 1), min_size=1))
def test_signals_are_between_0_and_1(score: float, logprob: float, scores: list[float]) -> None:
    found = trace(best_score=score, mean_logprob=logprob)
    checked = [ClaimResult("s", 0, 1, Verdict.CHECK, one) for one in scores]
    values = [signal_of(signal, found, checked) for signal in Signal]
    assert all(value is not None and 0 <= value <= 1 for value in values)
    assert signal_of(Signal.SUPPORT, found, checked) == 1 - max(scores)


def test_a_step_has_a_model_or_a_pipeline_and_no_unknown_key() -> None:
    with pytest.raises(ValidationError, match="either a model or a pipeline"):
        Step(model="m", pipeline="p")
    with pytest.raises(ValidationError, match="suported"):
        Step.model_validate({"accept": {"suported": True}})
    names = [Step(model="/models/small.gguf").name, Step(pipeline="P@2").name, Step().name]
    assert names == ["small", "P@2", "the active model"]


def test_every_signal_and_class_is_described() -> None:
    assert all(one.description for one in (*Signal, *QuestionClass))
