"""A passage: which part of a text is marked and in view."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.widgets.passage_view import PassageView
from app.widgets.theme import Theme


def test_a_passage_is_marked_where_it_stands(qtbot: QtBot, theme: Theme) -> None:
    view = PassageView(theme)
    qtbot.addWidget(view)
    view.show_passage("🙂 before the passage after", 13, 20)
    assert view.marked_text == "passage"


def test_a_passage_far_down_comes_into_view(qtbot: QtBot, theme: Theme) -> None:
    view = PassageView(theme)
    qtbot.addWidget(view)
    view.resize(300, 120)
    view.show()
    text = "\n".join(f"line {number}" for number in range(400))
    start = text.index("line 300")
    view.show_passage(text, start, start + 8)
    assert view.marked_text == "line 300"
    qtbot.waitUntil(lambda: view.verticalScrollBar().value() > 200)
    assert view.isReadOnly()


def test_another_passage_replaces_the_mark_and_a_theme_its_colour(qtbot: QtBot, theme: Theme) -> None:
    view = PassageView(theme)
    qtbot.addWidget(view)
    view.show_passage("one two", 0, 3)
    view.show_passage("one two", 4, 7)
    (mark,) = view.extraSelections()
    assert mark.cursor.selectedText() == "two"
    assert mark.format.background().color() == theme.colour("highlight")
    theme.apply("dark")
    (mark,) = view.extraSelections()
    assert mark.format.background().color() == theme.colour("highlight")
    theme.apply("light")


def test_an_emptied_view_has_no_mark_left(qtbot: QtBot, theme: Theme) -> None:
    view = PassageView(theme)
    qtbot.addWidget(view)
    view.show_passage("The tide at Bremen rises.", 4, 8)
    view.clear()
    assert (view.toPlainText(), view.marked_text, view.extraSelections()) == ("", "", [])
    theme.apply("dark")  # a mark beyond the end would make Qt warn, which fails a test
    theme.apply("light")
