"""The graphs: stacked bars and points over time with a range brush, and the waterfall of a trace.

pyqtgraph draws them. Hovering names the value, clicking a point opens its trace, and everything can be saved
as PNG and CSV.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from pyqtgraph.graphicsItems.LegendItem import ItemSample, LegendItem
from PySide6.QtCore import QBuffer, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QHelpEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from app.widgets.labels import as_it_is
from app.widgets.theme import Theme, scaled
from rag.text.spreadsheets import BYTE_ORDER_MARK, guarded

_LEGEND_SWATCH = 40  # pixels, with the space around it
_LEGEND_LINE = 18  # pixels
_LEGEND_PX = 11  # of its letters
_LEGEND_NAME = 26  # characters; model files have long names
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A named line or set of bars. x are Unix seconds; ids, when given, name the trace of each point."""

    name: str
    x: Numbers
    y: Numbers
    ids: tuple[str, ...] = ()


class TimeChart(QWidget):
    """A chart of series over time: stacked bars, points with lines for p50 and p95, or lines."""

    point_clicked = Signal(str)

    def __init__(
        self,
        theme: Theme,
        title: str,
        unit: str,
        parent: QWidget | None = None,
        *,
        empty: str = "No questions in this range yet",
    ) -> None:
        """Make an empty chart.

        Args:
            theme: The colours.
            title: Its name for screen readers and for files.
            unit: The unit of the values.
            parent: The owner in Qt's sense.
            empty: What it says while there is nothing to draw.
        """
        super().__init__(parent)
        self._theme, self.title, self._unit = theme, title, unit
        self._series: list[Series] = []
        self._levels: list[tuple[str, float]] = []
        self._bar_width = 0.0
        self._joined = False
        self._is_empty = True
        self.setAccessibleName(title)
        self.plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem(), "left": _ValueAxis("left")})
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.setMenuEnabled(False)
        self.plot.getAxis("left").enableAutoSIPrefix(False)  # once, before it has a label: else it scales
        self.plot.hideButtons()
        self.plot.setMinimumHeight(150)
        self._label = pg.TextItem(anchor=(0, 1))
        self._label.setZValue(100)
        self._empty = pg.TextItem(empty, anchor=(0.5, 0.5))
        self._legend = add_legend(self.plot, verSpacing=-4, sampleType=_Swatch)
        self._legend.setParentItem(self.plot.getPlotItem())  # above the plot, where it covers no data
        self._legend.anchor((1, 0), (1, 0), offset=(0, -6))
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
        self._joined = False
        self._draw()

    def set_points(self, series: Sequence[Series], percentiles: Sequence[int] = (50, 95)) -> None:
        """Draw points, and a line at each percentile over all of them."""
        self._series, self._bar_width, self._joined = list(series), 0.0, False
        values = np.concatenate([s.y for s in series]) if series else np.zeros(0)
        values = values[np.isfinite(values)]
        self._levels = (
            [(f"p{p}", float(np.percentile(values, p))) for p in percentiles] if len(values) else []
        )
        self._draw()

    def set_lines(self, series: Sequence[Series]) -> None:
        """Draw lines with a value a bucket, such as p50 and p95, broken where one is missing (NaN)."""
        self._series, self._bar_width, self._levels = list(series), 0.0, []
        self._joined = True
        self._draw()

    def set_unit(self, unit: str) -> None:
        """Name another unit: what is drawn next is in it."""
        self._unit = unit

    def set_range(self, start: float, end: float) -> None:
        """Show this time, in Unix seconds."""
        if self._is_empty:  # its sentence stands where 0 to 1 is seen
            return
        self.plot.setXRange(start, end, padding=0.01)

    def value_at(self, position: QPointF) -> str:
        """Return what the label says at a point, in data coordinates; empty where nothing is."""
        hit = self._nearest(position)
        if hit is None:
            return ""
        series, index = hit
        moment = datetime.datetime.fromtimestamp(float(series.x[index])).strftime("%d %b %H:%M")
        return f"{series.name}: {_number(float(series.y[index]))} {self._unit}  ·  {moment}"

    def export_png(self, path: Path) -> None:
        """Save the graph as a picture. Raises OSError; saving a pixmap by path would fail silently."""
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        self.grab().save(buffer, "PNG")
        path.write_bytes(buffer.data().data())

    def export_csv(self, path: Path) -> None:
        """Save the points for a spreadsheet: time, series, value and trace."""
        with path.open("w", newline="", encoding="utf-8") as file:
            file.write(BYTE_ORDER_MARK)
            writer = csv.writer(file)
            writer.writerow(["time", "series", f"value ({self._unit})", "trace"])
            for series in self._series:
                for index, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
                    moment = datetime.datetime.fromtimestamp(float(x)).isoformat()
                    trace = series.ids[index] if series.ids else ""
                    writer.writerow([moment, guarded(series.name), y, guarded(trace)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the legend as many lines as it needs at this width."""
        super().resizeEvent(event)
        self._make_room_for_legend()

    def _draw(self) -> None:
        theme, item = self._theme, self.plot.getPlotItem()
        self.plot.clear()
        self._legend.clear()
        self._legend.setLabelTextSize(f"{scaled(_LEGEND_PX)}px")
        self._legend.setLabelTextColor(theme.colour("text_muted"))
        self.plot.setBackground(theme.colour("surface"))
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            axis.setPen(theme.colour("border"))
            axis.setTextPen(theme.colour("text_muted"))
            axis.setStyle(tickLength=-4)
        item.getAxis("left").setLabel(self._unit, **{"font-size": f"{scaled(_LEGEND_PX)}px"})
        item.getAxis("left").showLabel(bool(self._unit))
        self.plot.showGrid(x=False, y=True, alpha=0.12)
        was_empty, self._is_empty = self._is_empty, not any(np.isfinite(s.y).any() for s in self._series)
        item.showAxis("left", not self._is_empty)
        self._make_room_for_legend()
        if self._is_empty:
            self._empty.setColor(theme.colour("text_muted"))
            self._empty.setPos(0.5, 0.5)
            self.plot.addItem(self._empty, ignoreBounds=True)
            self.plot.setXRange(0, 1)
            self.plot.setYRange(0, 1)
            item.hideAxis("bottom")
            return
        item.showAxis("bottom")
        if was_empty:
            self.plot.enableAutoRange(axis="x")
        if self._bar_width:
            self._draw_bars()
        elif self._joined:
            self._draw_lines()
        else:
            self._draw_points()
        self.plot.enableAutoRange(axis="y")
        self.plot.setLimits(yMin=0)
        self._label.setColor(theme.colour("text"))
        self._label.fill = pg.mkBrush(theme.colour("raised", 235))
        self._label.border = pg.mkPen(theme.colour("border"))
        self._label.hide()
        self.plot.addItem(self._label, ignoreBounds=True)

    def _make_room_for_legend(self) -> None:
        names = [_short(series.name) for series in self._series] or [""]
        widest = max(QFontMetrics(self.font()).horizontalAdvance(name) for name in names) + scaled(
            _LEGEND_SWATCH
        )
        columns = max(min(len(names), self.width() // widest), 1)
        self._legend.setColumnCount(columns)
        lines = 0 if self._is_empty else -(-len(self._series) // columns)
        self.plot.getPlotItem().layout.setContentsMargins(0, 4 + lines * scaled(_LEGEND_LINE), 0, 0)

    def _draw_bars(self) -> None:
        """Return a pen as wide as a pixel, so that a bar narrower than that still shows in its own colour."""
        base = np.zeros(len(self._series[0].x))
        for number, series in enumerate(self._series):
            height = np.nan_to_num(series.y, posinf=0.0)
            seen = height > 0  # the pen would draw an empty bar as a line
            colour = self._theme.series(number)
            bars = pg.BarGraphItem(
                x=series.x[seen], y0=base[seen], height=height[seen], width=self._bar_width * 0.86,
                brush=colour, pen=pg.mkPen(colour), name=_short(series.name),
            )  # fmt: skip
            self.plot.addItem(bars)
            base = base + height

    def _draw_lines(self) -> None:
        for number, series in enumerate(self._series):
            colour = self._theme.series(number)
            if not np.isfinite(series.y).any():
                continue
            self.plot.plot(
                series.x, series.y, pen=pg.mkPen(colour, width=2), connect="finite", antialias=True,
                symbol="o", symbolSize=4, symbolBrush=colour, symbolPen=None, name=_short(series.name),
            )  # fmt: skip

    def _draw_points(self) -> None:
        for number, series in enumerate(self._series):
            colour, known = self._theme.series(number), np.isfinite(series.y)
            self.plot.addItem(
                pg.ScatterPlotItem(
                    x=series.x[known], y=series.y[known], size=7, brush=colour,
                    pen=pg.mkPen(self._theme.colour("surface")), name=_short(series.name),
                )
            )  # fmt: skip
        styles, muted = (Qt.PenStyle.DashLine, Qt.PenStyle.DotLine), self._theme.colour("text_muted")
        for (name, level), style in zip(self._levels, styles, strict=False):
            line = pg.InfiniteLine(
                level, angle=0, pen=pg.mkPen(muted, width=1, style=style), label=f"{name} {_number(level)}",
                labelOpts={"position": 0.04, "color": muted, "anchors": [(0, 1), (0, 1)]},
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
            height = float(np.nan_to_num(series.y[index], posinf=0.0))
            if base <= position.y() < base + height:
                return series, index
            base += height
        return None


class ControlChart(TimeChart):
    """A chart of one figure a window of questions, with its control limits and what is beyond them."""

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        """Make an empty chart."""
        self._outside: npt.NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._reference: tuple[float, float] | None = None
        self._from_zero = False
        super().__init__(theme, title, "", parent, empty="Not enough questions for a window yet")

    def set_windows(
        self,
        figures: Series,
        low: Numbers,
        high: Numbers,
        outside: npt.NDArray[np.bool_],
        unit: str,
        from_zero: bool,
        reference: tuple[float, float] | None = None,
    ) -> None:
        """Draw a figure a window.

        Args:
            figures: The figures; their name is the chart's.
            low: The lower limit of each window, NaN for none.
            high: The upper limit of each window, NaN for none.
            outside: Whether each figure is beyond its limits.
            unit: The unit of the figures.
            from_zero: Whether the axis begins at 0.
            reference: The reference period in Unix seconds, which is shaded.
        """
        self.title, self._unit = figures.name, unit
        self.setAccessibleName(f"Control chart: {figures.name}")
        self._outside, self._reference, self._from_zero = outside, reference, from_zero
        limits = [
            (f"{word} limit", y) for word, y in (("upper", high), ("lower", low)) if np.isfinite(y).any()
        ]
        # The axis is of what is shown now: a range chosen for another figure would hide it.
        self._is_empty = True
        self.set_lines([figures, *(Series(name, figures.x, y) for name, y in limits)])

    @property
    def outside_count(self) -> int:
        """How many figures are beyond their limits."""
        return int(self._outside.sum())

    def _draw_lines(self) -> None:
        theme = self._theme
        figures, *limits = self._series
        if self._reference is not None:
            shade = pg.LinearRegionItem(
                self._reference, movable=False, brush=theme.colour("accent", 26), pen=pg.mkPen(None)
            )
            self.plot.addItem(shade, ignoreBounds=True)
        for series in limits:
            colour = theme.colour("bad")
            dashes = pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine)
            self.plot.plot(
                series.x,
                series.y,
                pen=dashes,
                connect="finite",
                symbol=None,
                symbolBrush=colour,
                name=series.name,
            )
        colours = [theme.colour("bad") if outside else theme.series(0) for outside in self._outside]
        line = self.plot.plot(figures.x, figures.y, pen=pg.mkPen(theme.series(0), width=2), antialias=True)
        line.setZValue(5)
        points = pg.ScatterPlotItem(
            x=figures.x, y=figures.y, size=[11 if outside else 7 for outside in self._outside],
            brush=[pg.mkBrush(colour) for colour in colours], pen=pg.mkPen(theme.colour("surface")),
        )  # fmt: skip
        points.setZValue(6)
        self.plot.addItem(points)
        if self._from_zero:  # an unseen point there: the range follows what is drawn
            zero = pg.ScatterPlotItem(
                x=figures.x[:1], y=[0.0], size=1, brush=pg.mkBrush(None), pen=pg.mkPen(None)
            )
            self.plot.addItem(zero)


class _ValueAxis(pg.AxisItem):
    """The axis of the values: as wide as its longest figure, which is written out."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """Return the figures as the rest of the program writes them."""
        places = max(0, -int(np.floor(np.log10(spacing * scale)))) if spacing * scale > 0 else 0
        return [f"{value * scale:,.{places}f}" for value in values]


class _Swatch(ItemSample):
    """A small square of the series' colour in the legend."""

    def paint(self, painter: QPainter, *_: object) -> None:
        options = self.item.opts
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(pg.mkBrush(options.get("symbolBrush") or options["brush"]))
        painter.drawRoundedRect(QRectF(9, 6, 9, 9), 2, 2)

    def mouseClickEvent(self, event: object) -> None:
        """Do nothing, where pyqtgraph hides the series: a stack without a part would mislead."""


class RangeBrush(QWidget):
    """A strip with everything in it and a window to drag, which decides the time that charts show."""

    range_changed = Signal(float, float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Make an empty strip."""
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName("Time range")
        self.plot = pg.PlotWidget(axisItems={"bottom": pg.DateAxisItem()})
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
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
        """Draw counts over time.

        Args:
            x: Moments in Unix seconds.
            y: A count for each.
            start: The beginning of the strip.
            end: The end of the strip, and of the first choice.
            chosen: The beginning of the first choice.
        """
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
    """A chart of a trace's spans as bars on one time axis."""

    _LONGEST_NAME = 180  # pixels
    _LEAST_BAR = 80

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Make an empty chart."""
        super().__init__(parent)
        self._theme = theme
        self._bars: list[Bar] = []
        self.setAccessibleName("Waterfall of spans")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Show these bars, one a row, and name them to screen readers."""
        self._bars = list(bars)
        spoken = "; ".join(f"{bar.name} {bar.end_ms - bar.start_ms:.0f} ms" for bar in bars)
        self.setAccessibleDescription(spoken)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size: a row for each bar."""
        return QSize(scaled(400), max(1, len(self._bars)) * self._row_height + 6)

    def minimumSizeHint(self) -> QSize:
        """Return the least width at which a bar can be told from the next, and the full height."""
        names, values = self.column_widths()
        return QSize(names + scaled(self._LEAST_BAR) + values, self.sizeHint().height())

    def column_widths(self) -> tuple[int, int]:
        """Return the width of the names and of the durations: every digit is seen, whatever it took."""
        metrics = QFontMetrics(self.font())
        names = max((metrics.horizontalAdvance(bar.name) for bar in self._bars), default=0) + scaled(10)
        values = max((metrics.horizontalAdvance(_took(bar)) for bar in self._bars), default=0) + scaled(10)
        return min(names, scaled(self._LONGEST_NAME)), values

    @property
    def _row_height(self) -> int:
        return QFontMetrics(self.font()).height() + scaled(8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw name, bar and duration of each row."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        total = max((bar.end_ms for bar in self._bars), default=1.0) or 1.0
        names, values = self.column_widths()
        width = max(self.width() - names - values, 40)
        metrics, tall = QFontMetrics(self.font()), self._row_height
        centre = Qt.AlignmentFlag.AlignVCenter
        for row, bar in enumerate(self._bars):
            top = row * tall + 3
            painter.setPen(self._theme.colour("text"))
            name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, names - scaled(8))
            painter.drawText(QRectF(0, top, names, tall), int(centre | Qt.AlignmentFlag.AlignLeft), name)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("sunken"))
            painter.drawRoundedRect(QRectF(names, top + 6, width, tall - 12), 3, 3)
            painter.setBrush(self._theme.series(bar.group))
            left = names + bar.start_ms / total * width
            length = max((bar.end_ms - bar.start_ms) / total * width, 2.0)
            painter.drawRoundedRect(QRectF(left, top + 6, length, tall - 12), 3, 3)
            painter.setPen(self._theme.colour("text_muted"))
            area = QRectF(names + width, top, values - 2, tall)
            painter.drawText(area, int(centre | Qt.AlignmentFlag.AlignRight), _took(bar))
        painter.end()

    def event(self, event: object) -> bool:
        """Show the details of the bar that the mouse rests on."""
        if isinstance(event, QHelpEvent):
            row = int((event.pos().y() - 3) // self._row_height)
            if 0 <= row < len(self._bars):
                bar = self._bars[row]
                text = f"{bar.name}: {bar.start_ms:,.1f} to {bar.end_ms:,.1f} ms"
                text = f"{text}\n{bar.detail}" if bar.detail else text
                QToolTip.showText(event.globalPos(), as_it_is(text), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)  # type: ignore[arg-type]


def _took(bar: Bar) -> str:
    return f"{bar.end_ms - bar.start_ms:,.1f} ms"


def _short(name: str) -> str:
    return name if len(name) <= _LEGEND_NAME else f"{name[: _LEGEND_NAME - 1]}…"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"


class PlainLegend(LegendItem):
    """A legend whose names are texts and not HTML."""

    def addItem(self, item: Any, name: str) -> None:
        """Add a line for an item of the plot."""
        super().addItem(item, escape(name))


def add_legend(plot: pg.PlotWidget, **options: Any) -> PlainLegend:
    """Give a plot a legend. options: as of pyqtgraph's LegendItem."""
    legend = PlainLegend(**options)
    plot.getPlotItem().legend = legend  # where the items that are added look for it
    legend.setParentItem(plot.getPlotItem().vb)
    return legend
