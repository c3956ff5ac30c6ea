"""The steps of a cascade that answered a question: what each one said, and why it was not given."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import column, row
from rag.asking.cascades.rows import CascadeStepRow

_MOST = 1200  # characters of an answer; the trace has all of it


class StepsView(QWidget):
    """A list of steps, which is hidden where no cascade answered."""

    trace_requested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(label("Steps of the cascade", "section"))
        layout.addLayout(self._rows)
        self.hide()

    def show_steps(self, steps: list[CascadeStepRow], trace_id: str) -> None:
        """Show the steps of a question; trace_id: the trace that is open."""
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for step in steps:
            self._rows.addWidget(self._step(step, trace_id))
        self.setVisible(bool(steps))

    def _step(self, step: CascadeStepRow, trace_id: str) -> QWidget:
        what = "its answer was given" if step.is_given else f"not given: {step.reason}"
        model = f" ({step.model})" if step.model and step.model != step.name else ""
        head = label(
            f"{step.position}. {step.name}{model}: {what}", "" if step.is_given else "warning", wrap=True
        )
        if step.trace_id == trace_id:
            return head
        opened = step.trace_id
        link = button(
            "Open trace",
            lambda: self.trace_requested.emit(opened),
            link=True,
            tip="Everything about this step",
        )
        answer = step.answer if len(step.answer) <= _MOST else step.answer[:_MOST] + "…"
        return column(row((head, 1), link), label(answer or "No answer.", "muted", wrap=True))
