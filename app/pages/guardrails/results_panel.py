"""What policies found and did, and whether that was right."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QWidget

from app.console import Console
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import column, refill
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.guardrails.policies.rows import Action, ResultFilter, StoredResult, list_results, read_masked
from rag.text.plurals import counted

_OPINIONS = (("Any opinion", ""), ("Not reviewed", "none"), ("Right", "right"), ("Wrong", "wrong"))
RESULT_COLUMNS = (
    Column("When", lambda r: date_time(r.created_ms), 138, sort=lambda r: r.created_ms, priority=9),
    Column("Policy", lambda r: f"{r.policy} {r.number}", 110),
    Column("Rule", lambda r: r.rule, 130, tooltip=lambda r: r.rule),
    Column("Where", lambda r: str(r.place), 110),
    Column("Did", lambda r: str(r.action), 80, priority=1),
    Column("What", lambda r: r.kind, 130, priority=0),
    Column("Why", lambda r: r.reason, 180, stretch=True, tooltip=lambda r: r.reason),
    Column("Document", lambda r: r.document or "–", 110, tooltip=lambda r: r.document),
    Column("Opinion", lambda r: r.opinion or "–", 80,
           colour=lambda r: {"right": "good", "wrong": "bad"}.get(r.opinion)),
)  # fmt: skip


class ResultsPanel(QWidget):
    """A panel with the results of one policy or of all, and what a person says of them."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._policy = ""
        self.table = RecordTable(
            RESULT_COLUMNS, console.theme, "guard_results", "No policy found anything yet."
        )
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.action, self.opinion = QComboBox(), QComboBox()
        self.action.setAccessibleName("Action")
        self.opinion.setAccessibleName("Opinion")
        refill(self.action, [("Any action", ""), *((str(action), str(action)) for action in Action)])
        refill(self.opinion, _OPINIONS)
        self.right_button = button("Right", lambda: self.review(True), tip="What it did was right")
        self.wrong_button = button("Wrong", lambda: self.review(False), tip="It was a false alarm")
        self.back_button = button("Take back", lambda: self.review(None), tip="Forget what was said of it")
        self.trace_button = button("Show the trace", self.open_trace)
        self.masked = label("", "small", wrap=True)
        self.counts = label("", "small", wrap=True)
        column(
            Toolbar(self.action, self.opinion, 1, self.right_button, self.wrong_button, self.back_button,
                    self.trace_button),
            (self.table, 1), self.masked, self.counts, holder=self, top=SMALL_SPACE,
        )  # fmt: skip
        for box in (self.action, self.opinion):
            box.currentIndexChanged.connect(lambda _i: self.refresh())
        self.table.selectionModel().selectionChanged.connect(lambda _n, _o: self._show_chosen())
        self.table.record_activated.connect(lambda _r: self.open_trace())
        self._show_chosen()

    def show_policy(self, name: str) -> None:
        """List the results of a policy; "" of all."""
        self._policy = name
        self.refresh()

    def refresh(self) -> None:
        """Read the results again."""
        wanted = ResultFilter(
            policy=self._policy,
            action=self.action.currentData() or "",
            opinion=self.opinion.currentData() or "",
        )
        rows = list_results(self._console.database, wanted)
        self.table.set_records(rows, keep_sort=True)
        right, wrong = (sum(row.opinion == said for row in rows) for said in ("right", "wrong"))
        self.counts.setText(f"{counted(len(rows), 'result')}, {right:,} called right, {wrong:,} wrong")
        self._show_chosen()

    def review(self, is_right: bool | None) -> None:
        """Store what a person says of the chosen results."""
        chosen: list[StoredResult] = self.table.selected_records()
        for result in chosen:
            self._console.run(
                operations.review_result, lambda _d: self.refresh(), result_id=result.id, is_right=is_right
            )

    def open_trace(self) -> None:
        """Show the trace of the chosen result."""
        chosen: list[StoredResult] = self.table.selected_records()
        if chosen and chosen[0].trace_id:
            self.trace_requested.emit(chosen[0].trace_id)

    def _show_chosen(self) -> None:
        chosen: list[StoredResult] = self.table.selected_records()
        missing = "" if chosen else "Choose a result first."
        for made in (self.right_button, self.wrong_button, self.back_button):
            allow(made, missing)
        has_trace = bool(chosen and chosen[0].trace_id)
        allow(
            self.trace_button, missing or ("" if has_trace else "It was found in a document, not in a trace.")
        )
        masked = read_masked(self._console.database, chosen[0].trace_id) if has_trace else {}
        self.masked.setText("Masked: " + ", ".join(f"{k} = {v}" for k, v in masked.items()) if masked else "")
        self.masked.setVisible(bool(masked))
