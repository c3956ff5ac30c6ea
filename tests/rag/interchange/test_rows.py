"""Spans of other applications are values: equal when everything that was sent is equal."""

import json
from dataclasses import asdict

from rag.interchange.rows import RawEvent, RawSpan, Step, StepKind, Usage


def test_a_span_survives_json_as_it_is_stored() -> None:
    span = RawSpan(
        "ab",
        "cd",
        "",
        "s",
        1,
        2**63,
        {"a": [1, {"b": None}]},
        (RawEvent("e", 3, {"x": 1.5}),),
        "broke",
        "bot",
    )
    body = json.loads(json.dumps(asdict(span)))
    assert RawSpan(**{**body, "events": tuple(RawEvent(**e) for e in body["events"])}) == span


def test_what_is_not_told_is_unknown_and_not_zero() -> None:
    assert Usage() == Usage(None, None, None, None, None) and Step(StepKind.LLM).cost_usd is None
    assert {kind.value for kind in StepKind} >= {"agent", "tool", "guardrail", "evaluator", "unknown"}


def test_a_model_is_called_so_by_people() -> None:
    assert (StepKind.LLM.words, StepKind.TOOL.words) == ("model", "tool")
