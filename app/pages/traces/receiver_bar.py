"""The switch of the receiver of other applications' traces: where it listens, what came, what went wrong."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QWidget

from app.console import Console
from app.pages.traces.setting_form import SettingForm
from app.widgets.buttons import button
from app.widgets.labels import ElidedLabel, label, set_tip
from app.widgets.layout import column, guard_wheel, row, scrolled
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.interchange.rows import ReceiverState, count_unchecked
from rag.text.plurals import counted

_LOOK_MS = 500  # a trace that came has to be seen within a second


class ReceiverBar(QWidget):
    """A row with the switch and the state. It looks at the receiver while it is on and can be seen."""

    arrived = Signal()  # spans came since the last look

    def __init__(self, console: Console, look_ms: int = _LOOK_MS) -> None:
        """Show the receiver as it is.

        Args:
            console: The console of the window.
            look_ms: Milliseconds between two looks while it is on.
        """
        super().__init__()
        self._console = console
        self.state = ReceiverState()
        self.switch = QCheckBox("Receive traces")
        self.switch.clicked.connect(lambda _checked: self._toggle())
        set_tip(
            self.switch,
            "Take the traces that applications on this computer send (OTLP/HTTP). Their answers are "
            "checked against the documents that they were given",
        )
        self.line = ElidedLabel("")
        self.line.setAccessibleName("State of the receiver")
        tip = "Port, token, which answers are checked"
        self.options = button("Receiver…", self.open_options, link=True, tip=tip)
        column(row(self.switch, (self.line, 1), self.options), holder=self)
        self._timer = QTimer(self, interval=look_ms)
        self._timer.timeout.connect(self.look)
        self._is_looking = False
        self._show(ReceiverState())

    def look(self) -> None:
        """Ask the engine how the receiver is, unless it is being asked."""
        if self._console.engine.is_ready and not self._is_looking:
            self._is_looking = True
            task = self._console.engine.start(operations.receiver_state)
            task.finished.connect(self._show)
            task.failed.connect(self._stopped_looking)

    def open_options(self) -> QDialog:
        """Open the dialog with the receiver's settings, and return it."""
        dialog = QDialog(self)
        dialog.setWindowTitle("Receiver of traces")
        dialog.resize(scaled(640), scaled(360))
        form = SettingForm(self._console, "receiving")
        said = label(
            "Port and token hold from the next start of the receiver. Nothing outside this computer can "
            "connect.",
            "small",
            wrap=True,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        column((scrolled(column(said, form, 1, spacing=SPACE)), 1), buttons, holder=dialog)
        guard_wheel(dialog)
        dialog.open()
        return dialog

    def showEvent(self, event: QShowEvent) -> None:
        """Look again: it was not followed while it was hidden."""
        super().showEvent(event)
        self.look()
        self._follow()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop to look."""
        super().hideEvent(event)
        self._timer.stop()

    def _toggle(self) -> None:
        wanted = operations.start_receiver if self.switch.isChecked() else operations.stop_receiver
        self.switch.setEnabled(False)
        task = self._console.run(wanted, self._show)
        task.failed.connect(lambda *_: self._show(ReceiverState()))

    def _stopped_looking(self, *_: object) -> None:
        self._is_looking = False

    def _show(self, state: ReceiverState) -> None:
        self._is_looking = False
        came = state.spans > self.state.spans or (self.state.is_on and not state.is_on)
        self.state = state
        self.switch.setEnabled(True)
        self.switch.setChecked(state.is_on)
        self.line.setText(self._sentence())
        self._follow()
        if came:
            self.arrived.emit()

    def _sentence(self) -> str:
        waiting = count_unchecked(self._console.database) if self.state.is_on else 0
        unchecked = f" {counted(waiting, 'answer is', 'answers are')} not checked." if waiting else ""
        return self.state.sentence() + unchecked

    def _follow(self) -> None:
        if self.state.is_on and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()
