"""Small widgets that the pages share."""

from __future__ import annotations

from PySide6.QtCore import (
    Qt,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.widgets.labels import label
from app.widgets.theme import SMALL_SPACE, SPACE, Theme


def scrolled(content: QWidget) -> QScrollArea:
    """The content in an area that scrolls up and down."""
    content.setObjectName(content.objectName() or "content")
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area


def row(*widgets: QWidget | int, margins: int = 0, spacing: int = SMALL_SPACE) -> QHBoxLayout:
    """Widgets side by side; a number is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(margins, margins, margins, margins)
    layout.setSpacing(spacing)
    for widget in widgets:
        if isinstance(widget, int):
            layout.addStretch(widget)
        else:
            layout.addWidget(widget)
    return layout


class Panel(QFrame):
    """A surface with a border and an optional heading."""

    def __init__(self, heading: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(SPACE, SPACE - 2, SPACE, SPACE)
        self.body.setSpacing(SMALL_SPACE + 2)
        self.heading_row = QHBoxLayout()
        if heading:
            self.heading_row.addWidget(label(heading, "section"))
            self.heading_row.addStretch(1)
            self.body.addLayout(self.heading_row)


class EmptyState(QWidget):
    """What a page without content says and offers."""

    def __init__(self, theme: Theme, icon: str, title: str, sentence: str, *actions: QPushButton) -> None:
        super().__init__()
        self._theme, self._icon = theme, icon
        self._picture, self._title, self._sentence = (
            QLabel(),
            label(title, "title"),
            label(sentence, "muted", wrap=True),
        )
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for widget in (self._picture, self._title, self._sentence):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        self._sentence.setMinimumWidth(200)
        if actions:
            layout.addSpacing(SPACE)
            layout.addLayout(row(1, *actions, 1))
        layout.addStretch(2)
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self._picture.setPixmap(self._theme.pixmap(self._icon, "muted_mark", 48))
