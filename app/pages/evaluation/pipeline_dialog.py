"""The dialog for a pipeline: everything an answer depends on besides the question."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.evaluation.steps_editor import StepsEditor
from app.shared.setting_editor import Editor, make_editor, show_value, value_of
from app.widgets.labels import label, set_tip
from app.widgets.layout import dialog_buttons, scrolled
from app.widgets.theme import SPACE
from rag.knowledge.rows import list_collections, list_versions
from rag.prompts.rows import list_prompts
from rag.settings import GenerationSettings, RetrievalSettings

_KINDS = (("Answers questions", "answer"), ("Searches only, no model", "retrieval"))


class PipelineDialog(QDialog):
    """A form for a pipeline. `values` are those of PipelineConfig in rag.evaluation.pipelines."""

    def __init__(
        self, console: Console, parent: QWidget | None, name: str, config: dict[str, Any], new: bool
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("New pipeline" if new else f"New version of {name}")
        self.setMinimumSize(620, 560)
        self._console, self._config = console, config
        self._fields: dict[tuple[str, str], Editor] = {}
        self.name, self.message = QLineEdit(name), QLineEdit()
        self.name.setReadOnly(not new)
        self.message.setPlaceholderText("What is different, and why")
        self.collection, self.version = QComboBox(), QComboBox()
        self.prompt, self.model, self.kind = QComboBox(), QComboBox(), QComboBox()
        self.checks = QPlainTextEdit("\n".join(json.dumps(check) for check in config.get("checks", ())))
        self.checks.setPlaceholderText(
            'For every answer, one per line, as JSON: {"type": "length", "value": {"max": 600}}'
        )
        self.checks.setMinimumHeight(60)
        self._fill_boxes()
        first = QWidget()
        form = QFormLayout(first)
        form.setVerticalSpacing(8)
        for title, widget in (
            ("Name", self.name),
            ("Message", self.message),
            ("Collection", self.collection),
            ("Documents", self.version),
            ("Prompt", self.prompt),
            ("Model", self.model),
            ("Kind", self.kind),
            ("Checks", self.checks),
        ):
            form.addRow(title, widget)
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        tabs.addTab(first, "General")
        self.steps = StepsEditor(console, list(config.get("steps", ())))
        tabs.addTab(scrolled(self.steps), "Steps")
        tabs.addTab(scrolled(self._section("retrieval", RetrievalSettings)), "Search")
        tabs.addTab(scrolled(self._section("generation", GenerationSettings)), "Answering")
        self._wrong = label("", "bad", wrap=True)
        buttons = dialog_buttons(self, "Save", self._accept, QDialogButtonBox.StandardButton.Save)
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACE)
        layout.addWidget(tabs, 1)
        layout.addWidget(self._wrong)
        layout.addWidget(buttons)
        self.collection.currentIndexChanged.connect(lambda _i: self._fill_versions())

    def _fill_boxes(self) -> None:
        database, config = self._console.database, self._config
        for collection in list_collections(database):
            self.collection.addItem(collection.name, collection.name)
        self.collection.setCurrentIndex(max(self.collection.findData(config.get("collection")), 0))
        self._fill_versions()
        for prompt in list_prompts(database):
            self.prompt.addItem(f"{prompt.name}, in production (otherwise the newest)", prompt.name)
            for tag, number in prompt.labels:
                self.prompt.addItem(
                    f"{prompt.name}, label {tag} (now version {number})", f"{prompt.name}@{tag}"
                )
            for number in range(prompt.latest, max(prompt.latest - 12, 0), -1):
                self.prompt.addItem(f"{prompt.name}, version {number}", f"{prompt.name}@{number}")
        self.model.addItem("The active model", "")
        for model in self._console.models:
            self.model.addItem(model.name, model.path)
        for title, value in _KINDS:
            self.kind.addItem(title, value)
        for box, key in ((self.prompt, "prompt"), (self.model, "model"), (self.kind, "kind")):
            wanted = config.get(key, "")
            if wanted and box.findData(wanted) < 0:
                box.addItem(str(wanted), wanted)
            box.setCurrentIndex(max(box.findData(wanted), 0))

    def _fill_versions(self) -> None:
        wanted = self._config.get("version", "active")
        self.version.clear()
        self.version.addItem("The active version", "active")
        collection = next(
            (c for c in list_collections(self._console.database) if c.name == self.collection.currentData()),
            None,
        )
        for version in list_versions(self._console.database, collection.id) if collection else []:
            self.version.addItem(f"Version {version.number}   {version.message}"[:60], str(version.number))
        if self.version.findData(wanted) < 0:
            self.version.addItem(f"Tag {wanted}", wanted)
        self.version.setCurrentIndex(self.version.findData(wanted))

    def _section(self, section: str, settings: type[RetrievalSettings | GenerationSettings]) -> QWidget:
        holder = QWidget()
        form = QFormLayout(holder)
        form.setVerticalSpacing(8)
        present = settings.model_validate(self._config.get(section, {}))
        for key, field in settings.model_fields.items():
            editor = make_editor(field)
            show_value(editor, getattr(present, key))
            set_tip(editor, field.description or "")
            editor.setMinimumWidth(150)
            self._fields[section, key] = editor
            form.addRow(key.replace("_", " ").capitalize(), editor)
        return holder

    def values(self) -> dict[str, Any]:
        """Return the configuration. Raises ValueError with a sentence when something cannot be read."""
        values: dict[str, Any] = {
            "collection": self.collection.currentData() or "",
            "version": self.version.currentData(),
            "prompt": self.prompt.currentData(),
            "model": self.model.currentData(),
            "kind": self.kind.currentData(),
            "checks": [],
            "steps": self.steps.values(),
            "retrieval": {},
            "generation": {},
        }
        for line in self.checks.toPlainText().splitlines():
            if line.strip():
                try:
                    values["checks"].append(json.loads(line))
                except ValueError as error:
                    raise ValueError(f"A check is not valid JSON ({error}): {line[:60]}") from error
        for (section, key), editor in self._fields.items():
            values[section][key] = value_of(editor)
        return values

    def _accept(self) -> None:
        try:
            self.values()
        except ValueError as error:
            self._wrong.setText(str(error))
            return
        if not self.name.text().strip():
            self._wrong.setText("Give the pipeline a name.")
            return
        self.accept()
