"""The tab "Agents" of a received trace: who calls whom as a graph and as tables, totals and loops."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QTabWidget, QWidget

from app.console import Console
from app.pages.traces.steps.graph import MOST_DRAWN, CallGraph, drawn_parties
from app.pages.traces.steps.tree_model import took
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column
from app.widgets.theme import SPACE
from rag.interchange.agents.calls.rows import Calls, Loop, Party, PartySum, calls_of
from rag.interchange.agents.rows import list_steps
from rag.text.plurals import counted


def _tokens(one: PartySum) -> str:
    if one.prompt_tokens is None and one.completion_tokens is None:
        return "–"
    return f"{one.prompt_tokens or 0:,} + {one.completion_tokens or 0:,}"


def _told(one: PartySum) -> str:
    said = f"{counted(one.model_calls, 'call')} of models"
    return f"{said}; {one.untold:,} did not tell their tokens" if one.untold else said


SUM_COLUMNS = (
    Column("Name", lambda s: s.party.title, 150, tooltip=lambda s: s.party.title, stretch=True),
    Column("Kind", lambda s: s.party.kind, 80),
    Column("Calls", lambda s: f"{s.calls:,}", 54, right=True, sort=lambda s: s.calls),
    Column("Failed", lambda s: f"{s.errors:,}", 54, right=True, sort=lambda s: s.errors,
           colour=lambda s: "bad" if s.errors else None),
    Column("Tokens", _tokens, 90, right=True, tooltip=_told,
           sort=lambda s: (s.prompt_tokens or 0) + (s.completion_tokens or 0)),
    Column("Cost", lambda s: "–" if s.cost_usd is None else f"${s.cost_usd:,.4f}", 70, right=True,
           sort=lambda s: s.cost_usd, tooltip=lambda s: "As the application told it"),
    Column("Time", lambda s: took(s.took_ms), 70, right=True, sort=lambda s: s.took_ms),
)  # fmt: skip
CALL_COLUMNS = (
    Column("Caller", lambda c: c.caller.title, 140, tooltip=lambda c: c.caller.title, stretch=True),
    Column("Calls", lambda c: c.callee.title, 140, tooltip=lambda c: c.callee.title, priority=0),
    Column("Kind", lambda c: c.callee.kind, 80),
    Column("Times", lambda c: f"{c.count:,}", 54, right=True, sort=lambda c: c.count),
    Column("Failed", lambda c: f"{c.errors:,}", 54, right=True, sort=lambda c: c.errors,
           colour=lambda c: "bad" if c.errors else None),
    Column("Time", lambda c: took(c.took_ms), 70, right=True, sort=lambda c: c.took_ms),
)  # fmt: skip
LOOP_COLUMNS = (
    Column("Tool", lambda one: one.tool, 150, tooltip=lambda one: one.sentence, stretch=True),
    Column("Times", lambda one: f"{one.count:,}", 54, right=True, sort=lambda one: one.count),
    Column("Tokens wasted", lambda one: "–" if one.wasted_tokens is None else f"{one.wasted_tokens:,}", 90,
           right=True, sort=lambda one: one.wasted_tokens,
           tooltip=lambda one: "Of the calls of models that asked for the repeats, or that these made"),
    Column("Time wasted", lambda one: took(one.wasted_ms), 80, right=True, sort=lambda one: one.wasted_ms),
)  # fmt: skip


class AgentsPanel(QWidget):
    """A graph of calls above tables of the same; nothing is read before the panel is seen."""

    step_requested = Signal(str)  # the id of its span

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._trace_id = self._shown = ""
        self.count = label("", "small", wrap=True)
        self.loops_line = label("", "warning", wrap=True)
        self.graph = CallGraph(console.theme)
        self.sums = RecordTable(SUM_COLUMNS, console.theme, "trace_agents", "No agent or tool was called.")
        self.calls = RecordTable(CALL_COLUMNS, console.theme, "trace_calls", "No agent or tool was called.")
        self.loops = RecordTable(
            LOOP_COLUMNS,
            console.theme,
            "trace_loops",
            "No tool was called three times with the same arguments.",
        )
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for table, title in ((self.sums, "Totals"), (self.calls, "Calls"), (self.loops, "Loops")):
            self.tabs.addTab(table, title)
        self.graph.party_chosen.connect(self._choose)
        self.loops.record_activated.connect(self._open_loop)
        upper = column(self.count, self.loops_line, (self.graph, 1), top=SPACE)
        splitter = Splitter("traces/agents", upper, self.tabs, (300, 240), vertical=True, least=(130, 110))
        column((splitter, 1), holder=self)

    def show_trace(self, trace_id: str) -> None:
        """Show the calls of a trace, now or when the panel is seen."""
        self._trace_id = trace_id
        if self.isVisible():
            self._load()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the steps of the trace that was chosen in the meantime."""
        super().showEvent(event)
        if self._shown != self._trace_id:
            self._load()

    def _load(self) -> None:
        self._shown = self._trace_id
        found = calls_of(list_steps(self._console.database, self._trace_id))
        self.graph.show_calls(found)
        self.sums.set_records(found.sums)
        self.calls.set_records(found.calls)
        self.loops.set_records(found.loops)
        self.count.setText(summary(found))
        self.loops_line.setText("; ".join(loop.sentence for loop in found.loops[:3]))
        self.loops_line.setVisible(bool(found.loops))

    def _choose(self, party: Party) -> None:
        self.tabs.setCurrentWidget(self.sums)
        self.sums.choose(lambda one: one.party == party)

    def _open_loop(self, loop: Loop) -> None:
        self.step_requested.emit(loop.span_ids[-1])


def summary(found: Calls) -> str:
    """Return what takes part in the calls, in a line."""
    kinds: dict[str, int] = {}
    for one in found.sums:
        if one.party.name:
            kinds[one.party.kind] = kinds.get(one.party.kind, 0) + 1
    if not kinds:
        return "This trace names no agent and no tool."
    parts = [counted(count, kind) for kind, count in kinds.items()]
    if len(drawn_parties(found, MOST_DRAWN + 1)) > MOST_DRAWN:
        parts.append(f"the {MOST_DRAWN} with the most calls are drawn, the tables have all")
    return "  ·  ".join(parts)
