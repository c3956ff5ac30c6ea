"""The tab "Map": a version's chunks on the plane, coloured by document, with the last question's hits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from app.widgets.charts import add_legend
from app.widgets.labels import label
from app.widgets.layout import column
from app.widgets.theme import Theme
from rag.knowledge.rows import EmbeddingMap
from rag.text.plurals import counted

Plane = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

_SERIES = 8  # colours: one for each document, or the last one for all that are left


class MapView(QWidget):
    """A scatter plot of chunks. A click on a point asks for its chunk."""

    chunk_clicked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._map: EmbeddingMap | None = None
        self._marked: set[int] = set()
        self._points: dict[int, tuple[float, float]] = {}
        self.plot = pg.PlotWidget()
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.hideAxis("left")
        self.plot.hideAxis("bottom")
        self.plot.setAspectLocked(False)
        self.plot.setAccessibleName("Map of the chunks")
        self._legend = add_legend(self.plot, offset=(-8, 8), labelTextSize="8pt")
        self._note = label("", "small", wrap=True)
        self._hover = pg.TextItem(anchor=(0, 1))
        self._hover.setZValue(100)
        column((self.plot, 1), self._note, holder=self)
        self.plot.scene().sigMouseMoved.connect(self._show_name)
        theme.changed.connect(self._draw)
        self._draw()

    def show_map(self, found: EmbeddingMap, hits: Iterable[int], question: str) -> None:
        """Draw a map.

        Args:
            found: The places of the chunks.
            hits: Ids of the chunks that the last question found; they get a ring.
            question: The last question.
        """
        self._map, self._marked = found, set(hits)
        shown, total = len(found.x) // 4, found.total
        sample = (
            f"{shown:,} of {total:,} chunks (an even sample)" if shown < total else counted(total, "chunk")
        )
        parts = [
            f"{sample} of version {found.number} on the first two principal components of their vectors, "
            f"which explain {100 * found.explained:.0f} % of the variance. Points that are close here are "
            "not always close in meaning."
        ]
        inside = len(self._marked & set(np.frombuffer(found.chunk_ids, dtype=np.int64).tolist()))
        if inside:
            parts.append(f"Ringed: the {inside} passages found for “{question[:80]}”.")
        self._note.setText(" ".join(parts))
        self._draw()

    def clear(self, sentence: str = "") -> None:
        """Remove the map, and say why in a sentence."""
        self._map, self._marked = None, set()
        self._note.setText(sentence)
        self._draw()

    @property
    def note(self) -> str:
        """The sentences below the map."""
        return self._note.text()

    @property
    def point_count(self) -> int:
        """How many chunks are drawn."""
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

    def _add(self, x: Plane, y: Plane, ids: Ids, number: int, name: str) -> None:
        colour = self._theme.series(number)
        item = pg.ScatterPlotItem(
            x=x, y=y, data=ids, size=8, pen=None,
            brush=pg.mkBrush(colour.red(), colour.green(), colour.blue(), 170),
            name=name if len(name) <= 32 else name[:31] + "…",
        )  # fmt: skip
        item.sigClicked.connect(self._click)
        self.plot.addItem(item)

    def _click(self, _item: object, points: Sequence[pg.SpotItem], *_event: object) -> None:
        if len(points):
            self.chunk_clicked.emit(int(points[0].data()))

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
