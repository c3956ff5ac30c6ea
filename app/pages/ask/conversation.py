"""The questions of one session: the branch that is shown, the answer that is running, and what is queued."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.console import Console
from app.engine.client import Task
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.cards.blind_card import BlindCard
from app.pages.ask.following import Following
from app.pages.ask.stored_answers import stored_card
from app.pages.ask.turn import QueuedQuestion, Turn
from app.shared.source_panel import SourcePanel
from app.widgets.buttons import button
from app.widgets.layout import column, confirm, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.asking.rows import AskResult
from rag.asking.sessions.rows import (
    Binding,
    TurnRow,
    alternatives,
    branch_to,
    newest_below,
    read_leaf,
    read_turns,
)
from rag.review.rows import BlindResult

_AT_ONCE = 8  # cards that are made together; a long session shows its last ones first


@dataclass(frozen=True)
class Asking:
    """A question as it was sent.

    Attributes:
        text: The question.
        binding: What answers it; the model is empty where a roll-out decides.
        is_blind: Whether two answers are compared.
        parent_id: The question that it follows, empty for a first one; None: the last one shown.
        fresh: Whether the model answers even if the cache has the answer.
        is_confirmed: Whether a person has said yes to what a budget asks.
    """

    text: str
    binding: Binding
    is_blind: bool = False
    parent_id: str | None = None
    fresh: bool = False
    is_confirmed: bool = False


class Conversation(QWidget):
    """The cards of a session, oldest first."""

    trace_requested = Signal(str)
    asked = Signal(object)  # the Task of a question
    edit_requested = Signal(str, str)  # trace id, question
    began = Signal()  # a question has a trace: the session is in the list now
    changed = Signal()  # there is another question, or an answer began or ended

    def __init__(self, console: Console, sources: SourcePanel, session_id: str = "") -> None:
        """Show nothing yet. session_id: of a stored session, which `load` shows; empty: a new one."""
        super().__init__()
        self._console, self._sources = console, sources
        self.session_id = session_id or secrets.token_hex(16)
        self.task: Task | None = None
        self._turns: list[Turn] = []
        self._queue: list[tuple[Asking, QueuedQuestion]] = []
        self._rows: list[TurnRow] = []  # all that is stored of the session, as it was read last
        self._earlier: list[TurnRow] = []  # of the branch that is shown: those without a card, oldest first
        holder = QWidget()
        self._list = QVBoxLayout(holder)
        self._list.setContentsMargins(0, 0, SMALL_SPACE, 0)
        self._list.setSpacing(SPACE)
        self.more_button = button("", self.show_earlier, link=True)
        self.more_button.hide()
        self._list.addWidget(self.more_button)
        self._list.addStretch(1)
        self._waiting = QVBoxLayout()
        self._waiting.setContentsMargins(0, SMALL_SPACE, 0, 0)
        self.area = scrolled(holder, "Conversation")
        self.following = Following(console.theme, self.area)
        column((self.area, 1), self._waiting, holder=self)

    # --- what it shows ------------------------------------------------------------------------------------

    @property
    def cards(self) -> list[AnswerCard | BlindCard]:
        """The cards that are shown, oldest first."""
        return [turn.card for turn in self._turns]

    @property
    def turns(self) -> list[Turn]:
        """The cards with what stands above each."""
        return list(self._turns)

    @property
    def queued(self) -> list[str]:
        """The questions that wait, the next one first."""
        return [asking.text for asking, _ in self._queue]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked yet."""
        return not (self._turns or self._earlier or self._queue)

    @property
    def last_question(self) -> str:
        """The question that was sent last, empty before the first one."""
        if self._queue:
            return self._queue[-1][0].text
        return self._turns[-1].question if self._turns else ""

    def load(self) -> None:
        """Show what is stored, down to the question that was shown or asked last."""
        self._rows = read_turns(self._console.database, self.session_id)
        self._show_branch(read_leaf(self._console.database, self.session_id))
        self.following.jump()

    def refresh(self) -> None:
        """Show the session anew if something else has changed it: an erasure, or the command line."""
        if self.task is not None or not (self._turns or self._earlier):
            return
        before = {row.id: row for row in self._rows}
        self._rows = read_turns(self._console.database, self.session_id)
        now = {row.id: row for row in self._rows}
        leaf = read_leaf(self._console.database, self.session_id)
        shown = [row.id for row in self._earlier] + [turn.trace_id for turn in self._turns if turn.trace_id]
        stored = [row.id for row in branch_to(self._rows, leaf)]
        goes_on = len(stored) > len(shown) and stored[: len(shown)] == shown
        if any(not turn.trace_id for turn in self._turns[-1:]):  # a refused edit stays where it is
            goes_on = goes_on and not now.keys() <= before.keys()
        if goes_on or any(_texts(before.get(found)) != _texts(now.get(found)) for found in shown):
            self._show_branch(leaf)
            self.changed.emit()
        else:
            self._show_places()

    def show_earlier(self) -> None:
        """Make the cards of the questions before those that are shown."""
        bar = self.area.verticalScrollBar()
        below = bar.maximum() - bar.value()
        rows, self._earlier = self._earlier[-_AT_ONCE:], self._earlier[:-_AT_ONCE]
        for row in reversed(rows):
            self._add(stored_card(self._console, row.id, self._sources), row.id, row.question, first=True)
        self._show_places()
        if len(self._turns) > len(rows):  # what is read stays where it is
            QTimer.singleShot(0, self, lambda: bar.setValue(bar.maximum() - below))

    # --- asking -------------------------------------------------------------------------------------------

    def ask(self, asking: Asking) -> None:
        """Ask now, or after the answer that is running."""
        if self.task is None:
            self._start(asking)
            return
        waiting = QueuedQuestion(asking.text)
        waiting.removed.connect(partial(self._unqueue, waiting))
        self._queue.append((asking, waiting))
        self._waiting.addWidget(waiting)
        self.changed.emit()

    def stop(self) -> None:
        """Stop the answer that is running."""
        if self.task is not None:
            self.task.cancel()

    def close_down(self) -> None:
        """Ask nothing more, and stop the answer that is running."""
        for _, waiting in list(self._queue):
            self._unqueue(waiting)
        self.stop()

    def parent_of(self, trace_id: str) -> str:
        """Return the question that a question of this session follows; empty for a first one."""
        return next((row.parent_id for row in self._rows if row.id == trace_id), "")

    def _start(self, asking: Asking) -> None:
        if asking.parent_id is not None:
            self._cut_after(asking.parent_id)
        parent = next((turn.trace_id for turn in reversed(self._turns) if turn.trace_id), "")
        if not parent and self._earlier:
            parent = self._earlier[-1].id
        kind = BlindCard if asking.is_blind else AnswerCard
        turn = self._add(kind(self._console, asking.text, self._sources), "", asking.text)
        self.following.jump()
        chosen = asking.binding
        with_these = {
            "collection": chosen.collection, "version": _version(chosen.version),
            "model": chosen.model or None, "pipeline": chosen.pipeline, "prompt": chosen.prompt,
        }  # fmt: skip
        if isinstance(turn.card, AnswerCard):
            turn.card.asked_with = with_these
        leaf = read_leaf(self._console.database, self.session_id)  # before the engine can store another
        task = self._console.engine.start(
            operations.ask, question=asking.text, session_id=self.session_id, parent_id=parent,
            fresh=asking.fresh, is_confirmed=asking.is_confirmed, **with_these,
        )  # fmt: skip
        self.task = task
        task.event.connect(partial(self._take_event, turn, leaf))
        task.finished.connect(partial(self._finished, turn.card))
        task.failed.connect(partial(self._failed, turn.card, asking, task))
        task.cancelled.connect(
            lambda: turn.card.stop("Stopped. The trace contains the answer up to here.", False)
        )
        task.ended.connect(partial(self._ended, turn))
        self._show_places()
        self.changed.emit()
        self.asked.emit(task)

    def _take_event(self, turn: Turn, leaf_before: str, event: object) -> None:
        turn.card.handle(event)  # type: ignore[arg-type]
        if not turn.trace_id:  # of two answers that are compared, one is of this session
            leaf = read_leaf(self._console.database, self.session_id)
            if leaf != leaf_before:
                turn.trace_id = leaf
                self.began.emit()

    def _finished(self, card: AnswerCard | BlindCard, result: AskResult | BlindResult) -> None:
        if isinstance(card, BlindCard):
            assert isinstance(result, BlindResult)
            card.finish(result)
        else:
            assert isinstance(result, AskResult)
            card.finish(result, opens_source=self.isVisible())

    def _failed(
        self, card: AnswerCard | BlindCard, asking: Asking, task: Task, sentence: str, details: str
    ) -> None:
        card.stop(sentence, True)
        if task.needs_yes:
            confirm(
                self, "Ask all the same?", sentence, "Ask",
                lambda: self.ask(replace(asking, is_confirmed=True)),
            )  # fmt: skip
        if details:
            self._console.bug.emit(sentence, details)

    def _ended(self, turn: Turn) -> None:
        self.task = None
        before = {row.id for row in self._rows}
        self._rows = read_turns(self._console.database, self.session_id)
        if not turn.trace_id:  # stopped or refused before its first event
            turn.trace_id = next((row.id for row in reversed(self._rows) if row.id not in before), "")
        self._console.data_changed.emit()
        self._console.run(operations.model_state, self._console.model_state_changed.emit)
        if self._queue and self.task is None:
            asking, waiting = self._queue[0]
            self._unqueue(waiting)
            self._start(asking)
        self._show_places()
        self.changed.emit()

    def _unqueue(self, waiting: QueuedQuestion) -> None:
        self._queue = [(asking, shown) for asking, shown in self._queue if shown is not waiting]
        waiting.hide()
        waiting.deleteLater()
        self.changed.emit()

    # --- branches -----------------------------------------------------------------------------------------

    def _show_branch(self, leaf: str) -> None:
        """Show the questions that lead to this one, or to the newest, the last ones at first."""
        path = branch_to(self._rows, leaf)
        self._drop(list(self._turns))
        self._earlier = path
        self.show_earlier()

    def _choose_branch(self, trace_id: str) -> None:
        leaf = newest_below(self._rows, trace_id)
        self._show_branch(leaf)
        self._console.run(operations.show_branch, session_id=self.session_id, leaf=leaf)
        self.changed.emit()

    def _cut_after(self, trace_id: str) -> None:
        """Show the branch up to this question alone; empty: none. What follows it stays in the session."""
        ids = [turn.trace_id for turn in self._turns]
        if trace_id in ids:
            self._drop(self._turns[ids.index(trace_id) + 1 :])
            return
        self._drop(list(self._turns))
        earlier = [row.id for row in self._earlier]
        self._earlier = self._earlier[: earlier.index(trace_id) + 1] if trace_id in earlier else []
        self.show_earlier()

    def _show_places(self) -> None:
        """Say which branch each question is in, what changed before it, and how many are not shown."""
        known = {row.id: row for row in self._rows}
        before = self._earlier[-1] if self._earlier else None
        for turn in self._turns:
            row = known.get(turn.trace_id)
            if row is None:
                continue
            ids = [found.id for found in alternatives(self._rows, row.id)]
            turn.branches.show_branches(ids, row.id, self.task is None)
            turn.show_change(before, row)
            before = row
        count = len(self._earlier)
        self.more_button.setText(f"Show earlier questions ({count:,} more)")
        self.more_button.setAccessibleName(self.more_button.text())
        self.more_button.setVisible(count > 0)

    def _add(self, card: AnswerCard | BlindCard, trace_id: str, question: str, first: bool = False) -> Turn:
        turn = Turn(self._console, card, trace_id, question)
        card.trace_requested.connect(self.trace_requested)
        turn.branches.wanted.connect(self._choose_branch)
        if isinstance(card, AnswerCard):
            card.edit_wanted.connect(self._edit)
            card.stop_wanted.connect(self.stop)
            card.asked.connect(self._asked_again)
        self._turns.insert(0 if first else len(self._turns), turn)
        self._list.insertWidget(1 if first else self._list.count() - 1, turn)
        return turn

    def _asked_again(self, task: Task) -> None:
        """Let another answer to a question stand beside it: the branch that is shown stays the same."""
        task.ended.connect(self._stay)
        self.asked.emit(task)

    def _stay(self) -> None:
        self._rows = read_turns(self._console.database, self.session_id)
        leaf = next((turn.trace_id for turn in reversed(self._turns) if turn.trace_id), "")
        if leaf and self.task is None:
            self._console.run(operations.show_branch, session_id=self.session_id, leaf=leaf)
        self._show_places()

    def _edit(self, trace_id: str) -> None:
        turn = next((turn for turn in self._turns if turn.trace_id == trace_id), None)
        if turn is not None:
            self.edit_requested.emit(trace_id, turn.question)

    def _drop(self, turns: list[Turn]) -> None:
        for turn in turns:
            self._turns.remove(turn)
            turn.hide()  # it lives until the event loop is idle
            turn.deleteLater()


def _version(text: str) -> int | str | None:
    return int(text) if text.isdecimal() else text or None


def _texts(row: TurnRow | None) -> tuple[str, int] | None:
    return (row.question, row.answer_length) if row is not None else None
