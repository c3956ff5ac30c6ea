"""Regression questions: whether they are still answered as their reference answers say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.monitors.run import Run
from app.widgets.buttons import Toolbar, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Panel, Splitter, column, guard_wheel, row, scrolled
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import get_trace
from rag.errors import NotFoundError
from rag.knowledge.rows import list_collections
from rag.monitoring.rows import RegressionRow, RegressionState
from rag.operations import Operation


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


def _last_run(shown: Shown) -> str:
    moment = shown.row.run_ms
    return "never" if moment is None else datetime.fromtimestamp(moment / 1000).strftime("%d %b %H:%M")


def _overlap(shown: Shown) -> str:
    share = shown.row.passage_overlap
    return "–" if share is None else f"{100 * share:.0f} %"


def _similarity(shown: Shown) -> str:
    cosine = shown.row.answer_similarity
    return "–" if cosine is None else f"{cosine:.2f}"


REGRESSION_COLUMNS = (
    Column("Question", lambda s: s.row.question, 260, stretch=True, tooltip=lambda s: s.row.question),
    Column("Collection", lambda s: s.collection, 140, tooltip=lambda s: s.collection),
    Column("Last run", _last_run, 112, sort=lambda s: s.row.run_ms),
    Column("What changed", _change, 210, colour=_colour, tooltip=_change),
    Column("Passages", _overlap, 76, right=True, sort=lambda s: s.row.passage_overlap,
           tooltip=lambda s: "Share of the passages in either prompt that both contain (Jaccard index)"),
    Column("Answers", _similarity, 70, right=True, sort=lambda s: s.row.answer_similarity,
           tooltip=lambda s: "Cosine of the two answers' embeddings"),
)  # fmt: skip


class RegressionPanel(QWidget):
    """A panel with the questions, what changed in the last run, and both answers of the chosen question."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, run: Run) -> None:
        super().__init__()
        self._console, self._run = console, run
        self._collection = ""
        self._states: list[RegressionState] = []
        self.run_button = button(
            "Run all", self.run_all, primary=True, tip="Ask every question of the list again"
        )
        self.add_button = button(
            "Add a question…", self.add, tip="Ask it now; its answer becomes the reference"
        )
        self.accept_button = button(
            "Accept the new answer",
            self.accept,
            tip="Accept the last answer as the new reference",
        )
        self.remove_button = button("Remove", self.remove)
        self.automatic = QCheckBox("Run after every change")
        self.automatic.setToolTip(
            "Ask them again whenever the model, prompt, settings or documents change, while this "
            "window is open"
        )
        self.sentence = label("", wrap=True)
        self.table = RecordTable(
            REGRESSION_COLUMNS,
            console.theme,
            "regression_questions",
            "No regression questions yet. Add one whose answer you know to be right, here or from its trace. "
            "It is asked again after changes, and you see which answers have changed.",
        )
        self.before, self.now = label("", wrap=True), label("", wrap=True)
        self.open_before = button(
            "Open the reference", lambda: self._open(lambda row: row.reference_trace_id)
        )
        self.open_now = button("Open the last run", lambda: self._open(lambda row: row.trace_id))
        self._build()
        self._choose(None)

    def show_collection(self, collection: str) -> None:
        """Show the regression questions of one collection, or of all (empty)."""
        self._collection = collection
        with QSignalBlocker(self.automatic):
            self.automatic.setChecked(self._console.settings.monitors.run_regression_after_change)
        self._console.run(
            operations.list_regression_states,
            lambda states: self._show(states) if collection == self._collection else None,
            collection=collection,
        )

    def run_all(self) -> None:
        """Ask every question of the list again."""
        names = [state.collection for state in self._states if state.questions]
        if names:
            self._run(operations.run_regression_questions, self._changed, collections=names)

    def add(self) -> RegressionDialog:
        """Open the dialog for a new question."""
        names = [c.name for c in list_collections(self._console.database) if c.active_version_id is not None]
        dialog = RegressionDialog(names, self._collection, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(
            lambda: self.add_question(dialog.collection.currentText(), dialog.question.text())
        )
        dialog.open()
        return dialog

    def add_question(self, collection: str, question: str) -> None:
        """Ask a question; its answer becomes the reference."""
        self._run(
            operations.add_regression_question,
            self._changed,
            collection=collection,
            question=question,
        )

    def accept(self) -> None:
        """Make the last answer of the chosen question its reference."""
        self._change_chosen(operations.accept_regression_answer)

    def remove(self) -> None:
        """Remove the chosen question; its traces stay."""
        self._change_chosen(operations.remove_regression_question)

    def _build(self) -> None:
        sides = row(spacing=SPACE)
        for title, text, opener in (
            ("Reference answer", self.before, self.open_before),
            ("Answer of the last run", self.now, self.open_now),
        ):
            panel = Panel(title)
            panel.heading_row.addWidget(opener)
            panel.body.addWidget(scrolled(column(text, 1)), 1)
            sides.addWidget(panel, 1)
        answers = column(sides, top=4)
        column(
            Toolbar(
                self.run_button, self.add_button, self.accept_button, self.remove_button, 1, self.automatic
            ),
            self.sentence,
            (Splitter("monitors/regression", self.table, answers, (300, 200), vertical=True), 1),
            holder=self,
            top=SPACE,
        )
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
        lines = [
            f"{f'{s.collection}: ' if len(states) > 1 else ''}{s.sentence()} {s.stale}".strip()
            for s in states
            if s.questions
        ]
        self.sentence.setText("\n".join(lines))
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
            return "This trace was deleted. The answer of the next run becomes the reference."

    def _change_chosen(self, operation: Operation[Any]) -> None:
        chosen: list[Shown] = self.table.selected_records()
        if chosen:
            self._run(
                operation,
                self._changed,
                collection=chosen[0].collection,
                question_id=chosen[0].row.id,
            )

    def _changed(self, _result: object) -> None:
        self._console.data_changed.emit()
        self.show_collection(self._collection)

    def _open(self, which: Callable[[RegressionRow], str | None]) -> None:
        chosen: list[Shown] = self.table.selected_records()
        if chosen and (trace_id := which(chosen[0].row)):
            self.trace_requested.emit(trace_id)


class RegressionDialog(QDialog):
    """A dialog for a question and the collection that answers it."""

    def __init__(self, collections: list[str], chosen: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add a regression question")
        self.setMinimumWidth(520)
        guard_wheel(self)
        self.collection, self.question = QComboBox(), QLineEdit()
        self.collection.setAccessibleName("Collection")
        self.collection.addItems(collections)
        self.collection.setCurrentIndex(max(self.collection.findText(chosen), 0))
        self.question.setAccessibleName("Question")
        form = QFormLayout()
        form.addRow("Collection", self.collection)
        form.addRow("Question", self.question)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add_button = button("Ask and add", self.accept, primary=True)
        buttons.addButton(self.add_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(
            label(
                "The question is asked now, and its answer becomes the reference: read it before you trust "
                "it. To use an earlier answer, add the question from its trace.",
                "muted",
                wrap=True,
            )
        )
        layout.addLayout(form)
        layout.addWidget(buttons)
        self.question.textChanged.connect(self._enable)
        self._enable()
        self.question.setFocus()

    def _enable(self) -> None:
        self.add_button.setEnabled(bool(self.question.text().strip()) and self.collection.count() > 0)
