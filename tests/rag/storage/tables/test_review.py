"""Tables of review: what may be there once, and what a new roll-out begins with."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.review import (
    Feedback,
    ProductionPipeline,
    Review,
    ReviewItem,
    ReviewQueue,
    Rollout,
    RolloutAnswer,
)


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (Feedback, {"trace_id": "t", "author": "me"}, {"author": "you"}),
        (ReviewQueue, {"name": "weekly"}, {"name": "daily"}),
        (ReviewItem, {"queue_id": 1, "trace_id": "t"}, {"queue_id": 2}),
        (Review, {"item_id": 1, "reviewer": "me"}, {"reviewer": "you"}),
        (RolloutAnswer, {"trace_id": "t"}, {"trace_id": "u"}),
        (ProductionPipeline, {"collection_id": 1}, {"collection_id": 0}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_a_new_rollout_runs() -> None:
    found = stored(row(Rollout, kind="canary"))
    assert (found["state"], found["ended_ms"], found["collection_id"]) == ("running", None, None)


def test_an_answer_of_a_rollout_is_not_picked_at_first() -> None:
    found = stored(row(RolloutAnswer, trace_id="t"))
    assert (found["picked"], found["pair"], found["position"]) == ("", "", 0)


def test_feedback_without_words_has_an_empty_list_of_tags() -> None:
    assert stored(row(Feedback, trace_id="t", author="me", is_up=True))["tags"] == "[]"
