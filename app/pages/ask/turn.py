"""One question in a conversation: its card, the way to its other wordings, and what changed before it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.console import Console
from app.pages.ask.cards.answer_card import AnswerCard
from app.pages.ask.cards.blind_card import BlindCard
from app.widgets.buttons import IconButton, button
from app.widgets.labels import ElidedLabel, label
from app.widgets.layout import column, row
from rag.asking.sessions.rows import TurnRow


class BranchBar(QFrame):
    """Arrows between the questions that follow the same one: “2 of 3”."""

    wanted = Signal(str)  # trace id

    def __init__(self, console: Console) -> None:
        """Stay hidden as long as there is one question alone."""
        super().__init__()
        self._ids: list[str] = []
        self._at = 0
        self._count = label("", "small")
        self.back = IconButton(console.theme, "chevron-left", "Earlier branch", lambda: self._step(-1))
        self.forth = IconButton(console.theme, "chevron-right", "Later branch", lambda: self._step(1))
        self.setLayout(row(self.back, self._count, self.forth, 1))
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return "" if self.isHidden() else self._count.text()

    def show_branches(self, ids: list[str], shown: str, allowed: bool) -> None:
        """Show the place of a question among its alternatives, oldest first."""
        self._ids, self._at = ids, ids.index(shown) if shown in ids else 0
        self._count.setText(f"{self._at + 1} of {len(ids)}")
        self.back.setEnabled(allowed and self._at > 0)
        self.forth.setEnabled(allowed and self._at < len(ids) - 1)
        self.setVisible(len(ids) > 1)

    def _step(self, by: int) -> None:
        self.wanted.emit(self._ids[self._at + by])


class Turn(QWidget):
    """A card with what stands above it."""

    def __init__(self, console: Console, card: AnswerCard | BlindCard, trace_id: str, question: str) -> None:
        """Hold a card. trace_id: empty as long as the question has no trace."""
        super().__init__()
        self.card, self.trace_id, self.question = card, trace_id, question
        self.change = label("", "small", wrap=True)
        self.change.hide()
        self.branches = BranchBar(console)
        column(self.change, self.branches, card, holder=self)

    def show_change(self, before: TurnRow | None, row: TurnRow) -> None:
        """Say what answers differently from here on."""
        sentence = changed_since(before, row) if before is not None else ""
        self.change.setText(sentence)
        self.change.setVisible(bool(sentence))


class QueuedQuestion(QFrame):
    """A question that is asked when the answer before it is complete."""

    removed = Signal()

    def __init__(self, text: str) -> None:
        """Show a question that waits."""
        super().__init__()
        self.setObjectName("panel")
        self.text = text
        line = ElidedLabel(f"Next: {' '.join(text.split())}")
        self.setAccessibleName(f"Waits: {' '.join(text.split())}")
        remove = button("Remove", self.removed.emit, link=True, tip="Do not ask this question")
        self.setLayout(row((line, 1), remove, margins=6))


def changed_since(before: TurnRow, after: TurnRow) -> str:
    """Return what answered a question differently from the one before, in a sentence; empty: nothing."""
    parts = []
    if before.collection != after.collection:
        parts.append(f"“{after.collection}”")
    numbers = before.version_number, after.version_number
    if all(numbers) and (parts or numbers[0] != numbers[1]):
        parts.append(f"version {after.version_number}")
    if before.model and after.model and before.model != after.model:
        parts.append(after.model)
    prompts = [(row.prompt_name, row.prompt_version) for row in (before, after)]
    if all(name for name, _ in prompts) and prompts[0] != prompts[1]:
        parts.append(f"prompt {after.prompt_name}, version {after.prompt_version}")
    return f"From here on: {', '.join(parts)}." if parts else ""
