"""Versions: the history of a collection's documents, what changed between two, and what another cut would find."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.pages.versions.trial_dialog import TrialDialog
from app.shared.diff_view import DiffView
from app.shared.task_strip import TaskStrip
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import KeyValueGrid, label
from app.widgets.layout import EmptyState, Panel, row, scrolled
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.evaluation.rows import VersionComparison
from rag.knowledge.rows import (
    ActivationReport,
    CollectionRow,
    DocumentChange,
    VerificationReport,
    VersionDiff,
    VersionRow,
    list_collections,
    list_versions,
)
from rag.operations import Operation
from rag.text.plurals import counted

R = TypeVar("R")

_TAGS = ("baseline", "released")
_KIND_COLOURS = {"added": "good", "removed": "bad", "changed": "accent", "excluded": "check"}


def _state(version: VersionRow) -> str:
    return "active" if version.active else "trial" if version.trial else ""


def _verified_state(version: VersionRow) -> str:
    return "–" if version.verification_ok is None else "yes" if version.verification_ok else "no"


def _delta(added: int, removed: int) -> str:
    parts = [f"+{added:,}" if added else "", f"−{removed:,}" if removed else ""]
    return "  ".join(part for part in parts if part) or "="


VERSION_COLUMNS = (
    Column("#", lambda v: str(v.number), 40, right=True, sort=lambda v: v.number),
    Column("State", _state, 56, colour=lambda v: "good" if v.active else "check"),
    Column("Made", lambda v: date_time(v.created_ms), 142, sort=lambda v: v.created_ms),
    Column("What", lambda v: v.message, 180, stretch=True, tooltip=lambda v: v.message),
    Column("Documents", lambda v: f"{v.document_count:,}", 92, right=True, sort=lambda v: v.document_count),
    Column("Chunks", lambda v: f"{v.chunk_count:,}", 72, right=True, sort=lambda v: v.chunk_count),
    Column("± chunks", lambda v: _delta(v.chunks_added, v.chunks_removed), 96, right=True, sort=lambda v: v.chunks_added),
    Column("± tokens", lambda v: _delta(v.tokens_added, v.tokens_removed), 118, right=True, sort=lambda v: v.tokens_added),
    Column("Tags", lambda v: ", ".join(v.tags), 96, tooltip=lambda v: ", ".join(v.tags), colour=lambda v: "accent"),
    Column("Verified", _verified_state, 72, colour=lambda v: {"yes": "good", "no": "bad"}.get(_verified_state(v)), tooltip=lambda v: v.verification_detail or ""),
)  # fmt: skip
CHANGE_COLUMNS = (
    Column("What", lambda c: c.kind, 76, colour=lambda c: _KIND_COLOURS.get(c.kind)),
    Column("Document", lambda c: c.name, 200, stretch=True, tooltip=lambda c: c.source),
    Column("± chunks", lambda c: _delta(c.chunks_added, c.chunks_removed), 88, right=True, sort=lambda c: c.chunks_added),
    Column("± tokens", lambda c: _delta(c.tokens_added, c.tokens_removed), 108, right=True, sort=lambda c: c.tokens_added),
)  # fmt: skip
QUERY_COLUMNS = (
    Column("Question", lambda q: q.query, 260, stretch=True, tooltip=lambda q: q.query),
    Column("Left", lambda q: str(q.old_count), 48, right=True, sort=lambda q: q.old_count),
    Column("Right", lambda q: str(q.new_count), 58, right=True, sort=lambda q: q.new_count),
    Column("In both", lambda q: str(q.shared), 70, right=True, sort=lambda q: q.shared),
)  # fmt: skip
RANK_COLUMNS = (
    Column("Document", lambda c: c[0], 160, stretch=True, tooltip=lambda c: c[0]),
    Column("Place", lambda c: c[1], 90),
    Column("Left rank", lambda c: str(c[2] or "–"), 82, right=True, sort=lambda c: c[2] or 999),
    Column("Right rank", lambda c: str(c[3] or "–"), 90, right=True, sort=lambda c: c[3] or 999,
           colour=lambda c: "good" if c[2] is None else "bad" if c[3] is None else None),
)  # fmt: skip


class VersionsPage(QWidget):
    """The timeline of one collection above, the chosen versions below."""

    ask_requested = Signal(str, object)  # collection, version number

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._pair: tuple[int, int] = (0, 0)
        self.strip = TaskStrip()
        self.collection_box = QComboBox()
        self.collection_box.setAccessibleName("Collection")
        self.collection_box.setMinimumWidth(220)
        self.collection_box.currentIndexChanged.connect(lambda _i: self._show_collection())
        self.table = RecordTable(VERSION_COLUMNS, console.theme, "version_timeline")
        self.old_box, self.new_box = QComboBox(), QComboBox()
        self.changes = RecordTable(
            CHANGE_COLUMNS, console.theme, "version_changes", "The two versions hold the same."
        )
        self.diff_view = DiffView(console.theme)
        self.facts = KeyValueGrid()
        self.queries = RecordTable(
            QUERY_COLUMNS,
            console.theme,
            "compared_queries",
            "Compare asks both versions the same and shows what each of them finds.",
        )
        self.ranks = RecordTable(RANK_COLUMNS, console.theme, "compared_ranks")
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                console.theme,
                "versions",
                "No versions yet",
                "Every change of a collection makes one: adding files, removing, editing. "
                "Drop files anywhere on this window to make the first.",
            )
        )
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)
        console.data_changed.connect(self.refresh)
        self.table.record_selected.connect(self._version_chosen)
        self.table.actions_for = self._actions
        self.changes.record_selected.connect(self._show_document)
        self.queries.record_selected.connect(lambda q: self.ranks.set_records(q.changes))
        for box in (self.old_box, self.new_box):
            box.currentIndexChanged.connect(lambda _i: self._compare_chosen())
        self.refresh()

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def collection(self) -> CollectionRow | None:
        name = self.collection_box.currentData()
        return (
            next((c for c in list_collections(self._console.database) if c.name == name), None)
            if name
            else None
        )

    @property
    def current(self) -> VersionRow | None:
        records = self.table.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        rows = list_collections(self._console.database)
        chosen = self.collection_box.currentData()
        self.collection_box.blockSignals(True)
        self.collection_box.clear()
        for item in rows:
            self.collection_box.addItem(item.name, item.name)
        self.collection_box.setCurrentIndex(max(self.collection_box.findData(chosen), 0) if rows else -1)
        self.collection_box.blockSignals(False)
        self._stack.setCurrentIndex(1 if any(item.version_count for item in rows) else 0)
        self._show_collection()

    def choose(self, collection: str) -> None:
        self.collection_box.setCurrentIndex(self.collection_box.findData(collection))

    def compare(self, old: int, new: int) -> None:
        """Show what changed from one number to another."""
        self.old_box.setCurrentIndex(self.old_box.findText(f"Version {old}", Qt.MatchFlag.MatchStartsWith))
        self.new_box.setCurrentIndex(self.new_box.findText(f"Version {new}", Qt.MatchFlag.MatchStartsWith))
        self.tabs.setCurrentIndex(0)

    def _show_collection(self) -> None:
        collection = self.collection
        versions = list_versions(self._console.database, collection.id) if collection else []
        chosen = self.current
        self.table.set_records(versions, keep_sort=True)
        place = (
            f"   ·   served from {collection.index_server}" if collection and collection.index_server else ""
        )
        self._facts_line.setText(
            f"{counted(len(versions), 'version')}   ·   {collection.embedder_name}{place}"
            if collection
            else ""
        )
        self._fill_boxes(versions)
        if not (chosen and self.table.choose(lambda v: v.id == chosen.id)):
            self.table.choose(lambda v: v.active)

    def _fill_boxes(self, versions: list[VersionRow]) -> None:
        for box in (self.old_box, self.new_box):
            kept = box.currentData()
            box.blockSignals(True)
            box.clear()
            for version in versions:
                marks = ", ".join(mark for mark in (_state(version), *version.tags) if mark)
                box.addItem(f"Version {version.number}{f'  ({marks})' if marks else ''}", version.id)
            box.setCurrentIndex(box.findData(kept))
            box.blockSignals(False)
        self._compare_chosen()

    def _version_chosen(self, version: VersionRow) -> None:
        """Compare it with the version it was made from, and show its facts."""
        parent = next(
            (v for v in self.table.records_model.records if v.number == version.parent_number), version
        )
        for box, wanted in ((self.old_box, parent.id), (self.new_box, version.id)):
            box.blockSignals(True)
            box.setCurrentIndex(box.findData(wanted))
            box.blockSignals(False)
        self._compare_chosen()
        self._show_facts(version)
        self._activate_button.setEnabled(not version.active)
        self._delete_button.setEnabled(not version.active)

    def _show_facts(self, version: VersionRow) -> None:
        chunking = json.loads(version.chunking)
        verification = "not checked since it was made"
        if version.verified_ms is not None:
            verification = f"{'verified' if version.verification_ok else 'verification failed'} on {date_time(version.verified_ms)}"
            verification += (
                f": {version.vectors_same:,} of {version.vectors_checked:,} vectors checked, "
                f"{version.queries_same} of {version.query_count} verification queries. {version.verification_detail or ''}"
            )
        parent = f"version {version.parent_number}" if version.parent_number else "nothing"
        self.facts.set_pairs([
            ("Version", f"{version.number}   {_state(version)}   {', '.join(version.tags)}".strip()),
            ("Made", f"{date_time(version.created_ms)}, from {parent}"),
            ("What", version.message),
            ("Documents", f"{version.document_count:,}   (added {version.added_count:,}, replaced {version.replaced_count:,}, removed {version.removed_count:,})"),
            ("Chunks", f"{version.chunk_count:,}   ({_delta(version.chunks_added, version.chunks_removed)})"),
            ("Tokens", f"{version.token_count:,}   ({_delta(version.tokens_added, version.tokens_removed)})"),
            ("Excluded chunks", f"{version.excluded_count:,}"),
            ("Chunk settings", f"at most {chunking['max_tokens']} tokens, {chunking['overlap_tokens']} shared by neighbours"),
            ("Embedder", version.embedder_name),
            ("Embedder id", version.embedder),
            ("Fingerprint", version.fingerprint),
            ("Index", verification),
        ])  # fmt: skip

    # --- comparing ----------------------------------------------------------------------------------------

    def _compare_chosen(self) -> None:
        old, new = self.old_box.currentData(), self.new_box.currentData()
        self._pair = (old or 0, new or 0)
        if old is None or new is None:
            self.changes.set_records([])
            self.diff_view.clear("")
            self._diff_line.clear()
            return
        self._diff_line.setText("Comparing…")
        pair = self._pair
        self._console.run(
            operations.diff_versions,
            lambda diff: pair == self._pair and self._show_diff(diff), old_version_id=old, new_version_id=new,
        )  # fmt: skip

    def _show_diff(self, diff: VersionDiff) -> None:
        same = self._pair[0] == self._pair[1]
        sentence = "The first version: it was made from nothing" if same else diff.sentence()
        self._diff_line.setText(sentence[0].upper() + sentence[1:])
        self.changes.set_records(diff.documents)
        if not diff.documents:
            self.diff_view.clear("")
        elif chosen := self.changes.selected_records():
            self._show_document(chosen[0])
        else:
            self.changes.selectRow(0)

    def _show_document(self, change: DocumentChange) -> None:
        if change.kind == "metadata":
            self.diff_view.clear(
                f"Metadata: {change.old_attributes or 'none'}  →  {change.new_attributes or 'none'}"
            )
            return
        pair = self._pair
        self._console.run(
            operations.diff_document,
            lambda chunks: pair == self._pair and self.changes.selected_records()[:1] == [change]
            and self.diff_view.show_changes(chunks),
            old_version_id=pair[0], new_version_id=pair[1], old_id=change.old_id, new_id=change.new_id,
        )  # fmt: skip

    def _compare_hits(self) -> None:
        collection = self.collection
        versions = {v.id: v.number for v in self.table.records_model.records}
        old, new = (versions.get(v) for v in self._pair)
        if collection is None or old is None or new is None:
            return
        questions = [line.strip() for line in self._questions.toPlainText().splitlines() if line.strip()]
        self._run(
            operations.compare_versions, self._show_comparison,
            collection=collection.name, old=old, new=new, queries=questions, judged=self._judged.text().strip(),
        )  # fmt: skip

    def _show_comparison(self, found: VersionComparison) -> None:
        self.queries.set_records(found.queries)
        parts = [f"Left: version {found.old_number}, right: version {found.new_number}."]
        if found.overlap is not None:
            parts.append(
                f"{100 * found.overlap:.0f} % of the first {found.k} passages are in both, on average over {len(found.queries)} questions."
            )
        for name, (before, after, count) in found.metrics.items():
            parts.append(f"{name} {before:.3f} → {after:.3f} (n = {count}).")
        self._comparison_line.setText(" ".join(parts))
        self.tabs.setCurrentIndex(2)
        self.queries.selectRow(0)

    # --- changing -----------------------------------------------------------------------------------------

    def activate(self, version: VersionRow) -> None:
        self._run(operations.activate_version, self._activated,
                  collection=version.collection, number=version.number)  # fmt: skip

    def undo(self) -> None:
        if (collection := self.collection) is not None:
            self._run(operations.undo_version, self._activated, collection=collection.name)

    def verify(self) -> None:
        if (collection := self.collection) is not None:
            self._run(operations.verify_index, self._verified,
                      collection=collection.name, every_vector=True)  # fmt: skip

    def tag(self, version: VersionRow, tag: str) -> None:
        self._run(operations.tag_version, lambda _r: self._changed(""),
                  collection=version.collection, version=version.number, tag=tag)  # fmt: skip

    def build_trial(self, embedder_folder: str, max_tokens: int, overlap_tokens: int) -> None:
        if (collection := self.collection) is not None:
            self._run(operations.build_trial, self._trial_built, collection=collection.name,
                      embedder_folder=embedder_folder, max_tokens=max_tokens, overlap_tokens=overlap_tokens)  # fmt: skip

    def _run(self, operation: Operation[R], done: Callable[[R], Any], **arguments: Any) -> Task:
        task = self._console.run(operation, done, **arguments)
        self.strip.follow(task)
        task.cancelled.connect(lambda: self._changed("Cancelled; the version that was active is active."))
        return task

    def _activated(self, report: ActivationReport) -> None:
        verification = "Verified" if report.verification.ok else "Verification failed"
        self._changed(f"Version {report.number} is active after {report.milliseconds / 1000:.1f} s. {verification}: {report.verification.sentence()}",
                      "info" if report.verification.ok else "bad")  # fmt: skip

    def _verified(self, verification: VerificationReport) -> None:
        self._changed(
            f"{'Verified' if verification.ok else 'Verification failed'}: {verification.sentence()}",
            "info" if verification.ok else "bad",
        )

    def _trial_built(self, made: Any) -> None:
        self._changed(
            f"Version {made.number} is a trial: {made.message}. Compare it with the active one, then make it active or delete it."
        )
        self.table.choose(lambda v: v.number == made.number)
        self.tabs.setCurrentIndex(2)

    def _changed(self, sentence: str, kind: str = "info") -> None:
        self._console.data_changed.emit()
        if sentence:
            self._console.notice.emit(sentence, kind)

    def _activate_chosen(self) -> None:
        if (version := self.current) is not None and not version.active:
            self.activate(version)

    def _ask_chosen(self) -> None:
        if (version := self.current) is not None:
            self.ask_requested.emit(version.collection, version.number)

    def _tag_chosen(self) -> None:
        if (version := self.current) is None:
            return
        tag, accepted = QInputDialog.getItem(
            self,
            f"Tag version {version.number}",
            "A tag that another version has moves here.",
            list(_TAGS),
            0,
            True,
        )
        if accepted and tag.strip():
            self.tag(version, tag)

    def _untag(self, tag: str) -> None:
        if (collection := self.collection) is not None:
            self._run(operations.untag_version, lambda _r: self._changed(""),
                      collection=collection.name, tag=tag)  # fmt: skip

    def _delete_chosen(self) -> None:
        if (version := self.current) is None:
            return
        box = QMessageBox(QMessageBox.Icon.Warning, "Delete version",
                          f"Delete version {version.number} (“{version.message}”)? Documents that no other version holds go "
                          "with it. Traces keep what they showed.", parent=self)  # fmt: skip
        delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(lambda clicked: clicked is delete and self.delete(version))
        box.open()

    def delete(self, version: VersionRow) -> None:
        self._run(operations.discard_version,
                  lambda count: self._changed(f"Version {version.number} is deleted, with {counted(count, 'document')} that it alone held."),
                  collection=version.collection, which=version.number)  # fmt: skip

    def _add_verification_query(self) -> None:
        collection = self.collection
        text, accepted = QInputDialog.getText(
            self, "Add a verification query", "A query used to verify each activated version"
        )
        if accepted and text.strip() and collection is not None:
            self._run(operations.add_verification_query, lambda _r: self._changed("The verification query is stored."),
                      collection=collection.name, text=text)  # fmt: skip

    def _try_other(self) -> None:
        active = next((v for v in self.table.records_model.records if v.active), None)
        if active is None:
            return
        dialog = TrialDialog(json.loads(active.chunking), self)
        dialog.accepted.connect(
            lambda: self.build_trial(
                dialog.folder.text().strip(), dialog.max_tokens.value(), dialog.overlap.value()
            )
        )
        dialog.open()

    def _actions(self, records: list[Any]) -> list[tuple[str, Any]]:
        if len(records) != 1:
            if len(records) == 2:
                low, high = sorted(r.number for r in records)
                return [(f"Compare versions {low} and {high}", lambda: self.compare(low, high))]
            return []
        version: VersionRow = records[0]
        tags = version.tags
        return [
            *([] if version.active else [("Make active", self._activate_chosen)]),
            ("Ask this version", self._ask_chosen),
            ("Tag…", self._tag_chosen),
            *[(f"Remove the tag “{t}”", lambda t=t: self._untag(t)) for t in tags],
            *([] if version.active else [("Delete…", self._delete_chosen)]),
        ]

    # --- making -------------------------------------------------------------------------------------------

    def _make_content(self) -> QWidget:
        top = Panel()
        self._facts_line = label("", "muted")
        self._activate_button = button(
            "Make active",
            self._activate_chosen,
            primary=True,
            tip="Questions are answered from the active version. Nothing is embedded again.",
        )
        self._delete_button = button("Delete…", self._delete_chosen)
        top.body.addLayout(row(label("Collection", "muted"), self.collection_box, self._facts_line, 1))
        top.body.addWidget(self.table, 1)
        top.body.addLayout(row(
            self._activate_button, button("Ask this version", self._ask_chosen),
            button("Undo", self.undo, tip="Go back to the version that the active one was made from"),
            button("Tag…", self._tag_chosen), 1,
            button("Verify", self.verify, tip="Check that the index contains the active version: texts, every vector, verification queries"),
            button("Add a verification query…", self._add_verification_query), button("Try other settings…", self._try_other,
            tip="Build the same documents with another embedder or chunk size beside these"), self._delete_button,
        ))  # fmt: skip
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._diff_tab(), "What changed")
        self.tabs.addTab(self._facts_tab(), "About this version")
        self.tabs.addTab(self._queries_tab(), "Same questions")
        bottom = Panel()
        bottom.body.addWidget(self.tabs)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(top)
        splitter.addWidget(bottom)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([280, 460])
        return _remembered(splitter, "versions/splitter")

    def _diff_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        self.old_box.setAccessibleName("Compare from version")
        self.new_box.setAccessibleName("Compare to version")
        for box in (self.old_box, self.new_box):
            box.setMinimumWidth(170)
        self._diff_line = label("", "muted")
        layout.addLayout(
            row(label("From", "muted"), self.old_box, label("to", "muted"), self.new_box, self._diff_line, 1)
        )
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.changes)
        splitter.addWidget(self.diff_view)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([420, 700])
        layout.addWidget(_remembered(splitter, "versions/diff"), 1)
        return holder

    def _facts_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, SMALL_SPACE, 0)
        layout.addWidget(self.facts)
        layout.addStretch(1)
        return scrolled(holder)

    def _queries_tab(self) -> QWidget:
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        self._questions = QPlainTextEdit()
        self._questions.setAccessibleName("Questions, one a line")
        self._questions.setPlaceholderText(
            "Questions, one a line. Left empty: those asked before, and the verification queries."
        )
        self._questions.setFixedHeight(52)
        self._judged = QLineEdit()
        self._judged.setAccessibleName("File with judgements")
        self._judged.setPlaceholderText("JSONL with judged questions, for recall and MRR (optional)")
        self._comparison_line = label("", "muted", wrap=True)
        layout.addWidget(self._questions)
        layout.addLayout(
            row(
                self._judged,
                button(
                    "Choose…", self._choose_judged, tip='Lines of {"question": …, "documents": [name, …]}'
                ),
                button("Compare", self._compare_hits, primary=True),
            )
        )
        layout.addWidget(self._comparison_line)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.queries)
        splitter.addWidget(self.ranks)
        splitter.setChildrenCollapsible(False)
        splitter.setSizes([560, 560])
        layout.addWidget(splitter, 1)
        return holder

    def _choose_judged(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Judged questions", "", "JSON lines (*.jsonl);;All files (*)"
        )
        if path:
            self._judged.setText(path)


def _remembered(splitter: QSplitter, name: str) -> QSplitter:
    """A splitter that keeps its place over restarts."""
    state = QSettings().value(name)
    if state is not None:
        splitter.restoreState(state)
    splitter.splitterMoved.connect(lambda *_: QSettings().setValue(name, splitter.saveState()))
    return splitter
