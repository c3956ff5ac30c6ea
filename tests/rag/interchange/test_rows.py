"""Spans of other applications are values: equal when everything that was sent is equal."""

import json
from dataclasses import asdict

import pytest

from rag.interchange.rows import (
    ExportQueue,
    ExportReport,
    RawEvent,
    RawSpan,
    ReceiverState,
    Step,
    StepKind,
    Usage,
)


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


HERE = "http://127.0.0.1:4318"


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (ReceiverState(), "The receiver is off."),
        (ReceiverState(spans=5, last_error="x"), "The receiver is off."),
        (ReceiverState(HERE), f"Receiving at {HERE}/v1/traces; 0 spans in 0 requests."),
        (
            ReceiverState(HERE, 1, 1, needs_token=True),
            f"Receiving at {HERE}/v1/traces, with a token; 1 span in 1 request.",
        ),
        (
            ReceiverState(
                HERE, 2, 1_000, refused=3, turned_away=1, failed=1_200, last_error="The disk is full."
            ),
            f"Receiving at {HERE}/v1/traces; 1,000 spans in 2 requests; 3 refused; 1 request told to come again; "
            "1,200 not written; last error: The disk is full.",
        ),
    ],
)
def test_a_receiver_is_described_in_one_sentence(state: ReceiverState, sentence: str) -> None:
    assert state.sentence() == sentence


@pytest.mark.parametrize(
    ("queue", "sentence"),
    [
        (ExportQueue(), "0 traces wait; 0 sent."),
        (ExportQueue(1, 2_000), "1 trace waits; 2,000 sent."),
        (ExportQueue(3, 2, refused=1), "3 traces wait; 2 sent; 1 refused."),
        (ExportQueue(dropped=4), "0 traces wait; 0 sent; 4 dropped because too many waited."),
        (ExportQueue(1, last_error="It is off."), "1 trace waits; 0 sent; last error: It is off."),
    ],
)
def test_a_queue_is_described_in_one_sentence(queue: ExportQueue, sentence: str) -> None:
    assert queue.sentence() == sentence


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (ExportReport(), "0 traces sent."),
        (ExportReport(1), "1 trace sent."),
        (ExportReport(2_000, 1, 3), "2,000 traces sent, 1 refused, 3 still waiting."),
        (ExportReport(waiting=1, error="It is off."), "0 traces sent, 1 still waiting. It is off."),
    ],
)
def test_what_was_sent_is_said(report: ExportReport, sentence: str) -> None:
    assert report.sentence() == sentence
