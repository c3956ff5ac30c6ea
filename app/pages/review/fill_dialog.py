"""The dialog that chooses answers for a review queue."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.widgets.labels import label
from app.widgets.layout import dialog_buttons, refill
from app.widgets.theme import SPACE
from rag.asking.applications.rows import application_choices
from rag.knowledge.rows import list_collections
from rag.review.rows import SOURCES, list_queues

_FIRST_COUNT = 10  # of flagged answers and of random ones


class FillDialog(QDialog):
    """A form with the number of answers to take from each source."""

    def __init__(self, console: Console, queue: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add answers to a review queue")
        self.setMinimumWidth(460)
        self.queue, self.collection = QComboBox(), QComboBox()
        self.queue.setEditable(True)
        self.queue.setAccessibleName("Review queue")
        self.queue.addItems([found.name for found in list_queues(console.database)])
        self.queue.setEditText(queue or "Review")
        self.collection.setAccessibleName("Collection")
        names = [(found.name, found.name) for found in list_collections(console.database)]
        names += application_choices(console.database)
        refill(self.collection, [("All collections", ""), *names])
        form = QFormLayout()
        form.addRow("Queue", self.queue)
        form.addRow("Answers of", self.collection)
        self.spins: dict[str, QSpinBox] = {}
        for source, what in SOURCES.items():
            count = _FIRST_COUNT if source in ("flagged", "random") else 0
            spin = QSpinBox(minimum=0, maximum=10_000, value=count)
            spin.setAccessibleName(what)
            spin.setFixedWidth(90)
            self.spins[source] = spin
            form.addRow(what, spin)
        buttons = dialog_buttons(self, "Add", self.accept)
        note = "Maximum per source. Answers already in the queue are skipped."
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(label(note, "muted", wrap=True))
        layout.addLayout(form)
        layout.addWidget(buttons)

    def counts(self) -> dict[str, int]:
        """Return how many answers to take at most, by source."""
        return {source: spin.value() for source, spin in self.spins.items() if spin.value()}
