"""A checked sentence: its verdict and evidence, and the user's own verdict, which is stored and taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import drive
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from app.console import Console
from app.shared.claim_panel import ClaimPanel, marked
from rag.asking.answer import answer_question
from rag.asking.rows import Question, get_trace, read_flag_opinion
from rag.grounding.rows import ClaimResult, Verdict
from rag.knowledge.ingest import ingest_files
from rag.workspace import Workspace

CLAIM = ClaimResult(
    "  Rye bread needs 99 hours.", 0, 27, Verdict.UNSUPPORTED, 0.84, reason="the number 99 is in no passage",
    evidence_marker=1, evidence_text="Rye bread needs sourdough\nand 12 hours of rest.", doubtful="[[18, 20]]",
)  # fmt: skip


@pytest.fixture
def panel(qtbot: QtBot, console: Console) -> ClaimPanel:
    made = ClaimPanel(console)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def answered(open_workspace: Workspace, documents: Path) -> tuple[str, ClaimResult]:
    """A trace's id with its first claim."""
    drive(ingest_files(open_workspace, "Bread", [str(documents)]))
    open_workspace.language_model()
    result: Any = drive(answer_question(open_workspace, Question("What does rye bread need?", "Bread")))
    return result.trace_id, get_trace(open_workspace.database, result.trace_id).claims[0]


def test_a_claim_is_shown_with_its_evidence(panel: ClaimPanel) -> None:
    panel.show_claim(CLAIM, "")
    assert panel._verdict.text() == "Unsupported"
    assert "sentences like this are unsupported" in panel._score.text()
    assert panel._score.toolTip() == "Score 0.840"
    assert panel._reason.text() == "The number 99 is in no passage"
    assert "Nearest in the passages, [1]:" in panel._evidence.text()
    assert "sourdough and 12 <span" in panel._evidence.text()  # the line break is a space


def test_shared_words_are_bold_and_doubtful_ones_marked(panel: ClaimPanel, console: Console) -> None:
    panel.show_claim(CLAIM, "")
    alarm = console.theme.colour("bad").name()
    assert '<span style="font-weight:600">Rye</span>' in panel._claim_text.text()
    assert f'<span style="color:{alarm};text-decoration:underline">99</span>' in panel._claim_text.text()


def test_a_claim_without_evidence_says_so(panel: ClaimPanel) -> None:
    panel.show_claim(ClaimResult("So it is.", 0, 9, Verdict.NO_EVIDENCE, None), "")
    assert panel._evidence.text() == "No passage is near this sentence."
    assert panel._score.text() == panel._score.toolTip() == ""
    assert not panel._reason.isVisible()


def test_a_verdict_is_judged_and_taken_back(
    qtbot: QtBot, panel: ClaimPanel, console: Console, answered: tuple[str, ClaimResult],
    settle: Callable[[], None],
) -> None:  # fmt: skip
    trace_id, claim = answered
    panel.show_claim(claim, trace_id)
    assert panel.right.isEnabled()
    qtbot.mouseClick(panel.wrong, Qt.MouseButton.LeftButton)
    settle()
    assert read_flag_opinion(console.database, trace_id, claim.start) is False
    assert panel.wrong.isChecked()
    assert not panel.right.isChecked()
    assert panel.said.text() == "saved; click again to take it back"
    qtbot.mouseClick(panel.right, Qt.MouseButton.LeftButton)
    settle()
    assert read_flag_opinion(console.database, trace_id, claim.start) is True
    assert not panel.wrong.isChecked()
    qtbot.mouseClick(panel.right, Qt.MouseButton.LeftButton)
    settle()
    assert read_flag_opinion(console.database, trace_id, claim.start) is None
    assert panel.said.text() == ""


def test_an_opinion_on_a_trace_that_is_gone_is_refused_and_not_shown(
    qtbot: QtBot, panel: ClaimPanel, console: Console, settle: Callable[[], None]
) -> None:
    panel.show_claim(CLAIM, "no such trace")
    qtbot.mouseClick(panel.right, Qt.MouseButton.LeftButton)
    settle()
    assert not panel.right.isChecked()
    assert console.notices[-1][1] == "bad"  # type: ignore[attr-defined]


def test_what_cannot_be_checked_or_has_no_trace_cannot_be_judged(panel: ClaimPanel) -> None:
    panel.show_claim(ClaimResult("Hello!", 0, 6, Verdict.NOT_CHECKABLE, None), "a trace")
    assert not panel.right.isEnabled()
    panel.show_claim(CLAIM, "")
    assert not panel.wrong.isEnabled()


def test_the_panel_is_closed_only_where_it_can_be(qtbot: QtBot, console: Console, panel: ClaimPanel) -> None:
    def close_buttons(shown: ClaimPanel) -> list[QAbstractButton]:
        return [b for b in shown.findChildren(QAbstractButton) if b.accessibleName() == "Close the evidence"]

    with qtbot.waitSignal(panel.closed):
        qtbot.mouseClick(close_buttons(panel)[0], Qt.MouseButton.LeftButton)
    assert not panel.isVisible()
    fixed = ClaimPanel(console, closable=False)
    qtbot.addWidget(fixed)
    assert close_buttons(fixed) == []


def test_a_change_of_theme_changes_the_colour_of_the_verdict(panel: ClaimPanel, console: Console) -> None:
    console.theme.apply("dark")
    panel.show_claim(CLAIM, "")
    dark = panel._verdict.styleSheet()
    console.theme.apply("light")
    assert panel._verdict.styleSheet() != dark


@pytest.mark.parametrize(
    ("layers", "html"),
    [
        ((), "a &lt;b&gt; c"),
        (([(0, 1, "x")],), '<span style="x">a</span> &lt;b&gt; c'),
        (([(0, 5, "x")], [(2, 5, "y")]), '<span style="x">a </span><span style="y">&lt;b&gt;</span> c'),
        (([(-3, 1, "x"), (6, 99, "z")],), '<span style="x">a</span> &lt;b&gt; <span style="z">c</span>'),
    ],
)
def test_spans_of_a_text_are_styled_and_its_own_markup_is_text(layers: Any, html: str) -> None:
    assert marked("a <b> c", *layers) == html


def test_an_empty_text_has_no_spans() -> None:
    assert marked("", [(0, 3, "x")]) == ""
