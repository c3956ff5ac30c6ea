"""The page Review: its tabs and the feedback. The other panels are tested beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import ask_once, column, rows
from fakes import drive
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.review.page import ReviewPage
from rag.evaluation.pipelines import make_config, save_pipeline
from rag.knowledge.ingest import ingest_files
from rag.review.feedback import add_feedback
from rag.review.rollouts import start_rollout
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def notes(open_workspace: Workspace, documents: Path) -> Workspace:
    drive(ingest_files(open_workspace, "Notes", [documents]))
    return open_workspace


def opened(qtbot: QtBot, console: Console, settle: Settle) -> ReviewPage:
    page = ReviewPage(console)
    qtbot.addWidget(page)
    page.show()
    settle()
    return page


def test_the_page_has_a_tab_for_each_way_of_judging(qtbot: QtBot, console: Console, settle: Settle) -> None:
    page = opened(qtbot, console, settle)
    titles = [page.tabs.tabText(number) for number in range(page.tabs.count())]
    assert titles == ["Queue", "Drafts", "Feedback", "Roll-out"]


def test_the_chosen_tab_is_remembered(qtbot: QtBot, console: Console, settle: Settle) -> None:
    first = opened(qtbot, console, settle)
    first.tabs.setCurrentIndex(2)
    assert opened(qtbot, console, settle).tabs.currentIndex() == 2


def test_feedback_is_listed_and_its_trace_is_opened(
    qtbot: QtBot, console: Console, notes: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    assert rows(page.feedback) == []
    trace = ask_once(notes, "How long does rye bread rest?", "Three hours [1].")
    add_feedback(
        notes,
        trace,
        False,
        reason="wrong",
        note="look it up",
        correction="12\nhours",
        author="Ann",
        tags=["bread"],
    )
    console.data_changed.emit()
    (row,) = rows(page.feedback)
    assert row[1:] == [
        "Ann",
        "down",
        "wrong: look it up",
        "How long does rye bread rest?",
        "12 hours",
        "bread",
        "",
    ]
    page.feedback.selectRow(0)
    with qtbot.waitSignal(page.trace_requested) as signal:
        qtbot.keyClick(page.feedback, Qt.Key.Key_Return)
    assert signal.args == [trace]


def test_a_thumb_up_has_no_reason(qtbot: QtBot, console: Console, notes: Workspace, settle: Settle) -> None:
    add_feedback(notes, ask_once(notes, "How bright is Sirius?"), True, author="Bob")
    page = opened(qtbot, console, settle)
    assert column(page.feedback, "Reason") == [""]
    assert rows(page.feedback)[0][2] == "up"


def test_a_rollout_is_brought_into_view(
    qtbot: QtBot, console: Console, notes: Workspace, settle: Settle
) -> None:
    config = make_config({"collection": "Notes", "retrieval": {"max_passages": 1}})
    save_pipeline(notes, "Short", config)
    found = start_rollout(notes, "canary", collection="Notes", staging="Short", share=0.5)
    page = opened(qtbot, console, settle)
    page.show_rollout(found.id)
    settle()
    assert page.tabs.currentWidget() is page.rollouts
    assert page.rollouts.title.text().startswith("Canary: “Short 1”")


def test_reading_again_when_the_page_comes_into_view(
    qtbot: QtBot, console: Console, notes: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    page.hide()
    add_feedback(notes, ask_once(notes, "How bright is Sirius?"), True, author="Bob")
    assert rows(page.feedback) == []
    page.show()
    assert column(page.feedback, "By") == ["Bob"]
