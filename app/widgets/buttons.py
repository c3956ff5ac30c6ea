"""Buttons with and without text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton, QToolButton

from app.widgets.labels import set_tip
from app.widgets.theme import Theme


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


class IconButton(QToolButton):
    """A button with an icon alone, whose name and tooltip are therefore compulsory."""

    def __init__(self, theme: Theme, icon: str, name: str, action: Callable[[], Any] | None = None) -> None:
        """Show an icon of the theme. name: for screen readers and as the tooltip."""
        super().__init__()
        self._theme, self._icon = theme, icon
        self.setObjectName("iconButton")
        self.setAccessibleName(name)
        set_tip(self, name)
        self.setIconSize(QSize(18, 18))
        if action is not None:
            self.clicked.connect(lambda _checked=False: action())
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "text_muted"))
