"""An answer: its marked sentences, its citations, and what a model's output must not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from app.widgets.answer_view import AnswerView, claim_summary, same_length, utf16_offset, verdict_format
from app.widgets.buttons import IconButton
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
    assert view.shown_text(start, start + 6) == "Three."
    shown = view.toPlainText().index("Three.")
    assert underline(view, shown + 1) == QTextCharFormat.UnderlineStyle.WaveUnderline
    assert underline(view, shown - 2) == QTextCharFormat.UnderlineStyle.NoUnderline
    passage.show_passage(text, start, start + 6)
    assert passage.marked_text == "Three."


LONG = """# Storing

Rye bread **must not** lie in `plastic` [1]; see *below*.

1. Wrap it in linen.
   - not in paper
   - not in foil
2. Put it in a pot.

> Bread is said to like the dark [2].

| Bread | Days |
|-------|-----:|
| rye   | 6    |
| wheat | 2 [1] |

```python
def days(bread):
    return 6  # [1]
```

| last | table |
|---|---|
| of | all |
"""


def test_a_streamed_answer_looks_like_the_whole_in_the_end(qtbot: QtBot, theme: Theme) -> None:
    whole, view = AnswerView(theme), AnswerView(theme)
    qtbot.addWidget(whole)
    qtbot.addWidget(view)
    whole.set_answer(LONG, [1, 2])
    view.set_answer("", [1, 2])
    for start in range(0, len(LONG), 3):
        view.append_text(LONG[start : start + 3])
        assert view.document().toPlainText().strip(), "something is always shown"
    view.append_text("\n" * 80)  # enough to have the end rendered
    assert view.toHtml() == whole.toHtml()
    assert "cite:1" in view.toHtml()


@pytest.mark.parametrize("kind", ["word ", "- one more item\n", "A paragraph.\n\n", "```\nx\n```\n"])
def test_the_work_of_streaming_is_in_proportion_to_the_answer(qtbot: QtBot, theme: Theme, kind: str) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)

    def work(tokens: int) -> int:
        view.set_answer("")
        before = view.drawn_characters
        for _ in range(tokens):
            view.append_text(kind)
        return view.drawn_characters - before

    assert work(800) < 12 * 800 * len(kind)
    assert work(800) < 6 * work(200)  # 16 times as much if it were quadratic


def test_an_answer_is_shown_without_its_syntax(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer(LONG, [1])
    shown = view.toPlainText()
    assert not set("#*`>|") - set("#") & set(shown.replace("# [1]", ""))
    assert "Wrap it in linen." in shown and "return 6  # [1]" in shown
    html = view.toHtml()
    assert html.count("<table") == 2 and html.count("<li") == 4 and html.count("cite:1") == 2  # none in code
    assert LONG.count("[1]") == 3
    bold = view.document().find("must not").charFormat()
    assert bold.fontWeight() == 600


def test_a_claim_in_a_table_a_list_or_code_is_underlined_where_it_stands(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    texts = ["Rye bread **must not** lie in `plastic` [1];", "| wheat | 2 [1] |", "2. Put it in a pot."]
    claims = [claim(text, LONG.index(text), "unsupported") for text in texts]
    view.set_answer(LONG, [1])
    view.set_claims(claims, [1])
    shown = [view.shown_text(found.start, found.end) for found in claims]
    assert shown == ["Rye bread must not lie in plastic [1];", "wheat2 [1]", "Put it in a pot."]
    for word, is_marked in (
        ("must not", True),
        ("see", False),
        ("wheat", True),
        ("rye", False),
        ("pot", True),
    ):
        line = view.document().find(word, options=QTextDocument.FindFlag.FindCaseSensitively).charFormat()
        assert (line.underlineStyle() == QTextCharFormat.UnderlineStyle.WaveUnderline) == is_marked, word


@pytest.mark.parametrize(("word", "index"), [("wheat", 1), ("pot", 2), ("sourdough", None), ("plastic", 0)])
def test_a_click_in_rendered_markdown_names_the_claim_below_it(
    qtbot: QtBot, one_view: AnswerView, word: str, index: int | None
) -> None:
    texts = ["Rye bread **must not** lie in `plastic` [1];", "| wheat | 2 [1] |", "2. Put it in a pot."]
    source = f"{LONG}\n- needs **sourdough**\n"
    one_view.resize(500, 600)
    one_view.show()
    one_view.set_answer(source, [1], [claim(text, source.index(text), "check") for text in texts])
    told: list[int] = []
    one_view.claim_clicked.connect(told.append)
    place = one_view.document().find(word)
    place.setPosition(place.selectionStart() + 2)
    qtbot.mouseClick(one_view.viewport(), Qt.MouseButton.LeftButton, pos=one_view.cursorRect(place).center())
    assert told == ([] if index is None else [index])


def test_an_image_is_a_link_that_is_not_followed_by_itself(qtbot: QtBot, one_view: AnswerView) -> None:
    one_view.set_answer("![pic](http://127.0.0.1:9/x.png) <img src='x.png'> ![own](file:///x.png)")
    assert "\ufffc" not in one_view.toPlainText()  # what stands for an image in Qt
    assert one_view.toHtml().count("<img") == 0
    assert "![own](file:///x.png)" in one_view.toPlainText()


# What a model writes, as (source, what of it is shown): the sentences are claims.
WORD = st.sampled_from(
    ["rye", "Brot", "14 hours", "🙂", "日本", "4 * 3", "x_y_z", "[1]", "5 > 3", "C#", "(see 2)"]
)
STYLED = st.tuples(
    WORD, st.sampled_from(["{}", "**{}**", "*{}*", "***{}***", "`{}`", "[{}](http://a.b/c_(d))"])
).filter(lambda pair: "[" not in pair[0] or "[" not in pair[1])
SENTENCE = st.lists(STYLED, min_size=1, max_size=5).map(
    lambda parts: (
        " ".join(["It", *(style.format(word) for word, style in parts), "is so."]),
        " ".join(["It", *(word for word, _ in parts), "is so."]),
    )
)
LAYOUT = st.sampled_from(
    ["{}\n\n", "- {}\n", "{}\n", "## {}\n", "> {}\n\n", "7. {}\n", "  - {}\n", "| a |\n|---|\n| {} |\n\n"]
)


@pytest.fixture
def one_view(qtbot: QtBot, theme: Theme) -> AnswerView:
    made = AnswerView(theme)
    qtbot.addWidget(made)
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # one view shows all of them
@given(parts=st.lists(st.tuples(SENTENCE, LAYOUT), min_size=1, max_size=8))
def test_what_is_shown_of_every_claim_is_its_text_without_the_syntax(
    qtbot: QtBot, one_view: AnswerView, parts: list[tuple[tuple[str, str], str]]
) -> None:
    source, claims, plain = "", [], []
    for (raw, shown), layout in parts:
        before = layout.index("{}")
        claims.append(claim(raw, len(source) + before, "unsupported"))
        plain.append(shown)
        source += layout.format(raw)
    view = one_view
    view.set_answer(source, [1])
    view.set_claims(claims, [1])
    assert [view.shown_text(found.start, found.end) for found in claims] == plain
    for number, found in enumerate(claims):
        start = view.document().find(plain[number].split()[-2])
        assert not start.isNull()
        assert source[found.start : found.end] == found.text


def test_a_table_without_room_is_scrolled_sideways_and_not_cut(qtbot: QtBot, one_view: AnswerView) -> None:
    names = [f"Measurement{number}" for number in range(14)]
    table = f"| {' | '.join(names)} |\n|{'---|' * 14}\n| {' | '.join('1' * 14)} |\n\nThe end."
    one_view.resize(260, 100)
    one_view.show()
    one_view.set_answer(table)
    QApplication.processEvents()
    bar = one_view.horizontalScrollBar()
    if one_view.document().size().width() > one_view.viewport().width():
        assert bar.maximum() > 0
    last = one_view.document().find("The end")
    one_view.ensureCursorVisible()
    assert one_view.viewport().height() >= one_view.cursorRect(last).bottom()


def test_code_has_a_button_that_copies_it(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    view.set_answer(LONG)
    (made,) = view.findChildren(IconButton)
    assert made.accessibleName() == "Copy the code" and made.isVisible()
    assert view.viewport().rect().contains(made.geometry())
    code = view.document().find("def days")
    assert abs(view.cursorRect(code).top() - made.y()) < 12
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "def days(bread):\n    return 6  # [1]"
    view.set_answer("No code.")
    assert not made.isVisible()


def test_a_link_is_opened_after_a_question_alone(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.show()
    view.set_answer("See [the page](https://example.org/a) and [a file](file:///etc/passwd).")
    assert "file:" not in view.toHtml().replace("file:///etc/passwd)", "")
    view.anchorClicked.emit(QUrl("file:///etc/passwd"))
    assert view.findChildren(QMessageBox) == []
    view.anchorClicked.emit(QUrl("https://example.org/a"))
    (box,) = view.findChildren(QMessageBox)
    assert "https://example.org/a" in box.text()
    cancel = box.button(QMessageBox.StandardButton.Cancel)
    assert box.defaultButton() is cancel
    cancel.click()


def test_words_are_found_and_the_present_one_stands_out(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer("Rye and **rye** and wheat.")
    assert [found.selectedText() for found in view.find_all("RYE", 1)] == ["Rye", "rye"]
    grounds = [mark.format.background().color() for mark in view.extraSelections()]
    assert grounds == [theme.colour("highlight"), theme.colour("accent")]
    assert view.find_all("") == [] and view.extraSelections() == []


def test_a_theme_changes_the_colours_and_keeps_the_marks(qtbot: QtBot, theme: Theme) -> None:
    view = AnswerView(theme)
    qtbot.addWidget(view)
    view.set_answer(LONG, [1])
    view.set_claims([claim("see *below*", LONG.index("see"), "check")], [1])
    theme.apply("dark")
    mark = view.document().find("below").charFormat()
    assert mark.underlineStyle() == QTextCharFormat.UnderlineStyle.DotLine
    assert mark.underlineColor() == theme.colour("check") and mark.fontItalic()
    theme.apply("light")


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
