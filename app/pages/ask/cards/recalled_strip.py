"""A line above an answer that was given before: how long ago, to which question, and a way to a fresh one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.widgets.buttons import button
from app.widgets.labels import label, set_tip
from app.widgets.layout import Flow, column
from rag.asking.cache.rows import CacheHitRow


class RecalledStrip(QWidget):
    """A line that says where an answer comes from; hidden above one that a model has just given."""

    trace_requested = Signal(str)
    fresh_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._source = ""
        self.sentence = label("", "small")
        self.first_button = button("First answer", self._open, link=True, tip="Trace of the first answer")
        self.again_button = button(
            "Answer again", self.fresh_wanted.emit, link=True, tip="Ask the model now, whatever is stored"
        )
        column(Flow(self.sentence, self.first_button, self.again_button), holder=self)
        self.hide()

    def show_hit(self, hit: CacheHitRow | None) -> None:
        """Show how an answer came from the cache; None: it did not."""
        self.setVisible(hit is not None)
        if hit is not None:
            self._source = hit.source_trace
            self.sentence.setText(hit.sentence())
            asked = f"The first question was: {hit.first_question}" if hit.similarity is not None else ""
            set_tip(self.sentence, asked)

    def _open(self) -> None:
        self.trace_requested.emit(self._source)
