"""Traces: every ask, and how its answer came about."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QInputDialog,
    QPlainTextEdit,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.widgets.charts import Bar, Waterfall
from app.shared.claim_panel import ClaimPanel
from app.pages.traces.consistency_panel import ConsistencyPanel
from app.console import Console
from app.shared.feedback_bar import FeedbackBar
from app.widgets.item_models import Column, RecordTable
from app.widgets.theme import SMALL_SPACE, SPACE, STATUS_COLOURS, VERDICT_COLOURS
from app.widgets.layout import AnswerView, EmptyState, KeyValueGrid, Panel, SearchField, button, label, row, scrolled
from rag.errors import NotFoundError
from rag.asking.rows import ClaimResult
from rag.monitoring.rows import FrozenState
from rag.review.rows import arm_of
from rag.storage.database import TraceDetail, TraceFilter, TraceRow
from rag.grounding.silent_failures import SILENT_FAILURES
from rag.grounding.verdicts import places, summary
from rag.text.plurals import counted

_DAY_MS = 86_400_000
_TIMES = (
    ("Any time", None),
    ("Last hour", _DAY_MS // 24),
    ("Last day", _DAY_MS),
    ("Last 7 days", 7 * _DAY_MS),
    ("Last 30 days", 30 * _DAY_MS),
)
_VERDICTS = ("flagged", "check", "unsupported", "contradicted", "no evidence", "supported", "not checkable")
_SOURCES = (
    ("Asked by people", "person"),
    ("Evaluation", "evaluation"),
    ("Replays", "replay"),
    ("Probes", "probe"),
    ("Generation", "generation"),
    ("Any source", ""),
)
_KIND_COLOURS = {"EMBEDDING": 5, "RETRIEVER": 0, "CHAIN": 7, "PROMPT": 4, "LLM": 1, "EVALUATOR": 2}


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %H:%M:%S")


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
        lambda t: t.silent_failures or t.status,
        92,
        colour=lambda t: "check" if t.silent_failures else STATUS_COLOURS.get(t.status),
        tooltip=lambda t: t.error or t.silent_failures,
    ),
    Column(
        "Flags",
        _flags,
        66,
        colour=lambda t: VERDICT_COLOURS.get(t.worst_verdict) if t.flag_count else "text_muted",
    ),
    Column("Tokens", lambda t: f"{t.prompt_tokens:,} + {t.completion_tokens:,}", 86, right=True),
    Column("Time s", lambda t: "–" if t.total_ms is None else f"{t.total_ms / 1000:,.1f}", 64, right=True),
)


def _ranked(rank: int | None, score: float | None) -> str:
    if rank is None:
        return "–" if score is None else f"({score:.3f})"
    return f"{rank}   {score:.3f}" if score is not None else str(rank)


HIT_COLUMNS = (
    Column("#", lambda h: str(h.fused_rank), 34, right=True, sort=lambda h: h.fused_rank),
    Column("In prompt", lambda h: f"[{h.marker}]" if h.marker else (h.dropped or "not packed"), 190,
           sort=lambda h: (h.marker or 9999), colour=lambda h: "good" if h.marker else "text_muted",
           tooltip=lambda h: h.dropped or ""),
    Column("Dense", lambda h: _ranked(h.dense_rank, h.dense_score), 86, right=True, sort=lambda h: h.dense_rank or 9999),
    Column("BM25", lambda h: _ranked(h.bm25_rank, h.bm25_score), 86, right=True, sort=lambda h: h.bm25_rank or 9999),
    Column("Fused", lambda h: f"{h.fused_score:.4f}", 62, right=True, sort=lambda h: h.fused_score),
    Column("Document", lambda h: h.document, 150, tooltip=lambda h: h.path),
    Column("Place", lambda h: h.place, 100),
    Column("Text", lambda h: " ".join(h.text.split())[:200], 300, tooltip=lambda h: h.text[:1500]),
)  # fmt: skip
CLAIM_COLUMNS = (
    Column("Verdict", lambda c: c.verdict, 100, colour=lambda c: VERDICT_COLOURS.get(c.verdict)),
    Column("Risk", lambda c: "–" if c.score is None else f"{c.score:.2f}", 50, right=True, sort=lambda c: c.score),
    Column("Sentence", lambda c: c.text, 260, tooltip=lambda c: c.text),
    Column("Reason", lambda c: c.reason, 150, tooltip=lambda c: c.reason),
    Column("Nearest evidence", lambda c: f"[{c.evidence_marker}] {' '.join(c.evidence_text.split())}" if c.evidence_marker else "",
           260, tooltip=lambda c: c.evidence_text),
)  # fmt: skip


class TraceView(QWidget):
    """One trace: summary, waterfall, candidates, flags, the exact prompt, settings."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.question, self.status = label("", "section", wrap=True), label("", "small", wrap=True)
        self.silent = label("", "warning", wrap=True)
        self.freeze_button = button(
            "Freeze this question",
            self.freeze,
            tip="Its answer is the reference: on the Monitors page it is asked again after changes",
        )
        self.answer = AnswerView(console.theme)
        self.feedback = FeedbackBar(console)
        self.waterfall = Waterfall(console.theme)
        self.hits = RecordTable(
            HIT_COLUMNS, console.theme, "trace_candidates", "Nothing was found for this question."
        )
        self.claims = RecordTable(CLAIM_COLUMNS, console.theme, "trace_flags", "No sentence was checked.")
        self.prompt = QPlainTextEdit(readOnly=True)
        self.prompt.setAccessibleName("Prompt as sent")
        self.prompt.setFont(console.theme.fixed_font())
        self.prompt.setPlaceholderText("The model was not asked.")
        self._claims_of = ""
        self._summary, self._settings = KeyValueGrid(), KeyValueGrid()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._overview_tab(), "Overview")
        self.tabs.addTab(self._padded(self.hits), "Candidates")
        self.claim_panel = ClaimPanel(console)
        self.claim_panel.hide()
        self.claims.record_selected.connect(self._show_claim)
        self.consistency = ConsistencyPanel(console)
        self.tabs.addTab(self._padded(self.claims, self.claim_panel), "Flags")
        self.tabs.addTab(self.consistency, "Agreement")
        self.tabs.addTab(self._padded(self.prompt), "Prompt")
        self.tabs.addTab(self._scrolled(self._settings), "Settings")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SMALL_SPACE, 0, 0, 0)
        layout.addWidget(self.tabs)

    def show_trace(self, detail: TraceDetail) -> None:
        trace = detail.row
        self.question.setText(trace["question"])
        self.status.setText(self._status_line(trace))
        failures = [name for name in trace["silent_failures"].split(", ") if name]
        self.silent.setText("; ".join(f"{name.capitalize()}: {SILENT_FAILURES[name]}" for name in failures))
        self.silent.setVisible(bool(failures))
        self.freeze_button.setEnabled(trace["status"] in ("done", "nothing found"))
        markers = [hit.marker for hit in detail.hits if hit.marker is not None]
        self.answer.set_answer(trace["answer"] or trace["error"] or "No answer.", markers)
        self.answer.set_claims(detail.claims, markers)
        self.waterfall.set_bars(
            [Bar(s.name, s.start_ms, s.end_ms, s.detail, _KIND_COLOURS.get(s.kind, 7)) for s in detail.spans]
        )
        self.hits.set_records(detail.hits)
        self._claims_of = trace["id"]
        self.feedback.show_trace(trace["id"] if trace["status"] != "running" else "", detail.hits)
        self.claim_panel.hide()
        self.claims.set_records(detail.claims)
        self.consistency.show_trace(trace["id"], bool(trace["prompt"]))
        self.prompt.setPlainText(trace["prompt"])
        self._summary.set_pairs(self._summary_pairs(detail))
        self._settings.set_pairs(self._settings_pairs(trace))

    def add_to_set(self, name: str = "") -> None:
        """Make a case of the trace that is shown; without a name the person is asked for the set."""
        if not name:
            known = [found.name for found in self._console.reader.evaluation_sets()]
            name, given = QInputDialog.getItem(
                self,
                "Evaluation set",
                "Add the case to this set (a new name makes one):",
                known or ["Questions"],
                0,
                True,
            )
            if not given or not name.strip():
                return
        self._console.run(
            "view", "Add a case", "rag.authoring:case_of_trace", self._case_added, set_name=name.strip(),
            trace_id=self._claims_of,
        )  # fmt: skip

    def _case_added(self, sentence: str) -> None:
        self._console.notice.emit(sentence, "info")
        self._console.data_changed.emit()

    def freeze(self) -> None:
        """Keep the question with this answer as its reference."""
        self._console.run(
            "view", "Freeze a question", "rag.monitoring.regression_questions:freeze_question", self._frozen,
            collection="", trace_id=self._claims_of,
        )  # fmt: skip

    def _frozen(self, state: FrozenState) -> None:
        self.freeze_button.setEnabled(False)
        number = len(state.questions)
        self._console.notice.emit(
            f"The question is frozen; “{state.collection}” has {number} now, on the Monitors page.", "info"
        )
        self._console.data_changed.emit()

    def _overview_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, SMALL_SPACE, 0)
        layout.setSpacing(SPACE)
        self.case_button = button(
            "Add to an evaluation set…",
            self.add_to_set,
            link=True,
            tip="Its question, answer and cited passages become a case",
        )
        for widget in (self.question, self.status, self.silent, self.answer, self.feedback):
            layout.addWidget(widget)
        layout.addLayout(row(self.case_button, self.freeze_button, 1))
        layout.addWidget(label("Where the time went", "section"))
        layout.addWidget(self.waterfall)
        layout.addWidget(label("In figures", "section"))
        layout.addWidget(self._summary)
        layout.addStretch(1)
        return scrolled(holder)

    def _padded(self, *widgets: QWidget) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        for widget in widgets:
            layout.addWidget(widget)
        return holder

    def _show_claim(self, claim: ClaimResult) -> None:
        self.claim_panel.show_claim(claim, self._claims_of)
        self.claim_panel.show()

    def _checked(self, detail: TraceDetail) -> str:
        if detail.row["check_error"]:
            return f"not checked: {detail.row['check_error']}"
        return summary(detail.claims, places(detail.hits)) if detail.claims else "not checked"

    def _scrolled(self, widget: QWidget) -> QScrollArea:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, SMALL_SPACE, 0)
        layout.addWidget(widget)
        layout.addStretch(1)
        return scrolled(holder)

    def _status_line(self, trace: dict[str, Any]) -> str:
        parts = [trace["status"], _time(trace["created_ms"])]
        if trace["collection"]:
            version = f" version {trace['version_number']}" if trace["version_number"] else ""
            parts.append(f"{trace['collection']}{version}")
        if trace["model"]:
            parts.append(trace["model"])
        return "   ·   ".join(parts)

    def _summary_pairs(self, detail: TraceDetail) -> list[tuple[str, str]]:
        trace = detail.row
        ms = lambda name: "–" if trace[name] is None else f"{trace[name]:,.0f} ms"  # noqa: E731
        pairs = [
            ("Trace", trace["id"]),
            ("Passages", f"{trace['passage_count']} of {trace['searched_chunks']:,} chunks from "
                         f"{trace['passage_documents']} of {trace['searched_documents']:,} documents; "
                         f"{trace['candidate_count']} candidates"),
            ("Tokens", f"{trace['prompt_tokens']:,} prompt, of them {trace['cached_tokens']:,} cached; "
                       f"{trace['completion_tokens']:,} completion"),
            ("Speed", "–" if trace["tokens_per_s"] is None else f"{trace['tokens_per_s']:.1f} tokens/s"),
            ("Time", f"{ms('total_ms')} in all; first token after {ms('first_token_ms')}"),
            ("Stages", f"retrieve {ms('retrieve_ms')}, read {ms('read_ms')}, generate {ms('generate_ms')}, check {ms('check_ms')}"),
            ("Sentences", self._checked(detail)),
        ]  # fmt: skip
        arm = arm_of(self._console.reader, trace["id"])
        if arm is not None:
            said = "not decided yet" if arm.is_open else f"{arm.arm}, “{arm.pipeline}”"
            pairs.append(("Roll-out", f"{arm.kind} {arm.rollout_id}: {said}"))
        fallbacks = json.loads(trace["fallbacks"])
        if fallbacks:
            pairs.append(("Notes", "; ".join(fallbacks)))
        if trace["error"]:
            pairs.append(("Error", trace["error"]))
        return pairs

    def _settings_pairs(self, trace: dict[str, Any]) -> list[tuple[str, str]]:
        pairs = [
            ("Version fingerprint", trace["version_fingerprint"] or "–"),
            ("Model sha256", trace["model_sha256"] or "–"),
            ("Prompt", f"{trace['prompt_name'] or '–'}  {trace['prompt_fingerprint']}"),
            ("Session", trace["session_id"]),
            ("Asked by", trace["source"]),
            ("Finish", trace["finish_reason"] or "–"),
        ]
        if trace["mean_logprob"] is not None:
            pairs.append(
                ("Log-probability", f"mean {trace['mean_logprob']:.2f}, lowest {trace['min_logprob']:.2f}")
            )
        for section, values in json.loads(trace["settings"] or "{}").items():
            if section in ("chunking", "retrieval", "generation"):
                pairs += [(f"{section}.{key}", str(value)) for key, value in values.items()]
        return pairs


class TracesPage(QWidget):
    """The list of traces with its filters, and the chosen one beside it."""

    ask_requested = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self.search = SearchField("Words in question or answer")
        self.collection_box, self.model_box = QComboBox(), QComboBox()
        self.verdict_box, self.time_box = QComboBox(), QComboBox()
        self.source_box, self.silent_box = QComboBox(), QComboBox()
        self.count = label("", "small")
        self.table = RecordTable(TRACE_COLUMNS, console.theme, "traces", "No trace matches these filters.")
        self.view = TraceView(console)
        self.table.record_selected.connect(lambda trace: self._show(trace.id))
        self.table.record_activated.connect(lambda trace: self._show(trace.id))
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(console.theme, "traces", "No traces yet", "Every question leaves a trace here: what was found, what was "
                       "dropped and why, the exact prompt, tokens and flags.",
                       button("Ask a question", self.ask_requested.emit, primary=True))
        )  # fmt: skip
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(self._stack)
        console.data_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        self._fill_filters()
        if self.isVisible() or self.table.records_model.rowCount() == 0:
            self._reload()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._reload()

    def open_trace(self, trace_id: str) -> None:
        """Show one trace, whatever the filters say."""
        self._stack.setCurrentIndex(1)
        self._show(trace_id)
        self.table.choose(lambda trace: trace.id == trace_id)

    def show_only(self, *, collection: str = "", verdict: str = "", silent: str = "") -> None:
        """Set the filters as another page asks for."""
        self.search.clear()
        self.collection_box.setCurrentIndex(max(self.collection_box.findData(collection), 0))
        self.verdict_box.setCurrentIndex(max(self.verdict_box.findData(verdict), 0))
        self.silent_box.setCurrentIndex(max(self.silent_box.findData(silent), 0))
        self.time_box.setCurrentIndex(0)
        self._reload()

    def show_between(self, start_ms: int, end_ms: int, collection: str = "") -> None:
        """List the asks of persons in a stretch of time, both ends with it."""
        if self.time_box.count() > len(_TIMES):
            self.time_box.removeItem(len(_TIMES))
        self.time_box.addItem(f"{_day_time(start_ms)} – {_day_time(end_ms)}", (start_ms, end_ms))
        self.show_only(collection=collection)
        self.time_box.setCurrentIndex(len(_TIMES))

    def _make_content(self) -> QWidget:
        self.verdict_box.addItem("Any verdict", "")
        for verdict in _VERDICTS:
            self.verdict_box.addItem(verdict.capitalize(), verdict)
        self.silent_box.addItem("Any answer", "")
        self.silent_box.addItem("Silent failures", "any")
        for number, (name, meaning) in enumerate(SILENT_FAILURES.items(), 2):
            self.silent_box.addItem(name.capitalize(), name)
            self.silent_box.setItemData(number, meaning, Qt.ItemDataRole.ToolTipRole)
        self.silent_box.setToolTip("Answers that came without an error and are none")
        for name, length in _TIMES:
            self.time_box.addItem(name, length)
        for name, source in _SOURCES:
            self.source_box.addItem(name, source)
        self.source_box.setToolTip("Who asked. Figures and graphs count what people asked alone.")
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
            box.setMinimumWidth(90)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(10)
            box.currentIndexChanged.connect(lambda _i: self._reload())
        self.search.searched.connect(lambda _text: self._reload())
        left = Panel()
        left.body.addLayout(row(self.search, self.source_box, self.time_box))
        left.body.addLayout(row(self.collection_box, self.model_box, self.verdict_box, self.silent_box))
        left.body.addWidget(self.table, 1)
        left.body.addWidget(self.count)
        right = Panel()
        self._detail_stack = QStackedWidget()
        self._detail_stack.addWidget(
            EmptyState(
                self._console.theme,
                "traces",
                "No trace chosen",
                "Choose one in the list to see how its answer came about.",
            )
        )
        self._detail_stack.addWidget(self.view)
        right.body.addWidget(self._detail_stack)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setChildrenCollapsible(False)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([640, 540])
        return splitter

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
            source="person" if end is not None else self.source_box.currentData() or "",
        )

    def _reload(self) -> None:
        wanted = self._filter()
        reader = self._console.reader
        count = reader.trace_count(wanted)
        anything = count > 0 or reader.trace_count(TraceFilter()) > 0
        self._stack.setCurrentIndex(1 if anything else 0)
        self.table.records_model.set_source(lambda offset, limit: reader.traces(wanted, limit, offset))
        self.count.setText(counted(count, "trace"))

    def _fill_filters(self) -> None:
        reader = self._console.reader
        for box, title, names in (
            (self.collection_box, "Any collection", [c.name for c in reader.collections()]),
            (self.model_box, "Any model", sorted(reader.trace_models())),
        ):
            chosen = box.currentData()
            box.blockSignals(True)
            box.clear()
            box.addItem(title, "")
            for name in names:
                box.addItem(name, name)
            box.setCurrentIndex(max(box.findData(chosen), 0))
            box.blockSignals(False)

    def _show(self, trace_id: str) -> None:
        try:
            detail = self._console.reader.trace(trace_id)
        except NotFoundError as error:
            self._console.notice.emit(str(error), "bad")
            return
        self.view.show_trace(detail)
        self._detail_stack.setCurrentIndex(1)
