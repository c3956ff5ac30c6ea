"""Ask: sessions at the left, the conversation with its pickers, and the sources of its answers beside it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from app.console import Console
from app.engine.client import Task
from app.pages.ask.conversation import Asking, Conversation
from app.pages.ask.find_bar import FindBar
from app.pages.ask.leaving import Leaving
from app.pages.ask.question_panel import QuestionPanel
from app.pages.ask.rollout_strip import RolloutStrip
from app.pages.ask.session_list import SessionList, shortened
from app.shared.source_panel import SourcePanel
from app.widgets.buttons import IconButton, button
from app.widgets.labels import ElidedLabel, label, set_tip
from app.widgets.layout import EmptyState, Splitter, column, row
from app.widgets.theme import SMALL_SPACE, SPACE, scaled
from rag import operations
from rag.asking.sessions.rows import Binding, SessionRow, get_session, list_sessions
from rag.errors import NotFoundError
from rag.review.rows import RolloutKind
from rag.sample.rows import SAMPLE_COLLECTION, sample_questions

_OPEN_SESSION = "ask/session"
_LIST = "ask/session-list"  # shown or hidden, once a person has said which
_WIDE = 1000  # pixels of the page from which the list is shown by itself
_MOST_OPEN = 6  # conversations that are kept with their cards


class AskPage(QWidget):
    """A conversation with one version of one collection, beside the sources of its answers."""

    trace_requested = Signal(str)
    documents_wanted = Signal()
    rollout_requested = Signal(int)
    asked = Signal(object)  # the Task
    collection_changed = Signal()

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._open: dict[str, Conversation] = {}  # by session, the one used last at the end
        self._to_restore = str(QSettings().value(_OPEN_SESSION) or "")
        self._was_bound = False  # whether the pickers show what a session is bound to
        self._shown_collection = ""
        self._leaving = Leaving(console, self)
        self._routed = False  # a roll-out or a promoted pipeline decides who answers
        self.strip = RolloutStrip(console)
        self.strip.results_requested.connect(self.rollout_requested)
        self.panel = QuestionPanel(console)
        self.question, self.send_button = self.panel.question, self.panel.send_button
        bar = self.panel.bar
        self.collection_box, self.version_box, self.model_box = (
            bar.collection_box,
            bar.version_box,
            bar.model_box,
        )
        self.pipeline_box, self.prompt_box = bar.pipeline_box, bar.prompt_box
        self.sources = SourcePanel(console)
        self.sessions = SessionList(console)
        self._stack = QStackedWidget()
        self.conversation = self._new_conversation()
        self.find_bar = FindBar(console.theme, self.conversation.area, self)
        self.find_bar.closed.connect(self.focus_question)
        self._lay_out()
        self.sessions.chosen.connect(self.open_session)
        self.sessions.deleted.connect(self._session_deleted)
        self.panel.sent.connect(self.ask)
        self.panel.stop_wanted.connect(self.stop)
        self.panel.last_wanted.connect(self._bring_back)
        self.panel.bar.changed.connect(self._binding_changed)
        console.data_changed.connect(self.refresh)
        self.refresh()

    # --- what the main window calls -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Read sessions and what there is to choose again; what is chosen stays chosen."""
        self._restore()
        self.panel.bar.refresh()
        self.sessions.refresh()
        self.conversation.refresh()
        self._show_state()

    def focus_question(self) -> None:
        """Let the person type a question."""
        self.question.setFocus()

    def choose_collection(self, name: str, version: int | None = None) -> None:
        """Choose what is asked, without a version the active one. A session with questions stays as it is."""
        if not self.conversation.is_empty:
            self.new_session()
        chosen = self.panel.bar.binding
        self.panel.bar.show_binding(
            Binding(name, "" if version is None else str(version), model=chosen.model, prompt=chosen.prompt)
        )
        self._was_bound = True
        self._show_state()

    def prefer_collection(self, name: str) -> None:
        """Choose what is asked next, unless a session is open that asks something else."""
        if self.conversation.is_empty:
            self.choose_collection(name)

    @property
    def collection_name(self) -> str:
        """The name of the collection that is asked; empty when there is none."""
        name = self.panel.bar.binding.collection
        return name if self.panel.bar.knows(name) else ""

    def ask(self, text: str, fresh: bool = False) -> None:
        """Ask a question, or queue it while an answer is running.

        Args:
            text: The question.
            fresh: The model answers, even if the cache has the answer.
        """
        if not self.panel.bar.has_collections:
            self._console.notice.emit("There is no collection to ask yet. Add documents first.", "bad")
            return
        self._show_rollout()
        running = self.strip.rollout if self._routed else None
        parent = self.conversation.parent_of(self.panel.editing) if self.panel.editing else None
        chosen = self.panel.bar.binding
        if self._routed:
            chosen = Binding(chosen.collection)
        elif self._leaving.asks_first(chosen, partial(self.ask, text, fresh)):
            return
        self.panel.taken()
        is_blind = running is not None and running.kind is RolloutKind.BLIND
        self._open[self.conversation.session_id] = self.conversation
        self._stack.setCurrentWidget(self.conversation)
        self.conversation.ask(Asking(text, chosen, is_blind, parent, fresh))
        QSettings().setValue(_OPEN_SESSION, self.conversation.session_id)

    def stop(self) -> None:
        """Stop the answer that is being given."""
        self.conversation.stop()

    def new_session(self) -> None:
        """Start a new session, bound to what the last one was. The old one stays in the list."""
        if not self.conversation.is_empty:
            self._show(self._new_conversation())
        self.focus_question()

    def open_session(self, session_id: str) -> None:
        """Show a stored session with its answers, and what it is bound to."""
        try:
            found = get_session(self._console.database, session_id)
        except NotFoundError as error:
            self._console.notice.emit(str(error), "bad")
            return
        conversation = self._open.get(found.id)
        if conversation is None:
            conversation = self._new_conversation(found.id)
            conversation.load()
        self._bind(found)
        self._show(conversation)
        conversation.refresh()

    # --- making -------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._no_documents = EmptyState(
            self._console.theme, "collections", "No documents yet",
            "Drop files or folders anywhere in this window. They stay on this computer.",
            button("Add documents…", self.documents_wanted.emit, primary=True),
        )  # fmt: skip
        self._stack.addWidget(self._no_documents)
        self._stack.addWidget(self._make_start())
        self.list_button = IconButton(self._console.theme, "sidebar", "", self.toggle_list)
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        self.new_button = button("New session", self.new_session, tip="Ctrl+N. This one stays in the list.")
        left = column(
            row(self.list_button, (self.title, 1), self.new_button),
            self.strip, self.find_bar, (self._stack, 1), self.panel, right=SMALL_SPACE, spacing=SPACE,
        )  # fmt: skip
        inner = Splitter("ask/splitter", left, self.sources, (700, 460), stretch=(3, 2), least=(300, 220))
        outer = Splitter("ask/sessions", self.sessions, inner, (220, 1000), stretch=(0, 1), least=(170, 520))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(outer)

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

    def _new_conversation(self, session_id: str = "") -> Conversation:
        made = Conversation(self._console, self.sources, session_id)
        made.trace_requested.connect(self.trace_requested)
        made.asked.connect(self.asked)
        made.edit_requested.connect(self.panel.edit)
        made.began.connect(self._session_began)
        made.changed.connect(self._show_state)
        self._stack.addWidget(made)
        return made

    # --- sessions -----------------------------------------------------------------------------------------

    def toggle_list(self) -> None:
        """Show or hide the list of sessions."""
        shown = self.sessions.isHidden()
        QSettings().setValue(_LIST, "shown" if shown else "hidden")
        self._fit_list()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the list where there is room for it."""
        super().resizeEvent(event)
        self._fit_list()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the person type at once."""
        super().showEvent(event)
        if not event.spontaneous():
            self.focus_question()

    def _fit_list(self) -> None:
        said = str(QSettings().value(_LIST) or "")
        self.sessions.setVisible(said == "shown" or (said != "hidden" and self.width() >= scaled(_WIDE)))
        name = "Show the sessions" if self.sessions.isHidden() else "Hide the sessions"
        self.list_button.setAccessibleName(name)
        set_tip(self.list_button, name)

    def _restore(self) -> None:
        """Open the session that was open at the end, and bind a new one to what was asked last."""
        if not self._console.database.is_current():
            return  # the engine has not made or upgraded the file yet
        wanted, self._to_restore = self._to_restore, ""
        if not self._was_bound:
            last = list_sessions(self._console.database, limit=1)
            if last:
                self.panel.bar.show_binding(last[0].binding)
            self._was_bound = bool(last)
        if wanted and self.conversation.is_empty:
            found = [row for row in _existing(self._console, wanted) if row.deleted_ms is None]
            if found:
                self.open_session(wanted)

    def _bind(self, found: SessionRow) -> None:
        self.panel.bar.show_binding(found.binding)
        self._was_bound = True
        self._show_state()

    def _show(self, conversation: Conversation) -> None:
        """Show another conversation. Those not seen for long are made again when they are wanted."""
        self.panel.cancel_edit()
        self.panel.say("")
        left, self.conversation = self.conversation, conversation
        if left.is_empty and left is not conversation:
            self._forget(left)
        self._open.pop(conversation.session_id, None)
        if not conversation.is_empty:
            self._open[conversation.session_id] = conversation
        for old in [found for found in self._open.values() if found.task is None][:-_MOST_OPEN]:
            if old is not conversation:
                self._forget(old)
        QSettings().setValue(_OPEN_SESSION, "" if conversation.is_empty else conversation.session_id)
        self.sources.clear()
        self.find_bar.look_in(conversation.area)
        self.sessions.mark(conversation.session_id)
        self._show_state()

    def _forget(self, conversation: Conversation) -> None:
        self._open.pop(conversation.session_id, None)
        self._stack.removeWidget(conversation)
        conversation.deleteLater()

    def _session_began(self) -> None:
        self.sessions.refresh()
        self.sessions.mark(self.conversation.session_id)
        self._show_state()

    def _session_deleted(self, session_id: str) -> None:
        conversation = self._open.get(session_id)
        if conversation is not None:
            conversation.close_down()
        if session_id == self.conversation.session_id:
            self._show(self._new_conversation())
            self.focus_question()

    def _binding_changed(self) -> None:
        """Bind the session to what was chosen, and say so where that changes something."""
        self._was_bound = True
        self._show_state()
        if self.conversation.is_empty:
            return
        chosen = self.panel.bar.binding
        self._console.run(operations.bind_session, session_id=self.conversation.session_id, binding=chosen)
        self.panel.say(f"From the next question on, this session asks {self.panel.bar.sentence()}.")

    def _bring_back(self) -> None:
        if self.conversation.last_question:
            self.question.put(self.conversation.last_question)

    # --- state --------------------------------------------------------------------------------------------

    @property
    def _task(self) -> Task | None:
        return self.conversation.task

    def _show_rollout(self) -> None:
        chosen = self.panel.bar.binding
        own_choice = bool(chosen.version or chosen.pipeline or chosen.prompt)
        self._routed = self.strip.show_collection(chosen.collection, own_choice)
        self.panel.bar.show_routed(self._routed)

    def _show_state(self) -> None:
        has_collection = self.panel.bar.has_collections
        if not self.conversation.is_empty:
            self._stack.setCurrentWidget(self.conversation)
        else:
            self._stack.setCurrentWidget(self._start if has_collection else self._no_documents)
        self._samples.setVisible(self.collection_name == SAMPLE_COLLECTION)
        self.panel.show_state(self._task is not None, has_collection)
        found = _existing(self._console, self.conversation.session_id)
        self.title.setText(shortened(found[0].title, 200) if found else "New session")
        self._show_rollout()
        if self.collection_name != self._shown_collection:
            self._shown_collection = self.collection_name
            self.collection_changed.emit()


def _existing(console: Console, session_id: str) -> list[SessionRow]:
    try:
        return [get_session(console.database, session_id)]
    except NotFoundError:
        return []
