"""A card in the conversation: one question and its answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QProgressBar

from app.console import Console, Notice
from app.engine.client import Task
from app.pages.ask.cards.answer_actions import AnswerActions, fill_again, fill_sets
from app.pages.ask.cards.answer_text import as_markdown, as_plain_text
from app.pages.ask.cards.border_pill import BorderPill
from app.pages.ask.cards.columns import Columns
from app.pages.ask.cards.recalled_strip import RecalledStrip
from app.pages.ask.find_bar import QUESTION
from app.shared.feedback_bar import FeedbackBar
from app.shared.source_lines import SourceList
from app.shared.source_panel import SourcePanel
from app.shared.thinking_view import ThinkingView
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import Toolbar
from app.widgets.labels import ElidedLabel, label
from app.widgets.layout import Panel, column, row
from app.widgets.theme import scaled
from rag import operations
from rag.asking.cache.rows import hit_of
from rag.asking.cascades.rows import StepRejected
from rag.asking.rows import (
    AnswerRestarted,
    AskResult,
    ClaimsChecked,
    PromptProgress,
    RetrievalDone,
    StageStarted,
    TokenStreamed,
    TraceDetail,
    get_trace,
)
from rag.grounding.rows import ClaimResult, Verdict, places, summary
from rag.guardrails.policies.rows import guard_word
from rag.index.rows import Hit
from rag.models.endpoints.rows import Usage
from rag.review.rows import arm_of
from rag.text.citations import MARKER, markers_of

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
_LEAST_SOURCE = 280  # pixels in which a source that opens by itself can be read
_FLUSH_MS = 33  # streamed text is drawn 30 times a second, however fast it comes


class AnswerCard(Panel):
    """A panel with one question, its answer, sources and flags, and other answers to it beside the first."""

    trace_requested = Signal(str)
    edit_wanted = Signal(str)  # the trace whose question is to be asked in other words
    stop_wanted = Signal()  # the answer is being given, and its page is to stop it
    asked = Signal(object)  # the Task of another answer

    def __init__(
        self,
        console: Console,
        question: str,
        sources: SourcePanel,
        *,
        is_blind: bool = False,
        heading: str = "",
    ) -> None:
        """Wait for the events of a question.

        Args:
            console: The console of the window.
            question: The question as it is shown; empty: it is shown elsewhere.
            sources: Where citations and claims are opened.
            is_blind: Whether this is one of two answers to be compared. Everything that would tell which
                pipeline gave it stays hidden until `reveal`.
            heading: What tells another answer from the first.
        """
        super().__init__()
        self._is_blind = is_blind
        self._console, self._sources = console, sources
        self._hits: tuple[Hit, ...] = ()
        self._claims: tuple[ClaimResult, ...] = ()
        self._pending = ""
        self._is_running = True
        self._has_choice = False  # a person has opened a source of this answer
        self._was_rejected = False  # the answer of a step of a cascade
        self._question = question
        self.asked_with: dict[str, Any] = {}  # the keywords of the question; empty: as its trace says
        self.trace_id = self.answer_text = ""
        self.others: list[AnswerCard] = []
        self.thinking = ThinkingView()
        self._thinking_tokens = 0
        self.answer = AnswerView(console.theme)
        self.answer.citation_clicked.connect(self._open_citation)
        self.answer.claim_clicked.connect(self._open_claim)
        self.state = label("", "warning", wrap=True)
        self.state.hide()
        self.status, self.packed = ElidedLabel("Waiting…"), ElidedLabel()
        self.flags, self.arm = label("", "small", wrap=True), ElidedLabel()
        self._progress = QProgressBar()
        self._progress.setAccessibleName("Prompt read by the model")
        self._progress.hide()
        self.source_list = SourceList()
        self.source_list.opened.connect(self._open_hit)
        self.left = BorderPill(console.theme)
        self.recalled = RecalledStrip()
        self.recalled.trace_requested.connect(self.trace_requested)
        self.recalled.fresh_wanted.connect(partial(self.ask_again, "Answered again", {}))
        self.feedback = FeedbackBar(console)
        self.feedback.hide()
        self.answer_actions = AnswerActions(self, self.answer)
        self.action_bar = self._make_actions()
        self._lay_out(question, heading)
        self._flush = QTimer(self, interval=_FLUSH_MS)
        self._flush.timeout.connect(self._draw_pending)
        self._show_actions()

    def _lay_out(self, question: str, heading: str) -> None:
        asked = label(question or heading, "section" if question else "muted", wrap=True)
        asked.setObjectName(QUESTION)
        if not (question or heading):  # not setVisible: without a parent it takes the focus as a window
            asked.hide()
        asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for small in (self.status, self.packed, self.arm):
            small.setProperty("role", "small")
        self.status.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.arm.hide()
        own = column(
            self._progress, self.recalled, self.thinking, self.answer, row(self.left, 1), self.state,
            self.flags, self.source_list,
            row((self.packed, 1), (self.arm, 1), (self.status, 1)), self.action_bar, self.feedback,
        )  # fmt: skip
        self.columns = Columns(own)
        self.body.addWidget(asked)
        self.body.addWidget(self.columns)

    # --- what can be done with it -------------------------------------------------------------------------

    def _make_actions(self) -> Toolbar:
        add = self.answer_actions.add
        self._stop = add(
            "Stop", "Stop this answer; its trace keeps what there is (Esc)", self.stop_wanted.emit
        )
        self._done = (
            add("Copy", "Copy the answer as plain text", self.copy_text),
            add("Copy with sources", "Copy question, answer and sources as Markdown", self.copy_markdown),
            add("Ask again", "Another answer to the same question, beside this one",
                fill=lambda menu: fill_again(menu, self._console, self._trace(), self.ask_again)),
            add("Edit question", "Ask in other words; what follows is kept as a branch",
                lambda: self.edit_wanted.emit(self.trace_id)),
            add("Make a case", "Add question, answer and cited passages to an evaluation set",
                fill=lambda menu: fill_sets(menu, self._console, self.make_case)),
            add("Open trace", "Trace of this answer", lambda: self.trace_requested.emit(self.trace_id)),
        )  # fmt: skip
        return self.answer_actions.make_bar()

    def _show_actions(self) -> None:
        """Offer what can be done now: stop while the answer comes, the rest afterwards."""
        is_open = not self._is_blind
        if not self.trace_id or not is_open:
            self.answer_actions.show(*([self._stop] if is_open and self._is_running else []))
        elif self._is_running:
            self.answer_actions.show(self._stop)
        else:
            self.answer_actions.show(*self._done)

    def copy_text(self) -> None:
        """Put the answer on the clipboard as plain text."""
        QApplication.clipboard().setText(as_plain_text(self.answer_text))

    def copy_markdown(self) -> None:
        """Put question, answer and sources on the clipboard as Markdown."""
        question = self._question or self._trace().question
        QApplication.clipboard().setText(as_markdown(question, self.answer_text, self._hits))

    def make_case(self, set_name: str) -> None:
        """Add the answer to an evaluation set, which is made if there is none of this name."""
        self._console.run(
            operations.case_of_trace, self._case_made, set_name=set_name, trace_id=self.trace_id
        )

    def ask_again(self, name: str, changes: dict[str, Any]) -> None:
        """Show another answer beside this one.

        Args:
            name: What tells it from this one.
            changes: Keywords of the question that are other than before.
        """
        trace = self._trace()
        before = self.asked_with or asked_with(trace)
        place = {"session_id": trace.session_id, "parent_id": trace.parent_id, "binds": False}
        values = {**before, "question": trace.question, **place, "fresh": True, **changes}
        other = AnswerCard(self._console, "", self._sources, heading=name)
        other.asked_with = values
        other._question = trace.question
        other.trace_requested.connect(self.trace_requested)
        other.edit_wanted.connect(lambda _trace_id: self.edit_wanted.emit(self.trace_id))  # one question
        other.asked.connect(self.asked)
        self.others.append(other)
        self.columns.add(other)
        task = self._console.engine.start(operations.ask, alone=True, **values)
        other.follow(task)
        self.asked.emit(task)

    def follow(self, task: Task) -> None:
        """Show what becomes of a question that this card has asked itself."""
        task.event.connect(self.handle)
        task.finished.connect(self.finish)
        task.failed.connect(self._failed)
        # No lambda: the card may be gone by then.
        task.cancelled.connect(
            partial(self.stop, "Stopped. The trace contains the answer up to here.", False)
        )
        task.ended.connect(self._console.data_changed)
        self.stop_wanted.connect(task.cancel)

    def _cancelled(self) -> None:
        self.stop("Stopped. The trace contains the answer up to here.", False)

    def _failed(self, sentence: str, details: str) -> None:
        self.stop(sentence, True)
        if details:
            self._console.bug.emit(sentence, details)

    def _case_made(self, sentence: str) -> None:
        self._console.notice.emit(sentence, Notice.INFO)
        self._console.data_changed.emit()

    def _trace(self) -> TraceDetail:
        return get_trace(self._console.database, self.trace_id)

    # --- what becomes of it -------------------------------------------------------------------------------

    def handle(self, event: Event) -> None:
        """Show one event of the question."""
        if isinstance(event, StageStarted):
            self.trace_id = event.trace_id
            self._show_actions()
            self.status.setText(_STAGES.get(event.stage, event.stage))
        elif isinstance(event, RetrievalDone):
            self._hits = event.hits
            if not self._is_blind:
                self.packed.setText(
                    f"{event.packed_count} of {event.chunk_count:,} chunks from "
                    f"{event.packed_documents} of {event.document_count:,} documents"
                )
            self._show_sources()
            self.answer.set_answer("", self._markers())
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
            self.answer.set_answer("", self._markers())
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
            self.answer.set_answer(self.answer_text, self._markers(), event.claims)
            self.flags.setText(
                (event.error and f"The sentences could not be checked: {event.error}")
                or summary(event.claims, places(self._hits))
            )
            self._show_sources()

    def finish(self, result: AskResult, opens_source: bool = True) -> None:
        """Show the whole answer, its figures, and where to go from here.

        Args:
            result: The end of the question.
            opens_source: Whether the source that is cited first opens by itself.
        """
        self._stop_stream()
        self._is_running = False
        self.trace_id, self.answer_text = result.trace_id, result.answer
        if not self._claims:
            self.answer.set_answer(result.answer, self._markers())
        trace = self._trace()
        if self._was_rejected:  # the answer of an earlier step may be given after all
            self._hits, self._claims = trace.hits, trace.claims
            self.answer.set_answer(result.answer, self._markers(), trace.claims)
            self.flags.setText(summary(trace.claims, places(trace.hits)))
            self._show_sources()
        self.state.setText(trace.explained)
        self.state.setVisible(bool(trace.explained))
        self._thinking_tokens = trace.thinking_tokens
        self._show_thinking(trace.thinking)
        parts = [f"{(trace.total_ms or 0) / 1000:.1f} s"]
        if trace.completion_tokens:
            counts = f"{trace.prompt_tokens:,} + {trace.completion_tokens:,} tokens"
            is_unknown = trace.usage is Usage.UNKNOWN
            parts.insert(0, f"usage unknown, about {counts}" if is_unknown else counts)
        if trace.thinking_tokens:
            parts.insert(1, f"{trace.thinking_tokens:,} of thinking")
        if trace.tokens_per_s:
            parts.append(f"{trace.tokens_per_s:.0f} tokens/s")
        if trace.guard_action:
            parts.append(f"guardrails: {guard_word(trace.guard_action)}")
        self.status.setText("   ·   ".join(parts))
        if result.notices:
            notes = "Note: " + "; ".join(result.notices) + "."
            self.flags.setText(f"{self.flags.text()}\n{notes}" if self.flags.text() else notes)
        if self._is_blind:
            self.status.setText("")
            return
        self.left.show_trace(trace)
        self.recalled.show_hit(hit_of(self._console.database, result.trace_id))
        arm = arm_of(self._console.database, result.trace_id)
        if arm is not None:
            self.show_arm(f"{arm.arm}: {arm.pipeline}")
        self._show_links()
        if opens_source:
            self._open_first_source()

    def _begin_again(self, event: StepRejected) -> None:
        """Take the answer of a step away: the next one answers."""
        self._stop_stream()
        self._was_rejected, self._claims, self.answer_text = True, (), ""
        self._show_thinking("")
        self.answer.set_answer("")
        self.flags.setText("" if self._is_blind else event.sentence)

    def reveal(self, pipeline: str) -> None:
        """Show what was hidden, after a choice was made."""
        self._is_blind = False
        self.show_arm(pipeline)
        self._show_links()

    def show_arm(self, text: str) -> None:
        """Say which pipeline gave the answer."""
        self.arm.setText(text)
        self.arm.show()

    def _show_links(self) -> None:
        self._show_actions()
        self.feedback.show_trace(self.trace_id, self._hits)
        self.feedback.show()

    def stop(self, sentence: str, is_error: bool) -> None:
        """Show that the question ended without a result, and why."""
        self._stop_stream()
        self._is_running = False
        self.status.setText("Failed" if is_error else "Stopped")
        self.flags.setText(sentence)
        self._show_actions()

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
        cited = markers_of(self.answer_text)
        evidence = {claim.evidence_marker for claim in self._claims if claim.verdict is Verdict.SUPPORTED}
        self.source_list.show_hits(self._hits, cited, cited | evidence)

    def _open_hit(self, hit: Hit) -> None:
        self._has_choice = True
        self._sources.show_hit(hit)

    def _open_citation(self, marker: int) -> None:
        for hit in self._hits:
            if hit.marker == marker:
                self._open_hit(hit)

    def _open_claim(self, index: int) -> None:
        if self._claims[index].verdict.is_claim:
            self._has_choice = True
            self._sources.show_claim(self._claims[index], self._hits, self.trace_id)

    def _open_first_source(self) -> None:
        """Open the source that the answer cites first, where it can be seen without moving anything."""
        if self._has_choice or self._sources.visibleRegion().isEmpty():
            return
        if self._sources.width() < scaled(_LEAST_SOURCE):
            return
        packed = {hit.marker: hit for hit in self._hits if hit.marker is not None}
        found = (packed.get(int(match.group(1))) for match in MARKER.finditer(self.answer_text))
        first = next((hit for hit in found if hit is not None), None)
        if first is not None:
            self._sources.claim_panel.hide()
            self._sources.show_hit(first)


def asked_with(trace: TraceDetail) -> dict[str, Any]:
    """Return the keywords by which the question of a trace is asked again, as far as it knows them."""
    prompt = f"{trace.prompt_name}@{trace.prompt_version}" if trace.prompt_version else ""
    return {
        "collection": trace.collection, "version": trace.version_number, "model": trace.model or None,
        "prompt": prompt,
    }  # fmt: skip
