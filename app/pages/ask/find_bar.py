"""A bar that finds words in a conversation: questions and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from app.widgets.answer_view import AnswerView
from app.widgets.buttons import IconButton
from app.widgets.labels import label
from app.widgets.layout import on_escape, row
from app.widgets.navigation import SearchField
from app.widgets.theme import Theme, scaled

QUESTION = "question"  # the object name of the label with a question


@dataclass(frozen=True)
class _Match:
    """A place of the words: in an answer by its cursor, in a question by its first character."""

    widget: QWidget
    number: int  # among those of its widget
    place: QTextCursor | int


class FindBar(QFrame):
    """A line to type into, with the number of matches; Enter goes on, Shift+Enter back, Esc closes."""

    closed = Signal()

    def __init__(self, theme: Theme, area: QScrollArea, page: QWidget) -> None:
        """Find in what an area scrolls. page: where Ctrl+F opens the bar."""
        super().__init__()
        content = area.widget()
        assert content is not None
        self._area, self._content = area, content
        self._matches: list[_Match] = []
        self._at = 0
        self.field = SearchField("Find in this conversation")
        self.count = label("", "small")
        self.count.setAccessibleName("Matches")
        self.back = IconButton(theme, "chevron-up", "Previous match (Shift+Enter)", lambda: self.step(-1))
        self.forth = IconButton(theme, "chevron-down", "Next match (Enter)", lambda: self.step(1))
        close = IconButton(theme, "cancel", "Close (Esc)", self.close_bar)
        self.setObjectName("panel")
        layout = row((self.field, 1), self.count, self.back, self.forth, close, margins=6)
        self.setLayout(layout)
        self.field.textChanged.connect(lambda _text: self.search())
        self.field.installEventFilter(self)
        on_escape(self.field, self.close_bar)
        for made in (self.back, self.forth, close):
            on_escape(made, self.close_bar)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), page)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.open)
        self.hide()

    def look_in(self, area: QScrollArea) -> None:
        """Find in what another area scrolls from now on, and close."""
        if area is not self._area:
            was_open = not self.isHidden()
            for widget in self._searched():
                self._mark(widget, "", None)
            content = area.widget()
            assert content is not None
            self._area, self._content, self._matches = area, content, []
            self.hide()
            if was_open:
                self.closed.emit()

    def open(self) -> None:
        """Show the bar, ready to type."""
        self.show()
        self.field.setFocus()
        self.field.selectAll()
        self.search()

    def close_bar(self) -> None:
        """Hide the bar and take the marks away."""
        self.hide()
        for widget in self._searched():
            self._mark(widget, "", None)
        self._matches = []
        self.closed.emit()

    def search(self) -> None:
        """Look for what is typed, from the first place on that is in view."""
        words = self.field.text()
        self._matches = []
        for widget in self._searched():
            places: Sequence[QTextCursor | int] = self._mark(widget, words, None)
            self._matches += [_Match(widget, number, place) for number, place in enumerate(places)]
        top = self._area.verticalScrollBar().value()
        in_view = (n for n, match in enumerate(self._matches) if self._place_of(match)[0].y() >= top)
        self._at = next(in_view, 0)
        self._show()

    def step(self, by: int) -> None:
        """Go to the next match or the one before; after the last comes the first."""
        if not self.isVisible():
            return
        at = self._at
        self.search()  # an answer may have grown, or gone
        if self._matches:
            self._at = (at + by) % len(self._matches)
            self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take Enter for the next match, and Shift+Enter for the one before."""
        is_press = event.type() == QEvent.Type.KeyPress
        if is_press and isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
            return True
        return super().eventFilter(watched, event)

    def _searched(self) -> list[AnswerView | QLabel]:
        """Return the questions and answers from top to bottom."""
        content = self._content
        found: list[AnswerView | QLabel] = [
            *content.findChildren(AnswerView), *content.findChildren(QLabel, QUESTION)
        ]  # fmt: skip
        seen = [widget for widget in found if widget.isVisibleTo(content)]
        places = {widget: widget.mapTo(content, QPoint(0, 0)) for widget in seen}
        return sorted(seen, key=lambda widget: (places[widget].y(), places[widget].x()))

    def _mark(
        self, widget: AnswerView | QLabel, words: str, current: int | None
    ) -> Sequence[QTextCursor | int]:
        if isinstance(widget, AnswerView):
            return widget.find_all(words, current)
        text, wanted = widget.text().casefold(), words.casefold()
        found, at = [], text.find(wanted) if wanted else -1
        while at >= 0:
            found.append(at)
            at = text.find(wanted, at + len(wanted))
        if current is None:
            widget.setSelection(0, 0)
        else:
            widget.setSelection(found[current], len(words))
        return found

    def _show(self) -> None:
        count = len(self._matches)
        self.count.setText(
            f"{self._at + 1} of {count}" if count else "No matches" if self.field.text() else ""
        )
        for made in (self.back, self.forth):
            made.setEnabled(count > 0)
        if not count:
            return
        chosen = self._matches[self._at]
        for widget in {match.widget for match in self._matches}:
            current = chosen.number if widget is chosen.widget else None
            self._mark(widget, self.field.text(), current)  # type: ignore[arg-type]
        middle, height = self._place_of(chosen)
        self._area.ensureVisible(middle.x(), middle.y(), 0, height + scaled(40))

    def _place_of(self, match: _Match) -> tuple[QPoint, int]:
        """Return the middle of a match in the content, and its height."""
        widget = match.widget
        if isinstance(widget, AnswerView) and isinstance(match.place, QTextCursor):
            rectangle = widget.cursorRect(match.place)
            place = widget.viewport().mapTo(self._content, rectangle.center())
            return QPoint(0, place.y()), rectangle.height()
        return QPoint(0, widget.mapTo(self._content, widget.rect().center()).y()), widget.height()
