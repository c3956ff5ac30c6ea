"""Which passage carries a sentence, in one click from the sentence; what it takes is said before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driving import click, column, notices
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.traces.page import TracesPage
from app.pages.traces.replay.carry_panel import CarryPanel
from rag.asking.replay.rows import list_replays, read_attribution
from rag.asking.rows import get_trace
from rag.errors import ModelError
from rag.finding.rows import Kind
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

Settle = Callable[[], None]
QUESTION = "Which passage carries this sentence?"


@pytest.fixture
def panel(page: TracesPage) -> CarryPanel:
    """The panel in the tab Flags, with the first sentence chosen."""
    tabs = page.view.tabs
    tabs.setCurrentIndex(next(n for n in range(tabs.count()) if tabs.tabText(n) == "Flags"))
    page.view.claims.selectRow(0)
    assert page.view.carry.isVisible()
    return page.view.carry


def test_one_click_names_the_passage_and_what_falls_with_it(
    qtbot: QtBot, panel: CarryPanel, settle: Settle, console: Console, trace_id: str, page: TracesPage
) -> None:
    passages = get_trace(console.database, trace_id).passage_count
    assert panel.progress.text().startswith(f"Takes {passages + 1} answers, about")
    click(qtbot, panel, QUESTION)
    settle()
    found = read_attribution(console.database, trace_id)
    assert found is not None and len(found.answers) == passages + 1
    claim = found.claims[0]
    (carrier,) = found.carriers(claim.start)
    assert panel.said.text() == f"[{carrier}] carries this: without [{carrier}] it is not said."
    assert column(panel.table, "Left out") == [f"[{n}]" for n in range(1, passages + 1)]
    assert column(panel.table, "Sentences that fall without it")[carrier - 1] == claim.text
    assert [row.group_id for row in list_replays(console.database, trace_id)] == []


def test_what_was_found_is_there_again_and_holds_for_every_sentence(
    qtbot: QtBot, panel: CarryPanel, settle: Settle, page: TracesPage, trace_id: str
) -> None:
    panel.find_carrier()
    settle()
    first = panel.said.text()
    page.view.claims.selectRow(1)
    assert panel.said.text() != first and "carries this" in panel.said.text()
    page.open_trace(trace_id)
    page.view.claims.selectRow(0)
    assert panel.said.text() == first


def test_stopping_keeps_the_answers_and_names_what_was_not_tried(
    qtbot: QtBot, panel: CarryPanel, settle: Settle, model: Any
) -> None:
    model.gate.clear()
    click(qtbot, panel, QUESTION)
    qtbot.waitUntil(lambda: panel.progress.text().endswith("with all passages"))
    assert panel.stop.isVisible() and not panel.start.isEnabled()
    assert not panel.window().isActiveWindow() or panel.stop.hasFocus()
    qtbot.keyClick(panel.stop, Qt.Key.Key_Escape)
    model.gate.set()
    settle()
    assert not panel.stop.isVisible() and panel.start.isEnabled()
    assert "not answered again with all passages" in panel.said.text()
    assert set(column(panel.table, "Sentences that fall without it")) == {"not tried"}


def test_a_failure_is_told(
    qtbot: QtBot, panel: CarryPanel, settle: Settle, model: Any, console: Console
) -> None:
    model.load_error = ModelError("The model file is gone.")
    model.path = model.path.with_name("other.gguf")  # so that it is loaded again
    panel._console.engine.workspace.unload_model()  # type: ignore[attr-defined]
    panel.find_carrier()
    settle()
    assert notices(console)[-1] == ("The model file is gone.", "bad")


def test_a_row_opens_the_answer_without_that_passage(
    qtbot: QtBot, panel: CarryPanel, settle: Settle, console: Console, trace_id: str
) -> None:
    panel.find_carrier()
    settle()
    opened = QSignalSpy(console.place_requested)
    record = panel.table.records_model.record_at(1)
    panel.table.record_activated.emit(record)
    place = opened.at(0)[0]
    found = read_attribution(console.database, trace_id)
    assert found is not None
    assert place.kind is Kind.TRACE and place.key in {
        one.trace_id for one in found.answers if one.marker == 2
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"passage_count": 0}, "The prompt of this trace has no passages"),
        ({"prompt": ""}, "The model was not asked in this trace"),
    ],
)
def test_where_nothing_can_be_asked_the_button_says_why(
    page: TracesPage, open_workspace: Workspace, trace_id: str, values: dict[str, Any], reason: str
) -> None:
    with open_workspace.store.session() as session:
        trace = session.get_one(Trace, trace_id)
        for name, value in values.items():
            setattr(trace, name, value)
        session.add(trace)
    page.open_trace(trace_id)
    panel = page.view.carry
    assert not panel.start.isEnabled() and panel.start.toolTip() == reason
    assert panel.progress.text() == "" and panel.table.isHidden()
