"""Two versions side by side: what came and went, which words changed, what is folded, and the way through."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QUrl
from pytestqt.qtbot import QtBot

from app.shared.diff_view import DiffView
from app.widgets.theme import Theme
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.text.word_diff import word_diff


def chunk(position: int, text: str) -> ChunkRow:
    values = dict.fromkeys(ChunkRow.__dataclass_fields__)
    values.update(position=position, text=text, place=f"page {position + 1}")
    return ChunkRow(**values)


def same(position: int) -> ChunkChange:
    here = chunk(position, f"text {position}")
    return ChunkChange(ChunkChangeKind.SAME, here, here)


def changed(position: int, old: str, new: str) -> ChunkChange:
    return ChunkChange(
        ChunkChangeKind.CHANGED, chunk(position, old), chunk(position, new), word_diff(old, new)
    )


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> DiffView:
    made = DiffView(theme)
    qtbot.addWidget(made)
    made.resize(700, 400)
    made.show()
    return made


def test_it_says_what_to_do_before_there_is_anything(view: DiffView) -> None:
    assert view.summary == "Choose a document above to see what changed in it."
    assert not view.next.isEnabled()
    view.clear("Choose a case.")
    assert view.summary == "Choose a case."


def test_every_kind_of_change_is_shown_on_its_side(view: DiffView, theme: Theme) -> None:
    view.show_changes(
        [
            changed(0, "open the valve <b>now</b>", "close the valve <b>now</b>"),
            ChunkChange(ChunkChangeKind.REMOVED, chunk(1, "gone"), None),
            ChunkChange(ChunkChangeKind.ADDED, None, chunk(1, "came")),
            ChunkChange(
                ChunkChangeKind.EXCLUDED, chunk(2, "left out"), chunk(2, "left out"), reason="a <table>"
            ),
            ChunkChange(ChunkChangeKind.INCLUDED, chunk(3, "back"), chunk(3, "back")),
        ]
    )
    text = view.shown_text
    for part in ("open", "close", "<b>now</b>", "gone", "came", "excluded: a <table>", "chunk 1 page 1"):
        assert part in text
    html = view._browser.toHtml()
    assert "line-through" in html  # the old word
    assert (
        view._browser.document().toHtml().count(f'bgcolor="{view._blend("bad")}"') == 2
    )  # removed and excluded
    assert (
        view._browser.document().toHtml().count(f'bgcolor="{view._blend("good")}"') == 2
    )  # added and included
    assert view.summary == "Change 1 of 5"


def test_steps_stop_at_both_ends(view: DiffView) -> None:
    view.show_changes([changed(n, "a", "b") for n in range(3)])
    assert not view.previous.isEnabled()
    view.step(1)
    assert view.summary == "Change 2 of 3"
    view.step(5)
    assert view.summary == "Change 3 of 3"
    assert not view.next.isEnabled()
    view.step(-9)
    assert view.summary == "Change 1 of 3"


def test_what_is_the_same_is_folded_around_a_change_and_unfolds(view: DiffView) -> None:
    view.show_changes([*(same(n) for n in range(6)), changed(6, "a", "b"), *(same(n) for n in range(7, 12))])
    assert "4 unchanged chunks" in view.shown_text
    assert "5 unchanged chunks" in view.shown_text
    assert "text 5" in view.shown_text  # beside the change
    assert "text 7" in view.shown_text
    assert "text 2" not in view.shown_text
    view._unfold(QUrl("fold:0"))
    assert "text 2" in view.shown_text
    assert "text 9" not in view.shown_text


def test_equal_versions_say_so_and_may_show_their_beginning(qtbot: QtBot, theme: Theme) -> None:
    view = DiffView(theme, heading=lambda chunk: f"no. {chunk.position}", same="Both are equal.", unfolded=2)
    qtbot.addWidget(view)
    view.show_changes([same(n) for n in range(5)])
    assert view.summary == "Both are equal."
    assert "no. 1" in view.shown_text
    assert "text 3" not in view.shown_text
    view.step(1)
    assert view.summary == "Both are equal."


def test_a_long_list_of_changes_is_cut_with_a_count(view: DiffView) -> None:
    view.show_changes([changed(n, "a", "b") for n in range(420)])
    assert "… 20 more chunks" in view.shown_text
    assert view.summary == "Change 1 of 400"


def test_nothing_is_loaded_for_a_documents_text(view: DiffView) -> None:
    assert view._browser.loadResource(2, QUrl("file:///etc/passwd")) is None


def test_a_change_of_theme_paints_it_anew(view: DiffView, theme: Theme) -> None:
    view.show_changes([changed(0, "a", "b")])
    before = view._browser.toHtml()
    theme.apply("dark")
    assert view._browser.toHtml() != before
    theme.apply("light")
