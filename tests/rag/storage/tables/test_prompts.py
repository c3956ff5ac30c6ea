"""Tables of prompts: what may be there once, and that labels move."""

from typing import Any

import pytest
from sqlmodel import SQLModel
from table_rows import row, saves, stored

from rag.storage.tables.prompts import Prompt, PromptLabel, PromptLabelMove, PromptVersion


@pytest.mark.parametrize(
    ("model", "same", "other"),
    [
        (Prompt, {"name": "default"}, {"name": "short"}),
        (PromptVersion, {"prompt_id": 1, "number": 1}, {"number": 2}),
        (PromptLabel, {"prompt_id": 1, "name": "production"}, {"name": "staging"}),
    ],
)
def test_what_must_be_there_once_is_refused_twice(
    model: type[SQLModel], same: dict[str, Any], other: dict[str, Any]
) -> None:
    assert not saves(row(model, **same), row(model, **same))
    assert saves(row(model, **same), row(model, **{**same, **other}))


def test_a_label_may_move_any_number_of_times() -> None:
    moves = [row(PromptLabelMove, prompt_id=1, label="production", to_number=n) for n in (1, 2, 1, None)]
    assert saves(*moves)


def test_the_first_move_of_a_label_comes_from_no_version() -> None:
    found = stored(row(PromptLabelMove, prompt_id=1, label="production", to_number=1))
    assert (found["from_number"], found["to_number"], found["note"]) == (None, 1, "")
