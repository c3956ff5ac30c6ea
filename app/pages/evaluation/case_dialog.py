"""The dialog for one case of an evaluation set, which saves it and goes on to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
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

from app.console import Console
from app.pages.evaluation.forms.checks import ChecksEditor
from app.pages.evaluation.forms.judgements import JudgementsEditor
from app.widgets.buttons import allow
from app.widgets.labels import label
from app.widgets.layout import dialog_buttons, scrolled
from app.widgets.theme import SPACE, scaled
from rag import operations

Case = dict[str, Any]


class CaseDialog(QDialog):
    """A form for one case. Its values are those of rag.evaluation.cases.Case; the engine checks them."""

    saved = Signal()  # a case is in the set

    def __init__(
        self,
        console: Console,
        set_name: str,
        case: Case | None = None,
        cases: Sequence[Case] = (),
        parent: QWidget | None = None,
    ) -> None:
        """Show a case, or an empty form.

        Args:
            console: The engine that saves.
            set_name: The set.
            case: The case to edit; None: a new one.
            cases: All cases in their order, of which “Save and next” takes the next one.
            parent: The owner.
        """
        super().__init__(parent)
        self._console, self._set_name, self._cases = console, set_name, list(cases)
        self._case: Case = {}
        self._is_new = case is None
        self._goes_on: bool | None = None  # a save that waits for the checks: whether another case follows
        self.resize(scaled(860), scaled(640))
        self.question, self.references = QPlainTextEdit(), QPlainTextEdit()
        self.judgements = JudgementsEditor(console, self.question.toPlainText)
        self.checks = ChecksEditor(console)
        self.refuse = QCheckBox("No document answers this: the right answer is to decline")
        self.tags, self.key = QLineEdit(), QLineEdit()
        self.weight = QDoubleSpinBox()
        self.weight.setRange(0.01, 1000)
        self.weight.lineEdit().setTextMargins(4, 0, 0, 0)
        self.question.setPlaceholderText("As a person would ask it")
        self.references.setPlaceholderText("One right answer per line; any of them counts")
        self.tags.setPlaceholderText("Separated by commas")
        self.key.setPlaceholderText("Made from the question")
        self._wrong, self._said = label("", "bad", wrap=True), label("", "muted", wrap=True)
        self.buttons = dialog_buttons(
            self, "Save", lambda: self._save(False), QDialogButtonBox.StandardButton.Save
        )
        self.next_button = self.buttons.addButton("Save and next", QDialogButtonBox.ButtonRole.ActionRole)
        self.next_button.clicked.connect(lambda: self._save(True))
        self._lay_out()
        self.checks.rules.changed.connect(self._checks_settled)
        self.show_case(case)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setVerticalSpacing(8)
        for title, widget in (
            ("Question", self.question),
            ("Right answers", self.references),
            ("", self.refuse),
            ("Relevant passages", self.judgements),
            ("Checks", self.checks),
            ("Tags", self.tags),
            ("Weight", self.weight),
            ("Key", self.key),
        ):
            if isinstance(widget, QPlainTextEdit):
                widget.setTabChangesFocus(True)
                widget.setFixedHeight(scaled(64))
            if title:
                widget.setAccessibleName(title)
            form.addRow(title, widget)
        holder = QWidget()
        holder.setLayout(form)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(scrolled(holder, "The case"), 1)
        for line in (self._wrong, self._said):
            line.hide()
            layout.addWidget(line)
        layout.addWidget(self.buttons)

    def show_case(self, case: Case | None) -> None:
        """Show a case, or an empty form for a new one."""
        self._case = case or {}
        self.setWindowTitle("Edit a case" if case else "New case")
        shown = self._case
        self.question.setPlainText(shown.get("question", ""))
        self.references.setPlainText("\n".join(shown.get("references", ())))
        self.judgements.set_values([dict(judgement) for judgement in shown.get("judgements", ())])
        self.checks.set_checks([dict(check) for check in shown.get("checks", ())])
        self.refuse.setChecked(shown.get("should_refuse", False))
        self.tags.setText(", ".join(shown.get("tags", ())))
        self.weight.setValue(shown.get("weight", 1.0))
        self.key.setText(shown.get("key", ""))
        self._say_wrong("")
        last = not self._is_new and self._following() is None
        allow(self.next_button, "This is the last case of the list." if last else "")
        self.question.setFocus()

    def values(self) -> Case:
        """Return the case. Raises ValueError with a sentence where something is missing or cannot be read."""
        if self.checks.rules.problem:
            raise ValueError(self.checks.rules.problem)
        values: Case = {
            "question": self.question.toPlainText().strip(),
            "references": [line.strip() for line in _lines(self.references)],
            "judgements": self.judgements.values,
            "checks": self.checks.checks(),
            "should_refuse": self.refuse.isChecked(),
            "tags": [tag.strip() for tag in self.tags.text().split(",") if tag.strip()],
            "weight": self.weight.value(),
            "key": self.key.text().strip(),
        }
        if not values["question"]:
            raise ValueError("Type the question first.")
        return {**{name: self._case[name] for name in ("origin", "cluster") if name in self._case}, **values}

    # --- saving -------------------------------------------------------------------------------------------

    def _save(self, goes_on: bool) -> None:
        """Save the case once its checks have been read; then show the next one, or close."""
        self._goes_on = goes_on
        self.checks.rules.read_now()
        if self.checks.rules.is_settled:
            self._checks_settled()

    def _checks_settled(self) -> None:
        goes_on, self._goes_on = self._goes_on, None
        if goes_on is None:
            return
        try:
            values = self.values()
        except ValueError as error:
            self._say_wrong(str(error))
            return
        self.buttons.setEnabled(False)
        task = self._console.engine.start(
            operations.save_case, set_name=self._set_name, values=values, replaced=self._case.get("key", "")
        )
        task.finished.connect(lambda key: self._was_saved(values | {"key": key}, goes_on))
        task.failed.connect(self._refused)
        task.ended.connect(lambda: self.buttons.setEnabled(True))

    def _was_saved(self, case: Case, goes_on: bool) -> None:
        self.saved.emit()
        if not goes_on:
            self.accept()
            return
        following = self._following()
        self._cases = [case if known.get("key") == self._case.get("key") else known for known in self._cases]
        self.show_case(None if self._is_new else following)
        question = case["question"]
        self._said.setText(f"Saved: “{question[:70]}{'…' if len(question) > 70 else ''}”")
        self._said.show()

    def _following(self) -> Case | None:
        """Return the case behind the one that is shown, None at the end of the list."""
        keys = [known.get("key") for known in self._cases]
        place = keys.index(self._case.get("key")) + 1 if self._case.get("key") in keys else len(keys)
        return self._cases[place] if place < len(keys) else None

    def _refused(self, sentence: str, details: str) -> None:
        self._say_wrong(sentence)
        if details:
            self._console.report_failure(sentence, details)

    def _say_wrong(self, sentence: str) -> None:
        self._wrong.setText(sentence)
        self._wrong.setVisible(bool(sentence))
        if sentence:
            self._said.hide()

    def done(self, result: int) -> None:
        """Close, and read nothing more."""
        self.checks.rules.stop()
        super().done(result)


def _lines(editor: QPlainTextEdit) -> list[str]:
    return [line for line in editor.toPlainText().splitlines() if line.strip()]
