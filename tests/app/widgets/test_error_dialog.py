"""Errors: the sentence, the details of a bug, and what an unexpected error leads to."""

from __future__ import annotations

import logging
import sys
import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.widgets.error_dialog import ErrorDialog, install_excepthook, show_error
from app.widgets.theme import Theme


def test_an_error_is_plain_text_and_its_details_can_be_copied(qtbot: QtBot, theme: Theme) -> None:
    dialog = show_error(None, "<b>x</b>.docx could not be read.", "Traceback: line 1")
    qtbot.addWidget(dialog)
    sentence = next(label for label in dialog.findChildren(QLabel) if "<b>x</b>" in label.text())
    assert sentence.textFormat() == Qt.TextFormat.PlainText
    details = dialog.findChild(QPlainTextEdit)
    assert details is not None
    assert details.toPlainText() == "Traceback: line 1"
    copy = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Copy details")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "<b>x</b>.docx could not be read.\n\nTraceback: line 1"
    assert dialog.isVisible()


def test_an_unexpected_error_is_logged_and_shown_once(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    parent = QWidget()
    qtbot.addWidget(parent)
    install_excepthook()
    dialogs = [w for w in QApplication.topLevelWidgets() if isinstance(w, ErrorDialog)]
    with caplog.at_level(logging.ERROR):
        for number in range(3):
            error = ValueError(f"paint {number}")
            sys.excepthook(ValueError, error, None)
    shown = [w for w in QApplication.topLevelWidgets() if isinstance(w, ErrorDialog) and w not in dialogs]
    assert [dialog.sentence for dialog in shown] == ["Something unexpected went wrong: paint 0"]
    assert caplog.text.count("unexpected error") == 3
    shown[0].close()
    sys.excepthook(ValueError, ValueError("later"), None)
    later = [
        w for w in QApplication.topLevelWidgets() if isinstance(w, ErrorDialog) and "later" in w.sentence
    ]
    assert len(later) == 1
    later[0].close()


def test_a_refusal_has_neither_details_nor_a_button_to_copy_them(qtbot: QtBot, theme: Theme) -> None:
    dialog = ErrorDialog(None, "Choose a collection first.")
    qtbot.addWidget(dialog)
    assert dialog.findChild(QPlainTextEdit) is None
    assert [b.text().replace("&", "") for b in dialog.findChildren(QPushButton)] == ["Close"]
    assert dialog.accessibleDescription() == "Choose a collection first."
    assert dialog.minimumWidth() == 420


def test_a_bug_says_what_to_do_with_its_details(qtbot: QtBot, theme: Theme) -> None:
    dialog = ErrorDialog(None, "Something unexpected went wrong.", "Traceback")
    qtbot.addWidget(dialog)
    words = [label.text() for label in dialog.findChildren(QLabel)]
    assert "This is a bug in Ragdeck. Please include the details below when you report it." in words


def test_an_error_in_a_thread_is_logged_and_opens_no_dialog(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    install_excepthook()
    before = len(QApplication.topLevelWidgets())

    def fail(error: BaseException) -> None:
        raise error

    with caplog.at_level(logging.ERROR):
        for error in (ValueError("in a thread"), SystemExit(1)):
            thread = threading.Thread(target=fail, args=(error,), name="worker")
            thread.start()
            thread.join()
    assert caplog.text.count("unexpected error in") == 1
    assert "in a thread" in caplog.text
    assert len(QApplication.topLevelWidgets()) == before
