"""A line on the page Ask: which roll-out or promoted pipeline decides who answers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from app.console import Console
from app.widgets.buttons import button
from app.widgets.labels import ElidedLabel, StatusPill
from app.widgets.layout import row
from rag.review.rows import RolloutRow, production_of, running_rollout


class RolloutStrip(QFrame):
    """A strip that is hidden where the settings decide and nothing is compared."""

    results_requested = Signal(int)  # the roll-out, 0: all

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._console = console
        self._row: RolloutRow | None = None
        self._pill, self._text = StatusPill(console.theme, "Canary", "accent"), ElidedLabel()
        link = button(
            "Results", self._open, link=True, tip="Results of the roll-out so far; promote or stop it there"
        )
        layout = row(self._pill, self._text, link, margins=6)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.hide()

    @property
    def rollout(self) -> RolloutRow | None:
        """The roll-out that runs for the collection."""
        return self._row

    @property
    def text(self) -> str:
        """The sentence that is shown."""
        return self._text.text()

    def show_collection(self, collection: str, own_choice: bool) -> bool:
        """Say what decides who answers.

        Args:
            collection: The collection that will be asked.
            own_choice: Whether a version or pipeline was chosen by hand.

        Returns:
            Whether a roll-out or a promoted pipeline decides.
        """
        database = self._console.database
        self._row = running_rollout(database, collection) if collection else None
        pinned = production_of(database, collection) if collection else None
        if self._row is not None:
            self._pill.set_status(self._row.kind.capitalize(), "accent")
            self._text.setText(self._row.sentence())
        elif pinned is not None:
            self._pill.set_status("Production", "good")
            self._text.setText(f"“{pinned.name}” answers here since its roll-out was promoted")
        if own_choice and (self._row or pinned):
            self._text.setText("The version or pipeline you chose is asked directly, outside of the roll-out")
        self.setVisible(self._row is not None or pinned is not None)
        return (self._row is not None or pinned is not None) and not own_choice

    def _open(self) -> None:
        self.results_requested.emit(self._row.id if self._row else 0)
