"""Evaluation sets: their cases, and importing and exporting them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QInputDialog,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.case_dialog import CaseDialog
from app.pages.evaluation.forms.asked_dialog import AskedDialog
from app.pages.evaluation.import_dialog import FORMATS, ImportDialog
from app.pages.evaluation.power import detectable_sentence
from app.pages.evaluation.set_history import SetHistory
from app.widgets.buttons import Toolbar, button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import label
from app.widgets.layout import EmptyState, Splitter, column, confirm, row
from app.widgets.navigation import SearchField
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.evaluation.forms.rows import TracesAdded
from rag.evaluation.rows import (
    CasesImported,
    Detectable,
    JudgementCheck,
    SetRow,
    list_cases,
    list_sets,
)
from rag.knowledge.rows import list_collections
from rag.operations import Operation
from rag.text.plurals import counted

R = TypeVar("R")

_READ = "Cases (*.jsonl *.json *.csv *.tsv *.yaml *.yml *.qrels);;All files (*)"


SET_COLUMNS = (
    Column("Set", lambda s: s.name, 180, stretch=True, tooltip=lambda s: s.description or s.name),
    Column("Cases", lambda s: f"{s.case_count:,}", 60, right=True, sort=lambda s: s.case_count),
    Column("Version", lambda s: str(s.number or "–"), 72, right=True, sort=lambda s: s.number),
)
CASE_COLUMNS = (
    Column("Question", lambda c: c["question"], 260, stretch=True, tooltip=lambda c: c["question"]),
    Column("Right answer", lambda c: _right(c), 190, tooltip=lambda c: "\n".join(c["references"]),
           colour=lambda c: "check" if c["should_refuse"] else None),
    Column("Passages", lambda c: f"{len(c['judgements']):,}", 86, right=True,
           sort=lambda c: len(c["judgements"]),
           tooltip=lambda c: "\n".join(j["quote"][:200] or j["document"] for j in c["judgements"])),
    Column("Tags", lambda c: ", ".join(c["tags"]), 110, tooltip=lambda c: ", ".join(c["tags"])),
    Column("Weight", lambda c: f"{c['weight']:g}", 70, right=True, sort=lambda c: c["weight"]),
    Column("From", lambda c: c["origin"].split(":")[0], 70, tooltip=lambda c: c["origin"]),
)  # fmt: skip


def _right(case: dict[str, Any]) -> str:
    if case["should_refuse"]:
        return "to be declined"
    return " / ".join(case["references"]) or "–"


class SetsPanel(QWidget):
    """A panel with the sets on the left, and cases and versions of the chosen one on the right."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        theme = console.theme
        self.sets = RecordTable(SET_COLUMNS, theme, "evaluation_sets")
        self.cases = RecordTable(CASE_COLUMNS, theme, "evaluation_cases", "No case matches.")
        self.cases.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.history = SetHistory(console)
        self.search = SearchField("Find a case")
        self.power = label("", "small", wrap=True)
        self.edit_button = button("Edit…", self.edit_case)
        self.remove_button = button("Remove", self.remove_cases)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                theme,
                "overview",
                "No evaluation set yet",
                "A set contains questions and what is known about their right answers. Make one by hand, "
                "from a file, from an answer on the Traces page, or prepare the sample collection (Ctrl+K).",
                button("Make a set…", self.new_set, primary=True),
                button("Import questions…", self.import_file),
            )
        )
        self._stack.addWidget(self._make_content())
        column(
            Toolbar(
                button("New set…", self.new_set),
                button("From questions…", self.add_questions, tip="Make cases of questions from Ask"),
                button("Import…", self.import_file),
                1,
                button("Export…", self.export),
                button("More", self._more),
            ),
            (self._stack, 1),
            holder=self,
            top=SPACE,
        )
        self.sets.record_selected.connect(lambda _s: self._show_set())
        self.cases.selectionModel().selectionChanged.connect(lambda _n, _o: self._enable())
        self.cases.doubleClicked.connect(lambda _i: self.edit_case())
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
        cases = column(
            row(button("Add a case…", self.add_case), self.edit_button, self.remove_button, 1, self.search),
            (self.cases, 1),
            self.power,
            top=SMALL_SPACE,
        )
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(cases, "Cases")
        self.tabs.addTab(self.history, "Versions")
        return Splitter("evaluation/sets", self.sets, self.tabs, (310, 800))

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def current(self) -> SetRow | None:
        """The chosen set."""
        records: list[SetRow] = self.sets.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        """Show the sets as they are stored now; the choice stays."""
        chosen = self.current
        rows = list_sets(self._console.database)
        self._stack.setCurrentIndex(1 if rows else 0)
        self.sets.set_records(rows, keep_sort=True)
        if not (chosen and self.choose(chosen.name)) and rows:
            self.sets.selectRow(0)
        self._show_set()

    def choose(self, name: str) -> bool:
        """Choose a set; False when there is none of that name."""
        return self.sets.choose(lambda s: s.name == name)

    def _show_set(self) -> None:
        chosen = self.current
        if chosen is None:
            return
        self._show_cases()
        self.history.show_set(chosen.name)
        self._console.run(
            operations.find_set_power,
            lambda found: self._show_power(chosen.name, found),
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

    def _show_power(self, name: str, found: Detectable) -> None:
        if self.current is not None and self.current.name == name:
            self.power.setText(
                detectable_sentence(found) if found.cases else "Add cases to see what this set can detect."
            )

    def _enable(self) -> None:
        count = len(self.cases.selected_records())
        self.edit_button.setEnabled(count == 1)
        self.remove_button.setEnabled(count > 0)

    # --- changing -----------------------------------------------------------------------------------------

    def new_set(self) -> None:
        """Ask for a name, and make an empty set."""
        name, given = QInputDialog.getText(self, "New set", "Name of the set:")
        if given and name.strip():
            self._run(operations.create_set, lambda _r: self._made(name.strip()), name=name)

    def _made(self, name: str) -> None:
        self.refresh()
        self.choose(name)

    def add_questions(self) -> None:
        """Ask which questions from Ask become cases, and of which set."""

        def show(found: TracesAdded) -> None:
            self._made(found.set_name)
            self._console.notice.emit(found.sentence(), "info")

        dialog = AskedDialog(self._console, self.current.name if self.current else "", self)
        dialog.added.connect(show)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def add_case(self) -> None:
        """Open the form for a new case."""
        self._edit(None)

    def edit_case(self) -> None:
        """Open the form for the chosen case."""
        chosen = self.cases.selected_records()
        if len(chosen) == 1:
            self._edit(chosen[0])

    def _edit(self, case: dict[str, Any] | None) -> None:
        current = self.current
        if current is None:
            return
        dialog = CaseDialog(self._console, current.name, case, self.cases.records_model.records, self)
        dialog.saved.connect(self.refresh)
        dialog.exec()
        dialog.deleteLater()

    def save_case(self, set_name: str, values: dict[str, Any], replaced: str = "") -> None:
        """Save a case in a new version of its set; `replaced` is the key of the case that it replaces."""
        self._run(
            operations.save_case,
            lambda _key: self.refresh(),
            set_name=set_name,
            values=values,
            replaced=replaced,
        )

    def remove_cases(self) -> None:
        """Remove the chosen cases in a new version of the set."""
        current, keys = self.current, [case["key"] for case in self.cases.selected_records()]
        if current is not None and keys:
            self._run(
                operations.remove_cases, lambda _r: self._removed(len(keys)), set_name=current.name, keys=keys
            )

    def _removed(self, count: int) -> None:
        self.refresh()
        self._console.notice.emit(
            f"{counted(count, 'case')} removed in a new version. The previous one is under Versions.",
            "info",
        )

    def import_file(self) -> None:
        """Ask for a file and a set, and show what importing it would do before anything is stored."""
        path, _ = QFileDialog.getOpenFileName(self, "Import cases", "", _READ)
        if not path:
            return
        suggestion = self.current.name if self.current else Path(path).stem
        name, given = QInputDialog.getText(
            self, "Import cases", "Set (a new name makes a new set):", text=suggestion
        )
        if not given or not name.strip():
            return
        dialog = ImportDialog(self, self._console, name.strip(), path)
        dialog.accepted.connect(
            lambda: self.import_cases(
                name.strip(), path, skip_bad=dialog.skip_bad.isChecked(), **dialog.choices()
            )
        )
        dialog.open()

    def import_cases(self, name: str, path: str, skip_bad: bool = False, **choices: Any) -> None:
        """Import a file's cases; where some cannot be read, ask whether to leave those out.

        Args:
            name: The set, made if there is none.
            path: The file.
            skip_bad: Leave out the cases that cannot be read, without asking.
            choices: The format, the columns and the delimiter; see ImportDialog.
        """
        self._run(
            operations.import_cases,
            lambda found: self._imported(found, name, path, choices),
            set_name=name,
            path=path,
            skip_bad=skip_bad,
            **choices,
        )

    def _imported(self, found: CasesImported, name: str, path: str, choices: dict[str, Any]) -> None:
        file = Path(path).name
        if found.version is not None:
            self._made(name)
            left = f", {len(found.problems):,} left out" if found.problems else ""
            self._console.notice.emit(
                f"{counted(found.good, 'case was', 'cases were')} imported from {file} into “{name}”{left}.",
                "info",
            )
            return
        if not found.good:
            first = found.problems[0] if found.problems else "It contains no case."
            self._console.notice.emit(f"{file} could not be imported. {first}", "bad")
            return
        self._ask_about_problems(found, name, path, choices)

    def _ask_about_problems(
        self, found: CasesImported, name: str, path: str, choices: dict[str, Any]
    ) -> None:
        bad = counted(len(found.problems), "entry", "entries")
        good = counted(found.good, "case")
        box = confirm(
            self,
            "Import cases",
            f"{bad} of {Path(path).name} cannot be read. {good} can be imported.",
            "Import the good ones",
            lambda: self.import_cases(name, path, skip_bad=True, **choices),
            more="\n".join(found.problems[:8]) + ("\n…" if len(found.problems) > 8 else ""),
        )
        box.setDetailedText("\n".join(found.problems))

    def export(self) -> None:
        """Ask for a format and a file, and write the chosen set."""
        current = self.current
        if current is None:
            return
        titles = [title for title, _, _ in FORMATS]
        title, given = QInputDialog.getItem(self, "Export cases", "Format:", titles, 0, False)
        if not given:
            return
        _, name, suffix = FORMATS[titles.index(title)]
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
            f"{name} was written." + (f" The format cannot contain: {'; '.join(lost)}." if lost else ""),
            "info",
        )

    def _more(self) -> None:
        current = self.current
        if current is None:
            return
        menu = QMenu(self)
        check = menu.addAction("Check judgements…")
        rename, delete = menu.addAction("Rename…"), menu.addAction("Delete…")
        chosen = menu.exec(self.cursor().pos())
        if chosen is check:
            self.check_judgements()
        elif chosen is rename:
            name, given = QInputDialog.getText(self, "Rename", "Name of the set:", text=current.name)
            if given and name.strip():
                self._run(
                    operations.rename_set,
                    lambda _r: self._made(name.strip()),
                    name=current.name,
                    new_name=name,
                )
        elif chosen is delete:
            confirm(
                self,
                "Delete a set",
                f"Delete “{current.name}” with all its versions? Its runs stay. This cannot be undone.",
                "Delete",
                lambda: self._run(operations.delete_set, lambda _count: self.refresh(), name=current.name),
                destructive=True,
            )

    def check_judgements(self) -> None:
        """Ask for a collection, and show which judgements of the set its documents do not contain."""
        current, names = self.current, [row.name for row in list_collections(self._console.database)]
        if current is None:
            return
        if not names:
            self._console.notice.emit("There is no collection to hold the judgements against.", "info")
            return
        name, given = QInputDialog.getItem(
            self, "Check judgements", "Documents of the collection:", names, 0, False
        )
        if given:
            self._run(operations.check_judgements, self._checked, set_name=current.name, collection=name)

    def _checked(self, found: JudgementCheck) -> None:
        if not found.stale:
            self._console.notice.emit(found.sentence(), "info")
            return
        lines = [
            f"{one.case_key}: {one.label}: {one.proposal or 'nothing is like it'}" for one in found.stale
        ]
        known = sum(bool(one.proposal) for one in found.stale)
        box = confirm(
            self,
            "Check judgements",
            found.sentence(),
            f"Correct {known:,}" if known else "OK",
            lambda: self._correct(found) if known else None,
            more="\n".join(lines[:8]) + ("\n…" if len(lines) > 8 else ""),
        )
        box.setDetailedText("\n".join(lines))

    def _correct(self, found: JudgementCheck) -> None:
        self._run(
            operations.correct_judgements,
            self._corrected,
            set_name=found.set_name,
            collection=found.collection,
        )

    def _corrected(self, sentence: str) -> None:
        self.refresh()
        self._console.notice.emit(sentence, "info")

    def _run(self, operation: Operation[R], done: Callable[[R], Any], **arguments: Any) -> None:
        self._console.run(operation, done, **arguments)
