"""The dialog for one case of an evaluation set."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.widgets.labels import label
from app.widgets.layout import dialog_buttons
from app.widgets.theme import SPACE


class CaseDialog(QDialog):
    """A form for one case. `values` are those of rag.evaluation.cases.Case; the engine checks them."""

    def __init__(self, parent: QWidget | None, case: dict[str, Any] | None = None) -> None:
        super().__init__(parent)
        self._case = case or {}
        self.setWindowTitle("Edit a case" if case else "New case")
        self.setMinimumSize(640, 560)
        self.question, self.references = QPlainTextEdit(), QPlainTextEdit()
        self.judgements, self.checks = QPlainTextEdit(), QPlainTextEdit()
        self.refuse = QCheckBox("No document answers this: the right answer is to decline")
        self.tags, self.key = QLineEdit(), QLineEdit()
        self.weight = QDoubleSpinBox()
        self.weight.setRange(0.01, 1000)
        self.weight.lineEdit().setTextMargins(4, 0, 0, 0)
        self.weight.setValue(1)
        self.question.setPlaceholderText("As a person would ask it")
        self.references.setPlaceholderText("One right answer per line; any of them counts")
        self.judgements.setPlaceholderText(
            "One per line: document | the passage, word for word | grade (1 or more; optional)"
        )
        self.checks.setPlaceholderText('One per line, as JSON: {"type": "contains", "value": "21 days"}')
        self.tags.setPlaceholderText("Separated by commas")
        self.key.setPlaceholderText("Made from the question")
        form = QFormLayout()
        form.setVerticalSpacing(8)
        for title, widget, height in (
            ("Question", self.question, 64),
            ("Right answers", self.references, 64),
            ("", self.refuse, 0),
            ("Relevant passages", self.judgements, 96),
            ("Checks", self.checks, 64),
            ("Tags", self.tags, 0),
            ("Weight", self.weight, 0),
            ("Key", self.key, 0),
        ):
            if isinstance(widget, QPlainTextEdit):
                widget.setTabChangesFocus(True)
                widget.setMinimumHeight(height)
            form.addRow(title, widget)
        self._wrong = label("", "bad", wrap=True)
        buttons = dialog_buttons(self, "Save", self._accept, QDialogButtonBox.StandardButton.Save)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addLayout(form)
        layout.addWidget(self._wrong)
        layout.addWidget(buttons)
        self._fill()

    def _fill(self) -> None:
        case = self._case
        self.question.setPlainText(case.get("question", ""))
        self.references.setPlainText("\n".join(case.get("references", ())))
        self.judgements.setPlainText("\n".join(_judgement_line(j) for j in case.get("judgements", ())))
        self.checks.setPlainText("\n".join(json.dumps(check) for check in case.get("checks", ())))
        self.refuse.setChecked(case.get("should_refuse", False))
        self.tags.setText(", ".join(case.get("tags", ())))
        self.weight.setValue(case.get("weight", 1.0))
        self.key.setText(case.get("key", ""))

    def values(self) -> dict[str, Any]:
        """Return the case. Raises ValueError with a sentence when a line cannot be read."""
        values: dict[str, Any] = {
            "question": self.question.toPlainText().strip(),
            "references": [line.strip() for line in _lines(self.references)],
            "judgements": [
                _read_judgement(line, self._case.get("judgements", ())) for line in _lines(self.judgements)
            ],
            "checks": [_read_check(line) for line in _lines(self.checks)],
            "should_refuse": self.refuse.isChecked(),
            "tags": [tag.strip() for tag in self.tags.text().split(",") if tag.strip()],
            "weight": self.weight.value(),
            "key": self.key.text().strip(),
        }
        return {**{name: self._case[name] for name in ("origin", "cluster") if name in self._case}, **values}

    def _accept(self) -> None:
        try:
            if not self.values()["question"]:
                raise ValueError("Type the question first.")
        except ValueError as error:
            self._wrong.setText(str(error))
            return
        self.accept()


def _lines(editor: QPlainTextEdit) -> list[str]:
    return [line for line in editor.toPlainText().splitlines() if line.strip()]


def _judgement_line(judgement: dict[str, Any]) -> str:
    quote = " ".join(judgement.get("quote", "").split())
    grade = judgement.get("grade", 1)
    parts = [judgement.get("document", ""), quote, "" if grade == 1 else str(grade)]
    return " | ".join(parts[:3] if parts[2] else parts[:2])


def _read_judgement(line: str, before: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return a line as a judgement; a line that was not changed keeps its place in the document."""
    for judgement in before:
        if _judgement_line(judgement) == line:
            return dict(judgement)
    document, *rest = (part.strip() for part in line.split("|"))
    grade = rest.pop() if len(rest) > 1 else "1"
    if not grade.lstrip("-").isdecimal():
        raise ValueError(f"“{grade}” is not a grade. Write a whole number such as 1 after the second bar.")
    return {"document": document, "quote": rest[0] if rest else "", "grade": int(grade)}


def _read_check(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ValueError(f"A check is not valid JSON ({error}): {line[:60]}") from error
    if not isinstance(value, dict):
        raise ValueError(f"A check needs a type and a value: {line[:60]}")
    return value
