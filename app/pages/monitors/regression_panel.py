"""Regression questions: whether they are still answered as their reference answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Panel, row, scrolled
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import get_trace
from rag.errors import NotFoundError
from rag.knowledge.rows import list_collections
from rag.monitoring.rows import RegressionRow, RegressionState
from rag.operations import Operation

Run = Callable[..., Any]  # (operation, done, **arguments): follows the task on the page's strip


@dataclass(frozen=True)
class Shown:
    """A regression question with its collection."""

    collection: str
    row: RegressionRow


def _change(shown: Shown) -> str:
    change = shown.row.change
    return "not run yet" if change is None else change or "the same"


def _colour(shown: Shown) -> str:
    change = shown.row.change
    return "text_muted" if change is None else "bad" if change else "good"


REGRESSION_COLUMNS = (
    Column("Question", lambda s: s.row.question, 260, stretch=True, tooltip=lambda s: s.row.question),
    Column("Collection", lambda s: s.collection, 140, tooltip=lambda s: s.collection),
    Column("Last run", lambda s: "never" if s.row.run_ms is None else datetime.fromtimestamp(s.row.run_ms / 1000).strftime("%d %b %H:%M"),
           112, sort=lambda s: s.row.run_ms),
    Column("What changed", _change, 210, colour=_colour, tooltip=_change),
    Column("Passages", lambda s: "–" if s.row.passage_overlap is None else f"{100 * s.row.passage_overlap:.0f} %", 76, right=True,
           sort=lambda s: s.row.passage_overlap, tooltip=lambda s: "Passages of the prompt that both have, of all (Jaccard index)"),
    Column("Answers", lambda s: "–" if s.row.answer_similarity is None else f"{s.row.answer_similarity:.2f}", 70, right=True,
           sort=lambda s: s.row.answer_similarity, tooltip=lambda s: "Cosine of the two answers' embeddings"),
)  # fmt: skip


class RegressionPanel(QWidget):
    """The list, what changed since the last run, and both answers of the chosen question."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._console, self._run = console, run
        self._collection = ""
        self._states: list[RegressionState] = []
        self.run_button = button(
            "Run them all", self.run_all, primary=True, tip="Ask every question of the list again"
        )
        self.add_button = button(
            "Freeze a question…", self.add, tip="Ask it now; its answer is the reference"
        )
        self.accept_button = button(
            "Accept the new answer",
            self.accept,
            tip="The change was wanted: the last answer is the reference now",
        )
        self.remove_button = button("Remove", self.remove)
        self.automatic = QCheckBox("Run after every change")
        self.automatic.setToolTip(
            "While this window is open: ask them again when model, prompt, settings or documents have changed"
        )
        self.sentence = label("", wrap=True)
        self.table = RecordTable(
            REGRESSION_COLUMNS,
            console.theme,
            "regression_questions",
            "No regression questions yet. Add one whose answer you know to be right, here or from its trace: it is asked "
            "again after changes, and what is answered differently shows.",
        )
        self.before, self.now = label("", wrap=True), label("", wrap=True)
        self.open_before = button("Open the reference", lambda: self._open("reference_trace_id"))
        self.open_now = button("Open the last run", lambda: self._open("trace_id"))
        self._build()
        self._choose(None)

    def show_collection(self, collection: str) -> None:
        """Regression questions of one collection, or of all (empty)."""
        self._collection = collection
        self.automatic.blockSignals(True)
        self.automatic.setChecked(self._console.settings.monitors.run_regression_after_change)
        self.automatic.blockSignals(False)
        self._console.run(
            operations.list_regression_states,
            lambda states: collection == self._collection and self._show(states),
            collection=collection,
        )

    def run_all(self) -> None:
        names = [state.collection for state in self._states if state.questions]
        if names:
            self._run(
                operations.run_regression_questions,
                self._changed,
                collections=names,
            )

    def add(self) -> FreezeDialog:
        names = [c.name for c in list_collections(self._console.database) if c.active_version_id is not None]
        dialog = FreezeDialog(names, self._collection, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self.add_question(dialog.collection.currentText(), dialog.question.text())
        )
        dialog.open()
        return dialog

    def add_question(self, collection: str, question: str) -> None:
        self._run(
            operations.add_regression_question,
            self._changed,
            collection=collection,
            question=question,
        )

    def accept(self) -> None:
        self._change_chosen(operations.accept_regression_answer)

    def remove(self) -> None:
        self._change_chosen(operations.remove_regression_question)

    def _build(self) -> None:
        answers = QWidget()
        pair = QVBoxLayout(answers)
        pair.setContentsMargins(0, 4, 0, 0)
        sides = row(spacing=SPACE)
        for title, text, opener in (
            ("Reference answer", self.before, self.open_before),
            ("Answer of the last run", self.now, self.open_now),
        ):
            panel = Panel(title)
            panel.heading_row.addWidget(opener)
            holder = QWidget()
            inner = QVBoxLayout(holder)
            inner.setContentsMargins(0, 0, 0, 0)
            inner.addWidget(text)
            inner.addStretch(1)
            panel.body.addWidget(scrolled(holder), 1)
            sides.addWidget(panel, 1)
        pair.addLayout(sides)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.table)
        splitter.addWidget(answers)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([300, 200])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addLayout(
            row(self.run_button, self.add_button, self.accept_button, self.remove_button, 1, self.automatic)
        )
        layout.addWidget(self.sentence)
        layout.addWidget(splitter, 1)
        self.table.record_selected.connect(self._choose)
        self.table.record_activated.connect(
            lambda shown: self.trace_requested.emit(shown.row.trace_id or shown.row.reference_trace_id)
        )
        self.automatic.toggled.connect(
            lambda on: self._console.change_settings("monitors", "run_regression_after_change", on)
        )

    def _show(self, states: list[RegressionState]) -> None:
        self._states = states
        chosen = self.table.selected_records()
        self.table.set_records(
            [Shown(state.collection, question) for state in states for question in state.questions],
            keep_sort=True,
        )
        self.run_button.setEnabled(any(state.questions for state in states))
        lead = (lambda state: f"{state.collection}: ") if len(states) > 1 else (lambda state: "")
        self.sentence.setText(
            "\n".join(f"{lead(s)}{s.sentence()} {s.stale}".strip() for s in states if s.questions)
        )
        stale = any(state.stale for state in states)
        self.sentence.setProperty("role", "warning" if stale else "")
        self.sentence.style().unpolish(self.sentence)
        self.sentence.style().polish(self.sentence)
        self.sentence.setVisible(bool(self.sentence.text()))
        wanted = chosen[0].row.id if chosen else None
        if not self.table.choose(lambda shown: wanted is None or shown.row.id == wanted):
            self._choose(None)

    def _choose(self, shown: Shown | None) -> None:
        self.remove_button.setEnabled(shown is not None)
        self.accept_button.setEnabled(shown is not None and bool(shown.row.change))
        self.open_before.setEnabled(shown is not None)
        self.open_now.setEnabled(shown is not None and shown.row.trace_id is not None)
        self.before.setText(self._answer(shown.row.reference_trace_id) if shown else "")
        last = shown.row.trace_id if shown else None
        self.now.setText(self._answer(last) if last else "")

    def _answer(self, trace_id: str) -> str:
        try:
            return get_trace(self._console.database, trace_id).answer or "(empty)"
        except NotFoundError:
            return "This trace is gone; the next run's answer becomes the reference."

    def _change_chosen(self, operation: Operation[Any]) -> None:
        chosen: list[Shown] = self.table.selected_records()
        if chosen:
            self._run(
                operation,
                self._changed,
                collection=chosen[0].collection,
                question_id=chosen[0].row.id,
            )

    def _changed(self, _result: Any) -> None:
        self._console.data_changed.emit()
        self.show_collection(self._collection)

    def _open(self, which: str) -> None:
        chosen: list[Shown] = self.table.selected_records()
        if chosen and getattr(chosen[0].row, which):
            self.trace_requested.emit(getattr(chosen[0].row, which))


class FreezeDialog(QDialog):
    """A question and the collection to ask it."""

    def __init__(self, collections: list[str], chosen: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Freeze a question")
        self.setMinimumWidth(520)
        self.collection, self.question = QComboBox(), QLineEdit()
        self.collection.setAccessibleName("Collection")
        self.collection.addItems(collections)
        self.collection.setCurrentIndex(max(self.collection.findText(chosen), 0))
        self.question.setAccessibleName("Question")
        form = QFormLayout()
        form.addRow("Collection", self.collection)
        form.addRow("Question", self.question)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add_question_button = button("Ask and add", self.accept, primary=True)
        buttons.addButton(self.add_question_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(
            label(
                "It is asked now, and its answer is the reference: read it before you trust it. A question that was asked "
                "already is added from its trace.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.question.textChanged.connect(self._mind)
        self._mind()
        self.question.setFocus()

    def _mind(self) -> None:
        self.add_question_button.setEnabled(
            bool(self.question.text().strip()) and self.collection.count() > 0
        )
