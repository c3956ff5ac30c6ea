"""An answer with its marked sentences and citations."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QMouseEvent,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextList,
    QTextListFormat,
    QTextTableFormat,
)
from PySide6.QtWidgets import QApplication, QFrame, QSizePolicy, QTextBrowser, QTextEdit, QToolTip

from app.widgets.buttons import IconButton
from app.widgets.labels import as_it_is
from app.widgets.layout import confirm
from app.widgets.theme import FONT_PX, VERDICT_COLOURS, Theme, scaled
from rag.text.citations import MARKER
from rag.text.markdown import Block, Kind, Run, parse

_LEAST_GROWTH = 64  # characters that are streamed before the end is drawn anew
_GROWTH = 8  # and this fraction of what is drawn anew: so the whole work is in proportion to the answer
_HEADING_PX = (6, 4, 2)  # larger than text, by level
_BULLETS = (QTextListFormat.Style.ListDisc, QTextListFormat.Style.ListCircle)
_QT_OWN = str.maketrans({"\n": "\u2028", "\u2029": " ", "\ufdd0": " ", "\ufdd1": " "})  # would start a block


@dataclass(frozen=True)
class _Place:
    """Characters of the answer, and where Qt shows them."""

    start: int
    end: int
    shown: int
    text: str
    is_code: bool

    def position(self, offset: int) -> int:
        """Return where Qt shows what is at an offset of the answer."""
        return self.shown + utf16_offset(self.text, min(max(offset - self.start, 0), len(self.text)))


@dataclass(frozen=True)
class _Tail:
    """Where the last outermost block begins, in the answer and in Qt, and the list that it goes on."""

    start: int = 0
    shown: int = 0
    list: QTextList | None = None


class AnswerView(QTextBrowser):
    """A view of an answer whose Markdown is rendered, citations are links, and verdicts underline sentences.

    Offsets of claims and citations are those of the answer as the model wrote it. Nothing is ever loaded: a
    model's output may name images and files.
    """

    citation_clicked = Signal(int)
    claim_clicked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        """Make an empty view."""
        super().__init__()
        self._theme = theme
        self._source = ""
        self._claims: list[Any] = []
        self._markers: set[int] = set()
        self._places: list[_Place] = []
        self._tail = _Tail()
        self._drawn = 0  # characters of the answer that are rendered; those behind them are as they came
        self.drawn_characters = 0  # in all, those drawn again included
        self._copy_buttons: list[tuple[QTextBlock, IconButton]] = []
        self.setObjectName("answer")
        self.setAccessibleName("Answer")
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._follow)  # by mouse, or by Tab and Enter
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.viewport().setMouseTracking(True)
        self.document().setDocumentMargin(0)
        self.document().setUndoRedoEnabled(False)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        self.horizontalScrollBar().rangeChanged.connect(lambda _least, _most: self._fit())
        theme.changed.connect(self._draw)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing, whatever the text names."""
        return None

    # --- what is shown ------------------------------------------------------------------------------------

    def set_answer(self, text: str, markers: Sequence[int] = (), claims: Sequence[Any] = ()) -> None:
        """Show a text.

        Args:
            text: The answer as the model wrote it.
            markers: The numbers that were in the prompt; any other [n] stays plain text.
            claims: The sentences to underline.
        """
        self._claims = list(claims)
        self._markers = set(markers)
        self._source = same_length(text)
        self._draw()

    def append_text(self, text: str) -> None:
        """Add what a model has just written to the end. It is rendered when enough of it has come."""
        text = same_length(text)
        self._source += text
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text.translate(_QT_OWN), self._format(Run(0, 0, "")))
        if len(self._source) - self._drawn >= max(_LEAST_GROWTH, (self._drawn - self._tail.start) // _GROWTH):
            self._draw_tail()

    def set_claims(self, claims: Sequence[Any], markers: Sequence[int]) -> None:
        """Underline the sentences of these claims, and make links of these markers."""
        self._claims = list(claims)
        self._markers = set(markers)
        self._draw()

    def claim_at(self, position: int) -> int | None:
        """Return the number of the claim at a position of the answer, None between claims."""
        for index, claim in enumerate(self._claims):
            if claim.start <= position < claim.end:
                return index
        return None

    def shown_text(self, start: int, end: int) -> str:
        """Return what is shown of the characters of the answer from start to end."""
        return "".join(cursor.selectedText() for cursor in self._cursors(start, end)).replace("\u2028", "\n")

    def find_all(self, words: str, current: int | None = None) -> list[QTextCursor]:
        """Mark every place of these words and return them; current: the one that stands out."""
        found: list[QTextCursor] = []
        cursor = self.document().find(words) if words else QTextCursor()
        while not cursor.isNull():
            found.append(cursor)
            cursor = self.document().find(words, cursor)
        marks = []
        for number, place in enumerate(found):
            mark = QTextEdit.ExtraSelection()
            mark.cursor = place
            mark.format.setBackground(self._theme.colour("highlight"))
            if number == current:
                mark.format.setBackground(self._theme.colour("accent"))
                mark.format.setForeground(self._theme.colour("accent_text"))
            marks.append(mark)
        self.setExtraSelections(marks)
        return found

    # --- mouse and links ----------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what was found about the sentence under the mouse, or where a link leads."""
        position = event.position().toPoint()
        index = self._claim_under(position)
        claim = self._claims[index] if index is not None else None
        link = self.anchorAt(position)
        over = bool(link) or (claim is not None and claim.verdict.is_claim)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.IBeamCursor)
        if link and not link.startswith("cite:"):
            QToolTip.showText(event.globalPosition().toPoint(), as_it_is(link), self)
        elif claim is not None and claim.verdict.is_claim:
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
        elif link.scheme() in ("http", "https"):
            question = f"The answer names this address:\n{link.toString()}"
            confirm(
                self, "Open a link", question, "Open in the browser", lambda: QDesktopServices.openUrl(link),
                more="Nothing was loaded from it so far.", destructive=True,
            )  # fmt: skip

    def _claim_under(self, position: QPoint) -> int | None:
        cursor = self.cursorForPosition(position)
        rectangle = self.cursorRect(cursor)
        beside = cursor.atBlockEnd() and position.x() > rectangle.right() + rectangle.height()
        if beside or abs(rectangle.center().y() - position.y()) > rectangle.height():
            return None
        number = bisect_right(self._places, cursor.position(), key=lambda place: place.shown) - 1
        if number < 0:
            return None
        place = self._places[number]
        inside = _code_points(place.text, cursor.position() - place.shown)
        return self.claim_at(place.start + min(inside, len(place.text)))

    def _fit(self) -> None:
        size = self.document().size()
        bar = self.horizontalScrollBar()
        height = int(size.height()) + 4 + (bar.sizeHint().height() if bar.maximum() > 0 else 0)
        if height != self.height():
            self.setFixedHeight(max(height, 24))
        self._place_buttons()

    def _place_buttons(self) -> None:
        layout = self.document().documentLayout()
        for block, made in self._copy_buttons:
            place = layout.blockBoundingRect(block)
            size = made.sizeHint()
            made.setGeometry(self.viewport().width() - size.width() - 2, int(place.top()), *size.toTuple())

    # --- drawing ------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Draw everything anew."""
        for _, made in self._copy_buttons:
            made.hide()
            made.deleteLater()
        self._copy_buttons = []
        self._tail = _Tail()
        for block, code in self._draw_tail():
            copy = partial(QApplication.clipboard().setText, code)
            made = IconButton(self._theme, "copy", "Copy the code", copy)
            made.setParent(self.viewport())
            made.show()
            self._copy_buttons.append((block, made))
        for claim in self._claims:
            mark = verdict_format(claim.verdict, self._theme)
            if mark is not None:
                for cursor in self._cursors(claim.start, claim.end):
                    cursor.mergeCharFormat(mark)
        self._fit()

    def _draw_tail(self) -> list[tuple[QTextBlock, str]]:
        """Draw the last outermost block, and what came after it; return the places of code, with the code."""
        begin = self._tail.start
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.setPosition(self._tail.shown)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._places = [place for place in self._places if place.start < begin]
        writer = _Writer(self._theme, cursor, self._tail, self._format)
        for block in parse(self._source[begin:]):
            writer.write(block)
        self._places += writer.places
        self._tail = writer.tail
        self._drawn = len(self._source)
        self.drawn_characters += self._drawn - begin
        for match in MARKER.finditer(self._source, begin):
            if int(match.group(1)) in self._markers:
                link = QTextCharFormat()
                link.setAnchor(True)
                link.setAnchorHref(f"cite:{match.group(1)}")
                link.setForeground(self._theme.colour("accent"))
                link.setFontWeight(600)
                for found in self._cursors(match.start(), match.end(), with_code=False):
                    found.mergeCharFormat(link)
        cursor.endEditBlock()
        return writer.code

    def _format(self, run: Run) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setForeground(self._theme.colour("text"))
        if run.bold:
            made.setFontWeight(600)
        made.setFontItalic(run.italic)
        if run.code:
            made.setFontFamilies(self._theme.fixed_font().families())
            made.setBackground(self._theme.colour("sunken"))
        if run.href:
            made.setAnchor(True)
            made.setAnchorHref(run.href)
            made.setForeground(self._theme.colour("accent"))
            made.setFontUnderline(True)
        return made

    def _cursors(self, start: int, end: int, *, with_code: bool = True) -> Iterator[QTextCursor]:
        """Yield a selection for each run of characters that shows a part of the answer."""
        first = bisect_right(self._places, start, key=lambda place: place.end)
        for place in self._places[first:]:
            if place.start >= end:
                break
            if place.is_code and not with_code:
                continue
            cursor = QTextCursor(self.document())
            cursor.setPosition(place.position(start))
            cursor.setPosition(place.position(end), QTextCursor.MoveMode.KeepAnchor)
            yield cursor


class _Writer:
    """Writes blocks into a document, from an empty block on, and notes where each character came to be."""

    def __init__(
        self, theme: Theme, cursor: QTextCursor, tail: _Tail, style: Callable[[Run], QTextCharFormat]
    ) -> None:
        """Write at a cursor. tail: where that is; style: returns the format of a run."""
        self._theme, self._cursor, self._begin, self._style = theme, cursor, tail.start, style
        self._is_fresh = True  # the block of the cursor is empty, and the next one to be used
        self._lists = [(0, tail.list)] if tail.list is not None else []
        self.places: list[_Place] = []
        self.code: list[tuple[QTextBlock, str]] = []
        self.tail = tail

    def write(self, block: Block) -> None:
        """Write one block behind the others."""
        top = self._begin + block.top
        if block.kind is Kind.TABLE:
            self._start(QTextBlockFormat())
            if top != self.tail.start:
                self.tail = _Tail(top, self._cursor.position())
            self._table(block)
            return
        self._start(self._block_format(block))
        joined = self._join_list(block)
        if top != self.tail.start:
            self.tail = _Tail(top, self._cursor.position(), joined)
        if block.kind is Kind.CODE:
            self.code.append((self._cursor.block(), block.text))
        style = QTextCharFormat()
        if block.kind is Kind.HEADING:
            style.setFontWeight(600)
            larger = _HEADING_PX[min(block.level, len(_HEADING_PX)) - 1]
            style.setProperty(QTextFormat.Property.FontPixelSize, scaled(FONT_PX + larger))
        if block.quotes:
            style.setForeground(self._theme.colour("text_muted"))
        for run in block.runs:
            self._put(run, style)

    def _start(self, style: QTextBlockFormat) -> None:
        if self._is_fresh:
            self._cursor.setBlockFormat(style)
        else:
            self._cursor.insertBlock(style, QTextCharFormat())
        self._is_fresh = False

    def _block_format(self, block: Block) -> QTextBlockFormat:
        style = QTextBlockFormat()
        style.setBottomMargin(scaled(2 if block.items else 6))
        style.setLeftMargin(scaled(14) * block.quotes)
        if block.items and (not block.opens_item or block.kind is Kind.CODE):
            style.setIndent(len(block.items))
        if block.kind is Kind.HEADING and self._cursor.position():
            style.setTopMargin(scaled(6))
        if block.kind is Kind.CODE:
            style.setBackground(self._theme.colour("sunken"))
        if block.kind is Kind.RULE:
            length = QTextLength(QTextLength.Type.PercentageLength, 100)
            style.setProperty(QTextFormat.Property.BlockTrailingHorizontalRulerWidth, length)
        return style

    def _join_list(self, block: Block) -> QTextList | None:
        """Give the block the bullet or number of its item; return the list that it goes on, if it does."""
        if not block.items:
            self._lists = []
            return None
        depth, item = len(block.items), block.items[-1]
        self._lists = self._lists[:depth]
        if not block.opens_item or block.kind is Kind.CODE:
            return None
        if len(self._lists) == depth and self._lists[-1][0] == item.list_start:
            self._lists[-1][1].add(self._cursor.block())
            return self._lists[-1][1] if depth == 1 else None
        style = QTextListFormat()
        style.setIndent(depth)
        if item.number is None:
            style.setStyle(_BULLETS[(depth - 1) % len(_BULLETS)])
        else:
            style.setStyle(QTextListFormat.Style.ListDecimal)
            style.setStart(item.number)
        made = self._cursor.createList(style)
        while len(self._lists) < depth - 1:  # an item that begins with a list
            self._lists.append((-1, made))
        self._lists = [*self._lists[: depth - 1], (item.list_start, made)]
        return None

    def _table(self, block: Block) -> None:
        style = QTextTableFormat()
        style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        style.setBorderBrush(self._theme.colour("border"))
        style.setBorder(1)
        style.setBorderCollapse(True)
        style.setCellPadding(scaled(4))
        style.setBottomMargin(scaled(6))
        style.setHeaderRowCount(1)
        columns = max(len(row) for row in block.rows)
        made = self._cursor.insertTable(len(block.rows), columns, style)
        for number, row in enumerate(block.rows):
            for column, runs in enumerate(row):
                self._cursor = made.cellAt(number, column).firstCursorPosition()
                if column in block.right:
                    aligned = QTextBlockFormat()
                    aligned.setAlignment(Qt.AlignmentFlag.AlignRight)
                    self._cursor.setBlockFormat(aligned)
                head = QTextCharFormat()
                if number == 0:
                    head.setFontWeight(600)
                for run in runs:
                    self._put(run, head)
        self._cursor = made.lastCursorPosition()
        self._cursor.movePosition(QTextCursor.MoveOperation.NextBlock)
        self._is_fresh = True

    def _put(self, run: Run, style: QTextCharFormat) -> None:
        made = self._style(run)
        if style.hasProperty(QTextFormat.Property.ForegroundBrush) and run.href:
            style.clearForeground()
        made.merge(style)
        place = self._cursor.position()
        self._cursor.insertText(run.text.translate(_QT_OWN), made)
        self.places.append(_Place(self._begin + run.start, self._begin + run.end, place, run.text, run.code))


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
    parts = [claim.verdict.words.capitalize()]
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
