"""Traces: every question with everything that led to its answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.traces.export_dialog import ExportDialog
from app.pages.traces.receiver_bar import ReceiverBar
from app.pages.traces.steps.search_panel import StepSearch
from app.pages.traces.trace_view import TraceView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import as_it_is, label
from app.widgets.layout import EmptyState, Flow, Panel, Splitter, column, refill, row
from app.widgets.navigation import SearchField
from app.widgets.theme import SMALL_SPACE, SPACE, STATUS_COLOURS, VERDICT_COLOURS
from rag.asking.applications.rows import application_choices
from rag.asking.rows import (
    ASKED,
    WITHOUT_SOURCES,
    TraceFilter,
    TraceRow,
    count_traces,
    get_trace,
    list_trace_models,
    list_traces,
)
from rag.errors import NotFoundError
from rag.grounding.rows import SilentFailure, Verdict
from rag.interchange.agents.rows import has_steps
from rag.knowledge.rows import list_collections
from rag.text.plurals import counted

_DAY_MS = 86_400_000
_TIMES = (
    ("Any time", None),
    ("Last hour", _DAY_MS // 24),
    ("Last day", _DAY_MS),
    ("Last 7 days", 7 * _DAY_MS),
    ("Last 30 days", 30 * _DAY_MS),
)
_MOST_EXPORTED = 10_000  # of a list, in one go
_FILTER_LENGTH = 11  # characters: a model file may have a long name, and its tooltip has all of it
_VERDICTS = ("flagged", *(verdict.value for verdict in Verdict))
_SOURCES = (
    ("Asked", ASKED),
    ("Asked by people", "person"),
    ("Asked by programs", "server"),
    ("Evaluation", "evaluation"),
    ("Regression questions", "regression"),
    ("Replays", "replay"),
    ("Other applications", "received"),
    ("Any source", ""),
)


def _short_time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000)
    return moment.strftime("%H:%M:%S" if moment.date() == datetime.now().date() else "%d %b %H:%M")


def _day_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %H:%M")


def _flags(trace: TraceRow) -> str:
    if trace.flag_count:
        return f"{trace.flag_count} of {trace.claim_count}"
    return "none" if trace.claim_count else "–"


TRACE_COLUMNS = (
    Column("Time", lambda t: _short_time(t.created_ms), 88, tooltip=lambda t: t.id),
    Column("Question", lambda t: t.question, 260, stretch=True, tooltip=lambda t: t.question),
    Column(
        "Status",
        lambda t: t.state,
        92,
        colour=lambda t: "check" if t.is_suspicious else STATUS_COLOURS.get(t.status),
        tooltip=lambda t: t.error or t.explained,
    ),
    Column(
        "Flags",
        _flags,
        66,
        colour=lambda t: VERDICT_COLOURS.get(t.worst_verdict) if t.flag_count else "text_muted",
    ),
    Column(
        "Tokens",
        lambda t: f"{t.prompt_tokens:,} + {t.completion_tokens:,}",
        86,
        right=True,
        tooltip=lambda t: f"{t.prompt_tokens:,} of the prompt, {t.completion_tokens:,} of the answer",
        priority=9,
    ),
    Column(
        "Took",
        lambda t: "–" if t.total_ms is None else f"{t.total_ms / 1000:,.1f} s",
        64,
        right=True,
        sort=lambda t: t.total_ms,
        priority=8,
    ),
)


class TracesPage(QWidget):
    """A list of traces with filters, and the chosen trace beside it."""

    ask_requested = Signal()
    collection_changed = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._shown = ""
        self.search = SearchField("Words in question or answer")
        self.collection_box, self.model_box = QComboBox(), QComboBox()
        self.verdict_box, self.time_box = QComboBox(), QComboBox()
        self.source_box, self.silent_box = QComboBox(), QComboBox()
        self.count = label("", "small")
        self.receiver = ReceiverBar(console)
        self.receiver.arrived.connect(self.refresh)
        self.export_button = button(
            "Export…", self.open_export, link=True, tip="Write traces to a file, or send them to another tool"
        )
        self.table = RecordTable(TRACE_COLUMNS, console.theme, "traces", "No trace matches these filters.")
        self.table.actions_for = self._actions
        self.view = TraceView(console)
        self.view.steps.trace_requested.connect(self.open_trace)
        self.view.session.trace_requested.connect(self.open_trace)
        self.step_search = StepSearch(console)
        self.step_search.step_requested.connect(self.open_step)
        self.table.record_selected.connect(lambda trace: self._show(trace.id))
        self.table.record_activated.connect(lambda trace: self._show(trace.id))
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                console.theme, "traces", "No traces yet",
                "Every question leaves a trace here: what was found, what was dropped and why, the exact "
                "prompt, tokens and flags.",
                button("Ask a question", self.ask_requested.emit, primary=True),
            )
        )  # fmt: skip
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(self.receiver)
        layout.addWidget(self._stack, 1)
        console.data_changed.connect(self.refresh)
        self.refresh()

    @property
    def collection_name(self) -> str:
        """The collection whose traces are listed; empty for all."""
        return str(self.collection_box.currentData() or "")

    @property
    def trace_id(self) -> str:
        """The trace that is shown; empty before one is."""
        return self._shown

    def refresh(self) -> None:
        """Read the names for the filters again, and the list when it can be seen."""
        self._fill_filters()
        if self.isVisible() or self.table.records_model.rowCount() == 0:
            self._reload()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the list again: it was not followed while it was hidden."""
        super().showEvent(event)
        self._reload()

    def open_trace(self, trace_id: str) -> None:
        """Show one trace, whatever the filters say."""
        self._stack.setCurrentIndex(1)
        self._show(trace_id)
        self.table.choose(lambda trace: trace.id == trace_id)

    def open_step(self, trace_id: str, span_id: str) -> None:
        """Show one step of a received trace."""
        if trace_id != self._shown:
            self.open_trace(trace_id)
        if trace_id == self._shown:  # it may have been deleted in the meantime
            self.view.show_step(span_id)

    def show_only(self, *, collection: str = "", verdict: str = "", silent: str = "") -> None:
        """Set the filters as another page asks for."""
        self.search.clear()
        self.collection_box.setCurrentIndex(max(self.collection_box.findData(collection), 0))
        self.verdict_box.setCurrentIndex(max(self.verdict_box.findData(verdict), 0))
        self.silent_box.setCurrentIndex(max(self.silent_box.findData(silent), 0))
        self.time_box.setCurrentIndex(0)
        self._reload()

    def show_between(self, start_ms: int, end_ms: int, collection: str = "") -> None:
        """List the questions of people in a stretch of time, in Unix milliseconds, both ends included."""
        if self.time_box.count() > len(_TIMES):
            self.time_box.removeItem(len(_TIMES))
        self.time_box.addItem(f"{_day_time(start_ms)} – {_day_time(end_ms)}", (start_ms, end_ms))
        self.show_only(collection=collection)
        self.time_box.setCurrentIndex(len(_TIMES))

    def open_export(self) -> ExportDialog:
        """Open the dialog that gives the chosen traces, or all that are listed, to other tools."""
        database, wanted = self._console.database, self._filter()
        dialog = ExportDialog(
            self._console, self.table.selected_records(),
            lambda: list_traces(database, wanted, _MOST_EXPORTED),
            min(count_traces(database, wanted), _MOST_EXPORTED), self,
        )  # fmt: skip
        dialog.open()
        return dialog

    def _make_content(self) -> QWidget:
        self._make_filters()
        left = Panel()
        filters = (self.search, self.source_box, self.time_box, self.collection_box, self.model_box)
        listed = column(
            Flow(*filters, self.verdict_box, self.silent_box),
            (self.table, 1),
            row((self.count, 1), self.export_button),
            top=SMALL_SPACE,
            spacing=SMALL_SPACE + 2,
        )
        self.lists = QTabWidget()
        self.lists.setDocumentMode(True)
        self.lists.addTab(listed, "Traces")
        self.lists.addTab(self.step_search, "Steps")
        left.body.addWidget(self.lists)
        right = Panel()
        self._detail_stack = QStackedWidget()
        self._detail_stack.addWidget(
            EmptyState(
                self._console.theme,
                "traces",
                "No trace chosen",
                "Choose one in the list to see how it was answered.",
            )
        )
        self._detail_stack.addWidget(self.view)
        right.body.addWidget(self._detail_stack)
        return Splitter("traces/splitter", left, right, (640, 540), stretch=(1, 1))

    def _make_filters(self) -> None:
        self.verdict_box.addItem("Any verdict", "")
        for verdict in _VERDICTS:
            words = verdict if verdict == "flagged" else Verdict(verdict).words
            self.verdict_box.addItem(words.capitalize(), verdict)
        self.silent_box.addItem("Any answer", "")
        self.silent_box.addItem("Silent failures", "any")
        for number, failure in enumerate(SilentFailure, 2):
            self.silent_box.addItem(failure.capitalize(), failure.value)
            self.silent_box.setItemData(number, as_it_is(failure.description), Qt.ItemDataRole.ToolTipRole)
        self.silent_box.addItem(WITHOUT_SOURCES.capitalize(), WITHOUT_SOURCES)
        self.silent_box.setToolTip("Answers that came without an error but do not answer the question")
        for name, length in _TIMES:
            self.time_box.addItem(name, length)
        for name, source in _SOURCES:
            self.source_box.addItem(name, source)
        self.source_box.setToolTip("Who asked. Figures and graphs count what people and programs ask.")
        names = ("Collection", "Model", "Verdict", "Time", "Silent failure", "Source")
        boxes = (
            self.collection_box,
            self.model_box,
            self.verdict_box,
            self.time_box,
            self.silent_box,
            self.source_box,
        )
        for box, name in zip(boxes, names, strict=True):
            box.setAccessibleName(f"Filter by {name.lower()}")
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(_FILTER_LENGTH)
            box.currentTextChanged.connect(box.setToolTip)
            box.currentIndexChanged.connect(lambda _i: self._reload())
        self.collection_box.currentIndexChanged.connect(lambda _i: self.collection_changed.emit())
        self.search.searched.connect(lambda _text: self._reload())

    def _filter(self) -> TraceFilter:
        length = self.time_box.currentData()
        start = end = None
        if isinstance(length, tuple):
            start, end = length[0], length[1] + 1
        elif length:
            start = int(time.time() * 1000) - length
        return TraceFilter(
            text=self.search.text(),
            collection=self.collection_box.currentData() or "",
            model=self.model_box.currentData() or "",
            verdict=self.verdict_box.currentData() or "",
            silent=self.silent_box.currentData() or "",
            since_ms=start,
            until_ms=end,
            source=ASKED if end is not None else self.source_box.currentData() or "",
        )

    def _reload(self) -> None:
        wanted = self._filter()
        database = self._console.database
        count = count_traces(database, wanted)
        anything = count > 0 or count_traces(database, TraceFilter()) > 0
        self._stack.setCurrentIndex(1 if anything else 0)
        self.table.records_model.set_source(
            lambda offset, limit: list_traces(database, wanted, limit, offset)
        )
        self.count.setText(counted(count, "trace"))
        self.lists.tabBar().setVisible(has_steps(database))

    def _actions(self, records: list[TraceRow]) -> list[tuple[str, Callable[[], object]]]:
        """Offer to compare two chosen traces, the earlier with the later."""
        if len(records) != 2:
            return []
        first, second = sorted(records, key=lambda trace: trace.created_ms)

        def compare() -> None:
            self._show(first.id)
            self.view.compare_with(second.id)

        return [("Compare these two", compare)]

    def _fill_filters(self) -> None:
        database = self._console.database
        for box, title, names in (
            (
                self.collection_box,
                "Any collection",
                [*((c.name, c.name) for c in list_collections(database)), *application_choices(database)],
            ),
            (self.model_box, "Any model", [(name, name) for name in sorted(list_trace_models(database))]),
        ):
            refill(box, [(title, ""), *names])

    def _show(self, trace_id: str) -> None:
        try:
            detail = get_trace(self._console.database, trace_id, with_spans=False)
        except NotFoundError as error:
            self._console.notice.emit(str(error), "bad")
            return
        self._shown = detail.id
        self.view.show_trace(detail)
        self._detail_stack.setCurrentIndex(1)
