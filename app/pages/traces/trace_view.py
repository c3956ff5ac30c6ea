"""Everything stored about one question: waterfall, candidates, flags, prompt and settings."""

from __future__ import annotations

import json
from datetime import datetime

from PySide6.QtWidgets import QInputDialog, QPlainTextEdit, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from app.console import Console
from app.pages.traces.consistency_panel import ConsistencyPanel
from app.shared.claim_panel import ClaimPanel
from app.shared.feedback_bar import FeedbackBar
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import button
from app.widgets.charts import Bar, Waterfall
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, VERDICT_COLOURS
from rag import operations
from rag.asking.rows import TraceDetail, TraceStatus
from rag.evaluation.rows import list_sets
from rag.grounding.rows import ClaimResult, places, summary
from rag.monitoring.rows import RegressionState
from rag.review.rows import arm_of

_KIND_COLOURS = {"EMBEDDING": 5, "RETRIEVER": 0, "CHAIN": 7, "PROMPT": 4, "LLM": 1, "EVALUATOR": 2}


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %H:%M:%S")


class TraceView(QWidget):
    """One trace: summary, waterfall, candidates, flags, the exact prompt, settings."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.question, self.status = label("", "section", wrap=True), label("", "small", wrap=True)
        self.silent = label("", "warning", wrap=True)
        self.regression_button = button(
            "Freeze this question",
            self.add_regression_question,
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

    def show_trace(self, trace: TraceDetail) -> None:
        self.question.setText(trace.question)
        self.status.setText(self._status_line(trace))
        self.silent.setText(
            "; ".join(f"{each.capitalize()}: {each.description}" for each in trace.silent_failures)
        )
        self.silent.setVisible(bool(trace.silent_failures))
        self.regression_button.setEnabled(trace.status.is_complete)
        markers = [hit.marker for hit in trace.hits if hit.marker is not None]
        self.answer.set_answer(trace.answer or trace.error or "No answer.", markers)
        self.answer.set_claims(trace.claims, markers)
        self.waterfall.set_bars(
            [Bar(s.name, s.start_ms, s.end_ms, s.detail, _KIND_COLOURS.get(s.kind, 7)) for s in trace.spans]
        )
        self.hits.set_records(trace.hits)
        self._claims_of = trace.id
        self.feedback.show_trace(trace.id if trace.status != TraceStatus.RUNNING else "", trace.hits)
        self.claim_panel.hide()
        self.claims.set_records(trace.claims)
        self.consistency.show_trace(trace.id, bool(trace.prompt))
        self.prompt.setPlainText(trace.prompt)
        self._summary.set_pairs(self._summary_pairs(trace))
        self._settings.set_pairs(self._settings_pairs(trace))

    def add_to_set(self, name: str = "") -> None:
        """Make a case of the trace that is shown; without a name the person is asked for the set."""
        if not name:
            known = [found.name for found in list_sets(self._console.database)]
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
            operations.case_of_trace, self._case_added, set_name=name.strip(),
            trace_id=self._claims_of,
        )  # fmt: skip

    def _case_added(self, sentence: str) -> None:
        self._console.notice.emit(sentence, "info")
        self._console.data_changed.emit()

    def add_regression_question(self) -> None:
        """Keep the question with this answer as its reference."""
        self._console.run(
            operations.add_regression_question, self._added,
            collection="", trace_id=self._claims_of,
        )  # fmt: skip

    def _added(self, state: RegressionState) -> None:
        self.regression_button.setEnabled(False)
        number = len(state.questions)
        self._console.notice.emit(
            f"The question is a regression question now; “{state.collection}” has {number}, on the Monitors page.",
            "info",
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
        layout.addLayout(row(self.case_button, self.regression_button, 1))
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

    def _checked(self, trace: TraceDetail) -> str:
        if trace.check_error:
            return f"not checked: {trace.check_error}"
        return summary(trace.claims, places(trace.hits)) if trace.claims else "not checked"

    def _scrolled(self, widget: QWidget) -> QScrollArea:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, SMALL_SPACE, 0)
        layout.addWidget(widget)
        layout.addStretch(1)
        return scrolled(holder)

    def _status_line(self, trace: TraceDetail) -> str:
        parts = [trace.status, _time(trace.created_ms)]
        if trace.collection:
            version = f" version {trace.version_number}" if trace.version_number else ""
            parts.append(f"{trace.collection}{version}")
        if trace.model:
            parts.append(trace.model)
        return "   ·   ".join(parts)

    def _summary_pairs(self, trace: TraceDetail) -> list[tuple[str, str]]:
        ms = lambda value: "–" if value is None else f"{value:,.0f} ms"  # noqa: E731
        pairs = [
            ("Trace", trace.id),
            ("Passages", f"{trace.passage_count} of {trace.searched_chunks:,} chunks from "
                         f"{trace.passage_documents} of {trace.searched_documents:,} documents; "
                         f"{trace.candidate_count} candidates"),
            ("Tokens", f"{trace.prompt_tokens:,} prompt, of them {trace.cached_tokens:,} cached; "
                       f"{trace.completion_tokens:,} completion"),
            ("Speed", "–" if trace.tokens_per_s is None else f"{trace.tokens_per_s:.1f} tokens/s"),
            ("Time", f"{ms(trace.total_ms)} in all; first token after {ms(trace.first_token_ms)}"),
            ("Stages", f"retrieve {ms(trace.retrieve_ms)}, read {ms(trace.read_ms)}, generate {ms(trace.generate_ms)}, check {ms(trace.check_ms)}"),
            ("Sentences", self._checked(trace)),
        ]  # fmt: skip
        arm = arm_of(self._console.database, trace.id)
        if arm is not None:
            said = "not decided yet" if arm.is_open else f"{arm.arm}, “{arm.pipeline}”"
            pairs.append(("Roll-out", f"{arm.kind} {arm.rollout_id}: {said}"))
        if trace.fallbacks:
            pairs.append(("Notes", "; ".join(trace.fallbacks)))
        if trace.error:
            pairs.append(("Error", trace.error))
        return pairs

    def _settings_pairs(self, trace: TraceDetail) -> list[tuple[str, str]]:
        pairs = [
            ("Version fingerprint", trace.version_fingerprint or "–"),
            ("Model sha256", trace.model_sha256 or "–"),
            ("Prompt", f"{trace.prompt_name or '–'}  {trace.prompt_fingerprint}"),
            ("Session", trace.session_id),
            ("Asked by", trace.source),
            ("Finish", trace.finish_reason or "–"),
        ]
        if trace.mean_logprob is not None:
            pairs.append(
                ("Log-probability", f"mean {trace.mean_logprob:.2f}, lowest {trace.min_logprob:.2f}")
            )
        for section, values in json.loads(trace.settings or "{}").items():
            if section in ("chunking", "retrieval", "generation"):
                pairs += [(f"{section}.{key}", str(value)) for key, value in values.items()]
        return pairs


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
