"""Guardrails: policies and versions on the left; their rules, trials, rates and results on the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QInputDialog,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.guardrails.measure_panel import MeasurePanel
from app.pages.guardrails.results_panel import ResultsPanel
from app.pages.guardrails.rules_panel import NEW_RULE, RulesPanel
from app.pages.guardrails.try_panel import TryPanel
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.layout import EmptyState, Splitter, column, confirm, row
from app.widgets.name_menu import pick_label_move
from app.widgets.theme import SPACE
from rag import operations
from rag.guardrails.policies.rows import (
    PRODUCTION,
    PolicyDiff,
    PolicyImport,
    PolicyRow,
    PolicyVersionRow,
    list_policies,
    list_policy_versions,
)
from rag.knowledge.rows import list_collections
from rag.text.plurals import counted

POLICY_COLUMNS = (
    Column("Policy", lambda p: p.name, 120, stretch=True, tooltip=lambda p: p.description or p.name),
    Column("Versions", lambda p: str(p.version_count), 78, right=True, sort=lambda p: p.version_count),
    Column("State", lambda p: p.state, 150, tooltip=lambda p: p.state,
           colour=lambda p: "good" if p.is_live else None, priority=0),
)  # fmt: skip
VERSION_COLUMNS = (
    Column("#", lambda v: str(v.number), 38, right=True, sort=lambda v: v.number),
    Column("Made", lambda v: date_time(v.created_ms), 138, sort=lambda v: v.created_ms),
    Column(
        "Message", lambda v: v.message, 160, stretch=True, tooltip=lambda v: f"{v.message}\nby {v.author}"
    ),
    Column("Labels", lambda v: ", ".join(v.labels), 96, colour=lambda v: "accent", priority=0),
)
DIFF_COLUMNS = (
    Column("What", lambda c: c[0], 180, stretch=True, tooltip=lambda c: c[0]),
    Column("Before", lambda c: c[1] or "–", 160, tooltip=lambda c: c[1]),
    Column("After", lambda c: c[2] or "–", 160, tooltip=lambda c: c[2]),
)


class GuardrailsPage(QWidget):
    """A page on which policies are written, tried, measured, let go live and judged."""

    trace_requested = Signal(str)

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._shown: PolicyVersionRow | None = None
        theme = console.theme
        self.policies = RecordTable(
            POLICY_COLUMNS, theme, "guard_policies", "No policy yet. Nothing is checked, masked or refused."
        )
        self.versions = RecordTable(VERSION_COLUMNS, theme, "guard_versions")
        self.changes = RecordTable(
            DIFF_COLUMNS, theme, "guard_changes", "It has the rules of the one before."
        )
        self.rules = RulesPanel(theme)
        self.trial = TryPanel(console, self._in_view)
        self.measured = MeasurePanel(console)
        self.results = ResultsPanel(console)
        self.new_button = button("New…", self.new)
        self.bind_button = button(
            "Where it acts…", self._bind_menu, tip="The collections to which it applies"
        )
        self.label_button = button("Label…", self._label_menu, tip="The version labelled “production” acts")
        self.back_button = button("Roll back", self.roll_back, tip="Move “production” back to where it was")
        self._build()
        self.policies.record_selected.connect(lambda _p: self._show_policy())
        self.versions.record_selected.connect(lambda _v: self._show_version())
        self.rules.save_wanted.connect(self.save)
        self.results.trace_requested.connect(self.trace_requested)
        QShortcut(QKeySequence.StandardKey.Save, self, self.rules.save)
        console.data_changed.connect(self.refresh)
        self.refresh()

    def _build(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for title, widget in (
            ("Rules", self.rules), ("Try it", self.trial), ("Measure", self.measured),
            ("What differs", self.changes), ("What it found", self.results),
        ):  # fmt: skip
            self.tabs.addTab(widget, title)
        lists = Splitter(
            "guardrails/lists",
            column(row(self.new_button, button("More", self._more), 1), (self.policies, 1)),
            column(Toolbar(self.label_button, self.bind_button, self.back_button, 1), (self.versions, 1)),
            (220, 320),
            vertical=True,
        )
        empty = EmptyState(
            self._console.theme, "guardrails", "No policy yet",
            "Nothing is checked, masked or refused. A policy says what may go in, through and out: personal "
            "data, hidden instructions, topics, phrases.",
            button("New policy…", self.new, primary=True),
        )  # fmt: skip
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(Splitter("guardrails/splitter", lists, self.tabs, (400, 800)))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        outer.addWidget(self._stack)

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def policy(self) -> PolicyRow | None:
        """The chosen policy."""
        records: list[PolicyRow] = self.policies.selected_records()
        return records[0] if records else None

    def refresh(self) -> None:
        """Show the policies as they are stored now; the choice and unsaved rules stay."""
        chosen = self.policy
        rows = list_policies(self._console.database)
        self._stack.setCurrentIndex(1 if rows else 0)
        self.policies.set_records(rows, keep_sort=True)
        if not (chosen and self.policies.choose(lambda p: p.name == chosen.name)) and rows:
            self.policies.selectRow(0)
        self.trial.refresh()
        self.measured.refresh()
        self._show_policy()

    def _show_policy(self) -> None:
        policy = self.policy
        self.results.show_policy(policy.name if policy else "")
        rows = list_policy_versions(self._console.database, policy.name) if policy else []
        self.versions.set_records(rows, keep_sort=True)
        if rows and not self.versions.selected_records():
            live = dict(policy.labels).get(PRODUCTION, rows[0].number) if policy else 0
            self.versions.choose(lambda v: v.number == live)
        self._show_version()

    def _show_version(self) -> None:
        chosen: list[PolicyVersionRow] = self.versions.selected_records()
        version = chosen[0] if chosen else None
        is_same = version is not None and self._shown is not None and version.id == self._shown.id
        if not is_same:
            self._shown = version
            self.rules.show_rules(version.rules if version else [])
        self.measured.show_version(version)
        self._show_changes(version)
        self._enable()

    def _show_changes(self, version: PolicyVersionRow | None) -> None:
        """Compare a version with the one before it."""
        self.changes.set_records([])
        known = [v.number for v in self.versions.records_model.records]
        earlier = [number for number in known if version is not None and number < version.number]
        if version is not None and earlier:
            self._console.run(
                operations.diff_policies, self._take_changes, name=version.policy, old=max(earlier),
                new=version.number,
            )  # fmt: skip

    def _take_changes(self, found: PolicyDiff) -> None:
        self.changes.set_records(found.changes)

    def _in_view(self) -> tuple[str, list[dict[str, Any]]]:
        policy = self.policy
        return policy.name if policy else "New policy", self.rules.rules

    def _enable(self) -> None:
        missing = "" if self._shown is not None else "Choose a version first."
        for made in (self.label_button, self.bind_button, self.back_button):
            allow(made, missing)
        self.rules.setEnabled(self._shown is not None)

    # --- changing -----------------------------------------------------------------------------------------

    def new(self) -> None:
        """Ask for a name, and make a policy of that name with one mild rule."""
        name, given = QInputDialog.getText(self, "New policy", "Name of the policy:")
        if given and name.strip():
            self._console.run(
                operations.save_policy, self._saved, name=name.strip(), rules=[NEW_RULE], message="New"
            )

    def save(self, rules: list[dict[str, Any]], message: str) -> None:
        """Save rules as a new version of the chosen policy."""
        policy = self.policy
        if policy is not None:
            self._console.run(
                operations.save_policy, self._saved, name=policy.name, rules=rules, message=message
            )

    def _saved(self, version: PolicyVersionRow) -> None:
        self._shown = None
        self.refresh()
        self.policies.choose(lambda p: p.name == version.policy)
        self.versions.choose(lambda v: v.number == version.number)
        self._show_version()
        self._console.notice.emit(
            f"Version {version.number} of “{version.policy}” was saved. The version labelled “production” "
            "acts on.", "info",
        )  # fmt: skip

    def _label_menu(self) -> None:
        version = self._shown
        if (
            version is not None
            and (move := pick_label_move(self, version.number, version.labels)) is not None
        ):
            self.move_label(version, *move)

    def move_label(self, version: PolicyVersionRow, name: str, number: int | None, note: str) -> None:
        """Give a label to version `number`, or take it away where that is None; the note is logged."""
        self._console.run(
            operations.set_policy_label, lambda _m: self._changed(), name=version.policy, label=name,
            number=number, note=note,
        )  # fmt: skip

    def roll_back(self) -> None:
        """Move the label “production” back to where it was before its last move."""
        if (policy := self.policy) is not None:
            self._console.run(operations.roll_back_policy, lambda _m: self._changed(), name=policy.name)

    def _bind_menu(self) -> None:
        policy = self.policy
        if policy is None:
            return
        menu = QMenu(self)
        names = [row.name for row in list_collections(self._console.database)]
        for name in ("", *names):
            action = menu.addAction(name.replace("&", "&&") or "All collections, and received traces")
            action.setCheckable(True)
            action.setChecked(name in policy.collections)
            action.setData(name)
        chosen = menu.exec(self.cursor().pos())
        if chosen is not None:
            self.bind(chosen.data(), chosen.isChecked())

    def bind(self, collection: str, is_bound: bool) -> None:
        """Let the chosen policy act on a collection ("": on all), or no longer."""
        if (policy := self.policy) is not None:
            self._console.run(
                operations.bind_policy, lambda _d: self._changed(), name=policy.name, collection=collection,
                is_bound=is_bound,
            )  # fmt: skip

    def _changed(self) -> None:
        self.refresh()
        if (policy := self.policy) is not None:
            self._console.notice.emit(f"“{policy.name}”: {policy.state}.", "info")

    def _more(self) -> None:
        menu = QMenu(self)
        export = menu.addAction("Export all to a folder…")
        take = menu.addAction("Import from a folder…")
        delete = menu.addAction("Delete this policy…")
        chosen = menu.exec(self.cursor().pos())
        if chosen in (export, take):
            folder = QFileDialog.getExistingDirectory(
                self, chosen.text(), str(QSettings().value("guardrails/folder", ""))
            )
            if folder:
                QSettings().setValue("guardrails/folder", folder)
                (self.export_to if chosen is export else self.import_from)(folder)
        elif chosen is delete and (policy := self.policy) is not None:
            confirm(
                self, "Delete a policy",
                f"Delete “{policy.name}” with {counted(policy.version_count, 'version')}? It acts no longer. "
                "What it found stays.", "Delete", lambda: self.delete(policy.name), destructive=True,
            )  # fmt: skip

    def delete(self, name: str) -> None:
        """Delete a policy."""
        self._console.run(operations.delete_policy, lambda _count: self.refresh(), name=name)

    def export_to(self, folder: str) -> None:
        """Write every version of every policy into a folder."""
        self._console.run(
            operations.export_policies,
            lambda written: self._console.notice.emit(
                f"{counted(len(written), 'file was', 'files were')} written to {folder}.", "info"
            ),
            target=Path(folder),
        )

    def import_from(self, folder: str) -> None:
        """Read the policies in a folder's files."""
        self._console.run(operations.import_policies, self._imported, source=Path(folder))

    def _imported(self, found: PolicyImport) -> None:
        self.refresh()
        problems = " ".join(found.problems[:3])
        kind = "bad" if found.problems else "info"
        self._console.notice.emit(f"{found.sentence()} {problems}".strip(), kind)
