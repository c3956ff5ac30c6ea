"""Alert rules: which fire, why, and what people noted about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QInputDialog,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.monitors.run import Run
from app.widgets.buttons import Toolbar, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column, confirm, guard_wheel, refill, row
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.applications.rows import application_choices
from rag.asking.rows import list_trace_models
from rag.knowledge.rows import list_collections
from rag.monitoring.rows import MEASURES, AlertRow, list_alerts, list_asked_prompts
from rag.text.plurals import counted

STATE_COLOURS = {"firing": "bad", "acknowledged": "check", "ok": "good", "not enough data": "text_muted"}


def _state(rule: AlertRow) -> str:
    return rule.state if rule.enabled else "off"


def _since(rule: AlertRow) -> str:
    return datetime.fromtimestamp(rule.since_ms / 1000).strftime("%d %b %H:%M") if rule.since_ms else "–"


def _status(rule: AlertRow) -> str:
    said = f"  ·  “{rule.acknowledged}”" if rule.acknowledged else ""
    return f"{rule.sentence}{said}"


def _title(rule: AlertRow) -> str:
    measure = MEASURES.get(rule.measure)
    return measure.title if measure else rule.measure


RULE_COLUMNS = (
    Column("State", _state, 136, colour=lambda r: STATE_COLOURS.get(_state(r), "text_muted")),
    Column("Rule", lambda r: r.name, 200, tooltip=lambda r: r.note or r.name),
    Column("Measure", _title, 160),
    Column("Fires when", lambda r: r.condition, 220,
           tooltip=lambda r: f"{r.condition} questions; not evaluated with fewer than {r.minimum}"),
    Column("Scope", lambda r: r.scope.sentence(), 96, tooltip=lambda r: r.scope.sentence()),
    Column("Since", _since, 112, sort=lambda r: r.since_ms),
    Column("Status", _status, 200, stretch=True, tooltip=_status),
)  # fmt: skip
_ORDER = {"firing": 0, "acknowledged": 1, "ok": 2, "not enough data": 3}


class AlertPanel(QWidget):
    """A panel with the rules, the firing ones first."""

    changed = Signal()

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._console, self._run = console, run
        self.check_button = button(
            "Check now",
            self.check,
            primary=True,
            tip="Evaluate all rules, including drift. The others are evaluated after every answer",
        )
        self.add_button = button("Add…", self.add)
        self.edit_button = button("Edit…", self.edit)
        self.acknowledge_button = button(
            "Acknowledge…",
            self.acknowledge,
            tip="Note what is being done about it. The rule re-arms after it returns to normal",
        )
        self.remove_button = button("Remove", self.remove)
        self.count = label("", "muted")
        self.note = label("", "small", wrap=True)
        self.table = RecordTable(
            RULE_COLUMNS,
            console.theme,
            "alert_rules",
            "There are no rules. Add one to be told when something changes.",
        )
        self.table.record_selected.connect(self._choose)
        self.table.record_activated.connect(lambda _rule: self.edit())
        buttons = (self.check_button, self.add_button, self.edit_button, self.acknowledge_button)
        column(
            Toolbar(*buttons, self.remove_button, 1, self.count),
            (self.table, 1),
            self.note,
            holder=self,
            top=SPACE,
        )
        self._choose(None)

    def refresh(self) -> None:
        """Show the rules as they are stored now; the choice stays."""
        chosen = self.chosen
        rows = sorted(
            list_alerts(self._console.database), key=lambda r: (not r.enabled, _ORDER.get(r.state, 4))
        )
        self.table.set_records(rows, keep_sort=self.table.horizontalHeader().sortIndicatorSection() >= 0)
        firing = sum(r.enabled and r.state == "firing" for r in rows)
        self.count.setText(f"{firing} of {counted(len(rows), 'rule')} firing" if rows else "")
        if not (chosen and self.table.choose(lambda r: r.id == chosen.id)):
            self._choose(None)

    @property
    def chosen(self) -> AlertRow | None:
        """The chosen rule."""
        records: list[AlertRow] = self.table.selected_records()
        return records[0] if records else None

    def check(self) -> None:
        """Evaluate every rule now."""
        self._run(operations.check_alerts, self._done)

    def add(self) -> RuleDialog:
        """Open the dialog for a new rule."""
        return self._open(None)

    def edit(self) -> None:
        """Open the dialog for the chosen rule."""
        if self.chosen is not None:
            self._open(self.chosen)

    def remove(self) -> None:
        """Remove the chosen rule after a yes."""
        rule = self.chosen
        if rule is not None:
            confirm(
                self,
                "Remove a rule",
                f"Remove the rule “{rule.name}”?",
                "Remove",
                lambda: self._console.run(operations.remove_alert_rule, self._done, name=rule.name),
                destructive=True,
            )

    def acknowledge(self) -> None:
        """Ask what is known about the chosen rule, and store that."""
        if self.chosen is not None:
            text, accepted = QInputDialog.getText(
                self, f"Acknowledge “{self.chosen.name}”", "What is known or done about it?"
            )
            if accepted:
                self.take_note(self.chosen, text)

    def take_note(self, rule: AlertRow, note: str) -> None:
        """Acknowledge a firing rule with this note."""
        self._console.run(operations.acknowledge_alert, self._done, name=rule.name, note=note)

    def _open(self, rule: AlertRow | None) -> RuleDialog:
        dialog = RuleDialog(self._console, rule, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._done(None))
        dialog.open()
        return dialog

    def _done(self, _result: object) -> None:
        self.refresh()
        self.changed.emit()

    def _choose(self, rule: AlertRow | None) -> None:
        self.edit_button.setEnabled(rule is not None)
        self.remove_button.setEnabled(rule is not None)
        self.acknowledge_button.setEnabled(
            rule is not None and rule.enabled and rule.state in ("firing", "acknowledged")
        )
        self.note.setText(rule.note if rule is not None else "")


class RuleDialog(QDialog):
    """A form with every field of a rule; its threshold is in the unit of its measure or the control limit."""

    def __init__(self, console: Console, rule: AlertRow | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console, self._rule = console, rule
        self.setWindowTitle("Edit a rule" if rule else "Add a rule")
        self.setMinimumWidth(520)
        guard_wheel(self)
        self.name = QLineEdit(rule.name if rule else "")
        self.measure, self.comparison = QComboBox(), QComboBox()
        for key, measure in MEASURES.items():
            self.measure.addItem(measure.title, key)
        for word in ("above", "below"):
            self.comparison.addItem(word, word)
        self.by_limit = QCheckBox("the control limit of the reference period")
        self.threshold = QDoubleSpinBox(decimals=3, minimum=0, maximum=1e9)
        self.threshold.setMinimumWidth(150)
        self.window_box = QSpinBox(minimum=5, maximum=1000, value=rule.window if rule else 50)
        self.minimum = QSpinBox(minimum=5, maximum=1000, value=rule.minimum if rule else 20)
        self.collection, self.model, self.prompt = QComboBox(), QComboBox(), QComboBox()
        self.enabled = QCheckBox("Evaluate this rule")
        self.enabled.setChecked(rule.enabled if rule else True)
        self.note = QPlainTextEdit(rule.note if rule else "")
        self.note.setFixedHeight(64)
        self.problem = label("", "bad", wrap=True)
        database = console.database
        for box, anything, pairs, chosen in (
            (
                self.collection,
                "Any collection",
                [*((c.name, c.name) for c in list_collections(database)), *application_choices(database)],
                rule.collection if rule else "",
            ),
            (
                self.model,
                "Any model",
                [(m, m) for m in sorted(list_trace_models(database))],
                rule.model if rule else "",
            ),
            (
                self.prompt,
                "Any prompt",
                [(n, f) for f, n in list_asked_prompts(database)],
                rule.prompt if rule else "",
            ),
        ):
            unknown = [(chosen[:16], chosen)] if chosen not in ("", *(value for _, value in pairs)) else []
            refill(box, [(anything, ""), *pairs, *unknown], chosen)
        self._build()
        if rule is not None:
            self.measure.setCurrentIndex(max(self.measure.findData(rule.measure), 0))
        self._measure_chosen()
        if rule is not None:
            self.comparison.setCurrentIndex(self.comparison.findData(rule.comparison))
            self.by_limit.setChecked(rule.threshold is None)
            if rule.threshold is not None:
                self.threshold.setValue(rule.threshold * self._scale)
        self.measure.currentIndexChanged.connect(lambda _i: self._measure_chosen())

    @property
    def values(self) -> dict[str, Any]:
        """The rule as `add_rule` and `change_rule` take it."""
        return {
            "name": self.name.text(),
            "measure": self.measure.currentData(),
            "comparison": self.comparison.currentData(),
            "threshold": None if self.by_limit.isChecked() else self.threshold.value() / self._scale,
            "window": self.window_box.value(),
            "minimum": self.minimum.value(),
            "collection": self.collection.currentData(),
            "model": self.model.currentData(),
            "prompt": self.prompt.currentData(),
            "enabled": self.enabled.isChecked(),
            "note": self.note.toPlainText().strip(),
        }

    def save(self) -> None:
        """Store the rule; when it is refused the dialog stays open and says why."""
        if self._rule is None:
            task = self._console.engine.start(operations.add_alert_rule, values=self.values)
        else:
            task = self._console.engine.start(
                operations.change_alert_rule, name=self._rule.name, values=self.values
            )
        task.finished.connect(lambda _row: self.accept())
        task.failed.connect(lambda sentence, _details: self.problem.setText(sentence))

    @property
    def _scale(self) -> float:
        return MEASURES[self.measure.currentData()].scale

    def _build(self) -> None:
        named = (
            (self.name, "Name"),
            (self.measure, "Measure"),
            (self.comparison, "Comparison"),
            (self.threshold, "Threshold"),
            (self.window_box, "Window"),
            (self.minimum, "Minimum count"),
            (self.collection, "Collection"),
            (self.model, "Model"),
            (self.prompt, "Prompt version"),
            (self.note, "Note"),
        )
        for widget, name in named:
            widget.setAccessibleName(name)
        self.by_limit.setToolTip("If nothing changed, a window goes beyond it in at most 1 of 670 cases")
        self.minimum.setToolTip("A window in which fewer questions have the measure is not evaluated")
        form = QFormLayout()
        form.setHorizontalSpacing(SPACE)
        form.addRow("Name", self.name)
        form.addRow("Measure", self.measure)
        form.addRow("Fires", row(self.comparison, self.by_limit, 1))
        form.addRow("Threshold", row(self.threshold, 1))
        form.addRow("Window", row(self.window_box, label("questions; needs at least"), self.minimum, 1))
        form.addRow("Questions to", row(self.collection, self.model, self.prompt))
        form.addRow("Note", self.note)
        form.addRow("", self.enabled)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save_button = button("Save", self.save, primary=True)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)
        self.by_limit.toggled.connect(lambda on: self.threshold.setEnabled(not on))

    def _measure_chosen(self) -> None:
        measure = MEASURES[self.measure.currentData()]
        drift = measure.kind == "drift"
        self.by_limit.setEnabled(not drift)
        self.by_limit.setChecked(not drift)
        self.threshold.setEnabled(drift)
        self.threshold.setSuffix(f" {measure.unit}" if measure.unit else "")
        self.threshold.setValue(0.01 if drift else 0)
        self.threshold.setDecimals(3 if drift else 2)
        self.threshold.setSingleStep(0.005 if drift else 1)
        self.comparison.setCurrentIndex(self.comparison.findData(measure.worse))
        self.comparison.setEnabled(not drift)
