"""Colours, sizes, fonts, icons and the style sheet, by semantic names. No colour is written anywhere else.

Fusion with an own palette: Qt's own switch to a dark scheme does nothing without a desktop theme.
Sizes in code and in the style sheet are those at a text size of 100 %; `scaled` gives the ones in force.
"""

from __future__ import annotations

import re
import sys
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
FONT_PX = 13  # at a text size of 100 %
_SCALE = "ragdeck_text_scale"  # the property of the application that holds the text size in force
# Pixels above and below the text of buttons, rows of a table, and tabs.
_DENSITIES = {
    "comfortable": {"pad": 5, "row_pad": 3, "tab_pad": 7},
    "compact": {"pad": 2, "row_pad": 0, "tab_pad": 4},
}
# Green is kept for what a person or a check against a reference judged to be right: neither a sentence whose
# words are in its source nor an answer that came without an error is that.
VERDICT_COLOURS = {
    "check": "check",
    "unsupported": "bad",
    "contradicted": "contradicted",
    "no evidence": "text_muted",
    "supported": "text",
    "not checkable": "text_muted",
}
STATUS_COLOURS = {
    "done": "text",
    "nothing found": "check",
    "cancelled": "text_muted",
    "failed": "bad",
    "interrupted": "bad",
    "running": "accent",
}


def scaled(pixels: float) -> int:
    """Return a length at the text size in force. pixels: the length at 100 %."""
    application = QApplication.instance()
    scale = application.property(_SCALE) if application is not None else None
    return round(pixels * (scale or 1.0))


class Theme(QObject):
    """The colours and sizes in force, light or dark. Widgets that paint listen to `changed`."""

    changed = Signal()

    def __init__(
        self,
        application: QApplication,
        choice: str = "system",
        text_percent: int = 100,
        density: str = "comfortable",
    ) -> None:
        """Apply a choice of colours ("light", "dark" or "system") and sizes; see `resize`."""
        super().__init__(application)
        self._application = application
        self._choice = choice
        self._density = density
        self._text_percent = text_percent
        self._scratch = tempfile.TemporaryDirectory(prefix="ragdeck-")
        self._icons: dict[tuple[str, str], QIcon] = {}
        self.values: dict[str, Any] = {}
        self.name = ""
        application.setStyle("Fusion")
        application.setProperty(_SCALE, self._scale)
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
        self._restyle()

    def resize(self, text_percent: int, density: str) -> None:
        """Use another text size, in percent, and another density, "comfortable" or "compact"."""
        if (text_percent, density) == (self._text_percent, self._density):
            return
        self._text_percent, self._density = text_percent, density
        self._restyle()

    @property
    def row_height(self) -> int:
        """How tall a row of a table is."""
        return scaled(FONT_PX * 1.25) + 2 * scaled(_DENSITIES[self._density]["row_pad"] + 3)

    @property
    def _scale(self) -> float:
        """The text size as a factor: the one chosen, times the one that the desktop asks for."""
        usual = 72 if sys.platform == "darwin" else 96
        screen = self._application.primaryScreen()
        asked = screen.logicalDotsPerInch() / usual if screen is not None else 1.0
        return self._text_percent / 100 * min(max(asked, 0.75), 2.5)

    def _restyle(self) -> None:
        self._application.setProperty(_SCALE, self._scale)
        font = self._application.font()
        font.setPixelSize(scaled(FONT_PX))
        self._application.setFont(font)
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
        font.setPixelSize(scaled(FONT_PX - 1))
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
        source = re.sub(
            r"\b(\d+)px\b",
            lambda found: f"{_at_least_one(int(found[1]))}px",
            (_RESOURCES / "style.qss").read_text("utf-8"),
        )
        plain = {name: value for name, value in self.values.items() if isinstance(value, str)}
        sizes = {name: f"{scaled(pixels)}px" for name, pixels in _DENSITIES[self._density].items()}
        return Template(source).substitute(plain, **sizes, **images)


def _at_least_one(pixels: int) -> int:
    """Return a length of the style sheet at the text size in force; a line never vanishes."""
    return max(scaled(pixels), 1) if pixels else 0
