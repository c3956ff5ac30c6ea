"""A bar with its interval for each metric: to the right is more, and only what is certain has a colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from app.pages.evaluation.comparison.figures import (
    MetricLine,
    better_colour,
    between,
    definition,
    mean_of,
    number,
    signed,
)
from app.widgets.item_models import Column, RecordTable
from app.widgets.theme import Theme, scaled

_WIDTH = 150  # pixels of a bar at a text size of 100 %
_MARGIN = 8


@dataclass(frozen=True)
class BarLine:
    """A metric with what its bar shows, as shares of the half or the whole of the axis, −1 to 1.

    Attributes:
        line: The metric of a run.
        value: Where the bar ends; None: there is none.
        low: Start of the interval; None: there is none.
        high: Its end.
        starts_left: Whether the axis begins at the left, for the mean of a single run, and not in the middle.
    """

    line: MetricLine
    value: float | None
    low: float | None
    high: float | None
    starts_left: bool


def bar_lines(lines: Sequence[MetricLine]) -> list[BarLine]:
    """Return the bars of metrics: those of one unit share a scale, and a share of a single run is of 1."""
    alone = all(line.difference is None for line in lines)
    largest: dict[str, float] = {}
    for line in lines:
        ends = [abs(value) for value in _ends(line) if value is not None]
        largest[line.metric.unit] = max([largest.get(line.metric.unit, 0.0), *ends])
    made = []
    for line in sorted(lines, key=_importance):
        scale = 1.0 if alone and line.metric.unit in ("share", "cosine") else largest[line.metric.unit]
        value, low, high = (
            None if end is None else min(max(end / (scale or 1.0), -1.0), 1.0) for end in _ends(line)
        )
        made.append(BarLine(line, value, low, high, alone))
    return made


def _importance(line: MetricLine) -> tuple[bool, bool, bool, float]:
    """Return a key that puts what is certain first, what is the same last, and costs behind quality."""
    found = line.difference
    if found is None:
        return (False, False, False, 0.0)
    p = 1.0 if found.p_holm is None else found.p_holm
    return line.metric.unit in ("ms", "tokens"), not found.certain, not found.difference, p


def _ends(line: MetricLine) -> tuple[float | None, float | None, float | None]:
    shown = line.difference
    if shown is not None:
        return shown.difference, shown.low, shown.high
    return (line.own.mean, line.own.low, line.own.high) if line.own else (None, None, None)


def certainty(line: MetricLine) -> str:
    """Return in words how sure a difference is."""
    found = line.difference
    if found is None or found.difference is None:
        return "–"
    if found.p_holm is None:
        return f"too few ({found.pairs})"
    if not found.difference and not found.wins and not found.losses:
        return "the same"
    colour = better_colour(line)
    if colour is None:
        return "certain" if found.certain else "not certain"
    return "better" if colour == "good" else "worse"


def _amount(bar: BarLine) -> str:
    found = bar.line.difference
    value = found.difference if found is not None else mean_of(bar.line.own)
    return signed(value, bar.line.metric.unit) if found is not None else number(value, bar.line.metric.unit)


def _about(bar: BarLine) -> str:
    """Return what a screen reader and a tooltip say of a bar."""
    found = bar.line.difference
    ends = between(bar.line)
    interval = f", 95 % interval {ends}" if ends != "–" else ""
    if found is None:
        return f"{_amount(bar)}{interval}"
    return f"{_amount(bar)}{interval}\n{certainty(bar.line)}; {found.sentence}"


BAR_COLUMNS = (
    Column("Metric", lambda b: b.line.metric.label, 150, tooltip=lambda b: definition(b.line)),
    Column("Run", lambda b: str(b.line.run.id), 46, right=True, sort=lambda b: b.line.run.id,
           tooltip=lambda b: b.line.run.name, priority=3),
    Column("Baseline", lambda b: number(mean_of(b.line.first), b.line.metric.unit), 72, right=True,
           sort=lambda b: mean_of(b.line.first) or 0.0, priority=2),
    Column("This run", lambda b: number(mean_of(b.line.own), b.line.metric.unit), 72, right=True,
           sort=lambda b: mean_of(b.line.own) or 0.0, priority=1),
    Column("With its 95 % interval", lambda b: "", _WIDTH, stretch=True, tooltip=_about,
           sort=lambda b: b.value or 0.0),
    Column("Difference", _amount, 84, right=True, sort=lambda b: b.value or 0.0, tooltip=_about,
           colour=lambda b: better_colour(b.line)),
    Column("Interval", lambda b: between(b.line), 150, right=True, tooltip=_about, priority=4),
    Column("Result", lambda b: certainty(b.line), 92, tooltip=_about, priority=0,
           colour=lambda b: better_colour(b.line) or "text_muted"),
)  # fmt: skip
BAR_PLACE = 4  # of the column that the bar is drawn in


class BarDelegate(QStyledItemDelegate):
    """Draws the bar of a BarLine: a thick bar to the value, a thin line for the interval, a mark at 0."""

    def __init__(self, table: RecordTable, theme: Theme) -> None:
        super().__init__(table)
        self._table, self._theme = table, theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the room that a bar needs."""
        return QSize(scaled(_WIDTH), super().sizeHint(option, index).height())

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the ground of the cell as any other, and the bar on it."""
        super().paint(painter, option, index)
        bar: BarLine = self._table.records_model.record_at(index.row())
        rect = QRectF(option.rect).adjusted(scaled(_MARGIN), 0, -scaled(_MARGIN), 0)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        zero = rect.left() if bar.starts_left else rect.center().x()
        width = rect.width() if bar.starts_left else rect.width() / 2
        middle, high = rect.center().y(), min(rect.height() * 0.4, float(scaled(11)))
        painter.setPen(QPen(self._theme.colour("border"), 1))
        painter.drawLine(QPointF(zero, rect.top() + 3), QPointF(zero, rect.bottom() - 3))
        colour = self._theme.colour(better_colour(bar.line) or "muted_mark")
        if bar.value is not None:
            ends = sorted((zero, zero + bar.value * width))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(ends[0], middle - high / 2, ends[1] - ends[0], high), 2, 2)
        if bar.low is not None and bar.high is not None:
            painter.setPen(QPen(self._theme.colour("text"), 1.5))
            low, top = zero + bar.low * width, zero + bar.high * width
            painter.drawLine(QPointF(low, middle), QPointF(top, middle))
            for end in (low, top):
                painter.drawLine(QPointF(end, middle - high * 0.4), QPointF(end, middle + high * 0.4))
        painter.restore()


class DifferenceBars(RecordTable):
    """A table of metrics with a bar each; `show_lines` fills it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(BAR_COLUMNS, theme, "compared_bars", "No metric has a value yet.")
        self.setItemDelegateForColumn(BAR_PLACE, BarDelegate(self, theme))

    def show_lines(self, lines: Sequence[MetricLine]) -> None:
        """Show these metrics."""
        self.set_records(bar_lines(lines))
