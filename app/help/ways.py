"""The ways to help: the guide at the page that is shown, the first steps, and their commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.console import Console
from app.help.first_steps import FirstSteps
from app.help.guide_window import GuideWindow
from app.help.sections import ORDER
from app.widgets.palette import Command

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class Help(QObject):
    """What helps a person, made once for the window; the guide is read from its files when first opened."""

    def __init__(
        self,
        console: Console,
        titles: Mapping[str, str],
        current_page: Callable[[], str],
        show_page: Callable[[str], object],
        window: QWidget,
    ) -> None:
        """Open nothing yet, except the first steps where they were open before.

        Args:
            console: What every page is given.
            titles: The title of each page by its key.
            current_page: Says which page is shown.
            show_page: Shows a page.
            window: The program's window.
        """
        super().__init__(window)
        self._console, self._titles = console, dict(titles)
        self._current_page, self._show_page, self._window = current_page, show_page, window
        self.guide: GuideWindow | None = None
        self.steps = FirstSteps(console)
        self.steps.guide_wanted.connect(lambda: self.open_guide("first-steps"))

    @property
    def commands(self) -> list[Command]:
        """The commands for the palette; F1 opens the section of the page that is shown."""
        return [
            Command("Help on this page", self.open_guide, "F1", "guide manual documentation question"),
            Command("First steps", self.steps.open_steps, "", "tutorial begin welcome help"),
        ]

    def open_guide(self, key: str = "") -> GuideWindow:
        """Open the guide at a section; without a key, at that of the page that is shown."""
        if self.guide is None:
            self.guide = GuideWindow(self._console.theme, self._titles, self._window)
            self.guide.page_wanted.connect(self._show_page)
        key = key or self._current_page()
        self.guide.open_at(key if key in ORDER else ORDER[0])
        return self.guide
