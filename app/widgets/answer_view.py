"""An answer with its marked sentences and citations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QMouseEvent, QResizeEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QToolTip

from app.widgets.labels import as_it_is
from app.widgets.theme import VERDICT_COLOURS, Theme
from rag.text.citations import MARKER


class AnswerView(QTextBrowser):
    """A view of an answer as plain text, where citations are links and verdicts underline sentences.

    The text is not changed, so that the offsets of claims fit. Nothing is ever loaded: a model's output may
    name images and files.
    """

    citation_clicked = Signal(int)
    claim_clicked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        """Make an empty view."""
        super().__init__()
        self._theme = theme
        self._claims: list[Any] = []
        self._markers: set[int] = set()
        self.setObjectName("answer")
        self.setAccessibleName("Answer")
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._follow)  # by mouse, or by Tab and Enter
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setMouseTracking(True)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        theme.changed.connect(self._restyle)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing, whatever the text names."""
        return None

    def set_answer(self, text: str, markers: Sequence[int] = ()) -> None:
        """Show a text. markers: the numbers that were in the prompt; any other [n] stays plain text."""
        self._claims = []
        self._markers = set(markers)
        self.setPlainText(same_length(text))
        self._restyle()

    def append_text(self, text: str) -> None:
        """Add what a model has just written to the end."""
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(same_length(text), QTextCharFormat())

    def set_claims(self, claims: Sequence[Any], markers: Sequence[int]) -> None:
        """Underline the sentences of these claims, and make links of these markers."""
        self._claims = list(claims)
        self._markers = set(markers)
        self._restyle()

    def claim_at(self, position: int) -> int | None:
        """Return the number of the claim at a position (in code points), None between claims."""
        for index, claim in enumerate(self._claims):
            if claim.start <= position < claim.end:
                return index
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what was found about the sentence under the mouse."""
        position = event.position().toPoint()
        index = self._claim_under(position)
        claim = self._claims[index] if index is not None else None
        over = bool(self.anchorAt(position)) or (claim is not None and claim.verdict.is_claim)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.IBeamCursor)
        if claim is not None and claim.verdict.is_claim:
            QToolTip.showText(event.globalPosition().toPoint(), as_it_is(claim_summary(claim)), self)
        else:
            QToolTip.hideText()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell which sentence was clicked, unless text was selected or a citation was hit."""
        super().mouseReleaseEvent(event)
        event.accept()
        if event.button() != Qt.MouseButton.LeftButton or self.textCursor().hasSelection():
            return
        position = event.position().toPoint()
        if self.anchorAt(position):
            return
        index = self._claim_under(position)
        if index is not None:
            self.claim_clicked.emit(index)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height that the text needs at this width."""
        super().resizeEvent(event)
        self._fit()

    def _follow(self, link: QUrl) -> None:
        if link.scheme() == "cite":
            self.citation_clicked.emit(int(link.path()))

    def _claim_under(self, position: QPoint) -> int | None:
        cursor = self.cursorForPosition(position)
        rectangle = self.cursorRect(cursor)
        beside = cursor.atBlockEnd() and position.x() > rectangle.right() + rectangle.height()
        if beside or abs(rectangle.center().y() - position.y()) > rectangle.height():
            return None
        return self.claim_at(_code_points(self.toPlainText(), cursor.position()))

    def _fit(self) -> None:
        height = int(self.document().size().height()) + 4
        if height != self.height():
            self.setFixedHeight(max(height, 24))

    def _restyle(self) -> None:
        text = self.toPlainText()
        everything = QTextCursor(self.document())
        everything.select(QTextCursor.SelectionType.Document)
        plain = QTextCharFormat()
        plain.setForeground(self._theme.colour("text"))
        everything.setCharFormat(plain)
        for claim in self._claims:
            mark = verdict_format(claim.verdict, self._theme)
            if mark is not None:
                self._cursor(text, claim.start, claim.end).mergeCharFormat(mark)
        for match in MARKER.finditer(text):
            if int(match.group(1)) in self._markers:
                link = QTextCharFormat()
                link.setAnchor(True)
                link.setAnchorHref(f"cite:{match.group(1)}")
                link.setForeground(self._theme.colour("accent"))
                link.setFontWeight(600)
                self._cursor(text, match.start(), match.end()).mergeCharFormat(link)

    def _cursor(self, text: str, start: int, end: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(utf16_offset(text, start))
        cursor.setPosition(utf16_offset(text, end), QTextCursor.MoveMode.KeepAnchor)
        return cursor


_UNDERLINES = {
    "check": QTextCharFormat.UnderlineStyle.DotLine,
    "unsupported": QTextCharFormat.UnderlineStyle.WaveUnderline,
    "contradicted": QTextCharFormat.UnderlineStyle.WaveUnderline,
    "no evidence": QTextCharFormat.UnderlineStyle.DashUnderline,
}


def verdict_format(verdict: str, theme: Theme) -> QTextCharFormat | None:
    """Return the underline of a verdict, None for a verdict without a mark."""
    style = _UNDERLINES.get(verdict)
    if style is None:
        return None
    mark = QTextCharFormat()
    colour = theme.colour(VERDICT_COLOURS[verdict])
    mark.setUnderlineStyle(style)
    mark.setUnderlineColor(colour)
    if verdict == "contradicted":
        tint = QColor(colour)
        tint.setAlpha(38)
        mark.setBackground(tint)
    return mark


def claim_summary(claim: Any) -> str:
    """Return a claim's verdict in a line: what was found, and how sure the detector is."""
    parts = [claim.verdict.capitalize()]
    if claim.reason:
        parts.append(claim.reason)
    if claim.score is not None:
        parts.append(f"risk {claim.score:.2f}")
    if claim.evidence_marker is not None:
        parts.append(f"nearest: [{claim.evidence_marker}]")
    return "  ·  ".join(parts)


def same_length(text: str) -> str:
    r"""Return the text with a space for each \r before \n.

    Qt makes one character of the two, and every offset behind them would be wrong by one.
    """
    return text.replace("\r\n", " \n")


def utf16_offset(text: str, offset: int) -> int:
    """Return where Qt, which counts UTF-16 units, sees an offset in code points; an emoji has two units."""
    return len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2


def _code_points(text: str, position: int) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")[: 2 * position].decode("utf-16-le", "ignore"))
