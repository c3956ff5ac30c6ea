"""Answers to one question side by side, or below each other where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.widgets.theme import SPACE, scaled

_LEAST = 300  # pixels of a column


class Columns(QWidget):
    """Widgets in as many columns of equal width as fit."""

    def __init__(self, *widgets: QWidget) -> None:
        """Lay these out."""
        super().__init__()
        self._widgets: list[QWidget] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(SPACE)
        self._count = 1
        for widget in widgets:
            self.add(widget)

    @property
    def count(self) -> int:
        """How many columns there are now."""
        return self._count

    def add(self, widget: QWidget) -> None:
        """Put another one behind the others."""
        self._widgets.append(widget)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use as many columns as fit."""
        super().resizeEvent(event)
        if self._fitting() != self._count:
            self._arrange()

    def event(self, event: QEvent) -> bool:
        """Lay the columns out anew when one has changed.

        A tool bar that puts buttons under “More” changes its column while that is being laid out, and what
        stands below it would keep the place that it had before.
        """
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            for widget in self._widgets:
                layout = widget.layout()
                if layout is not None:
                    layout.invalidate()
                    layout.setGeometry(widget.rect())
        return done

    def _fitting(self) -> int:
        return max(min(self.width() // scaled(_LEAST), len(self._widgets)), 1)

    def _arrange(self) -> None:
        for column in range(self._count):
            self._grid.setColumnStretch(column, 0)
        self._count = self._fitting()
        for number, widget in enumerate(self._widgets):
            row, column = divmod(number, self._count)
            self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignTop)
            self._grid.setColumnStretch(column, 1)
