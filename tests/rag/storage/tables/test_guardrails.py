"""Tables of guardrails: what may be there once, and how results begin."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.guardrails import (
    GuardMask,
    GuardPolicy,
    GuardPolicyBinding,
    GuardPolicyLabel,
    GuardPolicyVersion,
    GuardrailResult,
)


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (GuardPolicy, {"name": "Outside"}, {"name": "Inside"}),
        (GuardPolicyVersion, {"policy_id": 1, "number": 1}, {"number": 2}),
        (GuardPolicyLabel, {"policy_id": 1, "name": "production"}, {"name": "staging"}),
        (GuardPolicyBinding, {"policy_id": 1, "collection_id": 0}, {"collection_id": 1}),
        (GuardMask, {"trace_id": "a", "placeholder": "Person 1"}, {"placeholder": "Person 2"}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_nobody_has_reviewed_a_new_result() -> None:
    found = stored(row(GuardrailResult))
    assert (found["is_right"], found["review_note"], found["reviewed_ms"]) == (None, "", None)
