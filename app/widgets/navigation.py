"""The navigation rail, the drop overlay and the search field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.widgets.buttons import IconButton
from app.widgets.labels import StatusPill, label, set_tip
from app.widgets.layout import column, row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, Theme, scaled

_COLLAPSED = "rail/collapsed"  # where the user's own choice is remembered
_NARROW_WINDOW = 1100  # below this the rail shows icons alone, unless the user said otherwise
_SMALL_WINDOW = 900  # below this always
_BUTTON_HEIGHT = 32


@dataclass(frozen=True)
class RailPage:
    """A page as the rail lists it.

    Attributes:
        key: By which the program knows it.
        title: What people read.
        icon: An icon of the theme.
        shortcut: The keys that show it; they are the page's own, wherever it stands in the list.
        group: The heading that it stands under; empty for none.
        pinned: Whether it stands below the list, always in sight.
    """

    key: str
    title: str
    icon: str
    shortcut: str
    group: str = ""
    pinned: bool = False


class SearchField(QLineEdit):
    """A line to filter by, which says what was typed once typing pauses."""

    searched = Signal(str)

    def __init__(self, placeholder: str) -> None:
        """Make an empty line; the placeholder is also its name for screen readers."""
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(True)
        set_tip(self, placeholder)  # there may be no room for it
        self._pause = QTimer(self, singleShot=True, interval=180)
        self._pause.timeout.connect(lambda: self.searched.emit(self.text()))
        self.textChanged.connect(lambda _text: self._pause.start())

    def sizeHint(self) -> QSize:
        """Return the size that the placeholder needs."""
        hint = super().sizeHint()
        needed = self.fontMetrics().horizontalAdvance(self.placeholderText()) + scaled(36)
        return QSize(max(hint.width(), needed), hint.height())


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
        font.setPixelSize(scaled(18))
        painter.setFont(font)
        painter.drawText(
            self.rect().adjusted(60, 40, -60, 0),
            int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap),
            self.text,
        )
        painter.end()


class NavigationRail(QFrame):
    """The list of pages at the window's edge, in groups: icons with a word, or alone where room is short.

    It scrolls when it is taller than the window.
    """

    page_requested = Signal(str)
    help_requested = Signal()
    back_requested = Signal()
    forward_requested = Signal()
    finder_requested = Signal()

    def __init__(self, theme: Theme, pages: Sequence[RailPage]) -> None:
        """Make a button for each page, in this order, and a heading wherever another group begins."""
        super().__init__()
        self.setObjectName("rail")
        self.setAccessibleName("Pages")
        self._theme = theme
        self._buttons: dict[str, _RailButton] = {}
        self._headings: list[QLabel] = []
        self._lines: list[QFrame] = []
        self._window_width = 0
        self.is_collapsed = False
        self._logo = label()
        self._name = label("Ragdeck", "section")
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(2)
        pinned = self._add_pages(pages)
        self._list.addStretch(1)
        content = QWidget()
        content.setLayout(self._list)
        self._area = scrolled(content)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._toggle = IconButton(theme, "chevron-left", "", self.toggle)
        bottom = QVBoxLayout()
        bottom.setSpacing(2)
        self._help = _RailButton(theme, RailPage("", "Help", "question", "F1"))
        self._help.clicked.connect(self.help_requested)
        set_tip(self._help, "What this page is for, and how it is used (F1)")
        for made in (*pinned, self._help):
            bottom.addWidget(made)
        bottom.addWidget(self._toggle)
        top = row(self._logo, self._name, 1)
        top.setContentsMargins(4, 0, 0, 0)
        self._back = IconButton(theme, "arrow-left", "", self.back_requested.emit, "text")
        self._forward = IconButton(theme, "arrow-right", "", self.forward_requested.emit, "text")
        self._find = IconButton(theme, "search", "Find anything", self.finder_requested.emit, "text")
        set_tip(self._find, "Find anything (Ctrl+K)")
        for made in (self._back, self._forward, self._find):
            made.setObjectName("railWay")
        self._ways = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._ways.setContentsMargins(0, 0, 0, SMALL_SPACE)
        self._ways.setSpacing(0)
        self._ways.addLayout(row(self._back, self._forward, spacing=0))
        self._ways.addWidget(self._find)
        self._ways.addStretch(1)
        self.show_ways("", "")
        column(top, self._ways, (self._area, 1), bottom, holder=self)
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(SMALL_SPACE, SPACE - 2, SMALL_SPACE, SMALL_SPACE)
        theme.changed.connect(self._tint)
        self._show_collapsed(False)
        self._tint()

    def set_current(self, key: str) -> None:
        """Mark the page that is shown."""
        for other, made in self._buttons.items():  # they have two parents, so Qt's own exclusion is none
            made.setChecked(other == key)
        self._area.ensureWidgetVisible(self._buttons[key])
        self._tint()

    def show_ways(self, back: str, forward: str) -> None:
        """Say where the ways back and forward lead; empty: nowhere."""
        for made, name, keys, title in (
            (self._back, "Back", "Alt+Left", back),
            (self._forward, "Forward", "Alt+Right", forward),
        ):
            made.setEnabled(bool(title))
            made.setAccessibleName(f"{name} to {title}" if title else name)
            set_tip(made, f"{name} to {title} ({keys})" if title else f"{name}: no page to go to ({keys})")

    def button(self, key: str) -> QToolButton:
        """Return a page's button."""
        return self._buttons[key]

    @property
    def help(self) -> QToolButton:
        """The button that explains the page that is shown."""
        return self._help

    def set_badge(self, key: str, count: int) -> None:
        """Show a number on a page's button, or none when it is 0."""
        self._buttons[key].set_badge(count)

    def fit(self, window_width: int) -> None:
        """Show words or icons alone, as the user chose, else as the window's width asks for."""
        self._window_width = window_width
        chosen = QSettings().value(_COLLAPSED)
        narrow = window_width < scaled(_NARROW_WINDOW)
        collapsed = narrow if chosen is None else str(chosen) == "yes"
        self._show_collapsed(collapsed or window_width < scaled(_SMALL_WINDOW))

    def toggle(self) -> None:
        """Show icons alone or words again, and remember that."""
        QSettings().setValue(_COLLAPSED, "no" if self.is_collapsed else "yes")
        self.fit(self._window_width or scaled(_NARROW_WINDOW))

    def _add_pages(self, pages: Sequence[RailPage]) -> list[QToolButton]:
        """Add the buttons and headings of the list; return the buttons that stand below it."""
        pinned: list[QToolButton] = []
        group = ""
        for page in pages:
            made = _RailButton(self._theme, page)
            made.clicked.connect(lambda _checked=False, key=page.key: self.page_requested.emit(key))
            self._buttons[page.key] = made
            if page.pinned:
                pinned.append(made)
                continue
            if page.group != group:
                group = page.group
                heading, line = label(group, "group"), QFrame()
                line.setObjectName("line")
                self._headings.append(heading)
                self._lines.append(line)
                self._list.addWidget(heading)
                self._list.addWidget(line)
            self._list.addWidget(made)
        return pinned

    def _show_collapsed(self, collapsed: bool) -> None:
        self.is_collapsed = collapsed
        for made in (*self._buttons.values(), self._help):
            made.show_word(not collapsed)
        for heading in self._headings:
            heading.setVisible(not collapsed)
        for line in self._lines:
            line.setVisible(collapsed)
        self._name.setVisible(not collapsed)
        self._logo.setVisible(not collapsed)  # the ways back and forward need its room
        direction = QBoxLayout.Direction
        self._ways.setDirection(direction.TopToBottom if collapsed else direction.LeftToRight)
        words = "Show the names of the pages" if collapsed else "Show icons alone"
        self._toggle.setAccessibleName(words)
        set_tip(self._toggle, f"{words} (Ctrl+B)")
        self._toggle.show_icon("chevron-right" if collapsed else "chevron-left")
        self._set_width()

    def _set_width(self) -> None:
        """Be as wide as the widest button, and the scroll bar where there is one."""
        widest = max((made.sizeHint().width() for made in self._buttons.values()), default=0)
        for made in (*self._buttons.values(), self._help):
            made.setFixedWidth(widest)  # the pinned ones stand below the others, bar or no bar
        self._area.setFixedWidth(widest + scaled(10))
        self.setFixedWidth(widest + scaled(10) + 2 * SMALL_SPACE + 1)

    def _tint(self) -> None:
        self._logo.setPixmap(self._theme.pixmap("ragdeck", size=scaled(28)))
        for made in (*self._buttons.values(), self._help):
            made.tint()
        self._set_width()


class _RailButton(QToolButton):
    """A page's button, with a number on it where there is something new."""

    def __init__(self, theme: Theme, page: RailPage) -> None:
        super().__init__()
        self._theme, self._page = theme, page
        self._pill = StatusPill(theme, parent=self)
        self._pill.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._pill.hide()
        self.setText(page.title)
        self.setCheckable(True)
        self.setAccessibleName(page.title)
        set_tip(self, f"{page.title} ({page.shortcut})")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_word(self, shown: bool) -> None:
        """Show the title beside the icon, or the icon alone."""
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(style.ToolButtonTextBesideIcon if shown else style.ToolButtonIconOnly)
        self._place_pill()

    def set_badge(self, count: int) -> None:
        """Show a number, or none when it is 0."""
        self._pill.set_status("99+" if count > 99 else str(count), "accent", solid=True)
        self._pill.setVisible(count > 0)
        self.setAccessibleName(f"{self._page.title}, {count} new" if count else self._page.title)
        self._place_pill()

    def tint(self) -> None:
        """Draw the icon in the colour and size in force."""
        self.setIcon(self._theme.icon(self._page.icon, "accent" if self.isChecked() else "text_muted"))
        self.setIconSize(QSize(scaled(20), scaled(20)))
        self.setFixedHeight(scaled(_BUTTON_HEIGHT))

    def nextCheckState(self) -> None:
        """Leave the mark to the rail: it shows which page is shown, not which was clicked."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the number in its corner."""
        super().resizeEvent(event)
        self._place_pill()

    def _place_pill(self) -> None:
        self._pill.resize(self._pill.sizeHint())
        beside = self.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        top = (self.height() - self._pill.height()) // 2 if beside else 0
        self._pill.move(self.width() - self._pill.width() - (SMALL_SPACE if beside else 0), top)
