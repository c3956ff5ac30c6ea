"""Editors for the fields of rag.settings, made from types and bounds: a new setting needs no new form.

Beside an editor stands a DefaultMark where the value is not the default, with a click back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox

from app.console import setting_text
from app.widgets.buttons import IconButton
from app.widgets.theme import Theme

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

NAMES = {
    "rrf_k": "RRF k",
    "rerank": "Reranking",
    "rerank_count": "Reranked candidates",
    "contents_last": "Tables of contents last",
    "follow_ups": "Follow-ups",
    "cross_encoder": "Cross-encoder folder",
    "weak_below": "Weak match below",
    "top_p": "Top-p",
    "gpu_layers": "GPU layers",
    "min_similarity": "Minimum similarity",
    "max_passages": "Maximum passages",
    "context_tokens": "Passage budget",
    "small_model_tokens": "Budget of small models",
    "max_answer_tokens": "Maximum answer tokens",
    "max_thinking_tokens": "Maximum thinking tokens",
    "max_tokens": "Chunk length",
    "overlap_tokens": "Overlap",
    "keep_encoded": "Keep encoded text",
    "ask_without_passages": "Ask without passages",
    "run_regression_after_change": "Run regression questions",
    "text_percent": "Text size",
}
_UNITS = {
    "text_percent": " %",
    "max_tokens": " tokens",
    "overlap_tokens": " tokens",
    "context_tokens": " tokens",
    "small_model_tokens": " tokens",
    "max_answer_tokens": " tokens",
    "max_thinking_tokens": " tokens",
    "context": " tokens",
}

Editor = QComboBox | QCheckBox | QSpinBox | QDoubleSpinBox | QLineEdit

_BIGGEST: float = 2**31 - 1
_SMALLEST = 0.01  # what a field with two decimals can show


def setting_name(key: str) -> str:
    """Return how people know a setting."""
    return NAMES.get(key, key.replace("_", " ").capitalize())


class DefaultMark(IconButton):
    """A mark beside a setting that is not at its default, which a click brings back; else it is not seen."""

    def __init__(self, theme: Theme, name: str, default: Any, reset: Callable[[], object]) -> None:
        """Show nothing yet.

        Args:
            theme: The colours.
            name: How people know the setting.
            default: Its default.
            reset: What a click does.
        """
        text = setting_text(default)
        super().__init__(theme, "undo", f"Reset {name} to its default, {text}", reset)
        self._default = default
        kept = self.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # nothing moves when a value changes
        self.setSizePolicy(kept)
        self.hide()

    def show_value(self, value: Any) -> bool:
        """Show the mark if this value is not the default, and return whether it is not."""
        changed = bool(value != self._default)
        self.setVisible(changed)
        return changed


def make_editor(field: FieldInfo, key: str = "") -> Editor:
    """Return an editor for a setting: a box of choices, a tick box, or a number within its bounds.

    Args:
        field: The field of the settings.
        key: Its key, from which the unit of a number is known.
    """
    kind = field.annotation
    if get_origin(kind) is Literal:
        box = QComboBox()
        for choice in get_args(kind):
            box.addItem(choice[:1].upper() + choice[1:], choice)
        return box
    if kind is bool:
        return QCheckBox()
    if kind is str:
        return QLineEdit()
    low, high = _bounds(field)
    spin: QSpinBox | QDoubleSpinBox
    if kind is float:
        spin = QDoubleSpinBox(decimals=2, singleStep=0.05, minimum=low, maximum=high)
    else:
        spin = QSpinBox(minimum=int(low), maximum=int(high))
    if key in _UNITS:
        spin.setSuffix(_UNITS[key])
    spin.setKeyboardTracking(False)
    spin.lineEdit().setTextMargins(4, 0, 0, 0)  # the style sheet's padding does not reach the text
    return spin


def show_value(editor: Editor, value: Any) -> None:
    """Show a setting's value in its editor."""
    if isinstance(editor, QComboBox):
        editor.setCurrentIndex(editor.findData(value))
    elif isinstance(editor, QCheckBox):
        editor.setChecked(value)
    elif isinstance(editor, QLineEdit):
        editor.setText(value)
    else:
        editor.setValue(value)


def value_of(editor: Editor) -> Any:
    """Return the value that an editor shows."""
    if isinstance(editor, QComboBox):
        return editor.currentData()
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, QLineEdit):
        return editor.text().strip()
    return editor.value()


def when_changed(editor: Editor, action: Callable[[Any], object]) -> None:
    """Call the action with the new value whenever the editor's value changes."""
    if isinstance(editor, QComboBox):
        editor.currentIndexChanged.connect(lambda _index: action(value_of(editor)))
    elif isinstance(editor, QCheckBox):
        editor.toggled.connect(action)
    elif isinstance(editor, QLineEdit):
        editor.editingFinished.connect(lambda: action(value_of(editor)))
    else:
        editor.valueChanged.connect(action)


def _bounds(field: FieldInfo) -> tuple[float, float]:
    """Return the lowest and the highest value that a setting allows."""
    low, high = -_BIGGEST, _BIGGEST
    for bound in field.metadata:
        low = getattr(bound, "ge", low)
        if hasattr(bound, "gt"):
            low = bound.gt + _SMALLEST
        high = getattr(bound, "le", high)
    return low, min(high, _BIGGEST)
