"""The review queue: which one, who reviews it, how far that is, and what is made of the verdicts."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QProgressBar, QStackedWidget, QWidget

from app.console import Console
from app.pages.review.agreement_dialog import AgreementDialog
from app.pages.review.fill_dialog import FillDialog
from app.pages.review.item_view import ItemView
from app.shared.feedback_bar import SetBox, person_name, set_person_name
from app.widgets.buttons import allow, button
from app.widgets.labels import label
from app.widgets.layout import EmptyState, Flow, column, refill
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.review.rows import ReviewerAgreement, list_queues, progress_sentence
from rag.text.plurals import counted

_QUEUE = "people/queue"


class QueuePanel(QWidget):
    """A panel with the queue and the reviewer above, and one answer at a time below."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.queue_box = QComboBox()
        self.queue_box.setAccessibleName("Review queue")
        self.reviewer = QLineEdit(person_name())
        self.reviewer.setAccessibleName("Name of the reviewer")
        self.reviewer.setToolTip("The name under which verdicts are saved")
        self.reviewer.setMaximumWidth(scaled(180))
        self.progress, self.bar = label("", "small"), QProgressBar()
        self.bar.setAccessibleName("Reviewed")
        self.bar.setMaximumWidth(scaled(160))
        self.set_box = SetBox(console, "Reviewed")
        self.view = ItemView(console, self.set_box)
        self.view.trace_requested.connect(self.trace_requested)
        self.view.changed.connect(self._show_progress)
        self._stack = QStackedWidget()
        self._build()
        self.view.add_shortcuts(self)
        self.queue_box.currentIndexChanged.connect(lambda _i: self._choose_queue())
        self.reviewer.editingFinished.connect(self._rename)
        console.data_changed.connect(self.refresh)
        self.refresh()

    @property
    def queue(self) -> str:
        """The name of the chosen queue; empty if there is none."""
        return self.queue_box.currentText()

    def refresh(self) -> None:
        """Show queues and verdicts as they are now; the choice stays."""
        chosen = self.queue or str(QSettings().value(_QUEUE) or "")
        names = [found.name for found in list_queues(self._console.database)]
        refill(self.queue_box, [(name, name) for name in names], chosen)
        if (self.view.queue, self.view.reviewer) == (self.queue, self._reviewer_name):
            self.view.refresh()
        else:
            self.view.show_queue(self.queue, self._reviewer_name)

    def fill(self) -> FillDialog:
        """Open the dialog that adds answers by source."""
        dialog = FillDialog(self._console, self.queue, self)
        dialog.accepted.connect(lambda: self._fill(dialog))
        dialog.open()
        return dialog

    def show_agreement(self) -> None:
        """Compare this reviewer's verdicts with those of the others."""
        self._console.run(
            operations.measure_agreement,
            self._show_agreement,
            queue=self.queue,
            reviewer=self.reviewer.text(),
        )

    def make_cases(self) -> None:
        """Make cases of all answers whose reviewers agree, in the chosen set."""
        name = self.set_box.name
        self.set_box.remember()
        self._console.run(
            operations.make_review_cases,
            lambda counts: self._made_cases(name, *counts),
            queue=self.queue,
            set_name=name,
        )

    @property
    def _reviewer_name(self) -> str:
        return self.reviewer.text().strip()

    def _choose_queue(self) -> None:
        QSettings().setValue(_QUEUE, self.queue)
        self.view.show_queue(self.queue, self._reviewer_name)

    def _rename(self) -> None:
        set_person_name(self.reviewer.text())
        self._choose_queue()

    def _show_progress(self) -> None:
        items, done = self.view.items, self.view.done_count
        self._stack.setCurrentIndex(1 if self.view.item else 0)
        self.progress.setText(progress_sentence(items) if items else "")
        self.bar.setRange(0, max(len(items), 1))
        self.bar.setValue(done)
        self.bar.setVisible(bool(items))
        for made in (self._agreement_button, self._cases_button, self._export_button):
            allow(made, "" if done else "No answer of this queue is judged yet.")

    def _fill(self, dialog: FillDialog) -> None:
        name = dialog.queue.currentText().strip()
        QSettings().setValue(_QUEUE, name)
        self._console.run(
            operations.fill_queue,
            lambda added: self._filled(name, added),
            queue=name,
            counts=dialog.counts(),
            collection=str(dialog.collection.currentData() or ""),
        )

    def _filled(self, name: str, added: int) -> None:
        self.refresh()
        self.queue_box.setCurrentIndex(self.queue_box.findText(name))
        none = "; all answers from this source are already in the queue" if not added else ""
        self._console.notice.emit(
            f"{counted(added, 'answer was', 'answers were')} added to “{name}”{none}.", "info"
        )

    def _show_agreement(self, found: list[ReviewerAgreement]) -> None:
        self.agreement_dialog = AgreementDialog(self._console, found, self)
        self.agreement_dialog.trace_requested.connect(self.trace_requested)
        self.agreement_dialog.open()

    def _made_cases(self, name: str, made: int, left_out: int) -> None:
        self.view.refresh()
        more = f" {left_out} left out: skipped, disagreed on, or without a right answer." if left_out else ""
        cases = counted(made, "case")
        self._console.notice.emit(f"“{name}” contains {cases} of this queue.{more}", "info")
        self.set_box.refresh()

    def _export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Export the verdicts", f"{self.queue}.csv", "CSV (*.csv);;JSON lines (*.jsonl)"
        )
        if path:
            self._console.run(
                operations.export_reviews,
                lambda count: self._exported(count, Path(path).name),
                queue=self.queue,
                path=Path(path),
            )

    def _exported(self, count: int, name: str) -> None:
        self._console.notice.emit(
            f"{counted(count, 'verdict was', 'verdicts were')} written to {name}.", "info"
        )

    def _build(self) -> None:
        fill_button = button("Add answers…", self.fill, tip="Choose answers by source")
        self._agreement_button = button(
            "Agreement", self.show_agreement, tip="Cohen's kappa of two reviewers, and where they disagree"
        )
        self._cases_button = button(
            "Make cases", self.make_cases, tip="From all answers whose reviewers agree, in this set"
        )
        self._export_button = button("Export…", self._export, tip="All verdicts as CSV or JSON lines")
        empty = EmptyState(
            self._console.theme,
            "review",
            "Nothing to review yet",
            "Choose answers by source: flagged ones, answers rated down, the lowest scores, or a random "
            "sample. Two reviewers can judge the same answers without seeing each other's verdicts.",
            button("Add answers…", self.fill, primary=True),
        )
        self._stack.addWidget(empty)
        self._stack.addWidget(self.view)
        who = (
            self.queue_box,
            fill_button,
            label("Reviewer", "small"),
            self.reviewer,
            self.bar,
            self.progress,
        )
        outcome = (label("Set", "small"), self.set_box, self._cases_button, self._export_button)
        column(
            Flow(*who),
            Flow(*outcome, self._agreement_button),
            (self._stack, 1),
            holder=self,
            top=SPACE,
            spacing=SPACE,
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Review queue")
