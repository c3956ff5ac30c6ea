"""A passage of plain text with marks."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from app.widgets.answer_view import _utf16
from app.widgets.labels import _same_length
from app.widgets.theme import Theme


class PassageView(QPlainTextEdit):
    """A text with one passage marked and in view."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._range = (0, 0)
        self.setReadOnly(True)
        self.setObjectName("plain")
        self.setAccessibleName("Source text")
        theme.changed.connect(self._mark)

    def show_passage(self, text: str, start: int, end: int) -> None:
        text = _same_length(text)
        self.setPlainText(text)
        self._range = (_utf16(text, start), _utf16(text, end))
        self._mark()
        QTimer.singleShot(0, self._scroll)

    @property
    def marked_text(self) -> str:
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
