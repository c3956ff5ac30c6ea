"""The shared widgets: what the user sees and clicks."""

from pathlib import Path
from types import SimpleNamespace

from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QTextCharFormat, QTextCursor, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.answer_view import AnswerView
from app.widgets.buttons import IconButton
from app.widgets.labels import Card, ElidedLabel, KeyValueGrid, StatusPill
from app.widgets.navigation import Banner, NavigationRail, SearchField
from app.widgets.page_view import PageView
from app.widgets.palette import Command, CommandPalette, ShortcutsDialog, fuzzy_score
from app.widgets.passage_view import PassageView
from app.widgets.progress import ProgressPanel
from app.widgets.theme import Theme
from rag.grounding.rows import ClaimResult
from rag.knowledge.rows import IngestProgress


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


def test_a_passage_is_marked_where_it_stands(qtbot: QtBot, theme: Theme) -> None:
    view = PassageView(theme)
    qtbot.addWidget(view)
    view.show_passage("🙂 before the passage after", 13, 20)
    assert view.marked_text == "passage"


def test_the_palette_filters_and_runs(qtbot: QtBot) -> None:
    ran: list[str] = []
    parent = QWidget()
    qtbot.addWidget(parent)
    commands = [
        Command("Go to Traces", lambda: ran.append("traces")),
        Command("Add files", lambda: ran.append("add")),
    ]
    palette = CommandPalette(commands, parent)
    palette.popup()
    qtbot.keyClicks(palette._field, "adfi")
    assert palette.visible_titles() == ["Add files"]
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert ran == ["add"]
    assert fuzzy_score("zzz", commands[0]) is None


def test_a_notice_can_be_acted_on_and_dismissed(qtbot: QtBot, theme: Theme) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    ran: list[int] = []
    banner.show_notice("Something happened.", "bad", "Undo", lambda: ran.append(1))
    assert banner.isVisibleTo(None) or not banner.isHidden()
    qtbot.mouseClick(banner._action, Qt.MouseButton.LeftButton)
    assert ran == [1]
    assert banner.isHidden()


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


def test_the_rail_asks_for_pages_and_shows_how_much_is_new(qtbot: QtBot, theme: Theme) -> None:
    rail = NavigationRail(theme, [("ask", "Ask", "ask"), ("traces", "Traces", "traces")])
    qtbot.addWidget(rail)
    rail.show()
    with qtbot.waitSignal(rail.page_requested) as caught:
        qtbot.mouseClick(rail.button("traces"), Qt.MouseButton.LeftButton)
    assert caught.args == ["traces"]
    rail.set_badge("traces", 120)
    pill = rail.button("traces").findChild(StatusPill)
    assert pill is not None
    assert pill.isVisible()
    assert pill.text == "99+"
    assert rail.button("traces").accessibleName() == "Traces, 120 new"
    rail.set_badge("traces", 0)
    assert not pill.isVisible()


def test_a_card_is_clicked_only_where_it_can_be(qtbot: QtBot, theme: Theme) -> None:
    card, still = Card("Asks"), Card("Size", clickable=False)
    told: list[str] = []
    for widget, name in ((card, "card"), (still, "still")):
        qtbot.addWidget(widget)
        widget.show()
        widget.clicked.connect(lambda n=name: told.append(n))
    card.set_value("12", "of 40")
    assert card.accessibleName() == "Asks: 12. of 40"
    qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(card, Qt.MouseButton.RightButton)
    qtbot.mouseClick(still, Qt.MouseButton.LeftButton)
    qtbot.keyClick(card, Qt.Key.Key_Return)
    qtbot.keyClick(still, Qt.Key.Key_Return)
    assert told == ["card", "card"]


def test_a_pill_takes_the_colour_of_what_it_says(qtbot: QtBot, theme: Theme) -> None:
    pill = StatusPill(theme, "done", "")
    qtbot.addWidget(pill)
    pill.resize(pill.sizeHint())
    done = pill.grab().toImage()
    pill.set_status("done", "failed")
    assert pill.grab().toImage() != done
    pill.set_status("whatever", "no such kind")
    pill.grab()
    assert pill.accessibleName() == "whatever"


def test_a_long_word_is_shortened_and_copied_whole(qtbot: QtBot, theme: Theme) -> None:
    grid = KeyValueGrid()
    qtbot.addWidget(grid)
    grid.set_pairs([("Model", "small one"), ("Fingerprint", "a1" * 40)])
    grid.resize(260, 80)
    grid.show()
    shown = grid.findChildren(ElidedLabel)[0]
    assert "…" in shown.shown_text()
    assert shown.toolTip() == "a1" * 40
    shown.actions()[0].trigger()
    assert QApplication.clipboard().text() == "a1" * 40


def test_a_search_is_told_once_typing_pauses(qtbot: QtBot) -> None:
    field = SearchField("Search")
    qtbot.addWidget(field)
    told: list[str] = []
    field.searched.connect(told.append)
    qtbot.keyClicks(field, "abc")
    assert told == []
    qtbot.waitUntil(lambda: told == ["abc"])


def test_an_ingest_is_shown_paused_and_cancelled(qtbot: QtBot, theme: Theme) -> None:
    panel = ProgressPanel(theme)
    qtbot.addWidget(panel)
    panel.show_import(1, "Adding 12 files")
    panel.update_progress(
        IngestProgress(
            "/a/handbook.pdf", "embedding", 4, 12, 220, 300, 4_000_000, 10_000_000, 40.0, 61.0, 88.0
        )
    )
    words = " ".join(shown.text() for shown in panel.findChildren(QLabel))
    assert "Embedding  handbook.pdf" in words
    assert "4 of 12 files" in words
    assert "88 chunks/s   about 61 s left" in words
    pause, cancel = panel.findChildren(QPushButton)[:2]
    with qtbot.waitSignal(panel.pause_requested) as caught:
        qtbot.mouseClick(pause, Qt.MouseButton.LeftButton)
    assert caught.args == [True]
    assert pause.text() == "Resume"
    with qtbot.waitSignal(panel.cancel_requested):
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)


def test_a_page_is_zoomed_with_the_wheel_and_turned_at_its_edge(qtbot: QtBot, theme: Theme) -> None:
    view = PageView(theme)
    qtbot.addWidget(view)
    view.resize(320, 200)
    view.show()
    white = SimpleNamespace(rgb=b"\xff" * (60 * 90 * 3), width=60, height=90, rectangles=[(5, 5, 30, 8)])
    view.show_page(white)
    qtbot.wait(10)
    turned: list[int] = []
    view.page_wanted.connect(turned.append)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    view.verticalScrollBar().setValue(0)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert turned == [-1, 1]
    before = view._scale()
    down, control = QPoint(0, -120), Qt.KeyboardModifier.ControlModifier
    wheel = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), down, Qt.MouseButton.NoButton, control,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(wheel)
    assert view._scale() < before
    qtbot.keyClick(view, Qt.Key.Key_0, control)
    assert view._zoom == 1.0
    image = view._canvas.pixmap().toImage()
    inside = image.pixelColor(int(20 * view._scale()), int(9 * view._scale()))
    assert inside != image.pixelColor(int(50 * view._scale()), int(60 * view._scale()))


def test_the_shortcuts_are_listed_and_closed_with_a_click(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ShortcutsDialog([("Ctrl+K", "Open the command palette"), ("Esc", "Stop")], parent)
    dialog.show()
    words = [shown.text() for shown in dialog.findChildren(QLabel)]
    assert words == ["Open the command palette", "Ctrl+K", "Stop", "Esc"]
    with qtbot.waitSignal(dialog.finished):
        qtbot.mouseClick(dialog.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)


def test_an_icon_button_takes_the_colour_of_a_new_theme(qtbot: QtBot, theme: Theme) -> None:
    made = IconButton(theme, "copy", "Copy the answer")
    qtbot.addWidget(made)
    light = made.icon().pixmap(18).toImage()
    theme.apply("dark")
    assert made.icon().pixmap(18).toImage() != light
    theme.apply("light")
    assert made.accessibleName() == made.toolTip() == "Copy the answer"
