"""The data folder in the settings: how much space it takes, backup, restore, and moving it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLabel,
    QProgressBar,
    QProgressDialog,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.widgets.buttons import IconButton, Toolbar, button
from app.widgets.labels import ElidedLabel, as_it_is, label
from app.widgets.layout import Panel, confirm, row
from app.widgets.theme import SPACE
from rag import operations
from rag.operations import Lane
from rag.storage.rows import BackupInfo, BackupProgress, BackupReport, MoveReport, SpaceUse

_STEPS = 1000  # of a progress bar: bytes do not fit into its 31 bits
_FILTER = "Ragdeck backup (*.zip)"
_STAGES = {
    "copying": "Copying",
    "packing": "Packing",
    "checking": "Checking what was written",
    "unpacking": "Checking and unpacking",
}


class DataPanel(Panel):
    """A panel about the data folder.

    A backup runs beside everything else; during a restore or a move nothing else can be started.
    """

    def __init__(self, console: Console) -> None:
        super().__init__("Data")
        self._console = console
        self._task: Task | None = None
        self._usage_task: Task | None = None
        self.heading_row.addWidget(IconButton(console.theme, "refresh", "Measure again", self.refresh))
        self.body.addWidget(
            label("Everything is in this folder, and nothing leaves this computer.", "small", wrap=True)
        )
        self._folder = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self._open = button("Open folder", self._open_folder)
        line = row(self._folder, self._open)
        line.setStretch(0, 1)
        self.body.addLayout(line)
        self.usage = SpaceBars()
        self.body.addWidget(self.usage)
        self.backup_button = button(
            "Back up…", self.choose_backup, tip="Write everything into one checked file"
        )
        self.restore_button = button("Restore…", self._choose_restore, tip="Go back to the data in a backup")
        self.move_button = button("Move…", self._choose_move, tip="Move the data to another folder or disk")
        self.body.addWidget(Toolbar(self.backup_button, self.restore_button, self.move_button, 1))
        self._make_progress()
        self.result = label("", "muted", wrap=True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.result.hide()
        self.body.addWidget(self.result)
        console.engine.ready.connect(lambda *_: self._show_folder())
        console.data_changed.connect(self._refresh_if_visible)
        self._show_folder()

    def refresh(self) -> None:
        """Measure the data folder, unless that is under way."""
        if self._usage_task is None:
            task = self._console.run(operations.folder_usage, self.usage.show_parts)
            self._usage_task = task
            task.ended.connect(self._usage_read)

    def back_up(self, path: str) -> None:
        """Write the data folder into one file, which is checked afterwards."""
        self.result.hide()
        self._stage.setText("Waiting for the engine…")
        self._bar.setRange(0, 0)
        self._progress.show()
        task = self._console.run(operations.back_up, self._backed_up, target=path)
        self._begin(task)
        task.event.connect(self._show_progress)
        task.cancelled.connect(lambda: self._say("The backup was cancelled. Nothing was written."))

    def restore(self, path: str) -> None:
        """Say what the backup contains; after a yes, check it and put it in place."""
        if not self._refused("A restore"):
            self._console.run(operations.look_at_backup, self._confirm_restore, path=path)

    def move_data(self, folder: str) -> None:
        """Move the data folder's files to another folder, and go on from there."""
        if self._refused("Moving the data"):
            return
        task = self._console.run(operations.move_data, self._moved, target=folder)
        self._begin(task)
        _modal_progress(self, "Move the data", task)
        task.cancelled.connect(lambda: self._say("The move was cancelled. The data are where they were."))

    # --- choosing -----------------------------------------------------------------------------------------

    def choose_backup(self) -> None:
        """Ask for a file name, then back up."""
        name = str(Path.home() / f"ragdeck-{time.strftime('%Y-%m-%d')}.zip")
        path, _ = QFileDialog.getSaveFileName(self, "Back up the data", name, _FILTER)
        if path:
            self.back_up(path if Path(path).suffix else f"{path}.zip")

    def _choose_restore(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Restore a backup", str(Path.home()), _FILTER)
        if path:
            self.restore(path)

    def _choose_move(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Move the data to an empty folder", str(Path.home()))
        if folder:
            self.move_data(folder)

    def _confirm_restore(self, info: BackupInfo) -> None:
        confirm(
            self, "Restore a backup", _restore_question(info), "Restore",
            lambda: self._restore_now(info.path), destructive=True,
            more="Ragdeck restarts its engine. The current data are moved to before-restore-… in the same "
            "folder.",
        )  # fmt: skip

    def _restore_now(self, path: str) -> None:
        if self._refused("A restore"):
            return
        task = self._console.run(operations.prepare_restore, self._restored, path=path)
        self._begin(task)
        _modal_progress(self, "Restore a backup", task)
        task.cancelled.connect(lambda: self._say("The restore was cancelled. The data are as they were."))

    def _refused(self, what: str) -> bool:
        """Return whether other work is under way, which this would end; a notice says so."""
        others = [task.title for task in self._console.engine.tasks if task.lane is not Lane.READ]
        if others:
            self._console.notice.emit(f"{what} has to wait for: {', '.join(others)}.", "bad")
        return bool(others)

    # --- under way and done -------------------------------------------------------------------------------

    def _begin(self, task: Task) -> None:
        self._task = task
        self._set_busy(True)
        task.ended.connect(self._ended)

    def _ended(self) -> None:
        self._task = None
        self._progress.hide()
        self._set_busy(False)

    def _set_busy(self, busy: bool) -> None:
        for made in (self.backup_button, self.restore_button, self.move_button):
            made.setEnabled(not busy)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _show_progress(self, event: BackupProgress) -> None:
        self._bar.setRange(0, _STEPS)
        self._bar.setValue(_step(event))
        self._stage.setText(_progress_text(event))

    def _backed_up(self, report: BackupReport) -> None:
        self._say(
            f"Backed up to {report.path}: {size_text(report.size_bytes)}, written and checked in "
            f"{report.seconds:.1f} s."
        )

    def _restored(self, _info: BackupInfo) -> None:
        self._console.reopen(self._console.engine.folder)

    def _moved(self, report: MoveReport) -> None:
        self._console.reopen(Path(report.target))
        ending = "" if report.followed else f" Start Ragdeck with --data {report.target} from now on."
        self._say(f"The data are in {report.target} now.{ending}")

    def _say(self, sentence: str) -> None:
        self.result.setText(sentence)
        self.result.setVisible(bool(sentence))

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _usage_read(self) -> None:
        self._usage_task = None

    # --- making -------------------------------------------------------------------------------------------

    def _make_progress(self) -> None:
        self._stage, self._bar = label("", "small"), QProgressBar()
        self._bar.setAccessibleName("Progress of the backup")
        self._progress = QWidget()
        line = row(self._stage, self._bar, button("Cancel", self._cancel))
        line.setStretch(1, 1)
        self._progress.setLayout(line)
        self._progress.hide()
        self.body.addWidget(self._progress)

    def _show_folder(self) -> None:
        self._folder.setText(str(self._console.engine.folder))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._console.engine.folder)))


class SpaceBars(QWidget):
    """A chart of the data folder with a line for each part: what it is, a bar, its size."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[SpaceUse] = []
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 4, 0, 4)
        self._layout.setHorizontalSpacing(SPACE)
        self._layout.setVerticalSpacing(5)
        self._layout.setColumnMinimumWidth(0, 170)
        self._layout.setColumnStretch(1, 1)
        self._layout.setColumnStretch(3, 2)
        self._layout.addWidget(label("Measuring…", "small"), 0, 0)

    def show_parts(self, parts: Sequence[SpaceUse]) -> None:
        """Show the parts that take any space, and their sum."""
        self.parts = [part for part in parts if part.bytes]
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()  # it lives until the event loop is idle
                widget.deleteLater()
        largest = max((part.bytes for part in self.parts), default=1)
        for number, part in enumerate(self.parts):
            self._add(number, part, part.bytes / largest)
        total = sum(part.bytes for part in self.parts)
        self._layout.addWidget(label("Total", "section"), len(self.parts), 0)
        self._layout.addWidget(_right(label(size_text(total), "section")), len(self.parts), 2)

    def _add(self, number: int, part: SpaceUse, share: float) -> None:
        bar = QProgressBar()
        bar.setRange(0, _STEPS)
        bar.setValue(max(int(share * _STEPS), 8))
        bar.setTextVisible(False)
        bar.setAccessibleName(f"{part.what}: {size_text(part.bytes)}")
        detail = ElidedLabel(part.detail)
        detail.setProperty("role", "small")
        self._layout.addWidget(label(part.what), number, 0)
        self._layout.addWidget(bar, number, 1)
        self._layout.addWidget(_right(label(size_text(part.bytes))), number, 2)
        self._layout.addWidget(detail, number, 3)


def size_text(count: int) -> str:
    """Return a number of bytes as people read it."""
    if count < 1 << 20:
        return f"{count / 1024:,.0f} kB"
    return f"{count / 2**20:,.1f} MB" if count < 1 << 30 else f"{count / 2**30:,.2f} GB"


def _restore_question(info: BackupInfo) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(info.created_ms / 1000))
    return f"Restore the backup of {when} with {info.content}?"


def _modal_progress(parent: QWidget, title: str, task: Task) -> QProgressDialog:
    """Show a dialog that follows the task and blocks the window.

    What was written to the old data in the meantime would be lost.
    """
    dialog = QProgressDialog("Waiting for the engine…", "Cancel", 0, _STEPS, parent.window())
    dialog.setWindowTitle(title)
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    dialog.setMinimumWidth(420)
    dialog.setMinimumDuration(0)
    dialog.setAutoClose(False)
    dialog.setAutoReset(False)

    def follow(event: BackupProgress) -> None:
        dialog.setLabelText(as_it_is(_progress_text(event)))
        dialog.setValue(_step(event))

    def close() -> None:
        dialog.canceled.disconnect()
        dialog.close()
        dialog.deleteLater()

    task.event.connect(follow)
    dialog.canceled.connect(task.cancel)
    task.ended.connect(close)
    dialog.show()
    return dialog


def _step(event: BackupProgress) -> int:
    return int(_STEPS * event.bytes_done / max(event.bytes_total, 1))


def _progress_text(event: BackupProgress) -> str:
    done, total = size_text(event.bytes_done), size_text(event.bytes_total)
    return f"{_STAGES.get(event.stage, event.stage)}: {done} of {total}"


def _right(made: QLabel) -> QLabel:
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return made
