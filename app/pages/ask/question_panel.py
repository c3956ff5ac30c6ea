"""Where a question is typed: the pickers above it, what they mean for the session, and the buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QVBoxLayout

from app.console import Console
from app.pages.ask.binding_bar import BindingBar
from app.widgets.buttons import button
from app.widgets.labels import ElidedLabel, label, set_tip
from app.widgets.layout import Panel, on_escape, row
from app.widgets.theme import SMALL_SPACE, scaled

_ASK_TIP = "Enter; Ctrl+Enter asks the model even if the cache has the answer"


class QuestionBox(QPlainTextEdit):
    """A field that sends on Enter, and brings the last question back on Up while it is empty."""

    sent = Signal(bool)  # whether the model is to answer even if the cache has the answer
    last_wanted = Signal()

    def __init__(self) -> None:
        """Make an empty field."""
        super().__init__()
        self.setPlaceholderText("Ask a question  (Enter sends, Shift+Enter starts a new line)")
        self.setAccessibleName("Question")
        self.setAcceptDrops(False)  # files dropped here go to the window
        self.fit()
        self.setTabChangesFocus(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send on Enter, go back on Up, and type everything else."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.sent.emit(bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif event.key() == Qt.Key.Key_Up and not self.toPlainText():
            self.last_wanted.emit()
        else:
            super().keyPressEvent(event)

    def fit(self) -> None:
        """Be as high as three lines of the present text size."""
        self.setFixedHeight(scaled(64))

    def put(self, text: str) -> None:
        """Show a text with the cursor behind it, ready to be changed."""
        self.setPlainText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)
        self.setFocus()


class QuestionPanel(Panel):
    """The pickers, the field and its buttons."""

    sent = Signal(str, bool)  # the question; whether the model is to answer even if the cache has the answer
    last_wanted = Signal()
    stop_wanted = Signal()

    def __init__(self, console: Console) -> None:
        """Wait for a question."""
        super().__init__()
        self.editing = ""  # the trace whose question is being edited
        self._before_edit = ""
        self.bar = BindingBar(console)
        self.said = label("", "small", wrap=True)
        self.said.hide()
        self.question = QuestionBox()
        self.question.sent.connect(self.send)
        self.question.last_wanted.connect(self.last_wanted)
        on_escape(self.question, self._escape)
        console.theme.changed.connect(self.question.fit)
        self.send_button = button("Ask", self.send, primary=True, tip=_ASK_TIP)
        self.stop_button = button("Stop", self.stop_wanted.emit, tip="Stop the answer (Esc)")
        self.stop_button.hide()
        for made in (self.send_button, self.stop_button):
            made.setMinimumWidth(scaled(76))
        self._edit_line = QFrame()
        self._edited = ElidedLabel()
        cancel = button(
            "Cancel the edit", self.cancel_edit, link=True, tip="Leave the question as it was (Esc)"
        )
        self._edit_line.setLayout(row((self._edited, 1), cancel))
        self._edit_line.hide()
        buttons = QVBoxLayout()
        buttons.setSpacing(SMALL_SPACE)
        buttons.addStretch(1)
        buttons.addWidget(self.stop_button)
        buttons.addWidget(self.send_button)
        self.body.addWidget(self.bar)
        self.body.addWidget(self.said)
        self.body.addWidget(self._edit_line)
        self.body.addLayout(row((self.question, 1), buttons))

    def send(self, fresh: bool = False) -> None:
        """Hand on what is in the field, which is emptied by whoever takes it."""
        text = self.question.toPlainText().strip()
        if text:
            self.sent.emit(text, fresh)

    def taken(self) -> None:
        """Empty the field: the question is asked or queued."""
        self.editing = ""
        self._edit_line.hide()
        self.question.setPlainText(self._before_edit)
        self._before_edit = ""
        self.say("")

    def edit(self, trace_id: str, question: str) -> None:
        """Let a person change an earlier question. What is typed already comes back afterwards."""
        if not self.editing:
            self._before_edit = self.question.toPlainText()
        self.editing = trace_id
        self._edited.setText(
            "Editing an earlier question. Its answer and what followed are kept as a branch."
        )
        self._edit_line.show()
        self.question.put(question)

    def cancel_edit(self) -> None:
        """Leave the earlier question as it was."""
        if self.editing:
            self.taken()

    def say(self, sentence: str) -> None:
        """Say what a choice in the pickers means for the session; empty: nothing."""
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

    def show_state(self, busy: bool, can_ask: bool) -> None:
        """Show whether an answer is running, and whether there is anything to ask."""
        self.stop_button.setVisible(busy)
        self.send_button.setText("Queue" if busy else "Ask")
        self.send_button.setAccessibleName(self.send_button.text())
        set_tip(self.send_button, "Ask it after the answer that is running (Enter)" if busy else "Enter")
        self.send_button.setEnabled(can_ask)

    def _escape(self) -> None:
        if self.editing:
            self.cancel_edit()
        else:
            self.stop_wanted.emit()
