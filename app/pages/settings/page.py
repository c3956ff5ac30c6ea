"""Settings: built from the fields of rag.settings, so that a new setting needs no new form."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.console import Console
from app.pages.settings.data_panel import DataPanel
from app.pages.settings.help_panel import HelpPanel
from app.shared.setting_editor import (
    DefaultMark,
    Editor,
    make_editor,
    setting_name,
    show_value,
    when_changed,
)
from app.widgets.labels import label, set_tip
from app.widgets.layout import Panel, scrolled
from app.widgets.theme import SPACE, scaled

_WIDEST = 900  # pixels: longer lines are hard to read

_TITLES = {
    "appearance": ("Appearance", ""),
    "retrieval": (
        "Retrieval",
        "How passages are found and how many reach the model, in collections without a search of their own. "
        "Every trace records the values it ran with.",
    ),
    "generation": ("Model", "How the model is loaded and how it answers."),
    "monitors": ("Monitors", "Rules, reference periods and regression questions are on the Monitors page."),
    "endpoints": (
        "Endpoints",
        "Servers are connected on the Models page, which also decides what may leave this computer.",
    ),
    "chunking": (
        "Chunking",
        "For new collections. An existing collection keeps the chunk settings it was made with.",
    ),
}


class SettingsPage(QWidget):
    """A page with every setting, each saved as soon as it changes, and marked where it is not the default."""

    guide_wanted = Signal()
    first_steps_wanted = Signal()
    sections = MappingProxyType({section: title for section, (title, _) in _TITLES.items()})

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._editors: dict[tuple[str, str], Editor] = {}
        self.marks: dict[tuple[str, str], DefaultMark] = {}
        self.changed_line = label("", "muted", wrap=True)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(SPACE + 4, SPACE, SPACE + 4, SPACE)
        layout.setSpacing(SPACE)
        layout.addWidget(label("Settings", "title"))
        layout.addWidget(self.changed_line)
        for section, (title, note) in _TITLES.items():
            layout.addWidget(self._make_section(section, title, note))
        self.data = DataPanel(console)
        layout.addWidget(self.data)
        self.help = HelpPanel(console)
        self.help.guide_wanted.connect(self.guide_wanted)
        self.help.first_steps_wanted.connect(self.first_steps_wanted)
        layout.addWidget(self.help)
        layout.addStretch(1)
        holder.setMaximumWidth(scaled(_WIDEST))
        self._holder = holder
        console.theme.changed.connect(self._set_widest)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._area = scrolled(holder)
        outer.addWidget(self._area)
        console.settings_changed.connect(self._fill)
        self._fill()

    def _make_section(self, section: str, title: str, note: str) -> QWidget:
        panel = Panel(title)
        if note:
            panel.body.addWidget(label(note, "small", wrap=True))
        form = QGridLayout()
        form.setHorizontalSpacing(SPACE)
        form.setVerticalSpacing(8)
        form.setColumnStretch(3, 1)
        model = getattr(self._console.settings, section)
        for number, (key, field) in enumerate(type(model).model_fields.items()):
            name = setting_name(key)
            change = partial(self._change, section, key)
            editor = self._editors[section, key] = make_editor(field, key)
            when_changed(editor, change)
            set_tip(editor, field.description or "")
            editor.setAccessibleName(key.replace("_", " "))
            mark = DefaultMark(self._console.theme, name, field.default, partial(change, field.default))
            self.marks[section, key] = mark
            form.addWidget(label(name), number, 0)
            form.addWidget(editor, number, 1)
            form.addWidget(mark, number, 2)
            form.addWidget(label(field.description or "", "small", wrap=True), number, 3)
        panel.body.addLayout(form)
        return panel

    def show_setting(self, key: str) -> bool:
        """Bring a setting, SECTION.KEY, into view and into focus; False when there is none of that name."""
        section, _, name = key.partition(".")
        editor = self._editors.get((section, name))
        if editor is None:
            return False
        QTimer.singleShot(0, self, lambda: self._area.ensureWidgetVisible(editor, 0, scaled(80)))
        editor.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    def showEvent(self, event: QShowEvent) -> None:
        """Measure the data folder again."""
        super().showEvent(event)
        self.data.refresh()

    def _set_widest(self) -> None:
        self._holder.setMaximumWidth(scaled(_WIDEST))

    def _change(self, section: str, key: str, value: Any) -> None:
        self._console.change_settings(section, key, value, setting_name(key))

    def _fill(self) -> None:
        """Show the values, and which of them are not the defaults."""
        values = self._console.settings.model_dump(mode="json")
        changed = []
        for (section, key), editor in self._editors.items():
            with QSignalBlocker(editor):
                show_value(editor, values[section][key])
            if self.marks[section, key].show_value(values[section][key]):
                changed.append(setting_name(key))
        self.changed_line.setText(
            f"Not at the default: {', '.join(changed)}." if changed else "Every setting is at its default."
        )
