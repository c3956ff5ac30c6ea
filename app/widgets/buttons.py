"""Buttons with and without text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton, QToolButton

from app.widgets.theme import Theme


def button(
    text: str,
    action: Callable[[], Any] | None = None,
    *,
    primary: bool = False,
    link: bool = False,
    tip: str = "",
) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("primary", primary)
    made.setProperty("link", link)
    made.setToolTip(tip)
    made.setAccessibleName(text)
    if action is not None:
        made.clicked.connect(lambda _checked=False: action())
    return made


class IconButton(QToolButton):
    """A button with an icon alone: name and tooltip are compulsory."""

    def __init__(self, theme: Theme, icon: str, name: str, action: Callable[[], Any] | None = None) -> None:
        super().__init__()
        self._theme, self._icon = theme, icon
        self.setObjectName("iconButton")
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setIconSize(QSize(18, 18))
        if action is not None:
            self.clicked.connect(lambda _checked=False: action())
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self.setIcon(self._theme.icon(self._icon, "text_muted"))
