"""Tables of traces: what may be there once, and what a new trace begins with."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.contents import Content, content_of, is_text
from rag.storage.tables.traces import (
    AskSession,
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
        (AskSession, {"id": "s"}, {"id": "other"}),
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


@pytest.mark.parametrize(
    ("model", "column", "kind"),
    [
        (Trace, "question", Content.WRITTEN),
        (Trace, "answer", Content.DERIVED),
        (Trace, "thinking", Content.DERIVED),
        (Trace, "prompt", Content.COPY),
        (Trace, "error", Content.WRITTEN),
        (Trace, "settings", Content.WRITTEN),
        (Trace, "served_model", Content.NAME),
        (Trace, "sent_to", Content.NAME),
        (AskSession, "name", Content.WRITTEN),
        (CascadeStep, "reason", Content.DERIVED),
        (Span, "detail", Content.WRITTEN),
        (TraceHit, "text", Content.COPY),
        (TraceHit, "place", Content.COPY),
        (TraceHit, "path", Content.NAME),
        (Claim, "text", Content.DERIVED),
        (Claim, "reason", Content.DERIVED),
        (Claim, "evidence_text", Content.COPY),
        (FlagOpinion, "note", Content.WRITTEN),
        (ConsistencyCheck, "samples", Content.DERIVED),
    ],
)
def test_an_erasure_finds_each_text_that_may_quote_a_document(
    model: type[SQLModel], column: str, kind: Content
) -> None:
    assert content_of(SQLModel.metadata.tables[str(model.__tablename__)].columns[column]) is kind


@pytest.mark.parametrize(
    "model",
    [Trace, AskSession, CascadeStep, Span, TraceHit, Claim, FlagOpinion, FlagLimits, ConsistencyCheck],
)
def test_no_text_of_an_answer_is_without_its_mark(model: type[SQLModel]) -> None:
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    assert [c.name for c in table.columns if is_text(c) and content_of(c) is None] == []


@pytest.mark.parametrize("name", ["endpoint", "sent_to", "served_model", "usage", "pipeline", "application"])
def test_a_new_trace_stayed_on_this_computer(name: str) -> None:
    assert stored(row(Trace, id="t"))[name] == ""


def test_a_new_session_is_listed_and_named_by_its_first_question() -> None:
    found = stored(row(AskSession, id="s"))
    assert (found["name"], found["is_pinned"], found["deleted_ms"], found["leaf"]) == ("", False, None, "")


def test_an_answer_has_all_steps_that_were_tried_for_it() -> None:
    assert saves(*(row(CascadeStep, trace_id=f"t{n}", answer_id="t3", position=n) for n in (1, 2, 3)))


def test_opinions_on_the_same_place_of_other_answers_are_others() -> None:
    assert saves(row(FlagOpinion, trace_id="t", start=0), row(FlagOpinion, trace_id="u", start=0))
