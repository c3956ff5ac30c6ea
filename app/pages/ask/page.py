"""Ask: a question, its streamed answer with marks, and the sources beside it."""

from __future__ import annotations

import json
import re
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.shared.feedback_bar import FeedbackBar
from app.pages.ask.rollout_strip import RolloutStrip
from app.shared.source_panel import SourcePanel, source_button
from app.widgets.theme import SMALL_SPACE, SPACE
from app.widgets.layout import AnswerView, EmptyState, IconButton, Panel, button, label, row, scrolled
from rag.asking.rows import AskResult, ClaimResult, ClaimsChecked, Hit, PromptProgress, RetrievalDone, StageStarted, TokenStreamed
from rag.review.rows import BlindResult, Revealed, arm_of
from rag.sample.making import SAMPLE_COLLECTION, sample_questions
from rag.grounding.verdicts import places, summary

_STAGES = {
    "search": "Searching…",
    "load": "Loading the model…",
    "read": "Reading the passages…",
    "check": "Checking each sentence…",
}
_FLUSH_MS = 33  # streamed text is drawn 30 times a second, however fast it comes


class AnswerCard(Panel):
    """One question with its answer, sources and flags."""

    trace_requested = Signal(str)

    def __init__(
        self, console: Console, question: str, sources: SourcePanel, *, is_blind: bool = False
    ) -> None:
        """is_blind: one of two answers; what would tell which pipeline it is stays hidden until `reveal`."""
        super().__init__()
        self._is_blind = is_blind
        self._console, self._sources = console, sources
        self._hits: tuple[Hit, ...] = ()
        self._claims: tuple[ClaimResult, ...] = ()
        self._pending = ""
        self.trace_id = ""
        self.answer_text = ""
        asked = label(question, "section", wrap=True)
        asked.setVisible(bool(question))
        asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
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
        self._trace_link = button("Open trace", self._open_trace, link=True, tip="How this answer came about")
        self._trace_link.hide()
        self.body.addWidget(asked)
        self.body.addWidget(self._progress)
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

    def handle(self, event: Any) -> None:
        """Take one event of the ask."""
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
        self._stop_stream()
        self.trace_id, self.answer_text = result.trace_id, result.answer
        if not self._claims:
            self.answer.set_answer(result.answer, self._markers())
        row_ = self._console.reader.trace(result.trace_id).row
        parts = [f"{(row_['total_ms'] or 0) / 1000:.1f} s"]
        if row_["completion_tokens"]:
            parts.insert(0, f"{row_['prompt_tokens']:,} + {row_['completion_tokens']:,} tokens")
        if row_["tokens_per_s"]:
            parts.append(f"{row_['tokens_per_s']:.0f} tokens/s")
        self.status.setText("   ·   ".join(parts))
        if result.notices:
            notes = "Note: " + "; ".join(result.notices) + "."
            self.flags.setText(f"{self.flags.text()}\n{notes}" if self.flags.text() else notes)
        if self._is_blind:
            self.status.setText("")
            return
        arm = arm_of(self._console.reader, result.trace_id)
        if arm is not None:
            self.show_arm(f"{arm.arm}: {arm.pipeline}")
        self._show_links()

    def reveal(self, pipeline: str) -> None:
        """The pick is made: what was hidden is shown."""
        self.show_arm(pipeline)
        self._show_links()

    def show_arm(self, text: str) -> None:
        self.arm.setText(text if len(text) < 44 else text[:43] + "…")
        self.arm.setToolTip(text)
        self.arm.show()

    def _show_links(self) -> None:
        self._trace_link.show()
        self.feedback.show_trace(self.trace_id, self._hits)
        self.feedback.show()

    def stop(self, sentence: str, is_error: bool) -> None:
        """The ask ended without a result."""
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
        cited = {int(number) for number in re.findall(r"\[(\d{1,3})\]", self.answer_text)}
        evidence = {claim.evidence_marker for claim in self._claims if claim.verdict == "supported"}
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
        if self._claims[index].verdict != "not checkable":
            self._sources.show_claim(self._claims[index], self._hits, self.trace_id)

    def _open_trace(self) -> None:
        self.trace_requested.emit(self.trace_id)


class BlindCard(Panel):
    """Both answers of a blind comparison side by side; a pick says which pipeline gave which."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, question: str, sources: SourcePanel) -> None:
        super().__init__()
        self._console = console
        self._pair = ""
        self.first, self.second = (AnswerCard(console, "", sources, is_blind=True) for _ in range(2))
        for card in (self.first, self.second):
            card.trace_requested.connect(self.trace_requested)
        asked = label(question, "section", wrap=True)
        asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.question = label("Which answer is better? You see afterwards which pipeline gave it.", "small")
        self.picks = {
            "first": button("The left one", lambda: self.pick("first")),
            "no difference": button("No difference", lambda: self.pick("no difference")),
            "second": button("The right one", lambda: self.pick("second")),
        }
        for made in self.picks.values():
            made.setEnabled(False)
        answers = QHBoxLayout()
        answers.setSpacing(SPACE)
        for card in (self.first, self.second):
            answers.addWidget(card, 1, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(asked)
        self.body.addLayout(answers)
        self.body.addLayout(row(self.question, 1, *self.picks.values()))

    def handle(self, event: Any) -> None:
        """An event of either answer; the left one comes first."""
        if not self.first.trace_id:
            self.first.trace_id = event.trace_id
        (self.first if event.trace_id == self.first.trace_id else self.second).handle(event)

    def finish(self, result: BlindResult) -> None:
        self._pair = result.pair
        self.first.finish(result.first)
        self.second.finish(result.second)
        for made in self.picks.values():
            made.setEnabled(True)

    def stop(self, sentence: str, is_error: bool) -> None:
        waiting = self.second if self.second.trace_id else self.first
        waiting.stop(sentence, is_error)
        self.question.setText("Without both answers there is nothing to compare.")

    def pick(self, choice: str) -> None:
        """Store which is better, and show which is which."""
        for made in self.picks.values():
            made.setEnabled(False)
        self._console.run(
            "view",
            "Keep the pick",
            "rag.review.rollouts:pick",
            lambda shown: self._reveal(choice, shown),
            pair=self._pair,
            choice=choice,
        )

    def _reveal(self, choice: str, shown: Revealed) -> None:
        self.first.reveal(shown.first)
        self.second.reveal(shown.second)
        better = {"first": f"“{shown.first}” was better", "second": f"“{shown.second}” was better"}
        self.question.setText(f"Kept: {better.get(choice, 'no difference')}.")
        for made in self.picks.values():
            made.hide()


class AskPage(QWidget):
    """Questions to one version of one collection, by one model."""

    trace_requested = Signal(str)
    documents_wanted = Signal()
    rollout_requested = Signal(int)
    asked = Signal(object)  # the Task

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._session_id = ""
        self._task: Task | None = None
        self._cards: list[AnswerCard | BlindCard] = []
        self._routed = False  # a roll-out or a promoted pipeline decides who answers
        self.strip = RolloutStrip(console)
        self.strip.results_requested.connect(self.rollout_requested)
        self.collection_box, self.version_box, self.model_box = QComboBox(), QComboBox(), QComboBox()
        self.pipeline_box = QComboBox()
        self.question = QPlainTextEdit()
        self.sources = SourcePanel(console)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self._make_left())
        splitter.addWidget(self.sources)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 2)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([700, 460])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(splitter)
        console.data_changed.connect(self.refresh)
        console.models_changed.connect(self._fill_models)
        console.settings_changed.connect(self._fill_models)
        self.collection_box.currentIndexChanged.connect(lambda _i: self._fill_versions())
        self.version_box.currentIndexChanged.connect(lambda _i: self._show_rollout())
        self.refresh()
        self._fill_models()

    # --- what the main window calls -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Collections and versions as they are now; the choice stays."""
        chosen = self.collection_name
        rows = [row_ for row_ in self._console.reader.collections() if row_.active_version_id is not None]
        self.collection_box.blockSignals(True)
        self.collection_box.clear()
        for row_ in rows:
            self.collection_box.addItem(row_.name, row_)
        index = self.collection_box.findText(chosen) if chosen else -1
        self.collection_box.setCurrentIndex(max(index, 0) if rows else -1)
        self.collection_box.blockSignals(False)
        self._fill_versions()
        self._show_state()

    def focus_question(self) -> None:
        self.question.setFocus()

    def choose_collection(self, name: str, version: int | None = None) -> None:
        self.collection_box.setCurrentIndex(self.collection_box.findText(name))
        index = self.version_box.findData(version)
        self.version_box.setCurrentIndex(max(index, 0))

    @property
    def collection_name(self) -> str:
        return self.collection_box.currentText()

    def ask(self, text: str = "") -> None:
        """Ask what is in the box, or the given text."""
        text = (text or self.question.toPlainText()).strip()
        if not text or self._task is not None:
            return
        if not self.collection_name:
            self._console.notice.emit("There is no collection to ask yet; add documents first.", "bad")
            return
        self.question.clear()
        self._show_rollout()
        running = self.strip.rollout if self._routed else None
        kind = BlindCard if running is not None and running.kind == "blind" else AnswerCard
        card = kind(self._console, text, self.sources)
        card.trace_requested.connect(self.trace_requested)
        self._cards.append(card)
        self._list.insertWidget(self._list.count() - 1, card)
        self._stack.setCurrentWidget(self._scroll)
        task = self._console.engine.start(
            "model", f"Ask: {text[:60]}", "rag.review.rollouts:ask", question=text,
            collection=self.collection_name, version=self.version_box.currentData(),
            model=None if self._routed else self.model_box.currentData(), session_id=self._session_id,
            pipeline=self.pipeline_box.currentData() or "",
        )  # fmt: skip
        self._task = task
        task.event.connect(card.handle)
        task.event.connect(lambda _event: self._follow())
        task.finished.connect(lambda result: self._finished(card, result))
        task.failed.connect(lambda sentence, details: self._failed(card, sentence, details))
        task.cancelled.connect(lambda: card.stop("Stopped; what was answered so far is in the trace.", False))
        task.ended.connect(self._ended)
        self._show_state()
        self.asked.emit(task)

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def new_session(self) -> None:
        """Forget the conversation; traces keep it."""
        if self._task is not None:
            return
        for card in self._cards:
            card.deleteLater()
        self._cards = []
        self._session_id = ""
        self.sources.clear()
        self._show_state()
        self.focus_question()

    # --- making -------------------------------------------------------------------------------------------

    def _make_left(self) -> QWidget:
        left = QWidget()
        layout = QVBoxLayout(left)
        layout.setContentsMargins(0, 0, SMALL_SPACE, 0)
        layout.setSpacing(SPACE)
        self._stack = QStackedWidget()
        holder = QWidget()
        self._list = QVBoxLayout(holder)
        self._list.setContentsMargins(0, 0, SMALL_SPACE, 0)
        self._list.setSpacing(SPACE)
        self._list.addStretch(1)
        self._scroll = scrolled(holder)
        self._no_documents = EmptyState(
            self._console.theme, "collections", "No documents yet",
            "Drop files or folders anywhere on this window. They stay on this computer.",
            button("Add documents…", self.documents_wanted.emit, primary=True),
        )  # fmt: skip
        self._stack.addWidget(self._no_documents)
        self._stack.addWidget(self._make_start())
        self._stack.addWidget(self._scroll)
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._make_question())
        return left

    def _make_start(self) -> QWidget:
        self._start = EmptyState(
            self._console.theme,
            "ask",
            "Ask your documents",
            "Every answer shows its sources, and which sentences they do not support.",
        )
        self._samples = QFrame()
        box = QVBoxLayout(self._samples)
        box.addWidget(label("Try one of these", "small"), 0, Qt.AlignmentFlag.AlignHCenter)
        for text in sample_questions():
            box.addWidget(button(text, lambda t=text: self.ask(t)), 0, Qt.AlignmentFlag.AlignHCenter)
        layout = self._start.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(layout.count() - 1, self._samples)
        return self._start

    def _make_question(self) -> QWidget:
        panel = Panel()
        for box, name, width in (
            (self.collection_box, "Collection", 190),
            (self.version_box, "Dataset version", 120),
            (self.model_box, "Model", 190),
            (self.pipeline_box, "Pipeline", 150),
        ):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setMinimumWidth(90)
            box.setMaximumWidth(width + 80)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(width // 12)
        self._prompt_label = label("", "small")
        self._prompt_label.setToolTip("The prompt that passages and question are put into")
        self.pipeline_box.currentIndexChanged.connect(lambda _i: self._show_rollout())
        self.new_button = IconButton(
            self._console.theme, "new-chat", "New session (Ctrl+N)", self.new_session
        )
        panel.body.addLayout(
            row(
                self.collection_box,
                self.pipeline_box,
                self.version_box,
                self.model_box,
                1,
                self.new_button,
            )
        )
        self.question.setPlaceholderText("Ask a question  (Enter sends, Shift+Enter starts a new line)")
        self.question.setAccessibleName("Question")
        self.question.setAcceptDrops(False)  # files dropped here go to the window
        self.question.setFixedHeight(64)
        self.question.setTabChangesFocus(True)
        self.question.installEventFilter(self)
        self.send_button = button("Ask", self._send_or_stop, primary=True, tip="Enter; Esc stops")
        self.send_button.setFixedWidth(76)
        line = row(self.question, self.send_button)
        line.setAlignment(self.send_button, Qt.AlignmentFlag.AlignBottom)
        panel.body.addLayout(line)
        panel.body.addWidget(self._prompt_label)
        return panel

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.question and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.ask()
                return True
        return super().eventFilter(watched, event)

    # --- following ----------------------------------------------------------------------------------------

    def _send_or_stop(self) -> None:
        if self._task is not None:
            self.stop()
        else:
            self.ask()

    def _finished(self, card: AnswerCard | BlindCard, result: Any) -> None:
        self._session_id = result.session_id
        card.finish(result)

    def _failed(self, card: AnswerCard | BlindCard, sentence: str, details: str) -> None:
        card.stop(sentence, True)
        if details:
            self._console.bug.emit(sentence, details)

    def _ended(self) -> None:
        self._task = None
        self._show_state()
        self._follow()
        self._console.data_changed.emit()
        self._console.run(
            "view", "Model state", "rag.tasks:model_state", self._console.model_state_changed.emit
        )

    def _show_rollout(self) -> None:
        pipeline = self.pipeline_box.currentData() or ""
        own_choice = self.version_box.currentData() is not None or bool(pipeline)
        self._routed = self.strip.show_collection(self.collection_name, own_choice)
        self.version_box.setEnabled(not pipeline)
        self.model_box.setEnabled(not self._routed and not pipeline)
        decided = self._routed or bool(pipeline)
        self.model_box.setToolTip("The pipeline says which model answers" if decided else "Model")
        text = self._prompt_text(pipeline)
        self._prompt_label.setText(text)
        self._prompt_label.setVisible(bool(text))

    def _prompt_text(self, pipeline: str) -> str:
        """The prompt that will be used, as far as it is known before the ask."""
        if self._routed:
            return ""
        reader = self._console.reader
        named = "default"
        if pipeline:
            found = next((p for p in reader.pipelines() if p.name == pipeline), None)
            named = json.loads(found.config)["prompt"] if found else named
        name, _, which = named.partition("@")
        prompt = next((p for p in reader.prompts() if p.name == name), None)
        if prompt is None:
            return ""
        labels = dict(prompt.labels)
        number = int(which) if which.isdecimal() else labels.get(which or "production", prompt.latest)
        return f"Prompt: {name}, version {number}"

    def _follow(self) -> None:
        bar = self._scroll.verticalScrollBar()
        if bar.maximum() - bar.value() < 160:
            QTimer.singleShot(0, lambda: bar.setValue(bar.maximum()))

    def _show_state(self) -> None:
        has_collection = self.collection_box.count() > 0
        if self._cards:
            self._stack.setCurrentWidget(self._scroll)
        else:
            self._stack.setCurrentWidget(self._start if has_collection else self._no_documents)
        self._samples.setVisible(self.collection_name == SAMPLE_COLLECTION)
        busy = self._task is not None
        self.send_button.setText("Stop" if busy else "Ask")
        self.send_button.setAccessibleName(self.send_button.text())
        self.send_button.setEnabled(busy or has_collection)
        self.new_button.setEnabled(not busy)
        self._show_rollout()

    def _fill_pipelines(self) -> None:
        chosen = self.pipeline_box.currentData()
        self.pipeline_box.blockSignals(True)
        self.pipeline_box.clear()
        self.pipeline_box.addItem("Settings", "")
        self.pipeline_box.setItemData(0, "As the settings say", Qt.ItemDataRole.ToolTipRole)
        for pipeline in self._console.reader.pipelines():
            config = json.loads(pipeline.config)
            if config["collection"] == self.collection_name and config["kind"] == "answer":
                self.pipeline_box.addItem(pipeline.name, pipeline.name)
        self.pipeline_box.setCurrentIndex(max(self.pipeline_box.findData(chosen), 0))
        self.pipeline_box.setVisible(self.pipeline_box.count() > 1)
        self.pipeline_box.blockSignals(False)

    def _fill_versions(self) -> None:
        self._fill_pipelines()
        chosen = self.version_box.currentData()
        self.version_box.clear()
        row_ = self.collection_box.currentData()
        if row_ is not None:
            self.version_box.addItem(f"Active (version {row_.version_number})", None)
            for version in self._console.reader.versions(row_.id):
                self.version_box.addItem(f"Version {version.number}", version.number)
                self.version_box.setItemData(
                    self.version_box.count() - 1, version.message, Qt.ItemDataRole.ToolTipRole
                )
            self.version_box.setCurrentIndex(max(self.version_box.findData(chosen), 0))
        self._show_state()

    def _fill_models(self) -> None:
        chosen = self.model_box.currentData()
        self.model_box.clear()
        active = self._console.settings.models.active
        usable = [entry for entry in self._console.models if entry.header is not None]
        for entry in usable:
            demo = " (demo model)" if entry.origin == "starter" else ""
            self.model_box.addItem(f"{entry.name}{demo}", entry.path)
            self.model_box.setItemData(self.model_box.count() - 1, entry.path, Qt.ItemDataRole.ToolTipRole)
        if not usable:
            self.model_box.addItem("No model", None)
        wanted = chosen or active or (usable[0].path if usable else None)
        self.model_box.setCurrentIndex(max(self.model_box.findData(wanted), 0))
