"""Hands for the tests of pages: what a person reads in a table, clicks in a page, and answers in a dialog."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fakes import ScriptedModel, drive
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QMenu, QMessageBox, QWidget
from pytestqt.qtbot import QtBot
from sqlmodel import select

from app.console import Console
from app.widgets.item_models import RecordTable
from rag.asking.answer import answer_question
from rag.asking.rows import AskResult, Question
from rag.storage.tables.traces import Trace
from rag.workspace import Workspace

D = TypeVar("D", bound=QDialog)
DAY_MS = 86_400_000


def notices(console: Console) -> list[tuple[str, str]]:
    """Return what the page has told so far, as (sentence, kind)."""
    found: list[tuple[str, str]] = console.notices  # type: ignore[attr-defined]
    return found


def rows(table: RecordTable) -> list[list[str]]:
    """Return the cells of a table as they are read, row by row."""
    model = table.records_model
    return [
        [str(model.data(model.index(row, column))) for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def column(table: RecordTable, title: str) -> list[str]:
    """Return the cells of the column with this title."""
    place = [shown.title for shown in table.records_model.columns].index(title)
    return [row[place] for row in rows(table)]


def texts(widget: QWidget) -> str:
    """Return the texts of all labels inside a widget that the program has not hidden, line by line."""
    labels = widget.findChildren(QLabel)
    return "\n".join(found.text() for found in labels if not _is_hidden_in(found, widget))


def _is_hidden_in(found: QWidget, widget: QWidget) -> bool:
    """Return whether a widget, or one around it, was told to hide; what was never shown yet does not count."""
    was_told = Qt.WidgetAttribute.WA_WState_ExplicitShowHide
    shown: QWidget | None = found
    while shown is not None and shown is not widget:
        if shown.isHidden() and shown.testAttribute(was_told):
            return True
        shown = shown.parentWidget()
    return False


def button_of(parent: QWidget, text: str) -> QAbstractButton:
    """Return the button with this text or accessible name, one that can be seen before a hidden one."""
    for found in sorted(parent.findChildren(QAbstractButton), key=lambda each: not each.isVisible()):
        if text in (found.text().replace("&", ""), found.accessibleName()):
            return found
    raise AssertionError(f"There is no button “{text}”")


def click(qtbot: QtBot, parent: QWidget, text: str = "") -> None:
    """Click the button with this text with the left mouse button; without a text, the widget itself."""
    button = button_of(parent, text) if text else parent
    assert button.isEnabled(), f"“{text}” cannot be clicked now"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def press_in_dialog(dialog: QDialog, text: str) -> None:
    """Click the button with this text in a dialog that is open."""
    button_of(dialog, text).click()


def when_asked(answer: Callable[[Any], object]) -> None:
    """Give the next blocking dialog or menu to `answer`, as soon as it is on the screen."""

    def look() -> None:
        shown = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if shown is None:
            QTimer.singleShot(0, look)
        else:
            answer(shown)

    QTimer.singleShot(0, look)


def pick_in_menu(text: str) -> None:
    """Pick the entry with this text in the next menu."""

    def pick(menu: QMenu) -> None:
        action = next(found for found in menu.actions() if found.text() == text)
        menu.setActiveAction(action)
        QTest.keyClick(menu, Qt.Key.Key_Return)

    when_asked(pick)


def answer_message(text: str) -> None:
    """Click the button with this text in the next message box that waits for an answer."""

    def answer(box: QMessageBox) -> None:
        press_in_dialog(box, text)

    when_asked(answer)


def open_dialog(parent: QWidget, kind: type[D]) -> D:
    """Return the newest dialog of a kind below a widget that is still open."""
    return next(found for found in reversed(parent.findChildren(kind)) if found.isVisible())


def ask_once(
    workspace: Workspace, question: str, answer: str = "Twelve hours [1].", collection: str = "Notes"
) -> str:
    """Ask with a model that gives this answer, and return the trace's id."""
    model = workspace.language_model()
    assert isinstance(model, ScriptedModel)
    model.answer = answer
    result: AskResult = drive(answer_question(workspace, Question(question, collection)))
    return result.trace_id


def copy_trace(
    workspace: Workspace, trace_id: str, count: int, days: float = 10.0, **changes: Any
) -> list[str]:
    """Store copies of a trace, spread over the days before now, oldest first, and return their ids.

    A change may be a function of the copy's number.
    """
    now = int(time.time() * 1000)
    made = []
    with workspace.store.session() as session:
        values = session.exec(select(Trace).where(Trace.id == trace_id)).one().model_dump()
        for number in range(count):
            values |= {key: value(number) if callable(value) else value for key, value in changes.items()}
            values |= {
                "id": secrets.token_hex(16),
                "created_ms": now - int((count - number) * days * DAY_MS / count),
            }
            session.add(Trace(**values))
            made.append(values["id"])
    return made
