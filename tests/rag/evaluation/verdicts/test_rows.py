"""What was in the prompts of a run, read in one query."""

from __future__ import annotations

import pytest

from rag.evaluation.rows import CaseOutcome, list_results
from rag.evaluation.verdicts.rows import ShownPassage, list_shown_passages, outcome_word, read_flag_counts
from rag.workspace import Workspace
from tests.rag.evaluation.filled import start


def test_the_passages_of_the_prompts_are_read_in_their_order(filled: Workspace) -> None:
    (run,) = start(filled)
    traces = [result.trace_id for result in list_results(filled.database, run.id)]
    found = list_shown_passages(filled.database, traces)
    assert found, "the cases about bread and tides have passages"
    for trace, passages in found.items():
        assert trace in traces
        assert [passage.marker for passage in passages] == list(range(1, len(passages) + 1))
    assert "bread.md" in {passage.name.split(",")[0] for shown in found.values() for passage in shown}
    assert set(read_flag_counts(filled.database, traces)) == set(traces)
    assert list_shown_passages(filled.database, []) == read_flag_counts(filled.database, []) == {}


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ("ok", "ran"),
        ("assertion failed", "failed a check"),
        ("refused", "refused"),
        ("error", "error"),
        ("", ""),
    ],
)
def test_an_outcome_says_no_more_than_is_known(outcome: str, word: str) -> None:
    assert outcome_word(outcome) == word


def test_every_outcome_has_a_word_and_none_says_that_an_answer_is_right() -> None:
    words = [outcome_word(outcome) for outcome in CaseOutcome]
    assert len(set(words)) == len(words) and all(words)
    assert not {"ok", "right", "correct"} & set(words)


@pytest.mark.parametrize(("place", "name"), [("", "a.md"), ("Page 2", "a.md, Page 2")])
def test_a_passage_is_named_by_its_document_and_its_place(place: str, name: str) -> None:
    assert ShownPassage("t", 1, "a.md", "/d/a.md", place, 0, 1, "x").name == name


def test_traces_that_do_not_exist_have_nothing(filled: Workspace) -> None:
    for hostile in ("nope", "", '"]', "'; DROP TABLE trace; --"):
        assert list_shown_passages(filled.database, [hostile]) == {}
        assert read_flag_counts(filled.database, [hostile]) == {}
