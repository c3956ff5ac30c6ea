"""A form for one rule of a policy: which check, where, what it does, and what it does not act on."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from app.widgets.labels import set_tip
from app.widgets.layout import refill
from app.widgets.theme import scaled
from rag.guardrails.policies.rows import Action, CheckName, Place
from rag.guardrails.rows import Injection, PersonalData

_KINDS: dict[CheckName, list[str]] = {
    CheckName.PERSONAL_DATA: [str(kind) for kind in PersonalData],
    CheckName.INJECTION: [str(kind) for kind in Injection],
}
# What a check asks for, by the name of the field; the others have nothing of the kind.
_FIELDS = {
    CheckName.PERSONAL_DATA: ("kinds", "keeps_original"),
    CheckName.INJECTION: ("kinds",),
    CheckName.TOPICS: ("blocked", "allowed"),
    CheckName.PHRASES: ("phrases", "patterns"),
    CheckName.LENGTH: ("most",),
    CheckName.CITATION: (),
    CheckName.LANGUAGE: ("languages",),
}
_DEFAULT_THRESHOLD = 0.5
_TITLES = {
    "kinds": "Kinds",
    "most": "Most characters",
    "languages": "Languages",
    "phrases": "Phrases",
    "patterns": "Patterns",
    "blocked": "Blocked topics",
    "allowed": "Allowed topics",
    "keeps_original": "",
}


class RuleForm(QWidget):
    """A form that shows the values of a rule and gives them back; what is wrong the engine says."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.name = QLineEdit(placeholderText="What results call it")
        self.check, self.action = QComboBox(), QComboBox()
        refill(self.check, [(str(check), check) for check in CheckName])
        refill(self.action, [(str(action), action) for action in Action])
        self.places = {place: QCheckBox(str(place)) for place in Place}
        self.threshold = QDoubleSpinBox(maximum=1.0, singleStep=0.05, decimals=2, value=_DEFAULT_THRESHOLD)
        self.refusal = QLineEdit(placeholderText="What is said instead of an answer")
        self.only_leaving = QCheckBox("Only what is sent to another computer")
        self.exceptions = _lines("One a line: TEXT = REASON, kind: KIND = REASON, or rule: RULE = REASON")
        self._exceptions: dict[str, dict[str, str]] = {}  # as given, by the lines that show them
        self.fields: dict[str, QWidget] = {
            "kinds": QLineEdit(placeholderText="All of them; or some, separated by commas"),
            "most": QSpinBox(minimum=1, maximum=10_000_000, value=2_000),
            "languages": QLineEdit(placeholderText="en, de"),
            "phrases": _lines("One a line"),
            "patterns": _lines("Regular expressions, one a line"),
            "blocked": _lines("One example a line, as TOPIC: EXAMPLE"),
            "allowed": _lines("One example a line, as TOPIC: EXAMPLE"),
            "keeps_original": QCheckBox("Keep what was masked beside the trace, for this window"),
        }
        self._lay_out()
        self._listen()
        self._show_fields()

    def _lay_out(self) -> None:
        self._form = form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        where = QWidget()
        grid = QGridLayout(where)
        grid.setContentsMargins(0, 0, 0, 0)
        for number, box in enumerate(self.places.values()):
            grid.addWidget(box, number // 4, number % 4)
        rows: list[tuple[str, QWidget]] = [
            ("Name", self.name), ("Check", self.check), ("Where", where), ("Action", self.action),
            ("Threshold", self.threshold), *((_TITLES[key], field) for key, field in self.fields.items()),
            ("Refusal", self.refusal), ("", self.only_leaving), ("Exceptions", self.exceptions),
        ]  # fmt: skip
        for title, widget in rows:
            form.addRow(title, widget)
            if title:
                widget.setAccessibleName(title)

    def _listen(self) -> None:
        self.check.currentIndexChanged.connect(lambda _i: self._show_fields())
        self.action.currentIndexChanged.connect(lambda _i: self._show_fields())
        for box in (self.check, self.action):
            box.currentIndexChanged.connect(lambda _i: self.changed.emit())
        for widget in (*self.places.values(), self.only_leaving, self.fields["keeps_original"]):
            assert isinstance(widget, QCheckBox)
            widget.toggled.connect(lambda _on: self.changed.emit())
            widget.toggled.connect(lambda _on: self._show_fields())
        self.threshold.valueChanged.connect(lambda _v: self.changed.emit())
        for field in (self.name, self.refusal, self.exceptions, *self.fields.values()):
            if isinstance(field, QLineEdit):
                field.textEdited.connect(lambda _t: self.changed.emit())
            elif isinstance(field, QPlainTextEdit):
                field.textChanged.connect(self.changed.emit)
            elif isinstance(field, QSpinBox):
                field.valueChanged.connect(lambda _v: self.changed.emit())

    def _show_fields(self) -> None:
        """Show what the chosen check asks for, and nothing else."""
        check, action = CheckName(self.check.currentData()), Action(self.action.currentData())
        wanted = set(_FIELDS[check])
        if action is not Action.MASK:
            wanted.discard("keeps_original")
        for key, field in self.fields.items():
            self._form.setRowVisible(field, key in wanted)
        kinds = self.fields["kinds"]
        set_tip(kinds, "All of them, or some of: " + ", ".join(_KINDS.get(check, [])))
        self._form.setRowVisible(self.refusal, action is Action.REFUSE)
        self._form.setRowVisible(self.only_leaving, self.places[Place.PROMPT].isChecked())

    def show_rule(self, rule: dict[str, Any]) -> None:
        """Show the values of a rule, without saying that they changed."""
        with QSignalBlocker(self):
            self.name.setText(rule.get("name", ""))
            self.check.setCurrentIndex(self.check.findData(CheckName(rule.get("check", CheckName.PHRASES))))
            self.action.setCurrentIndex(self.action.findData(Action(rule.get("action", Action.WARN))))
            for place, box in self.places.items():
                box.setChecked(str(place) in rule.get("where", ()))
            self.threshold.setValue(rule.get("threshold", _DEFAULT_THRESHOLD))
            self.refusal.setText(rule.get("refusal", ""))
            self.only_leaving.setChecked(rule.get("only_leaving", False))
            self._exceptions = {_exception_line(one): one for one in rule.get("exceptions", ())}
            self.exceptions.setPlainText("\n".join(self._exceptions))
            for key, field in self.fields.items():
                _put(field, key, rule.get(key))
            self._show_fields()

    def rule(self) -> dict[str, Any]:
        """Return the values of the form, without what is as usual or belongs to another check."""
        check = CheckName(self.check.currentData())
        values: dict[str, Any] = {
            "check": str(check),
            "where": [str(place) for place, box in self.places.items() if box.isChecked()],
            "action": str(Action(self.action.currentData())),
        }
        given: dict[str, Any] = {key: _value_of(self.fields[key], key) for key in _FIELDS[check]}
        given |= {"name": self.name.text().strip(), "refusal": self.refusal.text().strip()}
        given["only_leaving"] = self.only_leaving.isChecked() and self.places[Place.PROMPT].isChecked()
        given["exceptions"] = [
            dict(
                self._exceptions.get(line) or _exception(line)
            )  # what nobody changed stays as it was written
            for line in self.exceptions.toPlainText().splitlines()
            if line.strip()
        ]
        if self.threshold.value() != _DEFAULT_THRESHOLD:
            given["threshold"] = round(self.threshold.value(), 2)
        if values["action"] != Action.REFUSE:
            given.pop("refusal")
        if values["action"] != Action.MASK:
            given.pop("keeps_original", None)
        return values | {key: value for key, value in given.items() if value}


def _lines(hint: str) -> QPlainTextEdit:
    """Return a field for several lines."""
    field = QPlainTextEdit(placeholderText=hint)
    field.setMinimumHeight(scaled(64))
    field.setMaximumHeight(scaled(110))
    field.setTabChangesFocus(True)
    return field


def _put(field: QWidget, key: str, value: Any) -> None:
    if isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, QSpinBox):
        field.setValue(value or 2_000)
    elif isinstance(field, QLineEdit):
        field.setText(", ".join(value or ()))
    elif isinstance(field, QPlainTextEdit):
        lines = value or ()
        if key in ("blocked", "allowed"):
            lines = [f"{topic}: {text}" for topic, texts in (value or {}).items() for text in texts]
        field.setPlainText("\n".join(lines))


def _value_of(field: QWidget, key: str) -> Any:
    if isinstance(field, QCheckBox):
        return field.isChecked()
    if isinstance(field, QSpinBox):
        return field.value()
    if isinstance(field, QLineEdit):
        return [part.strip() for part in field.text().split(",") if part.strip()]
    assert isinstance(field, QPlainTextEdit)
    lines = [line.strip() for line in field.toPlainText().splitlines() if line.strip()]
    if key not in ("blocked", "allowed"):
        return lines
    topics: dict[str, list[str]] = {}
    for line in lines:
        topic, colon, text = line.partition(":")
        topics.setdefault(topic.strip() if colon else "topic", []).append(text.strip() if colon else line)
    return topics


_KEYED = re.compile(r"\s*(kind|rule)\s*:\s*(.*?)(?:;\s*(?=(?:kind|rule|text)\s*:)|$)", re.IGNORECASE)


def _exception(line: str) -> dict[str, str]:
    """Return an exception from "TEXT = REASON", or with keys: "kind: KIND; text: TEXT = REASON"."""
    what, _, reason = line.partition(" = ")
    found: dict[str, str] = {}
    while match := _KEYED.match(what):
        found[match[1].casefold()] = match[2].strip()
        what = what[match.end() :]
    text = (what.strip().removeprefix("text:") if found else what).strip()
    if text or not found:
        found["text"] = text
    return {**found, "reason": reason.strip()}


def _exception_line(exception: dict[str, str]) -> str:
    parts = [f"{key}: {exception[key]}" for key in ("kind", "rule") if exception.get(key)]
    if text := exception.get("text", ""):
        parts.append(f"text: {text}" if parts else text)
    return " ".join(f"{'; '.join(parts)} = {exception.get('reason', '')}".split("\n"))
