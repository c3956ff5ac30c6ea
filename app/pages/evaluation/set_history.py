"""The versions of an evaluation set: what each one changed, and going back to one."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.console import Console
from app.shared.diff_view import DiffView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import Splitter, column, row
from app.widgets.theme import SMALL_SPACE
from rag import operations
from rag.evaluation.rows import CaseChange, SetVersionRow, list_set_versions
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.text.word_diff import word_diff

SET_VERSION_COLUMNS = (
    Column("#", lambda v: str(v.number), 40, right=True, sort=lambda v: v.number),
    Column("Made", lambda v: date_time(v.created_ms), 140, sort=lambda v: v.created_ms),
    Column("Message", lambda v: v.message, 200, stretch=True, tooltip=lambda v: v.message),
    Column("Cases", lambda v: f"{v.case_count:,}", 60, right=True, sort=lambda v: v.case_count),
    Column("Fingerprint", lambda v: v.fingerprint[:12], 104, tooltip=lambda v: v.fingerprint),
)
CHANGE_COLUMNS = (
    Column("Change", lambda c: c.kind, 74,
           colour=lambda c: {"added": "good", "removed": "bad", "changed": "accent"}.get(c.kind)),
    Column("Question", lambda c: c.question, 260, stretch=True, tooltip=lambda c: c.question),
)  # fmt: skip


class SetHistory(QWidget):
    """A tab with the versions of a set; each is compared with the one before it."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._set_name = ""
        self._compared: SetVersionRow | None = None
        self.versions = RecordTable(SET_VERSION_COLUMNS, console.theme, "evaluation_set_versions")
        self.changes = RecordTable(
            CHANGE_COLUMNS, console.theme, "evaluation_set_changes", "Nothing differs."
        )
        self.case_diff = DiffView(console.theme, lambda chunk: chunk.place)
        self.difference = label("", "muted")
        self.restore_button = button("Go back to this version", self.restore)
        column(
            (self.versions, 1),
            row(self.difference, 1, self.restore_button),
            (
                Splitter("evaluation/changes", self.changes, self.case_diff, (120, 220), vertical=True),
                2,
            ),
            holder=self,
            top=SMALL_SPACE,
        )
        self.versions.record_selected.connect(self._compare)
        self.changes.record_selected.connect(self._show_change)

    def show_set(self, name: str) -> None:
        """Show the versions of a set, the newest chosen."""
        self._set_name = name
        versions = list_set_versions(self._console.database, name)
        self.versions.set_records(versions)
        if versions:
            self.versions.selectRow(0)
        else:
            self._show_nothing("")

    def restore(self) -> None:
        """Make a new version of the set with the cases of the chosen one."""
        chosen: list[SetVersionRow] = self.versions.selected_records()
        if chosen:
            self._console.run(
                operations.restore_set_version,
                lambda _version: self._console.data_changed.emit(),
                name=self._set_name,
                number=chosen[0].number,
            )

    def _compare(self, version: SetVersionRow) -> None:
        """Compare a version with the one before it."""
        self._compared = version
        numbers = [v.number for v in self.versions.records_model.records]
        before = max((n for n in numbers if n < version.number), default=None)
        if before is None:
            self._show_nothing("The first version; there is nothing before it.")
            return
        self._console.run(
            operations.diff_set,
            lambda found: self._show_changes(version, before, *found),
            set_name=self._set_name,
            old=before,
            new=version.number,
        )

    def _show_nothing(self, sentence: str) -> None:
        self.difference.setText(sentence)
        self.changes.set_records([])
        self.case_diff.clear("")

    def _show_changes(
        self, version: SetVersionRow, before: int, summary: str, changes: tuple[CaseChange, ...]
    ) -> None:
        if version != self._compared:
            return  # another one was chosen in the meantime
        self.difference.setText(f"Version {before} to {version.number}: {summary}.")
        self.changes.set_records(changes)
        if changes:
            self.changes.selectRow(0)
        else:
            self.case_diff.clear("")

    def _show_change(self, change: CaseChange) -> None:
        old, new = (_piece(text, change.key) for text in (change.old, change.new))
        words = word_diff(change.old, change.new) if old and new else ()
        self.case_diff.show_changes([ChunkChange(ChunkChangeKind(change.kind), old, new, words)])


def _piece(text: str, key: str) -> ChunkRow | None:
    return ChunkRow(0, 0, 0, len(text), text, 0, key) if text else None
