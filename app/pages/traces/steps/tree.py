"""The tree of a trace's steps with its timeline: one row a step, a bar where it was at work."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from app.pages.traces.steps.tree_model import (
    COST,
    KIND,
    SERIES,
    STEP,
    TIMELINE,
    TITLES,
    TOKENS,
    TOOK,
    Index,
    StepTreeModel,
    cell_text,
)
from app.widgets.tables.menu import copy_text
from app.widgets.theme import Theme, scaled
from rag.interchange.agents.rows import StepRow

_OPEN_ROWS = 300  # as many are unfolded at first: more would have to be scrolled through anyway
_WIDTHS = {KIND: 80, TOOK: 72, TOKENS: 62, COST: 70}  # pixels at a text size of 100 %
_LEAST = 230  # pixels for names and timeline together; others go before it is less
_LEAVING = (COST, TOKENS, KIND)  # in this order; the chosen step's figures have all of them
_SHARE = 0.6  # of the room of both, for the names
_LEAST_BAR = 2.0  # pixels


class StepTree(QTreeView):
    """A tree of steps that is walked with the arrow keys; `step_selected` has the step that is chosen."""

    step_selected = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Make an empty tree."""
        super().__init__(parent)
        self.steps_model = StepTreeModel(theme, self)
        self.setModel(self.steps_model)
        self.setAccessibleName("Steps of the trace")
        self.setUniformRowHeights(True)  # without it Qt asks every row for its height
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIndentation(scaled(14))
        self.setItemDelegateForColumn(TIMELINE, _Timeline(theme, self.steps_model, self))
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(scaled(40))
        header.setSectionResizeMode(TIMELINE, QHeaderView.ResizeMode.Stretch)
        self._empty: set[int] = set()
        self.selectionModel().currentRowChanged.connect(lambda index, _before: self._emit(index))

    def set_steps(self, steps: Sequence[StepRow]) -> None:
        """Show these steps, unfolded as far as that is not too long to read, and choose the first."""
        self.steps_model.set_steps(steps)
        told = {
            TOKENS: any(step.tokens is not None for step in steps),
            COST: any(step.cost_usd is not None for step in steps),
        }
        self._empty = {column for column, is_told in told.items() if not is_told}
        self._fit()
        depth = open_depth(steps)
        if depth is None:
            self.expandAll()
        else:
            self.expandToDepth(depth)
        if steps:
            self.choose(1)

    def choose(self, number: int) -> None:
        """Choose the step with this number, from 1, and unfold what it is below."""
        index = self.steps_model.index_of(number)
        above = index.parent()
        while above.isValid():
            self.expand(above)
            above = above.parent()
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)

    @property
    def number(self) -> int:
        """The number of the step that is chosen; 0 when none is."""
        index = self.currentIndex()
        return int(index.internalId()) if index.isValid() else 0

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the chosen step, or do what Qt does: arrow keys walk and unfold, * unfolds all below."""
        step = self.steps_model.step_at(self.currentIndex())
        if step is not None and event.matches(QKeySequence.StandardKey.Copy):
            copy_text("\t".join(cell_text(step, column) for column in range(len(TITLES))))
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns into the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide what nobody told, then what has no room, and share the rest between names and timeline."""
        room, shown = self.viewport().width(), [column for column in _WIDTHS if column not in self._empty]
        for column in _LEAVING:
            if column in shown and room - sum(scaled(_WIDTHS[c]) for c in shown) < scaled(_LEAST):
                shown.remove(column)
        for column, width in _WIDTHS.items():
            self.setColumnHidden(column, column not in shown)
            if column in shown:
                self.header().resizeSection(column, scaled(width))
        left = room - sum(scaled(_WIDTHS[column]) for column in shown)
        self.header().resizeSection(STEP, max(int(left * _SHARE), scaled(100)))

    def _emit(self, index: Index) -> None:
        step = self.steps_model.step_at(index)
        if step is not None:
            self.step_selected.emit(step)


def open_depth(steps: Sequence[StepRow], most: int = _OPEN_ROWS) -> int | None:
    """Return the depth to which a tree is unfolded at first; None: all of it."""
    if len(steps) <= most:
        return None
    counts: dict[int, int] = {}
    for step in steps:
        counts[step.depth] = counts.get(step.depth, 0) + 1
    shown, depth = counts.get(0, 0) + counts.get(1, 0), 0  # the root alone says nothing
    while depth + 2 in counts and shown + counts[depth + 2] <= most:
        depth += 1
        shown += counts[depth + 1]
    return depth


class _Timeline(QStyledItemDelegate):
    """Paints a bar from the start to the end of a step, on the time of the whole trace."""

    def __init__(self, theme: Theme, model: StepTreeModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._model = theme, model
        self._total = 1.0
        model.modelReset.connect(self._measure)

    def _measure(self) -> None:
        self._total = max((step.end_ms for step in self._model.steps), default=0.0) or 1.0

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:  # type: ignore[override]
        """Paint the ground and the bar; the text of the cell is for screen readers."""
        step = self._model.step_at(index)
        if step is None:
            return
        empty = QStyleOptionViewItem(option)
        self.initStyleOption(empty, index)
        empty.text = ""  # type: ignore[attr-defined]
        widget = empty.widget  # type: ignore[attr-defined]
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, empty, painter, widget)
        area = QRectF(option.rect).adjusted(4, 3, -4, -3)  # type: ignore[attr-defined]
        left, length = bar_of(step, self._total, area.width())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        colour = self._theme.colour("bad") if step.error else self._theme.series(SERIES[step.kind])
        painter.setBrush(colour)
        painter.drawRoundedRect(QRectF(area.left() + left, area.top(), length, area.height()), 2, 2)
        painter.restore()


def bar_of(step: StepRow, total_ms: float, width: float) -> tuple[float, float]:
    """Return where a bar begins and how long it is, in pixels; it is always inside the width and seen."""
    length = min(max(step.took_ms / total_ms * width, _LEAST_BAR), width)
    return min(max(step.start_ms / total_ms * width, 0.0), width - length), length
