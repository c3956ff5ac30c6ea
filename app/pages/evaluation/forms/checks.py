"""The checks of a case as a form of a line each, beside their YAML."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from app.console import Console
from app.pages.evaluation.forms.rule_text import RuleTextEditor
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import column, guard_wheel, refill, row, scrolled
from app.widgets.theme import scaled
from rag import operations
from rag.evaluation.forms.rows import CHECK_TYPES

_MOST_CHARACTERS = 1_000_000
_NO_VALUE = "is-json"  # a JSON schema is possible, and optional


class CheckLine(QFrame):
    """A check: its type, its value, and a button that takes it out."""

    changed = Signal()
    removed = Signal()

    def __init__(self, check: dict[str, Any]) -> None:
        super().__init__()
        self.kind_box = QComboBox()
        self.kind_box.setAccessibleName("What is checked")
        refill(self.kind_box, [(words, kind) for kind, words in CHECK_TYPES.items()], check.get("type"))
        self.kind_box.setMinimumContentsLength(12)
        self.kind_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.value = QLineEdit()
        self.value.setAccessibleName("Value of the check")
        self.least, self.most = QSpinBox(maximum=_MOST_CHARACTERS), QSpinBox(maximum=_MOST_CHARACTERS)
        for spin in (self.least, self.most):
            spin.lineEdit().setTextMargins(4, 0, 0, 0)
        self.least.setAccessibleName("Least characters")
        self.most.setAccessibleName("Most characters")
        self.most.setSpecialValueText("any")
        remove = button("Remove", self.removed.emit, link=True)
        self._between = row(self.least, label("to"), self.most)
        self._range = QWidget()
        self._range.setLayout(self._between)
        self._between.setContentsMargins(0, 0, 0, 0)
        self.setLayout(row(self.kind_box, (self.value, 1), self._range, remove))
        self._fill(check)
        self.kind_box.currentIndexChanged.connect(self._turn)
        self.value.textEdited.connect(lambda _text: self.changed.emit())
        for spin in (self.least, self.most):
            spin.valueChanged.connect(lambda _value: self.changed.emit())
        self._show_fields()

    def _fill(self, check: dict[str, Any]) -> None:
        value = check.get("value")
        if check.get("type") == "length" and isinstance(value, dict):
            self.least.setValue(value.get("min", 0))
            self.most.setValue(value.get("max", 0))
        elif isinstance(value, str):
            self.value.setText(value)
        elif value is not None:
            self.value.setText(json.dumps(value, ensure_ascii=False))

    @property
    def kind(self) -> str:
        """The type of the check."""
        return str(self.kind_box.currentData())

    def check(self) -> dict[str, Any]:
        """Return the check as values; a JSON schema that cannot be read stays the text that it is."""
        if self.kind == "length":
            ends = {"min": self.least.value(), "max": self.most.value()}
            return {
                "type": "length",
                "value": {key: value for key, value in ends.items() if value or key == "min"},
            }
        text = self.value.text()
        if self.kind != _NO_VALUE:
            return {"type": self.kind, "value": text}
        if not text.strip():
            return {"type": self.kind}
        try:
            return {"type": self.kind, "value": json.loads(text)}
        except ValueError:
            return {"type": self.kind, "value": text}

    def _turn(self) -> None:
        self._show_fields()
        self.changed.emit()

    def _show_fields(self) -> None:
        self._range.setVisible(self.kind == "length")
        self.value.setVisible(self.kind != "length")
        hints = {"is-json": "A JSON schema (optional)", "language": "Such as en or de", "regex": "A pattern"}
        self.value.setPlaceholderText(hints.get(self.kind, "Words"))


class ChecksEditor(QWidget):
    """The checks of a case: a line each, and the same as YAML beside them."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._lines = QVBoxLayout()
        self._lines.setContentsMargins(0, 0, 0, 0)
        self.lines: list[CheckLine] = []
        add = button("Add a check", self.add)
        form = column(self._lines, row(add, 1), 1)
        self.rules = RuleTextEditor(
            console, scrolled(form, "Checks"), "evaluation/checks", operations.read_checks,
            operations.write_checks, self.checks, self._show,
        )  # fmt: skip
        column((self.rules, 1), holder=self)
        self.setFixedHeight(scaled(170))
        guard_wheel(self)

    def checks(self) -> list[dict[str, Any]]:
        """Return the checks of the form."""
        return [line.check() for line in self.lines]

    def set_checks(self, checks: list[dict[str, Any]]) -> None:
        """Show these checks."""
        self.rules.set_values(checks)

    def add(self) -> None:
        """Add an empty check, and type its words."""
        line = self._add({"type": "contains", "value": ""})
        line.value.setFocus()

    def _show(self, checks: list[dict[str, Any]]) -> None:
        for line in self.lines:
            line.hide()
            self._lines.removeWidget(line)
            line.deleteLater()
        self.lines = []
        for check in checks:
            self._add(check)

    def _add(self, check: dict[str, Any]) -> CheckLine:
        line = CheckLine(check)
        self.lines.append(line)
        self._lines.addWidget(line)
        line.changed.connect(self.rules.follow_form)
        line.removed.connect(lambda: self._remove(line))
        return line

    def _remove(self, line: CheckLine) -> None:
        with QSignalBlocker(line):
            self.lines.remove(line)
            self._lines.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.rules.follow_form()
