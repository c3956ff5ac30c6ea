"""The list "Steps" beside that of the traces: steps of all received traces, by kind, name, text and error."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from app.console import Console
from app.pages.traces.steps.tree_model import took
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, column
from app.widgets.navigation import SearchField
from app.widgets.theme import SPACE
from rag.interchange.agents.rows import FoundStep, StepFilter, count_steps, find_steps
from rag.interchange.rows import StepKind
from rag.text.plurals import counted


def _begin(step: FoundStep) -> str:
    return " ".join((step.error or step.output_begin or step.input_begin).split())


def _tip(step: FoundStep) -> str:
    parts = (("Error", step.error), ("Input", step.input_begin), ("Output", step.output_begin))
    return "\n".join(f"{name}: {text}" for name, text in parts if text)


COLUMNS = (
    Column("Step", lambda s: s.title, 130, tooltip=lambda s: s.title),
    Column("Kind", lambda s: f"{s.kind.words}, failed" if s.error else s.kind.words, 76,
           colour=lambda s: "bad" if s.error else None, priority=0),
    Column("Text", _begin, 170, tooltip=_tip, stretch=True),
    Column("Took", lambda s: took(s.took_ms), 66, right=True, sort=lambda s: s.took_ms),
    Column("Application", lambda s: s.application, 90, tooltip=lambda s: s.application),
    Column("Question", lambda s: s.question, 130, tooltip=lambda s: s.question),
)  # fmt: skip


class StepSearch(QWidget):
    """Filters above a table of the steps that they let through, those of the newest trace first."""

    step_requested = Signal(str, str)  # ids of the trace and of the span

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.text = SearchField("Text of input, output or error")
        self.name = SearchField("Name of step, tool or agent")
        self.kind = QComboBox()
        self.kind.setAccessibleName("Filter by kind of step")
        self.kind.addItem("Any kind", "")
        for kind in StepKind:
            self.kind.addItem(kind.words.capitalize(), kind.value)
        self.errors = QCheckBox("Failed only")
        self.count = label("", "muted")
        self.table = RecordTable(
            COLUMNS, console.theme, "found_steps", "No step of another application is like that."
        )
        self.text.searched.connect(lambda _text: self.refresh())
        self.name.searched.connect(lambda _text: self.refresh())
        self.kind.currentIndexChanged.connect(lambda _index: self.refresh())
        self.errors.toggled.connect(lambda _on: self.refresh())
        self.table.record_selected.connect(self._open)
        self.table.record_activated.connect(self._open)
        filters = Flow(self.text, self.name, self.kind, self.errors)
        column(filters, (self.table, 1), self.count, holder=self, top=SPACE)

    def wanted(self) -> StepFilter:
        """Return what the filters say."""
        return StepFilter(
            text=self.text.text(),
            name=self.name.text(),
            kind=self.kind.currentData() or "",
            errors_only=self.errors.isChecked(),
        )

    def refresh(self) -> None:
        """Read the list again while it is seen."""
        if not self.isVisible():
            return
        wanted, database = self.wanted(), self._console.database
        self.table.set_source(lambda offset, limit: find_steps(database, wanted, limit, offset))
        self.count.setText(counted(count_steps(database, wanted), "step"))

    def showEvent(self, event: QShowEvent) -> None:
        """Read the list: it was not followed while it was hidden."""
        super().showEvent(event)
        self.refresh()

    def _open(self, step: FoundStep) -> None:
        self.step_requested.emit(step.trace_id, step.span_id)
