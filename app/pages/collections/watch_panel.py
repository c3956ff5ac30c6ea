"""The folders that a collection follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from app.console import Console
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import row
from app.widgets.theme import SPACE
from rag import operations
from rag.knowledge.rows import list_watched_folders
from rag.operations import Operation


def _moment(milliseconds: int | None) -> str:
    return (
        "–"
        if milliseconds is None
        else datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %H:%M:%S")
    )


WATCH_COLUMNS = (
    Column("Folder", lambda w: w.path, 260, stretch=True, tooltip=lambda w: w.path),
    Column("State", lambda w: "on" if w.enabled else "paused", 64, colour=lambda w: "good" if w.enabled else "text_muted"),
    Column("Last check", lambda w: _moment(w.last_check_ms), 112, sort=lambda w: w.last_check_ms),
    Column("Last change", lambda w: _moment(w.last_change_ms), 112, sort=lambda w: w.last_change_ms),
    Column("Outcome", lambda w: w.outcome, 200, tooltip=lambda w: w.outcome),
)  # fmt: skip


class WatchPanel(QWidget):
    """Follow, pause, check now, forget."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._collection = ""
        self._collection_id: int | None = None
        self.table = RecordTable(
            WATCH_COLUMNS,
            console.theme,
            "watched_folders",
            "No folder is followed. Changed, new and deleted files of a followed folder become one version.",
        )
        self.pause_button = button("Pause", self._toggle)
        self.table.record_selected.connect(lambda _record: self._name_pause())
        note = label(
            "Checked every few seconds while this window is open, and by `ragdeck watch check`. Files are taken once "
            "they have been quiet for a while.", "small", wrap=True,
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.addWidget(self.table, 1)
        layout.addWidget(note)
        layout.addLayout(
            row(button("Follow a folder…", self._choose, primary=True), self.pause_button,
                button("Check now", self.check_now), 1, button("Stop following", self._forget))
        )  # fmt: skip

    def show_collection(self, collection: str, collection_id: int | None) -> None:
        self._collection, self._collection_id = collection, collection_id
        self.refresh()

    def refresh(self) -> None:
        collection_id = self._collection_id
        chosen = self.table.selected_records()
        rows = (
            list_watched_folders(self._console.database, collection_id) if collection_id is not None else []
        )
        self.table.set_records(rows, keep_sort=True)
        if chosen:
            self.table.choose(lambda w: w.id == chosen[0].id)
        self._name_pause()

    def follow(self, folder: str) -> None:
        self._run(
            operations.watch_folder,
            collection=self._collection,
            folder=folder,
        )

    def check_now(self) -> None:
        self._console.run(
            operations.check_folders,
            lambda _reports: self._console.data_changed.emit(), at_once=True,
        )  # fmt: skip

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, f"A folder for “{self._collection}” to follow")
        if folder:
            self.follow(folder)

    def _toggle(self) -> None:
        for record in self.table.selected_records()[:1]:
            self._run(
                operations.set_watching,
                watch_id=record.id,
                enabled=not record.enabled,
            )

    def _forget(self) -> None:
        for record in self.table.selected_records()[:1]:
            self._run(operations.unwatch_folder, watch_id=record.id)

    def _run(self, operation: Operation[Any], **arguments: Any) -> None:
        self._console.run(operation, lambda _result: self._console.data_changed.emit(), **arguments)

    def _name_pause(self) -> None:
        records = self.table.selected_records()
        paused = bool(records) and not records[0].enabled
        self.pause_button.setText("Resume" if paused else "Pause")
        self.pause_button.setAccessibleName(self.pause_button.text())
        self.pause_button.setEnabled(bool(records))
