"""The tab "Session" of a received trace: all traces of its session in order, with what they add up to."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.console import Console
from app.pages.traces.steps.tree_model import took
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column
from app.widgets.theme import SPACE, STATUS_COLOURS
from rag.interchange.agents.rows import SessionSum, SessionTrace, list_session, sum_session
from rag.text.plurals import counted


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000)
    return moment.strftime("%H:%M:%S" if moment.date() == datetime.now().date() else "%d %b %H:%M")


def _state(trace: SessionTrace) -> str:
    return ", ".join(trace.silent_failures) or str(trace.status)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


COLUMNS = (
    Column("Time", lambda t: _time(t.created_ms), 88, sort=lambda t: t.created_ms),
    Column("Question", lambda t: t.question, 130, tooltip=lambda t: t.question, stretch=True),
    Column("Status", _state, 90, tooltip=_state,
           colour=lambda t: "check" if t.silent_failures else STATUS_COLOURS.get(t.status)),
    Column("Steps", lambda t: _count(t.step_count), 50, right=True, sort=lambda t: t.step_count),
    Column("Tool errors", lambda t: _count(t.tool_errors), 50, right=True, sort=lambda t: t.tool_errors,
           priority=8),
    Column("Flags", lambda t: f"{t.flag_count:,}", 46, right=True, sort=lambda t: t.flag_count, priority=9),
    Column("Tokens", lambda t: f"{t.prompt_tokens:,} + {t.completion_tokens:,}", 86, right=True,
           sort=lambda t: t.prompt_tokens + t.completion_tokens),
    Column("Cost", lambda t: "–" if t.cost_usd is None else f"${t.cost_usd:,.4f}", 66, right=True,
           sort=lambda t: t.cost_usd),
    Column("Took", lambda t: "–" if t.total_ms is None else took(t.total_ms), 66, right=True,
           sort=lambda t: t.total_ms),
)  # fmt: skip


class SessionPanel(QWidget):
    """A table of the traces of one session; the one that is open is chosen."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.sums = label("", "small", wrap=True)
        self.table = RecordTable(COLUMNS, console.theme, "trace_session", "No other trace of this session.")
        self.table.record_activated.connect(lambda trace: self.trace_requested.emit(trace.id))
        column(self.sums, (self.table, 1), holder=self, top=SPACE)

    def show_session(self, session_id: str, trace_id: str) -> int:
        """Show the received traces of a session; return how many there are."""
        traces = list_session(self._console.database, session_id)
        self.table.set_records(traces)
        self.table.choose(lambda trace: trace.id == trace_id)
        self.sums.setText(summary(sum_session(traces)))
        return len(traces)


def summary(total: SessionSum) -> str:
    """Return what a session adds up to, in a line."""
    cost = "cost not told" if total.cost_usd is None else f"${total.cost_usd:,.4f}"
    if total.cost_usd is not None and total.without_cost:
        cost += f" ({counted(total.without_cost, 'trace')} did not tell it)"
    parts = [
        counted(total.traces, "trace"),
        counted(total.steps, "step"),
        f"{counted(total.tool_calls, 'tool call')}, {total.tool_errors:,} failed",
        counted(total.loops, "loop"),
        f"{total.prompt_tokens:,} + {total.completion_tokens:,} tokens",
        cost,
        f"{took(total.busy_ms)} at work in {took(total.ended_ms - total.began_ms)}",
    ]
    if total.failed:
        parts.insert(1, f"{total.failed:,} failed")
    return "  ·  ".join(parts)
