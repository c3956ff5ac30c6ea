"""The dialog that shows what importing a file of cases would do, before anything is stored."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import dialog_buttons, refill
from app.widgets.theme import SPACE
from rag import operations
from rag.evaluation.rows import ImportPreview
from rag.text.plurals import counted

FORMATS = (
    ("Ragdeck JSONL", "ragdeck", "jsonl"), ("CSV", "csv", "csv"), ("SQuAD", "squad", "json"),
    ("RAGAS", "ragas", "jsonl"), ("DeepEval", "deepeval", "json"), ("promptfoo", "promptfoo", "yaml"),
    ("Langfuse", "langfuse", "json"), ("BEIR folder", "beir", ""), ("TREC folder", "trec", ""),
)  # fmt: skip
_DELIMITERS = (("Recognised", ""), ("Comma", ","), ("Semicolon", ";"), ("Tab", "\t"), ("Bar", "|"))
_FIELDS = (
    ("question", "Question"), ("references", "Right answers"), ("key", "Key"), ("documents", "Documents"),
    ("quotes", "Relevant passages"), ("should_refuse", "To be declined"), ("tags", "Tags"),
    ("weight", "Weight"), ("cluster", "Source document"),
)  # fmt: skip
_ROW_COLUMNS = (
    Column("Key", lambda row: row[0], 90),
    Column("Question", lambda row: row[1], 260, stretch=True, tooltip=lambda row: row[1]),
    Column("Right answer", lambda row: row[2], 190, tooltip=lambda row: row[2]),
    Column("Passages", lambda row: row[3], 76, right=True),
    Column("Checks", lambda row: row[4], 62, right=True),
    Column("Tags", lambda row: row[5], 90),
)


class ImportDialog(QDialog):
    """A form for the format, the delimiter and the columns of a file, with what would come of it."""

    def __init__(self, parent: QWidget, console: Console, set_name: str, path: str) -> None:
        super().__init__(parent)
        self._console, self._set_name, self._path = console, set_name, path
        self.setWindowTitle(f"Import into “{set_name}”")
        self.setMinimumSize(820, 560)
        self.format_box, self.delimiter_box = QComboBox(), QComboBox()
        refill(self.format_box, [("Recognised", ""), *((title, name) for title, name, _ in FORMATS)])
        refill(self.delimiter_box, _DELIMITERS)
        self.column_boxes = {field: QComboBox() for field, _ in _FIELDS}
        self._columns = QGroupBox("Columns")
        columns = QFormLayout(self._columns)
        for field, title in _FIELDS:
            columns.addRow(title, self.column_boxes[field])
        self.summary = label("Reading the file…", wrap=True)
        self.replaced = label("", "bad", wrap=True)
        self.account = QPlainTextEdit(readOnly=True)
        self.account.setAccessibleName("What is not used, and what cannot be read")
        self.rows = RecordTable(_ROW_COLUMNS, console.theme, "import_preview", "No case was found.")
        self.skip_bad = QCheckBox("Leave out what cannot be read, and import the rest")
        form = QFormLayout()
        form.addRow("Read as", self.format_box)
        form.addRow("Delimiter", self.delimiter_box)
        self._form = form
        buttons = dialog_buttons(self, "Import", self.accept)
        self.import_button = buttons.button(QDialogButtonBox.StandardButton.Ok)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addLayout(form)
        layout.addWidget(self._columns)
        for widget in (self.summary, self.replaced, self.rows, self.account, self.skip_bad, buttons):
            layout.addWidget(widget)
        self._found: ImportPreview | None = None
        self._headers: tuple[str, ...] = ()
        for box in (self.format_box, self.delimiter_box, *self.column_boxes.values()):
            box.activated.connect(lambda _i: self.read())
        self.skip_bad.toggled.connect(lambda _on: self._enable())
        self._show_columns(())
        self.read()

    def choices(self) -> dict[str, Any]:
        """Return the keywords of `operations.import_cases` that were chosen here."""
        columns = {field: box.currentData() for field, box in self.column_boxes.items() if box.currentData()}
        return {
            "format_name": self.format_box.currentData(),
            "columns": columns or None,
            "delimiter": self.delimiter_box.currentData(),
        }

    def read(self) -> None:
        """Read the file with the present choices; nothing is stored."""
        self.import_button.setEnabled(False)
        task = self._console.engine.start(
            operations.preview_import, set_name=self._set_name, path=self._path, **self.choices()
        )
        task.finished.connect(self._show)
        task.failed.connect(self._failed)

    def _failed(self, sentence: str, details: str) -> None:
        if details:
            self._console.report_failure(sentence, details)
        self._found = None
        self.summary.setText(sentence)
        self.rows.set_records([])
        self._enable()

    def _show(self, found: ImportPreview) -> None:
        self._found = found
        self._show_columns(found.headers)
        counts = f"{found.added:,} new, {found.same:,} the same"
        self.summary.setText(f"Read as {found.format_name}: {counted(found.good, 'case')} ({counts}).")
        self.replaced.setText(found.replaced)
        self.replaced.setVisible(bool(found.replaced))
        self.rows.set_records(found.rows)
        lines = [*found.problems, *found.unused]
        self.account.setPlainText("\n".join(lines))
        self.account.setVisible(bool(lines))
        self.skip_bad.setVisible(bool(found.problems) and bool(found.good))
        self._enable()

    def _show_columns(self, headers: tuple[str, ...]) -> None:
        self._columns.setVisible(bool(headers))
        self._form.setRowVisible(self.delimiter_box, bool(headers))
        if headers == self._headers:
            return
        self._headers = headers
        for box in self.column_boxes.values():
            refill(box, [("Recognised", ""), *((header, header) for header in headers)])

    def _enable(self) -> None:
        found = self._found
        may = found is not None and found.good > 0 and (not found.problems or self.skip_bad.isChecked())
        self.import_button.setEnabled(may)
