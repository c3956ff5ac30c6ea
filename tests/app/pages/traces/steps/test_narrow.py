"""The views of received traces in small windows: nothing is cut, and the keyboard reaches all of it."""

import pytest
from geometry import keyboard_faults, layout_faults
from PySide6.QtWidgets import QApplication

from app.pages.traces.page import TracesPage

LOOPING = "cd" * 16


def faults(page: TracesPage, width: int) -> list[str]:
    page.resize(width, 600)
    for _ in range(3):
        QApplication.processEvents()
    return [*layout_faults(page), *keyboard_faults(page)]


@pytest.mark.parametrize("width", [800, 980, 1240])
def test_nothing_is_cut_or_out_of_reach(looped: TracesPage, width: int) -> None:
    view = looped.view
    for shown in (view.step_tree, view.agents):
        view.tabs.setCurrentWidget(shown)
        assert faults(looped, width) == []
    looped.lists.setCurrentWidget(looped.step_search)
    assert faults(looped, width) == []
    looped.open_trace("ab" * 16)
    view.tabs.setCurrentWidget(view.session)
    assert faults(looped, width) == []


def test_the_tree_says_in_words_what_failed_at_every_width(looped: TracesPage) -> None:
    tree = looped.view.step_tree.tree
    looped.view.tabs.setCurrentWidget(looped.view.step_tree)
    for width in (980, 1240):
        faults(looped, width)
        total = sum(tree.columnWidth(n) for n in range(6) if not tree.isColumnHidden(n))
        assert total <= tree.viewport().width() + 1 and not tree.isColumnHidden(1)
