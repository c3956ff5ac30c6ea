"""An answer: its marked sentences, its citations, and what a model's output must not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QTextCharFormat, QTextCursor
from pytestqt.qtbot import QtBot

from app.widgets.answer_view import AnswerView, claim_summary, same_length, utf16_offset, verdict_format
from app.widgets.passage_view import PassageView
from app.widgets.theme import VERDICT_COLOURS, Theme
from rag.grounding.rows import ClaimResult, Verdict


def claim(text: str, start: int, verdict: str, score: float | None = 0.9) -> ClaimResult:
    return ClaimResult(text, start, start + len(text), verdict, score, evidence_marker=1, evidence_text="e")


def underline(view: AnswerView, position: int) -> QTextCharFormat.UnderlineStyle:
    cursor = QTextCursor(view.document())
    cursor.setPosition(position + 1)
    return cursor.charFormat().underlineStyle()


def test_sentences_are_underlined_by_their_verdict_even_behind_an_emoji(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    text = "🙂 Fine [1]. Wrong one. Odd one."
    view.set_answer(text, [1])
    view.set_claims(
        [
            claim("🙂 Fine [1].", 0, "supported"),
            claim("Wrong one.", 12, "unsupported"),
            claim("Odd one.", 23, "check"),
        ],
        [1],
    )
    assert underline(view, 3) == QTextCharFormat.UnderlineStyle.NoUnderline
    assert underline(view, 14) == QTextCharFormat.UnderlineStyle.WaveUnderline
    assert underline(view, 25) == QTextCharFormat.UnderlineStyle.DotLine
    assert view.toPlainText() == text


def test_a_citation_is_a_link_only_when_it_was_in_the_prompt(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("One [1] and nine [9].", [1])
    html = view.toHtml()
    assert "cite:1" in html
    assert "cite:9" not in html
    cursor = QTextCursor(view.document())
    cursor.setPosition(5)
    with qtbot.waitSignal(view.citation_clicked) as caught:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cursorRect(cursor).center())
    assert caught.args == [1]


def test_clicking_a_sentence_names_its_claim(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("First one. Second one.", [])
    view.set_claims([claim("First one.", 0, "supported"), claim("Second one.", 11, "check")], [])
    cursor = QTextCursor(view.document())
    cursor.setPosition(15)
    with qtbot.waitSignal(view.claim_clicked) as caught:
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.cursorRect(cursor).center())
    assert caught.args == [1]


def test_an_answer_never_loads_what_a_model_names(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer('<img src="file:///etc/passwd"> ![x](http://127.0.0.1:9/x.png)', [])
    assert "<img" in view.toPlainText()
    assert view.loadResource(2, QUrl.fromLocalFile(str(tmp_path))) is None


def test_carriage_returns_do_not_move_the_marks(qtbot: QtBot, theme: Theme) -> None:
    text = "One.\r\nTwo is wrong.\r\nThree."
    view, passage = AnswerView(theme), PassageView(theme)
    qtbot.addWidget(view)
    qtbot.addWidget(passage)
    view.set_answer(text)
    start = text.index("Three")
    view.set_claims([claim("Three.", start, "unsupported")], [])
    assert view.toPlainText()[start : start + 6] == "Three."
    assert underline(view, start + 1) == QTextCharFormat.UnderlineStyle.WaveUnderline
    assert underline(view, start - 2) == QTextCharFormat.UnderlineStyle.NoUnderline
    passage.show_passage(text, start, start + 6)
    assert passage.marked_text == "Three."


def test_a_streamed_answer_is_the_same_text_as_the_whole(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer("")
    for piece in ("The **battery**", " lasts <b>21</b>", " days [1].\n", "- really\n"):
        view.append_text(piece)
    assert view.toPlainText() == "The **battery** lasts <b>21</b> days [1].\n- really\n"


def test_tab_and_enter_follow_a_citation(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("One [1] and two [2].", [1, 2])
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    with qtbot.waitSignal(view.citation_clicked) as caught:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert caught.args == [2]


def test_a_click_on_a_citation_is_told_once_and_beside_the_text_not_at_all(
    qtbot: QtBot, theme: Theme
) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("One [1].", [1])
    view.set_claims([claim("One [1].", 0, "check")], [1])
    told: list[object] = []
    view.citation_clicked.connect(told.append)
    view.claim_clicked.connect(lambda index: told.append(("claim", index)))
    cursor = QTextCursor(view.document())
    cursor.setPosition(5)
    place = view.cursorRect(cursor).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert told == [1]
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(450, place.y()))
    assert told == [1]


@pytest.mark.parametrize(
    ("verdict", "style"),
    [
        ("check", QTextCharFormat.UnderlineStyle.DotLine),
        ("unsupported", QTextCharFormat.UnderlineStyle.WaveUnderline),
        ("contradicted", QTextCharFormat.UnderlineStyle.WaveUnderline),
        ("no evidence", QTextCharFormat.UnderlineStyle.DashUnderline),
    ],
)
def test_each_flag_has_its_line_in_the_colour_of_its_verdict(
    theme: Theme, verdict: str, style: QTextCharFormat.UnderlineStyle
) -> None:
    mark = verdict_format(verdict, theme)
    assert mark is not None
    assert mark.underlineStyle() == style
    assert mark.underlineColor() == theme.colour(VERDICT_COLOURS[verdict])
    assert (mark.background().style() != Qt.BrushStyle.NoBrush) == (verdict == "contradicted")


@pytest.mark.parametrize("verdict", ["supported", "not checkable", "something new"])
def test_what_is_no_flag_has_no_line(theme: Theme, verdict: str) -> None:
    assert verdict_format(verdict, theme) is None


def test_a_claim_in_a_line_names_what_is_known() -> None:
    full = ClaimResult(
        "x", 0, 1, Verdict.CONTRADICTED, 0.91, reason="another number", evidence_marker=3, evidence_text="e"
    )
    assert claim_summary(full) == "Contradicted  ·  another number  ·  risk 0.91  ·  nearest: [3]"
    assert claim_summary(ClaimResult("x", 0, 1, Verdict.NO_EVIDENCE, None)) == "No evidence"


def test_a_position_has_the_claim_around_it_or_none(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer("One. Two.")
    view.set_claims([claim("One.", 0, "supported"), claim("Two.", 5, "check")], [])
    assert [view.claim_at(place) for place in (0, 3, 4, 5, 8, 9)] == [0, 0, None, 1, 1, None]
    view.set_answer("Another.")
    assert view.claim_at(0) is None


def test_the_view_is_as_high_as_its_text(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(200, 50)
    view.show()
    view.set_answer("word " * 10)
    low = view.height()
    view.set_answer("word " * 200)
    assert view.height() > 3 * low
    high = view.height()
    view.resize(600, high)
    assert view.height() < high
    view.set_answer("")
    assert view.height() >= 24


def test_a_selection_is_no_click_on_a_sentence(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(500, 60)
    view.show()
    view.set_answer("Only one sentence.", [])
    view.set_claims([claim("Only one sentence.", 0, "check")], [])
    told: list[int] = []
    view.claim_clicked.connect(told.append)
    cursor = QTextCursor(view.document())
    cursor.setPosition(4)
    place = view.cursorRect(cursor).center()
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert view.textCursor().selectedText() == "Only"
    assert told == []


@given(text=st.text(max_size=60), data=st.data())
def test_offsets_of_qt_and_python_are_turned_into_each_other(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    units = utf16_offset(text, offset)
    assert units == sum(2 if ord(letter) > 0xFFFF else 1 for letter in text[:offset])
    assert len(same_length(text)) == len(text)
    assert "\r\n" not in same_length(text)


def test_what_is_underlined_is_what_has_no_support(theme: Theme) -> None:
    marked = {verdict for verdict in Verdict if verdict_format(verdict, theme) is not None}
    assert marked == {verdict for verdict in Verdict if verdict.is_doubt}
    assert set(VERDICT_COLOURS) == set(Verdict)
