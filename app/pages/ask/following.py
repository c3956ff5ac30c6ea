"""Keeps the end of a conversation in view until a person scrolls up."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QScrollArea

from app.widgets.buttons import button
from app.widgets.theme import SPACE, Theme, scaled

_AT_THE_END = 24  # pixels from the end that still count as the end


class Following(QObject):
    """Scrolls an area to its end whenever that moves, and offers the way back when somebody left it."""

    def __init__(self, theme: Theme, area: QScrollArea) -> None:
        """Follow the end of this area, which scrolls up and down."""
        super().__init__(area)
        self._area, self._bar = area, area.verticalScrollBar()
        self._theme = theme
        self._follows = True
        self.jump_button = button("Jump to the latest", self.jump, tip="Scroll to the end and stay there")
        self.jump_button.setParent(area)
        self.jump_button.hide()
        theme.changed.connect(self._tint)
        self._tint()
        # Content that grows changes the range alone: the value is lower only where somebody made it so.
        self._bar.valueChanged.connect(self._moved)
        self._bar.rangeChanged.connect(lambda _least, _most: self._grown())
        area.installEventFilter(self)

    @property
    def follows(self) -> bool:
        """Whether the end is kept in view."""
        return self._follows

    def jump(self) -> None:
        """Go to the end, and stay there as it moves."""
        self._follows = True
        self._grown()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the button in its corner."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _moved(self, value: int) -> None:
        self._follows = value >= self._bar.maximum() - scaled(_AT_THE_END)
        self._show_button()

    def _grown(self) -> None:
        if self._follows:
            self._bar.setValue(self._bar.maximum())
        self._show_button()

    def _show_button(self) -> None:
        self.jump_button.setVisible(not self._follows)
        self._place()

    def _place(self) -> None:
        made, room = self.jump_button, self._area.viewport().rect()
        made.adjustSize()
        made.move((room.width() - made.width()) // 2, room.height() - made.height() - SPACE)
        made.raise_()

    def _tint(self) -> None:
        self.jump_button.setIcon(self._theme.icon("chevron-down", "text"))
