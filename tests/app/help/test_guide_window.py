"""The guide's window: a section, a search through all of them, its own pictures and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from driving import click
from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QDesktopServices, QImage, QTextDocument
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.help.guide_window import GuideView, GuideWindow
from app.help.sections import ORDER, Section
from app.routes import TITLES
from app.widgets.theme import Theme

IMAGE = QTextDocument.ResourceType.ImageResource.value


@pytest.fixture
def guide(qtbot: QtBot, theme: Theme) -> GuideWindow:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = GuideWindow(theme, TITLES, parent)
    made.parent_of_test = parent  # type: ignore[attr-defined]
    return made


def titles(guide: GuideWindow) -> list[str]:
    return [guide.list.item(row).text().splitlines()[0] for row in range(guide.list.count())]


def test_it_opens_at_a_section_and_blocks_nothing(guide: GuideWindow) -> None:
    guide.open_at("versions")
    assert guide.isVisible()
    assert not guide.isModal()
    assert guide.key == "versions"
    assert guide.view.toPlainText().startswith("Versions\n")
    assert len(titles(guide)) == len(ORDER)


def test_a_search_finds_all_words_in_all_sections_and_marks_them(qtbot: QtBot, guide: GuideWindow) -> None:
    guide.open_at("ask")
    QTest.keyClicks(guide.search, "wheel xyzzy")
    qtbot.waitUntil(lambda: guide.list.count() == 0, timeout=5_000)
    assert guide.nothing.isVisible()
    guide.search.setText("fingerprint undo")
    qtbot.waitUntil(lambda: titles(guide) == ["Versions"], timeout=5_000)
    assert not guide.nothing.isVisible()
    marked = {mark.cursor.selectedText().lower() for mark in guide.view.extraSelections()}
    assert marked == {"fingerprint", "undo"}
    guide.open_at("costs")  # from F1: the search is over
    assert (guide.search.text(), guide.key, len(titles(guide))) == ("", "costs", len(ORDER))
    assert guide.view.extraSelections() == []


def test_a_link_goes_to_another_section_and_an_address_to_the_desktop_after_a_click(
    guide: GuideWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    guide.open_at("ask")
    guide.view.follow(QUrl("traces.md"))
    assert guide.key == "traces"
    for link in ("file:///etc/passwd", "../settings.md", "javascript:alert(1)", "ftp://a/b"):
        guide.view.follow(QUrl(link))
    assert (guide.key, opened) == ("traces", [])
    guide.view.follow(QUrl("https://example.org/a"))
    assert opened == ["https://example.org/a"]


def test_it_loads_its_own_pictures_no_wider_than_it_is_and_nothing_else(
    qtbot: QtBot, guide: GuideWindow, tmp_path: Path
) -> None:
    guide.open_at("ask")
    picture = guide.view.loadResource(IMAGE, QUrl("pictures/ask.webp"))
    assert isinstance(picture, QImage)
    assert 200 < picture.width() < guide.view.viewport().width()
    own = tmp_path / "own.webp"
    QImage(4, 4, QImage.Format.Format_RGB32).save(str(own))
    for name in (
        QUrl.fromLocalFile(str(own)),
        "../icons/ragdeck.svg",
        "https://example.org/a.webp",
        str(own),
    ):
        assert guide.view.loadResource(IMAGE, name) is None
    assert (
        guide.view.loadResource(QTextDocument.ResourceType.StyleSheetResource.value, "pictures/ask.webp")
        is None
    )


def test_html_in_a_section_is_shown_as_it_is(qtbot: QtBot) -> None:
    view = GuideView()
    qtbot.addWidget(view)
    view.show_section(Section("x", "X", "# X\n\n<b>bold</b> <img src='https://example.org/a.png'>\n"))
    assert "\ufffc" not in view.toPlainText()  # no picture was made of it


def test_the_button_goes_to_the_page_of_the_section(qtbot: QtBot, guide: GuideWindow) -> None:
    wanted = QSignalSpy(guide.page_wanted)
    guide.open_at("prompts")
    click(qtbot, guide, "Go to Prompts")
    assert wanted.at(0) == ["prompts"]
    guide.open_at("command-line")
    assert guide.page_button.isHidden()


def test_the_colours_follow_the_theme(guide: GuideWindow, theme: Theme) -> None:
    guide.open_at("ask")
    theme.apply("dark")
    ground = guide.view.palette().base().color()
    text = guide.view.palette().text().color()
    assert ground.lightness() < 90 < text.lightness()
    assert isinstance(ground, QColor)
