"""The rail, the banner of notices, the drop overlay and the search field."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.widgets.buttons import IconButton
from app.widgets.labels import StatusPill
from app.widgets.navigation import Banner, DropOverlay, NavigationRail, Notice, SearchField, page_shortcut
from app.widgets.theme import Theme


def test_a_notice_can_be_acted_on_and_dismissed(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    ran: list[int] = []
    banner.show_notice("Something happened.", "bad", "Undo", lambda: ran.append(1))
    assert banner.isVisibleTo(None) or not banner.isHidden()
    qtbot.mouseClick(banner._action, Qt.MouseButton.LeftButton)
    assert ran == [1]
    assert banner.isHidden()


def test_the_rail_asks_for_pages_and_shows_how_much_is_new(qtbot: QtBot, theme: Theme) -> None:
    rail = NavigationRail(theme, [("ask", "Ask", "ask"), ("traces", "Traces", "traces")])
    qtbot.addWidget(rail)
    rail.show()
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


@pytest.mark.parametrize(
    ("kind", "goes_away"), [(Notice.INFO, True), (Notice.CHECK, False), (Notice.BAD, False)]
)
def test_only_a_notice_that_asks_for_nothing_goes_away_by_itself(
    qtbot: QtBot, theme: Theme, kind: Notice, goes_away: bool
) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    banner.show_notice("Saved.", kind)
    assert banner._timer.isActive() == goes_away
    assert banner.property("kind") == kind
    assert banner.accessibleName() == banner.text == "Saved."
    assert banner._action.isHidden()


def test_a_notice_with_an_action_stays_and_the_next_replaces_it(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    done: list[int] = []
    banner.show_notice("Deleted.", Notice.INFO, "Undo", lambda: done.append(1))
    assert not banner._timer.isActive()
    banner.show_notice("Saved.")
    qtbot.mouseClick(banner.findChild(IconButton), Qt.MouseButton.LeftButton)
    assert banner.isHidden()
    assert done == []


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


def test_pages_have_keys_also_beyond_nine() -> None:
    assert [page_shortcut(number) for number in (1, 9, 10, 12)] == [
        "Ctrl+1",
        "Ctrl+9",
        "Ctrl+Alt+1",
        "Ctrl+Alt+3",
    ]


def test_one_page_is_marked_and_its_icon_is_tinted(qtbot: QtBot, theme: Theme) -> None:
    rail = NavigationRail(theme, [("ask", "Ask", "ask"), ("traces", "Traces", "traces")])
    qtbot.addWidget(rail)
    pale = rail.button("ask").icon().pixmap(20).toImage()
    rail.set_current("ask")
    assert rail.button("ask").isChecked()
    assert rail.button("ask").icon().pixmap(20).toImage() != pale
    rail.set_current("traces")
    assert not rail.button("ask").isChecked()
    assert rail.button("ask").icon().pixmap(20).toImage() == pale
    assert rail.button("traces").toolTip() == "Traces (Ctrl+2)"
