"""The relevant passages of a case: picked from search, written by hand, graded, and taken out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.forms.passage_picker import PassagePicker
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column, dialog_buttons
from app.widgets.theme import scaled

Values = dict[str, Any]


def _name(judgement: Values) -> str:
    return str(judgement.get("document", "")).replace("\\", "/").rsplit("/", 1)[-1] or "any document"


def _words(judgement: Values) -> str:
    return " ".join(str(judgement.get("quote", "")).split()) or "the whole document"


JUDGEMENT_COLUMNS = (
    Column("Document", _name, 110, tooltip=lambda j: j.get("document", ""), priority=0),
    Column("Passage", _words, 220, stretch=True, tooltip=_words),
    Column("Grade", lambda j: str(j.get("grade", 1)), 56, right=True, sort=lambda j: j.get("grade", 1)),
)


class JudgementsEditor(QWidget):
    """A list of judgements with what can be done with them."""

    changed = Signal()

    def __init__(self, console: Console, question: Callable[[], str]) -> None:
        """Make an empty list. question: returns the question that passages are searched for."""
        super().__init__()
        self._console, self._question = console, question
        self.table = RecordTable(
            JUDGEMENT_COLUMNS, console.theme, "case_passages",
            "No passage yet. “Find passages…” searches for those that answer the question.",
        )  # fmt: skip
        self.table.setFixedHeight(scaled(104))
        self.find_button = button("Find passages…", self.find_passages)
        self.edit_button = button("Edit…", self.edit)
        self.remove_button = button("Remove", self.remove)
        tools = Toolbar(
            self.find_button, button("By hand…", self.write, tip="Name a document, or quote its words"),
            self.edit_button, self.remove_button, 1,
        )  # fmt: skip
        column((self.table, 1), tools, holder=self)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.table.records_model.modelReset.connect(self._enable)
        self.table.record_activated.connect(lambda _judgement: self.edit())
        self._enable()

    @property
    def values(self) -> list[Values]:
        """The judgements, as values of rag.evaluation.cases.Judgement."""
        return [dict(judgement) for judgement in self.table.records_model.records]

    def set_values(self, values: list[Values]) -> None:
        """Show these judgements."""
        self.table.set_records(values)
        self.changed.emit()

    def find_passages(self) -> None:
        """Pick passages from a search."""
        picker = PassagePicker(self._console, self._question(), self)
        if picker.exec() == QDialog.DialogCode.Accepted:
            values = self.values
            for one in picker.picked:
                if one not in values:
                    values.append(one)
            self.set_values(values)

    def write(self) -> None:
        """Write a judgement by hand."""
        dialog = JudgementDialog({}, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.set_values([*self.values, dialog.values()])

    def edit(self) -> None:
        """Change the chosen judgement."""
        chosen = self.table.selected_records()
        if len(chosen) != 1:
            return
        dialog = JudgementDialog(chosen[0], self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.set_values([dialog.values() if one is chosen[0] else one for one in self._records])

    def remove(self) -> None:
        """Take the chosen judgements out."""
        chosen = [id(one) for one in self.table.selected_records()]
        self.set_values([one for one in self._records if id(one) not in chosen])

    @property
    def _records(self) -> list[Values]:
        return list(self.table.records_model.records)

    def _enable(self) -> None:
        count = len(self.table.selected_records())
        allow(self.edit_button, "" if count == 1 else "Choose one passage first.")
        allow(self.remove_button, "" if count else "Choose a passage first.")


class JudgementDialog(QDialog):
    """A form for one judgement."""

    def __init__(self, judgement: Values, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._judgement = judgement
        self.setWindowTitle("Relevant passage")
        self.setMinimumWidth(scaled(480))
        self.document = QLineEdit(str(judgement.get("document", "")))
        self.document.setPlaceholderText("Name or path; empty: any document with the quote")
        self.quote = QPlainTextEdit(str(judgement.get("quote", "")))
        self.quote.setPlaceholderText("The passage, word for word; empty: the whole document")
        self.quote.setTabChangesFocus(True)
        self.grade = QSpinBox(minimum=-10, maximum=100, value=int(judgement.get("grade", 1)))
        self.grade.lineEdit().setTextMargins(4, 0, 0, 0)
        form = QFormLayout()
        for title, widget in (("Document", self.document), ("Passage", self.quote), ("Grade", self.grade)):
            widget.setAccessibleName(title)
            form.addRow(title, widget)
        self._wrong = label("", "bad", wrap=True)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self._wrong)
        layout.addWidget(dialog_buttons(self, "Save", self._accept))

    def values(self) -> Values:
        """Return the judgement; one whose document and words are the same keeps its place."""
        document, quote = self.document.text().strip(), self.quote.toPlainText()
        same = document == self._judgement.get("document", "") and quote == self._judgement.get("quote", "")
        kept = {k: v for k, v in self._judgement.items() if same and k in ("start", "end")}
        return {"document": document, "quote": quote, "grade": self.grade.value(), **kept}

    def _accept(self) -> None:
        values = self.values()
        if not values["document"] and not values["quote"].strip():
            self._wrong.setText("Name a document, or quote a passage.")
            return
        self.accept()
