"""A dialog that gives traces to other tools: into a file, to an endpoint, and what waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFileDialog, QVBoxLayout, QWidget

from app.console import Console, Notice
from app.pages.traces.setting_form import SettingForm
from app.shared.file_choice import last_folder, remember_folder
from app.widgets.buttons import allow, button
from app.widgets.labels import label
from app.widgets.layout import Flow, column, confirm, guard_wheel, row, scrolled
from app.widgets.theme import SPACE, scaled
from rag import operations
from rag.asking.rows import TraceRow
from rag.interchange.rows import ExportQueue, ExportReport, read_export_queue
from rag.models.endpoints.rows import MayLeave, is_on_this_computer, may_leave
from rag.text.plurals import counted

_LOOK_MS = 1000
_WHERE = ("endpoint", "continuous", "headers_variable", "phoenix_annotations", "most_waiting")
_HIDDEN = (
    "hide_inputs", "hide_outputs", "hide_input_messages", "hide_output_messages", "hide_input_text",
    "hide_output_text", "hide_retrieval_documents", "hide_llm_invocation_parameters",
)  # fmt: skip


class ExportDialog(QDialog):
    """Which traces, to where, without what, and the state of the queue."""

    def __init__(
        self,
        console: Console,
        chosen: Sequence[TraceRow],
        listed: Callable[[], Sequence[TraceRow]],
        count: int,
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog.

        Args:
            console: The console of the window.
            chosen: The traces that are selected.
            listed: Reads all that the filters let through.
            count: How many those are.
            parent: The owner in Qt's sense.
        """
        super().__init__(parent)
        self._console, self._chosen, self._listed = console, tuple(chosen), listed
        self._count = count
        self.setWindowTitle("Export traces")
        self.resize(scaled(760), scaled(560))
        self.which = QComboBox()
        self.which.setAccessibleName("Which traces")
        if self._chosen:
            self.which.addItem(f"The {counted(len(self._chosen), 'chosen trace')}", True)
        self.which.addItem(f"All {counted(count, 'trace')} of the list", False)
        tip = "OTLP as JSON, or a line for each trace"
        self.file_button = button("Write a file…", self._ask_for_file, tip=tip)
        self.send_button = button("Send", self.send, primary=True)
        self.leaving = label("", "warning", wrap=True)
        self.queue = label("", wrap=True)
        self.queue.setAccessibleName("State of the queue")
        self.flush_button = button("Send what waits now", self._flush)
        self.clear_button = button("Clear", self._clear, tip="Forget what waits, was refused or dropped")
        self.where = SettingForm(console, "export", _WHERE)
        self.hidden = SettingForm(console, "export", _HIDDEN)
        self._lay_out()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        self.finished.connect(self._timer.stop)
        console.settings_changed.connect(self.look)
        self.look()

    def look(self) -> None:
        """Show the endpoint and the state of the queue."""
        url = self._console.settings.export.endpoint
        state = read_export_queue(self._console.database)
        self.queue.setText(_said(state, url))
        reason = "" if url else "Name an endpoint first."
        none = "" if self._count or self._chosen else "The list has no trace."
        allow(self.send_button, reason or none)
        allow(self.file_button, none)
        allow(self.flush_button, reason or ("" if state.waiting else "Nothing waits."))
        rest = state.waiting or state.refused or state.dropped
        allow(self.clear_button, "" if rest else "There is nothing to clear.")
        far = bool(url) and not is_on_this_computer(url)
        self.leaving.setText(f"{url} is not on this computer: what is sent there leaves it." if far else "")
        self.leaving.setVisible(far)

    def traces(self) -> list[TraceRow]:
        """Return the traces that are meant."""
        return list(self._chosen if self.which.currentData() else self._listed())

    def write(self, path: str) -> None:
        """Write the traces to a file."""
        remember_folder(path)
        rows = self.traces()
        self._console.run(
            operations.export_file,
            lambda spans: self._say(
                f"{counted(len(rows), 'trace')} with {counted(spans, 'span')} written to {Path(path).name}."
            ),
            trace_ids=[trace.id for trace in rows], path=Path(path),
        )  # fmt: skip

    def send(self) -> None:
        """Send the traces; a person agrees first where that is asked for."""
        rows, url = self.traces(), self._console.settings.export.endpoint
        asking = sorted({t.collection for t in rows if self._asks(t.collection, url)})
        if not asking:
            self._send(rows, [])
            return
        names = ", ".join(f"“{name}”" if name else "other applications" for name in asking)
        confirm(
            self, "Send to another computer?",
            f"{url} is not on this computer. Questions, answers and passages of {names} would leave it.",
            "Send", lambda: self._send(rows, asking),
            more="It is not asked again until Ragdeck is closed. The Models page has the choice for good.",
        )  # fmt: skip

    def _asks(self, collection: str, url: str) -> bool:
        if is_on_this_computer(url):
            return False
        return not collection or may_leave(self._console.database, collection) is MayLeave.ASK

    def _send(self, rows: Sequence[TraceRow], allowed: list[str]) -> None:
        self.send_button.setEnabled(False)
        task = self._console.run(
            operations.send_traces, self._sent, trace_ids=[trace.id for trace in rows], allowed=allowed
        )
        task.failed.connect(lambda *_: self.look())

    def _sent(self, report: ExportReport) -> None:
        self._say(report.sentence(), Notice.BAD if report.error or report.refused else Notice.INFO)
        self.look()

    def _flush(self) -> None:
        self._console.run(operations.send_waiting, self._sent, force=True)

    def _clear(self) -> None:
        def cleared(count: int) -> None:
            self._say(f"{counted(count, 'trace')} taken out of the queue.")
            self.look()

        self._console.run(operations.clear_export_queue, cleared)

    def _say(self, sentence: str, kind: Notice = Notice.INFO) -> None:
        self._console.notice.emit(sentence, kind)

    def _ask_for_file(self) -> None:
        folder = last_folder()
        path, _ = QFileDialog.getSaveFileName(
            self, "Write traces", str(Path(folder) / "traces.jsonl") if folder else "traces.jsonl",
            "A line for each trace (*.jsonl);;OTLP as JSON (*.json)",
        )  # fmt: skip
        if path:
            self.write(path if Path(path).suffix in (".json", ".jsonl") else f"{path}.jsonl")

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        content = column(
            label("Endpoint", "section"), self.where, self.leaving,
            label("Queue", "section"), self.queue, Flow(self.flush_button, self.clear_button),
            label("Left out", "section"),
            label("Of files and of what is sent, by OpenInference's names.", "small", wrap=True),
            self.hidden, 1, spacing=SPACE,
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.addLayout(row((self.which, 1), self.file_button, self.send_button))
        layout.addWidget(scrolled(content), 1)
        layout.addWidget(buttons)
        guard_wheel(self)


def _said(state: ExportQueue, url: str) -> str:
    """Return the state of the queue in sentences."""
    parts = [f"To {url}." if url else "No endpoint is named: nothing is sent.", state.sentence()]
    if state.last_sent_ms:
        parts.append(f"Last sent {datetime.fromtimestamp(state.last_sent_ms / 1000):%d %b %H:%M:%S}.")
    if state.waiting and state.next_ms:
        seconds = max(0, round(state.next_ms / 1000 - time.time()))
        parts.append(f"Tried again in {counted(seconds, 'second')}." if seconds else "Tried again now.")
    return "  ".join(parts)
