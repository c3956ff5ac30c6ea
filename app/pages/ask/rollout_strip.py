"""One line on the Ask page: which roll-out or promoted pipeline decides who answers."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from app.console import Console
from app.widgets.buttons import button
from app.widgets.labels import ElidedLabel, StatusPill
from app.widgets.layout import row
from rag.review.rows import RolloutRow, production_of, running_rollout


class RolloutStrip(QFrame):
    """Hidden where the settings answer and nothing is compared."""

    results_requested = Signal(int)  # the roll-out, 0: all

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._console = console
        self._row: RolloutRow | None = None
        self._pill, self._text = StatusPill(console.theme, "Canary", "accent"), ElidedLabel()
        link = button(
            "Results", self._open, link=True, tip="What is known of the roll-out; promote or stop it there"
        )
        layout = row(self._pill, self._text, link, margins=6)
        layout.setStretch(1, 1)
        self.setLayout(layout)
        self.hide()

    @property
    def rollout(self) -> RolloutRow | None:
        return self._row

    @property
    def text(self) -> str:
        return self._text.text()

    def show_collection(self, collection: str, own_choice: bool) -> bool:
        """Says what decides there; own_choice: a version was chosen by hand. True when the pipelines decide."""
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
            self._text.setText("A version of your own choice is asked as the settings say, outside of it")
        self.setVisible(self._row is not None or pinned is not None)
        return (self._row is not None or pinned is not None) and not own_choice

    def _open(self) -> None:
        self.results_requested.emit(self._row.id if self._row else 0)
