"""What stands above a card: what changed before it, and the way between its branches."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.console import Console
from app.pages.ask.turn import BranchBar, QueuedQuestion, changed_since
from rag.asking.sessions.rows import TurnRow

FIRST = TurnRow("a", "", 1, "Why?", 3, "done", "Notes", 2, "small.gguf", "default", 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"question": "How?", "status": "failed"}, ""),
        ({"version_number": 3}, "From here on: version 3."),
        ({"model": "large.gguf"}, "From here on: large.gguf."),
        ({"prompt_version": 2}, "From here on: prompt default, version 2."),
        ({"prompt_name": "brief"}, "From here on: prompt brief, version 1."),
        ({"collection": "Atlas"}, "From here on: “Atlas”, version 2."),
        ({"version_number": 1, "model": "large.gguf"}, "From here on: version 1, large.gguf."),
        (
            {"version_number": None, "model": "", "prompt_name": ""},
            "",
        ),  # it was refused before that was known
    ],
)
def test_what_answers_differently_is_said(change: dict[str, object], said: str) -> None:
    assert changed_since(FIRST, replace(FIRST, **change)) == said  # type: ignore[arg-type]


def test_the_arrows_lead_to_the_branch_before_and_behind(qtbot: QtBot, console: Console) -> None:
    bar = BranchBar(console)
    qtbot.addWidget(bar)
    wanted: list[str] = []
    bar.wanted.connect(wanted.append)
    bar.show_branches(["a"], "a", True)
    assert bar.text == ""
    bar.show_branches(["a", "b", "c"], "b", True)
    assert bar.text == "2 of 3"
    qtbot.mouseClick(bar.back, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.forth, Qt.MouseButton.LeftButton)
    assert wanted == ["a", "c"]
    bar.show_branches(["a", "b", "c"], "c", True)
    assert bar.text == "3 of 3" and not bar.forth.isEnabled()
    bar.show_branches(["a", "b", "c"], "b", False)  # an answer is running
    assert not bar.back.isEnabled() and not bar.forth.isEnabled()


def test_a_queued_question_stands_in_one_line(qtbot: QtBot) -> None:
    waiting = QueuedQuestion("Two\n  lines?")
    qtbot.addWidget(waiting)
    assert waiting.accessibleName() == "Waits: Two lines?"
    assert waiting.text == "Two\n  lines?"
