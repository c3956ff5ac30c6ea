"""What a model thought is folded until it is asked for, and is nothing but text."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.shared.thinking_view import ThinkingView


@pytest.fixture
def view(qtbot: QtBot) -> ThinkingView:
    made = ThinkingView()
    qtbot.addWidget(made)
    return made


def test_without_thinking_there_is_nothing_to_see(view: ThinkingView) -> None:
    assert view.isHidden()
    view.show_thinking("  \n", 3)
    assert view.isHidden()


def test_thinking_is_folded_and_unfolds(view: ThinkingView) -> None:
    view.show_thinking("\nHmm, <b>rye</b>.", 12)
    assert not view.isHidden()
    assert view.toggle.text() == "Thinking (12 tokens)"
    assert view.content.isHidden() and view.content.text() == ""
    view.toggle.click()
    assert not view.content.isHidden()
    assert view.content.text() == "Hmm, <b>rye</b>."
    assert view.content.textFormat() == Qt.TextFormat.PlainText
    view.show_thinking("Hmm, rye. And?", 14)
    assert view.content.text() == "Hmm, rye. And?", "it is followed while it is unfolded"
    view.toggle.click()
    assert view.content.isHidden()
    view.show_thinking("", 0)
    assert view.isHidden()
