"""The dialog for the reference period: the time in which everything was as it should be."""

from __future__ import annotations

import time

import numpy as np
from PySide6.QtCore import QDateTime, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.widgets.buttons import button
from app.widgets.charts import RangeBrush
from app.widgets.labels import label
from app.widgets.layout import guard_wheel, row
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.applications.rows import list_question_times
from rag.text.plurals import counted

_DAY_S = 86_400
_PRESETS = (("Last 7 days", 7), ("Last 14 days", 14), ("Last 30 days", 30), ("Everything so far", 0))
_FEWEST = 20  # questions; fewer give no limits
_BINS = 120


class ReferenceDialog(QDialog):
    """A dialog with a timeline to drag over, two times to type, and the number of questions between them."""

    def __init__(self, console: Console, collection: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._console, self._collection = console, collection
        self.setWindowTitle("Reference period")
        self.setMinimumWidth(680)
        guard_wheel(self)
        self._moving = False
        now = time.time()
        self._times = np.array(list_question_times(console.database, collection)) / 1000
        self._first = float(self._times.min()) if len(self._times) else now - _DAY_S
        self._now = now
        self.start, self.end = self._editor("From"), self._editor("To")
        self.brush = RangeBrush(console.theme)
        self.count, self.note = label(), QLineEdit()
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("Why this time, such as “after the release of version 3”")
        self.presets = QComboBox()
        self.presets.setAccessibleName("Preset")
        self.presets.addItem("Choose a preset…", None)
        for name, days in _PRESETS:
            self.presets.addItem(name, days)
        self._build()
        start = max(self._first - 60, now - 30 * _DAY_S)
        self.set_period(start, now)

    @property
    def period(self) -> tuple[int, int]:
        """Start and end in Unix milliseconds."""
        return self.start.dateTime().toMSecsSinceEpoch(), self.end.dateTime().toMSecsSinceEpoch()

    def set_period(self, start_s: float, end_s: float) -> None:
        """Show a period, given in Unix seconds, in both editors and on the timeline."""
        self._moving = True
        for editor, moment in ((self.start, start_s), (self.end, end_s)):
            editor.setDateTime(QDateTime.fromMSecsSinceEpoch(int(moment * 1000)))
        self.brush.region.setRegion((start_s, end_s))
        self._moving = False
        self._count()

    def save(self) -> None:
        """Store the period; the dialog stays open when it is refused."""
        start, end = self.period
        task = self._console.engine.start(
            operations.set_reference,
            collection=self._collection,
            start=start,
            end=end,
            note=self.note.text().strip(),
        )
        task.finished.connect(lambda _count: self.accept())
        task.failed.connect(lambda sentence, _details: self.count.setText(sentence))

    def _build(self) -> None:
        whose = (
            f"“{self._collection}”" if self._collection else "all collections without a period of their own"
        )
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(
            label(
                f"Control limits and drift tests of {whose} compare with the questions of this period. "
                "Choose a time in which everything was as it should be; later questions are compared "
                "with it.",
                "muted",
                wrap=True,
            )
        )
        span = max(self._now - self._first, 3600)
        edges = np.linspace(self._first - span * 0.02, self._now, _BINS + 1)
        counts, _ = np.histogram(self._times, edges)
        self.brush.set_data(
            (edges[:-1] + edges[1:]) / 2, counts.astype(float), float(edges[0]), self._now, float(edges[0])
        )
        self.brush.setToolTip("Drag the edges or the whole period")
        layout.addWidget(self.brush)
        layout.addLayout(row(label("From"), self.start, label("to"), self.end, 1, self.presets))
        layout.addWidget(self.count)
        layout.addLayout(row(label("Note"), self.note))
        buttons = QDialogButtonBox()
        self.save_button = button("Use this period", self.save, primary=True)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel).clicked.connect(self.reject)
        layout.addWidget(buttons)
        self.brush.range_changed.connect(self._dragged)
        self.presets.currentIndexChanged.connect(lambda _i: self._preset())
        for editor in (self.start, self.end):
            editor.dateTimeChanged.connect(lambda _t: self._typed())

    def _editor(self, name: str) -> QDateTimeEdit:
        made = QDateTimeEdit()
        made.setAccessibleName(name)
        made.setCalendarPopup(True)
        made.setDisplayFormat("dd MMM yyyy HH:mm")
        made.setMinimumWidth(170)
        made.setAlignment(Qt.AlignmentFlag.AlignLeft)
        return made

    def _dragged(self, start: float, end: float) -> None:
        if not self._moving:
            self.set_period(start, end)

    def _typed(self) -> None:
        if not self._moving:
            start, end = self.period
            self.set_period(start / 1000, end / 1000)

    def _preset(self) -> None:
        days = self.presets.currentData()
        if days is not None:
            self.set_period(self._now - days * _DAY_S if days else self._first - 60, self._now)

    def _count(self) -> None:
        start, end = (moment / 1000 for moment in self.period)
        count = int(((self._times >= start) & (self._times < end)).sum())
        few = f"; limits need at least {_FEWEST}" if count < _FEWEST else ""
        self.count.setText(f"{counted(count, 'question')} in this period{few}.")
        self.save_button.setEnabled(start < end)
