"""Settings: built from the fields of rag.settings, so that a new setting needs no new form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.settings.data_panel import DataPanel
from app.widgets.labels import label
from app.widgets.layout import Panel, row, scrolled
from app.widgets.theme import SPACE

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_TITLES = {
    "appearance": ("Appearance", ""),
    "retrieval": (
        "Retrieval",
        "How passages are found and how many reach the model. Every trace records the values it ran with.",
    ),
    "generation": ("Model", "How the model is loaded and how it answers."),
    "monitors": ("Monitors", "Rules, reference periods and regression questions are on the Monitors page."),
    "chunking": (
        "Chunking",
        "For new collections. An existing collection keeps the chunk settings it was made with.",
    ),
}
_NAMES = {
    "rrf_k": "RRF k",
    "top_p": "Top-p",
    "gpu_layers": "GPU layers",
    "min_similarity": "Minimum similarity",
    "max_passages": "Maximum passages",
    "context_tokens": "Passage budget",
    "max_answer_tokens": "Maximum answer tokens",
    "max_tokens": "Chunk length",
    "overlap_tokens": "Overlap",
    "ask_without_passages": "Ask without passages",
    "run_regression_after_change": "Run regression questions",
}
_BIGGEST: float = 2**31 - 1
_STEP = 0.01  # the smallest that a field with two decimals shows


class SettingsPage(QWidget):
    """A page with every setting, each saved as soon as it changes."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._setters: dict[tuple[str, str], Callable[[Any], None]] = {}
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(label("Settings", "title"))
        for section, (title, note) in _TITLES.items():
            layout.addWidget(self._make_section(section, title, note))
        self.data = DataPanel(console)
        layout.addWidget(self.data)
        layout.addStretch(1)
        holder.setMaximumWidth(820)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(holder))
        console.settings_changed.connect(self._fill)
        self._fill()

    def _make_section(self, section: str, title: str, note: str) -> QWidget:
        panel = Panel(title)
        if note:
            panel.body.addWidget(label(note, "small", wrap=True))
        form = QFormLayout()
        form.setHorizontalSpacing(SPACE * 2)
        form.setVerticalSpacing(8)
        model = getattr(self._console.settings, section)
        for key, field in type(model).model_fields.items():
            editor = self._make_editor(section, key, field)
            editor.setToolTip(field.description or "")
            editor.setAccessibleName(key.replace("_", " "))
            editor.setFixedWidth(130)
            described = label(field.description or "", "small", wrap=True)
            line = row(editor, described)
            line.setStretch(1, 1)
            name = label(_NAMES.get(key, key.replace("_", " ").capitalize()))
            name.setFixedWidth(170)
            form.addRow(name, line)
        panel.body.addLayout(form)
        return panel

    def showEvent(self, event: QShowEvent) -> None:
        """Measure the data folder again."""
        super().showEvent(event)
        self.data.refresh()

    def _make_editor(self, section: str, key: str, field: FieldInfo) -> QWidget:
        kind = field.annotation

        def save(value: Any) -> None:
            self._console.change_settings(section, key, value)

        if get_origin(kind) is Literal:
            box = QComboBox()
            for choice in get_args(kind):
                box.addItem(choice[:1].upper() + choice[1:], choice)
            box.currentIndexChanged.connect(lambda _i: save(box.currentData()))
            self._setters[section, key] = lambda value: box.setCurrentIndex(box.findData(value))
            return box
        if kind is bool:
            check = QCheckBox()
            check.toggled.connect(save)
            self._setters[section, key] = check.setChecked
            return check
        low, high = _bounds(field.metadata)
        spin: QSpinBox | QDoubleSpinBox
        if kind is float:
            spin = QDoubleSpinBox(singleStep=0.05, decimals=2, minimum=low, maximum=high)
        else:
            spin = QSpinBox(minimum=int(low), maximum=int(high))
        spin.setKeyboardTracking(False)
        spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
        spin.valueChanged.connect(save)
        self._setters[section, key] = spin.setValue
        return spin

    def _fill(self) -> None:
        values = self._console.settings.model_dump(mode="json")
        kinds = (QSpinBox, QDoubleSpinBox, QComboBox, QCheckBox)
        editors = [editor for kind in kinds for editor in self.findChildren(kind)]
        for editor in editors:
            editor.blockSignals(True)
        for (section, key), set_value in self._setters.items():
            set_value(values[section][key])
        for editor in editors:
            editor.blockSignals(False)


def _bounds(metadata: Sequence[Any]) -> tuple[float, float]:
    """Return the lowest and the highest value that a pydantic field's constraints allow."""
    low, high = -_BIGGEST, _BIGGEST
    for item in metadata:
        low = getattr(item, "ge", low)
        if hasattr(item, "gt"):
            low = item.gt + _STEP
        high = getattr(item, "le", high)
    return low, min(high, _BIGGEST)
