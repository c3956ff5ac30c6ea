"""Roll-outs: start one, see what is known about it, promote or stop it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import EmptyState, ListDetail, Panel, column, confirm, dialog_buttons, row
from app.widgets.theme import SPACE
from rag import operations
from rag.knowledge.rows import list_collections
from rag.review.rows import KINDS, Candidate, RolloutResults, RolloutRow, list_candidates, list_rollouts

_STATE_COLOURS = {"running": "accent", "promoted": "good", "stopped": "text_muted"}

ROLLOUT_COLUMNS = (
    Column("#", lambda r: str(r.id), 36, right=True, sort=lambda r: r.id),
    Column("State", lambda r: r.state, 72, colour=lambda r: _STATE_COLOURS.get(r.state)),
    Column("Kind", lambda r: r.kind, 64),
    Column("Staging", lambda r: r.staging, 130, stretch=True,
           tooltip=lambda r: f"{r.staging} against {r.production}"),
    Column("Started", lambda r: datetime.fromtimestamp(r.created_ms / 1000).strftime("%d %b %H:%M"), 100,
           sort=lambda r: r.created_ms),
)  # fmt: skip
DIFFERENCE_COLUMNS = (
    Column("Measure", lambda d: d.measure.capitalize(), 88, tooltip=lambda d: d.sentence),
    Column("Production", lambda d: d.value_text(d.production), 92, right=True),
    Column("Staging", lambda d: d.value_text(d.staging), 70, right=True),
    Column("Difference (95 %)", lambda d: d.difference_text().replace(" (", "   (").replace("-", "−"), 160,
           right=True, tooltip=lambda d: d.test),
    Column("p", lambda d: "–" if d.p_holm is None else f"{d.p_holm:.3f}", 56, right=True,
           tooltip=lambda d: "Corrected for the number of measures (Holm)"),
    Column("Answers", lambda d: f"{d.production_count} + {d.staging_count}", 82, right=True),
    Column("Conclusion", lambda d: d.sentence, 240, stretch=True, tooltip=lambda d: d.sentence),
)  # fmt: skip


class RolloutPanel(QWidget):
    """A panel with the roll-outs at the left, and the results of the chosen one at the right."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.table = RecordTable(ROLLOUT_COLUMNS, console.theme, "rollouts", "No roll-outs yet.")
        self.table.record_selected.connect(lambda found: self._ask_results(found.id))
        self.results = RecordTable(DIFFERENCE_COLUMNS, console.theme, "rollout_results")
        self.title, self.sentence = label("", "section", wrap=True), label("", "muted", wrap=True)
        self.picks, self.summary = label("", wrap=True), label("", wrap=True)
        self.start_button = button("Start a roll-out…", self.start)
        self.promote_button = button(
            "Promote…", self.promote, primary=True, tip="Let staging answer from now on"
        )
        self.stop_button = button("Stop", self.stop, tip="Let production answer every question again")
        self._shown: RolloutRow | None = None
        self._build()
        console.data_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the roll-outs that are stored now; the choice stays."""
        rows = list_rollouts(self._console.database)
        chosen = self._shown.id if self._shown else 0
        self.table.set_records(rows)
        self._list.show_rows(rows)
        if rows and not self.table.choose(lambda found: found.id == chosen):
            self.table.selectRow(0)
        elif chosen and self.isVisible():
            self._ask_results(chosen)

    def showEvent(self, event: QShowEvent) -> None:
        """Read the results again: answers came in the meantime."""
        super().showEvent(event)
        self.refresh()

    def choose(self, rollout_id: int) -> None:
        """Choose a roll-out in the list."""
        self.table.choose(lambda found: found.id == rollout_id)

    def start(self) -> StartDialog:
        """Open the dialog for a new roll-out."""
        dialog = StartDialog(self._console, self)
        dialog.accepted.connect(lambda: self._start(dialog))
        dialog.open()
        return dialog

    def _start(self, dialog: StartDialog) -> None:
        self._console.run(operations.start_rollout, self._started, **dialog.arguments())

    def _started(self, found: RolloutRow) -> None:
        self._shown = found
        self._console.data_changed.emit()

    def promote(self) -> None:
        """Say what a promotion changes, and promote after a yes."""
        if self._shown is not None:
            self._console.run(operations.read_promotion, self._confirm, rollout_id=self._shown.id)

    def _confirm(self, what: str) -> None:
        shown = self._shown
        if shown is None:
            return
        confirm(
            self,
            "Promote",
            f"{what} The roll-out ends.",
            "Promote",
            lambda: self._console.run(operations.promote_rollout, self._ended, rollout_id=shown.id),
        )

    def stop(self) -> None:
        """End the chosen roll-out; production answers every question again."""
        if self._shown is not None:
            self._console.run(operations.stop_rollout, self._ended, rollout_id=self._shown.id)

    def _ended(self, outcome: str | None) -> None:
        self._console.notice.emit(
            outcome or "The roll-out was stopped. Production answers every question again.", "info"
        )
        self._console.data_changed.emit()

    def _ask_results(self, rollout_id: int) -> None:
        self._console.run(operations.read_rollout_results, self._show_results, rollout_id=rollout_id)

    def _show_results(self, found: RolloutResults) -> None:
        rollout = self._shown = found.rollout
        self.title.setText(f"{rollout.kind.capitalize()}: “{rollout.staging}” beside “{rollout.production}”")
        where = f"in “{rollout.collection}”" if rollout.collection else "in all collections"
        ended = f"   ·   {rollout.outcome}" if rollout.outcome else ""
        note = f"   ·   {rollout.note}" if rollout.note else ""
        self.sentence.setText(f"{rollout.state.capitalize()} {where}.  {rollout.sentence()}.{ended}{note}")
        self.picks.setText(
            f"Picked: staging {found.staging_wins}, production {found.production_wins}, "
            f"no difference {found.ties}"
            + (f"   (exact sign test: p = {found.pick_p:.3f})" if found.pick_p is not None else "")
        )
        self.picks.setVisible(rollout.kind == "blind")
        self.results.set_records(found.differences)
        self.summary.setText(found.summary)
        for made in (self.promote_button, self.stop_button):
            made.setEnabled(rollout.state == "running")

    def _build(self) -> None:
        empty = EmptyState(
            self._console.theme,
            "review",
            "No roll-out yet",
            "Try another pipeline or prompt on real questions. A canary answers a share of them. In a blind "
            "comparison both answer, and you pick the better answer without knowing which is which.",
            button("Start a roll-out…", self.start, primary=True),
        )
        right = Panel()
        right.body.addWidget(self.title)
        right.body.addWidget(self.sentence)
        right.body.addWidget(self.picks)
        right.body.addWidget(self.results, 1)
        right.body.addWidget(label("Summary", "section"))
        right.body.addWidget(self.summary)
        right.body.addLayout(row(self.promote_button, self.stop_button, 1))
        self._list = ListDetail("review/rollouts", self.table, right, (430, 730), empty)
        column(row(self.start_button, 1), (self._list, 1), holder=self, top=SPACE, spacing=SPACE)


class StartDialog(QDialog):
    """A form for what is tried, against what, in which collection, and how."""

    def __init__(self, console: Console, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Start a roll-out")
        self.setMinimumWidth(520)
        self.kind, self.collection, self.staging, self.production = (QComboBox() for _ in range(4))
        for kind, what in KINDS.items():
            self.kind.addItem(f"{kind.capitalize()}: {what[:1].lower()}{what[1:]}", kind)
        for found in list_collections(console.database):
            self.collection.addItem(found.name, found.name)
        self.collection.addItem("All collections", "")
        self.production.addItem("The current configuration", None)
        for candidate in list_candidates(console.database):
            self.staging.addItem(candidate.title, candidate)
            if candidate.pipeline:
                self.production.addItem(candidate.title, candidate)
        self.share = QSpinBox(minimum=0, maximum=100, value=10, suffix=" %")
        self.note = QLineEdit()
        self.note.setPlaceholderText("Purpose")
        form = QFormLayout()
        for title, widget in (
            ("Kind", self.kind),
            ("Collection", self.collection),
            ("Staging", self.staging),
            ("Production", self.production),
            ("Share of the questions", self.share),
            ("Note", self.note),
        ):
            widget.setAccessibleName(title)
            form.addRow(title, widget)
            if isinstance(widget, QComboBox):
                widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
                widget.setMinimumContentsLength(36)
        self.kind.currentIndexChanged.connect(
            lambda _i: self.share.setEnabled(self.kind.currentData() == "canary")
        )
        buttons = dialog_buttons(self, "Start", self.accept)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        note = (
            "Both configurations are fixed as they are now. A prompt version as staging means production "
            "with that prompt."
        )
        layout.addWidget(label(note, "muted", wrap=True))
        layout.addLayout(form)
        layout.addWidget(buttons)

    def arguments(self) -> dict[str, Any]:
        """Return the keywords of `operations.start_rollout`."""
        staging: Candidate | None = self.staging.currentData()
        production: Candidate | None = self.production.currentData()
        return {
            "kind": self.kind.currentData(),
            "collection": self.collection.currentData() or "",
            "staging": staging.pipeline if staging else "",
            "staging_number": staging.number if staging and staging.pipeline else None,
            "prompt": staging.prompt if staging else "",
            "production": production.pipeline if production else "",
            "production_number": production.number if production else None,
            "share": self.share.value() / 100,
            "note": self.note.text(),
        }
