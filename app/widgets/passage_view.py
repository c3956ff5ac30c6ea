"""A passage of plain text with marks."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from app.widgets.answer_view import same_length, utf16_offset
from app.widgets.theme import Theme


class PassageView(QPlainTextEdit):
    """A view of a text with one passage marked and in view."""

    def __init__(self, theme: Theme) -> None:
        """Make an empty view."""
        super().__init__()
        self._theme = theme
        self._range = (0, 0)
        self._is_fresh = False  # the mark is kept in view until somebody scrolls
        self.setReadOnly(True)
        self.setObjectName("plain")
        self.setAccessibleName("Source text")
        self.verticalScrollBar().actionTriggered.connect(self._leave)  # the wheel is one of them
        theme.changed.connect(self._mark)

    def show_passage(self, text: str, start: int, end: int) -> None:
        """Show a text with the passage from start to end (in code points) marked."""
        text = same_length(text)
        self.setPlainText(text)
        self._range = (utf16_offset(text, start), utf16_offset(text, end))
        self._mark()
        self._is_fresh = True
        self._scroll()
        # The view may get its size later: it is shown in place of another one, or something opens above it.
        QTimer.singleShot(0, self, self._scroll)

    def clear(self) -> None:
        """Show nothing, and forget the mark: it would be drawn again with the colours of another theme."""
        super().clear()
        self._range = (0, 0)
        self.setExtraSelections([])

    @property
    def marked_text(self) -> str:
        """The marked passage."""
        return (
            self.toPlainText()
            .encode("utf-16-le")[2 * self._range[0] : 2 * self._range[1]]
            .decode("utf-16-le")
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the mark in view."""
        super().resizeEvent(event)
        self._scroll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, and leave the mark."""
        self._is_fresh = False
        super().keyPressEvent(event)

    def _leave(self, _action: int) -> None:
        self._is_fresh = False

    def _mark(self) -> None:
        selection = QTextEdit.ExtraSelection()
        selection.format.setBackground(self._theme.colour("highlight"))
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._range[0])
        cursor.setPosition(self._range[1], QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        self.setExtraSelections([selection])

    def _scroll(self) -> None:
        if not self._is_fresh:
            return
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._range[0])
        self.setTextCursor(cursor)
        self.centerCursor()
