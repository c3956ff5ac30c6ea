"""Tables of traces: what may be there once, and what a new trace begins with."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.traces import (
    CascadeStep,
    Claim,
    ConsistencyCheck,
    FlagLimits,
    FlagOpinion,
    Span,
    Trace,
    TraceHit,
)


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (Trace, {"id": "t"}, {"id": "u"}),
        (FlagOpinion, {"trace_id": "t", "start": 0}, {"start": 1}),
        (FlagLimits, {"collection_id": 1}, {"collection_id": 2}),
        (CascadeStep, {"trace_id": "t", "answer_id": "u", "position": 1}, {"trace_id": "u"}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_a_trace_has_any_number_of_spans_hits_claims_and_checks() -> None:
    for model in (Span, TraceHit, Claim, ConsistencyCheck):
        assert saves(*(row(model, trace_id="t") for _ in range(3)))


def test_a_new_trace_knows_no_figure_of_its_answer() -> None:
    found = stored(row(Trace, id="t"))
    unknown = ("first_token_ms", "tokens_per_s", "support_rate", "best_score", "min_logprob", "version_id")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert (found["source"], found["answer"], found["claim_count"]) == ("person", "", 0)


def test_limits_of_a_collection_change_nothing_until_they_are_set() -> None:
    found = stored(row(FlagLimits, collection_id=1))
    assert (found["check_from"], found["unsupported_from"], found["slope"], found["intercept"]) == (
        None,
        None,
        1.0,
        0.0,
    )
