"""Help and launcher in the settings: the launcher is made and removed for real, in a home of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import click, notices
from PySide6.QtTest import QSignalSpy
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.settings.help_panel import HelpPanel


@pytest.fixture
def panel(qtbot: QtBot, console: Console) -> HelpPanel:
    made = HelpPanel(console)
    qtbot.addWidget(made)
    return made


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at a freedesktop entry")
def test_the_launcher_is_made_for_this_data_folder_and_removed(
    qtbot: QtBot,
    panel: HelpPanel,
    console: Console,
    settle: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    entry = tmp_path / "share" / "applications" / "ragdeck.desktop"
    click(qtbot, panel, "Make a launcher")
    settle()
    assert f'--data" "{console.engine.folder}"' in entry.read_text("utf-8")
    assert notices(console)[-1][0].startswith(f"The launcher is {entry}.")
    click(qtbot, panel, "Remove the launcher")
    settle()
    assert not entry.exists()
    assert "was removed" in notices(console)[-1][0]


def test_the_guide_and_the_first_steps_are_a_click_away(qtbot: QtBot, panel: HelpPanel) -> None:
    guide, steps = QSignalSpy(panel.guide_wanted), QSignalSpy(panel.first_steps_wanted)
    click(qtbot, panel, "Open the guide")
    click(qtbot, panel, "Show the first steps")
    assert (guide.count(), steps.count()) == (1, 1)
