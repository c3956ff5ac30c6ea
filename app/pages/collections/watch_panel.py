"""The tab "Followed folders": folders whose changes become versions of a collection by themselves."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtWidgets import QFileDialog, QWidget

from app.console import Console
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import column
from app.widgets.theme import SPACE
from rag import operations
from rag.knowledge.rows import WatchedFolderRow, list_watched_folders


def _moment(milliseconds: int | None) -> str:
    return (
        "–"
        if milliseconds is None
        else datetime.fromtimestamp(milliseconds / 1000).strftime("%d %b %H:%M:%S")
    )


WATCH_COLUMNS = (
    Column("Folder", lambda w: w.path, 260, stretch=True, tooltip=lambda w: w.path),
    Column("State", lambda w: "on" if w.enabled else "paused", 64,
           colour=lambda w: "good" if w.enabled else "text_muted"),
    Column("Last check", lambda w: _moment(w.last_check_ms), 112, sort=lambda w: w.last_check_ms),
    Column("Last change", lambda w: _moment(w.last_change_ms), 112, sort=lambda w: w.last_change_ms),
    Column("Outcome", lambda w: w.outcome, 200, tooltip=lambda w: w.outcome),
)  # fmt: skip


class WatchPanel(QWidget):
    """A table of followed folders with buttons to follow, pause, check and stop."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._collection = ""
        self._collection_id: int | None = None
        self.table = RecordTable(
            WATCH_COLUMNS,
            console.theme,
            "watched_folders",
            "No folders are followed. New, changed and deleted files in a followed folder "
            "become a new version.",
        )
        self.pause_button = button("Pause", self._toggle)
        self.check_button = button("Check now", self.check_now)
        self.stop_button = button("Stop following", self._forget)
        self.table.record_selected.connect(lambda _record: self._name_pause())
        note = label(
            "Followed folders are checked every few seconds while this window is open, and by "
            "`ragdeck watch check`. Files are added once they have not changed for a while.",
            "small",
            wrap=True,
        )
        column(
            (self.table, 1),
            note,
            Toolbar(button("Follow a folder…", self._choose, primary=True), self.pause_button,
                    self.check_button, 1, self.stop_button),
            holder=self,
            top=SPACE,
        )  # fmt: skip

    def show_collection(self, collection: str, collection_id: int | None) -> None:
        """Turn to a collection; None: there is none to follow a folder for."""
        self._collection, self._collection_id = collection, collection_id
        self.refresh()

    def refresh(self) -> None:
        """Read the followed folders again; the chosen one stays chosen."""
        chosen: list[WatchedFolderRow] = self.table.selected_records()
        collection_id = self._collection_id
        rows = (
            list_watched_folders(self._console.database, collection_id) if collection_id is not None else []
        )
        self.table.set_records(rows, keep_sort=True)
        if chosen:
            self.table.choose(lambda w: w.id == chosen[0].id)
        self._name_pause()

    def follow(self, folder: str) -> None:
        """Follow a folder from now on."""
        self._console.run(operations.watch_folder, self._changed, collection=self._collection, folder=folder)

    def check_now(self) -> None:
        """Take changes of all followed folders now, also files that changed a moment ago."""
        self._console.run(operations.check_folders, self._changed, at_once=True)

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, f"A folder for “{self._collection}” to follow")
        if folder:
            self.follow(folder)

    def _toggle(self) -> None:
        for record in self.table.selected_records()[:1]:
            self._console.run(
                operations.set_watching, self._changed, watch_id=record.id, enabled=not record.enabled
            )

    def _forget(self) -> None:
        for record in self.table.selected_records()[:1]:
            self._console.run(operations.unwatch_folder, self._changed, watch_id=record.id)

    def _changed(self, _result: object) -> None:
        self._console.data_changed.emit()

    def _name_pause(self) -> None:
        records: list[WatchedFolderRow] = self.table.selected_records()
        paused = bool(records) and not records[0].enabled
        self.pause_button.setText("Resume" if paused else "Pause")
        self.pause_button.setAccessibleName(self.pause_button.text())
        for made in (self.pause_button, self.stop_button):
            allow(made, "" if records else "Choose a followed folder first.")
        allow(self.check_button, "" if self.table.records_model.records else "No folder is followed.")
