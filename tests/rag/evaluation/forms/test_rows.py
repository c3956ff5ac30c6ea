"""Questions that people asked, by session, and what became of them."""

from __future__ import annotations

from driving import ask_once

from rag.evaluation.forms.rows import TracesAdded, list_asked_sessions
from rag.workspace import Workspace


def test_sessions_are_named_by_their_first_question(filled: Workspace) -> None:
    assert list_asked_sessions(filled.database) == []
    ask_once(filled, "What does rye bread need?", collection="A")
    ask_once(filled, "How far does the tide rise?", collection="A")
    found = list_asked_sessions(filled.database)
    assert [(one.question, one.collection, one.count) for one in found] == [
        ("How far does the tide rise?", "A", 1),
        ("What does rye bread need?", "A", 1),
    ]


def test_the_counts_are_told_in_a_sentence() -> None:
    assert TracesAdded("Gold", 1, 0, 0).sentence() == "1 question is in “Gold” now."
    assert TracesAdded("Gold", 3, 2, 1).sentence() == (
        "3 questions are in “Gold” now; 2 repetitions left out. 1 case has no right answer yet, because the "
        "answer was flagged or missing."
    )
