"""Everything stored about one question: waterfall, candidates, flags, prompt and settings."""

from __future__ import annotations

import json
from datetime import datetime

from PySide6.QtWidgets import QInputDialog, QPlainTextEdit, QTabWidget, QWidget

from app.console import Console
from app.pages.traces.consistency_panel import ConsistencyPanel
from app.pages.traces.replay.carry_panel import CarryPanel
from app.pages.traces.replay.panel import ReplayPanel
from app.pages.traces.steps.agents_panel import AgentsPanel
from app.pages.traces.steps.session_panel import SessionPanel
from app.pages.traces.steps.steps_panel import StepsPanel
from app.pages.traces.steps_view import StepsView
from app.shared.candidate_table import CandidateTable
from app.shared.claim_panel import ClaimPanel
from app.shared.feedback_bar import FeedbackBar
from app.shared.links import LinkRow
from app.shared.thinking_view import ThinkingView
from app.widgets.answer_view import AnswerView
from app.widgets.buttons import allow, button
from app.widgets.charts import Bar, Waterfall
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import Flow, column, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, VERDICT_COLOURS
from rag import operations
from rag.asking.cascades.rows import list_cascade_steps
from rag.asking.rows import TraceDetail, TraceSource, TraceStatus, list_spans
from rag.evaluation.rows import list_sets
from rag.finding.rows import Kind, Place
from rag.grounding.rows import ClaimResult, places, summary
from rag.guardrails.policies.rows import guard_word, read_masked
from rag.models.endpoints.rows import Usage
from rag.monitoring.rows import RegressionState
from rag.review.rows import ArmOf, arm_of
from rag.text.plurals import counted

_ADD = "Add to an evaluation set…"
_KIND_COLOURS = {
    "EMBEDDING": 5,
    "RETRIEVER": 0,
    "CHAIN": 7,
    "PROMPT": 4,
    "LLM": 1,
    "EVALUATOR": 2,
    "RERANKER": 3,
    "GUARDRAIL": 6,
}


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %H:%M:%S")


class TraceView(QWidget):
    """Tabs with one trace: overview, candidates, flags, agreement, the exact prompt, settings."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.question, self.status = label("", "section", wrap=True), label("", "small", wrap=True)
        self.links = LinkRow(console)
        self.silent = label("", "warning", wrap=True)
        self.regression_button = button(
            "Make it a regression question",
            self.add_regression_question,
            tip="It is asked again after changes, and its answer compared with this one: see Monitors",
        )
        self.thinking = ThinkingView()
        self.answer = AnswerView(console.theme)
        self.feedback = FeedbackBar(console)
        self.steps = StepsView()
        self.waterfall = Waterfall(console.theme)
        self.candidates = CandidateTable(
            console.theme, "trace_candidates", "Nothing was found for this question."
        )
        self.hits = self.candidates.table
        self.claims = RecordTable(CLAIM_COLUMNS, console.theme, "trace_flags", "No sentence was checked.")
        self.prompt = QPlainTextEdit(readOnly=True)
        self.prompt.setAccessibleName("Prompt as sent")
        self.prompt.setFont(console.theme.fixed_font())
        self.prompt.setPlaceholderText("The model was not asked.")
        self._claims_of = self._own_set = ""
        self._trace: TraceDetail | None = None
        self._summary, self._settings = KeyValueGrid(), KeyValueGrid()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._overview_tab(), "Overview")
        self.tabs.addTab(column((self.candidates, 1), top=SPACE), "Candidates")
        self.claim_panel = ClaimPanel(console)
        self.claim_panel.hide()
        self.claims.record_selected.connect(self._show_claim)
        self.consistency = ConsistencyPanel(console)
        self.step_tree, self.agents = StepsPanel(console), AgentsPanel(console)
        self.session = SessionPanel(console)
        self.agents.step_requested.connect(self.show_step)
        for number, (panel, title) in enumerate(
            ((self.step_tree, "Steps"), (self.agents, "Agents"), (self.session, "Session")), 1
        ):
            self.tabs.insertTab(number, panel, title)
            self.tabs.setTabVisible(number, False)
        self.carry, self.replay = CarryPanel(console), ReplayPanel(console)
        self.tabs.addTab(column((self.claims, 1), self.claim_panel, self.carry, top=SPACE), "Flags")
        self.tabs.addTab(self.consistency, "Agreement")
        self.prompt_tab = column((self.prompt, 1), top=SPACE)
        self.tabs.addTab(self.prompt_tab, "Prompt")
        self.tabs.addTab(scrolled(column(self._settings, 1, top=SPACE, right=SMALL_SPACE)), "Settings")
        self.tabs.addTab(self.replay, "Replay")
        column((self.tabs, 1), holder=self)

    def show_trace(self, trace: TraceDetail) -> None:
        """Show everything that is stored of a trace."""
        self.question.setText(trace.question)
        self.status.setText(_status_line(trace))
        self.links.show_places(_named(trace, arm_of(self._console.database, trace.id)))
        self.silent.setText(trace.explained)
        self.silent.setVisible(bool(trace.explained))
        allow(self.regression_button, _why_no_regression(trace))
        markers = [hit.marker for hit in trace.hits if hit.marker is not None]
        self.thinking.show_thinking(trace.thinking, trace.thinking_tokens)
        self.answer.set_answer(trace.answer or trace.error or "No answer.", markers, trace.claims)
        self._show_steps(trace)
        self.steps.show_steps(list_cascade_steps(self._console.database, trace.id), trace.id)
        self.candidates.show_hits(trace.hits)
        self._claims_of = trace.id
        self._own_set = trace.application if trace.source == TraceSource.RECEIVED else ""
        self.case_button.setText(f"Add to the set “{self._own_set}”" if self._own_set else _ADD)
        self.feedback.show_trace(trace.id if trace.status != TraceStatus.RUNNING else "", trace.hits)
        self.claim_panel.hide()
        self.claims.set_records(trace.claims)
        self.consistency.show_trace(trace.id, bool(trace.prompt))
        self._trace = trace
        self.carry.show_claim(trace, None)
        self.replay.show_trace(trace)
        self.prompt.setPlainText(trace.prompt)
        masked = [(f"Masked: {k}", v) for k, v in read_masked(self._console.database, trace.id).items()]
        self._summary.set_pairs(_figures(trace, arm_of(self._console.database, trace.id)) + masked)
        self._settings.set_pairs(_settings(trace))

    def show_step(self, span_id: str) -> None:
        """Show a step of the received trace that is open, by the id of its span."""
        self.step_tree.choose_step(span_id)
        self.tabs.setCurrentWidget(self.step_tree)

    def _show_steps(self, trace: TraceDetail) -> None:
        """Show the stages of our own answer as bars; another application's steps have tabs of their own."""
        received = trace.source == TraceSource.RECEIVED
        spans = () if received else list_spans(self._console.database, trace.id)
        self.waterfall.set_bars(
            [Bar(s.name, s.start_ms, s.end_ms, s.detail, _KIND_COLOURS.get(s.kind, 7)) for s in spans]
        )
        self.waterfall_title.setVisible(not received)
        self.waterfall.setVisible(not received)
        self.open_steps.setText(f"Show its {counted(trace.step_count or 0, 'step')}")
        self.open_steps.setVisible(received)
        self.step_tree.show_trace(trace.id if received else "")
        self.agents.show_trace(trace.id if received else "")
        others = self.session.show_session(trace.session_id, trace.id) if received else 0
        for panel, shown in (
            (self.step_tree, received), (self.agents, received), (self.session, others > 1),
            (self.consistency, not received or bool(trace.prompt)),  # only our own can be asked again
            (self.prompt_tab, not received or bool(trace.prompt)),
        ):  # fmt: skip
            self.tabs.setTabVisible(self.tabs.indexOf(panel), shown)

    def add_to_set(self, name: str = "") -> None:
        """Add the trace to an evaluation set as a case; without a name, ask for the set."""
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
        """Make the question a regression question, with this answer as its reference."""
        self._console.run(
            operations.add_regression_question, self._added,
            collection="", trace_id=self._claims_of,
        )  # fmt: skip

    def _added(self, state: RegressionState) -> None:
        self.regression_button.setEnabled(False)
        number = counted(len(state.questions), "regression question")
        self._console.notice.emit(
            f"Saved: “{state.collection}” has {number} now, see the Monitors page.", "info"
        )
        self._console.data_changed.emit()

    def _overview_tab(self) -> QWidget:
        self.case_button = button(
            _ADD,
            lambda: self.add_to_set(self._own_set),
            link=True,
            tip="Its question, answer and cited passages become a case",
        )
        self.replay_button = button(
            "Replay…",
            lambda: self.tabs.setCurrentWidget(self.replay),
            tip="Answer it again with one thing changed, and see what differs",
        )
        self.waterfall_title = label("Where the time went", "section")
        self.open_steps = button(
            "", lambda: self.tabs.setCurrentWidget(self.step_tree), link=True, tip="As a tree with a timeline"
        )
        content = column(
            self.question,
            self.status,
            self.links,
            self.silent,
            self.thinking,
            self.answer,
            self.steps,
            self.feedback,
            Flow(self.open_steps, self.case_button, self.regression_button, self.replay_button),
            self.waterfall_title,
            self.waterfall,
            label("In figures", "section"),
            self._summary,
            1,
            top=SPACE,
            right=SMALL_SPACE,
            spacing=SPACE,
        )
        return scrolled(content)

    def _show_claim(self, claim: ClaimResult) -> None:
        self.claim_panel.show_claim(claim, self._claims_of)
        self.claim_panel.show()
        if self._trace is not None:
            self.carry.show_claim(self._trace, claim)

    def compare_with(self, trace_id: str) -> None:
        """Show another trace beside this one, and what differs."""
        self.tabs.setCurrentWidget(self.replay)
        self.replay.compare_with(trace_id)


def _why_no_regression(trace: TraceDetail) -> str:
    """Return why a trace cannot be a regression question, "" when it can."""
    if trace.source == TraceSource.RECEIVED:
        return "It was asked in another application, which Ragdeck cannot ask again. Add it to a set."
    return "" if trace.status.is_complete else "This trace has no complete answer."


def _named(trace: TraceDetail, arm: ArmOf | None) -> list[tuple[str, Place]]:
    """Return the objects that a trace names, each with what its link says."""
    named = []
    if trace.collection:
        named.append((trace.collection, Place(Kind.COLLECTION, trace.collection)))
        if trace.version_number:
            version = Place(Kind.VERSION, str(trace.version_number), trace.collection)
            named.append((f"Version {trace.version_number}", version))
    if trace.prompt_name and trace.prompt_version:
        prompt = Place(Kind.PROMPT_VERSION, str(trace.prompt_version), trace.prompt_name)
        named.append((f"Prompt {trace.prompt_name} {trace.prompt_version}", prompt))
    if trace.session_id and TraceSource(trace.source).is_traffic:
        named.append(("Session", Place(Kind.SESSION, trace.session_id)))
    if arm is not None:
        named.append((f"Roll-out {arm.rollout_id}", Place(Kind.ROLLOUT, str(arm.rollout_id))))
    return named


def _status_line(trace: TraceDetail) -> str:
    parts = [trace.state, _time(trace.created_ms)]
    if trace.application:
        parts.append(trace.application)
    if trace.collection:
        version = f" version {trace.version_number}" if trace.version_number else ""
        parts.append(f"{trace.collection}{version}")
    if trace.model:
        parts.append(trace.model)
    return "   ·   ".join(parts)


def _figures(trace: TraceDetail, arm: ArmOf | None) -> list[tuple[str, str]]:
    """Return the figures of a trace as (name, value); arm: which arm of a roll-out it belongs to."""
    passages = (
        f"{trace.passage_count} of {trace.searched_chunks:,} chunks from {trace.passage_documents} of "
        f"{trace.searched_documents:,} documents; {trace.candidate_count} candidates"
    )
    if trace.source == TraceSource.RECEIVED:
        passages = counted(
            trace.passage_count, "document or output of a tool", "documents and outputs of tools"
        )
    tokens = (
        f"{trace.prompt_tokens:,} prompt, of them {trace.cached_tokens:,} cached; "
        f"{trace.completion_tokens:,} completion"
    ) + (f", {trace.thinking_tokens:,} of thinking before" if trace.thinking_tokens else "")
    if trace.usage is Usage.UNKNOWN:
        tokens = f"usage unknown: “{trace.endpoint}” did not tell it; about {tokens} by our own count"
    stages = (
        f"retrieve {_ms(trace.retrieve_ms)}, read {_ms(trace.read_ms)}, generate {_ms(trace.generate_ms)}, "
        f"check {_ms(trace.check_ms)}"
    )
    pairs = [
        ("Trace", trace.id),
        ("Passages", passages),
        ("Tokens", tokens),
        ("Speed", "–" if trace.tokens_per_s is None else f"{trace.tokens_per_s:.1f} tokens/s"),
        ("Time", f"{_ms(trace.total_ms)} in all; first token after {_ms(trace.first_token_ms)}"),
        ("Stages", stages),
        ("Sentences", _checked(trace)),
    ]
    if trace.sent_to:
        pairs.insert(1, ("Left this computer", f"question and passages were sent to {trace.sent_to}"))
    if trace.endpoint:
        served = trace.served_model or "not told"
        configuration = f", configuration {trace.system_fingerprint}" if trace.system_fingerprint else ""
        pairs.append(("Endpoint", f"{trace.endpoint}; served model {served}{configuration}"))
    if arm is not None:
        said = "not decided yet" if arm.is_open else f"{arm.arm}, “{arm.pipeline}”"
        pairs.append(("Roll-out", f"{arm.kind} {arm.rollout_id}: {said}"))
    if trace.guard_action:
        pairs.append(("Guardrails", guard_word(trace.guard_action)))
    if trace.fallbacks:
        pairs.append(("Notes", "; ".join(trace.fallbacks)))
    if trace.error:
        pairs.append(("Error", trace.error))
    return pairs


def _settings(trace: TraceDetail) -> list[tuple[str, str]]:
    """Return what decided about the answer as (name, value)."""
    pairs = [
        ("Version fingerprint", trace.version_fingerprint or "–"),
        ("Model identity" if trace.endpoint else "Model sha256", trace.model_sha256 or "–"),
        ("Prompt", f"{trace.prompt_name or '–'}  {trace.prompt_fingerprint}"),
        ("Session", trace.session_id),
        ("Asked by", trace.source),
        ("Finish", trace.finish_reason or "–"),
    ]
    if trace.mean_logprob is not None:
        pairs.append(("Log-probability", f"mean {trace.mean_logprob:.2f}, lowest {trace.min_logprob:.2f}"))
    for section, values in json.loads(trace.settings or "{}").items():
        if section in ("chunking", "retrieval", "generation"):
            pairs += [(f"{section}.{key}", str(value)) for key, value in values.items()]
    return pairs


def _checked(trace: TraceDetail) -> str:
    if trace.check_error:
        return f"not checked: {trace.check_error}"
    return summary(trace.claims, places(trace.hits)) if trace.claims else "not checked"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def _evidence(claim: ClaimResult) -> str:
    text = " ".join(claim.evidence_text.split())
    return f"[{claim.evidence_marker}] {text}" if claim.evidence_marker else ""


CLAIM_COLUMNS = (
    Column("Verdict", lambda c: c.verdict.words, 100, colour=lambda c: VERDICT_COLOURS.get(c.verdict),
           tooltip=lambda c: c.verdict.meaning),
    Column("Risk", lambda c: "–" if c.score is None else f"{c.score:.2f}", 50, right=True,
           sort=lambda c: c.score),
    Column("Sentence", lambda c: c.text, 260, tooltip=lambda c: c.text, stretch=True),
    Column("Reason", lambda c: c.reason, 150, tooltip=lambda c: c.reason, priority=0),
    Column("Nearest evidence", _evidence, 260, tooltip=lambda c: c.evidence_text),
)  # fmt: skip
