"""Editors for the fields of rag.settings, made from types and bounds: a new setting needs no new form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Editor = QComboBox | QCheckBox | QSpinBox | QDoubleSpinBox | QLineEdit

_BIGGEST: float = 2**31 - 1
_SMALLEST = 0.01  # what a field with two decimals can show


def make_editor(field: FieldInfo) -> Editor:
    """Return an editor for a setting: a box of choices, a tick box, or a number within its bounds."""
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
