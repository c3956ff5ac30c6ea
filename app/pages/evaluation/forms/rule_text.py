"""A form beside its YAML: both edit the same value, which the engine reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSignalBlocker, QTimer, Signal
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.console import Console
from app.engine.client import Task
from app.widgets.labels import label
from app.widgets.layout import Splitter, column
from app.widgets.theme import scaled
from rag.evaluation.forms.rows import RuleText
from rag.operations import Operation

_PAUSE_MS = 250  # after the last key, before the text is read


class RuleTextEditor(QWidget):
    """A form on the left and its YAML on the right. What was changed last is what counts.

    While the YAML cannot be read the form stays as it was, and `problem` says why in one sentence.
    """

    changed = Signal()

    def __init__(
        self,
        console: Console,
        form: QWidget,
        name: str,
        read: Operation[RuleText],
        write: Operation[RuleText],
        values_of: Callable[[], Any],
        show_values: Callable[[Any], None],
    ) -> None:
        """Put a form beside its text.

        Args:
            console: The engine that reads and writes.
            form: The form.
            name: Under which the place of the handle between them is remembered.
            read: Returns the values of a text.
            write: Returns the text of values.
            values_of: Returns the values of the form. Raises ValueError with a sentence where there are none.
            show_values: Shows values in the form.
        """
        super().__init__()
        self._console, self._read, self._write = console, read, write
        self._values_of, self._show_values = values_of, show_values
        self._task: Task | None = None
        self.problem = ""
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("The same as YAML")
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(scaled(60))
        self._wrong = label("", "bad", wrap=True)
        self._wrong.hide()
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._read_text)
        self.text.textChanged.connect(self._pause.start)
        beside = column(label("YAML", "muted"), (self.text, 1))
        column((Splitter(name, form, beside, (420, 260), least=(240, 140)), 1), self._wrong, holder=self)

    @property
    def is_settled(self) -> bool:
        """Whether form and text say the same, or the problem is known."""
        return self._task is None and not self._pause.isActive()

    def follow_form(self) -> None:
        """Write the text anew, since the form was changed."""
        self._pause.stop()
        try:
            values = self._values_of()
        except ValueError as error:
            self._say(str(error))
            return
        self._start(self._write, self._wrote, values=values)

    def set_values(self, values: Any) -> None:
        """Show other values in both."""
        self._show_values(values)
        self.follow_form()

    def set_text(self, text: str) -> None:
        """Show another text, and what it says in the form."""
        with QSignalBlocker(self.text):
            self.text.setPlainText(text)
        self._read_text()

    def read_now(self) -> None:
        """Read what was typed without waiting for a pause."""
        if self._pause.isActive():
            self._pause.stop()
            self._read_text()

    def stop(self) -> None:
        """Read and write nothing more: the dialog is closed."""
        self._pause.stop()
        self._task = None

    def _read_text(self) -> None:
        self._start(self._read, self._took, text=self.text.toPlainText())

    def _start(self, operation: Operation[RuleText], done: Callable[[RuleText], None], **given: Any) -> None:
        task = self._console.engine.start(operation, **given)
        self._task = task
        task.finished.connect(lambda found: done(found) if task is self._task else None)
        task.failed.connect(self._console.report_failure)

    def _wrote(self, found: RuleText) -> None:
        if not found.problem:
            with QSignalBlocker(self.text):
                self.text.setPlainText(found.text)
        self._say(found.problem)

    def _took(self, found: RuleText) -> None:
        if not found.problem:
            self._show_values(found.values)
        self._say(found.problem)

    def _say(self, problem: str) -> None:
        self._task = None
        self.problem = problem
        self._wrong.setText(problem)
        self._wrong.setVisible(bool(problem))
        self.changed.emit()
