"""Prompts: numbered versions that never change, labels that name the one in use, an editor with a preview."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, QSignalBlocker, QTimer
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.shared.diff_view import DiffView
from app.widgets.buttons import Toolbar, allow, button
from app.widgets.item_models import Column, RecordTable, date_time
from app.widgets.labels import label, set_tip
from app.widgets.layout import Splitter, column, confirm, row
from app.widgets.name_menu import pick_label_move
from app.widgets.theme import SMALL_SPACE, SPACE
from rag import operations
from rag.asking.rows import TraceFilter, list_traces
from rag.knowledge.rows import ChunkChange, ChunkChangeKind, ChunkRow
from rag.prompts.rows import (
    PromptImport,
    PromptPreview,
    PromptRow,
    PromptVersionRow,
    list_label_moves,
    list_prompt_versions,
    list_prompts,
    unused_passages,
)
from rag.text.plurals import counted
from rag.text.word_diff import word_diff

_PAUSE_MS = 350  # typing has paused: draw the preview
_RECENT = 40


def _labels(prompt: PromptRow) -> str:
    return ", ".join(f"{name} {number}" for name, number in prompt.labels)


PROMPT_COLUMNS = (
    Column("Prompt", lambda p: p.name, 120, stretch=True, tooltip=lambda p: p.description or p.name),
    Column("Versions", lambda p: str(p.version_count), 78, right=True, sort=lambda p: p.version_count),
    Column("Labels", _labels, 120, tooltip=_labels, colour=lambda p: "accent"),
)
VERSION_COLUMNS = (
    Column("#", lambda v: str(v.number), 38, right=True, sort=lambda v: v.number),
    Column("Made", lambda v: date_time(v.created_ms), 138, sort=lambda v: v.created_ms),
    Column(
        "Message",
        lambda v: v.message,
        180,
        stretch=True,
        tooltip=lambda v: f"{v.message}\n{v.notes}\nby {v.author}".strip(),
    ),
    Column("Labels", lambda v: ", ".join(v.labels), 96, colour=lambda v: "accent"),
)
MOVE_COLUMNS = (
    Column("When", lambda m: date_time(m.moved_ms), 140, sort=lambda m: m.moved_ms),
    Column("Label", lambda m: m.label, 100),
    Column("From", lambda m: str(m.from_number or "–"), 56, right=True),
    Column("To", lambda m: str(m.to_number or "removed"), 70, right=True),
    Column("By", lambda m: m.author, 100),
    Column("Why", lambda m: m.note, 240, stretch=True, tooltip=lambda m: m.note),
)


class PromptsPage(QWidget):
    """A page with prompts and versions on the left; text, differences and the log of labels on the right."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._shown: PromptVersionRow | None = None
        theme = console.theme
        self.prompts = RecordTable(PROMPT_COLUMNS, theme, "prompts")
        self.versions = RecordTable(VERSION_COLUMNS, theme, "prompt_versions")
        self.versions.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.moves = RecordTable(MOVE_COLUMNS, theme, "prompt_moves", "No label was moved yet.")
        self.system, self.user = QPlainTextEdit(), QPlainTextEdit()
        self.preview = QPlainTextEdit()
        self.preview.setReadOnly(True)
        for editor, name in (
            (self.system, "System part"),
            (self.user, "User part"),
            (self.preview, "Preview"),
        ):
            editor.setAccessibleName(name)
        self.question = QComboBox()
        self.question.setAccessibleName("Question of the preview")
        self.question.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.question.setMinimumContentsLength(12)  # a long question must not decide how wide the page is
        line = QLineEdit()
        self.question.setLineEdit(line)
        line.setPlaceholderText("Type a question, or choose one that was asked")
        set_tip(line, line.placeholderText())
        line.setAccessibleName("Question of the preview")
        self.facts, self.wrong = label("", "small", wrap=True), label("", "bad", wrap=True)
        self.message = QLineEdit()
        self.message.setPlaceholderText("What is different, and why")
        self.message.setAccessibleName("Message of the new version")
        self.save_button = button("Save as a new version", self.save, primary=True, tip="Ctrl+S")
        self.revert_button = button("Revert", self.revert)
        self.label_button = button(
            "Label…", self._label_menu, tip="The version labelled “production” is used for answers"
        )
        self.back_button = button(
            "Roll back", self.roll_back, tip="Move “production” back to where it was before its last move"
        )
        self.diff = DiffView(theme, lambda chunk: chunk.place)
        self._timer = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._timer.timeout.connect(self._ask_preview)
        self._build()
        self.prompts.record_selected.connect(lambda _p: self._show_versions())
        self.versions.selectionModel().selectionChanged.connect(lambda _n, _o: self._show_version())
        for editor in (self.system, self.user):
            editor.textChanged.connect(self._timer.start)
            editor.textChanged.connect(self._enable)
        self.question.currentTextChanged.connect(lambda _t: self._timer.start())
        self.message.textChanged.connect(lambda _t: self._enable())
        QShortcut(QKeySequence.StandardKey.Save, self, self.save)
        console.data_changed.connect(self.refresh)
        self.refresh()

    def _build(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for title, widget in (
            ("Text", self._make_editor()),
            ("What differs", self.diff),
            ("Labels moved", self.moves),
        ):
            self.tabs.addTab(widget, title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        outer.addWidget(Splitter("prompts/splitter", self._make_lists(), self.tabs, (420, 780)))

    def _make_lists(self) -> QWidget:
        return Splitter(
            "prompts/lists",
            column(row(button("New…", self.new), button("More", self._more), 1), (self.prompts, 1)),
            column(Toolbar(self.label_button, self.back_button, 1), (self.versions, 1)),
            (180, 360),
            vertical=True,
        )

    def _make_editor(self) -> QWidget:
        texts = Splitter(
            "prompts/parts",
            column(label("System part", "section"), (self.system, 1)),
            column(label("User part", "section"), (self.user, 1)),
            (1, 1),
            vertical=True,
        )
        preview = column(label("Preview", "section"), self.question, (self.preview, 1), self.facts)
        return column(
            (Splitter("prompts/preview", texts, preview, (440, 380)), 1),
            self.wrong,
            row(self.message, self.revert_button, self.save_button),
            top=SMALL_SPACE,
        )

    # --- what is shown ------------------------------------------------------------------------------------

    @property
    def prompt(self) -> PromptRow | None:
        """The chosen prompt."""
        records: list[PromptRow] = self.prompts.selected_records()
        return records[0] if records else None

    @property
    def is_changed(self) -> bool:
        """Whether the text differs from that of the version shown."""
        shown = self._shown
        texts = (self.system.toPlainText().strip(), self.user.toPlainText().strip())
        return shown is not None and texts != (shown.system, shown.user)

    def refresh(self) -> None:
        """Show the prompts as they are stored now; the choice and unsaved text stay."""
        chosen = self.prompt
        rows = list_prompts(self._console.database)
        self.prompts.set_records(rows, keep_sort=True)
        if not (chosen and self.prompts.choose(lambda p: p.name == chosen.name)) and rows:
            self.prompts.selectRow(0)
        self._fill_questions()
        if not self.is_changed:
            self._show_versions()

    def _fill_questions(self) -> None:
        """Offer the questions asked lately; what was typed stays, even if it was never asked."""
        typed = self.question.currentText()
        with QSignalBlocker(self.question):
            self.question.clear()
            for trace in list_traces(self._console.database, TraceFilter(source="person"), _RECENT):
                self.question.addItem(trace.question, trace.id)
            if typed:
                self.question.setCurrentIndex(self.question.findText(typed))
                self.question.setEditText(typed)

    def _show_versions(self) -> None:
        prompt = self.prompt
        if prompt is None:
            return
        database = self._console.database
        if (
            self.is_changed
            and self._shown is not None
            and self._shown.prompt != prompt.name
            and not self._may_leave()
        ):
            self.prompts.choose(lambda p: p.name == self._shown.prompt if self._shown else False)
            return
        self.versions.set_records(list_prompt_versions(database, prompt.name))
        self.moves.set_records(list_label_moves(database, prompt.name))
        production = dict(prompt.labels).get("production", prompt.latest)
        if not self.versions.selected_records():
            self.versions.choose(lambda v: v.number == production)
        self._show_version()

    def _show_version(self) -> None:
        """Show one version in the editor and against the one before it; two against each other."""
        chosen = sorted(self.versions.selected_records(), key=lambda v: v.number)
        if not chosen:
            return
        new = chosen[-1]
        if self._shown is None or self._shown.id != new.id:
            if self.is_changed and not self._may_leave():
                return
            self._shown = new
            self._set_text(new)
        known = sorted(self.versions.records_model.records, key=lambda v: v.number)
        earlier = [v for v in known if v.number < new.number]
        old = chosen[0] if len(chosen) > 1 else earlier[-1] if earlier else new
        self.diff.show_changes(
            [
                _part_change("System part", old, new, old.system, new.system),
                _part_change("User part", old, new, old.user, new.user),
            ]
        )
        self._enable()

    def _set_text(self, version: PromptVersionRow) -> None:
        self.system.setPlainText(version.system)
        self.user.setPlainText(version.user)
        self.message.clear()
        self._timer.start()

    def _may_leave(self) -> bool:
        return (
            QMessageBox.question(
                self,
                "Unsaved text",
                "The text was changed and is not saved as a version. Discard the changes?",
                QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
                QMessageBox.StandardButton.No,
            )
            == QMessageBox.StandardButton.Yes
        )

    def _enable(self) -> None:
        unchanged = "" if self.is_changed else "The text is that of the version shown."
        allow(self.save_button, unchanged)
        allow(self.revert_button, unchanged)
        chosen = len(self.versions.selected_records())
        allow(self.label_button, "" if chosen == 1 else "Choose one version first.")
        moves = [move for move in self.moves.records_model.records if move.label == "production"]
        moved = any(move.from_number is not None for move in moves)
        allow(self.back_button, "" if moved else "The label “production” was never moved.")

    def _ask_preview(self) -> None:
        typed = self.question.currentText().strip()
        place = self.question.findText(typed)
        trace_id = self.question.itemData(max(place, 0)) if self.question.count() else ""
        self._console.run(
            operations.preview_prompt,
            self._show_preview,
            system=self.system.toPlainText(),
            user=self.user.toPlainText(),
            question=typed,
            trace_id=trace_id or "",
        )

    def _show_preview(self, found: PromptPreview) -> None:
        self.wrong.setText(found.error)
        self.wrong.setVisible(bool(found.error))
        if not found.error:
            self.preview.setPlainText(found.text)
        tokens = (
            "load a model to count tokens"
            if found.tokens is None
            else f"{counted(found.tokens, 'token')} in {found.model}"
        )
        passages = (
            f"with {counted(found.passages, 'passage')} of an earlier answer"
            if found.passages
            else "without passages: choose a question that was answered"
        )
        self.facts.setText(
            f"Variables: {', '.join(found.variables) or 'none'}   ·   {tokens}   ·   {passages}"
            + (f"\n{notice}" if (notice := unused_passages(found.variables)) and not found.error else "")
        )

    # --- changing -----------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save the text as a new version, if it was changed."""
        prompt = self.prompt
        if prompt is None or not self.is_changed:
            return
        self._console.run(
            operations.save_prompt,
            self._saved,
            name=prompt.name,
            system=self.system.toPlainText(),
            user=self.user.toPlainText(),
            message=self.message.text().strip(),
        )

    def _saved(self, version: PromptVersionRow) -> None:
        self._shown = version
        self._set_text(version)
        self.refresh()
        self._show_versions()
        self.versions.choose(lambda v: v.number == version.number)
        self._console.notice.emit(
            f"Version {version.number} of “{version.prompt}” was saved. "
            "The version labelled “production” stays in use."
            + (f" {notice}" if (notice := unused_passages(version.variables)) else ""),
            "info",
        )

    def revert(self) -> None:
        """Show the text of the version again, without the changes."""
        if self._shown is not None:
            self._set_text(self._shown)

    def new(self) -> None:
        """Ask for a name, and make a prompt of that name with the text of the version shown."""
        name, given = QInputDialog.getText(self, "New prompt", "Name of the prompt:")
        shown = self._shown
        if given and name.strip() and shown is not None:
            self._console.run(
                operations.save_prompt,
                self._made,
                name=name.strip(),
                system=shown.system,
                user=shown.user,
                message=f"Copy of {shown.prompt} {shown.number}",
            )

    def _made(self, version: PromptVersionRow) -> None:
        self.refresh()
        self.prompts.choose(lambda p: p.name == version.prompt)

    def _label_menu(self) -> None:
        chosen = self.versions.selected_records()
        if len(chosen) != 1:
            self._console.notice.emit("Choose one version first.", "info")
            return
        (version,) = chosen
        if (move := pick_label_move(self, version.number, version.labels)) is not None:
            self.move_label(version, *move)

    def move_label(self, version: PromptVersionRow, name: str, number: int | None, note: str) -> None:
        """Give a label to version `number`, or take it away where that is None; the note is logged."""
        self._console.run(
            operations.set_prompt_label,
            lambda _m: self._moved(),
            name=version.prompt,
            label=name,
            number=number,
            note=note,
        )

    def roll_back(self) -> None:
        """Move the label “production” back to where it was before its last move."""
        prompt = self.prompt
        if prompt is not None:
            self._console.run(
                operations.roll_back_prompt_label,
                lambda _m: self._moved(),
                name=prompt.name,
                label="production",
            )

    def _moved(self) -> None:
        self.refresh()
        self._show_versions()
        if self.moves.records_model.records:
            move = self.moves.records_model.records[0]
            where = f"is now at version {move.to_number}" if move.to_number else "was removed"
            self._console.notice.emit(f"The label “{move.label}” {where}.", "info")
        self._console.data_changed.emit()

    def _more(self) -> None:
        menu = QMenu(self)
        export = menu.addAction("Export all to a folder…")
        take = menu.addAction("Import from a folder…")
        delete = menu.addAction("Delete this prompt…")
        chosen = menu.exec(self.cursor().pos())
        if chosen in (export, take):
            folder = QFileDialog.getExistingDirectory(
                self, chosen.text(), str(QSettings().value("prompts/folder", ""))
            )
            if folder:
                QSettings().setValue("prompts/folder", folder)
                (self.export_to if chosen is export else self.import_from)(folder)
        elif chosen is delete and (prompt := self.prompt) is not None:
            versions = counted(prompt.version_count, "version")
            confirm(
                self,
                "Delete a prompt",
                f"Delete “{prompt.name}” with {versions}? This cannot be undone.",
                "Delete",
                lambda: self._delete(prompt.name),
                destructive=True,
            )

    def _delete(self, name: str) -> None:
        self._console.run(operations.delete_prompt, lambda _count: self.refresh(), name=name)

    def export_to(self, folder: str) -> None:
        """Write every prompt into a folder, one file each."""
        self._console.run(
            operations.export_prompts,
            lambda written: self._console.notice.emit(
                f"{counted(len(written), 'prompt was', 'prompts were')} written to {folder}.", "info"
            ),
            folder=Path(folder),
        )

    def import_from(self, folder: str) -> None:
        """Read the prompts in a folder's files; those that differ become new versions."""
        self._console.run(operations.import_prompts, self._imported, folder=Path(folder))

    def _imported(self, found: PromptImport) -> None:
        self.refresh()
        self._show_versions()
        self._console.notice.emit(
            " ".join((found.sentence(), *found.problems[:3])), "bad" if found.problems else "info"
        )


def _part_change(
    part: str, old: PromptVersionRow, new: PromptVersionRow, before: str, after: str
) -> ChunkChange:
    """Return how one part of a prompt differs between two versions, as the view of differences takes it."""
    return ChunkChange(
        ChunkChangeKind.SAME if before == after else ChunkChangeKind.CHANGED,
        ChunkRow(0, 0, 0, len(before), before, 0, f"{part}, version {old.number}"),
        ChunkRow(0, 0, 0, len(after), after, 0, f"{part}, version {new.number}"),
        word_diff(before, after),
    )
