"""The tabs Steps, Agents and Session of a received trace, and the search over steps."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from agent_spans import TRACE, rows_of, span
from driving import ask_once, click, column, rows
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.page import TracesPage
from app.pages.traces.steps.agents_panel import summary as agents_summary
from app.pages.traces.steps.detail import MOST_SHOWN, figures_of, readable, shortened
from app.pages.traces.steps.graph import MOST_DRAWN
from app.pages.traces.steps.session_panel import summary as session_summary
from app.widgets.labels import KeyValueGrid
from rag.asking.traces import delete_traces
from rag.interchange.agents.calls.rows import APPLICATION, Call, Calls, Party, PartyKind, PartySum
from rag.interchange.agents.rows import SessionSum, StepDetail
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


# --- words and figures ------------------------------------------------------------------------------------


(STEP,) = rows_of([span(1, name="step")])
DETAIL = StepDetail(STEP, "", "", {}, {}, (), "", "")


@pytest.mark.parametrize(
    ("changes", "pairs"),
    [
        ({"prompt_tokens": 1_200}, {"Tokens": "1,200 prompt"}),
        ({"prompt_tokens": 0, "completion_tokens": 3}, {"Tokens": "0 prompt, 3 completion"}),
        ({"total_tokens": 7}, {"Tokens": "7"}),
        ({"total_tokens": 7, "completion_tokens": 3}, {"Tokens": "3 completion"}),
        ({"cost_usd": 0.0}, {"Cost": "$0.000000, as its sender says"}),
        ({"is_counted": False}, {"Counted": "no: another step is about the same call"}),
        ({"is_orphan": True}, {"Step above": "it never arrived"}),
        ({"clock": "odd"}, {"Times": "odd"}),
        ({"agent": "a", "called_from": "b"}, {"Agent": "a", "Called from": "b"}),
        ({"tool": "look", "model": "m"}, {"Tool": "look", "Model": "m"}),
    ],
)
def test_figures_are_those_that_were_told(changes: dict[str, object], pairs: dict[str, str]) -> None:
    plain = dict(figures_of(STEP, DETAIL))
    assert list(plain) == ["Kind", "Time", "Span"]
    found = dict(figures_of(replace(STEP, **changes), DETAIL))
    assert {name: value for name, value in found.items() if name not in plain} == pairs


def test_application_and_instrumentation_are_figures_too() -> None:
    found = dict(figures_of(STEP, replace(DETAIL, service="desk", scope="openai")))
    assert (found["Application"], found["Instrumentation"]) == ("desk", "openai")
    assert found["Time"] == "1,000 ms, from 0.0 to 1,000.0 ms"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain", "plain"),
        ('"a"', '"a"'),
        ("[1]", "[\n  1\n]"),
        ('  {"ä": 1}', '{\n  "ä": 1\n}'),
        ("{broken", "{broken"),
        ("[" * 100_000, "[" * 100_000),
        ("[" + "1," * MOST_SHOWN + "1]", "[" + "1," * MOST_SHOWN + "1]"),
    ],
    ids=range(8),
)
def test_json_is_broken_into_lines_and_anything_else_is_as_it_is(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize(
    ("more", "said"), [(0, ""), (1, "… 1 more character:"), (1_234, "… 1,234 more characters:")]
)
def test_of_a_text_that_is_too_long_the_rest_is_named(more: int, said: str) -> None:
    found = shortened("x" * (MOST_SHOWN + more))
    assert found.startswith("x" * MOST_SHOWN)
    assert said in found and ("ragdeck traces steps" in found) is bool(more)


SUM = SessionSum(2, 0, 0, 61_000, 3_000.0, 9, 3, 1, 0, 1_200, 30, 0.5, 0)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({}, "$0.5000"),
        ({"without_cost": 1}, "$0.5000 (1 trace did not tell it)"),
        ({"cost_usd": None, "without_cost": 2}, "cost not told"),
        ({"failed": 1}, "1 failed"),
        ({"traces": 1}, "1 trace"),
        ({"steps": 1_000}, "1,000 steps"),
        ({"tool_calls": 1}, "1 tool call, 1 failed"),
        ({"loops": 1}, "1 loop"),
        ({"busy_ms": 12_000.0}, "12.0 s at work in 61.0 s"),
    ],
)
def test_a_session_is_summed_up_in_a_line(changes: dict[str, object], part: str) -> None:
    assert part in session_summary(replace(SUM, **changes)).split("  ·  ")


def test_a_session_without_a_failure_says_nothing_of_failures() -> None:
    assert session_summary(SUM) == (
        "2 traces  ·  9 steps  ·  3 tool calls, 1 failed  ·  0 loops  ·  1,200 + 30 tokens  ·  $0.5000  ·  "
        "3,000 ms at work in 61.0 s"
    )


def called(*names: str, kind: PartyKind = PartyKind.TOOL) -> Calls:
    parties = [Party(kind, name) for name in names]
    calls = tuple(Call(APPLICATION, party, 1, 0, 1.0) for party in parties)
    return Calls(calls, tuple(PartySum(party, 1, 0, 1.0) for party in parties), ())


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Calls((), (), ()), "This trace names no agent and no tool."),
        (called(""), "This trace names no agent and no tool."),
        (called("a"), "1 tool"),
        (called("a", "b"), "2 tools"),
        (called("a", "b", kind=PartyKind.AGENT), "2 agents"),
        (called(*(f"t{n}" for n in range(50))),
         "50 tools  ·  the 40 with the most calls are drawn, the tables have all"),
    ],
)  # fmt: skip
def test_who_takes_part_is_said_in_a_line(found: Calls, line: str) -> None:
    assert agents_summary(found) == line


@pytest.mark.parametrize("count", [38, 39, 40, 41])
def test_only_where_something_is_not_drawn_is_it_said(count: int) -> None:
    line = agents_summary(called(*(f"t{n}" for n in range(count))))
    assert ("are drawn" in line) is (count + 1 > MOST_DRAWN)
