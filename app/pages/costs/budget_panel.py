"""Budgets: what is spent of each, and a form to set them."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QWidget

from app.console import Console
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, column, confirm, refill
from app.widgets.theme import scaled
from rag import operations
from rag.costs.budgets.rows import (
    SOURCES,
    Action,
    BudgetRow,
    BudgetState,
    BudgetUse,
    Period,
    Scope,
    budget_uses,
)
from rag.evaluation.rows import list_pipelines

_COLOURS = {BudgetState.OVER: "bad", BudgetState.NEAR: "check", BudgetState.UNKNOWN: "check"}
_THEN = {Action.WARN: "then warn", Action.ASK: "then ask first", Action.STOP: "then stop"}
_UNKNOWN = {
    Action.WARN: "price unknown: warn",
    Action.ASK: "price unknown: ask",
    Action.STOP: "price unknown: stop",
}

BUDGET_COLUMNS = (
    Column("Budget", lambda u: u.budget.name, 130),
    Column("Of", lambda u: u.budget.of(), 150),
    Column("Spent", lambda u: u.sentence(), 260, stretch=True, sort=lambda u: u.share),
    Column("State", lambda u: u.state, 110, colour=lambda u: _COLOURS.get(u.state)),
    Column("Used up", lambda u: _THEN[u.budget.action], 110),
    Column("Unknown price", lambda u: u.budget.unknown, 110),
)


class BudgetPanel(QWidget):
    """A panel with the budgets in a table and a line of fields that sets one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.table = RecordTable(
            BUDGET_COLUMNS, console.theme, "budgets", "No budget. Models here cost none."
        )
        self.table.record_selected.connect(lambda _record: self._fill())
        self.name = QLineEdit(placeholderText="Name of the budget")
        self.amount = QDoubleSpinBox(decimals=2, maximum=1e9, value=10.0)
        self.currency = QLineEdit(console.settings.costs.currency, maxLength=3)
        self.currency.setMaximumWidth(scaled(60))
        self.period_box, self.target_box = QComboBox(), QComboBox()
        self.action_box, self.unknown_box = QComboBox(), QComboBox()
        for widget, name in (
            (self.name, "Name of the budget"),
            (self.amount, "Amount"),
            (self.currency, "Currency"),
            (self.period_box, "Period"),
            (self.target_box, "What it counts"),
            (self.action_box, "What happens when it is used up"),
            (self.unknown_box, "What happens when a price is unknown"),
        ):
            widget.setAccessibleName(name)
        refill(self.period_box, [(f"a {period}", period) for period in (Period.MONTH, Period.DAY)])
        refill(self.action_box, [(text, action) for action, text in _THEN.items()])
        refill(self.unknown_box, [(text, action) for action, text in _UNKNOWN.items()], keep=Action.ASK)
        self.set_button = button("Set", self._set, primary=True, tip="Make this budget, or change it")
        self.remove_button = button("Remove…", self._remove, tip="Delete the chosen budget")
        self.name.textChanged.connect(lambda _text: self._show_state())
        note = label(
            "Only models elsewhere count. A model on this computer is never stopped.", "small", wrap=True
        )
        fields = Flow(
            self.name, self.amount, self.currency, self.period_box, self.target_box, self.action_box,
            self.unknown_box, self.set_button, self.remove_button,
        )  # fmt: skip
        column((self.table, 1), fields, note, holder=self, top=4)
        self._show_state()

    def refresh(self) -> None:
        """Read the budgets, and what they may be for, again."""
        database = self._console.database
        self.table.set_records(budget_uses(database, datetime.now()))
        endpoints = database.cells("SELECT DISTINCT endpoint FROM trace WHERE endpoint != '' ORDER BY 1")
        targets: list[tuple[str, tuple[Scope, str]]] = [("everything", (Scope.ALL, ""))]
        targets += [(f"questions of {source}", (Scope.SOURCE, source)) for source in SOURCES]
        targets += [(f"endpoint {name}", (Scope.ENDPOINT, name)) for (name,) in endpoints]
        names = dict.fromkeys(row.name for row in list_pipelines(database))
        targets += [(f"pipeline {name}", (Scope.PIPELINE, name)) for name in names]
        refill(self.target_box, targets)
        self._show_state()

    def _chosen(self) -> BudgetUse | None:
        found: list[BudgetUse] = self.table.selected_records()
        return found[0] if found else None

    def _fill(self) -> None:
        """Put the chosen budget into the fields."""
        use = self._chosen()
        if use is not None:
            row = use.budget
            self.name.setText(row.name)
            self.amount.setValue(row.amount)
            self.currency.setText(row.currency)
            for box, value in (
                (self.period_box, row.period),
                (self.action_box, row.action),
                (self.unknown_box, row.unknown),
                (self.target_box, (row.scope, row.target)),
            ):
                place = next((n for n in range(box.count()) if box.itemData(n) == value), -1)
                box.setCurrentIndex(max(place, 0))
        self._show_state()

    def _show_state(self) -> None:
        allow(self.set_button, "" if self.name.text().strip() else "Give the budget a name.")
        allow(self.remove_button, "" if self._chosen() else "Choose a budget in the table.")

    def _set(self) -> None:
        scope, target = self.target_box.currentData()
        self._console.run(
            operations.set_budget, self._done, name=self.name.text(), amount=self.amount.value(),
            currency=self.currency.text(), period=self.period_box.currentData(), scope=scope, target=target,
            action=self.action_box.currentData(), unknown=self.unknown_box.currentData(),
        )  # fmt: skip

    def _remove(self) -> None:
        use = self._chosen()
        if use is not None:
            confirm(
                self, "Remove the budget", f"Remove “{use.budget.name}”? Nothing is limited by it any more.",
                "Remove",
                lambda: self._console.run(operations.remove_budget, self._done, name=use.budget.name),
                destructive=True,
            )  # fmt: skip

    def _done(self, _row: BudgetRow | None) -> None:
        self._console.data_changed.emit()
        self.refresh()
