"""Buttons with and without text, and the rows of them that overflow into “More”."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from app.widgets.labels import as_it_is, set_tip
from app.widgets.theme import SMALL_SPACE, Theme, scaled


def button(
    text: str,
    action: Callable[[], Any] | None = None,
    *,
    primary: bool = False,
    link: bool = False,
    tip: str = "",
) -> QPushButton:
    """Return a button with a text, which is also its name for screen readers.

    Args:
        text: What it says.
        action: What a click does.
        primary: Whether it is the main action of its page or dialog.
        link: Whether it looks like a link.
        tip: Its tooltip.
    """
    made = QPushButton(text)
    made.setProperty("primary", primary)
    made.setProperty("link", link)
    set_tip(made, tip)
    made.setAccessibleName(text)
    if action is not None:
        made.clicked.connect(lambda _checked=False: action())
    return made


def allow(made: QPushButton, reason: str = "") -> None:
    """Enable a button, or disable it where there is a reason, which its tooltip then says."""
    if made.property("own_tip") is None:
        made.setProperty("own_tip", made.toolTip())
    made.setEnabled(not reason)
    set_tip(made, reason or made.property("own_tip"))


class Toolbar(QWidget):
    """A row of buttons and fields. Buttons that have no room are found under “More”, the last ones first.

    A primary button always stays. A button that its page hides is in neither place.
    """

    def __init__(self, *items: QWidget | int) -> None:
        """Put these side by side; a number is a stretch of empty space."""
        super().__init__()
        self._items: list[tuple[QWidget, QPushButton | None]] = []  # what is laid out, and its button
        self._line = QHBoxLayout(self)
        self._line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # it decides by the room it gets
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(SMALL_SPACE)
        for item in items:
            if isinstance(item, int):
                self._line.addStretch(item)
                continue
            may_go = isinstance(item, QPushButton) and not item.property("primary")
            self._items.append((_Holder(item), item) if may_go else (item, None))  # type: ignore[arg-type]
            self._line.addWidget(self._items[-1][0])
        self.more = button("More", self._open_menu, tip="What else can be done here")
        self._line.addWidget(self.more)
        self.more.hide()

    @property
    def overflowed(self) -> list[QPushButton]:
        """The buttons that are under “More” now."""
        return [made for holder, made in self._items if made and holder.isHidden() and _is_on(made)]

    def minimumSizeHint(self) -> QSize:
        """Return the size with every button that may go under “More”."""
        always = [
            max(holder.minimumSizeHint().width(), holder.minimumWidth())
            for holder, made in self._items
            if made is None and _is_on(holder)
        ]
        some = any(made is not None and _is_on(made) for _, made in self._items)
        widths = [*always, *([self.more.sizeHint().width()] if some else [])]
        height = max(super().minimumSizeHint().height(), self.more.sizeHint().height())
        return QSize(sum(widths) + SMALL_SPACE * max(len(widths) - 1, 0), height)

    def sizeHint(self) -> QSize:
        """Return the size with nothing under “More”."""
        widths = [_width(holder) for holder, made in self._items if _is_on(made or holder)]
        height = max(super().sizeHint().height(), self.more.sizeHint().height())  # links are lower than it
        return QSize(sum(widths) + SMALL_SPACE * max(len(widths) - 1, 0), height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Decide what has room."""
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        """Decide again when a button is shown, hidden, or says something else."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        shown = [(holder, made) for holder, made in self._items if _is_on(made or holder)]
        widths = {holder: _width(holder) for holder, _ in shown}
        needed = sum(widths.values()) + SMALL_SPACE * max(len(shown) - 1, 0)
        gone: set[QWidget] = set()
        if needed > self.width():
            needed += self.more.sizeHint().width() + SMALL_SPACE
            for holder, made in reversed(shown):
                if needed <= self.width():
                    break
                if made is not None:
                    gone.add(holder)
                    needed -= widths[holder] + SMALL_SPACE
        for holder, made in self._items:
            if made is not None:
                holder.setVisible(_is_on(made) and holder not in gone)
        self.more.setVisible(bool(gone))
        self._line.activate()

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for made in self.overflowed:
            action = menu.addAction(made.text(), made.click)
            action.setEnabled(made.isEnabled())
            action.setToolTip(as_it_is(made.toolTip()))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))


class _Holder(QWidget):
    """A button's place in a toolbar, which the toolbar may hide without a word to the button's page."""

    def __init__(self, made: QWidget) -> None:
        super().__init__()
        self._made = made
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(made)

    def sizeHint(self) -> QSize:
        """Return the size of the button."""
        return self._made.sizeHint()


def _is_on(made: QWidget) -> bool:
    """Return whether its page wants this to be seen."""
    return not made.isHidden()


def _width(made: QWidget) -> int:
    """Return the width at which a widget is whole, or the least of one that adapts."""
    policy = made.sizePolicy().horizontalPolicy()
    adapts = policy in (QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
    wish = made.minimumSizeHint().width() if adapts else made.sizeHint().width()
    return min(max(wish, made.minimumWidth()), made.maximumWidth())


class IconButton(QToolButton):
    """A button with an icon alone, whose name and tooltip are therefore compulsory."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        name: str,
        action: Callable[[], Any] | None = None,
        colour: str = "text_muted",
    ) -> None:
        """Show an icon of the theme in one of its colours. name: for screen readers and as the tooltip."""
        super().__init__()
        self._theme, self._icon, self._colour = theme, icon, colour
        self.setObjectName("iconButton")
        self.setAccessibleName(name)
        set_tip(self, name)
        if action is not None:
            self.clicked.connect(lambda _checked=False: action())
        theme.changed.connect(self._tint)
        self._tint()

    def show_icon(self, icon: str) -> None:
        """Show another icon of the theme."""
        self._icon = icon
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(self._icon, self._colour))
        self.setIconSize(QSize(scaled(18), scaled(18)))
