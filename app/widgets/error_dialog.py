"""Dialogs for what went wrong: one sentence, and for a bug the details to copy."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStyle,
    QWidget,
)

from app.widgets.labels import label

log = logging.getLogger("ragdeck.window")
_BUG = "This is a bug in Ragdeck. Please include the details below when you report it."


class ErrorDialog(QDialog):
    """A dialog with a sentence as plain text (a message may quote a file name that looks like markup)."""

    def __init__(self, parent: QWidget | None, sentence: str, details: str = "") -> None:
        """Show a sentence, and the details if it is a bug."""
        super().__init__(parent)
        self.setWindowTitle("Ragdeck")
        self.setAccessibleName("Error")
        self.setAccessibleDescription(sentence)
        self.sentence, self.details = sentence, details
        layout = QGridLayout(self)
        layout.setContentsMargins(18, 18, 18, 14)
        layout.setHorizontalSpacing(14)
        layout.setVerticalSpacing(10)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self._picture(), 0, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(_text(sentence), 0, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        if details:
            layout.addWidget(_text(_BUG), 1, 1)
            layout.addWidget(self._details_view(), 2, 0, 1, 2)
            copy = QPushButton("Copy details")
            copy.setAccessibleName("Copy details")
            copy.clicked.connect(lambda: QApplication.clipboard().setText(f"{sentence}\n\n{details}"))
            buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        layout.addWidget(buttons, 3, 0, 1, 2)
        self.setMinimumWidth(620 if details else 420)

    def _picture(self) -> QLabel:
        style = QStyle.StandardPixmap
        name = style.SP_MessageBoxCritical if self.details else style.SP_MessageBoxWarning
        picture = label()
        picture.setPixmap(self.style().standardIcon(name).pixmap(32, 32))
        return picture

    def _details_view(self) -> QPlainTextEdit:
        view = QPlainTextEdit(self.details)
        view.setAccessibleName("Details of the error")
        view.setReadOnly(True)
        view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        view.setMinimumHeight(200)
        return view


def show_error(parent: QWidget | None, sentence: str, details: str = "") -> ErrorDialog:
    """Open a dialog that does not block the program, and return it."""
    dialog = ErrorDialog(parent, sentence, details)
    # The connection holds it: without a parent nothing else would hold it, and it would be gone at once.
    dialog.finished.connect(lambda _result: dialog.deleteLater())
    dialog.open()
    return dialog


def install_excepthook() -> None:
    """Log every unexpected error and show it; the window goes on.

    While one is shown, or when showing it fails, further ones are only logged: an error in a paint event
    comes again with every frame.
    """
    showing = False

    def shown(_result: int) -> None:
        nonlocal showing
        showing = False

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        nonlocal showing
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error("unexpected error\n%s", details)
        if showing or QApplication.instance() is None:
            return
        showing = True
        try:
            parent = QApplication.activeModalWidget() or QApplication.activeWindow()
            dialog = show_error(parent, f"Something unexpected went wrong: {error}", details)
            dialog.finished.connect(shown)
        except Exception:
            log.exception("the error could not be shown")

    def thread_hook(problem: threading.ExceptHookArgs) -> None:
        """Log the error of a thread, which may not touch widgets."""
        if problem.exc_value is not None and not issubclass(problem.exc_type, SystemExit):
            log.error("unexpected error in %s", problem.thread, exc_info=problem.exc_value)

    sys.excepthook = hook
    threading.excepthook = thread_hook


def _text(text: str) -> QLabel:
    made = label(text, wrap=True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
