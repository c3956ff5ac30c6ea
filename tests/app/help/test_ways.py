"""Help at every page: F1 and the button in the rail open its section, and Settings leads to both helps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import click
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.help.sections import read_section
from app.main_window import MainWindow
from app.routes import PAGES

Settle = Callable[[], None]


@pytest.mark.parametrize("way", ["button", "keys"])
def test_every_page_opens_its_own_section(qtbot: QtBot, window: MainWindow, settle: Settle, way: str) -> None:
    for page in PAGES:
        window.show_page(page.key)
        if way == "button":
            assert window.rail.help.isVisible()
            qtbot.mouseClick(window.rail.help, Qt.MouseButton.LeftButton)
        else:
            next(command for command in window.commands if command.shortcut == "F1").run()
        guide = window.help.guide
        assert guide is not None
        assert (guide.key, guide.isVisible()) == (page.key, True)
        assert read_section(page.key).title == page.title
        settle()
    click(qtbot, guide, f"Go to {PAGES[-1].title}")
    guide.close()


def test_settings_and_the_strip_lead_to_the_guide_and_back(
    qtbot: QtBot, window: MainWindow, settle: Settle
) -> None:
    window.show_page("settings")
    click(qtbot, window.pages.settings, "Show the first steps")
    assert window.help.steps.isVisible()
    click(qtbot, window.help.steps, "Read more")
    assert window.help.guide is not None
    assert window.help.guide.key == "first-steps"
    click(qtbot, window.pages.settings, "Open the guide")
    assert window.help.guide.key == "settings"
    settle()
    window.help.guide.close()
