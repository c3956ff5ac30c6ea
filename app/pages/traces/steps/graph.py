"""Draws which agent calls which, and which tools: boxes in columns from left to right, with arrows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QResizeEvent,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene, QGraphicsView, QWidget

from app.widgets.labels import as_it_is
from app.widgets.theme import Theme, scaled
from rag.interchange.agents.calls.rows import Call, Calls, Party, PartyKind, PartySum

MOST_DRAWN = 40  # boxes; the tables have all
_NARROW, _WIDE, _GAP_X, _GAP_Y = 70, 160, 56, 14  # pixels: of boxes, and between them
_SMALLEST = 0.75  # a graph that is wider than the view is drawn smaller, down to this
_LONGEST_NAME = 200  # characters of a name in a tooltip
_COLOURS = {
    PartyKind.APPLICATION: 6,
    PartyKind.AGENT: 7,
    PartyKind.TOOL: 2,
    PartyKind.RETRIEVER: 0,
    PartyKind.GUARDRAIL: 4,
}


class CallGraph(QGraphicsView):
    """A graph of calls. It is drawn again when the theme changes; arrow keys scroll it."""

    party_chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Make an empty graph."""
        super().__init__(parent)
        self._theme = theme
        self._found = Calls((), (), ())
        self.places: dict[Party, QRectF] = {}
        self.setScene(QGraphicsScene(self))
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setAccessibleName("Graph of calls")
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setMinimumHeight(scaled(90))
        theme.changed.connect(self._draw)

    def show_calls(self, found: Calls) -> None:
        """Draw the calls of a trace, and say them to screen readers."""
        self._found = found
        self.setAccessibleDescription("; ".join(sentence_of(call) for call in found.calls[:MOST_DRAWN]))
        self._draw()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the box under the mouse, or begin to drag."""
        where = self.mapToScene(event.position().toPoint())
        for party, place in self.places.items():
            if place.contains(where):
                self.party_chosen.emit(party)
        super().mousePressEvent(event)

    def _draw(self) -> None:
        scene = self.scene()
        scene.clear()
        parties = drawn_parties(self._found)
        calls = [call for call in self._found.calls if call.caller in parties and call.callee in parties]
        tall = scaled(44)
        sums = {one.party: one for one in self._found.sums}
        metrics = QFontMetricsF(self.font())
        widths = {}
        for party in parties:
            texts = (" ".join(party.title.split()), described(party, sums.get(party)))
            needed = max(metrics.horizontalAdvance(text) for text in texts) + scaled(18)
            widths[party] = min(max(needed, scaled(_NARROW)), scaled(_WIDE))
        self.places = places_of(layers_of(parties, calls), widths, tall, (scaled(_GAP_X), scaled(_GAP_Y)))
        for call in calls:
            self._draw_call(call)
        for party, place in self.places.items():
            self._draw_party(party, place, sums.get(party))
        margin = scaled(12)
        scene.setSceneRect(scene.itemsBoundingRect().adjusted(-margin, -margin, margin, margin))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the graph as large as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        wide = max(self.sceneRect().width(), 1.0)
        scale = max(min(self.viewport().width() / wide, 1.0), _SMALLEST)
        self.setTransform(QTransform.fromScale(scale, scale))

    def _draw_party(self, party: Party, place: QRectF, one: PartySum | None) -> None:
        scene, theme = self.scene(), self._theme
        path = QPainterPath()
        path.addRoundedRect(place, 6, 6)
        failed = bool(one and one.errors)
        pen = QPen(theme.colour("bad") if failed else theme.series(_COLOURS[party.kind]), 1.6)
        box = scene.addPath(path, pen, theme.colour("raised"))
        tip = tip_of(party, one)
        box.setToolTip(as_it_is(tip))
        lines = (" ".join(party.title.split()), described(party, one))
        for number, (text, role) in enumerate(zip(lines, ("text", "text_muted"), strict=True)):
            metrics = QFontMetricsF(self.font())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width() - scaled(16))
            item = scene.addSimpleText(shown, self.font())  # never taken for HTML
            item.setBrush(theme.colour(role))
            top = place.center().y() + (number - 1) * metrics.height()
            item.setPos(place.left() + scaled(8), top)
            item.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
            item.setToolTip(as_it_is(tip))

    def _draw_call(self, call: Call) -> None:
        first, last = self.places[call.caller], self.places[call.callee]
        start, path = QPointF(first.right(), first.center().y()), QPainterPath()
        end = QPointF(last.left(), last.center().y())
        path.moveTo(start)
        bend = max(abs(end.x() - start.x()) / 2, scaled(24))
        if end.x() > start.x():
            path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
        else:  # back to a column before, or to itself: around below the boxes
            below = max(first.bottom(), last.bottom()) + scaled(26)
            path.cubicTo(
                start + QPointF(bend, 0), QPointF(start.x() + bend, below), QPointF(start.x(), below)
            )
            path.lineTo(QPointF(end.x(), below))
            path.cubicTo(QPointF(end.x() - bend, below), end - QPointF(bend, 0), end)
        colour = self._theme.colour("bad") if call.errors else self._theme.colour("muted_mark")
        line = self.scene().addPath(path, QPen(colour, 1 + min(math.log2(call.count), 4) * 0.6))
        line.setZValue(-1)
        line.setToolTip(as_it_is(sentence_of(call)))
        self._draw_head(end, colour)
        if call.count > 1:
            middle = path.pointAtPercent(0.5)
            text = self.scene().addSimpleText(f"{call.count:,}×", self.font())
            text.setBrush(self._theme.colour("text"))
            text.setPos(
                middle.x() - text.boundingRect().width() / 2, middle.y() - text.boundingRect().height()
            )

    def _draw_head(self, end: QPointF, colour: QColor) -> QGraphicsItem:
        size = scaled(7)
        head = QPolygonF([end, end + QPointF(-size, -size / 2), end + QPointF(-size, size / 2)])
        return self.scene().addPolygon(head, QPen(Qt.PenStyle.NoPen), colour)


def drawn_parties(found: Calls, most: int = MOST_DRAWN) -> set[Party]:
    """Return the parties that are drawn: all, or those with the most calls."""
    weights: dict[Party, int] = {}
    for call in found.calls:
        for party in (call.caller, call.callee):
            weights[party] = weights.get(party, 0) + call.count
    return set(sorted(weights, key=lambda party: -weights[party])[:most])


def layers_of(parties: set[Party], calls: Sequence[Call]) -> list[list[Party]]:
    """Return the parties in columns: those that nobody calls, those that these call, and so on, each once."""
    called = {call.callee for call in calls if call.caller != call.callee}
    order = [party for call in calls for party in (call.caller, call.callee)]
    left = [party for party in dict.fromkeys(order) if party in parties]
    layers: list[list[Party]] = []
    current = [party for party in left if party not in called] or left[:1]
    while current:
        layers.append(current)
        left = [party for party in left if party not in current]
        reached = {call.callee for call in calls if call.caller in current}
        current = [party for party in left if party in reached] or left[:1]  # a ring that nobody enters
    return layers


def places_of(
    layers: Sequence[Sequence[Party]],
    widths: Mapping[Party, float],
    height: float,
    gaps: tuple[float, float],
) -> dict[Party, QRectF]:
    """Return where each box is: columns from the left, boxes of a column below each other."""
    places, left = {}, 0.0
    for layer in layers:
        wide = max(widths[party] for party in layer)
        for row, party in enumerate(layer):
            places[party] = QRectF(left, row * (height + gaps[1]), wide, height)
        left += wide + gaps[0]
    return places


def described(party: Party, one: PartySum | None) -> str:
    """Return the second line of a box."""
    if one is None or not one.calls:
        return str(party.kind)
    failed = f", {one.errors:,} failed" if one.errors else ""
    return f"{party.kind}, {one.calls:,}×{failed}"


def tip_of(party: Party, one: PartySum | None) -> str:
    """Return what is said of a box where the mouse rests on it."""
    lines = [party.title[:_LONGEST_NAME], described(party, one)]
    if one is not None and one.prompt_tokens is not None:
        lines.append(
            f"{one.prompt_tokens:,} + {one.completion_tokens or 0:,} tokens of its own calls of models"
        )
    return "\n".join(lines)


def sentence_of(call: Call) -> str:
    """Return a call in words."""
    failed = f", {call.errors:,} failed" if call.errors else ""
    names = (call.caller.title[:_LONGEST_NAME], call.callee.title[:_LONGEST_NAME])
    return f"{names[0]} calls {names[1]} {call.count:,}×{failed}"
