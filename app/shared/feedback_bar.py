"""What the user thinks of an answer: thumbs, and below them why, what would be right, and a case."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLineEdit,
    QPlainTextEdit,
)

from app.console import Console, Notice
from app.widgets.buttons import IconButton, button
from app.widgets.labels import label, set_tip
from app.widgets.layout import column, refill, row
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.evaluation.rows import list_sets
from rag.index.rows import Hit
from rag.operations import Operation
from rag.review.rows import FeedbackRow, Reason, list_feedback

_NAME = "people/name"
_SET = "people/set"


def person_name() -> str:
    """Return the name that verdicts are stored under: what was typed last, else the user's."""
    chosen = str(QSettings().value(_NAME) or "").strip()
    if chosen:
        return chosen
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"


def set_person_name(name: str) -> None:
    """Remember the name that verdicts are stored under."""
    QSettings().setValue(_NAME, name.strip())


class SetBox(QComboBox):
    """A box of evaluation sets, where another name makes a new one. The last choice is remembered."""

    def __init__(self, console: Console, default: str = "Feedback") -> None:
        """List the sets. default: the name that is offered when none was chosen before."""
        super().__init__()
        self._console, self._default = console, default
        self.setEditable(True)
        self.setAccessibleName("Evaluation set")
        self.setToolTip("An evaluation set; a new name makes a new set")
        self.setMinimumContentsLength(12)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.refresh()

    def refresh(self) -> None:
        """List the sets again and keep the choice."""
        chosen = self.name or str(QSettings().value(_SET) or "") or self._default
        refill(self, ((found.name, found.name) for found in list_sets(self._console.database)), keep=chosen)

    @property
    def name(self) -> str:
        """The name that is chosen or typed."""
        return self.currentText().strip()

    def remember(self) -> None:
        """Offer this name the next time."""
        QSettings().setValue(_SET, self.name)


class FeedbackBar(QFrame):
    """A bar with two thumbs for one trace; a thumb down opens the form."""

    changed = Signal()

    def __init__(self, console: Console) -> None:
        """Make a bar without a trace."""
        super().__init__()
        self._console = console
        self._trace_id = ""
        self._own: FeedbackRow | None = None
        self.up = IconButton(console.theme, "thumb-up", "Good answer", lambda: self._thumb(True))
        self.down = IconButton(
            console.theme, "thumb-down", "Not a good answer: say why", lambda: self._thumb(False)
        )
        for thumb in (self.up, self.down):
            thumb.setCheckable(True)
        self.said = label("", "small")
        self.details = button("Details", self._toggle, link=True, tip="Reason, correction, tags")
        self._form = QFrame()
        self.reason, self.note, self.tags = QComboBox(), QLineEdit(), QLineEdit()
        self.correction = QPlainTextEdit()
        self._passages: list[tuple[int, QCheckBox]] = []
        self._passage_row = row(1)
        self.set_box = SetBox(console)
        self.save_button = button("Save", self.save)
        self.case_button = button(
            "Make a case from it",
            self.make_case,
            tip="The correction becomes the reference of an evaluation case",
        )
        self._build()
        self.show_trace("", ())

    def show_trace(self, trace_id: str, hits: Sequence[Hit]) -> None:
        """Show the feedback on this trace. hits: the passages of its prompt."""
        self._trace_id = trace_id
        for _, box in self._passages:
            box.deleteLater()
        self._passages = []
        packed = sorted((h for h in hits if h.marker is not None), key=lambda h: h.marker or 0)
        for hit in packed[:8]:
            box = QCheckBox(f"[{hit.marker}]")
            set_tip(box, f"{hit.document} {hit.place}\n{' '.join(hit.text.split())[:400]}")
            box.setAccessibleName(f"Passage {hit.marker} contains the answer")
            self._passages.append((hit.marker or 0, box))
            self._passage_row.insertWidget(len(self._passages), box)
        self._passage_label.setVisible(bool(packed))
        self._form.hide()
        self.refresh()

    def refresh(self) -> None:
        """Read the feedback again."""
        rows = list_feedback(self._console.database, trace_id=self._trace_id) if self._trace_id else []
        self._own = next((found for found in rows if found.author == person_name()), None)
        own = self._own
        self.up.setChecked(own is not None and own.is_up)
        self.down.setChecked(own is not None and not own.is_up)
        others = [f"{found.author}: {'up' if found.is_up else 'down'}" for found in rows if found is not own]
        parts = ["saved; click again to take it back"] if own else []
        if own and own.reason:
            parts.insert(0, own.reason)
        if own and own.case_key:
            parts.append(f"a case in “{own.set_name}”")
        self.said.setText("   ·   ".join([*parts, *others]))
        self.details.setVisible(own is not None)
        self.setEnabled(bool(self._trace_id))

    def save(self) -> None:
        """Store what the form says."""
        self._store(self._own.is_up if self._own else False, self._form.hide)

    def make_case(self) -> None:
        """Store what the form says, and make a case from it in the chosen set."""
        self._store(self._own.is_up if self._own else False, self._case)

    def _build(self) -> None:
        self.reason.addItem("No reason", "")
        for reason in Reason:
            self.reason.addItem(reason.capitalize(), reason)
        for widget, name, hint in (
            (self.reason, "Reason", ""),
            (self.note, "Note", "In your own words"),
            (self.tags, "Tags", "Tags, separated by commas"),
            (self.correction, "Right answer", "The right answer, which becomes the reference of a case"),
        ):
            widget.setAccessibleName(name)
            if hint:
                widget.setPlaceholderText(hint)  # type: ignore[union-attr]
        self.correction.setFixedHeight(58)
        self.correction.setTabChangesFocus(True)
        self._passage_label = label("Passages that contain the answer", "small")
        self._passage_row.insertWidget(0, self._passage_label)
        grid = QGridLayout(self._form)
        grid.setContentsMargins(0, SMALL_SPACE, 0, 0)
        grid.setHorizontalSpacing(SMALL_SPACE)
        grid.addWidget(self.reason, 0, 0)
        grid.addWidget(self.note, 0, 1)
        grid.addWidget(self.tags, 0, 2)
        grid.addWidget(self.correction, 1, 0, 1, 3)
        grid.addLayout(self._passage_row, 2, 0, 1, 3)
        grid.addLayout(
            row(self.save_button, 1, label("Set", "small"), self.set_box, self.case_button), 3, 0, 1, 3
        )
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 1)
        question = label("Is this answer good?", "small")
        thumbs = row(question, self.up, self.down, self.said, 1, self.details)
        column(thumbs, self._form, holder=self, spacing=0)
        self._form.hide()

    def _thumb(self, is_up: bool) -> None:
        if self._own is not None and self._own.is_up == is_up:
            self._run(operations.remove_feedback, self._removed, author=person_name())
            return
        self._store(is_up)
        if not is_up:
            self._open()

    def _toggle(self) -> None:
        if self._form.isVisible():
            self._form.hide()
        else:
            self._open()

    def _open(self) -> None:
        own = self._own
        self.set_box.refresh()
        self.reason.setCurrentIndex(max(self.reason.findData(own.reason if own else ""), 0))
        self.note.setText(own.note if own else "")
        self.tags.setText(", ".join(own.tags) if own else "")
        self.correction.setPlainText(own.correction if own else "")
        self._form.show()
        self.correction.setFocus(Qt.FocusReason.OtherFocusReason)

    def _store(self, is_up: bool, then: Callable[[], None] | None = None) -> None:
        shown = self._form.isVisible()
        own = self._own
        self._run(
            operations.add_feedback,
            lambda _row: self._stored(then),
            is_up=is_up,
            reason=str(self.reason.currentData()) if shown else own.reason if own else "",
            note=self.note.text() if shown else own.note if own else "",
            correction=self.correction.toPlainText() if shown else own.correction if own else "",
            tags=tuple(self.tags.text().split(",")) if shown else own.tags if own else (),
            author=person_name(),
        )

    def _case(self) -> None:
        self.set_box.remember()
        relevant = tuple(marker for marker, box in self._passages if box.isChecked())
        name = self.set_box.name
        self._run(
            operations.feedback_case,
            lambda _key: self._made(name),
            set_name=name,
            relevant=relevant,
            author=person_name(),
        )

    def _stored(self, then: Callable[[], None] | None) -> None:
        self.refresh()
        self.changed.emit()
        if then is not None:
            then()

    def _made(self, name: str) -> None:
        self._form.hide()
        self.refresh()
        self._console.notice.emit(f"This answer is now a case in “{name}”.", Notice.INFO)

    def _removed(self, _result: object) -> None:
        self._form.hide()
        self.refresh()
        self.changed.emit()

    def _run(self, operation: Operation[Any], done: Callable[[Any], Any], **arguments: Any) -> None:
        task = self._console.engine.start(operation, trace_id=self._trace_id, **arguments)
        task.finished.connect(done)
        task.failed.connect(self._refused)

    def _refused(self, sentence: str, details: str) -> None:
        self.refresh()
        self._console.report_failure(sentence, details)
