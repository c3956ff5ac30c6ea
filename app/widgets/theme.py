"""Colours, fonts, icons and the style sheet, by semantic names. No colour is written anywhere else.

Fusion with an own palette: Qt's own switch to a dark scheme does nothing without a desktop theme.
"""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from string import Template
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

import resources

_RESOURCES = Path(resources.__file__).parent
SPACE = 12
SMALL_SPACE = 6
FONT_PX = 13
VERDICT_COLOURS = {
    "check": "check",
    "unsupported": "bad",
    "contradicted": "contradicted",
    "no evidence": "text_muted",
    "supported": "good",
    "not checkable": "text_muted",
}
STATUS_COLOURS = {
    "done": "good",
    "nothing found": "check",
    "cancelled": "text_muted",
    "failed": "bad",
    "interrupted": "bad",
    "running": "accent",
}


class Theme(QObject):
    """The colours in force, light or dark. Widgets that paint listen to `changed`."""

    changed = Signal()

    def __init__(self, application: QApplication, choice: str = "system") -> None:
        """Apply a choice: "light", "dark" or "system"."""
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._scratch = tempfile.TemporaryDirectory(prefix="ragdeck-")
        self._icons: dict[tuple[str, str], QIcon] = {}
        self.values: dict[str, Any] = {}
        self.name = ""
        application.setStyle("Fusion")
        application.styleHints().colorSchemeChanged.connect(self._follow_system)
        self.apply(choice)

    @property
    def is_dark(self) -> bool:
        """Whether the dark colours are in force."""
        return self.name == "dark"

    def apply(self, choice: str) -> None:
        """Use "light", "dark" or what the system says, now and whenever it says otherwise."""
        self._choice = choice
        name = choice if choice in ("light", "dark") else self._system_choice()
        if name == self.name:
            return
        self.name = name
        self.values = tomllib.loads((_RESOURCES / "themes" / f"{name}.toml").read_text("utf-8"))
        self._icons.clear()
        self._application.setPalette(self._palette())
        self._application.setStyleSheet(self._style_sheet())
        self.changed.emit()

    def colour(self, name: str, alpha: int = 255) -> QColor:
        """Return a colour by its name. alpha: from 0 (not seen) to 255."""
        colour = QColor(self.values[name])
        colour.setAlpha(alpha)
        return colour

    def series(self, number: int) -> QColor:
        """Return the colour of a chart's series with this number, from 0; they come again after the last."""
        colours = self.values["series"]
        return QColor(colours[number % len(colours)])

    def icon(self, name: str, role: str = "text") -> QIcon:
        """Return a line icon in one of the theme's colours."""
        key = (name, role)
        if key not in self._icons:
            icon = QIcon()
            for size in (20, 40):  # logical pixels, and those of a screen with two for one
                icon.addPixmap(self.pixmap(name, role, size, 1))
                icon.addPixmap(self.pixmap(name, "muted_mark", size, 1), QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def pixmap(self, name: str, role: str = "text", size: int = 24, ratio: float = 0) -> QPixmap:
        """Return a line icon, size logical pixels wide. ratio: device pixels to one, the screen's when 0."""
        ratio = ratio or self._application.devicePixelRatio()
        source = (
            (_RESOURCES / "icons" / f"{name}.svg").read_text("utf-8").replace("#000", str(self.values[role]))
        )
        pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(0, 0, size, size))
        painter.end()
        return pixmap

    def fixed_font(self) -> QFont:
        """Return a font whose letters have one width, for prompts and code."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(FONT_PX - 1)
        return font

    def _follow_system(self) -> None:
        self.apply(self._choice)

    def _system_choice(self) -> str:
        dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    def _palette(self) -> QPalette:
        roles = {
            QPalette.ColorRole.Window: "window",
            QPalette.ColorRole.WindowText: "text",
            QPalette.ColorRole.Base: "surface",
            QPalette.ColorRole.AlternateBase: "raised",
            QPalette.ColorRole.Text: "text",
            QPalette.ColorRole.Button: "surface",
            QPalette.ColorRole.ButtonText: "text",
            QPalette.ColorRole.BrightText: "bad",
            QPalette.ColorRole.Highlight: "selection",
            QPalette.ColorRole.HighlightedText: "text",
            QPalette.ColorRole.ToolTipBase: "tooltip",
            QPalette.ColorRole.ToolTipText: "tooltip_text",
            QPalette.ColorRole.PlaceholderText: "text_muted",
            QPalette.ColorRole.Link: "accent",
            QPalette.ColorRole.LinkVisited: "accent",
            QPalette.ColorRole.Mid: "border",
            QPalette.ColorRole.Dark: "border",
            QPalette.ColorRole.Midlight: "raised",
            QPalette.ColorRole.Light: "raised",
            QPalette.ColorRole.Shadow: "border",
            QPalette.ColorRole.Accent: "accent",
        }
        palette = QPalette()
        for role, name in roles.items():
            palette.setColor(role, self.colour(name))
        for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.colour("muted_mark"))
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Base, self.colour("window"))
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, self.colour("border"))
        return palette

    def _style_sheet(self) -> str:
        images = {}
        for key, name, role in (
            ("icon_up", "chevron-up", "text_muted"),
            ("icon_down", "chevron-down", "text_muted"),
            ("icon_check", "check", "accent_text"),
        ):
            path = Path(self._scratch.name) / f"{name}-{self.name}.png"
            self.pixmap(name, role, 24, 1).save(str(path))
            images[key] = path.as_posix()
        source = (_RESOURCES / "style.qss").read_text("utf-8")
        plain = {name: value for name, value in self.values.items() if isinstance(value, str)}
        return Template(source).substitute(
            plain, font_px=FONT_PX, small_px=FONT_PX - 2, title_px=FONT_PX + 5, **images
        )
