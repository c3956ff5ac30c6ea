"""A line that opens a source: what is kept of it when there is little room."""

from __future__ import annotations

import dataclasses

from PySide6.QtGui import QFont, QFontMetrics
from pytestqt.qtbot import QtBot

from app.shared.source_lines import SourceLine, SourceList, first_words, shortened
from app.widgets.theme import Theme
from rag.index.rows import Hit

HIT = Hit(
    7, 1, "service-and-warranty-of-the-aurora-3-in-all-countries.docx", "/x", "Aurora 3 Service and Warranty > Repairs",
    "heading", None, 0, 40, "The customer\npays for <b>repairs</b> & more.", 10, marker=3,
)  # fmt: skip


def test_a_line_says_which_passage_it_is(qtbot: QtBot, theme: Theme) -> None:
    made = SourceLine(HIT, cited=True)
    qtbot.addWidget(made)
    made.resize(2000, 30)
    assert made.shown_text() == (
        f"[3] {HIT.document}  ·  {HIT.place}  ·  “The customer pays for <b>repairs</b> & more.”"
    )
    assert made.accessibleName() == f"Open source [3] {HIT.document}, {HIT.place}, cited"
    assert "&lt;b&gt;repairs" in made.toolTip()  # as it is, not as HTML
    made.resize(300, 30)
    assert not made.grab().isNull()


def test_little_room_leaves_the_end_of_the_place_and_the_first_words(qtbot: QtBot, theme: Theme) -> None:
    made = SourceLine(HIT, cited=False)
    qtbot.addWidget(made)
    for width in (340, 420, 500):
        made.resize(width, 30)
        document, place, words = made.shown_text().split("  ·  ")
        assert document.startswith("[3] s") and document.endswith(".docx"[-2:]) and "…" in document
        assert place.endswith("irs")
        assert words.startswith("“The")
        assert made.fontMetrics().horizontalAdvance(made.shown_text()) <= width


def test_it_never_asks_for_more_than_a_little_width(qtbot: QtBot, theme: Theme) -> None:
    short, long = (
        SourceLine(dataclasses.replace(HIT, document="a", place=""), cited=False),
        SourceLine(HIT, True),
    )
    for made in (short, long):
        qtbot.addWidget(made)
    assert short.minimumSizeHint() == long.minimumSizeHint() == long.sizeHint()
    assert long.minimumSizeHint().width() <= 140


def test_pieces_that_are_missing_leave_their_room_to_the_others(qtbot: QtBot) -> None:
    metrics = QFontMetrics(QFont())
    room = metrics.horizontalAdvance("[1] " + "name" * 12)
    assert shortened("[1] ", ("name" * 11, "", ""), metrics, room) == "[1] " + "name" * 11
    assert shortened("[1] ", ("a", "", "“b”"), metrics, room) == "[1] a  ·  “b”"
    assert shortened("[1] ", ("a", "p", ""), metrics, room) == "[1] a  ·  p"


def test_first_words_are_those_behind_the_headings_that_the_place_names() -> None:
    place = "Aurora 3 > Repairs"
    assert first_words("# Aurora 3\n\n## Repairs\n\nThe customer pays.", place) == "The customer pays."
    assert first_words("Repairs\nRepairs outside the warranty", place) == "outside the warranty"
    assert first_words("Repairs", place) == "Repairs"
    assert first_words("a #1 choice\n  and more", "") == "a #1 choice and more"
    assert first_words("", place) == ""


def test_a_list_shows_the_passages_of_the_prompt_in_order_and_tells_what_is_clicked(
    qtbot: QtBot, theme: Theme
) -> None:
    made = SourceList()
    qtbot.addWidget(made)
    first = dataclasses.replace(HIT, marker=1)
    made.show_hits([HIT, dataclasses.replace(HIT, marker=None), first], {3}, {3, None})
    assert [line.accessibleName()[:15] for line in made.lines] == ["Open source [1]", "Open source [3]"]
    assert [line.font().bold() for line in made.lines] == [False, True]
    with qtbot.waitSignal(made.opened) as opened:
        made.lines[0].click()
    assert opened.args == [first]
    made.show_hits([], set(), set())
    assert made.lines == []
