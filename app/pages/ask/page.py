"""Ask: a question, its streamed answer with marks, and the sources beside it."""

from __future__ import annotations

import json
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.pages.ask.answer_card import AnswerCard
from app.pages.ask.blind_card import BlindCard
from app.pages.ask.rollout_strip import RolloutStrip
from app.shared.source_panel import SourcePanel
from app.widgets.buttons import IconButton, button
from app.widgets.labels import as_it_is, label, set_tip
from app.widgets.layout import EmptyState, Panel, Splitter, column, refill, row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.asking.rows import AskResult
from rag.evaluation.rows import list_pipelines
from rag.knowledge.rows import CollectionRow, list_collections, list_versions
from rag.prompts.rows import list_prompts
from rag.review.rows import BlindResult
from rag.sample.rows import SAMPLE_COLLECTION, sample_questions

_ASK_TIP = "Enter; Ctrl+Enter asks the model even if the cache has the answer; Esc stops"


class AskPage(QWidget):
    """A conversation with one version of one collection, beside the sources of its answers."""

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
        self._collections: dict[str, CollectionRow] = {}
        self._routed = False  # a roll-out or a promoted pipeline decides who answers
        self.strip = RolloutStrip(console)
        self.strip.results_requested.connect(self.rollout_requested)
        self.collection_box, self.version_box, self.model_box = QComboBox(), QComboBox(), QComboBox()
        self.pipeline_box = QComboBox()
        self.question = QPlainTextEdit()
        self.sources = SourcePanel(console)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(
            Splitter("ask/splitter", self._make_left(), self.sources, (700, 460), stretch=(3, 2))
        )
        console.data_changed.connect(self.refresh)
        console.models_changed.connect(self._fill_models)
        console.settings_changed.connect(self._fill_models)
        self.collection_box.currentIndexChanged.connect(lambda _i: self._fill_versions())
        self.version_box.currentIndexChanged.connect(lambda _i: self._show_rollout())
        self.refresh()
        self._fill_models()

    # --- what the main window calls -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Read collections and versions again; what is chosen stays chosen."""
        rows = [found for found in list_collections(self._console.database) if found.active_version_id]
        self._collections = {found.name: found for found in rows}
        refill(self.collection_box, [(name, name) for name in self._collections])
        self._fill_versions()

    def focus_question(self) -> None:
        """Let the person type a question."""
        self.question.setFocus()

    def choose_collection(self, name: str, version: int | None = None) -> None:
        """Choose what is asked; without a version the active one."""
        self.collection_box.setCurrentIndex(self.collection_box.findText(name))
        index = self.version_box.findData(version)
        self.version_box.setCurrentIndex(max(index, 0))

    @property
    def collection_name(self) -> str:
        """The name of the collection that is asked; empty when there is none."""
        return self.collection_box.currentText()

    def ask(self, text: str = "", fresh: bool = False) -> None:
        """Ask what is in the box, or the given text; fresh: the model, even if the cache has the answer."""
        text = (text or self.question.toPlainText()).strip()
        if not text or self._task is not None:
            return
        if not self.collection_name:
            self._console.notice.emit("There is no collection to ask yet. Add documents first.", "bad")
            return
        self.question.clear()
        self._show_rollout()
        running = self.strip.rollout if self._routed else None
        kind = BlindCard if running is not None and running.kind == "blind" else AnswerCard
        card = kind(self._console, text, self.sources)
        card.trace_requested.connect(self.trace_requested)
        if isinstance(card, AnswerCard):
            card.fresh_wanted.connect(lambda: self.ask(text, fresh=True))
        self._cards.append(card)
        self._list.insertWidget(self._list.count() - 1, card)
        self._stack.setCurrentWidget(self._scroll)
        task = self._console.engine.start(
            operations.ask, question=text,
            collection=self.collection_name, version=self.version_box.currentData(),
            model=None if self._routed else self.model_box.currentData(), session_id=self._session_id,
            pipeline=self.pipeline_box.currentData() or "", fresh=fresh,
        )  # fmt: skip
        self._task = task
        task.event.connect(card.handle)
        task.event.connect(lambda _event: self._follow())
        task.finished.connect(partial(self._finished, card))
        task.failed.connect(partial(self._failed, card))
        task.cancelled.connect(lambda: card.stop("Stopped. The trace contains the answer up to here.", False))
        task.ended.connect(self._ended)
        self._show_state()
        self.asked.emit(task)

    def stop(self) -> None:
        """Stop the answer that is being given."""
        if self._task is not None:
            self._task.cancel()

    def new_session(self) -> None:
        """Start a new conversation. The traces of the old one stay."""
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
        self._stack = QStackedWidget()
        holder = QWidget()
        self._list = QVBoxLayout(holder)
        self._list.setContentsMargins(0, 0, SMALL_SPACE, 0)
        self._list.setSpacing(SPACE)
        self._list.addStretch(1)
        self._scroll = scrolled(holder)
        self._no_documents = EmptyState(
            self._console.theme, "collections", "No documents yet",
            "Drop files or folders anywhere in this window. They stay on this computer.",
            button("Add documents…", self.documents_wanted.emit, primary=True),
        )  # fmt: skip
        self._stack.addWidget(self._no_documents)
        self._stack.addWidget(self._make_start())
        self._stack.addWidget(self._scroll)
        return column(self.strip, (self._stack, 1), self._make_question(), right=SMALL_SPACE, spacing=SPACE)

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
            box.addWidget(button(text, partial(self.ask, text)), 0, Qt.AlignmentFlag.AlignHCenter)
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
            set_tip(box, name)
            box.setMinimumWidth(90)
            box.setMaximumWidth(width + 80)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(width // 12)
        self._prompt_label = label("", "small")
        self._prompt_label.setToolTip("The prompt template that passages and question are put into")
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
        self.send_button = button("Ask", self._send_or_stop, primary=True, tip=_ASK_TIP)
        self.send_button.setFixedWidth(76)
        line = row(self.question, self.send_button)
        line.setAlignment(self.send_button, Qt.AlignmentFlag.AlignBottom)
        panel.body.addLayout(line)
        panel.body.addWidget(self._prompt_label)
        return panel

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Send the question on Enter; Shift+Enter starts a new line."""
        if watched is self.question and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.ask(fresh=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
                return True
        return super().eventFilter(watched, event)

    # --- following ----------------------------------------------------------------------------------------

    def _send_or_stop(self) -> None:
        if self._task is not None:
            self.stop()
        else:
            self.ask()

    def _finished(self, card: AnswerCard | BlindCard, result: AskResult | BlindResult) -> None:
        self._session_id = result.session_id
        if isinstance(card, BlindCard):
            assert isinstance(result, BlindResult)
            card.finish(result)
        else:
            assert isinstance(result, AskResult)
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
        self._console.run(operations.model_state, self._console.model_state_changed.emit)

    def _show_rollout(self) -> None:
        pipeline = self.pipeline_box.currentData() or ""
        own_choice = self.version_box.currentData() is not None or bool(pipeline)
        self._routed = self.strip.show_collection(self.collection_name, own_choice)
        self.version_box.setEnabled(not pipeline)
        self.model_box.setEnabled(not self._routed and not pipeline)
        decided = self._routed or bool(pipeline)
        set_tip(self.model_box, "The pipeline decides which model answers" if decided else "Model")
        text = self._prompt_text(pipeline)
        self._prompt_label.setText(text)
        self._prompt_label.setVisible(bool(text))

    def _prompt_text(self, pipeline: str) -> str:
        """Return which prompt will be used, as far as it is known before the question is asked."""
        if self._routed:
            return ""
        database = self._console.database
        named = "default"
        if pipeline:
            found = next((p for p in list_pipelines(database) if p.name == pipeline), None)
            named = json.loads(found.config)["prompt"] if found else named
        name, _, which = named.partition("@")
        prompt = next((p for p in list_prompts(database) if p.name == name), None)
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
        entries = [("Settings", "")]
        for pipeline in list_pipelines(self._console.database):
            config = json.loads(pipeline.config)
            if config["collection"] == self.collection_name and config["kind"] == "answer":
                entries.append((pipeline.name, pipeline.name))
        refill(self.pipeline_box, entries)
        self.pipeline_box.setItemData(0, "As the settings say", Qt.ItemDataRole.ToolTipRole)
        self.pipeline_box.setVisible(len(entries) > 1)

    def _fill_versions(self) -> None:
        self._fill_pipelines()
        collection = self._collections.get(self.collection_name)
        versions = list_versions(self._console.database, collection.id) if collection else []
        entries: list[tuple[str, int | None]] = (
            [(f"Active (version {collection.version_number})", None)] if collection else []
        )
        entries += [(f"Version {version.number}", version.number) for version in versions]
        refill(self.version_box, entries)
        for place, version in enumerate(versions, 1):
            self.version_box.setItemData(place, as_it_is(version.message), Qt.ItemDataRole.ToolTipRole)
        self._show_state()

    def _fill_models(self) -> None:
        usable = [entry for entry in self._console.models if entry.can_answer]
        entries: list[tuple[str, str | None]] = [
            (f"{entry.name} (demo model)" if entry.origin == "starter" else entry.name, entry.path)
            for entry in usable
        ]
        wanted = self.model_box.currentData() or self._console.settings.models.active or None
        refill(self.model_box, entries or [("No model", None)], keep=wanted)
        for place, entry in enumerate(usable):
            self.model_box.setItemData(place, as_it_is(entry.path), Qt.ItemDataRole.ToolTipRole)
