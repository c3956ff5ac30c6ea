"""The tabs Steps, Agents and Session of a received trace, and the search over steps."""

from __future__ import annotations

import json

import pytest
from agent_spans import TRACE
from driving import ask_once, click, column, rows
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.page import TracesPage
from app.pages.traces.steps.detail import MOST_SHOWN, readable, shortened
from app.widgets.labels import KeyValueGrid
from rag.asking.traces import delete_traces
from rag.workspace import Workspace

LOOPING, NEXT = "cd" * 16, "ef" * 16


def tabs(page: TracesPage) -> list[str]:
    found = page.view.tabs
    return [found.tabText(n) for n in range(found.count()) if found.isTabVisible(n)]


def figure(grid: KeyValueGrid, name: str) -> str:
    found = [shown.text() for shown in grid.findChildren(QLabel) if not shown.isHidden()]
    return found[found.index(name) + 1]


def test_a_received_trace_has_tabs_for_its_steps(handed: TracesPage) -> None:
    assert tabs(handed)[:4] == ["Overview", "Steps", "Agents", "Session"]
    assert not handed.view.waterfall.isVisible()
    assert handed.view.open_steps.text() == "Show its 9 steps"
    handed.view.open_steps.click()
    assert handed.view.tabs.currentWidget() is handed.view.step_tree
    assert handed.view.step_tree.count.text().startswith("9 steps  ·  chain 1  ·  agent 2  ·  model 3")


def test_our_own_trace_keeps_its_bars(
    qtbot: QtBot, notes: object, open_workspace: Workspace, console: Console
) -> None:
    own = ask_once(open_workspace, "How long does rye bread rest?", "It rests 14 hours [1].")
    page = TracesPage(console)
    qtbot.addWidget(page)
    page.show()
    page.open_trace(own)
    assert "Steps" not in tabs(page) and "Agents" not in tabs(page) and page.view.waterfall.isVisible()
    assert page.view.waterfall._bars and not page.view.open_steps.isVisible()
    assert not page.lists.tabBar().isVisible(), "there is no step to look for"


def test_a_chosen_step_shows_what_went_in_and_out(qtbot: QtBot, handed: TracesPage) -> None:
    view = handed.view
    view.tabs.setCurrentWidget(view.step_tree)
    view.step_tree.tree.choose(7)
    detail = view.step_tree.detail
    qtbot.waitUntil(lambda: detail.title.text() == "7. find_order")
    assert json.loads(detail.output.toPlainText()) == {"order": 7, "state": "delivered"}
    assert detail.input.toPlainText() == '{\n  "id": 7\n}'
    assert figure(detail.figures, "Tool") == "find_order" and not detail.error.isVisible()
    assert '"tool.name": "find_order"' in detail.attributes.toPlainText()
    view.step_tree.tree.choose(6)
    qtbot.waitUntil(lambda: detail.title.text() == "6. chat")
    assert figure(detail.figures, "Tokens") == "200 prompt, 20 completion"
    assert figure(detail.figures, "Cost") == "$0.004000, as its sender says"


def test_errors_are_stepped_through_as_plain_text(qtbot: QtBot, looped: TracesPage) -> None:
    panel = looped.view.step_tree
    looped.view.tabs.setCurrentWidget(panel)
    click(qtbot, panel, "Next error")
    qtbot.waitUntil(lambda: panel.detail.error.isVisible())
    assert panel.detail.title.text().endswith("<b>open</b> page")
    assert panel.detail.error.text() == "Error: <i>off</i>"
    number = panel.tree.number
    panel.choose_next_error()
    assert panel.tree.number == number, "it is the only one"
    looped.open_trace(TRACE)
    assert not panel.next_error.isEnabled() and panel.next_error.toolTip() == "No step failed."


def test_a_trace_that_was_deleted_meanwhile_is_said(
    qtbot: QtBot, handed: TracesPage, console: Console, open_workspace: Workspace
) -> None:
    panel = handed.view.step_tree
    handed.view.tabs.setCurrentWidget(panel)
    with open_workspace.store.session() as session:
        delete_traces(session, [TRACE])
    panel.tree.choose(3)
    qtbot.waitUntil(lambda: bool(console.notices))  # type: ignore[attr-defined]
    assert "There is no step" in console.notices[-1][0]  # type: ignore[attr-defined]


def test_long_and_odd_texts_are_shown_as_they_can_be() -> None:
    assert readable("{broken") == "{broken" and readable("[" * 9000) == "[" * 9000
    assert readable('{"ä": 1}') == '{\n  "ä": 1\n}'
    cut = shortened("x" * (MOST_SHOWN + 5))
    assert "5 more characters" in cut and shortened("short") == "short"


# --- agents -----------------------------------------------------------------------------------------------


def test_calls_are_drawn_and_listed(handed: TracesPage) -> None:
    agents = handed.view.agents
    handed.view.tabs.setCurrentWidget(agents)
    assert agents.count.text() == "2 agents  ·  3 tools" and not agents.loops_line.isVisible()
    assert column(agents.calls, "Caller") == ["(application)", "triage", "triage", "refunds", "refunds"]
    assert column(agents.sums, "Tokens")[:2] == ["500 + 20", "100 + 10"]
    named = {party.title: place for party, place in agents.graph.places.items()}
    assert named["(application)"].left() < named["triage"].left() < named["refunds"].left()
    assert "triage calls refunds 1×" in agents.graph.accessibleDescription()


def test_a_box_chooses_its_row(qtbot: QtBot, handed: TracesPage) -> None:
    agents = handed.view.agents
    handed.view.tabs.setCurrentWidget(agents)
    agents.tabs.setCurrentWidget(agents.calls)
    (place,) = [place for party, place in agents.graph.places.items() if party.name == "refund"]
    agents.graph.centerOn(place.center())
    point: QPoint = agents.graph.mapFromScene(place.center())
    qtbot.mouseClick(agents.graph.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert agents.tabs.currentWidget() is agents.sums
    assert [one.party.name for one in agents.sums.selected_records()] == ["refund"]


def test_a_loop_is_named_with_its_waste_and_opens_its_last_step(looped: TracesPage) -> None:
    agents = looped.view.agents
    looped.view.tabs.setCurrentWidget(agents)
    assert agents.loops_line.text().endswith("4 times with the same arguments, which spent 330 tokens")
    assert rows(agents.loops) == [["search", "4", "330", "3,000 ms"]]
    agents.loops.record_activated.emit(agents.loops.records_model.record_at(0))
    assert looped.view.tabs.currentWidget() is looped.view.step_tree
    number = looped.view.step_tree.tree.number
    assert looped.view.step_tree.tree.steps_model.steps[number - 1].span_id == f"{23:016x}"


# --- sessions ---------------------------------------------------------------------------------------------


def test_the_traces_of_a_session_are_listed_with_their_sums(handed: TracesPage) -> None:
    session = handed.view.session
    assert [trace.id for trace in session.table.records_model.records] == [TRACE, NEXT]
    assert [trace.id for trace in session.table.selected_records()] == [TRACE]
    assert session.sums.text().startswith("2 traces  ·  18 steps  ·  6 tool calls, 0 failed")
    assert "$0.0120" in session.sums.text() and "40.0 s at work in 620.0 s" in session.sums.text()
    session.table.record_activated.emit(session.table.records_model.record_at(1))
    assert handed.trace_id == NEXT
    handed.open_trace(LOOPING)
    assert "Session" not in tabs(handed)


# --- the search -------------------------------------------------------------------------------------------


@pytest.fixture
def searching(page: TracesPage) -> TracesPage:
    assert page.lists.tabBar().isVisible()
    page.lists.setCurrentWidget(page.step_search)
    return page


def test_steps_are_found_and_opened_in_their_trace(qtbot: QtBot, searching: TracesPage) -> None:
    search = searching.step_search
    assert search.count.text() == "28 steps"
    qtbot.keyClicks(search.name, "refund")
    qtbot.waitUntil(lambda: search.count.text() == "6 steps")
    search.kind.setCurrentIndex(search.kind.findData("agent"))
    assert column(search.table, "Step") == ["refunds", "refunds"]
    search.name.clear()
    search.kind.setCurrentIndex(0)
    search.errors.setChecked(True)
    qtbot.waitUntil(lambda: search.count.text() == "1 step")
    assert column(search.table, "Text") == ["Error: <i>off</i>"]
    search.table.selectRow(0)
    assert searching.trace_id == LOOPING
    panel = searching.view.step_tree
    assert searching.view.tabs.currentWidget() is panel
    assert panel.tree.steps_model.steps[panel.tree.number - 1].error == "Error: <i>off</i>"


def test_words_of_texts_are_found(qtbot: QtBot, searching: TracesPage) -> None:
    search = searching.step_search
    qtbot.keyClicks(search.text, "20 eur")
    qtbot.waitUntil(lambda: search.count.text() == "2 steps")
    qtbot.keyClicks(search.text, " nothing")
    qtbot.waitUntil(lambda: search.count.text() == "0 steps")
