"""The dialog that says how far reviewers agree."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import row
from app.widgets.theme import SPACE
from rag.review.rows import ReviewDisagreement, ReviewerAgreement

Pair = tuple[ReviewerAgreement, ReviewDisagreement]

DISAGREEMENT_COLUMNS = (
    Column("First", lambda pair: f"{pair[0].first}: {pair[1].first}", 150),
    Column("Second", lambda pair: f"{pair[0].second}: {pair[1].second}", 150),
    Column("Question", lambda pair: pair[1].question, 300, stretch=True,
           tooltip=lambda pair: pair[1].question),
)  # fmt: skip


class AgreementDialog(QDialog):
    """A dialog with the agreement of each two reviewers and where they differ; Enter opens the trace."""

    trace_requested = Signal(str)

    def __init__(self, console: Console, found: list[ReviewerAgreement], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Agreement of reviewers")
        self.resize(720, 420)
        self.sentences = label(
            "\n".join(f"{agreement.sentence()}." for agreement in found)
            or "Agreement takes two reviewers, you among them. Nobody else has reviewed these answers yet.",
            wrap=True,
        )
        self.table = RecordTable(
            DISAGREEMENT_COLUMNS, console.theme, "disagreements", "They agree on every answer."
        )
        self.table.set_records(
            [(agreement, other) for agreement in found for other in agreement.disagreements]
        )
        self.table.record_activated.connect(self._open)
        note = (
            "Kappa is the agreement beyond chance (Cohen 1960): 1 is full agreement, 0 is what chance gives. "
            "Skipped answers do not count."
        )
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(self.sentences)
        layout.addWidget(label(note, "muted", wrap=True))
        layout.addWidget(self.table, 1)
        layout.addLayout(row(1, button("Close", self.accept)))

    def _open(self, pair: Pair) -> None:
        self.accept()
        self.trace_requested.emit(pair[1].trace_id)
