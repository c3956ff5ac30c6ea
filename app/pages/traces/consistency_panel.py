"""The tab "Agreement": the same prompt answered several times, how far the answers agree and what differs."""

from __future__ import annotations

from PySide6.QtWidgets import QSpinBox, QWidget

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, column
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import ConsistencyReport, Sample, SampleProgress, read_consistency

_COLUMNS = (
    Column("Meaning", lambda s: chr(65 + s.group % 26), 80),
    Column("Answer", lambda s: " ".join(s.answer.split()) or "(nothing)", 420),
    Column("What the others do not say", lambda s: "  ·  ".join(s.differs), 320),
)


class ConsistencyPanel(QWidget):
    """A table of answers to the same prompt, of the last check or one made on demand."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._trace_id = ""
        self._has_prompt = False
        self._task: Task | None = None
        self.count = QSpinBox(minimum=2, maximum=50, value=5)
        self.count.setAccessibleName("How many answers")
        self.start = button(
            "Ask again", self.check, tip="Answer the same prompt this many times, at temperature 0.7"
        )
        self.stop = button("Stop", self._cancel)
        self.stop.hide()
        self.verdict, self.progress = label("", wrap=True), label("", "small")
        self.table = RecordTable(_COLUMNS, console.theme, "consistency", "Not asked again yet.")
        column(
            Flow(self.start, self.count, label("times", "small"), self.stop, self.progress),
            self.verdict,
            (self.table, 1),
            holder=self,
            top=SPACE,
        )

    def show_trace(self, trace_id: str, has_prompt: bool) -> None:
        """Show the last check of a trace.

        Args:
            trace_id: The trace.
            has_prompt: Whether the model was asked, so that it can be asked again.
        """
        if trace_id == self._trace_id and self._task is not None:
            return
        self._trace_id, self._has_prompt = trace_id, has_prompt
        self._enable()
        self._show(read_consistency(self._console.database, trace_id))

    def check(self) -> None:
        """Answer the prompt again, as often as the field says."""
        if not self._trace_id or self._task is not None:
            return
        trace_id = self._trace_id
        task = self._console.engine.start(
            operations.check_consistency,
            trace_id=trace_id,
            samples=self.count.value(),
        )
        self._task = task
        self.start.setEnabled(False)
        self.stop.show()
        self.progress.setText("Waiting…")
        task.event.connect(self._step)
        task.finished.connect(self._finish)
        task.failed.connect(self._console.report_failure)
        task.ended.connect(self._ended)

    def _step(self, event: SampleProgress) -> None:
        self.progress.setText(f"{event.done} of {event.total} answered")

    def _finish(self, report: ConsistencyReport) -> None:
        if report.trace_id == self._trace_id:
            self._show(report)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _ended(self) -> None:
        self._task = None
        self.stop.hide()
        self.progress.clear()
        self._enable()

    def _enable(self) -> None:
        self.start.setEnabled(self._has_prompt and self._task is None)

    def _show(self, report: ConsistencyReport | None) -> None:
        samples: tuple[Sample, ...] = report.samples if report else ()
        self.table.set_records(samples)
        self.verdict.setText(_sentence(report) if report else "")


def _sentence(report: ConsistencyReport) -> str:
    n = len(report.samples)
    agreeing = round(report.agreement * n)
    if report.clusters == 1:
        said = f"All {n} answers mean the same"
    elif agreeing == 1:
        said = f"No two of {n} answers mean the same"
    else:
        said = f"{agreeing} of {n} answers mean the same; there are {report.clusters} different meanings"
    return f"{said}. Semantic entropy {report.semantic_entropy:.2f} of at most {report.highest_entropy:.2f}."
