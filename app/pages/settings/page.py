"""Settings: built from the fields of rag.settings, so that a new setting needs no new form."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFormLayout,
    QVBoxLayout,
    QWidget,
)

from app.console import Console
from app.pages.settings.data_panel import DataPanel
from app.shared.setting_editor import Editor, make_editor, show_value, when_changed
from app.widgets.labels import label, set_tip
from app.widgets.layout import Panel, row, scrolled
from app.widgets.theme import SPACE

_TITLES = {
    "appearance": ("Appearance", ""),
    "retrieval": (
        "Retrieval",
        "How passages are found and how many reach the model, in collections without a search of their own. "
        "Every trace records the values it ran with.",
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
}


class SettingsPage(QWidget):
    """A page with every setting, each saved as soon as it changes."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.setObjectName("page")
        self._console = console
        self._editors: dict[tuple[str, str], Editor] = {}
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
            editor = self._editors[section, key] = make_editor(field)
            when_changed(editor, partial(self._console.change_settings, section, key))
            set_tip(editor, field.description or "")
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

    def _fill(self) -> None:
        values = self._console.settings.model_dump(mode="json")
        for (section, key), editor in self._editors.items():
            with QSignalBlocker(editor):
                show_value(editor, values[section][key])
