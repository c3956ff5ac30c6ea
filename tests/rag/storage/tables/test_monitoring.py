"""Tables of monitoring: what may be there once, and the rules of a new data folder."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.monitoring import (
    DEFAULT_RULES,
    AlertRule,
    QuestionVector,
    ReferencePeriod,
    RegressionQuestion,
    RegressionResult,
)


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (ReferencePeriod, {"collection": ""}, {"collection": "A"}),
        (AlertRule, {"name": "Slow"}, {"name": "Slower"}),
        (QuestionVector, {"text_hash": "h", "embedder": "e"}, {"embedder": "f"}),
        (RegressionQuestion, {"collection_id": 1, "question": "Why?"}, {"collection_id": 2}),
        (RegressionResult, {"run_id": 1, "question_id": 1}, {"run_id": 2}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_a_new_rule_has_not_enough_data_and_is_enabled() -> None:
    found = stored(row(AlertRule, name="Slow"))
    assert (found["state"], found["enabled"], found["value"]) == ("not enough data", True, None)


def test_the_rules_of_a_new_data_folder_are_sound() -> None:
    names = [rule[0] for rule in DEFAULT_RULES]
    assert len(set(names)) == len(names)
    for name, measure, comparison, threshold, window, minimum, note in DEFAULT_RULES:
        assert measure and comparison in ("above", "below"), name
        assert threshold is None or 0 < threshold < 1, name
        assert 0 < minimum <= window, name
        assert note.endswith("."), name
