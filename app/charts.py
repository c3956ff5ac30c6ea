"""The graphs: stacked bars and points over time with a range brush, and the waterfall of a trace.

pyqtgraph draws them; hovering names the value, clicking a point opens its trace, everything can be saved as PNG
and CSV.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from app.theme import Theme

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """One named line or set of bars. x are Unix seconds; ids, when given, name the trace of each point."""

    name: str
    x: Numbers
    y: Numbers
    ids: tuple[str, ...] = ()


class TimeChart(QWidget):
    """Series over time, as stacked bars or as points with lines for p50 and p95."""

    point_clicked = Signal(str)

    def __init__(self, theme: Theme, title: str, unit: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self.title, self._unit = theme, title, unit
        self._series: list[Series] = []
        self._levels: list[tuple[str, float]] = []
        self._bar_width = 0.0
        self.setAccessibleName(title)
        self.plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem()})
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMinimumHeight(150)
        self._label = pg.TextItem(anchor=(0, 1))
        self._label.setZValue(100)
        self._empty = pg.TextItem("No asks in this range yet", anchor=(0.5, 0.5))
        self._legend = self.plot.addLegend(offset=(-8, 4), labelTextSize="8pt")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.scene().sigMouseClicked.connect(self._click)
        theme.changed.connect(self._draw)
        self._draw()

    def set_bars(self, series: Sequence[Series], width_s: float) -> None:
        """Stack the series at the same x positions; width_s is the width of a bar in seconds."""
        self._series, self._bar_width, self._levels = list(series), width_s, []
        self._draw()

    def set_points(self, series: Sequence[Series], percentiles: Sequence[int] = (50, 95)) -> None:
        """Points, with a line at each percentile over all of them."""
        self._series, self._bar_width = list(series), 0.0
        values = np.concatenate([s.y for s in series]) if series else np.zeros(0)
        values = values[np.isfinite(values)]
        self._levels = (
            [(f"p{p}", float(np.percentile(values, p))) for p in percentiles] if len(values) else []
        )
        self._draw()

    def set_range(self, start: float, end: float) -> None:
        self.plot.setXRange(start, end, padding=0.01)

    def value_at(self, position: QPointF) -> str:
        """What the label says at a point of the plot, in data coordinates; empty where nothing is."""
        hit = self._nearest(position)
        if hit is None:
            return ""
        series, index = hit
        moment = datetime.datetime.fromtimestamp(float(series.x[index])).strftime("%d %b %H:%M")
        return f"{series.name}: {_number(float(series.y[index]))} {self._unit}  ·  {moment}"

    def export_png(self, path: Path) -> None:
        self.grab().save(str(path), "PNG")

    def export_csv(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "series", f"value ({self._unit})", "trace"])
            for series in self._series:
                for index, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
                    moment = datetime.datetime.fromtimestamp(float(x)).isoformat()
                    writer.writerow([moment, series.name, y, series.ids[index] if series.ids else ""])

    def _draw(self) -> None:
        theme, item = self._theme, self.plot.getPlotItem()
        self.plot.clear()
        self._legend.clear()
        self._legend.setLabelTextColor(theme.colour("text_muted"))
        self.plot.setBackground(theme.colour("surface"))
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            axis.setPen(theme.colour("border"))
            axis.setTextPen(theme.colour("text_muted"))
            axis.setStyle(tickLength=-4)
        item.getAxis("left").setWidth(54)
        item.getAxis("left").enableAutoSIPrefix(False)
        self.plot.showGrid(x=False, y=True, alpha=0.12)
        has_data = any(len(series.x) for series in self._series)
        if not has_data:
            self._empty.setColor(theme.colour("text_muted"))
            self._empty.setPos(0.5, 0.5)
            self.plot.addItem(self._empty, ignoreBounds=True)
            self.plot.setXRange(0, 1)
            self.plot.setYRange(0, 1)
            item.hideAxis("bottom")
            return
        item.showAxis("bottom")
        if self._bar_width:
            self._draw_bars()
        else:
            self._draw_points()
        self.plot.enableAutoRange(axis="y")
        self.plot.setLimits(yMin=0)
        self._label.setColor(theme.colour("text"))
        self._label.fill = pg.mkBrush(theme.colour("raised", 235))
        self._label.border = pg.mkPen(theme.colour("border"))
        self._label.hide()
        self.plot.addItem(self._label, ignoreBounds=True)

    def _draw_bars(self) -> None:
        base = np.zeros(len(self._series[0].x))
        for number, series in enumerate(self._series):
            bars = pg.BarGraphItem(
                x=series.x, y0=base, height=series.y, width=self._bar_width * 0.86,
                brush=self._theme.series(number), pen=pg.mkPen(None), name=series.name,
            )  # fmt: skip
            self.plot.addItem(bars)
            base = base + series.y

    def _draw_points(self) -> None:
        for number, series in enumerate(self._series):
            colour = self._theme.series(number)
            self.plot.addItem(
                pg.ScatterPlotItem(
                    x=series.x, y=series.y, size=7, brush=colour, pen=pg.mkPen(self._theme.colour("surface")),
                    name=series.name,
                )
            )  # fmt: skip
        styles = (Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)
        for (name, level), style in zip(self._levels, styles, strict=False):
            pen = pg.mkPen(self._theme.colour("text_muted"), width=1, style=style)
            line = pg.InfiniteLine(
                level, angle=0, pen=pen, label=f"{name} {_number(level)}",
                labelOpts={"position": 0.04, "color": self._theme.colour("text_muted"), "anchors": [(0, 1), (0, 1)]},
            )  # fmt: skip
            self.plot.addItem(line, ignoreBounds=True)

    def _hover(self, scene_position: QPointF) -> None:
        view = self.plot.getPlotItem().vb
        if not self._series or not view.sceneBoundingRect().contains(scene_position):
            self._label.hide()
            return
        position = view.mapSceneToView(scene_position)
        text = self.value_at(position)
        self._label.setVisible(bool(text))
        if text:
            (left, right), _ = view.viewRange()
            self._label.setAnchor((1 if position.x() > (left + right) / 2 else 0, 1))
            self._label.setText(text)
            self._label.setPos(position)

    def _click(self, event: object) -> None:
        position = self.plot.getPlotItem().vb.mapSceneToView(event.scenePos())  # type: ignore[attr-defined]
        hit = self._nearest(position)
        if hit is not None and hit[0].ids:
            self.point_clicked.emit(hit[0].ids[hit[1]])

    def _nearest(self, position: QPointF) -> tuple[Series, int] | None:
        if self._bar_width:
            return self._bar_under(position)
        view = self.plot.getPlotItem().vb
        (left, right), (bottom, top) = view.viewRange()
        size = view.sceneBoundingRect()
        best, best_distance = None, 14.0  # pixels
        for series in self._series:
            if not len(series.x):
                continue
            dx = (series.x - position.x()) / max(right - left, 1e-9) * size.width()
            dy = (series.y - position.y()) / max(top - bottom, 1e-9) * size.height()
            distance = np.hypot(dx, dy)
            index = int(np.nanargmin(distance)) if np.isfinite(distance).any() else 0
            if distance[index] < best_distance:
                best, best_distance = (series, index), float(distance[index])
        return best

    def _bar_under(self, position: QPointF) -> tuple[Series, int] | None:
        if not self._series or not len(self._series[0].x):
            return None
        index = int(np.argmin(np.abs(self._series[0].x - position.x())))
        if abs(self._series[0].x[index] - position.x()) > self._bar_width / 2:
            return None
        base = 0.0
        for series in self._series:
            if base <= position.y() < base + series.y[index]:
                return series, index
            base += float(series.y[index])
        return None


class RangeBrush(QWidget):
    """A strip with everything in it and a window to drag: which time the charts show."""

    range_changed = Signal(float, float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName("Time range")
        self.plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem()})
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.hideAxis("left")
        self.plot.setFixedHeight(58)
        self._x, self._y = np.zeros(0), np.zeros(0)
        self.region = pg.LinearRegionItem()
        self.region.sigRegionChanged.connect(
            lambda: self.range_changed.emit(*map(float, self.region.getRegion()))
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        theme.changed.connect(self._draw)
        self._draw()

    def set_data(self, x: Numbers, y: Numbers, start: float, end: float, chosen: float) -> None:
        """Counts y at x (Unix seconds) between start and end; the first choice is from chosen to the end."""
        self._x, self._y = x, y
        self._draw()
        self.region.setBounds((start, end))
        self.region.setRegion((chosen, end))
        self.plot.setXRange(start, end, padding=0.01)

    def _draw(self) -> None:
        self.plot.clear()
        self.plot.setBackground(self._theme.colour("surface"))
        axis = self.plot.getPlotItem().getAxis("bottom")
        axis.setPen(self._theme.colour("border"))
        axis.setTextPen(self._theme.colour("text_muted"))
        accent = self._theme.colour("accent")
        if len(self._x):
            curve = pg.PlotCurveItem(
                self._x, self._y, pen=pg.mkPen(accent), fillLevel=0, brush=self._theme.colour("accent", 60)
            )
            self.plot.addItem(curve)
        self.region.setBrush(self._theme.colour("accent", 40))
        self.region.setHoverBrush(self._theme.colour("accent", 60))
        for line in self.region.lines:
            line.setPen(pg.mkPen(accent, width=2))
        self.plot.addItem(self.region)


@dataclass(frozen=True)
class Bar:
    """A row of the waterfall, in milliseconds since the trace began."""

    name: str
    start_ms: float
    end_ms: float
    detail: str
    group: int  # chooses the colour


class Waterfall(QWidget):
    """Spans as bars on one time axis."""

    _ROW = 24
    _LABEL = 110
    _VALUE = 78

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bars: list[Bar] = []
        self.setAccessibleName("Waterfall of spans")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)

    def set_bars(self, bars: Sequence[Bar]) -> None:
        self._bars = list(bars)
        spoken = "; ".join(f"{bar.name} {bar.end_ms - bar.start_ms:.0f} ms" for bar in bars)
        self.setAccessibleDescription(spoken)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, max(1, len(self._bars)) * self._ROW + 6)

    def minimumSizeHint(self) -> QSize:
        return QSize(260, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        total = max((bar.end_ms for bar in self._bars), default=1.0) or 1.0
        width = max(self.width() - self._LABEL - self._VALUE, 40)
        metrics = QFontMetrics(self.font())
        for row, bar in enumerate(self._bars):
            top = row * self._ROW + 3
            painter.setPen(self._theme.colour("text"))
            name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, self._LABEL - 8)
            centre = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(
                QRectF(0, top, self._LABEL - 8, self._ROW), int(centre | Qt.AlignmentFlag.AlignLeft), name
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("sunken"))
            painter.drawRoundedRect(QRectF(self._LABEL, top + 6, width, self._ROW - 12), 3, 3)
            painter.setBrush(self._theme.series(bar.group))
            left = self._LABEL + bar.start_ms / total * width
            length = max((bar.end_ms - bar.start_ms) / total * width, 2.0)
            painter.drawRoundedRect(QRectF(left, top + 6, length, self._ROW - 12), 3, 3)
            painter.setPen(self._theme.colour("text_muted"))
            area = QRectF(self._LABEL + width, top, self._VALUE - 4, self._ROW)
            painter.drawText(
                area, int(centre | Qt.AlignmentFlag.AlignRight), f"{bar.end_ms - bar.start_ms:,.1f} ms"
            )
        painter.end()

    def event(self, event: object) -> bool:
        if isinstance(event, QHelpEvent):
            row = int((event.pos().y() - 3) // self._ROW)
            if 0 <= row < len(self._bars):
                bar = self._bars[row]
                text = f"{bar.name}: {bar.start_ms:,.1f} to {bar.end_ms:,.1f} ms"
                QToolTip.showText(event.globalPos(), f"{text}\n{bar.detail}" if bar.detail else text, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)  # type: ignore[arg-type]


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
