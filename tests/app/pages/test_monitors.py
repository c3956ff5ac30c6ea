"""The page Monitors: its filters and tabs, and one task at a time. Its panels are tested beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import ask_once, button_of, click, notices, texts
from fakes import ScriptedModel, drive
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.monitors.page import MonitorsPage
from rag import operations
from rag.errors import ModelError
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

Settle = Callable[[], None]


def opened(qtbot: QtBot, console: Console, settle: Settle) -> MonitorsPage:
    """The page in view, with everything read."""
    page = MonitorsPage(console)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    settle()
    return page


@pytest.fixture
def asked(open_workspace: Workspace, documents: Path) -> Workspace:
    """The collection Notes, and one answer of it."""
    drive(ingest_files(open_workspace, "Notes", [documents]))
    ask_once(open_workspace, "How long does rye bread rest?")
    return open_workspace


def test_without_a_question_the_page_offers_to_ask_one(
    qtbot: QtBot, console: Console, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    assert page._stack.currentIndex() == 0
    assert "Nothing to watch yet" in texts(page._stack.currentWidget())
    with qtbot.waitSignal(page.ask_requested):
        click(qtbot, page, "Ask a question")


def test_the_tabs_are_those_of_the_monitors(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    assert page._stack.currentIndex() == 1
    titles = [page.tabs.tabText(number) for number in range(page.tabs.count())]
    assert titles == ["Measures", "Drift", "Disagreements", "Regression questions", "Alerts"]


def test_the_filters_offer_what_was_asked_and_set_the_scope(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    entries = {
        box.accessibleName(): [box.itemText(number) for number in range(box.count())]
        for box in (page.collection_box, page.model_box, page.window_box)
    }
    assert entries == {
        "Collection": ["All collections", "Notes"],
        "Model": ["All models", "scripted"],
        "Window": ["Last 20 questions", "Last 50 questions", "Last 100 questions", "Last 200 questions"],
    }
    assert page.prompt_box.count() == 2
    page.collection_box.setCurrentIndex(1)
    page.prompt_box.setCurrentIndex(1)
    settle()
    assert page.scope.collection == "Notes"
    assert page.scope.prompt == page.prompt_box.itemData(1)
    assert page.scope.model == ""


def test_a_choice_stays_when_the_data_change(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    page.collection_box.setCurrentIndex(1)
    settle()
    ask_once(asked, "And how long do stars rest?")
    page.refresh()
    settle()
    assert page.collection_box.currentText() == "Notes"


def test_each_tab_shows_only_the_filters_it_uses(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    shown = {}
    boxes = (page.collection_box, page.model_box, page.window_box)
    for number in range(page.tabs.count()):
        page.tabs.setCurrentIndex(number)
        settle()
        shown[page.tabs.tabText(number)] = [not box.isHidden() for box in boxes]
    assert shown == {
        "Measures": [True, True, True],
        "Drift": [True, True, False],
        "Disagreements": [True, True, False],
        "Regression questions": [True, False, False],
        "Alerts": [False, False, False],
    }


def test_the_tab_and_the_window_are_remembered(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    first = opened(qtbot, console, settle)
    first.show_alerts()
    first.window_box.setCurrentIndex(0)
    settle()
    second = opened(qtbot, console, settle)
    assert second.tabs.currentWidget() is second.alerts
    assert second.window_box.currentData() == 20


def test_changes_are_read_only_while_the_page_is_in_view(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    page.hide()
    page._refresh_if_visible()
    assert console.engine.tasks == []
    page.show()
    page._refresh_if_visible()
    assert console.engine.tasks != []
    settle()


def test_a_second_task_is_refused_while_one_runs(
    qtbot: QtBot, console: Console, asked: Workspace, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    first = page.run(operations.check_alerts)
    assert first is not None
    assert page.strip.is_busy
    assert page.run(operations.check_alerts) is None
    assert notices(console) == [("Another task is running. Wait for it, or cancel it.", "info")]
    settle()
    assert not page.strip.is_busy
    assert page.run(operations.check_alerts) is not None
    settle()


def test_a_task_that_fails_is_a_notice_and_makes_room_for_the_next(
    qtbot: QtBot, console: Console, asked: Workspace, model: ScriptedModel, settle: Settle
) -> None:
    page = opened(qtbot, console, settle)
    model.error = ModelError("The model ran out of memory.")
    page.regression.add_question("Notes", "How bright is Sirius?")
    settle()
    assert notices(console)[-1][1] == "bad"
    assert not page.strip.is_busy
    assert button_of(page, "Add a question…").isEnabled()
