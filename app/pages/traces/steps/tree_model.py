"""The steps of a trace as a tree for Qt: rows are made when they are looked at, and hold no long texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.widgets.labels import as_it_is
from app.widgets.theme import Theme
from rag.interchange.agents.rows import StepRow
from rag.interchange.rows import StepKind

Index = QModelIndex | QPersistentModelIndex
TITLES = ("Step", "Kind", "Timeline", "Took", "Tokens", "Cost")
STEP, KIND, TIMELINE, TOOK, TOKENS, COST = range(len(TITLES))
_RIGHT = (TOOK, TOKENS, COST)
_LONGEST_TIP = 400  # characters of a name or error
SERIES = {  # the colours of the waterfall, and of agents and tools beside them
    StepKind.EMBEDDING: 5,
    StepKind.RETRIEVER: 0,
    StepKind.CHAIN: 6,
    StepKind.PROMPT: 4,
    StepKind.LLM: 1,
    StepKind.EVALUATOR: 2,
    StepKind.RERANKER: 3,
    StepKind.AGENT: 7,
    StepKind.TOOL: 2,
    StepKind.GUARDRAIL: 4,
    StepKind.UNKNOWN: 6,
}


class StepTreeModel(QAbstractItemModel):
    """A tree of steps. An index holds the number of its step, so that none is looked for."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        """Make an empty tree."""
        super().__init__(parent)
        self._theme = theme
        self.steps: list[StepRow] = []
        self._children: list[list[int]] = [[]]  # of each step by its number from 1; of 0: the first steps
        self._row: list[int] = [0]  # of each step among the children of its parent
        self._parent: list[int] = [0]

    def set_steps(self, steps: Sequence[StepRow]) -> None:
        """Show these steps, which come parents before children; one without a known parent is a first one."""
        self.beginResetModel()
        self.steps = list(steps)
        number_of = {step.span_id: number for number, step in enumerate(self.steps, 1)}
        self._children = [[] for _ in range(len(self.steps) + 1)]
        self._row, self._parent = [0], [0]
        for number, step in enumerate(self.steps, 1):
            parent = number_of.get(step.parent_id, 0)
            parent = parent if parent < number else 0
            self._parent.append(parent)
            self._row.append(len(self._children[parent]))
            self._children[parent].append(number)
        self.endResetModel()

    def step_at(self, index: Index) -> StepRow | None:
        """Return the step of an index; None for none."""
        return self.steps[index.internalId() - 1] if index.isValid() else None

    def index_of(self, number: int) -> QModelIndex:
        """Return the index of the step with this number, from 1."""
        return self.createIndex(self._row[number], 0, number)

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:
        """Return the index of a child."""
        children = self._children[parent.internalId() if parent.isValid() else 0]
        if 0 <= row < len(children) and 0 <= column < len(TITLES):
            return self.createIndex(row, column, children[row])
        return QModelIndex()

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]
        """Return the index of the step that an index is below."""
        above = self._parent[index.internalId()] if index.isValid() else 0
        return self.index_of(above) if above else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        """Return how many steps are right below one."""
        if parent.isValid() and parent.column():
            return 0
        return len(self._children[parent.internalId() if parent.isValid() else 0])

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        """Return the number of columns."""
        return len(TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section in _RIGHT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        step = self.step_at(index)
        if step is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(step, column)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            tip = tip_of(step)
            return as_it_is(tip) if role == Qt.ItemDataRole.ToolTipRole else tip
        if role == Qt.ItemDataRole.TextAlignmentRole and column in _RIGHT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and column in (STEP, KIND):
            return self._theme.colour("bad") if step.error else None
        return None


def cell_text(step: StepRow, column: int) -> str:
    """Return the text of a cell; that of the timeline is for screen readers."""
    if column == STEP:
        return " ".join(step.title.split())
    if column == KIND:
        return f"{step.kind.words}, failed" if step.error else step.kind.words
    if column == TIMELINE:
        return f"from {step.start_ms:,.0f} to {step.end_ms:,.0f} ms"
    if column == TOOK:
        return took(step.took_ms)
    if column == TOKENS:
        return f"{step.tokens:,}" if step.tokens is not None else ""
    return f"${step.cost_usd:,.4f}" if step.cost_usd is not None else ""


def tip_of(step: StepRow) -> str:
    """Return what is said of a step where the mouse rests on it."""
    lines = [
        step.title[:_LONGEST_TIP],
        f"{step.kind.words}, from {step.start_ms:,.1f} to {step.end_ms:,.1f} ms",
    ]
    lines += [f"Failed: {step.error[:_LONGEST_TIP]}"] if step.error else []
    lines += [f"Times: {step.clock}"] if step.clock else []
    lines += ["The step above it never arrived."] if step.is_orphan else []
    lines += ["Another step is about the same call; it is counted there."] if not step.is_counted else []
    return "\n".join(lines)


def took(milliseconds: float) -> str:
    """Return a time as a person reads it."""
    return f"{milliseconds:,.0f} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:,.1f} s"
