"""The passages that an answer had, to be ticked where they contain the right answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout, QWidget

from app.shared.claim_panel import marked
from app.widgets.labels import ElidedLabel, label
from app.widgets.layout import Panel, column, row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE, Theme
from rag.grounding.rows import ClaimResult
from rag.index.rows import Hit


class PassageList(Panel):
    """A panel with the passages of a prompt, each with a box to tick."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__("Passages in the prompt")
        self._theme = theme
        self.passages: list[Passage] = []
        self.heading_row.addWidget(label("tick those that contain the answer", "small"))
        self._nothing = label("No passage was in the prompt.", "muted", wrap=True)
        holder = QWidget()
        self._list = QVBoxLayout(holder)
        self._list.setContentsMargins(0, 0, SMALL_SPACE, 0)
        self._list.setSpacing(SPACE)
        self._list.addWidget(self._nothing)
        self._list.addStretch(1)
        self.body.addWidget(scrolled(holder), 1)

    @property
    def relevant(self) -> tuple[int, ...]:
        """The markers of the ticked passages."""
        return tuple(passage.marker for passage in self.passages if passage.box.isChecked())

    def show_passages(
        self, hits: Sequence[Hit], claims: Sequence[ClaimResult], relevant: Collection[int]
    ) -> None:
        """Show the passages of a prompt in the order of their markers.

        Args:
            hits: What was found; hits without a marker were not in the prompt.
            claims: The checked sentences; their evidence is marked in the passages.
            relevant: The markers to tick.
        """
        for passage in self.passages:
            passage.hide()  # it lives until the event loop is idle
            passage.deleteLater()
        self.passages = []
        packed = {hit.marker: hit for hit in hits if hit.marker is not None}
        for number, marker in enumerate(sorted(packed)):
            evidence = [claim.evidence_text for claim in claims if claim.evidence_marker == marker]
            passage = Passage(self._theme, marker, packed[marker], evidence, marker in relevant)
            passage.box.toggled.connect(lambda _on: self.changed.emit())
            self.passages.append(passage)
            self._list.insertWidget(number, passage)
        self._nothing.setVisible(not packed)

    def toggle(self, number: int) -> None:
        """Tick or untick the n-th passage, counted from 1."""
        if number <= len(self.passages):
            self.passages[number - 1].box.toggle()


class Passage(QFrame):
    """A passage in which the sentences that were taken as evidence are marked."""

    def __init__(
        self, theme: Theme, marker: int, hit: Hit, evidence: Sequence[str], is_relevant: bool
    ) -> None:
        super().__init__()
        self._theme, self.marker, self._hit = theme, marker, hit
        begins = ((hit.text.find(part), part) for part in evidence if part)
        self.evidence = [(begin, begin + len(part)) for begin, part in begins if begin >= 0]
        self.box = QCheckBox(f"[{marker}]")
        self.box.setAccessibleName(f"Passage {marker} contains the answer")
        self.box.setChecked(is_relevant)
        place = ElidedLabel(f"{hit.document}{f', {hit.place}' if hit.place else ''}")
        place.setProperty("role", "small")
        self.text = label("", wrap=True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column(row(self.box, (place, 1)), self.text, holder=self, spacing=2)
        theme.changed.connect(self._draw)
        self._draw()

    def _draw(self) -> None:
        ground = self._theme.colour("highlight").name()
        spans = [(start, end, f"background:{ground}") for start, end in self.evidence]
        self.text.setText(marked(self._hit.text, spans).replace("\n", "<br>"))
