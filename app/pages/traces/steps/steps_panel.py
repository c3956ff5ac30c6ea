"""The tab "Steps" of a received trace: the tree with its timeline, and the chosen step below it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.console import Console
from app.pages.traces.steps.detail import StepDetailView
from app.pages.traces.steps.tree import StepTree
from app.widgets.buttons import allow, button
from app.widgets.labels import label
from app.widgets.layout import Flow, Splitter, column
from app.widgets.theme import SPACE
from rag.errors import NotFoundError
from rag.interchange.agents.rows import StepRow, list_steps, read_step
from rag.text.plurals import counted

_PAUSE_MS = 60  # walking through the tree reads a step once the keys rest


class StepsPanel(QWidget):
    """A tree of steps; what one holds is read when it is chosen. Nothing is read before the panel is seen."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._trace_id = self._shown = self._wanted = ""
        self.count = label("", "small", wrap=True)
        self.tree = StepTree(console.theme)
        self.detail = StepDetailView(console.theme)
        self.expand = button("Unfold all", self.tree.expandAll)
        self.collapse = button("Fold", self._fold)
        self.next_error = button("Next error", self.choose_next_error, tip="The next step that failed")
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._read)
        self.tree.step_selected.connect(lambda _step: self._pause.start())
        upper = column(
            Flow(self.expand, self.collapse, self.next_error), self.count, (self.tree, 1), top=SPACE
        )
        splitter = Splitter("traces/steps", upper, self.detail, (340, 260), vertical=True, least=(150, 120))
        column((splitter, 1), holder=self)

    def show_trace(self, trace_id: str) -> None:
        """Show the steps of a trace, now or when the panel is seen."""
        self._trace_id, self._wanted = trace_id, ""
        if self.isVisible():
            self._load()

    def choose_step(self, span_id: str) -> None:
        """Choose a step of the trace by the id of its span, now or when the panel is seen."""
        self._wanted = span_id
        if self._shown == self._trace_id:
            self._choose_wanted()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the steps of the trace that was chosen in the meantime."""
        super().showEvent(event)
        if self._shown != self._trace_id:
            self._load()

    def choose_next_error(self) -> None:
        """Choose the next step that failed, after the last one the first."""
        steps = self.tree.steps_model.steps
        start = self.tree.number
        for offset in range(1, len(steps) + 1):
            number = (start + offset - 1) % len(steps) + 1
            if steps[number - 1].error:
                self.tree.choose(number)
                return

    def _load(self) -> None:
        steps = list_steps(self._console.database, self._trace_id)
        self._shown = self._trace_id
        self.tree.set_steps(steps)
        self.count.setText(summary(steps))
        allow(self.next_error, "" if any(step.error for step in steps) else "No step failed.")
        self._choose_wanted()
        self._pause.stop()
        self._read()

    def _choose_wanted(self) -> None:
        for number, step in enumerate(self.tree.steps_model.steps, 1):
            if self._wanted and step.span_id == self._wanted:
                self.tree.choose(number)
        self._wanted = ""

    def _fold(self) -> None:
        self.tree.collapseAll()
        self.tree.expandToDepth(0)

    def _read(self) -> None:
        number = self.tree.number
        self.detail.setVisible(bool(number))
        if not number:
            return
        step = self.tree.steps_model.steps[number - 1]
        try:
            self.detail.show_step(read_step(self._console.database, self._shown, step.span_id))
        except NotFoundError as error:  # the trace was deleted in the meantime
            self._console.notice.emit(str(error), "bad")


def summary(steps: list[StepRow]) -> str:
    """Return what the steps are, in a line."""
    if not steps:
        return "This trace has no steps of another application."
    kinds: dict[str, int] = {}
    for step in steps:
        kinds[step.kind.words] = kinds.get(step.kind.words, 0) + 1
    parts = [counted(len(steps), "step"), *(f"{kind} {count:,}" for kind, count in kinds.items())]
    failed = sum(bool(step.error) for step in steps)
    return "  ·  ".join([*parts, f"{failed:,} failed"] if failed else parts)
