"""A card with two answers to one question, to be compared without knowing which is which."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard, Event
from app.pages.ask.find_bar import QUESTION
from app.shared.source_panel import SourcePanel
from app.widgets.buttons import button
from app.widgets.labels import label
from app.widgets.layout import Panel, row
from app.widgets.theme import SPACE
from rag import operations
from rag.review.rows import BlindResult, Revealed


class BlindCard(Panel):
    """A panel with both answers of a blind comparison; a choice reveals which pipeline gave which."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, question: str, sources: SourcePanel) -> None:
        super().__init__()
        self._console = console
        self._pair = ""
        self.first, self.second = (AnswerCard(console, "", sources, is_blind=True) for _ in range(2))
        for card in (self.first, self.second):
            card.trace_requested.connect(self.trace_requested)
        asked = label(question, "section", wrap=True)
        asked.setObjectName(QUESTION)
        asked.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.question = label("Which answer is better? Afterwards you see which pipeline gave it.", "small")
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

    def handle(self, event: Event) -> None:
        """Show an event of either answer; the left one comes first."""
        if not self.first.trace_id:
            self.first.trace_id = event.trace_id
        (self.first if event.trace_id == self.first.trace_id else self.second).handle(event)

    def finish(self, result: BlindResult) -> None:
        """Show both answers, and let the person choose."""
        self._pair = result.pair
        self.first.finish(result.first)
        self.second.finish(result.second)
        for made in self.picks.values():
            made.setEnabled(True)

    def stop(self, sentence: str, is_error: bool) -> None:
        """Show that an answer is missing, and why."""
        waiting = self.second if self.second.trace_id else self.first
        waiting.stop(sentence, is_error)
        self.question.setText("Without both answers there is nothing to compare.")

    def pick(self, choice: str) -> None:
        """Store which answer is better: "first", "second" or "no difference"."""
        for made in self.picks.values():
            made.setEnabled(False)
        self._console.run(
            operations.pick_blind_answer,
            lambda shown: self._reveal(choice, shown),
            pair=self._pair,
            choice=choice,
        )

    def _reveal(self, choice: str, shown: Revealed) -> None:
        self.first.reveal(shown.first)
        self.second.reveal(shown.second)
        better = {"first": f"“{shown.first}” was better", "second": f"“{shown.second}” was better"}
        self.question.setText(f"Saved: {better.get(choice, 'no difference')}.")
        for made in self.picks.values():
            made.hide()
