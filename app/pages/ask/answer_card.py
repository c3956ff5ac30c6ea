"""A card in the conversation: one question and its answer."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QProgressBar, QVBoxLayout

from app.console import Console
from app.shared.feedback_bar import FeedbackBar
from app.shared.source_panel import SourcePanel, source_button
from app.shared.thinking_view import ThinkingView
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import button
from app.widgets.labels import label, set_tip
from app.widgets.layout import Panel, row
from rag.asking.cascades.rows import StepRejected
from rag.asking.rows import (
    AnswerRestarted,
    AskResult,
    ClaimsChecked,
    PromptProgress,
    RetrievalDone,
    StageStarted,
    TokenStreamed,
    get_trace,
)
from rag.grounding.rows import ClaimResult, Verdict, places, summary
from rag.index.rows import Hit
from rag.review.rows import arm_of
from rag.text.citations import markers_of

Event = (
    StageStarted
    | RetrievalDone
    | PromptProgress
    | TokenStreamed
    | AnswerRestarted
    | ClaimsChecked
    | StepRejected
)

_STAGES = {
    "search": "Searching…",
    "load": "Loading the model…",
    "read": "Reading the passages…",
    "check": "Checking each sentence…",
}
_FLUSH_MS = 33  # streamed text is drawn 30 times a second, however fast it comes


class AnswerCard(Panel):
    """A panel with one question, its answer, sources and flags."""

    trace_requested = Signal(str)

    def __init__(
        self, console: Console, question: str, sources: SourcePanel, *, is_blind: bool = False
    ) -> None:
        """Wait for the events of a question.

        Args:
            console: The console of the window.
            question: The question as it is shown; empty: it is shown elsewhere.
            sources: Where citations and claims are opened.
            is_blind: Whether this is one of two answers to be compared. Everything that would tell which
                pipeline gave it stays hidden until `reveal`.
        """
        super().__init__()
        self._is_blind = is_blind
        self._console, self._sources = console, sources
        self._hits: tuple[Hit, ...] = ()
        self._claims: tuple[ClaimResult, ...] = ()
        self._pending = ""
        self._was_rejected = False  # the answer of a step of a cascade
        self.trace_id = ""
        self.answer_text = ""
        asked = label(question, "section", wrap=True)
        asked.setVisible(bool(question))
        asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.thinking = ThinkingView()
        self._thinking_tokens = 0
        self.answer = AnswerView(console.theme)
        self.answer.citation_clicked.connect(self._open_citation)
        self.answer.claim_clicked.connect(self._open_claim)
        self.status, self.packed, self.flags = (
            label("Waiting…", "small"),
            label("", "small"),
            label("", "small", wrap=True),
        )
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Prompt read by the model")
        self._progress.hide()
        self._source_box = QVBoxLayout()
        self._source_box.setSpacing(0)
        self._trace_link = button("Open trace", self._open_trace, link=True, tip="Trace of this answer")
        self._trace_link.hide()
        self.body.addWidget(asked)
        self.body.addWidget(self._progress)
        self.body.addWidget(self.thinking)
        self.body.addWidget(self.answer)
        self.body.addWidget(self.flags)
        self.body.addLayout(self._source_box)
        self.arm = label("", "small")
        self.arm.hide()
        self.body.addLayout(row(self.packed, 1, self.arm, self.status, self._trace_link))
        self.feedback = FeedbackBar(console)
        self.feedback.hide()
        self.body.addWidget(self.feedback)
        self._flush = QTimer(self, interval=_FLUSH_MS)
        self._flush.timeout.connect(self._draw_pending)

    def handle(self, event: Event) -> None:
        """Show one event of the question."""
        if isinstance(event, StageStarted):
            self.trace_id = event.trace_id
            self.status.setText(_STAGES.get(event.stage, event.stage))
        elif isinstance(event, RetrievalDone):
            self._hits = event.hits
            if not self._is_blind:
                self.packed.setText(
                    f"{event.packed_count} of {event.chunk_count:,} chunks from "
                    f"{event.packed_documents} of {event.document_count:,} documents"
                )
            self._show_sources()
        elif isinstance(event, PromptProgress):
            self._show_reading(event)
        elif isinstance(event, TokenStreamed) and event.is_thinking:
            self._progress.hide()
            self._thinking_tokens = event.token_count
            self.status.setText("Thinking…" if self._is_blind else f"Thinking, {event.token_count} tokens")
            self._show_thinking(self.thinking.text + event.text)
        elif isinstance(event, AnswerRestarted):
            self._stop_stream()
            self._show_thinking(self.thinking.text + self.answer_text)
            self.answer_text = ""
            self.answer.set_answer("")
        elif isinstance(event, StepRejected):
            self._begin_again(event)
        elif isinstance(event, TokenStreamed):
            self._progress.hide()
            self._pending += event.text
            self.answer_text += event.text
            self.status.setText("Answering…" if self._is_blind else f"{event.token_count} tokens")
            if not self._flush.isActive():
                self._flush.start()
        elif isinstance(event, ClaimsChecked):
            self._stop_stream()
            self._claims = event.claims
            self.answer.set_answer(self.answer_text, self._markers())
            self.answer.set_claims(event.claims, self._markers())
            self.flags.setText(
                (event.error and f"The sentences could not be checked: {event.error}")
                or summary(event.claims, places(self._hits))
            )
            self._show_sources()

    def finish(self, result: AskResult) -> None:
        """Show the whole answer, its figures, and where to go from here."""
        self._stop_stream()
        self.trace_id, self.answer_text = result.trace_id, result.answer
        if not self._claims:
            self.answer.set_answer(result.answer, self._markers())
        trace = get_trace(self._console.database, result.trace_id)
        if self._was_rejected:  # the answer of an earlier step may be given after all
            self._hits, self._claims = trace.hits, trace.claims
            self.answer.set_answer(result.answer, self._markers())
            self.answer.set_claims(trace.claims, self._markers())
            self.flags.setText(summary(trace.claims, places(trace.hits)))
            self._show_sources()
        self._thinking_tokens = trace.thinking_tokens
        self._show_thinking(trace.thinking)
        parts = [f"{(trace.total_ms or 0) / 1000:.1f} s"]
        if trace.completion_tokens:
            parts.insert(0, f"{trace.prompt_tokens:,} + {trace.completion_tokens:,} tokens")
        if trace.thinking_tokens:
            parts.insert(1, f"{trace.thinking_tokens:,} of thinking")
        if trace.tokens_per_s:
            parts.append(f"{trace.tokens_per_s:.0f} tokens/s")
        self.status.setText("   ·   ".join(parts))
        if result.notices:
            notes = "Note: " + "; ".join(result.notices) + "."
            self.flags.setText(f"{self.flags.text()}\n{notes}" if self.flags.text() else notes)
        if self._is_blind:
            self.status.setText("")
            return
        arm = arm_of(self._console.database, result.trace_id)
        if arm is not None:
            self.show_arm(f"{arm.arm}: {arm.pipeline}")
        self._show_links()

    def _begin_again(self, event: StepRejected) -> None:
        """Take the answer of a step away: the next one answers."""
        self._stop_stream()
        self._was_rejected, self._claims, self.answer_text = True, (), ""
        self._show_thinking("")
        self.answer.set_answer("")
        self.flags.setText("" if self._is_blind else event.sentence)

    def reveal(self, pipeline: str) -> None:
        """Show what was hidden, after a choice was made."""
        self.show_arm(pipeline)
        self._show_links()

    def show_arm(self, text: str) -> None:
        """Say which pipeline gave the answer."""
        self.arm.setText(text if len(text) < 44 else text[:43] + "…")
        set_tip(self.arm, text)
        self.arm.show()

    def _show_links(self) -> None:
        self._trace_link.show()
        self.feedback.show_trace(self.trace_id, self._hits)
        self.feedback.show()

    def stop(self, sentence: str, is_error: bool) -> None:
        """Show that the question ended without a result, and why."""
        self._stop_stream()
        self._progress.hide()
        self.status.setText("Failed" if is_error else "Stopped")
        self.flags.setText(sentence)
        self._trace_link.setVisible(bool(self.trace_id) and not self._is_blind)

    def _show_reading(self, event: PromptProgress) -> None:
        self._progress.setVisible(event.tokens_done < event.tokens_total)
        self._progress.setRange(event.tokens_cached, max(event.tokens_total, event.tokens_cached + 1))
        self._progress.setValue(event.tokens_done)
        if self._is_blind:
            self.status.setText("Reading the passages…")
            return
        cached = f", {event.tokens_cached:,} cached" if event.tokens_cached else ""
        self.status.setText(f"Reading {event.tokens_done:,} of {event.tokens_total:,} prompt tokens{cached}")

    def _show_thinking(self, text: str) -> None:
        # How a model thinks may tell which of two it is.
        self.thinking.show_thinking("" if self._is_blind else text, self._thinking_tokens)

    def _draw_pending(self) -> None:
        if self._pending:
            self.answer.append_text(self._pending)
            self._pending = ""

    def _stop_stream(self) -> None:
        self._draw_pending()
        self._flush.stop()
        self._progress.hide()

    def _markers(self) -> list[int]:
        return [hit.marker for hit in self._hits if hit.marker is not None]

    def _show_sources(self) -> None:
        while (item := self._source_box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        cited = markers_of(self.answer_text)
        evidence = {claim.evidence_marker for claim in self._claims if claim.verdict is Verdict.SUPPORTED}
        packed = sorted(
            (hit for hit in self._hits if hit.marker is not None), key=lambda hit: hit.marker or 0
        )
        for hit in packed:
            made = source_button(hit, hit.marker in cited, self._sources)
            if hit.marker in cited or hit.marker in evidence:
                font = made.font()
                font.setBold(True)
                made.setFont(font)
            self._source_box.addWidget(made, 0, Qt.AlignmentFlag.AlignLeft)

    def _open_citation(self, marker: int) -> None:
        for hit in self._hits:
            if hit.marker == marker:
                self._sources.show_hit(hit)

    def _open_claim(self, index: int) -> None:
        if self._claims[index].verdict.is_claim:
            self._sources.show_claim(self._claims[index], self._hits, self.trace_id)

    def _open_trace(self) -> None:
        self.trace_requested.emit(self.trace_id)
