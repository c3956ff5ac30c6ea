"""Shows what went wrong: one sentence, and for a bug the details to copy."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

log = logging.getLogger("ragdeck.window")


def show_error(parent: QWidget | None, sentence: str, details: str = "") -> None:
    """A dialog that does not block the program."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Critical if details else QMessageBox.Icon.Warning)
    box.setWindowTitle("Ragdeck")
    box.setText(sentence)
    if details:
        box.setInformativeText("This is a mistake in Ragdeck. The details below help to mend it.")
        box.setDetailedText(details)
    box.setAccessibleName("Error")
    box.open()


def install_excepthook() -> None:
    """Log every unexpected error and show it once; the window goes on."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        log.error("unexpected error\n%s", details)
        if QApplication.instance() is not None and QApplication.activeModalWidget() is None:
            show_error(QApplication.activeWindow(), f"Something unexpected went wrong: {error}", details)

    sys.excepthook = hook
