"""The tab "What changed": the documents that differ between two versions, and one of them side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from app.console import Console
from app.pages.versions.words import delta, state_of
from app.shared.diff_view import DiffView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import Flow, Splitter, column, refill
from app.widgets.theme import SPACE
from rag import operations
from rag.knowledge.rows import ChunkChange, DocumentChange, VersionDiff, VersionRow

Pair = tuple[VersionRow, VersionRow]  # old, new

_KIND_COLOURS = {"added": "good", "removed": "bad", "changed": "accent", "excluded": "check"}

CHANGE_COLUMNS = (
    Column("Change", lambda c: c.kind, 76, colour=lambda c: _KIND_COLOURS.get(c.kind)),
    Column("Document", lambda c: c.name, 200, stretch=True, tooltip=lambda c: c.source),
    Column("± chunks", lambda c: delta(c.chunks_added, c.chunks_removed), 88, right=True,
           sort=lambda c: c.chunks_added),
    Column("± tokens", lambda c: delta(c.tokens_added, c.tokens_removed), 108, right=True,
           sort=lambda c: c.tokens_added),
)  # fmt: skip


class ChangesPanel(QWidget):
    """Two boxes that choose versions, the documents that differ, and the chunks of the chosen document."""

    pair_changed = Signal(object)  # the Pair that is compared, or None

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._versions: dict[int, VersionRow] = {}
        self.old_box, self.new_box = QComboBox(), QComboBox()
        self.line = label("", "muted", wrap=True)
        self.table = RecordTable(
            CHANGE_COLUMNS, console.theme, "version_changes", "Both versions contain the same documents."
        )
        self.diff_view = DiffView(console.theme)
        self.old_box.setAccessibleName("Baseline version")
        self.new_box.setAccessibleName("Version that is compared with the baseline")
        for box in (self.old_box, self.new_box):
            box.currentIndexChanged.connect(lambda _index: self._compare_chosen())
        self.table.record_selected.connect(self._show_document)
        column(
            Flow(
                label("Baseline", "muted"),
                self.old_box,
                label("compared with", "muted"),
                self.new_box,
                button("Swap", self.swap, tip="Compare the other way round"),
            ),
            self.line,
            (Splitter("versions/diff", self.table, self.diff_view, (420, 700)), 1),
            holder=self,
            top=SPACE,
        )

    @property
    def pair(self) -> Pair | None:
        """The old and the new version that are compared; None unless both are chosen."""
        old, new = (self._versions.get(box.currentData()) for box in (self.old_box, self.new_box))
        return None if old is None or new is None else (old, new)

    def show_versions(self, versions: Sequence[VersionRow]) -> None:
        """Offer these versions for comparison. Those chosen before stay chosen if they are among them."""
        self._versions = {version.id: version for version in versions}
        entries = [(_title(version), version.id) for version in versions]
        for box in (self.old_box, self.new_box):
            refill(box, entries, otherwise=-1)
        self._compare_chosen()

    def compare(self, old: int, new: int) -> None:
        """Show what changed from one version to another, both by number."""
        ids = {version.number: version.id for version in self._versions.values()}
        for box, number in ((self.old_box, old), (self.new_box, new)):
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(ids.get(number)))
        self._compare_chosen()

    def swap(self) -> None:
        """Make the baseline the version that is compared, and the other way round."""
        if (pair := self.pair) is not None:
            self.compare(pair[1].number, pair[0].number)

    def _compare_chosen(self) -> None:
        pair = self.pair
        self.pair_changed.emit(pair)
        if pair is None:
            self.table.set_records([])
            self.diff_view.clear("")
            self.line.clear()
            return
        self.line.setText("Comparing…")

        def show(diff: VersionDiff) -> None:
            if self.pair == pair:
                self._show_diff(pair, diff)

        self._console.run(
            operations.diff_versions, show, old_version_id=pair[0].id, new_version_id=pair[1].id
        )

    def _show_diff(self, pair: Pair, diff: VersionDiff) -> None:
        old, new = pair
        if old.id != new.id:
            sentence = diff.sentence()
        elif new.parent_number is None:
            sentence = "the first version: there is none to compare it with"
        else:
            sentence = "this is the same version twice"
        self.line.setText(sentence[0].upper() + sentence[1:])
        self.table.set_records(diff.documents)
        chosen: list[DocumentChange] = self.table.selected_records()
        if not diff.documents:
            self.diff_view.clear("")
        elif chosen:
            self._show_document(chosen[0])
        else:
            self.table.selectRow(0)

    def _show_document(self, change: DocumentChange) -> None:
        pair = self.pair
        if pair is None:
            return
        if change.kind == "metadata":
            before, after = change.old_attributes or "none", change.new_attributes or "none"
            self.diff_view.clear(f"Metadata: {before}  →  {after}")
            return

        def show(chunks: tuple[ChunkChange, ...]) -> None:
            if self.pair == pair and self.table.selected_records()[:1] == [change]:
                self.diff_view.show_changes(chunks)

        self._console.run(
            operations.diff_document, show, old_version_id=pair[0].id, new_version_id=pair[1].id,
            old_id=change.old_id, new_id=change.new_id,
        )  # fmt: skip


def _title(version: VersionRow) -> str:
    marks = ", ".join(mark for mark in (state_of(version), *version.tags) if mark)
    return f"Version {version.number}" + (f"  ({marks})" if marks else "")
