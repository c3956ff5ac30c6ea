"""The rail, the drop overlay and the search field."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.labels import StatusPill
from app.widgets.navigation import DropOverlay, NavigationRail, RailPage, SearchField
from app.widgets.theme import Theme

PAGES = (
    RailPage("ask", "Ask", "ask", "Ctrl+2"),
    RailPage("traces", "Traces", "traces", "Ctrl+5", "Observe"),
    RailPage("monitors", "Monitors", "monitors", "Ctrl+6", "Observe"),
    RailPage("models", "Models", "models", "Ctrl+Alt+1", "Control"),
    RailPage("settings", "Settings", "settings", "Ctrl+Alt+3", pinned=True),
)


@pytest.fixture
def rail(qtbot: QtBot, theme: Theme, tmp_path: Path) -> NavigationRail:
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "window"))
    made = NavigationRail(theme, PAGES)
    qtbot.addWidget(made)
    made.resize(made.width(), 600)
    made.show()
    return made


def words(rail: NavigationRail) -> list[str]:
    return [shown.text() for shown in rail.findChildren(QLabel) if shown.isVisible() and shown.text()]


def test_the_rail_asks_for_pages_and_shows_how_much_is_new(qtbot: QtBot, rail: NavigationRail) -> None:
    with qtbot.waitSignal(rail.page_requested) as caught:
        qtbot.mouseClick(rail.button("traces"), Qt.MouseButton.LeftButton)
    assert caught.args == ["traces"]
    rail.set_badge("traces", 120)
    pill = rail.button("traces").findChild(StatusPill)
    assert pill is not None
    assert pill.isVisible()
    assert pill.text == "99+"
    assert rail.button("traces").accessibleName() == "Traces, 120 new"
    rail.set_badge("traces", 0)
    assert not pill.isVisible()


def test_a_search_is_told_once_typing_pauses(qtbot: QtBot) -> None:
    field = SearchField("Search")
    qtbot.addWidget(field)
    told: list[str] = []
    field.searched.connect(told.append)
    qtbot.keyClicks(field, "abc")
    assert told == []
    qtbot.waitUntil(lambda: told == ["abc"])


def test_the_overlay_covers_its_window_and_says_where_files_go(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 300)
    window.show()
    overlay = DropOverlay(theme, window)
    assert overlay.isHidden()
    overlay.show_text("Drop to add to “Documents”")
    assert overlay.isVisible()
    assert overlay.size() == window.size()
    picture = overlay.grab().toImage()
    assert picture.pixelColor(200, 22) != picture.pixelColor(200, 5)  # a frame is drawn


def test_one_page_is_marked_and_its_icon_is_tinted(qtbot: QtBot, rail: NavigationRail) -> None:
    pale = rail.button("ask").icon().pixmap(20).toImage()
    rail.set_current("ask")
    assert rail.button("ask").isChecked()
    assert rail.button("ask").icon().pixmap(20).toImage() != pale
    rail.set_current("settings")
    assert not rail.button("ask").isChecked()
    assert rail.button("ask").icon().pixmap(20).toImage() == pale
    assert rail.button("traces").toolTip() == "Traces (Ctrl+5)"


def test_a_click_marks_a_page_only_once_it_is_shown(qtbot: QtBot, rail: NavigationRail) -> None:
    rail.set_current("ask")
    qtbot.mouseClick(rail.button("models"), Qt.MouseButton.LeftButton)
    assert rail.button("ask").isChecked()
    assert not rail.button("models").isChecked()


def test_pages_stand_under_headings_and_settings_at_the_bottom(rail: NavigationRail) -> None:
    assert words(rail) == ["Ragdeck", "Observe", "Control"]
    places = [rail.button(page.key).mapTo(rail, QPoint(0, 0)).y() for page in PAGES]
    assert places == sorted(places)
    assert places[4] - places[3] > 2 * (places[2] - places[1])


def test_a_narrow_window_shows_icons_alone_unless_the_user_said_otherwise(
    qtbot: QtBot, rail: NavigationRail
) -> None:
    wide = rail.width()
    rail.fit(1024)
    assert rail.is_collapsed
    assert words(rail) == []
    assert rail.width() < wide / 2
    rail.toggle()
    assert not rail.is_collapsed
    rail.fit(1024)
    assert not rail.is_collapsed
    assert rail.width() == wide
    rail.fit(700)
    assert rail.is_collapsed  # there is no room for words whatever was chosen
    rail.fit(1920)
    assert not rail.is_collapsed
    rail.toggle()
    rail.fit(1920)
    assert rail.is_collapsed
    assert rail.button("ask").accessibleName() == "Ask"


def test_a_low_window_scrolls_the_pages_and_keeps_settings_in_sight(
    qtbot: QtBot, rail: NavigationRail
) -> None:
    rail.resize(rail.width(), 200)
    qtbot.waitUntil(lambda: rail._area.verticalScrollBar().maximum() > 0)
    rail.set_current("models")
    button = rail.button("models")
    assert rail._area.viewport().rect().contains(button.mapTo(rail._area.viewport(), button.rect().center()))
    assert rail.rect().contains(rail.button("settings").geometry())


def test_the_ways_say_where_they_lead_and_stand_in_a_narrow_rail(qtbot: QtBot, rail: NavigationRail) -> None:
    back, forward, find = rail._back, rail._forward, rail._find
    assert (back.isEnabled(), forward.isEnabled()) == (False, False)
    assert back.toolTip() == "Back: no page to go to (Alt+Left)"
    rail.show_ways("Traces: trace 0123", "")
    assert (back.isEnabled(), forward.isEnabled()) == (True, False)
    assert back.accessibleName() == "Back to Traces: trace 0123"
    for made, signal in ((back, rail.back_requested), (find, rail.finder_requested)):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    rail.fit(700)
    rail.layout().activate()
    for made in (back, forward, find):
        assert rail.rect().contains(made.geometry())
        assert made.width() >= made.iconSize().width()
    assert find.y() > back.y()  # below: there is no room beside them
