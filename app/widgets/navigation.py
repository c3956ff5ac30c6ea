"""The navigation rail, the banner of notices, the drop overlay and the search field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLineEdit, QToolButton, QVBoxLayout, QWidget

from app.widgets.buttons import IconButton, button
from app.widgets.labels import StatusPill, label, set_tip
from app.widgets.layout import row
from app.widgets.theme import SPACE, Theme

_NOTICE_MS = 9000  # how long a notice stays that asks for nothing


class Notice(StrEnum):
    """A kind of notice, which decides its colour and whether it goes away by itself."""

    INFO = "info"  # something was done; gone after a while
    CHECK = "check"  # something to look at
    BAD = "bad"  # something was refused or failed


class SearchField(QLineEdit):
    """A line to filter by, which says what was typed once typing pauses."""

    searched = Signal(str)

    def __init__(self, placeholder: str) -> None:
        """Make an empty line; the placeholder is also its name for screen readers."""
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(True)
        self._pause = QTimer(self, singleShot=True, interval=180)
        self._pause.timeout.connect(lambda: self.searched.emit(self.text()))
        self.textChanged.connect(lambda _text: self._pause.start())


class Banner(QFrame):
    """A notice above a page that does not block and is gone with a click."""

    def __init__(self, theme: Theme) -> None:
        """Make a hidden banner."""
        super().__init__()
        self.setObjectName("banner")
        self._text = label("", wrap=True)
        self._action = button("", link=True)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.hide)
        self._run: Callable[[], Any] | None = None
        self._action.clicked.connect(self._act)
        layout = row(self._text, self._action, IconButton(theme, "cancel", "Dismiss this notice", self.hide))
        layout.setContentsMargins(SPACE, 4, 4, 4)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.hide()

    def show_notice(
        self, text: str, kind: str = Notice.INFO, action: str = "", run: Callable[[], Any] | None = None
    ) -> None:
        """Show a notice in place of the one before.

        Args:
            text: The sentence.
            kind: A Notice.
            action: What the link beside it says; none when empty.
            run: What the link does.
        """
        self._text.setText(text)
        self._run = run
        self._timer.stop()
        if kind == Notice.INFO and run is None:
            self._timer.start(_NOTICE_MS)
        self._action.setText(action)
        self._action.setAccessibleName(action)
        self._action.setVisible(bool(action))
        self.setProperty("kind", kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setAccessibleName(text)
        self.show()

    @property
    def text(self) -> str:
        """The sentence that is or was shown last."""
        return self._text.text()

    def _act(self) -> None:
        self.hide()
        if self._run is not None:
            self._run()


class DropOverlay(QWidget):
    """A cover over the window while files are dragged over it, which says where they will go."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        """Make a hidden overlay."""
        super().__init__(parent)
        self._theme = theme
        self.text = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_text(self, text: str) -> None:
        """Cover the window and say this."""
        self.text = text
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a frame, a picture and the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._theme.colour("window", 225))
        painter.setPen(QPen(self._theme.colour("accent"), 2.5, Qt.PenStyle.DashLine))
        painter.setBrush(self._theme.colour("accent_soft", 160))
        painter.drawRoundedRect(self.rect().adjusted(22, 22, -22, -22), 14, 14)
        picture = self._theme.pixmap("load", "accent", 56)
        centre = self.rect().center()
        painter.drawPixmap(centre.x() - 28, centre.y() - 64, picture)
        painter.setPen(self._theme.colour("text"))
        font = self.font()
        font.setPixelSize(18)
        painter.setFont(font)
        painter.drawText(
            self.rect().adjusted(60, 40, -60, 0),
            int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap),
            self.text,
        )
        painter.end()


def page_shortcut(number: int) -> str:
    """Return the shortcut of the page with this number, from 1.

    There are nine digits for Ctrl, because Ctrl+0 fits a drawn page into its width.
    """
    return f"Ctrl+{number}" if number < 10 else f"Ctrl+Alt+{number - 9}"


class NavigationRail(QFrame):
    """The list of pages at the window's edge, as icons with a word."""

    page_requested = Signal(str)

    def __init__(self, theme: Theme, pages: Sequence[tuple[str, str, str]]) -> None:
        """Make a button for each page. pages: (key, title, icon)."""
        super().__init__()
        self.setObjectName("rail")
        self.setAccessibleName("Pages")
        self._theme = theme
        self._buttons: dict[str, tuple[QToolButton, str]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 10, 6, 10)
        layout.setSpacing(4)
        logo = label()
        logo.setPixmap(theme.pixmap("ragdeck", size=32))
        logo.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(logo)
        layout.addSpacing(8)
        for number, (key, title, icon) in enumerate(pages, 1):
            made = QToolButton()
            made.setText(title)
            made.setCheckable(True)
            made.setAutoExclusive(True)
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            made.setIconSize(QSize(20, 20))
            made.setFixedSize(78, 52)
            made.setAccessibleName(title)
            set_tip(made, f"{title} ({page_shortcut(number)})")
            made.clicked.connect(lambda _checked=False, k=key: self.page_requested.emit(k))
            self._buttons[key] = (made, icon)
            layout.addWidget(made)
        layout.addStretch(1)
        theme.changed.connect(self._tint)
        self._tint()

    def set_current(self, key: str) -> None:
        """Mark the page that is shown."""
        self._buttons[key][0].setChecked(True)
        self._tint()

    def button(self, key: str) -> QToolButton:
        """Return a page's button."""
        return self._buttons[key][0]

    def set_badge(self, key: str, count: int) -> None:
        """Show a number at the corner of a page's button, or none when it is 0."""
        made = self.button(key)
        pill = made.findChild(StatusPill)
        if pill is None:
            pill = StatusPill(self._theme, parent=made)
            pill.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        pill.set_status("99+" if count > 99 else str(count), "accent", solid=True)
        pill.setVisible(count > 0)
        pill.resize(pill.sizeHint())
        pill.move(made.width() - pill.width() - 2, 2)
        title = made.text()
        made.setAccessibleName(f"{title}, {count} new" if count else title)

    def _tint(self) -> None:
        for made, icon in self._buttons.values():
            made.setIcon(self._theme.icon(icon, "accent" if made.isChecked() else "text_muted"))
