"""A trace and its replays side by side: what each changed, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.console import Console
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import IconButton, button
from app.widgets.labels import ElidedLabel, label, set_tip
from app.widgets.layout import Flow, Panel, row
from app.widgets.theme import SMALL_SPACE, scaled
from rag.asking.replay.comparison.rows import TraceComparison
from rag.asking.rows import TraceDetail, TraceStatus
from rag.costs.rows import CostSum

_WIDTH = 230  # of a column, in pixels at a text size of 100 %


@dataclass(frozen=True)
class Shown:
    """What a column shows: a trace, its difference from the first, and what was changed in it."""

    title: str
    trace: TraceDetail
    comparison: TraceComparison | None = None  # None: it is the first


class ReplayColumn(Panel):
    """A column about one answer, with what can be done with it."""

    chosen = Signal(str)  # trace id: its differences are to be shown
    opened = Signal(str)
    pipeline_wanted = Signal(str)
    case_wanted = Signal(str)

    def __init__(self, console: Console, shown: Shown, cost: CostSum | None) -> None:
        super().__init__()
        self.trace_id = shown.trace.id
        self.setFixedWidth(scaled(_WIDTH))
        self.body.setSpacing(SMALL_SPACE)
        self.title = ElidedLabel(shown.title)
        self.title.setProperty("role", "section")
        set_tip(self.title, shown.title)
        self.figures = label("\n".join(_figures(shown, cost)), "small", wrap=True)
        self.answer = AnswerView(console.theme)
        trace = shown.trace
        markers = [hit.marker for hit in trace.hits if hit.marker is not None]
        self.answer.set_answer(trace.answer or trace.error or "No answer.", markers, trace.claims)
        self.body.addWidget(self.title)
        self.body.addWidget(self.figures)
        self.body.addWidget(self.answer)
        if shown.comparison is not None:
            self.body.addLayout(Flow(*self._actions(trace)))
        self.body.addStretch(1)

    def _actions(self, trace: TraceDetail) -> list[QWidget]:
        made = [
            button("Differences", lambda: self.chosen.emit(self.trace_id), link=True,
                   tip="Show below what differs: sentences, passages, prompt"),
            button("Open the trace", lambda: self.opened.emit(self.trace_id), link=True),
        ]  # fmt: skip
        if trace.status is TraceStatus.DONE:
            made += [
                button("Save as a pipeline…", lambda: self.pipeline_wanted.emit(self.trace_id), link=True,
                       tip="A pipeline that answers as this replay did"),
                button("Save as a case…", lambda: self.case_wanted.emit(self.trace_id), link=True,
                       tip="Its question and answer become a case of an evaluation set"),
            ]  # fmt: skip
        return list(made)


class PlannedColumn(Panel):
    """A column for a variant that is not answered yet."""

    removed = Signal()

    def __init__(self, console: Console, title: str, state: str) -> None:
        super().__init__()
        self.setFixedWidth(scaled(_WIDTH))
        self.title = ElidedLabel(title)
        self.title.setProperty("role", "section")
        set_tip(self.title, title)
        self.state = label(state, "muted", wrap=True)
        self.remove = IconButton(console.theme, "cancel", "Take this variant out", self.removed.emit)
        self.body.addLayout(row((self.title, 1), self.remove))
        self.body.addWidget(self.state)
        self.body.addStretch(1)


class ColumnStrip(QWidget):
    """Columns side by side; it is as wide as they are, and scrolled sideways."""

    def __init__(self) -> None:
        super().__init__()
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(SMALL_SPACE)
        self._line.addStretch(1)
        self.columns: list[QWidget] = []

    def show_columns(self, columns: list[QWidget]) -> None:
        """Show these instead of those before."""
        for old in self.columns:
            self._line.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.columns = columns
        for place, made in enumerate(columns):
            self._line.insertWidget(place, made)
            made.show()


def _figures(shown: Shown, cost: CostSum | None) -> list[str]:
    """Return the figures of a column, a line each."""
    trace, found = shown.trace, shown.comparison
    lines = [trace.state if found is not None else "as it was answered"]
    lines.append(f"Model: {trace.model or 'none'}")
    if found is None:
        lines.append(f"Passages: {trace.passage_count}")
        lines.append(f"Sentences: {trace.claim_count} checked, {trace.flag_count} flagged")
    else:
        lines.append(f"Passages: {found.passages_sentence()}")
        lines.append(f"Sentences: {found.claims_sentence()}")
    cached = f", {trace.cached_tokens:,} cached" if trace.cached_tokens else ""
    lines.append(f"Tokens: {trace.prompt_tokens:,} + {trace.completion_tokens:,}{cached}")
    lines.append("Time: –" if trace.total_ms is None else f"Time: {trace.total_ms / 1000:,.1f} s")
    lines.append(f"Cost: {cost.sentence() if cost is not None else 'not worked out yet'}")
    return lines
