"""A version's chunks on the plane, coloured by document, with the last question's hits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.widgets.labels import label
from app.widgets.theme import SMALL_SPACE, Theme
from rag.text.plurals import counted

_SERIES = 8  # colours: one for each document, or the last one for all that are left


class EmbeddingMap(QWidget):
    """Click a point to see its chunk."""

    chunk_clicked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._map: Any = None
        self._marked: set[int] = set()
        self._points: dict[int, tuple[float, float]] = {}
        self.plot = pg.PlotWidget()
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.hideAxis("left")
        self.plot.hideAxis("bottom")
        self.plot.setAspectLocked(False)
        self.plot.setAccessibleName("Map of the chunks")
        self._legend = self.plot.addLegend(offset=(-8, 8), labelTextSize="8pt")
        self._note = label("", "small", wrap=True)
        self._hover = pg.TextItem(anchor=(0, 1))
        self._hover.setZValue(100)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        layout.addWidget(self.plot, 1)
        layout.addWidget(self._note)
        self.plot.scene().sigMouseMoved.connect(self._show_name)
        theme.changed.connect(self._draw)
        self._draw()

    def show_map(self, found: Any, hits: Iterable[int], question: str) -> None:
        """found: rag.knowledge.rows.MappedChunks; hits: chunk ids that the last question found."""
        self._map, self._marked = found, set(hits)
        shown, total = len(found.x) // 4, found.total
        sample = (
            f"{shown:,} of {total:,} chunks (an even sample)" if shown < total else counted(total, "chunk")
        )
        parts = [
            f"{sample} of version {found.number} on the first two principal components of their vectors, "
            f"which hold {100 * found.explained:.0f} % of the variance: near here is not always near there."
        ]
        inside = len(self._marked & set(np.frombuffer(found.chunk_ids, dtype=np.int64).tolist()))
        if inside:
            parts.append(f"Ringed: the {inside} passages found for “{question[:80]}”.")
        self._note.setText(" ".join(parts))
        self._draw()

    def clear(self, sentence: str = "") -> None:
        self._map, self._marked = None, set()
        self._note.setText(sentence)
        self._draw()

    @property
    def note(self) -> str:
        return self._note.text()

    @property
    def point_count(self) -> int:
        return len(self._points)

    def _draw(self) -> None:
        self.plot.clear()
        self._legend.clear()
        self._legend.setLabelTextColor(self._theme.colour("text"))
        self._points = {}
        self.plot.setBackground(self._theme.colour("surface"))
        self._hover.setColor(self._theme.colour("text"))
        if self._map is None:
            return
        x, y = (np.frombuffer(raw, dtype=np.float32) for raw in (self._map.x, self._map.y))
        ids, documents = (
            np.frombuffer(raw, dtype=np.int64) for raw in (self._map.chunk_ids, self._map.document_ids)
        )
        self._points = {int(i): (float(a), float(b)) for i, a, b in zip(ids, x, y, strict=True)}
        kinds, counts = np.unique(documents, return_counts=True)
        named = kinds[np.argsort(-counts)][: _SERIES if len(kinds) <= _SERIES else _SERIES - 1]
        for number, document in enumerate(named):
            here = documents == document
            self._add(x[here], y[here], ids[here], number, self._map.documents[int(document)])
        rest = ~np.isin(documents, named)
        if rest.any():
            name = f"{len(kinds) - len(named):,} other documents"
            self._add(x[rest], y[rest], ids[rest], _SERIES - 1, name)
        self._ring()
        self.plot.addItem(self._hover, ignoreBounds=True)

    def _add(self, x: Any, y: Any, ids: Any, number: int, name: str) -> None:
        colour = self._theme.series(number)
        item = pg.ScatterPlotItem(
            x=x, y=y, data=ids, size=8, pen=None, brush=pg.mkBrush(colour.red(), colour.green(), colour.blue(), 170),
            name=name if len(name) <= 32 else name[:31] + "…",
        )  # fmt: skip
        item.sigClicked.connect(
            lambda _item, points, *_: len(points) and self.chunk_clicked.emit(int(points[0].data()))
        )
        self.plot.addItem(item)

    def _ring(self) -> None:
        places = [self._points[i] for i in self._marked if i in self._points]
        if places:
            pen = pg.mkPen(self._theme.colour("text"), width=2)
            rings = pg.ScatterPlotItem(
                x=[p[0] for p in places], y=[p[1] for p in places], size=16, pen=pen, brush=None
            )
            self.plot.addItem(rings)

    def _show_name(self, position: QPointF) -> None:
        if self._map is None:
            return
        point = self.plot.getPlotItem().vb.mapSceneToView(position)
        for item in self.plot.getPlotItem().items:
            if isinstance(item, pg.ScatterPlotItem) and item.name():
                under = item.pointsAt(point)
                if len(under):
                    self._hover.setText(item.name())
                    self._hover.setPos(point)
                    return
        self._hover.setText("")
