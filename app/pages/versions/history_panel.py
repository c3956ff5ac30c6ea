"""The versions of one collection, newest first, and everything that can be done with one of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QInputDialog

from app.console import Console
from app.pages.versions.actions import VersionActions
from app.pages.versions.trial_dialog import TrialDialog
from app.pages.versions.words import delta, state_of
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import Panel, confirm, refill, row
from rag.knowledge.rows import (
    CollectionRow,
    VersionRow,
    list_collections,
    list_versions,
)
from rag.text.plurals import counted

_TAGS = ("baseline", "released")


def _verified(version: VersionRow) -> str:
    return "–" if version.verification_ok is None else "yes" if version.verification_ok else "no"


VERSION_COLUMNS = (
    Column("#", lambda v: str(v.number), 40, right=True, sort=lambda v: v.number),
    Column("State", state_of, 56, colour=lambda v: "good" if v.active else "check"),
    Column("Created", lambda v: date_time(v.created_ms), 142, sort=lambda v: v.created_ms),
    Column("Change", lambda v: v.message, 180, stretch=True, tooltip=lambda v: v.message),
    Column("Documents", lambda v: f"{v.document_count:,}", 92, right=True, sort=lambda v: v.document_count),
    Column("Chunks", lambda v: f"{v.chunk_count:,}", 72, right=True, sort=lambda v: v.chunk_count),
    Column("± chunks", lambda v: delta(v.chunks_added, v.chunks_removed), 96, right=True,
           sort=lambda v: v.chunks_added),
    Column("± tokens", lambda v: delta(v.tokens_added, v.tokens_removed), 118, right=True,
           sort=lambda v: v.tokens_added),
    Column("Tags", lambda v: ", ".join(v.tags), 96, tooltip=lambda v: ", ".join(v.tags),
           colour=lambda v: "accent"),
    Column("Verified", _verified, 76, priority=2,
           colour=lambda v: {"yes": "good", "no": "bad"}.get(_verified(v)),
           tooltip=lambda v: v.verification_detail or ""),
)  # fmt: skip


class HistoryPanel(Panel):
    """A table of versions with buttons to activate, ask, undo, tag, verify, try and delete."""

    listed = Signal(list)  # the VersionRows that are shown
    version_chosen = Signal(object)  # a VersionRow
    comparison_requested = Signal(int, int)  # old and new number
    ask_requested = Signal(str, object)  # collection, version number
    trial_built = Signal(int)  # its number
    collection_changed = Signal()

    def __init__(self, console: Console, strip: TaskStrip) -> None:
        super().__init__()
        self._console = console
        self.version_actions = VersionActions(console, strip)
        self.version_actions.trial_built.connect(self._choose_trial)
        self.collection_box = QComboBox()
        self.collection_box.setAccessibleName("Collection")
        self.facts = label("", "muted")
        self.table = RecordTable(VERSION_COLUMNS, console.theme, "version_timeline")
        self.activate_button = button(
            "Make active", self._activate_chosen, primary=True,
            tip="Questions are answered from the active version. Nothing is embedded again.",
        )  # fmt: skip
        self.ask_button = button("Ask this version", self._ask_chosen)
        self.undo_button = button(
            "Undo", self._undo, tip="Go back to the version that the active one was made from"
        )
        self.tag_button = button("Tag…", self._tag_chosen)
        self.delete_button = button("Delete…", self._delete_chosen)
        self._add_content()
        self.collection_box.currentIndexChanged.connect(lambda _index: self._show_collection())
        self.table.record_selected.connect(self._choose_version)
        self.table.actions_for = self._choices

    def _add_content(self) -> None:
        self.body.addLayout(row(label("Collection", "muted"), self.collection_box, self.facts, 1))
        self.body.addWidget(self.table, 1)
        self.body.addWidget(Toolbar(
            self.activate_button, self.ask_button, self.undo_button, self.tag_button, 1,
            button("Verify", self._verify,
                   tip="Check the index against the active version: texts, vectors, verification queries"),
            button("Try other settings…", self._try_other,
                   tip="Build the same documents with another embedder or chunk size, next to this version"),
            button("Add a verification query…", self._add_query),
            self.delete_button,
        ))  # fmt: skip

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def collection(self) -> CollectionRow | None:
        """The collection whose versions are listed."""
        name = self.collection_box.currentData()
        rows = list_collections(self._console.database) if name else []
        return next((found for found in rows if found.name == name), None)

    @property
    def versions(self) -> list[VersionRow]:
        """The versions in the order of the table."""
        found: list[VersionRow] = self.table.records_model.records
        return found

    @property
    def current(self) -> VersionRow | None:
        """The chosen version."""
        records = self.table.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        """Read collections and versions again; what is chosen stays chosen."""
        refill(
            self.collection_box,
            [(found.name, found.name) for found in list_collections(self._console.database)],
        )
        self._show_collection()

    def choose(self, collection: str) -> None:
        """List the versions of this collection."""
        self.collection_box.setCurrentIndex(self.collection_box.findData(collection))

    def _show_collection(self) -> None:
        collection = self.collection
        versions = list_versions(self._console.database, collection.id) if collection else []
        chosen = self.current
        self.table.set_records(versions, keep_sort=True)
        facts = [counted(len(versions), "version"), collection.embedder_name] if collection else []
        if collection and collection.index_server:
            facts.append(f"served from {collection.index_server}")
        self.facts.setText("   ·   ".join(facts))
        self.listed.emit(versions)
        if not (chosen and self.table.choose(lambda v: v.id == chosen.id)):
            self.table.choose(lambda v: v.active)
        self._show_what_can_be_done()
        self.collection_changed.emit()

    def _choose_version(self, version: VersionRow) -> None:
        self._show_what_can_be_done()
        self.version_chosen.emit(version)

    def _show_what_can_be_done(self) -> None:
        version = self.current
        active = next((found for found in self.versions if found.active), None)
        none = "" if version is not None else "Choose a version first."
        is_active = "" if version is None or not version.active else "This version is active already."
        allow(self.activate_button, none or is_active)
        allow(self.delete_button, none or ("The active version cannot be deleted." if is_active else ""))
        for made in (self.ask_button, self.tag_button):
            allow(made, none)
        first = active is None or active.parent_number is None
        allow(self.undo_button, "The active version was made from no other." if first else "")

    def _choices(self, records: list[VersionRow]) -> list[tuple[str, Callable[[], None]]]:
        if len(records) == 2:
            low, high = sorted(record.number for record in records)
            return [(f"Compare versions {low} and {high}", lambda: self.comparison_requested.emit(low, high))]
        if len(records) != 1:
            return []
        version = records[0]
        return [
            *([] if version.active else [("Make active", self._activate_chosen)]),
            ("Ask this version", self._ask_chosen),
            ("Tag…", self._tag_chosen),
            *[
                (f"Remove the tag “{tag}”", partial(self.version_actions.untag, version.collection, tag))
                for tag in version.tags
            ],
            *([] if version.active else [("Delete…", self._delete_chosen)]),
        ]

    # --- what is done -------------------------------------------------------------------------------------

    def _activate_chosen(self) -> None:
        if (version := self.current) is not None and not version.active:
            self.version_actions.activate(version)

    def _undo(self) -> None:
        if (collection := self.collection) is not None:
            self.version_actions.undo(collection.name)

    def _verify(self) -> None:
        if (collection := self.collection) is not None:
            self.version_actions.verify(collection.name)

    def _choose_trial(self, number: int) -> None:
        self.table.choose(lambda version: version.number == number)
        self.trial_built.emit(number)

    def _ask_chosen(self) -> None:
        if (version := self.current) is not None:
            self.ask_requested.emit(version.collection, version.number)

    def _tag_chosen(self) -> None:
        if (version := self.current) is None:
            return
        tag, accepted = QInputDialog.getItem(
            self, f"Tag version {version.number}", "A tag on another version moves to this one.",
            list(_TAGS), 0, True,
        )  # fmt: skip
        if accepted and tag.strip():
            self.version_actions.tag(version, tag)

    def _delete_chosen(self) -> None:
        if (version := self.current) is not None:
            confirm(
                self, "Delete version",
                f"Delete version {version.number} (“{version.message}”)? Documents that are in no other "
                "version are deleted with it. Traces keep what they showed.",
                "Delete", lambda: self.version_actions.delete(version), destructive=True,
            )  # fmt: skip

    def _add_query(self) -> None:
        text, accepted = QInputDialog.getText(
            self, "Add a verification query", "A query used to verify each activated version"
        )
        if accepted and text.strip() and (collection := self.collection) is not None:
            self.version_actions.add_verification_query(collection.name, text)

    def _try_other(self) -> None:
        active = next((version for version in self.versions if version.active), None)
        if active is None:
            return
        dialog = TrialDialog(json.loads(active.chunking), self)
        dialog.accepted.connect(
            lambda: self.version_actions.build_trial(
                active.collection,
                dialog.folder.text().strip(),
                dialog.max_tokens.value(),
                dialog.overlap.value(),
                dialog.keep_encoded.isChecked(),
            )
        )
        dialog.open()
