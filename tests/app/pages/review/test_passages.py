"""The passages of a prompt: in order, ticked, with their evidence marked."""

from __future__ import annotations

import pytest
from driving import texts
from pytestqt.qtbot import QtBot

from app.pages.review.passages import PassageList
from app.widgets.theme import Theme
from rag.grounding.rows import ClaimResult, Verdict
from rag.index.rows import Hit


def hit(marker: int | None, text: str, place: str = "") -> Hit:
    return Hit(1, 1, f"{marker}.txt", "/x", place, "", None, 0, len(text), text, 5, marker=marker)


def claim(marker: int | None, evidence: str) -> ClaimResult:
    return ClaimResult(
        "A sentence.", 0, 11, Verdict.SUPPORTED, 0.1, evidence_marker=marker, evidence_text=evidence
    )


@pytest.fixture
def passages(qtbot: QtBot, theme: Theme) -> PassageList:
    made = PassageList(theme)
    qtbot.addWidget(made)
    made.show()
    return made


def test_passages_are_in_the_order_of_their_markers(passages: PassageList) -> None:
    passages.show_passages([hit(2, "second"), hit(None, "left out"), hit(1, "first", "page 3")], (), ())
    assert [passage.box.text() for passage in passages.passages] == ["[1]", "[2]"]
    assert "1.txt, page 3" in texts(passages)
    assert "2.txt" in texts(passages)
    assert "left out" not in texts(passages)
    assert "No passage was in the prompt." not in texts(passages)


def test_passages_of_the_answer_before_are_gone(passages: PassageList) -> None:
    passages.show_passages([hit(1, "old")], (), (1,))
    passages.show_passages([], (), ())
    assert passages.relevant == ()
    assert "old" not in texts(passages)
    assert "No passage was in the prompt." in texts(passages)


def test_the_relevant_passages_are_ticked(qtbot: QtBot, passages: PassageList) -> None:
    passages.show_passages([hit(1, "a"), hit(4, "b"), hit(7, "c")], (), {4})
    assert passages.relevant == (4,)
    with qtbot.waitSignal(passages.changed):
        passages.toggle(3)  # the third one, which has marker 7
    assert passages.relevant == (4, 7)
    passages.passages[1].box.click()
    assert passages.relevant == (7,)


def test_a_number_beyond_the_last_passage_changes_nothing(qtbot: QtBot, passages: PassageList) -> None:
    passages.show_passages([hit(1, "a")], (), ())
    with qtbot.assertNotEmitted(passages.changed):
        passages.toggle(2)


def test_evidence_is_marked_where_it_is_found(passages: PassageList) -> None:
    text = "Boats leave at noon. The tide rises."
    claims = (
        claim(1, "The tide rises."),
        claim(1, ""),
        claim(1, "not in it"),
        claim(2, "Boats leave at noon."),
    )
    passages.show_passages([hit(1, text)], claims, ())
    (passage,) = passages.passages
    assert passage.evidence == [(21, 36)]
    assert passage.text.text().count("background:") == 1


def test_a_passage_is_text_and_never_markup(passages: PassageList) -> None:
    passages.show_passages([hit(1, "<b>1 < 2</b>\nnext")], (), ())
    shown = passages.passages[0].text.text()
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in shown
    assert "<br>next" in shown


def test_the_marks_follow_the_theme(passages: PassageList, theme: Theme) -> None:
    passages.show_passages([hit(1, "The tide rises.")], [claim(1, "The tide rises.")], ())
    light = passages.passages[0].text.text()
    theme.apply("dark")
    assert passages.passages[0].text.text() != light
