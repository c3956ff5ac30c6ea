"""Evaluation sets: their cases, their versions, and getting them in and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QInputDialog,
    QMenu,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.case_dialog import CaseDialog, ColumnsDialog
from app.pages.evaluation.comparison_panel import detectable_sentence
from app.shared.diff_view import DiffView
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import EmptyState, row
from app.widgets.navigation import SearchField
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.evaluation.rows import (
    CaseChange,
    CasesImported,
    Detectable,
    SetRow,
    SetVersionRow,
    list_cases,
    list_set_versions,
    list_sets,
)
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.operations import Operation
from rag.text.plurals import counted
from rag.text.word_diff import word_diff

R = TypeVar("R")

_READ = "Cases (*.jsonl *.json *.csv *.tsv *.yaml *.yml *.qrels);;All files (*)"
_FORMATS = (
    ("Ragdeck JSONL", "ragdeck", "jsonl"), ("CSV", "csv", "csv"), ("SQuAD", "squad", "json"),
    ("RAGAS", "ragas", "jsonl"), ("DeepEval", "deepeval", "json"), ("promptfoo", "promptfoo", "yaml"),
    ("BEIR folder", "beir", ""), ("TREC folder", "trec", ""),
)  # fmt: skip


SET_COLUMNS = (
    Column("Set", lambda s: s.name, 180, stretch=True, tooltip=lambda s: s.description or s.name),
    Column("Cases", lambda s: f"{s.case_count:,}", 60, right=True, sort=lambda s: s.case_count),
    Column("Version", lambda s: str(s.number or "–"), 72, right=True, sort=lambda s: s.number),
)
CASE_COLUMNS = (
    Column("Question", lambda c: c["question"], 260, stretch=True, tooltip=lambda c: c["question"]),
    Column("Right answer", lambda c: _right(c), 190, tooltip=lambda c: "\n".join(c["references"]),
           colour=lambda c: "check" if c["should_refuse"] else None),
    Column("Passages", lambda c: f"{len(c['judgements']):,}", 86, right=True, sort=lambda c: len(c["judgements"]),
           tooltip=lambda c: "\n".join(j["quote"][:200] or j["document"] for j in c["judgements"])),
    Column("Tags", lambda c: ", ".join(c["tags"]), 110, tooltip=lambda c: ", ".join(c["tags"])),
    Column("Weight", lambda c: f"{c['weight']:g}", 70, right=True, sort=lambda c: c["weight"]),
    Column("From", lambda c: c["origin"].split(":")[0], 70, tooltip=lambda c: c["origin"]),
)  # fmt: skip
SET_VERSION_COLUMNS = (
    Column("#", lambda v: str(v.number), 40, right=True, sort=lambda v: v.number),
    Column("Made", lambda v: date_time(v.created_ms), 140, sort=lambda v: v.created_ms),
    Column("What", lambda v: v.message, 200, stretch=True, tooltip=lambda v: v.message),
    Column("Cases", lambda v: f"{v.case_count:,}", 60, right=True, sort=lambda v: v.case_count),
    Column("Fingerprint", lambda v: v.fingerprint[:12], 104, tooltip=lambda v: v.fingerprint),
)
CHANGE_COLUMNS = (
    Column("What", lambda c: c.kind, 74,
           colour=lambda c: {"added": "good", "removed": "bad", "changed": "accent"}.get(c.kind)),
    Column("Question", lambda c: c.question, 260, stretch=True, tooltip=lambda c: c.question),
)  # fmt: skip


def _right(case: dict[str, Any]) -> str:
    if case["should_refuse"]:
        return "to be declined"
    return " / ".join(case["references"]) or "–"


class SetsPanel(QWidget):
    """Sets on the left; the chosen one's cases and versions on the right."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        theme = console.theme
        self.sets = RecordTable(SET_COLUMNS, theme, "evaluation_sets")
        self.cases = RecordTable(CASE_COLUMNS, theme, "evaluation_cases", "This set has no case that fits.")
        self.cases.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.versions = RecordTable(SET_VERSION_COLUMNS, theme, "evaluation_set_versions")
        self.changes = RecordTable(CHANGE_COLUMNS, theme, "evaluation_set_changes", "Nothing differs.")
        self.case_diff = DiffView(theme, lambda chunk: chunk.place)
        self.search = SearchField("Find a case")
        self.power, self._diff_line = label("", "small", wrap=True), label("", "muted")
        self.edit_button = button("Edit…", self.edit_case)
        self.remove_button = button("Remove", self.remove_cases)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                theme,
                "overview",
                "No evaluation set yet",
                "A set holds questions with what is known about their right answers. Make one by hand, from a file, "
                "from an answer on the Traces page, or prepare the sample collection (Ctrl+K).",
            )
        )
        self._stack.addWidget(self._make_content())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, SPACE, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        layout.addLayout(
            row(
                button("New set…", self.new_set),
                button("Import…", self.import_file),
                1,
                button("Export…", self.export),
                button("More", self._more),
            )
        )
        layout.addWidget(self._stack, 1)
        self.sets.record_selected.connect(lambda _s: self._show_set())
        self.cases.selectionModel().selectionChanged.connect(lambda _n, _o: self._enable())
        self.cases.doubleClicked.connect(lambda _i: self.edit_case())
        self.versions.record_selected.connect(self._show_version)
        self.changes.record_selected.connect(self._show_change)
        self.search.textChanged.connect(lambda _t: self._show_cases())
        QShortcut(
            QKeySequence(Qt.Key.Key_Delete),
            self.cases,
            self.remove_cases,
            context=Qt.ShortcutContext.WidgetShortcut,
        )
        console.data_changed.connect(self.refresh)
        self.refresh()

    def _make_content(self) -> QWidget:
        cases = QWidget()
        layout = QVBoxLayout(cases)
        layout.setContentsMargins(0, SMALL_SPACE, 0, 0)
        layout.setSpacing(SMALL_SPACE)
        layout.addLayout(
            row(button("Add a case…", self.add_case), self.edit_button, self.remove_button, 1, self.search)
        )
        layout.addWidget(self.cases, 1)
        layout.addWidget(self.power)
        shown = QSplitter(Qt.Orientation.Vertical)
        for widget in (self.changes, self.case_diff):
            shown.addWidget(widget)
        shown.setSizes([120, 220])
        history = QWidget()
        below = QVBoxLayout(history)
        below.setContentsMargins(0, SMALL_SPACE, 0, 0)
        below.setSpacing(SMALL_SPACE)
        below.addWidget(self.versions, 1)
        below.addLayout(row(self._diff_line, 1, button("Go back to this version", self.restore)))
        below.addWidget(shown, 2)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(cases, "Cases")
        self.tabs.addTab(history, "Versions")
        splitter = QSplitter()
        splitter.addWidget(self.sets)
        splitter.addWidget(self.tabs)
        splitter.setSizes([310, 800])
        splitter.setChildrenCollapsible(False)
        return splitter

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def current(self) -> SetRow | None:
        records = self.sets.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        chosen = self.current
        rows = list_sets(self._console.database)
        self._stack.setCurrentIndex(1 if rows else 0)
        self.sets.set_records(rows, keep_sort=True)
        if not (chosen and self.choose(chosen.name)) and rows:
            self.sets.selectRow(0)
        self._show_set()

    def choose(self, name: str) -> bool:
        return self.sets.choose(lambda s: s.name == name)

    def _show_set(self) -> None:
        chosen = self.current
        if chosen is None:
            return
        self._show_cases()
        versions = list_set_versions(self._console.database, chosen.name)
        self.versions.set_records(versions)
        if versions:
            self.versions.selectRow(0)
        self._console.run(
            operations.find_set_power,
            lambda found: (
                self.current is not None and self.current.name == chosen.name and self._powered(found)
            ),
            set_name=chosen.name,
        )

    def _show_cases(self) -> None:
        chosen = self.current
        if chosen is None:
            return
        words = self.search.text().lower().split()
        cases = [json.loads(text) for text in list_cases(self._console.database, chosen.name)]
        cases = [
            c
            for c in cases
            if all(w in f"{c['question']} {_right(c)} {' '.join(c['tags'])}".lower() for w in words)
        ]
        for case in cases:
            case.setdefault("origin", "hand")
        self.cases.set_records(cases, keep_sort=True)
        self._enable()

    def _powered(self, found: Detectable) -> None:
        self.power.setText(
            detectable_sentence(found) if found.cases else "Add cases to see what this set can show."
        )

    def _enable(self) -> None:
        count = len(self.cases.selected_records())
        self.edit_button.setEnabled(count == 1)
        self.remove_button.setEnabled(count > 0)

    def _show_version(self, version: SetVersionRow) -> None:
        """Against the version before it."""
        chosen = self.current
        numbers = [v.number for v in self.versions.records_model.records]
        before = max((n for n in numbers if n < version.number), default=None)
        if chosen is None or before is None:
            self._diff_line.setText("The first version: there is nothing before it.")
            self.changes.set_records([])
            self.case_diff.clear("")
            return
        self._console.run(
            operations.diff_set,
            lambda found: self._show_diff(f"Version {before} to {version.number}: {found[0]}.", found[1]),
            set_name=chosen.name,
            old=before,
            new=version.number,
        )

    def _show_diff(self, sentence: str, changes: tuple[CaseChange, ...]) -> None:
        self._diff_line.setText(sentence)
        self.changes.set_records(changes)
        if changes:
            self.changes.selectRow(0)
        else:
            self.case_diff.clear("")

    def _show_change(self, change: CaseChange) -> None:
        old, new = (
            ChunkRow(0, 0, 0, len(t), t, 0, change.key) if t else None for t in (change.old, change.new)
        )
        words = word_diff(change.old, change.new) if old and new else ()
        self.case_diff.show_changes([ChunkChange(ChunkChangeKind(change.kind), old, new, words)])

    # --- changing -----------------------------------------------------------------------------------------

    def new_set(self) -> None:
        name, given = QInputDialog.getText(self, "New set", "Name of the set:")
        if given and name.strip():
            self._run(operations.create_set, lambda _r: self._made(name.strip()), name=name)

    def _made(self, name: str) -> None:
        self.refresh()
        self.choose(name)

    def add_case(self) -> None:
        self._edit(None)

    def edit_case(self) -> None:
        chosen = self.cases.selected_records()
        if len(chosen) == 1:
            self._edit(chosen[0])

    def _edit(self, case: dict[str, Any] | None) -> None:
        current = self.current
        if current is None:
            return
        dialog = CaseDialog(self, case)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.save_case(current.name, dialog.values(), case["key"] if case else "")

    def save_case(self, set_name: str, values: dict[str, Any], replaced: str = "") -> None:
        self._run(
            operations.save_case,
            lambda _key: self.refresh(),
            set_name=set_name,
            values=values,
            replaced=replaced,
        )

    def remove_cases(self) -> None:
        current, keys = self.current, [case["key"] for case in self.cases.selected_records()]
        if current is not None and keys:
            self._run(
                operations.remove_cases, lambda _r: self._removed(len(keys)), set_name=current.name, keys=keys
            )

    def _removed(self, count: int) -> None:
        self.refresh()
        self._console.notice.emit(
            f"{counted(count, 'case')} removed in a new version; the one before is under Versions.",
            "info",
        )

    def restore(self) -> None:
        current, chosen = self.current, self.versions.selected_records()
        if current is not None and chosen:
            self._run(
                operations.restore_set_version,
                lambda _r: self.refresh(),
                name=current.name,
                number=chosen[0].number,
            )

    def import_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Import cases", "", _READ)
        if not path:
            return
        suggestion = self.current.name if self.current else Path(path).stem
        name, given = QInputDialog.getText(
            self, "Import cases", "Into the set (made if there is none):", text=suggestion
        )
        if not given or not name.strip():
            return
        if Path(path).suffix.lower() in (".csv", ".tsv"):
            self._run(
                operations.csv_headers,
                lambda headers: self._ask_columns(name.strip(), path, headers),
                path=Path(path),
            )
        else:
            self.import_cases(name.strip(), path)

    def _ask_columns(self, name: str, path: str, headers: list[str]) -> None:
        dialog = ColumnsDialog(self, headers)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.import_cases(name, path, dialog.columns())

    def import_cases(
        self, name: str, path: str, columns: dict[str, str] | None = None, skip_bad: bool = False
    ) -> None:
        self._run(
            operations.import_cases,
            lambda found: self._imported(found, name, path, columns),
            set_name=name,
            path=path,
            columns=columns,
            skip_bad=skip_bad,
        )

    def _imported(self, found: CasesImported, name: str, path: str, columns: dict[str, str] | None) -> None:
        file = Path(path).name
        if found.version is not None:
            self._made(name)
            left = f", {len(found.problems):,} left out" if found.problems else ""
            self._console.notice.emit(
                f"{counted(found.good, 'case')} of {file} imported into “{name}”{left}.", "info"
            )
            return
        if not found.good:
            first = found.problems[0] if found.problems else "It holds no case."
            self._console.notice.emit(f"Nothing of {file} could be imported. {first}", "bad")
            return
        box = QMessageBox(QMessageBox.Icon.Warning, "Import cases", "", parent=self)
        box.setText(
            f"{counted(len(found.problems), 'entry', 'entries')} of {file} cannot be read; {found.good:,} are good."
        )
        box.setInformativeText("\n".join(found.problems[:8]) + ("\n…" if len(found.problems) > 8 else ""))
        box.setDetailedText("\n".join(found.problems))
        take = box.addButton("Import the good ones", QMessageBox.ButtonRole.AcceptRole)
        box.addButton("Import nothing", QMessageBox.ButtonRole.RejectRole)
        box.exec()
        if box.clickedButton() is take:
            self.import_cases(name, path, columns, skip_bad=True)

    def export(self) -> None:
        current = self.current
        if current is None:
            return
        titles = [title for title, _, _ in _FORMATS]
        title, given = QInputDialog.getItem(self, "Export cases", "Format:", titles, 0, False)
        if not given:
            return
        _, name, suffix = _FORMATS[titles.index(title)]
        suggestion = f"{current.name}.{suffix}" if suffix else current.name
        path, _ = QFileDialog.getSaveFileName(self, "Export cases", suggestion)
        if path:
            self._run(
                operations.export_set,
                lambda lost: self._exported(Path(path).name, lost),
                name=current.name,
                path=Path(path),
                format_name=name,
            )

    def _exported(self, name: str, lost: tuple[str, ...]) -> None:
        self._console.notice.emit(
            f"{name} is written." + (f" It does not hold: {'; '.join(lost)}." if lost else ""), "info"
        )

    def _more(self) -> None:
        current = self.current
        if current is None:
            return
        menu = QMenu(self)
        rename, delete = menu.addAction("Rename…"), menu.addAction("Delete…")
        chosen = menu.exec(self.cursor().pos())
        if chosen is rename:
            name, given = QInputDialog.getText(self, "Rename", "Name of the set:", text=current.name)
            if given and name.strip():
                self._run(
                    operations.rename_set,
                    lambda _r: self._made(name.strip()),
                    name=current.name,
                    new_name=name,
                )
        elif chosen is delete and (
            QMessageBox.question(
                self,
                "Delete a set",
                f"Delete “{current.name}” with all its versions? Runs of it stay. This cannot be undone.",
            )
            == QMessageBox.StandardButton.Yes
        ):
            self._run(operations.delete_set, lambda _r: self.refresh(), name=current.name)

    def _run(self, operation: Operation[R], done: Callable[[R], Any], **arguments: Any) -> None:
        self._console.run(operation, done, **arguments)
