"""The rules of a policy: a table, a form for the chosen one, and what saves them as a new version."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.pages.guardrails.rule_form import RuleForm
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import set_tip
from app.widgets.layout import Splitter, column, row, scrolled
from app.widgets.theme import SMALL_SPACE, Theme
from rag.guardrails.policies.rows import Action, CheckName, Place

NEW_RULE = {
    "check": str(CheckName.PERSONAL_DATA), "where": [str(Place.QUESTION)], "action": str(Action.WARN),
}  # fmt: skip


def _title(rule: dict[str, Any]) -> str:
    return str(rule.get("name") or rule["check"])


RULE_COLUMNS = (
    Column("Rule", lambda r: _title(r[1]), 150, stretch=True, tooltip=lambda r: _title(r[1])),
    Column("Check", lambda r: r[1]["check"], 120),
    Column("Where", lambda r: ", ".join(r[1]["where"]), 170, tooltip=lambda r: ", ".join(r[1]["where"])),
    Column("Does", lambda r: r[1]["action"], 90),
    Column("From", lambda r: f"{r[1].get('threshold', 0.5):.2f}", 64, right=True),
    Column("Exceptions", lambda r: str(len(r[1].get("exceptions", ())) or "–"), 84, right=True),
)


class RulesPanel(QWidget):
    """A panel in which the rules of the version shown are read and changed."""

    save_wanted = Signal(list, str)  # the rules and the message
    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._saved: list[dict[str, Any]] = []
        self.rules: list[dict[str, Any]] = []
        self.table = RecordTable(RULE_COLUMNS, theme, "guard_rules", "No rule yet. Add one.")
        self.form = RuleForm()
        self.message = QLineEdit(placeholderText="What is different, and why")
        self.message.setAccessibleName("Message of the new version")
        set_tip(self.message, self.message.placeholderText())
        self.add_button = button("Add a rule", self.add)
        self.remove_button = button("Remove the rule", self.remove)
        self.up_button = button("Earlier", lambda: self.shift(-1), tip="Rules act in their order")
        self.down_button = button("Later", lambda: self.shift(1), tip="Rules act in their order")
        self.revert_button = button("Revert", self.revert)
        self.save_button = button("Save as a new version", self.save, primary=True, tip="Ctrl+S")
        tools = Toolbar(self.add_button, self.remove_button, self.up_button, self.down_button, 1)
        column(
            (Splitter("guardrails/rules", column(tools, (self.table, 1)), scrolled(self.form), (220, 380),
                      vertical=True), 1),
            row(self.message, self.revert_button, self.save_button),
            holder=self, top=SMALL_SPACE,
        )  # fmt: skip
        self.table.record_selected.connect(lambda _r: self._show_chosen())
        self.form.changed.connect(self._take_form)
        self._enable()

    @property
    def is_changed(self) -> bool:
        """Whether the rules differ from those of the version shown."""
        return self.rules != self._saved

    @property
    def chosen(self) -> int | None:
        """The place of the chosen rule."""
        records = self.table.selected_records()
        return records[0][0] if records else None

    def show_rules(self, rules: Sequence[dict[str, Any]]) -> None:
        """Show the rules of a version."""
        self._saved = deepcopy(list(rules))
        self.message.clear()
        self.revert()

    def revert(self) -> None:
        """Show the rules of the version again, without the changes."""
        self.rules = deepcopy(self._saved)
        self._show(0)

    def add(self) -> None:
        """Add a rule behind the others."""
        self.rules.append(deepcopy(NEW_RULE))
        self._show(len(self.rules) - 1)

    def remove(self) -> None:
        """Take the chosen rule away."""
        if self.chosen is not None:
            place = self.chosen
            del self.rules[place]
            self._show(max(0, place - 1))

    def shift(self, by: int) -> None:
        """Let the chosen rule act earlier or later."""
        place = self.chosen
        if place is not None and 0 <= place + by < len(self.rules):
            self.rules[place], self.rules[place + by] = self.rules[place + by], self.rules[place]
            self._show(place + by)

    def save(self) -> None:
        """Ask for the rules to be saved, if they were changed."""
        if self.is_changed and self.rules:
            self.save_wanted.emit(deepcopy(self.rules), self.message.text().strip())

    def _show(self, place: int) -> None:
        self.table.set_records(list(enumerate(self.rules)))
        if self.rules:
            self.table.selectRow(min(place, len(self.rules) - 1))
        self._show_chosen()

    def _show_chosen(self) -> None:
        place = self.chosen
        self.form.setVisible(place is not None)
        if place is not None:
            self.form.show_rule(self.rules[place])
        self._enable()

    def _take_form(self) -> None:
        place = self.chosen
        if place is None:
            return
        self.rules[place] = self.form.rule()
        # The table only: showing the rule in the form again would move the cursor.
        self.table.blockSignals(True)
        self.table.set_records(list(enumerate(self.rules)))
        self.table.selectRow(place)
        self.table.blockSignals(False)
        self._enable()

    def _enable(self) -> None:
        place, count = self.chosen, len(self.rules)
        allow(self.remove_button, "" if place is not None else "Choose a rule first.")
        allow(self.up_button, "" if place else "It is the first rule.")
        allow(self.down_button, "" if place is not None and place < count - 1 else "It is the last rule.")
        unchanged = "" if self.is_changed else "The rules are those of the version shown."
        allow(self.revert_button, unchanged)
        allow(self.save_button, unchanged or ("" if self.rules else "A policy needs a rule."))
        self.changed.emit()
