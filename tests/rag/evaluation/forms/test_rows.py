"""Questions that people asked, by session, and what became of them."""

from __future__ import annotations

import sqlite3

import pytest
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


@pytest.mark.parametrize(
    ("added", "says"),
    [
        (TracesAdded("S", 0, 0, 0), "0 questions are in “S” now."),
        (TracesAdded("S", 1, 1, 0), "1 question is in “S” now; 1 repetition left out."),
        (TracesAdded("S", 2000, 0, 0), "2,000 questions are in “S” now."),
        (TracesAdded("S", 2, 0, 2), "2 questions are in “S” now. 2 cases have no right answer yet, because "),
    ],
)
def test_what_did_not_happen_is_not_told(added: TracesAdded, says: str) -> None:
    assert added.sentence().startswith(says) and added.sentence().endswith(".")


def test_questions_of_one_session_are_counted_and_the_newest_come_first(filled: Workspace) -> None:
    for question in ("One?", "Two?", "Three?"):
        ask_once(filled, question, collection="A")
    with sqlite3.connect(filled.store.database) as raw:
        raw.execute("UPDATE trace SET session_id = 'talk' WHERE question IN ('One?', 'Two?')")
        raw.execute("UPDATE trace SET created_ms = 1 WHERE question = 'One?'")
        raw.execute("UPDATE trace SET created_ms = 2 WHERE question = 'Two?'")
    raw.close()
    found = list_asked_sessions(filled.database)
    assert [(one.question, one.count) for one in found] == [("Three?", 1), ("One?", 2)]
    assert (found[1].session_id, found[1].started_ms) == ("talk", 1)
    assert [one.question for one in list_asked_sessions(filled.database, limit=1)] == ["Three?"]
    with sqlite3.connect(filled.store.database) as raw:
        raw.execute("UPDATE trace SET source = 'api' WHERE question = 'Three?'")
    raw.close()
    assert [one.question for one in list_asked_sessions(filled.database)] == ["One?"], "only people ask"
