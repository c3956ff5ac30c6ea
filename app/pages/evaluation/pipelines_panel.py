"""Pipelines: named ways to answer, their versions, and how two versions differ."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QInputDialog,
    QStackedWidget,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.pipeline_dialog import PipelineDialog
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label
from app.widgets.layout import EmptyState, Splitter, column, confirm, row
from app.widgets.name_menu import pick_label_move
from app.widgets.theme import SPACE
from rag import operations
from rag.evaluation.rows import PipelineVersionRow, list_pipeline_versions, list_pipelines
from rag.knowledge.rows import list_collections
from rag.text.plurals import counted

PIPELINE_COLUMNS = (
    Column("Pipeline", lambda p: p.name, 180, stretch=True, tooltip=lambda p: p.name),
    Column("Version", lambda p: str(p.number), 72, right=True, sort=lambda p: p.number),
)
VERSION_COLUMNS = (
    Column("#", lambda p: str(p.number), 40, right=True, sort=lambda p: p.number),
    Column("Made", lambda p: date_time(p.created_ms), 140, sort=lambda p: p.created_ms),
    Column("Message", lambda p: p.message, 200, stretch=True, tooltip=lambda p: p.message),
    Column("Labels", lambda p: ", ".join(p.labels), 130, colour=lambda p: "accent"),
    Column("Fingerprint", lambda p: p.fingerprint[:12], 104, tooltip=lambda p: p.fingerprint),
)
FIELD_COLUMNS = (
    Column("Field", lambda f: f[0], 250),
    Column("Before", lambda f: f[1], 240, stretch=True, tooltip=lambda f: f[1],
           colour=lambda f: "bad" if f[1] != f[2] else "text_muted"),
    Column("Version", lambda f: f[2], 240, tooltip=lambda f: f[2],
           colour=lambda f: "good" if f[1] != f[2] else None),
)  # fmt: skip


def flat(values: dict[str, Any], before: str = "") -> dict[str, str]:
    """Return nested values by keys such as retrieval.max_passages."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found.update(flat(value, f"{before}{key}."))
        else:
            found[before + key] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found


class PipelinesPanel(QWidget):
    """A panel with the pipelines on the left, and versions and fields of the chosen one on the right."""

    report_wanted = Signal(str)  # name of the pipeline that an evidence report is to be about

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        theme = console.theme
        self.pipelines = RecordTable(PIPELINE_COLUMNS, theme, "pipelines")
        self.versions = RecordTable(VERSION_COLUMNS, theme, "pipeline_versions")
        self.versions.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.fields = RecordTable(FIELD_COLUMNS, theme, "pipeline_fields")
        self.difference = label("", "muted")
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                theme,
                "settings",
                "No pipeline yet",
                "A pipeline is everything an answer depends on besides the question: documents, search "
                "settings, prompt, model and sampling. Save the current settings as one, change a "
                "copy, and compare both.",
                button("Save a pipeline…", self.save_present, primary=True),
            )
        )
        fields = column(self.difference, (self.fields, 1))
        shown = Splitter("evaluation/fields", self.versions, fields, (160, 380), vertical=True)
        self._stack.addWidget(Splitter("evaluation/pipelines", self.pipelines, shown, (310, 800)))
        column(
            row(
                button("Save the current settings…", self.save_present),
                button("New version…", self.edit, tip="Change a copy of the chosen version"),
                button("Copy…", self.copy, tip="Make a new pipeline from the chosen version"),
                button("Label…", self.label_menu, tip="For example production or staging"),
                1,
                button("Delete…", self.delete),
            ),
            (self._stack, 1),
            holder=self,
            top=SPACE,
        )
        self.pipelines.actions_for = lambda records: [
            ("Evidence report…", lambda: self.report_wanted.emit(records[0].name))
        ]
        self.pipelines.record_selected.connect(lambda _p: self._show_versions())
        self.versions.selectionModel().selectionChanged.connect(lambda _n, _o: self._show_fields())
        self.versions.doubleClicked.connect(lambda _i: self.edit())
        console.data_changed.connect(self.refresh)
        self.refresh()

    @property
    def current(self) -> PipelineVersionRow | None:
        """The chosen version, or the newest one of the chosen pipeline."""
        chosen = self.versions.selected_records() or self.pipelines.selected_records()
        return chosen[0] if chosen else None

    def refresh(self) -> None:
        """Show the pipelines as they are stored now; the choice stays."""
        chosen = self.pipelines.selected_records()
        rows = list_pipelines(self._console.database)
        self._stack.setCurrentIndex(1 if rows else 0)
        self.pipelines.set_records(rows, keep_sort=True)
        if not (chosen and self.choose(chosen[0].name)) and rows:
            self.pipelines.selectRow(0)
        self._show_versions()

    def choose(self, name: str) -> bool:
        """Choose a pipeline; False when there is none of that name."""
        return self.pipelines.choose(lambda p: p.name == name)

    def _show_versions(self) -> None:
        chosen = self.pipelines.selected_records()
        self.versions.set_records(
            list_pipeline_versions(self._console.database, chosen[0].name) if chosen else []
        )
        if chosen:
            self.versions.selectRow(0)

    def _show_fields(self) -> None:
        """Show how two chosen versions differ, or one from the version before it."""
        chosen = sorted(self.versions.selected_records(), key=lambda v: v.number)
        if not chosen:
            self.fields.set_records([])
            return
        new = chosen[-1]
        known = sorted(self.versions.records_model.records, key=lambda v: v.number)
        earlier = [v for v in known if v.number < new.number]
        old = chosen[0] if len(chosen) > 1 else earlier[-1] if earlier else new
        before, after = flat(json.loads(old.config)), flat(json.loads(new.config))
        keys = sorted({**before, **after}, key=lambda k: (before.get(k) == after.get(k), k))
        differing = sum(before.get(key) != after.get(key) for key in keys)
        self.difference.setText(
            f"Version {new.number}"
            + (
                f" against version {old.number}: {counted(differing, 'field differs', 'fields differ')}"
                if old is not new
                else ", the first one"
            )
        )
        # There is nothing before the first version.
        self.fields.set_records(
            [(key, before.get(key, "") if old is not new else "", after.get(key, "")) for key in keys]
        )

    # --- changing -----------------------------------------------------------------------------------------

    def save_present(self) -> None:
        """Make a pipeline of the current settings and a collection."""
        collections = [c.name for c in list_collections(self._console.database)]
        if not collections:
            self._console.notice.emit("There are no collections yet. Add documents first.", "info")
            return
        name, given = (
            (collections[0], True)
            if len(collections) == 1
            else QInputDialog.getItem(self, "Pipeline", "For the collection:", collections, 0, False)
        )
        if given:
            self._console.run(
                operations.present_pipeline,
                lambda config: self._open("", config, new=True),
                collection=name,
            )

    def edit(self) -> None:
        """Open the form for a new version of the chosen pipeline."""
        if (current := self.current) is not None:
            self._open(current.name, json.loads(current.config), new=False)

    def copy(self) -> None:
        """Open the form for a new pipeline that begins as the chosen version."""
        if (current := self.current) is not None:
            self._open(f"{current.name} (copy)", json.loads(current.config), new=True)

    def _open(self, name: str, config: dict[str, Any], *, new: bool) -> None:
        dialog = PipelineDialog(self._console, self, name, config, new)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self.save(dialog.name.text().strip(), dialog.values(), dialog.message.text().strip())

    def save(self, name: str, values: dict[str, Any], message: str = "") -> None:
        """Save a version of a pipeline, made if there is none."""
        self._console.run(
            operations.store_pipeline,
            lambda number: self._saved(name, number),
            name=name,
            values=values,
            message=message,
        )

    def _saved(self, name: str, number: int) -> None:
        self.refresh()
        self.choose(name)
        self._console.notice.emit(f"Version {number} of “{name}” was saved.", "info")

    def label_menu(self) -> None:
        """Move a label to the chosen version, or take it away, from a menu."""
        current = self.current
        if current is None:
            return
        if (move := pick_label_move(self, current.number, current.labels)) is not None:
            self.set_label(current, *move)

    def set_label(self, pipeline: PipelineVersionRow, label_name: str, number: int | None, note: str) -> None:
        """Give a label to version `number`, or take it away where that is None; the note is logged."""
        self._console.run(
            operations.set_pipeline_label,
            lambda _m: self.refresh(),
            name=pipeline.name,
            label=label_name,
            number=number,
            note=note,
        )

    def delete(self) -> None:
        """Delete the chosen pipeline after a yes."""
        current = self.current
        if current is not None:
            confirm(
                self,
                "Delete a pipeline",
                f"Delete “{current.name}” with all its versions? Its runs stay. This cannot be undone.",
                "Delete",
                lambda: self._console.run(
                    operations.delete_pipeline, lambda _none: self.refresh(), name=current.name
                ),
                destructive=True,
            )
