"""The one thing that a variant of a replay changes: what it is, and a field for its value."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QStackedWidget, QWidget

from app.console import Console, Notice
from app.shared.setting_editor import setting_name
from app.widgets.buttons import button
from app.widgets.labels import set_tip
from app.widgets.layout import Flow, guard_wheel, refill
from rag.asking.replay.rows import SECTIONS, Changes, read_changes
from rag.asking.rows import TraceDetail, TraceSource
from rag.errors import RagError
from rag.knowledge.rows import list_versions
from rag.prompts.rows import list_prompt_versions, list_prompts

# What can be changed: its key in read_changes, and what people read. A received trace allows the first four.
_KINDS = (
    ("model", "Model"),
    ("temperature", "Temperature"),
    ("without", "Leave passages out"),
    ("", "Nothing"),
    ("order", "Order of the passages"),
    ("prompt", "Prompt"),
    ("version", "Dataset version"),
    ("setting", "Setting"),
)
_OF_RECEIVED = 4
_FIELD_LENGTH = 14  # characters


class ChangeForm(QWidget):
    """A row with a choice of what is changed and its value; `changes_made` gives them as Changes."""

    changes_made = Signal(object)  # Changes

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._trace: TraceDetail | None = None
        self.kind_box = _box("What is changed")
        self.model_box, self.prompt_box = _box("Model", editable=True), _box("Prompt")
        self.version_box, self.setting_box = _box("Dataset version"), _box("Setting")
        self.temperature = QDoubleSpinBox(minimum=0.0, maximum=2.0, singleStep=0.1, value=0.7)
        self.temperature.setAccessibleName("Temperature")
        self.without = _line("Passages to leave out", "such as 3 or 2,5")
        self.order = _line("New order of the passages", "such as 2,1,3")
        self.setting_value = _line("Value of the setting", "its new value")
        setting = QWidget()
        setting.setLayout(Flow(self.setting_box, self.setting_value))
        self._fields: dict[str, QWidget] = {
            "model": self.model_box, "temperature": self.temperature, "without": self.without, "": QWidget(),
            "order": self.order, "prompt": self.prompt_box, "version": self.version_box, "setting": setting,
        }  # fmt: skip
        self._stack = QStackedWidget()
        for field in self._fields.values():
            self._stack.addWidget(field)
        self.add_button = button(
            "Add a variant", self.add, tip="One more column beside the answer; nothing is asked yet"
        )
        self.setLayout(Flow(self.kind_box, self._stack, self.add_button))
        self.kind_box.currentIndexChanged.connect(lambda _index: self._show_field())
        for line in (self.without, self.order, self.setting_value):
            line.returnPressed.connect(self.add)
        console.models_changed.connect(self._fill_models)
        self._fill_settings()
        guard_wheel(self)

    def show_trace(self, trace: TraceDetail) -> None:
        """Offer what can be changed in a trace."""
        self._trace = trace
        is_received = trace.source is TraceSource.RECEIVED
        kinds = _KINDS[:_OF_RECEIVED] if is_received else _KINDS
        refill(self.kind_box, [(title, key) for key, title in kinds])
        count = trace.passage_count
        self.order.setPlaceholderText("such as " + ",".join(str(n) for n in range(min(count, 3), 0, -1)))
        self._fill_models()
        database = self._console.database
        prompts = [
            (f"{row.name}, version {version.number}", f"{row.name}@{version.number}")
            for row in list_prompts(database)
            for version in list_prompt_versions(database, row.name)
        ]
        refill(self.prompt_box, prompts)
        versions = list_versions(database, trace.collection_id) if trace.collection_id else []
        refill(self.version_box, [(f"Version {row.number}", str(row.number)) for row in versions])
        self._show_field()

    def changes(self) -> Changes:
        """Return what the form says. Raises RagError for a value that is missing or none."""
        key = str(self.kind_box.currentData() or "")
        if not key:
            return Changes()
        values = {
            "model": self._model(),
            "temperature": f"{self.temperature.value():g}",
            "without": self.without.text().strip(),
            "order": self.order.text().strip(),
            "prompt": str(self.prompt_box.currentData() or ""),
            "version": str(self.version_box.currentData() or ""),
            "setting": self.setting_value.text().strip(),
        }
        if not values[key]:
            raise RagError("Say what it is to be in the field beside it.")
        if key == "setting":
            return read_changes({str(self.setting_box.currentData()): values[key]})
        return read_changes({key: values[key]})

    def _model(self) -> str:
        """Return the chosen model, or what was typed in its place."""
        box, typed = self.model_box, self.model_box.currentText().strip()
        is_chosen = typed == box.itemText(box.currentIndex()).strip()
        return str(box.currentData() or typed) if is_chosen else typed

    def add(self) -> None:
        """Hand on what the form says, or say what is missing."""
        try:
            self.changes_made.emit(self.changes())
        except RagError as error:
            self._console.notice.emit(str(error), Notice.BAD)

    def _show_field(self) -> None:
        key = str(self.kind_box.currentData() or "")
        self._stack.setCurrentWidget(self._fields[key])
        self._stack.setVisible(bool(key))

    def _fill_models(self) -> None:
        known = [(entry.name, entry.path) for entry in self._console.models if entry.can_answer]
        typed = self.model_box.currentText()
        refill(self.model_box, known)
        if not known:
            self.model_box.setEditText(typed)

    def _fill_settings(self) -> None:
        settings = self._console.settings
        for section in SECTIONS:
            for key in type(getattr(settings, section)).model_fields:
                self.setting_box.addItem(setting_name(key), f"{section}.{key}")


def _box(name: str, *, editable: bool = False) -> QComboBox:
    made = QComboBox(editable=editable)
    made.setAccessibleName(name)
    made.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(_FIELD_LENGTH)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made


def _line(name: str, placeholder: str) -> QLineEdit:
    made = QLineEdit(placeholderText=placeholder)
    made.setAccessibleName(name)
    set_tip(made, name)
    return made
