"""Drift is found where there is some, and similar questions answered differently are grouped."""

from typing import Any

import numpy as np
import pytest
from fakes import FakeEmbedder, drive
from stored_traces import DAY, add_traces

from rag.monitoring.alerts import (
    check_alerts,
    set_reference,
)
from rag.monitoring.drift import disagreements, drift, drift_sentence, embed, text_hash
from rag.monitoring.rows import AlertRow, DriftSubject, Scope, list_alerts
from rag.storage.store import now_ms
from rag.workspace import Workspace


def rule(workspace: Workspace, name: str) -> AlertRow:
    return next(row for row in list_alerts(workspace.database) if row.name == name)


TOPICS = ("bread rye sourdough oven flour", "tide boat harbour moon water")


def topic(which: int) -> Any:
    words = TOPICS[which].split()
    return lambda n: f"Question {words[n % 5]} {words[(n // 5) % 5]} {words[(n // 25) % 5]}?"


def test_a_change_of_topic_is_drift_and_the_same_topic_is_none(workspace: Workspace) -> None:
    add_traces(workspace, 60, now_ms() - 10 * DAY, question=topic(0), best_score=lambda n: 0.5 + 0.002 * n)
    add_traces(workspace, 60, now_ms() - DAY, question=topic(0), best_score=lambda n: 0.5 + 0.002 * n)
    assert [r.sentence for r in drive(drift(workspace, Scope()))] == ["no reference period is chosen"] * 2
    set_reference(workspace, "", "11d", "5d")
    same = drive(drift(workspace, Scope()))
    assert [result.what for result in same] == ["questions", "scores"]
    assert all(result.p is not None and result.p > 0.05 for result in same)
    assert all("no sign of drift" in r.sentence and "so few" in r.sentence for r in same)
    add_traces(workspace, 100, now_ms() - DAY // 2, question=topic(1), best_score=0.3)
    questions, scores = drive(drift(workspace, Scope()))
    assert questions.p == pytest.approx(0.001)
    assert scores.p is not None
    assert scores.p < 0.001
    assert questions.sentence.startswith("drift: p = 0.001, 100 against 60 questions")
    assert "tide" in " ".join(new.question for new in questions.least_alike)
    assert questions.least_alike[0].cosine <= questions.least_alike[-1].cosine
    states = {row.name: row.state for row in drive(check_alerts(workspace))}
    assert states["Other questions than before"] == states["Other scores than before"] == "firing"


def test_too_few_asks_are_not_tested(workspace: Workspace) -> None:
    add_traces(workspace, 60, now_ms() - 10 * DAY)
    add_traces(workspace, 15, now_ms() - DAY)
    set_reference(workspace, "", "11d", "5d")
    for result in drive(drift(workspace, Scope())):
        assert result.p is None
        assert "15 now, 60 in the reference period; 20 are needed in each" in result.sentence
    assert rule(workspace, "Other questions than before").state == "not enough data"


def test_vectors_are_made_once(workspace: Workspace) -> None:
    embedder = workspace.embedder
    assert isinstance(embedder, FakeEmbedder)
    first = drive(embed(workspace, "", ["a b", "c d", "a b"]))
    assert embedder.embedded_count == 2
    again = drive(embed(workspace, "", ["c d", "a b"]))
    assert embedder.embedded_count == 2
    assert np.array_equal(again, first[[1, 0]])


def test_similar_questions_with_answers_that_disagree_are_grouped(workspace: Workspace) -> None:
    begin = now_ms() - DAY
    long = "How long does the rye bread have to rest before it goes into the oven"

    def ask(question: str, answer: str, **values: Any) -> None:
        nonlocal begin
        begin += 1000
        add_traces(workspace, 1, begin, question=question, answer=answer, **values)

    ask(f"{long}?", "It rests 12 hours [1].")
    ask(f"{long}?", "It rests 10 hours [2].", model="other")
    ask(f"{long} today?", "It rests 12 hours [1].")
    ask("What is the price of the large tide table for 2031?", "It costs 9 euros.")
    ask("What is the price of the large tide table for 2032?", "It costs 11 euros.")
    ask("Who wrote the book about the stars and the sea?", "Ada wrote it.")
    ask("Who wrote the book about the stars and the sea?", "I cannot say.", outcome="refused")
    ask("Where does the boat to the island leave from?", "From the north pier.")
    ask("Where does the boat to the island leave from?", "From the north pier [1].")
    groups = drive(disagreements(workspace, Scope()))
    assert [(g.reasons, len(g.members)) for g in groups] == [(("other figures",), 3), (("some refuse",), 2)]
    assert groups[0].cause == "another model"
    assert groups[1].cause == ""
    assert groups[0].members[0].created_ms > groups[0].members[-1].created_ms
    assert drive(disagreements(workspace, Scope(model="other"))) == ()


@pytest.mark.parametrize(
    ("p", "count", "sentence"),
    [
        (0.5, 200, "no sign of drift: p = 0.50, 200 against 200 scores"),
        (0.5, 30, "no sign of drift: p = 0.50, 30 against 200 scores; so few show a large change only"),
        (0.02, 30, "a weak sign of drift: p = 0.020, 30 against 200 scores"),
        (0.0004, 30, "drift: p < 0.001, 30 against 200 scores"),
    ],
)
def test_a_test_says_what_its_size_allows_it_to_say(p: float, count: int, sentence: str) -> None:
    assert drift_sentence(DriftSubject.SCORES, p, count, 200) == sentence


def test_without_a_reference_period_nothing_is_tested(workspace: Workspace) -> None:
    for result in drive(drift(workspace, Scope())):
        assert (result.p, result.count, result.sentence) == (None, 0, "no reference period is chosen")


def test_a_text_has_one_key_whatever_is_in_it() -> None:
    assert text_hash("a") == text_hash("a") != text_hash("b")
    assert len(text_hash("\ud800 is no character")) == 64
