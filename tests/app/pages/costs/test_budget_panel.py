"""The tab Budgets of the page Costs: setting, changing and removing a budget, and how it stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import answer_message, click, column, notices
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.costs.budget_panel import BudgetPanel
from app.pages.costs.page import CostsPage
from rag.costs.budgets.limits import set_budget
from rag.costs.budgets.rows import list_budgets
from rag.costs.usage import record_costs
from rag.storage.store import now_ms
from rag.storage.tables.traces import Span, Trace
from rag.workspace import Workspace

Settle = Callable[[], None]


@pytest.fixture
def panel(qtbot: QtBot, console: Console, open_workspace: Workspace) -> BudgetPanel:
    """The panel over a folder in which an endpoint has answered once, for 0.075 USD."""
    trace = Trace(
        id="a" * 32, session_id="s", created_ms=now_ms(), status="done", question="q", model="gpt-4o-mini",
        endpoint="cloud", sent_to="cloud.example", prompt_tokens=100_000, completion_tokens=100_000,
    )  # fmt: skip
    with open_workspace.store.session() as session:
        session.add(trace)
        session.add(Span(trace_id="a" * 32, name="generate", kind="LLM", start_ms=0, end_ms=1))
    record_costs(open_workspace)
    made = BudgetPanel(console)
    qtbot.addWidget(made)
    made.resize(1000, 400)
    made.show()
    made.refresh()
    return made


def test_a_budget_is_set_for_an_endpoint_that_has_answered(
    panel: BudgetPanel, qtbot: QtBot, settle: Settle, open_workspace: Workspace
) -> None:
    assert not panel.set_button.isEnabled()
    panel.name.setText("cloud")
    panel.amount.setValue(0.08)
    panel.currency.setText("USD")
    panel.target_box.setCurrentIndex(panel.target_box.findText("endpoint cloud"))
    panel.action_box.setCurrentIndex(panel.action_box.findText("then stop"))
    click(qtbot, panel, "Set")
    settle()
    (row,) = list_budgets(open_workspace.database)
    assert (row.target, row.action, row.unknown) == ("cloud", "stop", "ask")
    assert column(panel.table, "Spent") == ["0.075 USD of 0.08 USD a month"]
    assert column(panel.table, "State") == ["nearly used up"]


def test_a_chosen_budget_fills_the_fields_and_is_removed_after_a_yes(
    panel: BudgetPanel, qtbot: QtBot, settle: Settle, open_workspace: Workspace
) -> None:
    set_budget(open_workspace, "people", 3, "USD", "day", "source", "people", "ask", "stop")
    panel.refresh()
    assert not panel.remove_button.isEnabled()
    panel.table.selectRow(0)
    assert (panel.name.text(), panel.amount.value(), panel.currency.text()) == ("people", 3.0, "USD")
    assert panel.period_box.currentText() == "a day"
    assert panel.target_box.currentText() == "questions of people"
    assert panel.unknown_box.currentText() == "price unknown: stop"
    answer_message("Remove")
    click(qtbot, panel, "Remove…")
    qtbot.waitUntil(lambda: not list_budgets(open_workspace.database), timeout=10_000)
    settle()
    assert column(panel.table, "Budget") == []


def test_what_is_wrong_is_told(panel: BudgetPanel, qtbot: QtBot, settle: Settle, console: Console) -> None:
    panel.name.setText("b")
    panel.currency.setText("E")
    click(qtbot, panel, "Set")
    settle()
    assert "not a currency" in notices(console)[-1][0]


def test_the_page_tells_that_a_budget_is_used_up(
    panel: BudgetPanel, qtbot: QtBot, settle: Settle, console: Console, open_workspace: Workspace
) -> None:
    set_budget(open_workspace, "b", 1, "USD")
    with open_workspace.store.session() as session:
        session.connection().exec_driver_sql("UPDATE budget SET amount = 0.01")
    page = CostsPage(console)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: not page._soon.isActive(), timeout=10_000)
    settle()
    settle()
    assert ("The budget “b” is used up: 0.075 USD of 0.01 USD a month.", "bad") in notices(console)
