"""Models: the GGUF files on this computer, what they need, and trying them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.engine.client import Task
from app.pages.models.endpoint_panel import BorderPanel, ConnectDialog, EndpointPanel
from app.pages.models.get_dialog import GetModelDialog
from app.shared.setting_editor import DefaultMark
from app.widgets.buttons import button
from app.widgets.item_models import Column, RecordTable
from app.widgets.labels import KeyValueGrid, label, set_tip
from app.widgets.layout import Panel, Splitter, column, row, scrolled
from app.widgets.theme import SPACE
from rag import operations
from rag.asking.rows import AnswerRestarted, TokenStreamed
from rag.models.endpoints.rows import Endpoint
from rag.models.rows import (
    ModelEntry,
    ModelHeader,
    ModelKind,
    ModelState,
    ModelTest,
    forecast_memory,
    free_memory_bytes,
    memory_sentence,
)
from rag.settings import ChatTemplate

# Of "How it runs": setting, title, lowest and highest value, step.
_FIELDS = (
    ("context", "Context", 512, 1_048_576, 512),
    ("gpu_layers", "GPU layers (-1: all)", -1, 1000, 1),
    ("threads", "Threads (0: automatic)", 0, 256, 1),
    ("max_answer_tokens", "Maximum answer tokens", 8, 16384, 32),
    ("max_thinking_tokens", "Maximum thinking tokens", 0, 32768, 128),
    ("temperature", "Temperature", 0.0, 2.0, 0.1),
    ("top_p", "Top-p", 0.01, 1.0, 0.05),
    ("seed", "Seed", 0, 2**31 - 1, 1),
)


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"


MODEL_COLUMNS = (
    Column("Name", lambda m: m.name + (" (demo model)" if m.origin == "starter" else ""), 240, stretch=True,
           tooltip=lambda m: m.problem or m.path, colour=lambda m: "bad" if m.problem else None),
    Column("From", lambda m: m.origin, 92),
    Column("Architecture", lambda m: _architecture(m), 92,
           colour=lambda m: "check" if m.sent_to else None if m.can_answer else "bad",
           tooltip=lambda m: m.problem or m.note),
    Column("Quant", lambda m: m.header.quantisation if m.header else "", 70),
    Column("Parameters", lambda m: f"{m.header.parameter_count / 1e6:,.0f} M" if m.header else "", 86,
           right=True, sort=lambda m: m.header.parameter_count if m.header else 0),
    Column("Size", lambda m: _gib(m.header.size_bytes) if m.header else "", 72, right=True,
           sort=lambda m: m.header.size_bytes if m.header else 0),
)  # fmt: skip


_OWN_TEMPLATE = "The file's own"


def _architecture(entry: ModelEntry) -> str:
    if entry.endpoint:
        return f"at {entry.sent_to}" if entry.sent_to else "on this computer"
    if entry.header is None:
        return "unusable"
    is_model = entry.header.kind is ModelKind.LANGUAGE_MODEL
    return entry.header.architecture if is_model else entry.header.kind.capitalize()


class ModelsPage(QWidget):
    """A page with the list of models and, beside it, the chosen one: its facts, its settings, a try."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._task: Task | None = None
        self._loaded = ModelState()
        self.table = RecordTable(
            MODEL_COLUMNS,
            console.theme,
            "models",
            "No models yet. Add a GGUF file, or drop one on this window.",
        )
        self.facts = KeyValueGrid()
        self.note = label("", "warning", wrap=True)
        self.template = QComboBox()
        self.template.setAccessibleName("Chat template")
        self.template.addItem(_OWN_TEMPLATE, "")
        for name in get_args(ChatTemplate):
            self.template.addItem(name, name)
        self.template.activated.connect(lambda _index: self._choose_template())
        self.memory = label("", "muted", wrap=True)
        self.state = label("No model is loaded.", "muted", wrap=True)
        self.prompt, self.output = QPlainTextEdit(), QPlainTextEdit(readOnly=True)
        self.speed = label("", "small")
        self._fields: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self.marks: dict[str, DefaultMark] = {}
        splitter = Splitter(
            "models/splitter", self._make_list(), self._make_detail(), (640, 500), stretch=(1, 0)
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        layout.addWidget(splitter)
        console.models_changed.connect(self.refresh)
        console.settings_changed.connect(self._fill_settings)
        console.model_state_changed.connect(self.show_state)
        self.table.record_selected.connect(lambda _record: self._show_model())
        self.table.actions_for = self._actions
        self._fill_settings()
        self.refresh()
        console.run(operations.model_state, console.model_state_changed.emit)

    def refresh(self) -> None:
        """Show the models as they are known now; the choice stays."""
        chosen = self.current.path if self.current else ""
        self.table.set_records(self._console.models, keep_sort=True)
        if not self.table.choose(lambda entry: entry.path == chosen) and self._console.models:
            self.table.selectRow(0)
        self._show_model()

    @property
    def current(self) -> ModelEntry | None:
        """The chosen model."""
        records: list[ModelEntry] = self.table.selected_records()
        return records[0] if records else None

    def add_files(self, paths: list[str]) -> None:
        """Remember GGUF files, as from a drop."""
        for path in paths:
            self._console.run(operations.add_model, self._added, path=path)

    def show_state(self, state: ModelState) -> None:
        """Say which model is loaded, and what it took."""
        self._loaded = state
        if not state.name:
            self.state.setText("No model is loaded. The first question loads the active one.")
        else:
            parts = [f"Loaded: {state.name}", f"context {state.context:,}"]
            if state.memory_bytes:
                parts.append(f"{_gib(state.memory_bytes)}, loaded in {state.load_ms / 1000:.1f} s")
            self.state.setText("   ·   ".join(parts))
        self.unload_button.setEnabled(bool(state.name))

    def _make_list(self) -> QWidget:
        panel = Panel("Models")
        panel.body.addWidget(self.table, 1)
        panel.body.addLayout(
            row(
                button("Add file…", self._add_file, primary=True),
                button("Add folder…", self._add_folder),
                button("Connect…", self._connect, tip="Use a model that a server offers"),
                button("Get a model…", self.get_model, tip="Choose one, and download it into your folder"),
                button("Rescan", self._console.refresh_models, tip="Look for new files in all known folders"),
                1,
            )
        )
        note = (
            "Files in the folders of LM Studio, Ollama and the Hugging Face cache are listed as well. "
            "Files stay where they are."
        )
        panel.body.addWidget(label(note, "small", wrap=True))
        return panel

    def _make_detail(self) -> QWidget:
        about = Panel("Model")
        self.endpoint = EndpointPanel(self._console)
        self.endpoint.changed.connect(self._console.refresh_models)
        self.border = BorderPanel(self._console)
        about.body.addWidget(self.facts)
        about.body.addWidget(self.note)
        about.body.addLayout(row(label("Chat template", "muted"), self.template, 1))
        about.body.addWidget(self.memory)
        self.load_button = button("Load", self._load, primary=True)
        self.unload_button = button("Unload", self._unload)
        self.sha_button = button("Compute sha256", self._sha256)
        about.body.addLayout(row(self.load_button, self.unload_button, self.sha_button, 1))
        about.body.addWidget(self.state)
        parts = (about, self.endpoint, self.border, self._make_settings(), self._make_test())
        return scrolled(column(*parts, 1, right=4, spacing=SPACE))

    def _make_settings(self) -> QWidget:
        panel = Panel("How it runs")
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setHorizontalSpacing(SPACE)
        for key, title, low, high, step in _FIELDS:
            field = _number_field(low, high, step)
            field.setAccessibleName(title)
            setting = type(self._console.settings.generation).model_fields[key]
            set_tip(field, setting.description or "")
            change = partial(self._change, key)
            field.valueChanged.connect(change)
            mark = DefaultMark(self._console.theme, title, setting.default, partial(change, setting.default))
            self._fields[key], self.marks[key] = field, mark
            form.addRow(title, row((field, 1), mark))
        panel.body.addLayout(form)
        return panel

    def _make_test(self) -> QWidget:
        panel = Panel("Try it")
        self.prompt.setPlainText("Name three uses of a thermometer.")
        self.prompt.setAccessibleName("Test prompt")
        self.prompt.setAcceptDrops(False)
        self.prompt.setFixedHeight(48)
        self.output.setAccessibleName("Test output")
        self.output.setFixedHeight(110)
        self.output.setPlaceholderText("The answer appears here.")
        self.test_button = button("Run", self._test)
        panel.body.addWidget(self.prompt)
        panel.body.addLayout(row(self.test_button, self.speed, 1))
        panel.body.addWidget(self.output)
        return panel

    def _fill_settings(self) -> None:
        for key, field in self._fields.items():
            with QSignalBlocker(field):
                value = getattr(self._console.settings.generation, key)
                field.setValue(value)
            self.marks[key].show_value(value)
        self._show_model()

    def _show_model(self) -> None:
        entry = self.current
        header = entry.header if entry else None
        self.endpoint.show_endpoint(entry.endpoint if entry else "")
        self.border.refresh()
        self.load_button.setText("Use" if entry and entry.endpoint else "Load")
        self.load_button.setEnabled(entry is not None and entry.can_answer)
        self.note.setText((entry.problem or entry.note) if entry and header else "")
        self.note.setVisible(bool(self.note.text()))
        self.template.setEnabled(header is not None and header.kind is ModelKind.LANGUAGE_MODEL)
        self.template.setCurrentIndex(max(self.template.findData(entry.chat_template if entry else ""), 0))
        self.sha_button.setEnabled(header is not None)
        self.unload_button.setEnabled(bool(self._loaded.name))
        if entry is None or header is None:
            is_file = entry is not None and not entry.endpoint
            facts = [("File", entry.path), ("Problem", entry.problem)] if entry and is_file else []
            self.facts.set_pairs(facts)
            self.memory.clear()
            return
        self.facts.set_pairs(_facts(header))
        context = min(self._console.settings.generation.context, header.context_length or 1 << 30)
        forecast = forecast_memory(header, context)
        self.memory.setText(
            f"With a context of {context:,} tokens it {memory_sentence(header, context)}  "
            f"Weights {_gib(forecast.weights)}, KV cache {_gib(forecast.kv_cache)}, compute "
            f"{_gib(forecast.compute)}."
        )
        free = free_memory_bytes()
        self.memory.setProperty("role", "bad" if free is not None and forecast.total > free else "muted")
        self.memory.style().polish(self.memory)

    def _choose_template(self) -> None:
        if self.current is not None:
            self._console.run(
                operations.choose_template,
                self._template_chosen,
                model=self.current.path,
                template=self.template.currentData(),
            )

    def _template_chosen(self, entry: ModelEntry) -> None:
        self._console.run(operations.read_settings, self._console.take_settings)
        self._console.refresh_models()

    def _change(self, key: str, value: float) -> None:
        self._console.change_settings("generation", key, value)

    def _load(self) -> None:
        if self.current is None or self._task is not None:
            return
        self.state.setText("Loading…")
        self.load_button.setEnabled(False)
        task = self._console.run(
            operations.load_model.titled(f"Load {self.current.name}"),
            self._console.model_state_changed.emit,
            path=self.current.path,
        )
        task.failed.connect(lambda sentence, _details: self.state.setText(sentence))
        task.finished.connect(
            lambda _state: self._console.run(operations.read_settings, self._console.take_settings)
        )
        task.ended.connect(lambda: self.load_button.setEnabled(True))

    def _unload(self) -> None:
        self._console.run(operations.unload_model, self._console.model_state_changed.emit)

    def _sha256(self) -> None:
        if self.current is not None:
            entry = self.current
            self.sha_button.setEnabled(False)
            task = self._console.run(
                operations.model_sha256,
                lambda value: self.state.setText(f"sha256 of {entry.name}: {value}"),
                path=entry.path,
            )
            task.ended.connect(lambda: self.sha_button.setEnabled(True))

    def _test(self) -> None:
        if self._task is not None:
            self._task.cancel()
            return
        self.output.clear()
        self.speed.setText("Loading…")
        self.test_button.setText("Stop")
        task = self._console.run(operations.try_model, self._tested, prompt=self.prompt.toPlainText())
        self._task = task
        task.event.connect(self._test_event)
        task.ended.connect(self._test_ended)

    def _test_event(self, event: object) -> None:
        if isinstance(event, TokenStreamed) and event.is_thinking:
            self.speed.setText(f"thinking, {event.token_count} tokens")
        elif isinstance(event, TokenStreamed):
            self.output.insertPlainText(event.text)
            self.speed.setText(f"{event.token_count} tokens")
        elif isinstance(event, AnswerRestarted):
            self.output.clear()

    def _tested(self, result: ModelTest) -> None:
        self.speed.setText(
            f"{result.tokens_per_s:.1f} tokens/s written, {result.read_tokens_per_s:.0f} tokens/s read "
            f"({result.prompt_tokens} + {result.completion_tokens} tokens"
            + (f", {result.thinking_tokens} of thinking)" if result.thinking_tokens else ")")
        )

    def _test_ended(self) -> None:
        self._task = None
        self.test_button.setText("Run")
        self._console.run(operations.model_state, self._console.model_state_changed.emit)

    def _actions(self, records: list[ModelEntry]) -> list[tuple[str, Callable[[], None]]]:
        added = [record for record in records if record.origin == "added"]
        return [("Remove from the list", lambda: self._forget(added))] if added else []

    def _forget(self, entries: list[ModelEntry]) -> None:
        for entry in entries:
            self._console.run(
                operations.forget_model, lambda _none: self._console.refresh_models(), path=entry.path
            )

    def _added(self, entry: ModelEntry) -> None:
        if entry.problem:
            self._console.notice.emit(f"The model was added, but cannot answer yet. {entry.problem}", "bad")
        else:
            self._console.notice.emit(f"The model was added. {entry.note}".strip(), "info")
        self._console.refresh_models()

    def _connect(self) -> None:
        dialog = ConnectDialog(self._console, self)
        dialog.connected.connect(self._connected)
        dialog.open()

    def _connected(self, endpoint: Endpoint) -> None:
        where = "" if endpoint.is_here else " No collection's texts go there until you allow it."
        self._console.notice.emit(f"“{endpoint.name}” is connected.{where}", "info")
        self._console.refresh_models()

    def _add_file(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add models", "", "GGUF models (*.gguf);;All files (*)")
        self.add_files(paths)

    def get_model(self) -> None:
        """Open the dialog that downloads models."""
        dialog = GetModelDialog(self._console, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder with GGUF files")
        if folder:
            folders = sorted({*self._console.settings.models.folders, folder})
            self._console.run(
                operations.change_settings, self._folder_added, values={"models": {"folders": folders}}
            )

    def _folder_added(self, values: dict[str, Any]) -> None:
        self._console.take_settings(values)
        self._console.refresh_models()


def _number_field(low: float, high: float, step: float) -> QSpinBox | QDoubleSpinBox:
    """Return a field of the kind that its lowest value has; it changes when typing has ended."""
    field: QSpinBox | QDoubleSpinBox
    if isinstance(low, int):
        field = QSpinBox(minimum=low, maximum=int(high), singleStep=int(step))
    else:
        field = QDoubleSpinBox(minimum=low, maximum=high, singleStep=step)
    field.setKeyboardTracking(False)
    field.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
    return field


def _facts(header: ModelHeader) -> list[tuple[str, str]]:
    shape = f"{header.architecture}, {header.layer_count} layers, width {header.embedding_length}"
    size = f"{header.parameter_count / 1e6:,.1f} million, {header.quantisation}, {_gib(header.size_bytes)}"
    return [
        ("File", header.path),
        ("Name in the file", header.name),
        ("Architecture", shape),
        ("Parameters", size),
        ("Trained context", f"{header.context_length:,} tokens"),
        ("Template in the file", "yes" if header.chat_template else "none; a plain one is used"),
    ] + ([("Parts", f"{header.parts} files")] if header.parts > 1 else [])
