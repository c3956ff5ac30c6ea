"""Which passage carries a sentence: one click has the prompt answered without each of its passages."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, column, on_escape
from rag import operations
from rag.asking.replay.rows import (
    Attribution,
    VariantStarted,
    checkable,
    expected,
    read_attribution,
)
from rag.asking.rows import TraceDetail, TraceSource
from rag.finding.rows import Kind, Place
from rag.grounding.rows import ClaimResult

# Rows are (attribution, marker, document, place).
_COLUMNS = (
    Column("Left out", lambda r: f"[{r[1]}]", 70),
    Column("Document", lambda r: f"{r[2]} {r[3]}".strip(), 120, tooltip=lambda r: f"{r[2]} {r[3]}".strip()),
    Column("Sentences that fall without it", lambda r: _falling(r), 240, stretch=True,
           tooltip=lambda r: _falling(r), colour=lambda r: "check" if r[0].falling(r[1]) else None),
)  # fmt: skip


class CarryPanel(QWidget):
    """A button that finds what each passage carries, what it will take, and what was found."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._trace: TraceDetail | None = None
        self._claim: ClaimResult | None = None
        self._task: Task | None = None
        self._task_of = ""
        self.start = button(
            "Which passage carries this sentence?",
            self.find_carrier,
            tip="Answer the prompt again at temperature 0, with all passages and without each of them",
        )
        self.stop = button("Stop", self.cancel, tip="Esc; what was answered until then is kept")
        self.stop.hide()
        self.progress, self.said = label("", "small", wrap=True), label("", wrap=True)
        self.table = RecordTable(_COLUMNS, console.theme, "traces_carry", "Nothing was left out yet.")
        self.table.record_activated.connect(self._open)
        column(Flow(self.start, self.stop, self.progress), self.said, (self.table, 1), holder=self)
        self.table.hide()
        self.said.hide()
        on_escape(self.stop, self.cancel)

    def show_claim(self, trace: TraceDetail, claim: ClaimResult | None) -> None:
        """Show what is known of a sentence of a trace; None: of no sentence yet."""
        self._trace, self._claim = trace, claim
        self._draw()

    def find_carrier(self) -> None:
        """Answer with all passages and without each, which also says what carries the other sentences."""
        if self._trace is None or self._task is not None:
            return
        task = self._console.engine.start(operations.attribute_trace, trace_id=self._trace.id)
        self._task, self._task_of = task, self._trace.id
        self.progress.setText("Waiting…")
        task.event.connect(self._step)
        task.failed.connect(self._console.report_failure)
        task.ended.connect(self._ended)
        self._draw()

    def cancel(self) -> None:
        """Stop; what was answered until then is kept."""
        if self._task is not None:
            self._task.cancel()

    def _step(self, event: object) -> None:
        if isinstance(event, VariantStarted):
            left = ", ".join(f"[{number}]" for number in event.changes.without)
            what = f"without {left}" if left else "with all passages"
            self.progress.setText(f"{event.number} of {event.total}: {what}")
            self._draw()

    def _ended(self) -> None:
        self._task = None
        self._console.run(operations.record_costs)
        self._draw()

    def _draw(self) -> None:
        trace, claim = self._trace, self._claim
        if trace is None:
            return
        found = read_attribution(self._console.database, trace.id)
        runs = self._task is not None
        if not runs:
            self.progress.setText("" if _why_not(trace, claim) else f"Takes {expected(trace).sentence()}.")
        self.stop.setVisible(runs)
        if runs and self.start.hasFocus():
            self.stop.setFocus()  # else Qt gives it to whatever comes next, and Esc would stop nothing
        allow(self.start, "Answers are being made" if runs else _why_not(trace, claim))
        rows = [(found, *passage) for passage in found.passages] if found is not None else []
        self.table.set_records(rows)
        self.table.setVisible(bool(rows))
        self.said.setVisible(found is not None and claim is not None)
        if found is not None and claim is not None:
            self.said.setText(_said(found, claim))

    def _open(self, record: tuple[Attribution, int, str, str]) -> None:
        found, marker = record[:2]
        for one in found.answers:
            if one.marker == marker:
                self._console.place_requested.emit(Place(Kind.TRACE, one.trace_id))


def _why_not(trace: TraceDetail, claim: ClaimResult | None) -> str:
    """Return why a trace cannot be asked about, "" where it can."""
    if not trace.passage_count:
        return "The prompt of this trace has no passages"
    if not trace.prompt and trace.source is not TraceSource.RECEIVED:
        return "The model was not asked in this trace"
    if not checkable(trace.claims):
        return "No sentence of this answer claims something"
    return "" if claim is None or claim.verdict.is_claim else "This sentence claims nothing"


def _said(found: Attribution, claim: ClaimResult) -> str:
    failed = [one for one in found.answers if one.error]
    said = found.sentence(claim.start) if claim.verdict.is_claim else "This sentence claims nothing."
    return " ".join([said, *(f"Without [{one.marker}]: {one.error}" for one in failed if one.marker)])


def _falling(record: tuple[Attribution, int, str, str]) -> str:
    found, marker = record[:2]
    if marker in found.untried:
        return "not tried"
    return "  ·  ".join(claim.text for claim in found.falling(marker)) or "none"
