"""The tab Cache of the page Costs: what was saved, hits with what a fresh answer said, and the safe threshold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from driving import answer_message, click, column, notices
from fakes import drive
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.costs.cache_panel import CachePanel, _compared
from rag.asking.cache.answering import answer_or_recall
from rag.asking.cache.rows import CacheHitRow, HitKind, ThresholdChoice, count_answers
from rag.asking.rows import Question
from rag.monitoring.cache_check import cache_state
from rag.workspace import Workspace

Settle = Callable[[], None]
QUESTION = "How long does rye bread rest?"
ROW = CacheHitRow("a", "b", HitKind.EXACT, None, 1, 0, "", "", 0, 0, 0.0, None, "", None, None)


@pytest.fixture
def asked(notes: Path, open_workspace: Workspace) -> list[str]:
    """The traces of a question that was asked twice."""
    return [drive(answer_or_recall(open_workspace, Question(QUESTION, "Notes"))).trace_id for _ in range(2)]


@pytest.fixture
def panel(qtbot: QtBot, console: Console) -> CachePanel:
    made = CachePanel(console)
    qtbot.addWidget(made)
    made.resize(1000, 400)
    made.show()
    return made


def test_a_hit_is_listed_with_what_it_saved_and_opens_its_trace(
    panel: CachePanel, asked: list[str], settle: Settle
) -> None:
    panel.refresh(0)
    settle()
    assert "Answered from the cache: 1 of 2 questions (50.0 %)" in panel.saved.text()
    assert panel.wrong.text() == "False hits: none was compared with a fresh answer yet."
    assert (column(panel.hits, "Found as"), column(panel.hits, "Fresh answer")) == (
        ["same question"],
        ["not yet"],
    )
    opened = QSignalSpy(panel.trace_requested)
    panel.hits.record_activated.emit(panel.hits.records_model.records[0])
    assert opened.at(0) == [asked[1]]


@pytest.mark.usefixtures("asked")
def test_comparing_now_answers_hits_afresh_and_says_what_was_found(
    panel: CachePanel, qtbot: QtBot, settle: Settle, console: Console
) -> None:
    panel.refresh(0)
    settle()
    click(qtbot, panel, "Compare now")
    settle()
    assert notices(console)[-1] == ("1 hit compared with a fresh answer, 0 false.", "good")
    panel.refresh(0)
    settle()
    assert column(panel.hits, "Fresh answer") == ["the same"]
    assert panel.wrong.text().startswith("False hits. Same question: 0 of 1 were false: 0.0 %")
    assert not panel.check_button.isEnabled()


@pytest.mark.usefixtures("asked")
def test_a_threshold_is_chosen_for_the_acceptable_share_of_false_hits(
    panel: CachePanel, qtbot: QtBot, settle: Settle, console: Console, open_workspace: Workspace
) -> None:
    panel.refresh(0)
    settle()
    assert "too few comparisons" in panel.safe.text()
    assert not panel.use_button.isEnabled()
    choices = (ThresholdChoice(0.7, 900, 12, 0.02), ThresholdChoice(0.9, 700, 0, 0.004))
    panel._show(replace(cache_state(open_workspace), choices=choices))
    assert panel.safe.text() == "Similarity from 0.9 on (0 of 700 false); in use: 0.8"
    panel.target_box.setCurrentIndex(2)
    assert panel.safe.text().startswith("Similarity from 0.7 on (12 of 900 false)")
    click(qtbot, panel, "Use this threshold")
    settle()
    assert console.settings.cache.threshold == 0.7


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"checked_ms": 5, "same_meaning": True, "same_citations": True}, "the same"),
        ({"checked_ms": 5, "same_meaning": False, "same_citations": False}, "other meaning"),
        ({"checked_ms": 5, "same_meaning": True, "same_citations": False}, "other citations"),
        ({"checked_ms": 5}, "no longer possible"),
        ({}, "not yet"),
    ],
)
def test_each_outcome_of_a_comparison_is_said(values: dict[str, object], said: str) -> None:
    assert _compared(replace(ROW, **values)) == said  # type: ignore[arg-type]


@pytest.mark.usefixtures("asked")
def test_clearing_asks_first(
    panel: CachePanel, qtbot: QtBot, settle: Settle, console: Console, open_workspace: Workspace
) -> None:
    panel.refresh(0)
    settle()
    answer_message("Clear")
    click(qtbot, panel, "Clear…")
    qtbot.waitUntil(lambda: count_answers(open_workspace.database) == 0, timeout=10_000)
    settle()
    assert notices(console)[-1] == ("Forgot 1 answer.", "good")
