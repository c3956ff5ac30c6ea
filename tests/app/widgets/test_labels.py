"""Labels, pills, cards and lists of names with values."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.widgets.labels import Card, ElidedLabel, KeyValueGrid, StatusPill, label
from app.widgets.theme import Theme


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


def test_a_label_shows_markup_as_text_and_has_its_role(qtbot: QtBot) -> None:
    made = label("<b>bold.pdf</b>", "muted", wrap=True)
    qtbot.addWidget(made)
    assert made.textFormat() == Qt.TextFormat.PlainText
    assert made.property("role") == "muted"
    assert made.wordWrap()
    assert label("x").property("role") is None


def test_a_line_is_whole_where_there_is_room_and_needs_none(qtbot: QtBot) -> None:
    made = ElidedLabel("a rather long name of a document.pdf", Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(made)
    made.resize(600, 20)
    assert made.shown_text() == made.text()
    made.resize(90, 20)
    assert "…" in made.shown_text()
    assert made.shown_text().startswith("a")
    assert made.shown_text().endswith("f")
    assert made.minimumSizeHint().width() == 0
    made.setText("short")
    assert made.toolTip() == made.accessibleName() == "short"
    made.grab()


@pytest.mark.parametrize(("text", "kind", "colour"), [("failed", "", "bad"), ("supported", "", "text"),
                                                      ("7", "accent", "accent"), ("odd", "", "text_muted")])  # fmt: skip
def test_a_pill_looks_its_colour_up(qtbot: QtBot, theme: Theme, text: str, kind: str, colour: str) -> None:
    pill = StatusPill(theme)
    qtbot.addWidget(pill)
    pill.set_status(text, kind)
    assert pill._colour == colour


def test_a_pill_is_as_wide_as_its_word(qtbot: QtBot, theme: Theme) -> None:
    pill = StatusPill(theme, "ok")
    qtbot.addWidget(pill)
    narrow = pill.sizeHint().width()
    pill.set_status("not checkable")
    assert pill.sizeHint().width() > narrow
    pill.set_status("7", "accent", solid=True)
    assert pill.sizeHint().width() >= 18


def test_a_card_passes_other_keys_on_and_ignores_a_release_outside(qtbot: QtBot) -> None:
    card = Card("Questions")
    qtbot.addWidget(card)
    card.show()
    told: list[int] = []
    card.clicked.connect(lambda: told.append(1))
    qtbot.keyClick(card, Qt.Key.Key_A)
    qtbot.mousePress(card, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(card, Qt.MouseButton.LeftButton, pos=QPoint(-20, -20))
    assert told == []
    assert card.value == "–"


def test_a_list_of_values_is_replaced_as_a_whole(qtbot: QtBot) -> None:
    grid = KeyValueGrid()
    qtbot.addWidget(grid)
    grid.show()
    grid.set_pairs([("Model", "small"), ("Context", "2,048")])
    grid.set_pairs([("Model", "large")])
    qtbot.waitUntil(lambda: any(found.isVisible() for found in grid.findChildren(QLabel)))
    shown = [found.text() for found in grid.findChildren(QLabel) if found.isVisible()]
    assert shown == ["Model", "large"]
    value = next(found for found in grid.findChildren(QLabel) if found.text() == "large")
    assert value.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
