"""Labels, tooltips, status pills, cards and key-value grids.

They show texts of others as they are: a document's text, a file's name, what a model wrote. Qt guesses
whether a tooltip, a label or a message is HTML, and HTML opens the files that it names.
`tests/app/test_plain_text.py` holds that nothing of the window leaves the guess to Qt.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.widgets.theme import FONT_PX, SPACE, STATUS_COLOURS, VERDICT_COLOURS, Theme, scaled

_LONG_WORD = 24  # characters


def as_it_is(text: str) -> str:
    """Return what Qt shows as this text, wherever it guesses whether a text is HTML."""
    if "<" not in text:
        return text  # Qt takes it for plain
    lines = escape(text).replace("\n", "<br>")
    return f'<qt><span style="white-space:pre-wrap">{lines}</span></qt>'


def set_tip(widget: QWidget, text: str) -> None:
    """Show this text as the tooltip of a widget, whatever it contains."""
    widget.setToolTip(as_it_is(text))


def label(text: str = "", role: str = "", wrap: bool = False) -> QLabel:
    """Return a label with a role of the style sheet: title, section, muted, small, value, bad or warning."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


class ElidedLabel(QLabel):
    """A line that is shortened when there is no room; its tooltip and Copy have all of it."""

    def __init__(self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        """Show a text. mode: where it is shortened."""
        super().__init__()
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        copy = QAction("Copy", self)
        copy.triggered.connect(lambda: QApplication.clipboard().setText(self.text()))
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show another text."""
        super().setText(text)
        self.setAccessibleName(text)
        set_tip(self, text)

    def shown_text(self) -> str:
        """Return what there is room for."""
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())

    def minimumSizeHint(self) -> QSize:
        """Return no width at all: the text adapts."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shortened text."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment()), self.shown_text())
        painter.end()


class StatusPill(QWidget):
    """A word on a tinted ground: a status, a verdict, a count, or a fallback that was taken."""

    def __init__(
        self, theme: Theme, text: str = "", kind: str = "text_muted", parent: QWidget | None = None
    ) -> None:
        """Show a text. kind: a status, a verdict, or the name of a colour."""
        super().__init__(parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_status(text, kind)

    def set_status(self, text: str, kind: str = "", solid: bool = False) -> None:
        """Show another text. kind: looked up by the text when it is empty. solid: white on full colour."""
        kind = kind or text
        self.text, self._solid = text, solid
        self._colour = STATUS_COLOURS.get(kind) or VERDICT_COLOURS.get(kind) or kind
        if self._colour not in self._theme.values:
            self._colour = "text_muted"
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the text and its margins."""
        metrics = QFontMetrics(self._font())
        padding = 8 if self._solid else 14
        width = metrics.horizontalAdvance(self.text) + scaled(padding)
        return QSize(max(width, scaled(18)), metrics.height() + 3)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground and the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self._colour, 255 if self._solid else 34))
        radius = self.height() / 2 if self._solid else 5
        painter.drawRoundedRect(self.rect(), radius, radius)
        painter.setPen(self._theme.colour("accent_text" if self._solid else self._colour))
        painter.setFont(self._font())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text)
        painter.end()

    def _font(self) -> QFont:
        font = self.font()
        font.setPixelSize(scaled(FONT_PX - (3 if self._solid else 2)))
        font.setWeight(QFont.Weight.DemiBold)
        return font


class Card(QFrame):
    """A tile that shows one figure at a glance."""

    clicked = Signal()

    def __init__(self, title: str, clickable: bool = True) -> None:
        """Show no figure yet. clickable: whether it leads somewhere."""
        super().__init__()
        self.setObjectName("card")
        self.setProperty("clickable", clickable)
        self._title = title
        if clickable:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 11, 14, 12)
        layout.setSpacing(2)
        self._value_row = QHBoxLayout()
        self._value_row.setSpacing(SPACE)
        self._value, self._detail = label("–", "value"), label("", "small", wrap=True)
        layout.addWidget(label(title, "muted"))
        self._value_row.addWidget(self._value)
        layout.addLayout(self._value_row)
        layout.addWidget(self._detail)

    def set_value(self, value: str, detail: str = "", role: str = "value") -> None:
        """Show a figure, a line about it, and its style sheet's role."""
        self._value.setText(value)
        self._detail.setText(detail)
        self.setAccessibleName(f"{self._title}: {value}. {detail}")

    @property
    def value(self) -> str:
        """The figure as it is shown."""
        return self._value.text()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Count as a click what a button would count as one."""
        inside = self.rect().contains(event.position().toPoint())
        if self.property("clickable") and event.button() == Qt.MouseButton.LeftButton and inside:
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter and the space bar for a click."""
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if self.property("clickable") and event.key() in keys:
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class KeyValueGrid(QWidget):
    """A list of names with values that can be selected and copied."""

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__()
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setHorizontalSpacing(SPACE)
        self._layout.setVerticalSpacing(4)
        self._layout.setColumnStretch(1, 1)

    def set_pairs(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Show these names and values."""
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it lives until the event loop is idle
                widget.deleteLater()
        for number, (name, value) in enumerate(pairs):
            name_label, value_label = label(name, "muted"), _value_label(value)
            self._layout.addWidget(name_label, number, 0, Qt.AlignmentFlag.AlignTop)
            self._layout.addWidget(value_label, number, 1)


def _value_label(value: str) -> QLabel:
    """Return a label for a value.

    A long word, such as a fingerprint, cannot wrap: it is shortened, and copied from its menu.
    """
    if max(map(len, value.split()), default=0) > _LONG_WORD:
        return ElidedLabel(value, Qt.TextElideMode.ElideMiddle)
    made = label(value, wrap=True)
    keyboard, mouse = (
        Qt.TextInteractionFlag.TextSelectableByKeyboard,
        Qt.TextInteractionFlag.TextSelectableByMouse,
    )
    made.setTextInteractionFlags(keyboard | mouse)
    return made
