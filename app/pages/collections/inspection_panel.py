"""The tab "Suspicious chunks": garbled, nearly empty, repeated, and pairs that are nearly the same."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.console import Console
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, row
from app.widgets.theme import SPACE
from rag import operations
from rag.knowledge.rows import CollectionRow, NearDuplicate, Suspect

SUSPECT_COLUMNS = (
    Column("What", lambda s: s.kind, 92, colour=lambda s: "bad" if s.kind == "garbled" else "check"),
    Column("Document", lambda s: s.document, 170, tooltip=lambda s: s.document),
    Column("Place", lambda s: s.place, 80),
    Column("Why", lambda s: s.detail, 170, tooltip=lambda s: s.detail),
    Column("Text", lambda s: " ".join(s.text.split())[:200], 200, stretch=True, tooltip=lambda s: s.text),
)
NEAR_COLUMNS = (
    Column("Cosine", lambda p: f"{p.similarity:.3f}", 66, right=True, sort=lambda p: p.similarity),
    Column("Document", lambda p: f"{p.document} {p.place}".strip(), 150, tooltip=lambda p: p.text),
    Column("Text", lambda p: " ".join(p.text.split())[:160], 200, stretch=True, tooltip=lambda p: p.text),
    Column("Other document", lambda p: f"{p.other_document} {p.other_place}".strip(), 150,
           tooltip=lambda p: p.other_text),
    Column("Other text", lambda p: " ".join(p.other_text.split())[:160], 220, tooltip=lambda p: p.other_text),
)  # fmt: skip

_LOOK = "“Look for suspicious chunks” searches this version. Excluding a chunk creates a new version."


class InspectionPanel(QWidget):
    """Two tables with what a person should look at in the active version of a collection."""

    chunk_requested = Signal(int, int)  # document id, chunk id
    exclusion_requested = Signal(list)  # chunk ids

    def __init__(self, console: Console, strip: TaskStrip) -> None:
        super().__init__()
        self._console, self._strip = console, strip
        self._collection = ""
        self._version_id: int | None = None
        self.suspects = RecordTable(SUSPECT_COLUMNS, console.theme, "suspicious_chunks", _LOOK)
        self.near = RecordTable(NEAR_COLUMNS, console.theme, "near_duplicates", _LOOK)
        above = column(
            label("Garbled, nearly empty, or repeated in three documents or more", "section"),
            (self.suspects, 1),
        )
        below = column(label("Nearly the same: cosine similarity of 0.95 or more", "section"), (self.near, 1))
        column(
            (Splitter("collections/inspection", above, below, (260, 260), vertical=True), 1),
            row(button("Look for suspicious chunks", self.look, primary=True), 1),
            holder=self,
            top=SPACE,
        )
        self.suspects.record_activated.connect(self._open)
        self.suspects.actions_for = lambda records: [
            ("Show the chunk", lambda: self._open(records[0])),
            ("Exclude…", lambda: self.exclusion_requested.emit([found.chunk_id for found in records])),
        ]
        self.near.actions_for = lambda records: [
            ("Exclude the right one…", lambda: self.exclusion_requested.emit([p.other_id for p in records]))
        ]

    def show_collection(self, collection: CollectionRow | None) -> None:
        """Turn to a collection. What was found in another version disappears."""
        self._collection = collection.name if collection else ""
        version_id = collection.active_version_id if collection else None
        if self._version_id != version_id:
            self._version_id = version_id
            for table in (self.suspects, self.near):
                table.set_empty_text(_LOOK)
                table.set_records([])

    def look(self) -> None:
        """Look for suspicious chunks and near-duplicates of the active version."""
        version_id = self._version_id
        if version_id is None:
            return

        def show(table: RecordTable, found: list[NearDuplicate] | list[Suspect]) -> None:
            if self._version_id == version_id:
                table.set_empty_text("Nothing was found.")
                table.set_records(found)

        for task in (
            self._console.run(operations.find_near_duplicates, lambda found: show(self.near, found),
                              collection=self._collection),
            self._console.run(operations.find_suspicious_chunks, lambda found: show(self.suspects, found),
                              collection=self._collection),
        ):  # fmt: skip
            self._strip.follow(task)

    def _open(self, suspect: Suspect) -> None:
        self.chunk_requested.emit(suspect.document_id, suspect.chunk_id)
