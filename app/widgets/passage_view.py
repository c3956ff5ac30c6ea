"""A passage of plain text with marks."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextCursor
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
        self.setReadOnly(True)
        self.setObjectName("plain")
        self.setAccessibleName("Source text")
        theme.changed.connect(self._mark)

    def show_passage(self, text: str, start: int, end: int) -> None:
        """Show a text with the passage from start to end (in code points) marked."""
        text = same_length(text)
        self.setPlainText(text)
        self._range = (utf16_offset(text, start), utf16_offset(text, end))
        self._mark()
        QTimer.singleShot(0, self._scroll)

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

    def _mark(self) -> None:
        selection = QTextEdit.ExtraSelection()
        selection.format.setBackground(self._theme.colour("highlight"))
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._range[0])
        cursor.setPosition(self._range[1], QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        self.setExtraSelections([selection])

    def _scroll(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._range[0])
        self.setTextCursor(cursor)
        self.centerCursor()
