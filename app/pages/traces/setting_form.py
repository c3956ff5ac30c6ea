"""Settings of a section as a form in a dialog: each is saved as soon as it changes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.console import Console
from app.shared.setting_editor import (
    Editor,
    make_editor,
    setting_name,
    show_value,
    when_changed,
)
from app.widgets.labels import label, set_tip
from app.widgets.theme import SPACE, scaled

_TEXT_WIDTH = 240  # an address has to be read


class SettingForm(QWidget):
    """A form with some settings of a section, each with what it means."""

    def __init__(self, console: Console, section: str, keys: Sequence[str] = ()) -> None:
        """Show settings.

        Args:
            console: The console of the window.
            section: Of the settings.
            keys: Which ones; none: all.
        """
        super().__init__()
        self._console, self._section = console, section
        self.editors: dict[str, Editor] = {}
        form = QGridLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(SPACE)
        form.setColumnStretch(2, 1)
        fields = type(getattr(console.settings, section)).model_fields
        for number, key in enumerate(keys or tuple(fields)):
            field = fields[key]
            editor = self.editors[key] = make_editor(field, key)
            when_changed(editor, partial(self._change, key))
            set_tip(editor, field.description or "")
            if isinstance(editor, QLineEdit):
                editor.setMinimumWidth(scaled(_TEXT_WIDTH))
            editor.setAccessibleName(f"{section}.{key}")
            form.addWidget(label(setting_name(key)), number, 0)
            form.addWidget(editor, number, 1)
            form.addWidget(label(field.description or "", "small", wrap=True), number, 2)
        console.settings_changed.connect(self._fill)
        self._fill()

    def _change(self, key: str, value: Any) -> None:
        self._console.change_settings(self._section, key, value, setting_name(key))

    def _fill(self) -> None:
        values = getattr(self._console.settings, self._section)
        for key, editor in self.editors.items():
            with QSignalBlocker(editor):
                show_value(editor, getattr(values, key))
