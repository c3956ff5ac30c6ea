"""The lines below an answer that open its sources, told apart by document, place and first words."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPaintEvent
from PySide6.QtWidgets import (
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from app.widgets.labels import set_tip
from app.widgets.theme import scaled
from rag.index.rows import Hit

_LEAST = 120  # pixels
_SHARES = (0.3, 0.64)  # of the room: the document at most, and document and place together
_BETWEEN = "  ·  "
_FIRST_WORDS = 120  # characters
_MIDDLE, _RIGHT = Qt.TextElideMode.ElideMiddle, Qt.TextElideMode.ElideRight


class SourceLine(QPushButton):
    """A link with what a passage is: “[1] name · place · first words”, shortened piece by piece.

    Passages of one document differ in the end of the place and in their first words: neither is given up for
    a long name.
    """

    def __init__(self, hit: Hit, cited: bool) -> None:
        """Show a passage. cited: whether the answer cites it."""
        super().__init__()
        self._hit = hit
        self.setProperty("link", True)
        self.setProperty("primary", False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        words = " ".join(hit.text.split())
        first = first_words(hit.text, hit.place)
        self._pieces = (hit.document, hit.place, f"“{first}”" if first else "")
        name = f"[{hit.marker}] {hit.document}" + (f", {hit.place}" if hit.place else "")
        self.setText(f"[{hit.marker}] " + _BETWEEN.join(piece for piece in self._pieces if piece))
        set_tip(self, f"{name}\n{words[:400]}")
        self.setAccessibleName(f"Open source {name}" + (", cited" if cited else ""))

    def shown_text(self) -> str:
        """Return what there is room for."""
        margins = self.style().pixelMetric(QStyle.PixelMetric.PM_ButtonMargin, None, self)
        return shortened(
            f"[{self._hit.marker}] ", self._pieces, self.fontMetrics(), self.width() - margins - scaled(8)
        )

    def sizeHint(self) -> QSize:
        """Return the height of a line, and a width that asks for nothing."""
        return QSize(scaled(_LEAST), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return a small width: the text adapts."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shortened text."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.shown_text().replace("&", "&&")
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        painter.end()


class SourceList(QWidget):
    """The lines of an answer's sources, in the order of their markers."""

    opened = Signal(object)  # the Hit of a line that was clicked

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__()
        self.lines: list[SourceLine] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def show_hits(self, hits: Sequence[Hit], cited: Set[int], bold: Set[int | None]) -> None:
        """Show the passages of a prompt.

        Args:
            hits: The candidates; those without a marker are left out.
            cited: The markers that the answer cites.
            bold: The markers of those that stand out.
        """
        for line in self.lines:
            line.hide()  # it lives until the event loop is idle
            line.deleteLater()
        self.lines = []
        for hit in sorted((hit for hit in hits if hit.marker), key=lambda hit: hit.marker or 0):
            line = SourceLine(hit, hit.marker in cited)
            line.clicked.connect(lambda _checked=False, hit=hit: self.opened.emit(hit))
            font = line.font()
            font.setBold(hit.marker in bold)
            line.setFont(font)
            self._layout.addWidget(line)
            self.lines.append(line)


def first_words(text: str, place: str) -> str:
    """Return how a passage begins, without the headings that its place names already."""
    words = re.sub(r"^#{1,6}\s+", "", text.strip(), flags=re.MULTILINE)
    words = " ".join(words.split())
    headings = [part.strip() for part in place.split(">") if part.strip()]
    while found := next((part for part in headings if words.startswith(part) and words != part), ""):
        words = words[len(found) :].lstrip(" :.-")
    return words[:_FIRST_WORDS]


def shortened(marker: str, pieces: tuple[str, str, str], metrics: QFontMetrics, room: int) -> str:
    """Return a line that fits the room.

    Args:
        marker: What stands before the pieces.
        pieces: The document, the place and the first words; empty ones are left out.
        metrics: Of the font.
        room: Pixels.
    """
    document, place, words = pieces
    free = max(room - metrics.horizontalAdvance(marker), 0)
    width = metrics.horizontalAdvance
    gap = width(_BETWEEN)
    document = metrics.elidedText(document, _MIDDLE, round(free * (_SHARES[0] if place or words else 1)))
    if place:
        share = _SHARES[1] if words else 1
        place = metrics.elidedText(place, _MIDDLE, max(round(free * share) - width(document) - gap, 0))
    left = free - sum(width(piece) + gap for piece in (document, place) if piece)
    words = metrics.elidedText(words, _RIGHT, max(left, 0))
    return marker + _BETWEEN.join(piece for piece in (document, place, words) if piece)
