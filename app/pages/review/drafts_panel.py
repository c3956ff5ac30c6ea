"""Drafts of cases that wait for a decision: accept, edit or reject, with the passage beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.shared.feedback_bar import SetBox, person_name
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import EmptyState, ListDetail, Panel, column, dialog_buttons, row
from app.widgets.passage_view import PassageView
from app.widgets.theme import SPACE
from rag import operations
from rag.evaluation.rows import DraftRow, GenerationReport, list_drafts
from rag.knowledge.rows import VersionProgress, list_collections
from rag.operations import Operation
from rag.text.plurals import counted

COLUMNS = (
    Column("Set", lambda d: d.set_name, 100, tooltip=lambda d: d.set_name),
    Column("Question", lambda d: d.question, 260, stretch=True, tooltip=lambda d: d.question),
    Column("Document", lambda d: Path(d.document).name, 140, tooltip=lambda d: d.document),
)


class DraftsPanel(QWidget):
    """A panel with the drafts at the left and one at the right. A accepts, X rejects, the arrows choose."""

    count_changed = Signal(int)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._row = 0
        self.table = RecordTable(COLUMNS, console.theme, "drafts", "No drafts to review.")
        self.table.record_selected.connect(self._show)
        self.question, self.answer = QPlainTextEdit(), QPlainTextEdit()
        self.passage = PassageView(console.theme)
        self.where, self.marks = label("", "small", wrap=True), label("", "muted", wrap=True)
        self.strip = TaskStrip()
        self.write_button = button(
            "Write drafts…", self.choose, tip="Let the local model write questions and answers from passages"
        )
        self.count = label("", "small")
        self.accept_button = button("Accept", self.accept_chosen, primary=True, tip="A")
        self.reject_button = button("Reject", self.reject_chosen, tip="X")
        self._build()
        for keys, action in (("A", self.accept_chosen), ("X", self.reject_chosen)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        console.data_changed.connect(self.refresh)
        self.refresh()

    @property
    def draft(self) -> DraftRow | None:
        """The chosen draft."""
        chosen: list[DraftRow] = self.table.selected_records()
        return chosen[0] if chosen else None

    def refresh(self) -> None:
        """Show the drafts that are stored now; after a decision the next one is chosen."""
        rows = list_drafts(self._console.database)
        chosen = self.draft
        self.table.set_records(rows, keep_sort=True)
        self._list.show_rows(rows)
        self.count.setText(counted(len(rows), "draft to review", "drafts to review") if rows else "")
        if rows and not (chosen and self.table.choose(lambda d: d.id == chosen.id)):
            self.table.selectRow(min(self._row, len(rows) - 1))
        self.count_changed.emit(len(rows))

    def choose(self) -> GenerateDialog:
        """Open the dialog for a set, a collection and a count; then the model writes."""
        dialog = GenerateDialog(self._console, self)
        dialog.accepted.connect(lambda: self._write(dialog))
        dialog.open()
        return dialog

    def _write(self, dialog: GenerateDialog) -> None:
        dialog.set_box.remember()
        task = self._console.run(
            operations.generate_drafts,
            self._written,
            set_name=dialog.set_box.name,
            collection=dialog.collection.currentText(),
            count=dialog.count.value(),
            seed=dialog.seed.value(),
            must_find=dialog.must_find.isChecked(),
        )
        self.strip.follow(task)
        self.write_button.setEnabled(False)
        task.event.connect(self._progress)
        task.ended.connect(self._ended)

    def _progress(self, event: VersionProgress) -> None:
        if event.done != self.table.records_model.rowCount():
            self.refresh()

    def _written(self, report: GenerationReport) -> None:
        self._console.notice.emit(report.sentence(), "info")

    def _ended(self) -> None:
        self.write_button.setEnabled(True)
        self.refresh()

    def _show(self, draft: DraftRow) -> None:
        self._row = self.table.currentIndex().row()
        self.question.setPlainText(draft.question)
        self.answer.setPlainText(draft.answer)
        self.where.setText(f"{Path(draft.document).name}   {draft.place}   ·   written by {draft.model}")
        begin = draft.passage.find(draft.answer)
        start, end = (begin, begin + len(draft.answer)) if begin >= 0 else (0, 0)
        self.passage.show_passage(draft.passage, start, end)
        self.marks.setText("Checked:  " + ";  ".join(mark.detail for mark in draft.marks))

    def accept_chosen(self) -> None:
        """Make a case of the draft as it is in the fields now."""
        draft = self.draft
        if draft is not None:
            self._run(
                operations.draft_case,
                draft_id=draft.id,
                question=self.question.toPlainText(),
                answer=self.answer.toPlainText(),
                by=person_name(),
            )

    def reject_chosen(self) -> None:
        """Reject the chosen draft: it is not offered again."""
        draft = self.draft
        if draft is not None:
            self._run(operations.reject_draft, draft_id=draft.id, by=person_name())

    def _run(self, operation: Operation[Any], **arguments: Any) -> None:
        self._console.run(operation, lambda _done: self._decided(), **arguments)

    def _decided(self) -> None:
        self.refresh()
        self.table.setFocus()

    def _build(self) -> None:
        for field, name, height in ((self.question, "Question", 62), (self.answer, "Right answer", 78)):
            field.setAccessibleName(name)
            field.setFixedHeight(height)
            field.setTabChangesFocus(True)
        empty = EmptyState(
            self._console.theme,
            "review",
            "No drafts to review",
            "The local model writes questions and answers from passages of a collection. Filters drop "
            "questions that mention the passage, answers that are not in it, and repetitions. You "
            "decide about the rest.",
            button("Write drafts…", self.choose, primary=True),
        )
        right = Panel()
        right.body.addWidget(self.where)
        right.body.addWidget(label("Question", "small"))
        right.body.addWidget(self.question)
        right.body.addWidget(label("Right answer", "small"))
        right.body.addWidget(self.answer)
        right.body.addLayout(
            row(self.accept_button, self.reject_button, 1, _keys("A", "accept", "X", "reject"))
        )
        right.body.addWidget(self.marks)
        right.body.addWidget(label("Passage", "small"))
        right.body.addWidget(self.passage, 1)
        self._list = ListDetail("review/drafts", self.table, right, (560, 600), empty)
        column(
            row(self.write_button, self.count, 1),
            self.strip,
            (self._list, 1),
            holder=self,
            top=SPACE,
            spacing=SPACE,
        )


class GenerateDialog(QDialog):
    """A form for the set, the collection, and how many drafts to write."""

    def __init__(self, console: Console, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Write drafts of cases")
        self.setMinimumWidth(440)
        self.set_box, self.collection = SetBox(console, "Generated"), QComboBox()
        self.collection.setAccessibleName("Collection")
        self.collection.addItems(
            [c.name for c in list_collections(console.database) if c.active_version_id is not None]
        )
        self.count, self.seed = (
            QSpinBox(minimum=1, maximum=1000, value=10),
            QSpinBox(minimum=0, maximum=10**6, value=1),
        )
        self.count.setAccessibleName("How many drafts")
        self.seed.setAccessibleName("Seed of the choice of passages")
        self.must_find = QCheckBox("Keep only questions that find their own passage")
        self.must_find.setToolTip("Otherwise only marked: questions that retrieval misses are useful cases")
        form = QFormLayout()
        form.addRow("Set", self.set_box)
        form.addRow("Passages of", self.collection)
        form.addRow("Drafts", self.count)
        form.addRow("Seed", self.seed)
        form.addRow("", self.must_find)
        buttons = dialog_buttons(self, "Write", self.accept)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(self.collection.count() > 0)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        note = (
            "The active model writes. A draft becomes a case only when you accept it. Many drafts of the "
            "demo model are not usable."
        )
        layout.addWidget(label(note, "muted", wrap=True))
        layout.addLayout(form)
        layout.addWidget(buttons)


def _keys(*pairs: str) -> QWidget:
    holder = QWidget()
    parts: list[QWidget | int] = []
    for number, text in enumerate(pairs):
        shown = label(text, "small" if number % 2 else "")
        if not number % 2:
            shown.setObjectName("keys")
        parts.append(shown)
    holder.setLayout(row(*parts, spacing=5))
    return holder
